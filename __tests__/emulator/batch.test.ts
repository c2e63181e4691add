// Batch endpoints of the emulator: their resources, the default deployment, and jobs that really score.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { Run } from '../../emulator/runs.ts';
import { at, Client, type Json, type Reply } from './client.ts';

let emulator: Emulator;
let client: Client;
/** Signed in for Azure ML itself, as jobs are started. */
let caller: Client;

const SCORE = `import os
def init():
    global factor
    factor = int(open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "weights", "factor.txt")).read())
def run(mini_batch):
    print("batch of", len(mini_batch))
    return [factor * int(open(path).read()) for path in mini_batch]
`;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 5 });
	client = await Client.signIn(emulator);
	caller = await Client.signIn(emulator, 'https://ml.azure.com');
	await client.code('scoring', { 'score.py': SCORE });
	await client.job(
		'prepare',
		`cd ${'$'}{{outputs.all}} && mkdir weights data bad && printf 6 > weights/factor.txt && printf 1 > data/a.txt && printf 7 > data/b.txt && printf 2 > data/c.txt && printf x > bad/x.txt && printf 3 > bad/y.txt`,
		{
			outputs: { all: { jobOutputType: 'uri_folder', uri: 'azureml://datastores/workspaceblobstore/paths/made/' } },
		},
	);
	expect(await client.ended('prepare')).toBe('Completed');
	const modelUri = 'azureml://jobs/prepare/outputs/all/paths/weights';
	const put = await client.arm('PUT', '/models/factor/versions/1', {
		properties: { modelType: 'custom_model', modelUri },
	});
	expect(put.status).toBe(201);
	await client.operation(await endpoint());
	await client.operation(await deployment('blue'));
});
afterAll(() => emulator.stop());

function endpoint(defaults: Json = {}, name = 'scores'): Promise<Reply> {
	const properties = { authMode: 'aadToken', description: 'd', properties: { p: '1' }, defaults };
	return client.arm('PUT', `/batchEndpoints/${name}`, { location: 'eastus', tags: { t: '1' }, properties });
}

function deployment(name: string, more: Json = {}): Promise<Reply> {
	return client.arm('PUT', `/batchEndpoints/scores/deployments/${name}`, {
		location: 'eastus',
		properties: {
			model: { referenceType: 'Id', assetId: `${client.workspace}/models/factor/versions/1` },
			codeConfiguration: { codeId: `${client.workspace}/codes/scoring/versions/1`, scoringScript: 'score.py' },
			environmentId: `${client.workspace}/environments/python-stdlib/versions/1`,
			compute: `${client.workspace}/computes/cpu-cluster`,
			miniBatchSize: 2,
			loggingLevel: 'info',
			...more,
		},
	});
}

async function invoke(folder: string, headers: Record<string, string> = {}, more: Json = {}): Promise<Reply> {
	const uri = `azureml://datastores/workspaceblobstore/paths/made/${folder}`;
	const inputData = { UriFolder: { jobInputType: 'UriFolder', uri } };
	return caller.send('POST', `${emulator.arm}/batch/scores/jobs`, { properties: { inputData, ...more } }, headers);
}

/** The run of the step that scores. */
function scoringStep(first: Reply): Run {
	const runs = emulator.runs().filter(({ parentRunId }) => parentRunId === first.body['name']);
	expect(runs.map(({ properties }) => properties['azureml.moduleName'])).toEqual(['batchscoring']);
	return runs[0] as Run;
}

async function scored(first: Reply): Promise<{ status: string; rows: string[] }> {
	const status = await client.ended(String(first.body['name']));
	return { status, rows: await rowsAt(`azureml/${scoringStep(first).runId}/score/predictions.csv`) };
}

async function rowsAt(path: string): Promise<string[]> {
	const blob = (await emulator.blobs()).find(({ name }) => name === path);
	const content = blob && (await emulator.readBlob(blob.container, blob.name));
	return content?.toString().trim().split('\n') ?? [];
}

function file(stores: string, path: string): Json {
	return { jobOutputType: 'UriFile', uri: `${stores}workspaceblobstore/paths/${path}` };
}

const refusal = (reply: Reply): unknown => [reply.status, at(reply.body, 'error', 'message')];

