import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { at, Client, type Json } from '../client.ts';
import { bound, command, component, job, node, putPipeline } from './pipeline-client.ts';
import { children, details, errorOf, log } from './scripts.ts';

let emulator: Emulator;
let client: Client;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 1 });
	client = await Client.signIn(emulator);
});
afterAll(() => emulator.stop());

/** The children of a pipeline by the names of its nodes. */
const steps = async (name: string): Promise<Record<string, Json>> =>
	Object.fromEntries((await children(client, name)).map((run) => [String(run['displayName']), run]));

const states = async (name: string): Promise<Json> =>
	Object.fromEntries(Object.entries(await steps(name)).map(([step, run]) => [step, run['status']]));

const idOf = async (pipeline: string, step: string) => String((await steps(pipeline))[step]?.['runId']);

/** Two steps: the first writes a file, the second adds to it what it was given. */
async function chain(): Promise<Json> {
	const prepare = await command(client, 'echo ${{inputs.word}} > ${{outputs.data}}/words.txt', {
		inputs: { word: 'string' },
		outputs: { data: 'uri_folder' },
	});
	const text =
		'cat ${{inputs.data}}/words.txt > ${{outputs.model}}/out.txt; echo ${{inputs.rate}} $[[extra ${{inputs.extra}}]] | tee -a ${{outputs.model}}/out.txt';
	const train = await command(client, text, {
		inputs: { data: 'uri_folder', rate: { type: 'number', default: 0.01 }, extra: { type: 'string', optional: true } },
		outputs: { model: 'custom_model' },
	});
	return {
		train: node(
			train,
			{ data: bound('parent.jobs.prepare.outputs.data') },
			{
				model: { value: '${{parent.outputs.final}}', type: 'literal' },
			},
		),
		prepare: node(prepare, { word: bound('parent.inputs.word') }),
	};
}

const word = (value: string) => ({ word: { jobInputType: 'literal', value } });

