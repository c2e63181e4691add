import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { Client, type Json } from '../client.ts';
import { bound, command, component, job, node, putPipeline } from './pipeline-client.ts';
import { children, details, errorOf, LOG_SCORES, log } from './scripts.ts';

let emulator: Emulator;
let client: Client;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 1, random: () => 0.5 });
	client = await Client.signIn(emulator);
});
afterAll(() => emulator.stop());

const idOf = async (pipeline: string, step: string) =>
	String((await children(client, pipeline)).find((run) => run['displayName'] === step)?.['runId']);

const stored = async (path: string) => (await emulator.readBlob('azureml-blobstore', path))?.toString();

describe('a distributed step', () => {
	test('runs as many processes as its component and its node ask for', async () => {
		const show = await command(client, 'echo $RANK of $WORLD_SIZE', {
			resources: { instance_count: '2' },
			distribution: { type: 'pytorch', process_count_per_instance: '1' },
		});
		const wider = { distribution: { distribution_type: 'PyTorch', process_count_per_instance: 2 } };
		await putPipeline(client, 'spread', { plain: node(show), wide: node(show, {}, {}, wider) });
		expect(await client.ended('spread')).toBe('Completed');
		const last = async (step: string, rank: number) =>
			log(client, await idOf('spread', step), `user_logs/std_log_process_0${rank}.txt`);
		expect([await last('plain', 1), await last('wide', 3)]).toEqual(['1 of 2\n', '3 of 4\n']);
	});
});

describe('a pipeline inside a pipeline', () => {
	test('is a child with children, takes inputs and gives outputs', async () => {
		const add = await command(client, 'echo $((${{inputs.a}} + ${{inputs.b}})) > ${{outputs.sum}}/sum', {
			inputs: { a: 'integer', b: 'integer' },
			outputs: { sum: 'uri_folder' },
		});
		const inner = await component(client, {
			type: 'pipeline',
			inputs: { one: { type: 'integer' }, two: { type: 'integer', default: '5' } },
			outputs: { total: { type: 'uri_folder' } },
			jobs: {
				add: node(
					add,
					{ a: bound('parent.inputs.one'), b: bound('parent.inputs.two') },
					{ sum: { value: '${{parent.outputs.total}}', type: 'literal' } },
				),
			},
		});
		const show = await command(client, 'cat ${{inputs.left}}/sum ${{inputs.right}}/sum', {
			inputs: { left: 'uri_folder', right: 'uri_folder' },
		});
		const nested = (one: string, more: Json = {}) =>
			node(inner, { one: { job_input_type: 'literal', value: one } }, more, { type: 'pipeline' });
		await putPipeline(
			client,
			'nested',
			{
				first: nested('1', { total: { job_output_type: 'uri_folder', name: 'first-total', version: 'v1' } }),
				second: nested('2', { total: { value: '${{parent.outputs.top}}', type: 'literal' } }),
				show: node(show, {
					left: bound('parent.jobs.first.outputs.total'),
					right: bound('parent.jobs.second.outputs.total'),
				}),
			},
			{ outputs: { top: { jobOutputType: 'uri_folder', uri: 'azureml://datastores/workspaceblobstore/paths/top/' } } },
		);
		expect(await client.ended('nested')).toBe('Completed');
		expect(await log(client, await idOf('nested', 'show'))).toBe('6\n7\n');
		expect(await stored('top/sum')).toBe('7\n');
		const first = await idOf('nested', 'first');
		const [deep] = await children(client, first);
		expect(deep).toMatchObject({ displayName: 'add', parentRunId: first, rootRunId: 'nested', status: 'Completed' });
		const data = await client.arm('GET', '/data/first-total/versions/v1');
		expect(data.text).toContain(`/paths/azureml/${deep?.['runId']}/sum/`);
	});

	test('fails with the step inside it, and so does the pipeline around it', async () => {
		const fail = await command(client, 'exit 9');
		const inner = await component(client, { type: 'pipeline', jobs: { deep: node(fail) } });
		await putPipeline(client, 'deep', { outer: node(inner, {}, {}, { type: 'pipeline' }) });
		expect(await client.ended('deep')).toBe('Failed');
		expect(await errorOf(client, 'deep')).toContain('Failed nodes: /outer.');
		expect(await errorOf(client, await idOf('deep', 'outer'))).toContain('Failed nodes: /outer/deep.');
	});
});

