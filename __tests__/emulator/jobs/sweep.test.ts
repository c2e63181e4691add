import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { at, Client, type Json } from '../client.ts';
import { children, details, errorOf, LOG_SCORES, log } from './scripts.ts';

let emulator: Emulator;
let client: Client;
let codeId: string;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 1, random: () => 0.25 });
	client = await Client.signIn(emulator);
	codeId = await client.code('sweeps', { 'log.py': LOG_SCORES });
});
afterAll(() => emulator.stop());

const sweep = (name: string, searchSpace: Json, command: string, more: Json = {}) => {
	const { trial, ...rest } = more;
	return client.arm('PUT', `/jobs/${name}`, {
		properties: {
			jobType: 'Sweep',
			computeId: `${client.workspace}/computes/cpu-cluster`,
			objective: { goal: 'maximize', primaryMetric: 'score' },
			samplingAlgorithm: { samplingAlgorithmType: 'Grid' },
			searchSpace,
			trial: {
				command,
				codeId,
				environmentId: `${client.workspace}/environments/python-stdlib/versions/1`,
				...(trial as Json | undefined),
			},
			...rest,
		},
	});
};

const job = async (name: string) => (await client.arm('GET', `/jobs/${name}`)).body['properties'] as Json;

describe('a sweep', () => {
	test('of distributed trials runs every process of each', async () => {
		const distribution = { distributionType: 'Mpi', processCountPerInstance: 2 };
		const trial = { distribution, resources: { instanceCount: 2 } };
		await sweep('spread', { x: ['choice', [[5]]] }, 'echo ${{search_space.x}} $OMPI_COMM_WORLD_RANK', { trial });
		expect(await client.ended('spread')).toBe('Completed');
		expect(await log(client, 'spread_0', 'user_logs/std_log_process_03.txt')).toBe('5 3\n');
	});

	test('runs a trial for each combination, and knows the best one', async () => {
		const put = await sweep(
			'grid',
			{ lr: ['choice', [[0.1, 0.5, 0.3]]], kind: ['choice', [['a']]] },
			'python log.py ${{search_space.lr}} && echo ${{search_space.kind}} ${{inputs.epochs}} > ${{outputs.model}}/card',
			{
				inputs: { epochs: { jobInputType: 'literal', value: '7' } },
				outputs: { model: { jobOutputType: 'custom_model', assetName: 'swept', assetVersion: '3' } },
				limits: { jobLimitsType: 'Sweep', maxTotalTrials: 20, maxConcurrentTrials: 2 },
				tags: { team: 'x' },
			},
		);
		expect([put.status, put.body['properties']]).toEqual([
			201,
			expect.objectContaining({
				status: 'Running',
				samplingAlgorithm: { samplingAlgorithmType: 'Grid' },
				objective: { goal: 'Maximize', primaryMetric: 'score' },
				services: { Studio: expect.anything() },
				outputs: {
					model: expect.objectContaining({ uri: null }),
					default: expect.objectContaining({ uri: expect.stringContaining('dcid.grid') }),
				},
				tags: expect.objectContaining({
					team: 'x',
					_aml_system_max_concurrent_jobs: '2',
					_aml_system_all_jobs_generated: 'false',
					_aml_system_primary_metric_config: '{"name":"score","goal":"maximize"}',
				}),
			}),
		]);
		expect(await client.ended('grid')).toBe('Completed');
		const done = await job('grid');
		expect(done['properties']).toMatchObject({
			best_child_run_id: 'grid_1',
			score: '0.5',
			space_size: '3',
			best_metric_status: 'Succeeded',
			best_data_container_id: 'dcid.grid_1',
		});
		expect(done['tags']).toMatchObject({
			team: 'x',
			_aml_system_all_jobs_generated: 'true',
			_aml_system_grid_0: '{"kind": "a", "lr": 0.1}',
			_aml_system_grid_2: '{"kind": "a", "lr": 0.3}',
		});
		const found = await children(client, 'grid', 2);
		expect(found.map((run) => [run['runId'], run['status'], run['parentRunId']])).toEqual(
			[0, 1, 2].map((index) => [`grid_${index}`, 'Completed', 'grid']),
		);
	});

	test('tells its story in a log of its own', async () => {
		const lines = (await log(client, 'grid', 'azureml-logs/hyperdrive.txt')).split('\n');
		expect(lines[0]).toMatch(/^\[\d{4}-\d\d-\d\dT[\d:.]+\]\[API\]\[INFO\]Experiment created$/);
		expect(lines.filter((line) => line.includes("Successfully scheduled a job. Id='grid_"))).toHaveLength(3);
		expect(lines.some((line) => line.endsWith('[GENERATOR][INFO]All jobs generated.'))).toBe(true);
		expect(lines.at(-2)).toContain('[CONTROLLER][INFO]Changing Run Status from Running to Completed');
	});

	test('has trials that are jobs, though not among those that are listed', async () => {
		const trial = await job('grid_1');
		expect(trial).toMatchObject({
			jobType: 'Command',
			status: 'Completed',
			command: expect.stringContaining('log.py 0.5'),
		});
		const listed = (await client.arm('GET', '/jobs')).body['value'] as Json[];
		expect(listed.map((one) => one['name'])).not.toContain('grid_1');
		const modelUri = 'azureml://jobs/grid_1/outputs/model';
		const put = await client.arm('PUT', '/models/best/versions/1', {
			properties: { modelType: 'custom_model', modelUri },
		});
		expect([put.status, at(put.body, 'properties', 'jobName')]).toEqual([201, 'grid_1']);
		const swept = await client.arm('GET', '/models/swept/versions/3');
		expect(at(swept.body, 'properties', 'jobName')).toBe('grid_1');
		expect((await client.arm('GET', '/models/swept/versions')).body['value']).toHaveLength(1);
		const card = await emulator.readBlob('azureml-blobstore', 'azureml/grid_1/model/card');
		expect(card?.toString()).toBe('a 7\n');
	});

	test('has no outputs itself: whoever asks is sent to the best trial', async () => {
		const modelUri = 'azureml://jobs/grid/outputs/model';
		const put = await client.arm('PUT', '/models/none/versions/1', {
			properties: { modelType: 'custom_model', modelUri },
		});
		expect(put.status).toBeGreaterThanOrEqual(400);
		expect(put.text).toContain('grid_1');
	});

	test('keeps to its limits, and draws the same values for the same seed', async () => {
		const random = { samplingAlgorithm: { samplingAlgorithmType: 'Random', seed: 42 } };
		const limits = { limits: { jobLimitsType: 'Sweep', maxTotalTrials: 3, maxConcurrentTrials: 1 } };
		const space = { x: ['uniform', [0, 1]] };
		await sweep('seed-a', space, 'python log.py ${{search_space.x}}', { ...random, ...limits });
		await sweep('seed-b', space, 'true', { ...random, ...limits });
		expect([await client.ended('seed-a'), await client.ended('seed-b')]).toEqual(['Completed', 'Completed']);
		const tags = async (name: string) =>
			[0, 1, 2].map(async (index) => ((await job(name))['tags'] as Json)[`_aml_system_${name}_${index}`]);
		expect(await Promise.all(await tags('seed-a'))).toEqual(await Promise.all(await tags('seed-b')));
		const runs = await children(client, 'seed-a');
		expect(runs).toHaveLength(3);
		const times = runs.map((run) => [run['startTimeUtc'], run['endTimeUtc']] as string[]);
		for (let index = 1; index < 3; index++) {
			expect(String(times[index]?.[0]) >= String(times[index - 1]?.[1])).toBe(true);
		}
		expect(await job('seed-a')).toMatchObject({ properties: { space_size: 'infinite_space_size' } });
		expect((await job('seed-b'))['properties']).not.toHaveProperty('best_child_run_id');
	});

	test('stops a trial that falls behind, by the values it logs on the way', async () => {
		const good = { values: '0.9 0.95', after: 0 };
		const bad = { values: '0.1 0.1', after: 60 };
		const command = 'python log.py ${{search_space.x.values}}; sleep ${{search_space.x.after}}';
		await sweep('bandit', { x: ['choice', [[good, bad]]] }, command, {
			earlyTermination: { policyType: 'Bandit', slackFactor: 0.2, evaluationInterval: 1, delayEvaluation: 2 },
			limits: { jobLimitsType: 'Sweep', maxConcurrentTrials: 1 },
		});
		expect(await client.ended('bandit')).toBe('Completed');
		const states = (await children(client, 'bandit')).map((run) => run['status']);
		expect(states).toEqual(['Completed', 'Canceled']);
		expect((await job('bandit'))['properties']).toMatchObject({ best_child_run_id: 'bandit_0', score: '0.95' });
	});

	test('cancels a trial that takes too long, and itself when it does', async () => {
		const space = { x: ['choice', [[0, 60]]] };
		await sweep('trial-limit', space, 'sleep ${{search_space.x}}', {
			limits: { jobLimitsType: 'Sweep', trialTimeout: 'PT2S' },
		});
		await sweep('limit', space, 'echo begun; sleep 60', { limits: { jobLimitsType: 'Sweep', timeout: 'PT1S' } });
		expect(await client.ended('trial-limit')).toBe('Completed');
		expect((await children(client, 'trial-limit')).map((run) => run['status'])).toEqual(['Completed', 'Canceled']);
		expect(await client.ended('limit')).toBe('Canceled');
		expect((await children(client, 'limit')).map((run) => run['status'])).toEqual(['Canceled', 'Canceled']);
	});

	test('is cancelled with all its trials', async () => {
		await sweep('cancelled', { x: ['choice', [[1, 2, 3]]] }, 'sleep 60', {
			limits: { jobLimitsType: 'Sweep', maxConcurrentTrials: 2 },
		});
		await client.until(
			() => details(client, 'cancelled_1'),
			({ body }) => body['status'] === 'Running',
		);
		expect((await client.arm('POST', '/jobs/cancelled/cancel')).status).toBe(202);
		expect(await client.ended('cancelled')).toBe('Canceled');
		expect((await children(client, 'cancelled')).map((run) => run['status'])).toEqual(['Canceled', 'Canceled']);
		expect(await job('cancelled')).toMatchObject({ tags: { _aml_system_cancellation_requested: 'true' } });
	});

	test('fails when all its trials do, and warns when some do', async () => {
		await sweep('failing', { x: ['choice', [[1, 2]]] }, 'exit ${{search_space.x}}');
		await sweep('mixed', { x: ['choice', [[0, 2]]] }, 'python log.py 1; exit ${{search_space.x}}');
		expect([await client.ended('failing'), await client.ended('mixed')]).toEqual(['Failed', 'Completed']);
		expect(await errorOf(client, 'failing')).toContain('failing_0, failing_1');
		expect(at((await details(client, 'mixed')).body, 'warnings', 0, 'message')).toContain('mixed_1');
		expect((await job('mixed'))['properties']).toMatchObject({ best_child_run_id: 'mixed_0' });
	});

	test.each([
		['Grid', { x: ['uniform', [0, 1]] }, 'grid sampling algorithm does not take the distribution of x'],
		['Bayesian', { x: ['normal', [0, 1]] }, 'bayesian sampling algorithm does not take the distribution of x'],
		['Random', { x: ['beta', [0, 1]] }, 'hyperparameter x has no distribution that is known'],
	])('by %s of %j is refused', async (samplingAlgorithmType, space, message) => {
		const put = await sweep('refused', space, 'true', { samplingAlgorithm: { samplingAlgorithmType } });
		expect([put.status, put.text]).toEqual([400, expect.stringContaining(message)]);
	});

	test('is deleted with its trials', async () => {
		expect((await client.arm('DELETE', '/jobs/grid')).status).toBe(200);
		expect((await client.arm('GET', '/jobs/grid_1')).status).toBe(404);
		expect((await details(client, 'grid_2')).status).toBe(404);
	});
});
