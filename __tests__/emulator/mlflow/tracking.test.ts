import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startTrackingServer, type TrackingServer } from './tracking-server.ts';

let server: TrackingServer;
let base: string;
let now: number;

beforeEach(async () => {
	now = 1_000;
	server = await startTrackingServer(() => now);
	server.runs.create({ runId: 'job_1', experimentName: 'iris', status: 'Running', tags: { team: 'a' } });
	base = server.origin + server.keys.issue('job_1');
});

afterEach(() => server.close());

type Answer = Record<string, unknown>;

async function post(route: string, body: unknown): Promise<Answer> {
	const response = await fetch(`${base}/api/2.0/mlflow/${route}`, { method: 'POST', body: JSON.stringify(body) });
	return { status: response.status, ...((await response.json()) as Answer) };
}

async function get(route: string, query: Record<string, string> | string = {}): Promise<Answer> {
	const response = await fetch(`${base}/api/2.0/mlflow/${route}?${new URLSearchParams(query)}`);
	return { status: response.status, ...((await response.json()) as Answer) };
}

describe('what a run logs', () => {
	test('comes back as the newest value of each metric, with parameters and tags', async () => {
		const metrics = [
			{ key: 'loss', value: 0.5, timestamp: 1, step: 0 },
			{ key: 'loss', value: 'NaN', timestamp: '3', step: '2' },
			{ key: 'loss', value: 0.25, timestamp: 2, step: 1 },
		];
		await post('runs/log-batch', { run_id: 'job_1', metrics, params: [{ key: 'lr', value: '0.1' }] });
		await post('runs/log-metric', { run_id: 'job_1', key: 'acc', value: '-Infinity', timestamp: '4' });
		await post('runs/set-tag', { run_id: 'job_1', key: 'colour', value: 'blue' });
		const answer = await get('runs/get', { run_id: 'job_1' });
		expect(answer).toMatchObject({
			status: 200,
			run: {
				info: { run_id: 'job_1', status: 'RUNNING', lifecycle_stage: 'active', start_time: 1000 },
				data: {
					metrics: [
						{ key: 'loss', value: 'NaN', timestamp: 3, step: 2 },
						{ key: 'acc', value: '-Infinity', timestamp: 4, step: 0 },
					],
					params: [{ key: 'lr', value: '0.1' }],
				},
			},
		});
		const tags = (answer as { run: { data: { tags: unknown } } }).run.data.tags;
		expect(tags).toEqual(
			expect.arrayContaining([
				{ key: 'colour', value: 'blue' },
				{ key: 'team', value: 'a' },
			]),
		);
	});

	test('has its history in pages', async () => {
		const metrics = [0, 1, 2].map((step) => ({ key: 'loss', value: step, timestamp: 1, step }));
		await post('runs/log-batch', { run_id: 'job_1', metrics });
		const first = await get('metrics/get-history', { run_id: 'job_1', metric_key: 'loss', max_results: '2' });
		expect(first['metrics']).toHaveLength(2);
		const query = {
			run_id: 'job_1',
			metric_key: 'loss',
			max_results: '2',
			page_token: String(first['next_page_token']),
		};
		expect(await get('metrics/get-history', query)).toEqual({
			status: 200,
			metrics: [{ key: 'loss', value: 2, timestamp: 1, step: 2 }],
		});
		const bulk = 'run_ids=job_1&run_ids=job_1&metric_key=loss&start_step=1&end_step=1';
		expect((await get('metrics/get-history-bulk-interval', bulk))['metrics']).toHaveLength(2);
		expect(await get('metrics/get-history', { run_id: 'job_1', metric_key: 'none' })).toEqual({ status: 200 });
	});

	test('is refused as a whole when a part of it is faulty', async () => {
		const tags = [{ key: 'ok', value: '1' }];
		const faulty = await post('runs/log-batch', { run_id: 'job_1', tags, metrics: [{ key: 'x', value: 'much' }] });
		expect(faulty).toMatchObject({ status: 400, error_code: 'INVALID_PARAMETER_VALUE' });
		expect(server.runs.get('job_1')?.tags).toEqual({ team: 'a' });
	});

	test('keeps the first value of a parameter', async () => {
		await post('runs/log-parameter', { run_id: 'job_1', key: 'lr', value: '1' });
		expect(await post('runs/log-parameter', { run_id: 'job_1', key: 'lr', value: '1' })).toEqual({ status: 200 });
		const changed = await post('runs/log-parameter', { run_id: 'job_1', key: 'lr', value: '2' });
		expect(changed['message']).toMatch(/^Changing param values is not allowed\. Param with key='lr'/);
	});

	test('loses a deleted tag', async () => {
		expect(await post('runs/delete-tag', { run_id: 'job_1', key: 'team' })).toEqual({ status: 200 });
		expect(await post('runs/delete-tag', { run_id: 'job_1', key: 'team' })).toMatchObject({ status: 404 });
	});

	test('may name datasets and models', async () => {
		const datasets = [{ dataset: { name: 'iris', digest: 'd', source_type: 'local', source: '{}' } }];
		await post('runs/log-inputs', { run_id: 'job_1', datasets });
		await post('runs/log-model', { run_id: 'job_1', model_json: '{"artifact_path":"model"}' });
		const run = (await get('runs/get', { run_id: 'job_1' }))['run'];
		expect(run).toMatchObject({ inputs: { dataset_inputs: datasets } });
		expect(server.runs.get('job_1')?.tags['mlflow.log-model.history']).toBe('[{"artifact_path":"model"}]');
	});
});