describe('a sweep inside a pipeline', () => {
	test('fills the inputs of its component, and gives the outputs of its best trial', async () => {
		const code = `azureml:${await client.code('sweep-code', { 'log.py': LOG_SCORES })}`;
		const trial = await command(
			client,
			'python log.py ${{inputs.x}} && echo ${{inputs.x}} ${{inputs.word}} > ${{outputs.model}}/x',
			{ inputs: { x: 'number', word: { type: 'string', default: 'w' } }, outputs: { model: 'uri_folder' }, code },
		);
		const show = await command(client, 'cat ${{inputs.model}}/x', { inputs: { model: 'uri_folder' } });
		const jobs = {
			tune: {
				type: 'sweep',
				trial: { componentId: trial },
				sampling_algorithm: 'grid',
				objective: { goal: 'minimize', primary_metric: 'score' },
				search_space: { x: { type: 'choice', values: [3, 1, 2] } },
				limits: { max_total_trials: 3, max_concurrent_trials: 3, timeout: 600 },
				outputs: { model: { value: '${{parent.outputs.best}}', type: 'literal' } },
			},
			show: node(show, { model: bound('parent.jobs.tune.outputs.model') }),
		};
		await putPipeline(client, 'tuned', jobs, { outputs: { best: { jobOutputType: 'uri_folder' } } });
		expect(await client.ended('tuned')).toBe('Completed');
		const tune = await idOf('tuned', 'tune');
		const run = (await details(client, tune)).body;
		expect(run['properties']).toMatchObject({ best_child_run_id: `${tune}_1`, score: '1' });
		expect((await children(client, tune)).map((one) => one['runId'])).toEqual([0, 1, 2].map((at) => `${tune}_${at}`));
		expect(await log(client, await idOf('tuned', 'show'))).toBe('1 w\n');
		const asset = await client.data('POST', 'history/v1.0', '/rundata', { runId: 'tuned' });
		expect(asset.text).toContain(`azureml_${tune}_1_output_data_model`);
	});
});

const ENTRY = `
import argparse, os
def init():
    global prefix
    parser = argparse.ArgumentParser()
    parser.add_argument("--prefix")
    prefix = parser.parse_known_args()[0].prefix
    print("ready with", prefix)
def run(mini_batch):
    name = os.path.basename(mini_batch[0])
    if name == "bad.txt":
        raise ValueError("no good")
    if name == "slow.txt":
        import time
        time.sleep(30)
    return [prefix + open(path).read().strip() + "/" + str(len(mini_batch)) for path in mini_batch]
`;

