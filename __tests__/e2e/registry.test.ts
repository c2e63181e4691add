// Registration: what a version tells of its origin, that nothing is registered twice or written over, and its way into a
// registry, which no answer of the service can lead the token astray on.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REGISTRY } from '../../emulator/registries.ts';
import { serve } from '../fixtures/loopback.ts';
import { type AzureClient, openClient } from './azure-client.ts';
import { jobFiles } from './checkout.ts';
import { logging, versionsOf } from './measured.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site, type SiteRequest } from './site.ts';
import { errorsOf, shownLines, withoutMasks } from './workflow-log.ts';

const FILES = jobFiles(logging({ accuracy: 0.95 }));

let site: Site;
let client: AzureClient;
/** A finished job. */
let job: string;

beforeAll(async () => {
	site = await openSite();
	client = await openClient(site.emulator);
	job = (await train('801')).outputs['job-name'] ?? '';
});

afterAll(() => site?.close());

function train(
	runId: string,
	inputs: Readonly<Record<string, string>> = {},
	more: SiteRequest = {},
): Promise<ActionRun> {
	return site.run({ 'job-file': 'job.yml', ...inputs }, { files: FILES, ...more, env: { GITHUB_RUN_ID: runId } });
}

const follow = (inputs: Readonly<Record<string, string>>): Promise<ActionRun> =>
	site.run({ 'job-name': job, ...inputs });

const idIn = (registry: string, model: string, version: string): string =>
	`azureml://registries/${registry}/models/${model}/versions/${version}`;

/** The same collection, beside the workspace. */
function sharedVersion(model: string, version: string): Promise<Record<string, unknown>> {
	return client.get(`/../../registries/${REGISTRY}/models/${model}/versions/${version}`);
}

describe('a version', () => {
	test('says where it comes from', async () => {
		site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:pull_request', event: 'pull_request' });
		const head = { sha: 'c0ffee0c0ffee0c0ffee0c0ffee0c0ffee0c0ffe', repo: { full_name: 'octo-org/octo-repo' } };
		const run = await train(
			'802',
			{ 'model-name': 'lineage', 'model-tags': 'owner=me', comment: 'never' },
			{
				event: { name: 'pull_request', ref: 'refs/pull/7/merge', payload: { pull_request: { number: 7, head } } },
			},
		);
		site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:ref:refs/heads/main', event: 'push' });
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		const [version] = await versionsOf(client, 'lineage');
		expect(version?.tags).toEqual({
			'github.repository': 'octo-org/octo-repo',
			'github.commit': head.sha,
			'github.branch': expect.any(String),
			'github.pull_request': '7',
			'github.run_url': 'https://github.com/octo-org/octo-repo/actions/runs/802',
			job: run.outputs['job-name'],
			'metric.accuracy': '0.95',
			owner: 'me',
		});
	});

	test('of the same content of the same job is registered once', async () => {
		const first = await follow({ 'model-name': 'once' });
		const again = await follow({ 'model-name': 'once' });
		expect([first, again].map(({ code, outputs }) => [code, outputs['model-version']])).toEqual([
			[0, '1'],
			[0, '1'],
		]);
		expect(again.stdout).toContain('registered before');
		expect(await versionsOf(client, 'once')).toHaveLength(1);
	});

	test('is never written over by another run that registers at the same time', async () => {
		const names = ['803', '804'];
		const runs = await Promise.all(names.map((runId) => train(runId, { 'model-name': 'raced' })));
		expect(runs.map(({ code, stdout }) => [code, errorsOf(stdout)])).toEqual([
			[0, []],
			[0, []],
		]);
		const versions = await versionsOf(client, 'raced');
		expect(versions.map(({ version }) => version)).toEqual(['1', '2']);
		for (const { outputs } of runs) {
			const own = versions.find(({ version }) => version === outputs['model-version']);
			expect(own?.tags['job']).toBe(outputs['job-name']);
		}
	});
});