describe('runs', () => {
	test('are made below a parent, take their status from MLflow, and can be deleted and restored', async () => {
		const { experiment } = (await get('experiments/get-by-name', { experiment_name: 'iris' })) as {
			experiment: { experiment_id: string };
		};
		const tags = [{ key: 'mlflow.parentRunId', value: 'job_1' }];
		const made = (await post('runs/create', { ...experiment, run_name: 'trial', start_time: 5, tags })) as {
			run: { info: { run_id: string } };
		};
		const { run_id } = made.run.info;
		expect(server.runs.children('job_1').map((run) => run.runId)).toEqual([run_id]);
		const ended = await post('runs/update', { run_id, status: 'FINISHED', end_time: '9' });
		expect(ended['run_info']).toMatchObject({ status: 'FINISHED', start_time: 5, end_time: 9, run_name: 'trial' });
		await post('runs/delete', { run_id });
		expect(await post('runs/set-tag', { run_id, key: 'a', value: '' })).toMatchObject({ status: 400 });
		await post('runs/restore', { run_id });
		expect(await post('runs/set-tag', { run_id, key: 'a', value: '' })).toEqual({ status: 200 });
	});

	test('of jobs keep the state that the service gave them', async () => {
		const ended = await post('runs/update', { run_id: 'job_1', status: 'FINISHED', run_name: 'better' });
		expect(ended['run_info']).toMatchObject({ status: 'RUNNING', run_name: 'better' });
		expect(server.runs.get('job_1')?.status).toBe('Running');
	});

	test('are found by filter and order', async () => {
		for (const [index, name] of ['b', 'c', 'd'].entries()) {
			now += 1;
			server.runs.create({ runId: name, experimentName: 'iris', parentRunId: 'job_1', tags: { 'a b': name } });
			server.runs.logMetric(name, 'rmse', { value: index, timestamp: 1, step: 0 });
			server.runs.update(name, (run) => {
				run.params['kind'] = `tree-${name}`;
			});
		}
		const search = async (filter: string, order_by: string[] = ['run_id ASC']): Promise<string> => {
			const found = (await post('runs/search', { filter, order_by })) as { runs?: { info: { run_id: string } }[] };
			return (found.runs ?? []).map((run) => run.info.run_id).join();
		};
		expect(await search("tags.mlflow.parentRunId = 'job_1'")).toBe('b,c,d');
		expect(await search('metrics.rmse >= 1 and metrics.rmse < 2')).toBe('c');
		expect(await search("params.kind LIKE 'tree-%' AND tags.\"a b\" != 'c'")).toBe('b,d');
		expect(await search("attributes.run_id IN ('b', 'job_1')")).toBe('b,job_1');
		expect(await search("attributes.run_id NOT IN ('b', 'job_1')")).toBe('c,d');
		expect(await search("status = 'RUNNING'")).toBe('job_1');
		expect(await search('', ['metrics.rmse DESC'])).toBe('d,c,b,job_1');
		expect(await search('', [])).toBe('d,c,b,job_1');
		const page = await post('runs/search', { order_by: ['run_id'], max_results: 3 });
		const rest = await post('runs/search', {
			order_by: ['run_id'],
			max_results: 3,
			page_token: page['next_page_token'],
		});
		expect(rest['runs']).toHaveLength(1);
		expect(await post('runs/search', { filter: 'metrics.rmse ~ 3' })).toMatchObject({ status: 400 });
		expect(await post('runs/search', { filter: 'attributes.nope = 3' })).toMatchObject({ status: 400 });
	});
});

