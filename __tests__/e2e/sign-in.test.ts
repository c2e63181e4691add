// Every way in, and every way of being turned away: what Entra and Resource Manager were asked, and what the author reads.
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { serve } from '../fixtures/loopback.ts';
import { askForToken } from './azure-client.ts';
import { jobFiles, makeCheckout, printing } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Request, type Site, type SiteRequest } from './site.ts';
import { errorsOf } from './workflow-log.ts';

/** Following a job that is not there is the shortest way to be signed in: nothing is made. */
const ABSENT = { 'job-name': 'no-such-job' };
const NO_OIDC = { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' };
const SUBJECT = 'repo:octo-org/octo-repo:ref:refs/heads/main';

let site: Site;
let principal: Readonly<Record<string, string>>;

beforeAll(async () => {
	site = await openSite();
	const { clientId, tenantId, clientSecret } = site.emulator;
	principal = { 'client-id': clientId, 'tenant-id': tenantId, 'client-secret': clientSecret };
});

afterEach(() => site.emulator.setGitHubIdentity({ subject: SUBJECT }));
afterAll(() => site?.close());

interface Tried extends ActionRun {
	readonly error: string;
	readonly entra: readonly Request[];
	readonly arm: readonly Request[];
	readonly github: readonly Request[];
}

/** One run whose single error is given, with what was asked meanwhile. */
async function attempt(request: SiteRequest, inputs: Readonly<Record<string, string>> = ABSENT): Promise<Tried> {
	const since = site.emulator.requests.length;
	const run = await site.run(inputs, request);
	const requests = site.requests(since);
	const of = (wanted: string): Request[] => requests.filter(({ face }) => face === wanted);
	const [error = '', ...more] = errorsOf(run.stdout);
	expect([run.code, more, run.stderr]).toEqual([1, [], '']);
	expect(run.stdout).not.toMatch(/^\s+at .+:\d+:\d+/m);
	expect(run.summary).toMatch(/^## ❌/);
	return { ...run, error, entra: of('entra'), arm: of('arm'), github: of('github') };
}

/** The form that a token was asked for with, and whether it was given. */
function tokenRequest({ entra }: Tried): { form: Record<string, string>; status: number } {
	const asked = entra.filter(({ method }) => method === 'POST');
	expect(asked).toHaveLength(1);
	return { form: asked[0]?.body as Record<string, string>, status: asked[0]?.status ?? 0 };
}

describe('a way in', () => {
	test('is the secret of a service principal', async () => {
		const tried = await attempt({ signIn: principal, env: NO_OIDC });
		expect(tokenRequest(tried)).toMatchObject({
			status: 200,
			form: { client_secret: site.emulator.clientSecret, scope: `${site.emulator.arm}/.default` },
		});
		expect(tried.error).toMatch(/^There is no job "no-such-job"/);
		expect(tried.github).toEqual([]);
	});

	test('is the secret even where GitHub offers an ID token', async () => {
		const tried = await attempt({ signIn: principal });
		expect(tokenRequest(tried).form).toHaveProperty('client_secret');
		expect(tried.github).toEqual([]);
	});

	test('is the JSON that azure/login takes', async () => {
		const { clientId, tenantId, clientSecret, subscriptionId } = site.emulator;
		const creds = JSON.stringify({ clientId, clientSecret, tenantId, subscriptionId });
		const tried = await attempt({ signIn: { creds, 'subscription-id': '' }, env: NO_OIDC });
		expect(tokenRequest(tried).status).toBe(200);
		expect(tried.error).toMatch(/^There is no job "no-such-job"/);
	});

	test('is an ID token of GitHub, for the audience that is asked for', async () => {
		const tried = await attempt({});
		expect([...new Set(tried.github.map(({ query, status }) => `${query['audience']} ${status}`))]).toEqual([
			'api://AzureADTokenExchange 200',
		]);
		expect(tokenRequest(tried)).toMatchObject({
			status: 200,
			form: { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
		});
		expect(tried.error).toMatch(/^There is no job "no-such-job"/);
	});
});

describe('a way in that others have prepared', () => {
	const soon = (): number => Math.floor(Date.now() / 1000) + 3600;

	test('is the session of the Azure CLI that azure/login leaves', async () => {
		const accessToken = await askForToken(site.emulator);
		const answer = JSON.stringify({ accessToken, expires_on: soon(), tokenType: 'Bearer' });
		const bin = makeCheckout({ az: `#!/bin/sh\necho "$@" > "$0.asked"\necho '${answer}'\n` });
		chmodSync(join(bin, 'az'), 0o755);
		const tried = await attempt({ signIn: {}, env: { ...NO_OIDC, PATH: `${bin}:/usr/bin:/bin` } });
		const asked = readFileSync(join(bin, 'az.asked'), 'utf8');
		rmSync(bin, { recursive: true });
		expect(asked).toMatch(/^account get-access-token /);
		expect(asked).toContain(site.emulator.arm);
		expect(tried.error).toMatch(/^There is no job "no-such-job"/);
		expect([tried.entra, tried.github]).toEqual([[], []]);
		expect(new Set(tried.arm.map(({ headers }) => headers['authorization']))).toEqual(
			new Set([`Bearer ${accessToken}`]),
		);
	});

	test('is the managed identity of the machine', async () => {
		const token = await askForToken(site.emulator);
		const answer = {
			access_token: token,
			expires_on: String(soon()),
			resource: site.emulator.arm,
			token_type: 'Bearer',
		};
		const identity = await serve(() => ({ body: answer }));
		const env = { ...NO_OIDC, IDENTITY_ENDPOINT: identity.url, IDENTITY_HEADER: 'header-of-the-machine' };
		const tried = await attempt({ signIn: {}, env }, { ...ABSENT, 'auth-type': 'managed-identity' });
		await identity.close();
		expect(identity.asked[0]?.path).toContain(encodeURIComponent(site.emulator.arm));
		expect(identity.asked[0]?.headers['x-identity-header']).toBe('header-of-the-machine');
		expect(tried.error).toMatch(/^There is no job "no-such-job"/);
		expect([tried.entra, tried.github]).toEqual([[], []]);
	});
});

describe('nobody gets in', () => {
	test('with a wrong secret', async () => {
		const tried = await attempt({ signIn: { ...principal, 'client-secret': 'not-the-secret-at-all' } });
		expect(tokenRequest(tried).status).toBe(401);
		expect(tried.error).toMatch(/AADSTS7000215.*`client-secret`/s);
		expect(tried.arm).toEqual([]);
	});

	test('as an application that the tenant does not know', async () => {
		const tried = await attempt({ signIn: { ...principal, 'client-id': '99999999-9999-4999-8999-999999999999' } });
		expect(tried.error).toMatch(/AADSTS700016.*`client-id`/s);
		expect(tried.arm).toEqual([]);
	});

	test('into a tenant that does not exist', async () => {
		const tried = await attempt({ signIn: { ...principal, 'tenant-id': '99999999-9999-4999-8999-999999999999' } });
		expect(tried.error).toMatch(/`tenant-id`/);
		expect(tried.arm).toEqual([]);
	});

	test.each(['oidc', 'auto'])('by %s without the permission for an ID token', async (type) => {
		// No Azure CLI on PATH, as on a runner of one's own: `auto` would try it.
		const env = { ...NO_OIDC, PATH: dirname(process.execPath) };
		const tried = await attempt({ env }, { ...ABSENT, 'auth-type': type });
		expect(tried.error).toContain('id-token: write');
		expect(tried.summary).toContain('id-token: write');
		expect([tried.arm, tried.github]).toEqual([[], []]);
		expect(tried.entra.filter(({ method }) => method === 'POST')).toEqual([]);
		expect(tried.took).toBeLessThan(6_000);
	});

	test('as a branch that no federated credential names: the subject to add is said', async () => {
		const subject = 'repo:octo-org/octo-repo:ref:refs/heads/feature/new-features';
		site.emulator.setGitHubIdentity({ subject });
		const tried = await attempt({});
		expect(tried.error).toContain('AADSTS700213');
		expect(tried.error).toMatch(new RegExp(`exactly this subject: ${subject},`));
		expect(tried.error).toContain('issuer: https://token.actions.githubusercontent.com');
		expect(tried.arm).toEqual([]);
	});

	test('for an audience that the credential does not have', async () => {
		const tried = await attempt({}, { ...ABSENT, audience: 'api://SomethingElse' });
		expect(tried.error).toMatch(/AADSTS700212.*audience: api:\/\/SomethingElse/s);
		expect(tried.arm).toEqual([]);
	});

	test('by an Azure CLI that is not there', async () => {
		const env = { ...NO_OIDC, PATH: dirname(process.execPath) };
		const tried = await attempt({ signIn: {}, env }, { ...ABSENT, 'auth-type': 'azure-cli' });
		expect(tried.error).toMatch(/Azure CLI.*azure\/login/s);
		expect([tried.entra, tried.arm]).toEqual([[], []]);
	});

	test('into a workspace that does not exist: those that do are named', async () => {
		const tried = await attempt({}, { ...ABSENT, workspace: 'emulated-wx' });
		expect(tried.error).toMatch(/no workspace "emulated-wx".*emulated-ws/s);
	});
});

test("a fork's head is let through where the author takes the risk", async () => {
	const head = { sha: 'f'.repeat(40), repo: { full_name: 'stranger/octo-repo' } };
	const event = { name: 'pull_request_target', payload: { pull_request: { number: 7, head } } };
	const tried = await attempt({ event, files: jobFiles(printing([])) }, { ...ABSENT, 'allow-fork-head': 'true' });
	expect(tried.error).toMatch(/^There is no job "no-such-job"/);
	expect(tried.arm.length).toBeGreaterThan(0);
});

describe('a comment on a pull request', () => {
	const comment = (number: number): SiteRequest => ({
		event: { name: 'issue_comment', payload: { issue: { number, pull_request: {} }, comment: { body: '/train' } } },
		githubToken: site.emulator.github.token,
		files: jobFiles(printing([])),
	});
	const openPull = (number: number, full_name: string): void => {
		const thread = `octo-org/octo-repo/${number}`;
		site.emulator.gitHubStore.pulls.push({ id: number, thread, head: { repo: { full_name } } });
	};

	test("is refused before sign-in where GitHub says that the head is a fork's", async () => {
		openPull(71, 'stranger/octo-repo');
		const tried = await attempt(comment(71), { ...ABSENT, comment: 'never' });
		expect(tried.error).toMatch(/allow-fork-head.*the fork stranger\/octo-repo/);
		expect(tried.github.map(({ line }) => line)).toEqual(['GET /repos/octo-org/octo-repo/pulls/71']);
		expect([...tried.entra, ...tried.arm]).toEqual([]);
	});

	test("is let through where the head is the repository's own", async () => {
		openPull(72, 'octo-org/octo-repo');
		const tried = await attempt(comment(72), { ...ABSENT, comment: 'never' });
		expect(tried.error).toMatch(/^There is no job "no-such-job"/);
		expect(tried.github.map(({ line }) => line)[0]).toBe('GET /repos/octo-org/octo-repo/pulls/72');
	});
});
