// Files, names and programs that are wrong: one message that says what, why and what to do, exit code 1, and a summary that
// names all that was made until then.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDPOINT_SCHEMA, endpointFiles, jobFiles, printing, SCORE_42 } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Request, type Site } from './site.ts';
import { annotationsOf, errorsOf, shownLines } from './workflow-log.ts';

let site: Site;

beforeAll(async () => {
	site = await openSite();
});

afterAll(() => site?.close());

interface Failed extends ActionRun {
	/** The one error that the author reads. */
	readonly error: string;
	readonly requests: readonly Request[];
}

async function fail(
	files: Readonly<Record<string, string>>,
	inputs: Readonly<Record<string, string>> = {},
): Promise<Failed> {
	const since = site.emulator.requests.length;
	const run = await site.run({ 'job-file': 'job.yml', ...inputs }, { files });
	const [error = '', ...more] = errorsOf(run.stdout);
	expect([run.code, more, run.stderr]).toEqual([1, [], '']);
	expect(run.stdout).not.toMatch(/^\s+at .+:\d+:\d+/m);
	expect(run.stdout).not.toContain('This is a fault of the action itself');
	expect(run.summary).toMatch(/^## ❌/);
	return { ...run, error, requests: site.requests(since) };
}

const changes = (requests: readonly Request[]): string[] =>
	requests.filter(({ face, method }) => face === 'arm' && method !== 'GET').map(({ line }) => line);

describe('a file that cannot be taken', () => {
	test('is told where it is no YAML: file, line and column as an annotation', async () => {
		const files = { ...jobFiles(''), 'ml/job.yml': 'type: command\ncommand: echo\ninputs:\n  a: [1, 2\nb: 3\n' };
		const { stdout, requests } = await fail(files, { 'job-file': 'ml/job.yml' });
		const [annotation] = annotationsOf(stdout).filter(({ level }) => level === 'error');
		expect(annotation).toMatchObject({ file: 'ml/job.yml', line: expect.any(Number), column: expect.any(Number) });
		expect(annotation?.line).toBeGreaterThanOrEqual(4);
		expect(requests).toEqual([]);
	});

	test('is told the nearest name for a key that does not exist', async () => {
		const { stdout, summary, requests } = await fail(jobFiles('', 'compte: azureml:gpu-cluster'));
		const [annotation] = annotationsOf(stdout).filter(({ level }) => level === 'error');
		expect(annotation).toMatchObject({ file: 'job.yml', line: 9, column: 1 });
		expect(annotation?.message).toMatch(/compte.*compute/s);
		expect(summary).toMatch(/compte.*compute/s);
		expect(requests).toEqual([]);
	});

	test('has all its faults told at once, and those of the other files with them', async () => {
		const files = {
			...jobFiles('', 'display_nme: x\nlimits:\n  timeout: soon'),
			...endpointFiles('broken', SCORE_42),
			'endpoint.yml': `${ENDPOINT_SCHEMA}\nname: broken\nauth_mode: secret\n`,
		};
		const inputs = { 'job-file': 'job.yml', 'endpoint-file': 'endpoint.yml', 'deployment-file': 'deployment.yml' };
		const { code, stdout } = await site.run(inputs, { files });
		const errors = annotationsOf(stdout).filter(({ level }) => level === 'error');
		expect(code).toBe(1);
		expect(errors.map(({ file, line }) => `${file}:${line}`).sort()).toEqual([
			'endpoint.yml:3',
			'job.yml:11',
			'job.yml:9',
		]);
	});

	test('names a folder or a data file that is not there', async () => {
		const { 'src/train.py': _, ...noCode } = jobFiles('');
		const code = await fail(noCode);
		expect(code.error).toMatch(/src/);
		expect(changes(code.requests)).toEqual([]);
		const data = await fail(jobFiles('', 'inputs:\n  data:\n    type: uri_file\n    path: data/iris.csv'));
		expect(data.error).toMatch(/data\/iris\.csv/);
		expect(changes(data.requests).filter((line) => line.startsWith('PUT jobs/'))).toEqual([]);
	});
});

describe('a name that the workspace does not know', () => {
	test('is answered with the computes that exist', async () => {
		const files = jobFiles('');
		const job = files['job.yml']?.replace('cpu-cluster', 'cpu-clutser') ?? '';
		const { error, summary, requests } = await fail({ ...files, 'job.yml': job });
		expect(error).toMatch(/cpu-clutser/);
		for (const name of ['cpu-cluster', 'gpu-cluster']) expect([error, summary].join()).toContain(name);
		expect(changes(requests)).toEqual([]);
	});

	test('is answered with the environments that exist', async () => {
		const files = jobFiles('');
		const job = files['job.yml']?.replace('python-stdlib:1', 'python-stdlob:1') ?? '';
		const { error, requests } = await fail({ ...files, 'job.yml': job });
		expect(error).toMatch(/python-stdlob.*python-stdlib/s);
		expect(changes(requests).filter((line) => line.startsWith('PUT jobs/'))).toEqual([]);
	});
});

describe('a training script that fails', () => {
	let run: Failed;

	beforeAll(async () => {
		const program = ['print("loading")', 'print("epoch 1")', 'raise SystemExit("the data has no column label")'];
		run = await fail(jobFiles(program.join('\n')), { 'model-name': 'never' });
	});

	test('makes the step red with its exit code', () => {
		expect(run.error).toMatch(/Failed.*status code 1/s);
		expect(run.summary).toContain('status code 1');
		expect(run.outputs).toMatchObject({ 'job-status': 'Failed', 'job-name': expect.any(String) });
	});

	test('has the last lines of its log in the summary, and all of it in the log', () => {
		expect(run.summary).toMatch(/loading\s+epoch 1\s+the data has no column label/);
		const lines = shownLines(run.stdout);
		for (const line of ['loading', 'epoch 1', 'the data has no column label']) expect(lines).toContain(line);
	});

	test('is the end: nothing is registered', () => {
		expect(changes(run.requests).filter((line) => line.includes('models/'))).toEqual([]);
	});

	test('is named in the summary with all that was made', () => {
		expect(run.summary).toContain(run.outputs['job-name']);
		expect(run.summary).toMatch(/Made in the workspace[\s\S]*code/);
	});
});

describe('a deployment that fails', () => {
	const deploy = { 'endpoint-file': 'endpoint.yml', 'deployment-file': 'deployment.yml' };
	let before: ActionRun;
	let run: Failed;
	let first: Failed;

	beforeAll(async () => {
		const good = { ...endpointFiles('serving', SCORE_42) };
		before = await site.run(deploy, { files: good });
		const script = [
			'def init():',
			'    print("looking for the weights")',
			'    raise RuntimeError("no weights")',
			'def run(raw_data):',
			'    return {}',
		].join('\n');
		const bad = { ...jobFiles(printing(['trained'])), ...endpointFiles('serving', script) };
		run = await fail(bad, { ...deploy, 'model-name': 'doomed' });
		first = await fail(endpointFiles('stillborn', script), { ...deploy, 'job-file': '' });
	});

	test('comes after one that serves', () => {
		expect([before.code, before.outputs['deployment-name']]).toEqual([0, 'blue']);
	});

	test("says what the container's log says", () => {
		expect(run.error).toMatch(/deployment "green".*failed/s);
		expect(run.summary).toContain('looking for the weights');
		expect(run.summary).toContain('RuntimeError: no weights');
	});

	test('leaves the traffic untouched', () => {
		const endpoint = site.emulator.endpoints().find(({ name }) => name === 'serving');
		expect(endpoint?.properties['traffic']).toEqual({ blue: 100 });
		expect(endpoint?.trafficHistory.filter(({ traffic }) => 'green' in traffic)).toEqual([]);
		expect(endpoint?.deployments.map(({ name }) => name)).toEqual(['blue']);
		expect(run.outputs['rolled-back']).toBe('true');
	});

	test('of a new endpoint says that the endpoint is left', () => {
		expect(site.emulator.endpoints().find(({ name }) => name === 'stillborn')?.deployments).toEqual([]);
		expect(first.error).toMatch(/endpoint stillborn, which this run created, is left/);
		expect(first.summary).toMatch(/endpoint stillborn, which this run created, is left/);
	});

	test('leaves in the summary what was made before it: job, model, endpoint', () => {
		expect(run.outputs).toMatchObject({ 'job-status': 'Completed', 'model-id': 'azureml:doomed:1' });
		for (const part of [run.outputs['job-name'], 'azureml:doomed:1', 'serving']) expect(run.summary).toContain(part);
	});
});