describe('a pipeline', () => {
	test('runs its steps in the order of their data, and gives what they made', async () => {
		const put = await putPipeline(client, 'chain', await chain(), {
			inputs: word('hello'),
			outputs: { final: { jobOutputType: 'custom_model', mode: 'ReadWriteMount', assetName: 'chained' } },
		});
		expect([put.status, put.body['properties']]).toEqual([
			201,
			expect.objectContaining({
				status: 'Preparing',
				outputs: { final: expect.objectContaining({ uri: null }) },
				properties: expect.objectContaining({
					'azureml.runsource': 'azureml.PipelineRun',
					'azureml.parameters': '{"word":"hello"}',
					'azureml.continue_on_step_failure': 'True',
					'azureml.enforceRerun': 'False',
					'azureml.defaultComputeName': 'cpu-cluster',
				}),
			}),
		]);
		expect(await client.ended('chain')).toBe('Completed');
		const { prepare, train } = await steps('chain');
		expect([prepare?.['status'], train?.['status']]).toEqual(['Completed', 'Completed']);
		expect(String(train?.['startTimeUtc']) >= String(prepare?.['endTimeUtc'])).toBe(true);
		expect(train).toMatchObject({
			runType: 'azureml.StepRun',
			parentRunId: 'chain',
			rootRunId: 'chain',
			properties: { 'azureml.pipelinerunid': 'chain', StepType: 'PythonScriptStep' },
		});
		const made = await emulator.readBlob('azureml-blobstore', `azureml/${train?.['runId']}/model/out.txt`);
		expect(made?.toString()).toBe('hello\n0.01\n');
		const model = await client.arm('GET', '/models/chained/versions/1');
		expect(at(model.body, 'properties', 'modelUri')).toMatch(new RegExp(`/azureml/${train?.['runId']}/model/$`));
		const stages = JSON.parse(String(at(await job(client, 'chain'), 'properties', 'azureml.pipelines.stages')));
		expect(stages).toMatchObject({ Initialization: null, Execution: { Status: 'Finished' } });
	});

	test('logs what it submits, and each step what it prints', async () => {
		const { prepare, train } = await steps('chain');
		const lines = (await log(client, 'chain', 'logs/azureml/executionlogs.txt')).split('\n');
		const texts = lines.map((line) => line.replace(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\] /, ''));
		expect(texts).toEqual([
			expect.stringMatching(new RegExp(`^Submitting 1 runs, first five are: [0-9a-f]{8}:${prepare?.['runId']}$`)),
			`Completing processing run id ${prepare?.['runId']}.`,
			expect.stringMatching(new RegExp(`^Submitting 1 runs, first five are: [0-9a-f]{8}:${train?.['runId']}$`)),
			`Completing processing run id ${train?.['runId']}.`,
			'Finishing experiment: no runs left and nothing to schedule.',
			'',
		]);
		expect(Object.keys(at((await details(client, 'chain')).body, 'logFiles') as Json)).toEqual([
			'logs/azureml/executionlogs.txt',
			'logs/azureml/stderrlogs.txt',
			'logs/azureml/stdoutlogs.txt',
		]);
		expect(await log(client, String(train?.['runId']))).toBe('0.01\n');
	});

	test('has outputs that run history and job URIs find, and steps that Resource Manager does not show', async () => {
		const data = await client.data('POST', 'history/v1.0', '/rundata', { runId: 'chain' });
		const asset = String(at(data.body, 'runMetadata', 'outputs', 'final', 'assetId'));
		expect(asset).toMatch(/\/models\/chained\/versions\/1$/);
		const modelUri = 'azureml://jobs/chain/outputs/final/paths/out.txt';
		const put = await client.arm('PUT', '/models/again/versions/1', {
			properties: { modelType: 'custom_model', modelUri },
		});
		expect([put.status, at(put.body, 'properties', 'jobName')]).toEqual([201, 'chain']);
		const step = await client.arm('GET', `/jobs/${await idOf('chain', 'train')}`);
		expect([step.status, step.body['properties']]).toEqual([200, null]);
	});

	test('takes over the outputs of equal steps of an earlier run, and only of those', async () => {
		const jobs = await chain();
		const outputs = { final: { jobOutputType: 'custom_model' } };
		await putPipeline(client, 'same', jobs, { inputs: word('hello'), outputs });
		await client.ended('same');
		const [before, same] = [await steps('chain'), await steps('same')];
		for (const name of ['prepare', 'train']) {
			expect(same[name]).toMatchObject({
				status: 'Completed',
				properties: { 'azureml.isreused': 'true', 'azureml.reusedrunid': before[name]?.['runId'] },
			});
		}
		expect(at((await details(client, String(same['train']?.['runId']))).body, 'logFiles')).toEqual({});
		expect(await log(client, 'same', 'logs/azureml/executionlogs.txt')).not.toContain('Submitting');
		const uri = 'azureml://jobs/same/outputs/final';
		const put = await client.arm('PUT', '/models/reused/versions/1', {
			properties: { modelType: 'custom_model', modelUri: uri },
		});
		expect(at(put.body, 'properties', 'modelUri')).toContain(String(before['train']?.['runId']));

		await putPipeline(client, 'other', jobs, { inputs: word('world'), outputs });
		await putPipeline(client, 'forced', jobs, { inputs: word('hello'), outputs, settings: { force_rerun: true } });
		expect([await client.ended('other'), await client.ended('forced')]).toEqual(['Completed', 'Completed']);
		for (const run of [...Object.values(await steps('other')), ...Object.values(await steps('forced'))]) {
			expect(run['properties']).not.toHaveProperty('azureml.isreused');
		}
		expect(at(await job(client, 'forced'), 'properties', 'azureml.enforceRerun')).toBe('True');
	});

	test('runs again what is not deterministic', async () => {
		const dice = await command(client, 'echo $RANDOM', { is_deterministic: false });
		for (const name of ['dice-1', 'dice-2']) {
			await putPipeline(client, name, { dice: node(dice) });
			expect(await client.ended(name)).toBe('Completed');
		}
		expect((await steps('dice-2'))['dice']?.['properties']).not.toHaveProperty('azureml.isreused');
	});

	test('takes data and places from its inputs, and registers what nodes name', async () => {
		const read = await command(client, 'cat ${{inputs.file}} ${{inputs.same}} > ${{outputs.copy}}', {
			inputs: { file: 'uri_file', same: 'uri_file' },
			outputs: { copy: 'uri_file' },
		});
		const uri = 'azureml://datastores/workspaceblobstore/paths/given/rows.csv';
		const store = await command(client, 'echo 1,2 > ${{outputs.rows}}', { outputs: { rows: 'uri_file' } });
		const writes = { rows: { uri, job_output_type: 'uri_file' } };
		await putPipeline(client, 'writes', { store: node(store, {}, writes) });
		expect(await client.ended('writes')).toBe('Completed');
		const copy = {
			uri: 'azureml://datastores/${{default_datastore}}/paths/kept/${{name}}/copy.csv',
			job_output_type: 'uri_file',
			name: 'copied-rows',
			version: '7',
		};
		const inputs = { file: { job_input_type: 'uri_file', uri }, same: bound('parent.inputs.rows') };
		await putPipeline(
			client,
			'reads',
			{ read: node(read, inputs, { copy }) },
			{
				inputs: { rows: { jobInputType: 'uri_file', uri } },
			},
		);
		expect(await client.ended('reads')).toBe('Completed');
		const id = await idOf('reads', 'read');
		expect((await emulator.readBlob('azureml-blobstore', `kept/${id}/copy.csv`))?.toString()).toBe('1,2\n1,2\n');
		const data = await client.arm('GET', '/data/copied-rows/versions/7');
		expect(data.body['properties']).toMatchObject({
			dataType: 'uri_file',
			dataUri: expect.stringContaining(`/datastores/workspaceblobstore/paths/kept/${id}/copy.csv`),
		});
	});

	test('hands on a folder that a step left empty', async () => {
		const first = await command(client, 'true', { outputs: { none: 'uri_folder' } });
		const second = await command(client, 'ls ${{inputs.none}} | wc -l', { inputs: { none: 'uri_folder' } });
		const jobs = { first: node(first), second: node(second, { none: bound('parent.jobs.first.outputs.none') }) };
		await putPipeline(client, 'empty', jobs);
		expect(await client.ended('empty')).toBe('Completed');
		expect((await log(client, await idOf('empty', 'second'))).trim()).toBe('0');
	});

	test('runs a pipeline component as it is', async () => {
		const inner = {
			jobs: await chain(),
			inputs: { word: { type: 'string', default: 'inner' } },
			outputs: { final: { type: 'custom_model' } },
		};
		const componentId = await component(client, { ...inner, type: 'pipeline' });
		await putPipeline(client, 'as-it-is', {}, { componentId });
		expect(await client.ended('as-it-is')).toBe('Completed');
		const id = await idOf('as-it-is', 'train');
		expect((await emulator.readBlob('azureml-blobstore', `azureml/${id}/model/out.txt`))?.toString()).toBe(
			'inner\n0.01\n',
		);
	});
});

