// Batch endpoints from end to end: a trained model is deployed beside what serves, scores as its test, and becomes the
// default deployment; one that scores badly leaves everything as it was.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AzureClient, openClient } from './azure-client.ts';
import { jobFiles, printing } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { errorsOf } from './workflow-log.ts';

const GOOD = [
	'import glob, os',
	'def init():',
	'    global model',
	"    [path] = glob.glob(os.environ['AZUREML_MODEL_DIR'] + '/*/model.txt')",
	'    model = open(path).read()',
	'def run(mini_batch):',
	'    return [model + open(path).read() for path in mini_batch]',
];
const BAD = [...GOOD.slice(0, -1), "    raise ValueError('no such column')"];

let site: Site;
let client: AzureClient;
let runs: Awaited<ReturnType<typeof runAll>>;

beforeAll(async () => {
	site = await openSite();
	client = await openClient(site.emulator);
	runs = await runAll();
}, 180_000);
afterAll(() => site?.close());

function files(script: readonly string[], settings = ''): Record<string, string> {
	const { subscriptionId, resourceGroup, workspace } = site.emulator;
	const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`;
	const uri = `${id}/data/numbers/versions/1`;
	return {
		...jobFiles(printing([])),
		'numbers/a.txt': '1',
		'data.yml': 'name: numbers\nversion: "1"\ntype: uri_folder\npath: numbers\n',
		'scoring/score.py': script.join('\n'),
		'endpoint.yml':
			'$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json\nname: scores\ntags: {team: a}\n',
		'deployment.yml': [
			'endpoint_name: scores',
			'type: model',
			'model: azureml:not-there:1',
			'code_configuration: {code: scoring, scoring_script: score.py}',
			'environment: azureml:python-stdlib:1',
			'compute: azureml:cpu-cluster',
			settings,
			'',
		].join('\n'),
		'request.json': JSON.stringify({ inputData: { data: { jobInputType: 'UriFolder', uri } } }),
	};
}

const DEPLOY = { 'endpoint-file': 'endpoint.yml', 'deployment-file': 'deployment.yml', 'model-name': 'factor' };

/** One after the other: each builds upon what the one before has left. */
async function runAll() {
	const train = { 'job-file': 'job.yml', 'asset-files': 'data.yml', 'smoke-test-file': 'request.json' };
	const first = await site.run({ ...DEPLOY, ...train }, { files: files(GOOD) });
	const version = { ...DEPLOY, 'model-version': '1' };
	const strict = files(BAD, 'error_threshold: 0\nretry_settings: {max_retries: 0}');
	const failed = await site.run({ ...version, 'smoke-test-file': 'request.json' }, { files: strict });
	const afterFailure = await stateOf();
	const slow = files([
		...GOOD.slice(0, -1),
		"    print('scoring', flush=True)",
		'    import time',
		'    time.sleep(300)',
	]);
	const cancelled = await site.run(
		{ ...version, 'smoke-test-file': 'request.json' },
		{ files: slow, cancel: { when: (log) => /batchjob-\S+: Running/.test(log) } },
	);
	const afterCancel = await settled();
	const dark = await site.run({ ...version, traffic: '0' }, { files: files(GOOD) });
	const afterDark = await stateOf();
	const since = site.requests().length;
	const wrong = await site.run({ ...version, traffic: '10,100' }, { files: files(GOOD) });
	const sent = site.requests(since).length;
	const removed = await site.run({ 'endpoint-name': 'scores', 'delete-endpoint': 'true' });
	return { first, failed, afterFailure, cancelled, afterCancel, dark, afterDark, wrong, sent, removed };
}

/** The state once the service has done all that it was asked to. */
async function settled(): ReturnType<typeof stateOf> {
	await site.emulator.settled();
	return stateOf();
}

async function stateOf(): Promise<{ serves: unknown; deployments: unknown[] }> {
	const endpoint = await client.get('/batchEndpoints/scores');
	const list = await client.get('/batchEndpoints/scores/deployments');
	const value = (list as { value: { name: string }[] }).value;
	const { properties } = endpoint as { properties: { defaults: { deploymentName: unknown } } };
	return { serves: properties.defaults.deploymentName, deployments: value.map(({ name }) => name) };
}

const ended = ({ code, stdout }: ActionRun): unknown => [code, errorsOf(stdout)];

describe('a model that was trained', () => {
	test('is deployed, scores, and is made the default deployment', () => {
		expect(ended(runs.first)).toEqual([0, []]);
		expect(runs.first.outputs).toMatchObject({
			'endpoint-name': 'scores',
			'deployment-name': 'blue',
			'scoring-uri': `${site.emulator.arm}/batch/scores/jobs`,
			'rolled-back': 'false',
		});
		expect(runs.first.summary).toMatch(/Default deployment: `blue` \(before: none\)/);
	});

	test('had its scores made by a job that really ran', async () => {
		const [job = '?'] = /batchjob-[-\w]+/.exec(runs.first.summary) ?? [];
		const step = site.emulator.runs().find(({ parentRunId }) => parentRunId === job)?.runId;
		const blobs = await site.emulator.blobs();
		const scores = blobs.find(({ name }) => name === `azureml/${step}/score/predictions.csv`);
		expect(String(scores && (await site.emulator.readBlob(scores.container, scores.name))).trim()).toBe('421');
	});
});

describe('a deployment whose scoring job fails', () => {
	test('fails the run and leaves what serves as it was', () => {
		expect(runs.failed.code).toBe(1);
		expect(runs.failed.outputs['rolled-back']).toBe('true');
		expect(runs.afterFailure).toEqual({ serves: 'blue', deployments: ['blue'] });
	});

	test('is told with its job and what was done', () => {
		expect(runs.failed.summary).toMatch(/"green" on the batch endpoint "scores" failed: the scoring job batchjob-/);
		expect(runs.failed.summary).toMatch(/The default deployment was not touched \(blue\)\..*was deleted/);
		expect(runs.failed.stdout).toContain('no such column');
	});
});

test('a cancelled run takes its scoring job and its deployment along', async () => {
	expect(runs.cancelled.code).not.toBe(0);
	expect(runs.afterCancel).toEqual({ serves: 'blue', deployments: ['blue'] });
	const [job = ''] = /batchjob-[-\w]+/.exec(runs.cancelled.stdout) ?? [];
	expect(site.emulator.jobs().find(({ name }) => name === job)?.status).toBe('Canceled');
	expect(runs.cancelled.outputs['rolled-back']).toBe('true');
});

test('traffic 0 deploys beside what serves and switches nothing', () => {
	expect(ended(runs.dark)).toEqual([0, []]);
	expect(runs.afterDark).toEqual({ serves: 'blue', deployments: ['blue', 'green'] });
	expect(runs.dark.summary).toMatch(/Default deployment: `blue`, as before/);
});

test('traffic in steps is an input error, and nothing is sent', () => {
	expect(runs.wrong.code).toBe(1);
	expect(errorsOf(runs.wrong.stdout).join()).toMatch(/traffic: a batch endpoint has no shares/);
	expect(runs.sent).toBe(0);
});

test('delete-endpoint finds a batch endpoint too', async () => {
	expect(ended(runs.removed)).toEqual([0, []]);
	expect(site.requests().filter(({ line }) => line === 'DELETE batchEndpoints/scores')).toHaveLength(1);
});
