import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { at, Client, type Json } from './client.ts';

let emulator: Emulator;
let client: Client;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 5 });
	client = await Client.signIn(emulator);
});
afterAll(() => emulator.stop());
afterEach(() => emulator.faults.clear());

const details = (job: string) => client.data('GET', 'history/v1.0', `/runs/${job}/details`);

/** Waits until a job's command runs, then gives the answer of run history. */
const running = (job: string) =>
	client.until(
		() => details(job),
		({ body }) => body['status'] === 'Running',
	);

async function log(job: string): Promise<string> {
	const url = String(at((await details(job)).body, 'logFiles', 'user_logs/std_log.txt'));
	return await (await fetch(url, { headers: { Connection: 'close' } })).text();
}

describe('a command job', () => {
	test('runs with code and inputs, keeps log and outputs, and registers what it made', async () => {
		const codeId = await client.code('train', { 'train.sh': 'echo "epochs=$1"; echo weights > "$2/weights.txt"\n' });
		const put = await client.job('trained', `sh train.sh ${'$'}{{inputs.epochs}} ${'$'}{{outputs.model}}`, {
			codeId,
			experimentName: 'digits',
			inputs: { epochs: { jobInputType: 'literal', value: '3' } },
			outputs: { model: { jobOutputType: 'custom_model', assetName: 'digits-model' } },
		});
		expect(put.status).toBe(201);
		expect(put.headers.get('location')).toContain('/jobs/trained?');
		expect(put.headers.get('azure-asyncoperation')).toBeNull();
		expect(put.body['properties']).toMatchObject({
			status: 'Starting',
			resources: { instanceCount: 1, shmSize: '2g' },
			services: { Tracking: { endpoint: expect.stringMatching(/^azureml:\/\//) }, Studio: {} },
			outputs: { default: { uri: 'azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.trained' } },
		});
		expect(await client.ended('trained')).toBe('Completed');
		expect(await log('trained')).toBe('epochs=3\n');
		const model = await client.arm('GET', '/models/digits-model/versions/1');
		expect(model.body['properties']).toMatchObject({ modelType: 'custom_model', jobName: 'trained' });
		const data = await client.data('POST', 'history/v1.0', '/rundata', { runId: 'trained' });
		expect(at(data.body, 'runMetadata', 'outputs', 'model', 'type')).toBe('CustomModel');
	});

	test('puts its own model from a job URI, known by the job', async () => {
		const put = await client.arm('PUT', '/models/from-job/versions/1', {
			properties: { modelType: 'custom_model', modelUri: 'azureml://jobs/trained/outputs/model/paths/weights.txt' },
		});
		expect(put.status).toBe(201);
		expect(put.body['properties']).toMatchObject({
			jobName: 'trained',
			modelUri: expect.stringMatching(
				/\/datastores\/workspaceblobstore\/paths\/azureml\/trained\/model\/weights\.txt$/,
			),
		});
	});

	test('gives an mlflow_model, whose flavors are read as texts', async () => {
		const mlmodel = 'flavors:\n  sklearn:\n    sklearn_version: 1.10\n    code: null\n';
		await client.job('mlflow', `mkdir -p outputs/m && printf '${mlmodel.replaceAll('\n', '\\n')}' > outputs/m/MLmodel`);
		expect(await client.ended('mlflow')).toBe('Completed');
		const modelUri = 'azureml://jobs/mlflow/outputs/artifacts/paths/outputs/m';
		const put = await client.arm('PUT', '/models/flavored/versions/1', {
			properties: { modelType: 'mlflow_model', modelUri },
		});
		expect(at(put.body, 'properties', 'flavors')).toEqual({ sklearn: { data: { sklearn_version: '1.10' } } });
		const again = await client.arm('PUT', '/models/flavored/versions/1', {
			properties: { modelUri, tags: { a: 'b' } },
		});
		expect([again.status, at(again.body, 'properties', 'tags')]).toEqual([200, { a: 'b' }]);
	});

	test('fails with the end of its log, and the ARM resource has no word about it', async () => {
		await client.job('broken', 'echo no $((6 * 7)) data >&2; exit 3');
		expect(await client.ended('broken')).toBe('Failed');
		const { body } = await details('broken');
		expect(at(body, 'error', 'error')).toMatchObject({
			code: 'UserError',
			message: expect.stringContaining('no 42 data'),
		});
		expect((await client.arm('GET', '/jobs/broken')).text).not.toContain('no 42 data');
	});

	test('signs its log anew in each answer', async () => {
		const url = async () => new URL(String(at((await details('trained')).body, 'logFiles', 'user_logs/std_log.txt')));
		const one = await url();
		expect(one.searchParams.get('sp')).toBe('r');
		expect(one.searchParams.get('sig')).not.toBeNull();
		const open = await fetch(one.origin + one.pathname, { headers: { Connection: 'close' } });
		expect(open.status).toBe(403);
		await open.text();
	});

	test('shows its log while it runs, and is cancelled as an operation', async () => {
		await client.job('long', 'echo begun; sleep 60');
		await running('long');
		await client.until(
			() => details('long'),
			({ body }) => 'user_logs/std_log.txt' in (body['logFiles'] as Json),
		);
		// The file is there a moment before what is in it.
		let text = await log('long');
		while (text === '') text = await log('long');
		expect(text).toBe('begun\n');
		const cancel = await client.arm('POST', '/jobs/long/cancel');
		expect([cancel.status, cancel.text]).toEqual([202, 'null']);
		const location = cancel.headers.get('location') ?? '';
		expect(location).toMatch(/\/mfeOperationResults\/jc:[^:]+:long\?/);
		const polled: number[] = [];
		await client.until(
			() => client.send('GET', location),
			({ status, text }) => {
				polled.push(status);
				return status !== 202 || text !== '{}';
			},
		);
		expect(polled.at(-1)).toBe(200);
		expect(await client.ended('long')).toBe('Canceled');
		expect((await client.arm('POST', '/jobs/long/cancel')).status).toBe(200);
	});

	test('is not started twice by a second PUT, which changes its words only', async () => {
		await client.job('once', 'echo once');
		await client.ended('once');
		const again = await client.job('once', 'echo twice', { tags: { seen: 'again' }, displayName: 'Once more' });
		expect(again.status).toBe(200);
		expect(again.body['properties']).toMatchObject({
			status: 'Completed',
			command: 'echo once',
			displayName: 'Once more',
		});
		expect(await log('once')).toBe('once\n');
	});

	test('with an input on an unknown datastore is accepted, and fails', async () => {
		const uri = 'azureml://datastores/nowhere/paths/x';
		const put = await client.job('lost', 'true', { inputs: { a: { jobInputType: 'uri_folder', uri } } });
		expect(put.status).toBe(201);
		expect(await client.ended('lost')).toBe('Failed');
		expect(at((await details('lost')).body, 'error', 'error', 'message')).toContain('datastore nowhere');
	});

	test('is deleted', async () => {
		expect((await client.arm('DELETE', '/jobs/lost')).status).toBe(200);
		expect((await client.arm('DELETE', '/jobs/lost')).status).toBe(204);
		expect((await details('lost')).status).toBe(404);
		expect((await emulator.blobs()).filter((blob) => blob.name.includes('dcid.lost'))).toEqual([]);
	});
});

describe('jobs', () => {
	test('of other types are accepted and fail with a reason', async () => {
		const body = { jobType: 'Spark', codeId: 'c', entry: { sparkJobEntryType: 'SparkJobPythonEntry', file: 'a.py' } };
		const spark = await client.arm('PUT', '/jobs/spark', { properties: body });
		expect([spark.status, at(spark.body, 'properties', 'status')]).toEqual([201, 'NotStarted']);
		expect(await client.ended('spark')).toBe('Failed');
		expect(at((await details('spark')).body, 'error', 'error', 'message')).toContain('Spark are not emulated');
	});

	test('of the kind pipeline are not cancelled any more when they are over', async () => {
		const put = await client.arm('PUT', '/jobs/pipe', { properties: { jobType: 'Pipeline', jobs: {}, settings: {} } });
		expect([put.status, at(put.body, 'properties', 'status')]).toEqual([201, 'Preparing']);
		expect(await client.ended('pipe')).toBe('Completed');
		const cancel = await client.arm('POST', '/jobs/pipe/cancel');
		expect([cancel.status, at(cancel.body, 'error', 'message')]).toEqual([
			400,
			expect.stringContaining("is in terminal status, it can't be canceled"),
		]);
	});

	test('are listed page by page, newest first, and by tag', async () => {
		const put = (index: number) =>
			client.arm('PUT', `/jobs/page-${index}`, {
				properties: { jobType: 'Pipeline', tags: { batch: index < 2 ? 'first' : 'rest' } },
			});
		for (let index = 0; index < 12; index++) await put(index);
		const names: unknown[] = [];
		let page = await client.arm('GET', '/jobs?tag=batch');
		expect((page.body['value'] as Json[]).length).toBe(10);
		for (;;) {
			names.push(...(page.body['value'] as Json[]).map((job) => job['name']));
			const next = page.body['nextLink'];
			if (typeof next !== 'string') break;
			expect(new URL(next).origin).toBe(emulator.arm);
			page = await client.send('GET', next);
		}
		expect(names).toEqual(Array.from({ length: 12 }, (_, index) => `page-${11 - index}`));
		const first = await client.arm('GET', '/jobs?tag=batch%3Dfirst');
		expect((first.body['value'] as Json[]).map((job) => job['name'])).toEqual(['page-1', 'page-0']);
	});
});

describe('the data plane', () => {
	test('is found by discovery, which asks for no token', async () => {
		const workspace = await client.arm('GET', '');
		const answer = await fetch(String(at(workspace.body, 'properties', 'discoveryUrl')), {
			headers: { Connection: 'close' },
		});
		expect(await answer.json()).toMatchObject({ api: emulator.arm, history: emulator.arm });
	});

	test('has no run that was never made', async () => {
		const reply = await details('never');
		expect([reply.status, at(reply.body, 'error', 'innerError', 'innerError', 'code')]).toEqual([404, 'RunNotFound']);
	});

	test('changes the words about a run, and archives its job', async () => {
		await client.job('worded', 'true', { experimentName: 'words', tags: { first: '1' }, displayName: 'Before' });
		await client.ended('worded');
		const modify = (body: Json) => client.data('PATCH', 'history/v1.0', '/experiments/words/runs/worded', body);
		const words = { displayName: 'After', description: 'told', tags: { second: '2' }, properties: { third: '3' } };
		expect((await modify(words)).body).toMatchObject({ displayName: 'After', tags: { first: '1', second: '2' } });
		const { body } = await client.arm('GET', '/jobs/worded');
		expect(body['properties']).toMatchObject({
			displayName: 'After',
			description: 'told',
			tags: { first: '1', second: '2' },
			properties: { third: '3' },
			isArchived: false,
		});
		const isListed = async () => (await client.arm('GET', '/jobs')).text.includes('worded');
		await modify({ hidden: true });
		expect(await isListed()).toBe(false);
		await modify({ hidden: false });
		expect(await isListed()).toBe(true);
	});

	test('gives the metrics that a job logs, and its artifacts by prefix', async () => {
		const script = `mkdir -p outputs/model && echo m > outputs/model/MLmodel && python3 - <<'END'
import json, os, urllib.request
def log(step, value):
    body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "loss", "value": value, "timestamp": 1700000000000, "step": step}
    url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}))
log(0, 0.5)
log(1, 0.25)
END`;
		await client.job('logged', script, { experimentName: 'digits' });
		expect(await client.ended('logged')).toBe('Completed');
		const list = await client.data('POST', 'metric/v2.0', '/runs/logged/list', {});
		expect(at(list.body, 'value', 0, 'columns')).toEqual({ loss: 'Double' });
		const full = await client.data('POST', 'metric/v2.0', '/runs/logged/full', { metricName: 'loss' });
		expect((full.body['value'] as Json[]).map((one) => [one['step'], one['data']])).toEqual([
			[0, { loss: 0.5 }],
			[1, { loss: 0.25 }],
		]);
		const run = await client.data('GET', 'mlflow/v1.0', '/api/2.0/mlflow/runs/get?run_id=logged');
		expect(at(run.body, 'run', 'data', 'metrics', 0)).toMatchObject({ key: 'loss', value: 0.25, step: 1 });
		const path = '/experiments/digits/runs/logged/artifacts/prefix/contentinfo?path=outputs/model';
		const infos = await client.data('GET', 'history/v1.0', path);
		expect((infos.body['value'] as Json[]).map((one) => one['path'])).toEqual(['outputs/model/MLmodel']);
		const content = await fetch(String(at(infos.body, 'value', 0, 'contentUri')), { headers: { Connection: 'close' } });
		expect(await content.text()).toBe('m\n');
		const ids = Object.values(at((await details('logged')).body, 'outputs') as Json).map((one) => at(one, 'assetId'));
		const uris = await client.data('POST', 'data/v1.0', '/dataversion/batchGetResolvedUris', { values: ids });
		expect(at(uris.body, 'values', String(ids[0]))).toMatchObject({
			uri: expect.stringContaining('/datastores/workspaceartifactstore/paths/ExperimentRun/dcid.logged'),
			type: 'UriFolder',
		});
	});
});

describe('planted faults', () => {
	test('answer the n-th request that matches, and those after it as told', async () => {
		const body = { error: { code: 'UserError', message: 'Retry again after 20 seconds.' } };
		emulator.faults.add({ method: 'GET', path: /\/jobs\/once/, nth: 2, times: 2, effect: { status: 429, body } });
		const statuses = [];
		for (let turn = 0; turn < 4; turn++) statuses.push((await client.arm('GET', '/jobs/once')).status);
		expect(statuses).toEqual([200, 429, 429, 200]);
	});

	test('reset connections, of storage too', async () => {
		emulator.faults.add({ face: 'storage', path: /std_log/, nth: 1, effect: 'reset' });
		await expect(log('once')).rejects.toThrow();
		expect(await log('once')).toBe('once\n');
	});

	test('lose an answer once its request is done', async () => {
		emulator.faults.add({ method: 'PUT', path: /\/jobs\/unheard/, nth: 1, effect: 'lost' });
		await expect(client.job('unheard', 'echo x')).rejects.toThrow();
		expect((await client.arm('GET', '/jobs/unheard')).status).toBe(200);
	});

	test('cut an answer after so many bytes, of storage too', async () => {
		emulator.faults.add({ path: /\/jobs\/once|std_log/, nth: 1, effect: { cutAnswer: 3 } });
		await expect(client.arm('GET', '/jobs/once')).rejects.toThrow();
		emulator.faults.add({ face: 'storage', path: /std_log/, nth: 1, effect: { cutAnswer: 3 } });
		await expect(log('once')).rejects.toThrow();
		expect(await log('once')).toBe('once\n');
	});

	test('cut a request to storage after so many bytes', async () => {
		emulator.faults.add({ face: 'storage', method: 'PUT', path: /cut\.txt/, nth: 1, effect: { cutRequest: 4 } });
		await expect(client.code('cut-off', { 'cut.txt': 'some content' })).rejects.toThrow();
		expect((await emulator.blobs()).filter(({ name }) => name.endsWith('cut.txt'))).toEqual([]);
	});

	test('can be taken away, and only delay where they say so', async () => {
		const remove = emulator.faults.add({
			face: 'arm',
			path: /./,
			effect: { status: 503, headers: { 'Retry-After': '1' } },
		});
		const refused = await client.arm('GET', '/jobs/once');
		expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
		remove();
		emulator.faults.add({ path: /once/, effect: { delayMs: 1 } });
		expect((await client.arm('GET', '/jobs/once')).status).toBe(200);
	});
});