describe('the resources', () => {
	test('are made as the service makes them: 201, an operation, then a scoring address', async () => {
		const put = await endpoint({}, 'fresh');
		expect([put.status, at(put.body, 'properties', 'provisioningState')]).toEqual([201, 'Creating']);
		expect(at(put.body, 'properties')).toMatchObject({
			scoringUri: null,
			authMode: 'AADToken',
			defaults: { deploymentName: null },
		});
		expect(put.headers.get('azure-asyncoperation')).toContain('/mfeOperationsStatus/bebes:');
		expect((await client.operation(put)).body['status']).toBe('Succeeded');
		const { body } = await client.arm('GET', '/batchEndpoints/fresh');
		expect(at(body, 'properties')).toMatchObject({
			provisioningState: 'Succeeded',
			scoringUri: `${emulator.arm}/batch/fresh/jobs`,
		});
		const removed = await client.arm('DELETE', '/batchEndpoints/fresh');
		expect([removed.status, removed.text]).toEqual([202, 'null']);
		await client.operation(removed);
		const gone = await client.arm('GET', '/batchEndpoints/fresh');
		expect([gone.status, at(gone.body, 'error', 'details', 0, 'code')]).toEqual([404, 'NoSuchEndpoint']);
		expect((await client.arm('DELETE', '/batchEndpoints/fresh')).status).toBe(204);
	});

	test('fill in what a deployment leaves open', async () => {
		const { body } = await client.arm('GET', '/batchEndpoints/scores/deployments/blue');
		expect(body['properties']).toMatchObject({
			provisioningState: 'Succeeded',
			loggingLevel: 'Info',
			errorThreshold: -1,
			retrySettings: { maxRetries: 3, timeout: 'PT30S' },
			outputFileName: 'predictions.csv',
		});
		const list = await client.arm('GET', '/batchEndpoints/scores/deployments');
		expect(at(list.body, 'value', 0, 'name')).toBe('blue');
	});

	test.each([
		[{ model: 'text' }, 400],
		[{ compute: 'nowhere' }, 400],
		[{ codeConfiguration: { codeId: 'x' } }, 400],
	])('refuse a deployment with %j', async (more, status) => {
		expect((await deployment('odd', more)).status).toBe(status);
	});

	test('refuse a default deployment that does not exist', async () => {
		expect(refusal(await endpoint({ deploymentName: 'none' }))).toEqual([400, expect.stringContaining('none')]);
	});

	test('are changed one at a time', async () => {
		// A change takes a few milliseconds, and on a slow machine two requests may lie further apart than that.
		await client.until(
			async () => {
				const both = await Promise.all([deployment('busy'), deployment('busy')]);
				for (const { status } of both) expect([200, 201, 409]).toContain(status);
				const [taken, other] = both.toSorted((one, two) => one.status - two.status);
				if (taken === undefined || other === undefined) throw new Error('there were no answers');
				await client.operation(taken);
				return other;
			},
			({ status }) => status === 409,
		);
		await client.operation(await client.arm('DELETE', '/batchEndpoints/scores/deployments/busy'));
	});

	test('keep the default deployment from being deleted', async () => {
		await client.operation(await endpoint({ deploymentName: 'blue' }));
		expect((await client.arm('DELETE', '/batchEndpoints/scores/deployments/blue')).status).toBe(400);
		await client.operation(await endpoint());
	});
});

