// What a dry run plans beyond the main job: a workspace that is not there yet, a batch endpoint, jobs that are superseded,
// gates, a registry.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ENDLESS, jobFiles } from './checkout.ts';
import { logging } from './measured.ts';
import { openSite, type Site, type SiteRequest } from './site.ts';
import { errorsOf } from './workflow-log.ts';

const temp = mkdtempSync(join(tmpdir(), 'dry-run-plans-'));
let site: Site;

beforeAll(async () => {
	site = await openSite();
});

afterAll(async () => {
	await site?.close();
	rmSync(temp, { recursive: true, force: true });
});

interface Planned {
	readonly method: string;
	readonly path: string;
	readonly body: Record<string, unknown> | null;
}

/** Plans these inputs. Throws where the run fails or changes anything. */
async function planOf(inputs: Readonly<Record<string, string>>, request: SiteRequest) {
	const since = site.emulator.requests.length;
	const env = { ...request.env, RUNNER_TEMP: temp };
	const run = await site.run({ ...inputs, 'dry-run': 'true' }, { ...request, env });
	if (run.code !== 0) throw new Error(`The dry run failed: ${errorsOf(run.stdout).join(' ')}`);
	const sent = site
		.requests(since)
		.filter(({ face, method, path }) => face === 'arm' && method !== 'GET' && !path.endsWith('/listSecrets'));
	expect(sent.map(({ line }) => line)).toEqual([]);
	const plan = JSON.parse(readFileSync(run.outputs['plan-path'] ?? '', 'utf8')) as Planned[];
	const lines = plan.map(({ method, path }) => {
		const below = path.replace(/\?.*$/, '').replace(/^.*\/workspaces\/(?:[^/]+\/(?=.))?/, '');
		return `${method} ${below.replace(/codes\/[0-9a-f-]{36}/, 'codes/<code>')}`;
	});
	return { plan, lines, summary: run.summary };
}

