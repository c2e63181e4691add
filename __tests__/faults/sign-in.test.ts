// Cases 1 to 8 and 70 of the fault table: signing in, keeping signed in, being refused, and not signing in at all. One
// after the other, since what happens to sign-in happens to every run.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { endpointFiles, jobFiles, printing, SCORE_42 } from '../e2e/checkout.ts';
import { type FaultSite, openFaultSite } from './site.ts';
import { World } from './world.ts';

let site: FaultSite;
let skew = 0;

beforeAll(async () => {
	site = await openFaultSite({ clock: () => Date.now() + skew });
});
afterAll(() => site?.close());
afterEach(() => {
	skew = 0;
	site.emulator.faults.clear();
	site.emulator.setApplication({ tokenLifeSeconds: 3600 });
	site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:ref:refs/heads/main', lifeSeconds: 300 });
});

const FILES = jobFiles(printing(['trained']));
const submit = (name: string) => ({ 'job-file': 'job.yml', 'job-name': name, wait: 'false' });
const NO_OIDC = { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' };

test('case 1 A-oidc-missing: fails at once naming the permission, and asks nobody', async () => {
	const since = site.emulator.requests.length;
	const run = await site.run({ ...submit('case-1'), 'auth-type': 'oidc' }, { files: FILES, env: NO_OIDC });
	const job = { name: 'case-1', state: 'none' };
	expect(await run.broken({ code: 1, says: /id-token: write/, job })).toEqual([]);
	expect(site.requests(since)).toEqual([]);
	// A second on a quiet machine; nothing is waited for.
	expect(run.took).toBeLessThan(8_000);
});

test('case 2 A-oidc-flaky: an ID token that is refused three times is asked for again', async () => {
	const since = site.emulator.requests.length;
	site.emulator.faults.add({ face: 'github', path: /idtoken/, nth: 1, times: 3, effect: { status: 503 } });
	const run = await site.run(submit('case-2'), { files: FILES });
	expect(await run.broken({ code: 0, job: { name: 'case-2' } })).toEqual([]);
	const asked = site.requests(since).filter(({ face }) => face === 'github');
	expect(asked.slice(0, 4).map(({ status }) => status)).toEqual([503, 503, 503, 200]);
});

test('case 3 A-assertion-expired: each renewal of the token gets an ID token of its own', async () => {
	// Renewal begins five minutes before the end of a token: every second or so here. ID tokens live for five.
	site.emulator.setApplication({ tokenLifeSeconds: 301 });
	site.emulator.setGitHubIdentity({ lifeSeconds: 5 });
	const since = site.emulator.requests.length;
	const lines = Array.from({ length: 15 }, (_, step) => `step ${step}`);
	const program = printing(lines).replace('    print(line)', '    print(line)\n    time.sleep(0.2)');
	const run = await site.run(
		{ 'job-file': 'job.yml', 'job-name': 'case-3' },
		{ files: jobFiles(`import time\n${program}`) },
	);
	expect(await run.broken({ code: 0, job: { name: 'case-3', state: 'Completed' } })).toEqual([]);
	const renewals = site.requests(since).filter(({ face, method }) => face === 'entra' && method === 'POST');
	const assertions = new Set(renewals.map(({ body }) => (body as Record<string, string>)['client_assertion']));
	expect(renewals.filter(({ status }) => status !== 200)).toEqual([]);
	expect(assertions.size).toBe(renewals.length);
	expect(assertions.size).toBeGreaterThan(2);
});

test('case 4 A-refresh-down: while no token can be had the old one serves on, over six virtual hours', async () => {
	const world = new World({ seed: 4, tokenLife: 3_600_000 });
	// Down for ninety seconds in the window in which each token is renewed.
	world.tokensDown = (age) => age > 3_295_000 && age < 3_385_000;
	world.jobRuns({ hours: 6, end: 'Completed' });
	const run = await world.train();
	expect(run.broken({ code: 0, log: true })).toEqual([]);
	expect(world.azure.refusedTokens).toBe(0);
	expect(world.tokenFailures).toBeGreaterThan(10);
});

test.each([-1, 1])(
	'case 5 A-clock-skew: %d hour between the clocks of runner and service changes nothing',
	async (hours) => {
		const linesOf = async (name: string): Promise<string[]> => {
			const since = site.emulator.requests.length;
			const run = await site.run(submit(name), { files: FILES });
			expect(await run.broken({ code: 0, job: { name } })).toEqual([]);
			return site.requests(since).map(({ line }) => line.replace(name, 'it'));
		};
		// The first of all runs uploads the code.
		await linesOf(`case-5-before-${hours}`);
		const even = await linesOf(`case-5-even-${hours}`);
		skew = hours * 3_600_000;
		expect((await linesOf(`case-5-skewed-${hours}`)).length).toBe(even.length);
	},
);

const challenge = (name: string, times: number): void => {
	const claims = Buffer.from('{"access_token":{"nbf":{"essential":true}}}').toString('base64');
	site.emulator.faults.add({
		method: 'GET',
		path: new RegExp(`/runs/${name}/details|/jobs/${name}`),
		nth: 2,
		times,
		effect: { status: 401, headers: { 'WWW-Authenticate': `Bearer error="insufficient_claims", claims="${claims}"` } },
	});
};

test('case 6 A-401-mid-poll: a challenge is answered once; a second refusal ends the step, with the name of the job', async () => {
	challenge('case-6', 1);
	const once = await site.run({ 'job-file': 'job.yml', 'job-name': 'case-6' }, { files: FILES });
	expect(await once.broken({ code: 0, job: { name: 'case-6', state: 'Completed' } })).toEqual([]);
	site.emulator.faults.clear();
	challenge('case-6-twice', 1_000);
	const twice = await site.run({ 'job-file': 'job.yml', 'job-name': 'case-6-twice' }, { files: FILES });
	const job = { name: 'case-6-twice', state: 'Completed' };
	expect(await twice.broken({ code: 1, says: /case-6-twice.*HTTP 401/s, job, log: false })).toEqual([]);
	expect(twice.outputs['job-name']).toBe('case-6-twice');
});

test('case 7 A-wrong-tenant: the refusal names the input, or the subject that the credential must have', async () => {
	const none = { job: { name: 'case-7', state: 'none' }, code: 1 } as const;
	const wrong = '99999999-9999-4999-8999-999999999999';
	const tried = (signIn: Record<string, string>) =>
		site.run(submit('case-7'), { files: FILES, signIn: { ...site.principal, ...signIn } });
	const application = await tried({ 'client-id': wrong });
	expect(await application.broken({ ...none, says: /AADSTS700016.*`client-id`/s })).toEqual([]);
	const tenant = await tried({ 'tenant-id': wrong });
	expect(await tenant.broken({ ...none, says: /`tenant-id`/ })).toEqual([]);
	const subject = 'repo:octo-org/octo-repo:environment:nobody';
	site.emulator.setGitHubIdentity({ subject });
	const federated = await site.run(submit('case-7'), { files: FILES });
	expect(
		await federated.broken({ ...none, says: new RegExp(`AADSTS70021.*exactly this subject: ${subject}`, 's') }),
	).toEqual([]);
});

test('case 8 A-403-role: the missing role is named for the resource manager, for storage and for a poll', async () => {
	const body = {
		error: {
			code: 'AuthorizationFailed',
			message:
				"The client 'x' does not have authorization to perform action 'jobs/write' over scope '/subscriptions/s/rg'.",
		},
	};
	site.emulator.faults.add({ face: 'arm', method: 'PUT', path: /case-8-arm/, effect: { status: 403, body } });
	const arm = await site.run(submit('case-8-arm'), { files: FILES });
	const none = (name: string) => ({ code: 1, job: { name, state: 'none' } }) as const;
	expect(await arm.broken({ ...none('case-8-arm'), says: /AuthorizationFailed.*over scope.*role/s })).toEqual([]);
	const denied =
		'<?xml version="1.0"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>No.</Message></Error>';
	const headers = { 'x-ms-error-code': 'AuthorizationPermissionMismatch' };
	site.emulator.faults.add({
		face: 'storage',
		method: 'PUT',
		path: /train\.py/,
		effect: { status: 403, headers, body: denied },
	});
	const blob = await site.run(submit('case-8-blob'), { files: jobFiles(printing(['another program'])) });
	expect(await blob.broken({ ...none('case-8-blob'), says: /403 AuthorizationPermissionMismatch/ })).toEqual([]);
	site.emulator.faults.clear();
	site.emulator.faults.add({ face: 'arm', path: /mfeOperationsStatus/, effect: { status: 403, body } });
	const poll = await site.run(
		{ 'endpoint-file': 'endpoint.yml', 'deployment-file': 'deployment.yml' },
		{ files: endpointFiles('case-8', SCORE_42) },
	);
	expect(await poll.broken({ code: 1, says: /permission|role|may not/ })).toEqual([]);
	expect(poll.said).not.toMatch(/deployment .* failed/i);
});

test.each(['pull_request_target', 'workflow_run'])(
	'case 70 W-prt: %s with the head of a fork is refused, and no ID token is asked for',
	async (name) => {
		const fork = { full_name: 'stranger/octo-repo' };
		const head = { sha: 'f'.repeat(40), repo: fork };
		const payload = { pull_request: { number: 7, head }, workflow_run: { head_repository: fork } };
		const since = site.emulator.requests.length;
		const run = await site.run(submit('case-70'), { files: FILES, event: { name, payload } });
		const asked = site.requests(since);
		const job = { name: 'case-70', state: 'none' };
		expect(await run.broken({ code: 1, says: /allow-fork-head/, job })).toEqual([]);
		expect(asked).toEqual([]);
	},
);
