// Inputs that are refused: all faults at once, by name, and before anything is sent to anybody.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Loopback, serve } from '../fixtures/loopback.ts';
import { jobFiles, makeCheckout, printing } from './checkout.ts';
import { type ActionRequest, type ActionRun, runAction } from './runner.ts';
import { errorsOf, shownLines } from './workflow-log.ts';

const TARGET = {
	'client-id': '11111111-1111-4111-8111-111111111111',
	'tenant-id': '22222222-2222-4222-8222-222222222222',
	'client-secret': 'a-secret-that-nobody-is-sent',
	'subscription-id': '33333333-3333-4333-8333-333333333333',
	'resource-group': 'rg',
	workspace: 'ws',
	cloud: 'cloud.json',
};

/** Stands for Azure, Entra and GitHub: whoever is asked for anything asks here. */
let world: Loopback;
let checkout: string;

beforeAll(async () => {
	world = await serve(() => ({ status: 500 }));
	checkout = makeCheckout({
		...jobFiles(printing(['hello'])),
		'not-json.txt': 'hello',
	});
	const { url } = world;
	writeFileSync(
		join(checkout, 'cloud.json'),
		JSON.stringify({
			name: 'Nowhere',
			endpoints: { resourceManager: url, activeDirectory: url, activeDirectoryResourceId: url },
		}),
	);
});

afterAll(async () => {
	await world.close();
	rmSync(checkout, { recursive: true });
});

async function refused(
	inputs: Readonly<Record<string, string>>,
	request: Partial<ActionRequest> = {},
): Promise<ActionRun> {
	const env = { GITHUB_API_URL: world.url, ACTIONS_ID_TOKEN_REQUEST_URL: world.url, ...request.env };
	const run = await runAction({ ...request, checkout, inputs, env });
	expect(run.code).toBe(1);
	expect(run.stderr).toBe('');
	expect(run.stdout).not.toMatch(/^\s+at .+:\d+:\d+/m);
	expect(world.asked).toEqual([]);
	expect(run.post.stdout).toBe('');
	return run;
}

describe('the inputs', () => {
	test('are checked all at once: each fault has its name, what was expected and what came', async () => {
		const { stdout, summary, took } = await refused({
			'tenant-id': TARGET['tenant-id'],
			'auth-type': 'password',
			cloud: 'AzureGermanCloud',
			'job-file': 'missing.yml',
			'on-timeout': 'explode',
			'timeout-minutes': 'soon',
			wait: 'yes',
			traffic: '10 20',
			'endpoint-name': 'endpoint-1',
			'smoke-test-file': 'not-json.txt',
			'instance-count': '1.5',
			'model-name': 'iris',
			'model-tags': 'no equals sign',
		});
		// GitHub shows ten annotations; the others must stand in the log.
		const rest = shownLines(stdout).flatMap((line) => /^error: (.*)$/.exec(line)?.[1] ?? []);
		const errors = [...errorsOf(stdout), ...rest];
		const faults: [string, RegExp][] = [
			['auth-type', /`service-principal`.*got "password"/],
			['cloud', /AzureCloud.*got "AzureGermanCloud"/],
			['subscription-id', /not given/],
			['resource-group', /not given/],
			['workspace', /not given/],
			['job-file', /no file missing\.yml/],
			['on-timeout', /`cancel` or `detach`.*got "explode"/],
			['timeout-minutes', /number above 0.*got "soon"/],
			['wait', /`true` or `false`.*got "yes"/],
			['traffic', /10 20/],
			['smoke-test-file', /not-json\.txt/],
			['instance-count', /whole number.*got "1\.5"/],
			['model-tags', /key=value.*got "no equals sign"/],
		];
		for (const [name, fault] of faults) {
			const said = errors.filter((error) => error.startsWith(`${name}:`));
			expect([name, said]).toEqual([name, [expect.stringMatching(fault)]]);
			expect(summary).toContain(name);
		}
		expect(took).toBeLessThan(5_000);
	});

	test('must ask for a step', async () => {
		const { stdout } = await refused(TARGET);
		expect(errorsOf(stdout)).toEqual([expect.stringMatching(/^No step is asked for: give `job-file`/)]);
	});

	test('must not contradict one another', async () => {
		const { stdout } = await refused({ ...TARGET, set: 'inputs.epochs=3', compute: 'gpu', 'model-version': '7' });
		const errors = errorsOf(stdout).join('\n');
		for (const name of ['set', 'compute', 'model-version']) expect(errors).toMatch(new RegExp(`^${name}: `, 'm'));
	});
});

describe("a fork's code with this repository's identity", () => {
	const fork = { full_name: 'stranger/octo-repo', fork: true };
	const inputs = { ...TARGET, 'job-file': 'job.yml' };

	test.each([
		['pull_request_target', { pull_request: { number: 7, head: { sha: 'f'.repeat(40), repo: fork } } }],
		['pull_request_target', { pull_request: { number: 7, head: { sha: 'f'.repeat(40), repo: null } } }],
		['workflow_run', { workflow_run: { head_repository: fork } }],
		['repository_dispatch', { client_payload: { pull_request: { number: 7, head: { repo: fork } } } }],
		// Without a token GitHub cannot be asked where the pull request comes from.
		['issue_comment', { issue: { number: 7, pull_request: {} } }],
	])('%s is refused before sign-in', async (name, payload) => {
		const { stdout } = await refused(inputs, { event: { name, payload } });
		expect(errorsOf(stdout)).toEqual([expect.stringMatching(/allow-fork-head/)]);
	});
});