describe('a registry', () => {
	let first: ActionRun;
	let since: number;

	beforeAll(async () => {
		since = site.emulator.requests.length;
		first = await follow({ 'model-name': 'shared', registry: REGISTRY });
	});

	test('gets the version by its import operation', async () => {
		expect([first.code, errorsOf(first.stdout)]).toEqual([0, []]);
		const posted = site.requests(since).filter(({ face, method }) => face === 'registry' && method === 'POST');
		const { properties } = (await client.get('')) as { properties: { workspaceId: string } };
		expect(posted.map(({ body, status }) => [body, status])).toEqual([
			[
				{
					properties: {
						referenceType: 'Id',
						destinationName: 'shared',
						destinationVersion: '1',
						sourceAssetId: `azureml://locations/eastus/workspaces/${properties.workspaceId}/models/shared/versions/1`,
					},
				},
				202,
			],
		]);
		expect(await sharedVersion('shared', '1')).toMatchObject({ properties: { tags: { job } } });
	});

	test('is told of in the log and in the summary', () => {
		expect(shownLines(first.stdout).join('\n')).toContain(idIn(REGISTRY, 'shared', '1'));
		expect(first.summary).toContain(`Shared to the registry as \`${idIn(REGISTRY, 'shared', '1')}\``);
	});

	test('that has the version already is left as it is', async () => {
		const before = site.emulator.requests.length;
		const again = await follow({ 'model-name': 'shared', registry: REGISTRY });
		expect([again.code, errorsOf(again.stdout)]).toEqual([0, []]);
		expect(again.summary).toContain(`The registry has it already as \`${idIn(REGISTRY, 'shared', '1')}\``);
		const posted = site.requests(before).filter(({ face, method }) => face === 'registry' && method === 'POST');
		expect(posted).toEqual([]);
	});

	test('takes a version that exists as well', async () => {
		const run = await site.run({ 'model-name': 'raced', 'model-version': 'latest', registry: REGISTRY });
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		await expect(sharedVersion('raced', '2')).resolves.toMatchObject({ name: '2' });
	});

	test('that does not exist fails the run; the version stays registered', async () => {
		const run = await follow({ 'model-name': 'kept', registry: 'nowhere' });
		expect([run.code, run.outputs['model-version']]).toEqual([1, '1']);
		expect(errorsOf(run.stdout).join()).toContain('There is no Azure ML registry "nowhere"');
		expect(run.summary).toContain('❌ Azure ML: share failed');
		expect(await versionsOf(client, 'kept')).toHaveLength(1);
	});

	test('whose import is refused tells why', async () => {
		const message = 'User/tenant/subscription is not allowed to access registry';
		const restore = site.emulator.faults.add({
			face: 'registry',
			method: 'POST',
			path: /\/import/,
			effect: { status: 403, body: { error: { code: 'UserError', message } } },
		});
		const run = await follow({ 'model-name': 'kept', registry: REGISTRY });
		restore();
		expect(run.code).toBe(1);
		expect(errorsOf(run.stdout).join()).toContain(message);
	});

	test('cannot lead the token to another host', async () => {
		const stranger = await serve(() => ({ status: 200, body: {} }));
		const answer = {
			registryName: REGISTRY,
			primaryRegion: 'eastus',
			subscriptionId: site.emulator.subscriptionId,
			resourceGroup: site.emulator.resourceGroup,
			primaryRegionResourceProviderUri: `${stranger.url.replace('127.0.0.1', 'localhost')}/`,
		};
		const restore = site.emulator.faults.add({
			path: /\/discovery\?*$/,
			face: 'registry',
			effect: { status: 200, body: answer },
		});
		const run = await follow({ 'model-name': 'kept', registry: REGISTRY });
		restore();
		await stranger.close();
		expect(run.code).toBe(1);
		expect(stranger.asked).toEqual([]);
		expect(errorsOf(run.stdout).join()).toMatch(/names an address that no token is sent to: localhost/);
		expect(withoutMasks(run.stdout)).not.toContain('eyJ');
	});
});