describe('experiments', () => {
	test('are made once, found by id, name and search', async () => {
		const { experiment_id } = await post('experiments/create', { name: 'wine' });
		expect(await post('experiments/create', { name: 'wine' })).toMatchObject({ error_code: 'RESOURCE_ALREADY_EXISTS' });
		const found = await get('experiments/get', { experiment_id: String(experiment_id) });
		expect(found['experiment']).toMatchObject({ name: 'wine', lifecycle_stage: 'active' });
		expect((await post('experiments/search', { filter: "name = 'wine'" }))['experiments']).toHaveLength(1);
		expect((await get('experiments/search', { max_results: '1' }))['next_page_token']).toBeDefined();
		expect((await get('experiments/get', { experiment_id: '0' }))['experiment']).toMatchObject({ name: 'Default' });
		expect(await get('experiments/get-by-name', { experiment_name: 'no' })).toMatchObject({ status: 404 });
	});
});

describe('artifacts', () => {
	test('go through the proxy to where the run keeps them', async () => {
		const { run } = (await get('runs/get', { run_id: 'job_1' })) as { run: { info: { artifact_uri: string } } };
		const path = run.info.artifact_uri.replace('mlflow-artifacts:', '');
		const address = `${base}/api/2.0/mlflow-artifacts/artifacts${path}/plots/a%20b.txt`;
		expect((await fetch(address, { method: 'PUT', body: 'text' })).status).toBe(200);
		expect(await (await fetch(address)).text()).toBe('text');
		expect([...server.artifacts.files.keys()]).toEqual([`${server.runs.get('job_1')?.artifactsUri}plots/a b.txt`]);
		expect((await get('artifacts/list', { run_id: 'job_1' }))['files']).toEqual([{ path: 'plots', is_dir: true }]);
		expect((await get('artifacts/list', { run_id: 'job_1', path: 'plots' }))['files']).toEqual([
			{ path: 'plots/a b.txt', is_dir: false, file_size: 4 },
		]);
		const listed = await fetch(`${base}/api/2.0/mlflow-artifacts/artifacts?path=job_1/artifacts/plots`);
		expect(await listed.json()).toEqual({ files: [{ path: 'a b.txt', is_dir: false, file_size: 4 }] });
	});

	test.each([
		['job_1/artifacts/..%2f..%2fother', 400],
		['job_1/x', 400],
		['nobody/artifacts/x', 404],
	])('stay below the run: %s', async (path, status) => {
		const address = `${base}/api/2.0/mlflow-artifacts/artifacts/${path}`;
		expect((await fetch(address, { method: 'PUT', body: 'x' })).status).toBe(status);
		expect(server.artifacts.files.size).toBe(0);
	});
});

describe('what is not there', () => {
	test.each([
		['runs/get', 404, 'RESOURCE_DOES_NOT_EXIST'],
		['runs/create', 404, 'ENDPOINT_NOT_FOUND'],
		['toString', 404, 'ENDPOINT_NOT_FOUND'],
		['registered-models/create', 501, 'NOT_IMPLEMENTED'],
	])('GET %s', async (route, status, error_code) => {
		expect(await get(route, { run_id: 'nobody' })).toMatchObject({ status, error_code, message: expect.any(String) });
	});

	test('a body that is no object', async () => {
		const response = await fetch(`${base}/api/2.0/mlflow/runs/set-tag`, { method: 'POST', body: '[' });
		expect(response.status).toBe(400);
	});

	test('a key that was revoked', async () => {
		expect(server.keys.resolve(`${new URL(base).pathname}/api`)).toEqual({ runId: 'job_1', path: '/api' });
		server.keys.revoke('job_1');
		expect((await fetch(`${base}/api/2.0/mlflow/runs/get?run_id=job_1`)).status).toBe(401);
	});
});