describe('a pipeline with a step that fails', () => {
	const jobs = async (seconds: string) => {
		const fail = await command(client, 'echo bad news >&2; exit 4', { outputs: { data: 'uri_folder' } });
		const need = await command(client, 'true', { inputs: { data: 'uri_folder' } });
		const able = await command(client, 'echo $[[with ${{inputs.data}}]]', {
			inputs: { data: { type: 'uri_folder', optional: true } },
		});
		const other = await command(client, `sleep ${seconds}; echo $RANDOM`, { is_deterministic: false });
		const data = { data: bound('parent.jobs.fail.outputs.data') };
		return { fail: node(fail), need: node(need, data), able: node(able, data), other: node(other) };
	};

	test('goes on with what does not need it, and names it', async () => {
		await putPipeline(client, 'goes-on', await jobs('0.3'));
		expect(await client.ended('goes-on')).toBe('Failed');
		expect(await states('goes-on')).toEqual({ fail: 'Failed', able: 'Completed', other: 'Completed' });
		expect(await errorOf(client, 'goes-on')).toMatch(/^Pipeline has failed child jobs\. Failed nodes: \/fail\. /);
		const failed = await idOf('goes-on', 'fail');
		expect(await errorOf(client, failed)).toContain('bad news');
		expect(await log(client, failed)).toBe('bad news\n');
	});

	test('ends at once where it is told to', async () => {
		await putPipeline(client, 'stops', await jobs('60'), { settings: { continue_on_step_failure: false } });
		expect(await client.ended('stops')).toBe('Failed');
		expect(await states('stops')).toEqual({ fail: 'Failed', other: 'Canceled' });
		expect(await log(client, 'stops', 'logs/azureml/executionlogs.txt')).toContain('cancel running nodes');
		expect(await errorOf(client, 'stops')).toContain('Failed nodes: /fail.');
	});

	test.each([
		['spark', { type: 'spark' }, 'Steps of type spark are not emulated (step)'],
		['automl', { type: 'automl' }, 'Steps of type automl are not emulated (step)'],
		[
			'registry',
			{ componentId: 'azureml://registries/azureml/components/c/versions/1' },
			'Components of registries are not emulated',
		],
		['nothing', {}, 'The job step has no component'],
	])('says why it cannot run: %s', async (name, more, message) => {
		await putPipeline(client, `no-${name}`, { step: { type: 'command', ...more } });
		expect(await client.ended(`no-${name}`)).toBe('Failed');
		expect(await errorOf(client, await idOf(`no-${name}`, 'step'))).toContain(message);
	});

	test('says which input is missing', async () => {
		const need = await command(client, 'cat ${{inputs.data}}', { inputs: { data: 'uri_file' } });
		await putPipeline(client, 'missing', { need: node(need) });
		expect(await client.ended('missing')).toBe('Failed');
		expect(await errorOf(client, await idOf('missing', 'need'))).toContain(
			'The input data of the job need is required',
		);
	});
});

