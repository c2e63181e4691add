// `reuse`: what was trained already, from the same code with the same parameters, is taken and not trained again.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobFiles } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { withoutMasks } from './workflow-log.ts';

const PROGRAM = [
	'import json, os, pathlib, sys, urllib.request',
	"base, run = os.environ['MLFLOW_TRACKING_URI'], os.environ['MLFLOW_RUN_ID']",
	"body = json.dumps({'run_id': run, 'key': 'accuracy', 'value': 0.75, 'timestamp': 1, 'step': 0}).encode()",
	"headers = {'content-type': 'application/json'}",
	"urllib.request.urlopen(urllib.request.Request(base + '/api/2.0/mlflow/runs/log-metric', body, headers))",
	'folder = pathlib.Path(sys.argv[1])',
	'folder.mkdir(parents=True, exist_ok=True)',
	"(folder / 'model.txt').write_text('42')",
].join('\n');

let site: Site;
let first: ActionRun;

beforeAll(async () => {
	site = await openSite();
	first = await train('1001');
});

afterAll(() => site?.close());

function train(runId: string, inputs: Record<string, string> = {}, yaml = '', program = PROGRAM): Promise<ActionRun> {
	// Each run has a checkout of its own, as on a runner.
	const files = jobFiles(program, yaml);
	return site.run(
		{ 'job-file': 'job.yml', reuse: 'true', 'model-name': 'reused', ...inputs },
		{ files, env: { GITHUB_RUN_ID: runId } },
	);
}

test('the first run finds nothing to reuse, and trains', () => {
	expect([first.code, first.stderr]).toEqual([0, '']);
	expect(first.outputs).toMatchObject({ 'job-reused': 'false', 'job-status': 'Completed', 'model-version': '1' });
});

describe('a second run of identical content', () => {
	let second: ActionRun;
	let since = 0;

	beforeAll(async () => {
		since = site.emulator.requests.length;
		second = await train('1002');
	});

	test('submits nothing', () => {
		expect(second.code).toBe(0);
		expect(site.requests(since).filter(({ line }) => /^PUT jobs\//.test(line))).toEqual([]);
	});

	test('goes on with the job of the first', () => {
		expect(second.outputs).toMatchObject({
			'job-name': first.outputs['job-name'],
			'job-status': 'Completed',
			'job-reused': 'true',
			metrics: first.outputs['metrics'],
			'model-id': 'azureml:reused:1',
		});
		expect(JSON.parse(second.outputs['metrics'] ?? '{}')).toEqual({ accuracy: 0.75 });
	});

	test('says so in the log and in the summary', () => {
		expect(withoutMasks(second.stdout)).toContain(`Took the job ${first.outputs['job-name']}`);
		expect(second.summary).toMatch(/^## ✅ .*job reused/);
		expect(second.summary).toContain('nothing was trained again');
	});
});

describe('a job is trained anew', () => {
	test.each([
		['when its code has changed', {}, '', `${PROGRAM}\nprint('more')`],
		['when its parameters have changed', { set: 'environment_variables.DEPTH=3' }, '', PROGRAM],
		['when its experiment is another', { set: 'experiment_name=elsewhere' }, '', PROGRAM],
		['when reuse is not asked for', { reuse: 'false' }, '', PROGRAM],
	])(
		'%s',
		async (why, inputs, yaml, program) => {
			const run = await train(`20${why.length}`, { wait: 'false', ...inputs, 'model-name': '' }, yaml, program);
			expect(run.code).toBe(0);
			expect(run.outputs['job-name']).not.toBe(first.outputs['job-name']);
			expect(run.outputs['job-reused']).toBe('reuse' in inputs ? undefined : 'false');
		},
		30_000,
	);
});

test('a name that was given stands for the Completed job that has it already', async () => {
	const named = { 'job-name': 'by-name', 'model-name': '', set: 'environment_variables.DEPTH=9' };
	const runs = [await train('3001', named), await train('3002', named)];
	expect(runs.map(({ code, outputs }) => [code, outputs['job-name'], outputs['job-reused']])).toEqual([
		[0, 'by-name', 'false'],
		[0, 'by-name', 'true'],
	]);
	const other = await train('3003', { ...named, set: 'environment_variables.DEPTH=10' });
	expect(other.code).toBe(1);
	expect(other.stdout).toContain('The name "by-name" is taken');
});