describe('a parallel step', () => {
	let code: string;
	beforeAll(async () => {
		code = `azureml:${await client.code('parallel-code', { 'entry.py': ENTRY, 'broken.py': 'def init():\n    1 / 0\n' })}`;
	});

	/** A step that writes files, and a parallel one that reads them. */
	async function jobs(files: Record<string, string>, more: Json = {}): Promise<Json> {
		const text = Object.entries(files).map(
			([name, content]) => `printf '%s' '${content}' > \${{outputs.files}}/${name}`,
		);
		const write = await command(client, text.join(' && '), { outputs: { files: 'uri_folder' } });
		const { entry, ...settings } = more;
		const spec = {
			type: 'parallel',
			inputs: { files: { type: 'uri_folder', mode: 'eval_mount' } },
			outputs: { rows: { type: 'uri_file' } },
			task: {
				type: 'run_function',
				code,
				entry_script: entry ?? 'entry.py',
				program_arguments: '--prefix p-- --other 1',
				append_row_to: '${{outputs.rows}}',
				environment: `azureml:${client.workspace}/environments/python-stdlib/versions/1`,
			},
			input_data: '${{inputs.files}}',
			mini_batch_size: '2',
			max_concurrency_per_instance: 2,
			retry_settings: { max_retries: 1, timeout: 20 },
			...settings,
		};
		const score = await component(client, spec);
		const rows = { rows: { value: '${{parent.outputs.rows}}', type: 'literal' } };
		const inputs = { files: bound('parent.jobs.write.outputs.files') };
		return {
			write: node(write),
			score: node(score, inputs, rows, { type: 'parallel', resources: { instance_count: 2 } }),
		};
	}

	const run = async (name: string, given: Json) => {
		await putPipeline(client, name, given, { outputs: { rows: { jobOutputType: 'uri_file' } } });
		return await client.ended(name);
	};

	test('hands its files to run() in mini-batches, and gathers the rows', async () => {
		const five = { 'a.txt': '1', 'b.txt': '2', 'c.txt': '3', 'd.txt': '4', 'e.txt': '5' };
		expect(await run('five', await jobs(five))).toBe('Completed');
		const score = await idOf('five', 'score');
		const rows = (await stored(`azureml/${score}/rows`))?.trim().split('\n').toSorted();
		expect(rows).toEqual(['p--1/2', 'p--2/2', 'p--3/2', 'p--4/2', 'p--5/1']);
		expect(await log(client, score)).toContain('Processed 3 mini batches, 0 failed.');
		expect(await log(client, score, 'logs/user/stdout/0/process000.stdout.txt')).toBe('ready with p--\n');
		expect((await job(client, 'five'))['status']).toBe('Completed');
	});

	test('tries again, then passes over what fails as long as the thresholds allow', async () => {
		const files = { 'bad.txt': 'x', 'good.txt': '1' };
		expect(await run('lenient', await jobs(files, { mini_batch_size: '1' }))).toBe('Completed');
		const score = await idOf('lenient', 'score');
		expect(await stored(`azureml/${score}/rows`)).toBe('p--1/1\n');
		const text = await log(client, score);
		expect([text.includes('try 2: Traceback'), text.includes('try 3')]).toEqual([true, false]);
		expect(await log(client, score, 'logs/user/error.txt')).toContain('ValueError: no good');
		const strict = await jobs(files, { mini_batch_size: '1', mini_batch_error_threshold: 0 });
		expect(await run('strict', strict)).toBe('Failed');
		expect(await errorOf(client, await idOf('strict', 'score'))).toContain(
			'1 mini batches failed, more than the threshold',
		);
	});

	test('ends a mini-batch that takes too long', async () => {
		const slow = await jobs(
			{ 'slow.txt': '1' },
			{ error_threshold: 0, retry_settings: { max_retries: 0, timeout: 1 } },
		);
		expect(await run('slow', slow)).toBe('Failed');
		expect(await log(client, await idOf('slow', 'score'))).toContain('run() took longer than 1 seconds');
	});

	test('takes the files that an MLTable names, and refuses tables', async () => {
		const table = 'paths:\n  - pattern: ./*.txt\n';
		const chosen = await jobs({ MLTable: table, 'a.txt': '1', 'b.csv': '2' }, { mini_batch_size: '1' });
		expect(await run('chosen', chosen)).toBe('Completed');
		expect(await stored(`azureml/${await idOf('chosen', 'score')}/rows`)).toBe('p--1/1\n');
		const rows = 'paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ","\n';
		expect(await run('table', await jobs({ MLTable: rows, 'a.csv': '1' }))).toBe('Failed');
		expect(await errorOf(client, await idOf('table', 'score'))).toContain('Tables are not emulated');
	});

	test('fails when init() does', async () => {
		expect(await run('broken', await jobs({ 'a.txt': '1' }, { entry: 'broken.py' }))).toBe('Failed');
		expect(await errorOf(client, await idOf('broken', 'score'))).toContain('ZeroDivisionError');
	});
});