describe('a job', () => {
	const blue = { 'azureml-model-deployment': 'blue' };

	test('feeds the scoring script with mini-batches and leaves the scores in its output', async () => {
		const first = await invoke('data', blue);
		expect([first.status, at(first.body, 'properties', 'status')]).toEqual([201, 'Preparing']);
		expect(String(first.body['name'])).toMatch(/^batchjob-/);
		expect(await scored(first)).toEqual({ status: 'Completed', rows: ['6', '42', '12'] });
		const log = (await emulator.blobs()).find(
			({ name }) => name.includes(scoringStep(first).runId) && name.endsWith('std_log.txt'),
		);
		const text = String(log && (await emulator.readBlob(log.container, log.name)));
		expect(text.match(/batch of \d/g)).toEqual(['batch of 2', 'batch of 1']);
	});

	test('is a pipeline, and hands up the scores of its one step', async () => {
		const first = await invoke('data', blue);
		const name = String(first.body['name']);
		await client.ended(name);
		const { body } = await client.arm('GET', `/jobs/${name}`);
		expect(body['properties']).toMatchObject({
			jobType: 'Pipeline',
			experimentName: 'scores',
			tags: { 'azureml.batchrun': 'true', 'azureml.jobtype': 'azureml.batchjob', 'azureml.deploymentname': 'blue' },
		});
		const parent = emulator.runs().find(({ runId }) => runId === name);
		expect(parent?.outputs['score']).toEqual(scoringStep(first).outputs['score']);
		const components = await client.arm('GET', '/components');
		expect(JSON.stringify(components.body)).not.toContain('batchscoring');
	});

	test.each([
		[
			{ outputDataset: { datastoreId: 'azureml:workspaceblobstore', path: '/own/folder/' }, outputFileName: 's.csv' },
			'own/folder/s.csv',
		],
		[{ outputData: { any: file('azureml://datastores/', 'own/it is here.txt') } }, 'own/it is here.txt'],
		[
			{
				outputData: {
					any: file(
						'azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/',
						'own/by-id',
					),
				},
			},
			'own/by-id',
		],
	])('puts the scores where the request says: %j', async (more, path) => {
		const first = await invoke('data', blue, more);
		expect(await client.ended(String(first.body['name']))).toBe('Completed');
		expect(await rowsAt(path)).toEqual(['6', '42', '12']);
	});

	test('scores again what was scored before', async () => {
		await scored(await invoke('data', blue));
		const again = await invoke('data', blue);
		await client.ended(String(again.body['name']));
		expect(scoringStep(again).properties['azureml.isreused']).toBeUndefined();
	});

	test('that gives a summary only leaves what the script has written', async () => {
		const write =
			'open(os.path.join(os.environ["AZUREML_BI_OUTPUT_PATH"], "sum.txt"), "a").write(str(len(mini_batch)))';
		const codeId = await client.code('own', {
			'own.py': `import os\ndef init(): pass\ndef run(mini_batch):\n    ${write}\n    return mini_batch\n`,
		});
		const own = { outputAction: 'SummaryOnly', codeConfiguration: { codeId, scoringScript: 'own.py' } };
		await client.operation(await deployment('own', own));
		const first = await invoke('data', { 'azureml-model-deployment': 'own' });
		expect(await scored(first)).toEqual({ status: 'Completed', rows: [] });
		expect(await rowsAt(`azureml/${scoringStep(first).runId}/score/sum.txt`)).toEqual(['21']);
	});

	test('goes on after files that fail, and fails beyond the error threshold', async () => {
		const lenient = await invoke('bad', blue, { miniBatchSize: 1, retrySettings: { maxRetries: 0 } });
		expect(await scored(lenient)).toEqual({ status: 'Completed', rows: ['18'] });
		const strict = await invoke('bad', blue, { miniBatchSize: 1, retrySettings: { maxRetries: 0 }, errorThreshold: 0 });
		expect((await scored(strict)).status).toBe('Failed');
	});

	test('goes to the default deployment where the request names none', async () => {
		expect(refusal(await invoke('data'))).toEqual([400, expect.stringContaining('no default deployment')]);
		await client.operation(await endpoint({ deploymentName: 'blue' }));
		expect((await scored(await invoke('data'))).status).toBe('Completed');
		await client.operation(await endpoint());
	});

	test('is started by a token for Azure ML only', async () => {
		expect((await client.send('POST', `${emulator.arm}/batch/scores/jobs`, { properties: {} })).status).toBe(401);
	});

	test.each([
		[{ inputData: {} }, 'no input of data'],
		[{ inputData: { a: { jobInputType: 'Folder', uri: 'x' } } }, 'jobInputType'],
		[{ outputDataset: { path: 'x' } }, 'datastoreId'],
		[{ outputData: { score: { jobOutputType: 'Text', uri: 'x' } } }, 'jobOutputType'],
		[{ outputData: { score: { jobOutputType: 'UriFolder', uri: 'x' } } }, "must be 'uri_file'"],
		[{ outputData: { one: { jobOutputType: 'UriFile' }, two: { jobOutputType: 'UriFile' } } }, 'one output'],
	])('is refused for %j', async (more, message) => {
		expect(refusal(await invoke('data', blue, more))).toEqual([400, expect.stringContaining(message)]);
	});

	test('of a model without a scoring script is refused, not pretended', async () => {
		await client.operation(await deployment('bare', { codeConfiguration: null }));
		expect(refusal(await invoke('data', { 'azureml-model-deployment': 'bare' }))).toEqual([
			400,
			expect.stringContaining('neither'),
		]);
	});
});

describe('a job of a pipeline component', () => {
	test.each([
		['true', 'Completed'],
		['false', 'Failed'],
	])('runs its step, which says %s and makes it %s', async (word, status) => {
		const spec = (name: string, more: Json): Promise<Reply> =>
			client.arm('PUT', `/components/${name}/versions/1`, {
				properties: { componentSpec: { name, version: '1', inputs: { word: { type: 'string' } }, ...more } },
			});
		const environment = `azureml:${client.workspace}/environments/python-stdlib/versions/1`;
		expect((await spec('say', { type: 'command', command: '${{inputs.word}}', environment })).status).toBeLessThan(202);
		const jobs = {
			one: {
				type: 'command',
				componentId: `azureml:${client.workspace}/components/say/versions/1`,
				inputs: { word: { job_input_type: 'literal', value: '${{parent.inputs.word}}' } },
			},
		};
		expect((await spec('steps', { type: 'pipeline', outputs: {}, jobs })).status).toBeLessThan(202);
		const componentId = { referenceType: 'Id', assetId: `${client.workspace}/components/steps/versions/1` };
		const put = await client.arm('PUT', '/batchEndpoints/scores/deployments/pipe', {
			location: 'eastus',
			properties: {
				deploymentConfiguration: {
					deploymentConfigurationType: 'PipelineComponent',
					componentId,
					settings: { default_compute: 'cpu-cluster' },
				},
			},
		});
		expect(put.status).toBeLessThan(202);
		await client.operation(put);
		const body = { properties: { inputData: { word: { jobInputType: 'Literal', value: word } } } };
		const headers = { 'azureml-model-deployment': 'pipe' };
		const started = await caller.send('POST', `${emulator.arm}/batch/scores/jobs`, body, headers);
		expect(await client.ended(String(started.body['name']))).toBe(status);
	});
});