test('a workspace that is not there yet is planned, with all that goes into it', async () => {
	const { subscriptionId, resourceGroup } = site.emulator;
	const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers`;
	const files: Record<string, string> = {
		'assets/workspace.yml': [
			'$schema: https://azuremlschemas.azureedge.net/latest/workspace.schema.json',
			'name: new-ws',
			'location: eastus',
			`storage_account: ${group}/Microsoft.Storage/storageAccounts/s`,
			`key_vault: ${group}/Microsoft.KeyVault/vaults/k`,
		].join('\n'),
		'assets/cluster.yml': 'type: amlcompute\nname: tiny\nsize: STANDARD_DS2_v2\nmax_instances: 2\n',
		'assets/data.yml': 'name: rows\nversion: 1\ntype: uri_folder\npath: ../rows\n',
		'rows/a.csv': 'a\n',
		...jobFiles(ENDLESS),
	};
	const job = (files['job.yml'] ?? '')
		.replace('azureml:python-stdlib:1', '{image: "python:3.12"}')
		.replace('cpu-cluster', 'tiny');
	const inputs = { 'asset-files': 'assets/*.yml', workspace: 'new-ws', 'job-file': 'job.yml', 'model-name': 'm' };
	const { lines, plan } = await planOf(inputs, { files: { ...files, 'job.yml': job } });
	expect(lines.slice(0, 2)).toEqual([
		'PUT new-ws',
		expect.stringMatching(/^UPLOAD .*\/LocalUpload\/[0-9a-f]{32}\/rows$/),
	]);
	for (const made of ['computes/tiny', 'data/rows/versions/1', 'models/m/versions/1'])
		expect(lines).toContain(`PUT ${made}`);
	expect(plan[0]?.body).toMatchObject({ location: 'eastus' });
	expect(plan.find(({ path }) => path.includes('/data/'))?.body).toMatchObject({
		properties: { dataUri: expect.stringContaining('datastores/workspaceblobstore/paths/LocalUpload/') },
	});
});

test('a batch endpoint is planned up to the switch of its default deployment', async () => {
	const files = {
		...jobFiles(ENDLESS),
		'scoring/score.py': 'def run(batch): return batch',
		'endpoint.yml':
			'$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json\nname: planned-scores\n',
		'deployment.yml': [
			'endpoint_name: planned-scores',
			'type: model',
			'model: azureml:not-there:1',
			'code_configuration: {code: scoring, scoring_script: score.py}',
			'environment: azureml:python-stdlib:1',
			'compute: azureml:cpu-cluster',
			'',
		].join('\n'),
		'request.json': '{"inputData": {}}',
	};
	const inputs = {
		'job-file': 'job.yml',
		'model-name': 'factor',
		'endpoint-file': 'endpoint.yml',
		'deployment-file': 'deployment.yml',
		'smoke-test-file': 'request.json',
	};
	const { lines, plan, summary } = await planOf(inputs, { files });
	expect(lines.slice(-3)).toEqual([
		'PUT batchEndpoints/planned-scores',
		'PUT batchEndpoints/planned-scores/deployments/blue',
		'PUT batchEndpoints/planned-scores',
	]);
	expect(plan.at(-1)?.body).toMatchObject({ properties: { defaults: { deploymentName: 'blue' } } });
	expect(summary).toContain('planned-scores (default deployment blue)');
	expect(site.emulator.jobs()).toEqual([]);
});

test('a job that would be superseded is cancelled in the plan only', async () => {
	site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:pull_request', event: 'pull_request' });
	const request = (runId: string): SiteRequest => ({
		files: jobFiles(ENDLESS),
		event: {
			name: 'pull_request',
			payload: { pull_request: { number: 7, head: { repo: { full_name: 'octo-org/octo-repo' } } } },
		},
		env: { GITHUB_RUN_ID: runId },
	});
	const earlier = await site.run({ 'job-file': 'job.yml', wait: 'false' }, request('900'));
	const { lines } = await planOf({ 'job-file': 'job.yml', 'cancel-superseded': 'true' }, request('901'));
	expect(lines).toEqual([`POST jobs/${earlier.outputs['job-name']}/cancel`, expect.stringMatching(/^PUT jobs\//)]);
});

test('a job that has ended is judged, and its model planned into workspace and registry', async () => {
	const trained = await site.run(
		{ 'job-file': 'job.yml', 'job-name': 'measured' },
		{ files: jobFiles(logging({ accuracy: 0.95 })), env: { GITHUB_RUN_ID: '910' } },
	);
	expect(errorsOf(trained.stdout)).toEqual([]);
	const inputs = { 'job-name': 'measured', 'model-name': 'judged', registry: 'emulated-registry' };
	const { lines, plan, summary } = await planOf({ ...inputs, 'metric-gates': 'accuracy >= 0.9' }, {});
	expect(summary).toContain('The job passes: `accuracy >= 0.9`.');
	expect(lines).toEqual([
		'PUT models/judged/versions/1',
		expect.stringMatching(/^POST .*\/registries\/emulated-registry\/import$/),
	]);
	expect(plan[0]?.body).toMatchObject({ properties: { tags: { job: 'measured', 'metric.accuracy': '0.95' } } });
	expect(plan[1]?.body).toMatchObject({ properties: { destinationName: 'judged', destinationVersion: '1' } });
	const high = { ...inputs, 'metric-gates': 'accuracy >= 0.99' };
	await expect(planOf(high, {})).rejects.toThrow('The gate did not pass');
	expect((await planOf({ ...high, 'on-gate-failure': 'skip' }, {})).lines).toEqual([]);
});

test('the champion of a job that has not run is looked for', async () => {
	const champion = { 'job-file': 'job.yml', 'metric-gates': 'accuracy >= champion', champion: 'no-such-model:7' };
	await expect(planOf(champion, { files: jobFiles(ENDLESS) })).rejects.toThrow('no-such-model:7');
	const first = { 'job-file': 'job.yml', 'metric-gates': 'accuracy >= champion', 'model-name': 'fresh' };
	expect((await planOf(first, { files: jobFiles(ENDLESS) })).summary).toContain(
		'no other version of the model fresh yet',
	);
});