describe('a running pipeline', () => {
	test('is cancelled with its steps, those of pipelines inside it too', async () => {
		const wait = await command(client, 'sleep 60');
		const componentId = await component(client, { type: 'pipeline', jobs: { deep: node(wait) } });
		await putPipeline(client, 'cancelled', {
			wait: node(wait),
			nested: node(componentId, {}, {}, { type: 'pipeline' }),
		});
		await client.until(
			async () => client.data('GET', 'history/v1.0', `/runs/${await idOf('cancelled', 'wait')}`),
			({ body }) => body['status'] === 'Running',
		);
		const cancel = await client.arm('POST', '/jobs/cancelled/cancel');
		expect([cancel.status, cancel.headers.get('location')]).toEqual([202, expect.stringContaining('jc:')]);
		expect(await client.ended('cancelled')).toBe('Canceled');
		expect(await states('cancelled')).toEqual({ wait: 'Canceled', nested: 'Canceled' });
		expect(await states(await idOf('cancelled', 'nested'))).toEqual({ deep: 'Canceled' });
	});
});

describe('a pipeline that cannot be', () => {
	test.each([
		[
			'{{parent.name}}',
			'InvalidExpressionInJob',
			'Invalid expression parent.name. Only parent.inputs, parent.jobs.[source_job_name].outputs or',
		],
		['{{parent.inputs.none}}', 'InvalidExpressionInJob', 'bound to the input none, which the pipeline does not have'],
		[
			'{{parent.jobs.nobody.outputs.x}}',
			'InvalidPipelineJob',
			'an output of the job nobody, which the pipeline does not have',
		],
		[
			'{{parent.jobs.first.outputs.x}}',
			'SourceComponentPortNotExsit',
			'the source output port x of componentJob first does not exist.',
		],
		['{{parent.jobs.second.outputs.x}}', 'InvalidPipelineJob', 'wait for one another: second -> second'],
	])('is refused: $%s', async (expression, code, message) => {
		const first = await command(client, 'true', { outputs: { data: 'uri_folder' } });
		const input = { job_input_type: 'literal', value: `$${expression}` };
		const put = await putPipeline(client, 'refused', { first: node(first), second: node(first, { a: input }) });
		expect([put.status, put.text]).toEqual([400, expect.stringContaining(message)]);
		expect(put.text).toContain(`"code":"${code}","innerError":null`);
		expect((await client.arm('GET', '/jobs/refused')).status).toBe(404);
	});

	test('for lack of its default compute or a component is refused', async () => {
		const settings = { default_compute: `${client.workspace}/computes/nowhere` };
		expect((await putPipeline(client, 'refused', {}, { settings })).status).toBe(404);
		const absent = `${client.workspace}/components/none/versions/1`;
		expect((await putPipeline(client, 'refused', { a: node(absent) })).status).toBe(404);
	});
});
