// Following what runs below a job, end to end: the steps of a pipeline, reused and failed ones, the trials of a sweep.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { errorsOf, readLog, shownLines } from './workflow-log.ts';

const STEP = ['    type: command', '    environment: azureml:python-stdlib:1', '    compute: azureml:cpu-cluster'];

/** A pipeline of two steps, the first of which prints a word, and the second of which takes what it gives and runs this. */
function pipelineFiles(word: string, train: string): Record<string, string> {
	return {
		'pipeline.yml': [
			'type: pipeline',
			'experiment_name: steps',
			'jobs:',
			'  prep:',
			...STEP,
			`    command: echo ${word}; echo 1 > \${{outputs.data}}/x.txt`,
			'    outputs:',
			'      data:',
			'        type: uri_folder',
			'  train:',
			...STEP,
			`    command: cat \${{inputs.data}}/x.txt; ${train}`,
			'    inputs:',
			'      data: ${{parent.jobs.prep.outputs.data}}',
			'',
		].join('\n'),
	};
}

const SWEEP = [
	'type: sweep',
	'trial:',
	'  command: echo rate ${{search_space.rate}}',
	'  environment: azureml:python-stdlib:1',
	'compute: azureml:cpu-cluster',
	'search_space:',
	'  rate:',
	'    type: choice',
	'    values: [0.1, 0.2]',
	'sampling_algorithm: grid',
	'objective:',
	'  primary_metric: accuracy',
	'  goal: maximize',
	'limits:',
	'  max_total_trials: 2',
	'  max_concurrent_trials: 1',
	'',
].join('\n');

/** A pipeline with a parallel step whose script raises at each file. */
const PARALLEL = {
	'pipeline.yml': [
		'type: pipeline',
		'inputs:',
		'  files:',
		'    type: uri_folder',
		'    path: files',
		'jobs:',
		'  score:',
		'    type: parallel',
		'    compute: azureml:cpu-cluster',
		'    mini_batch_size: "1"',
		'    error_threshold: 0',
		'    retry_settings: {max_retries: 0}',
		'    input_data: ${{inputs.files}}',
		'    inputs:',
		'      files: ${{parent.inputs.files}}',
		'    task:',
		'      type: run_function',
		'      code: src',
		'      entry_script: score.py',
		'      environment: azureml:python-stdlib:1',
		'',
	].join('\n'),
	'files/a.txt': '1',
	'src/score.py': "def init():\n    pass\n\n\ndef run(mini_batch):\n    raise ValueError('no such column')\n",
};

let site: Site;
let good: ActionRun;
let again: ActionRun;
let bad: ActionRun;
let sweep: ActionRun;
let parallel: ActionRun;

beforeAll(async () => {
	site = await openSite();
	const run = (name: string, files: Record<string, string>): Promise<ActionRun> =>
		site.run({ 'job-file': Object.keys(files)[0] ?? '', 'job-name': name }, { files });
	[good, bad, sweep, parallel] = await Promise.all([
		run('steps', pipelineFiles('preparing', 'echo trained')),
		run('stumbles', pipelineFiles('stumbling', 'echo about to break; echo ValueError, no data; exit 3')),
		run('trials', { 'sweep.yml': SWEEP }),
		run('parallel', PARALLEL),
	]);
	again = await run('again', pipelineFiles('preparing', 'echo trained'));
}, 180_000);

afterAll(() => site?.close());

const groupsOf = ({ stdout }: ActionRun): string[] =>
	readLog(stdout).flatMap((line) => (line.kind === 'command' && line.command === 'group' ? [line.message] : []));
/** Which run's log was shown, live or in a group. */
const ownersOf = (run: ActionRun): string[] =>
	[...groupsOf(run), ...shownLines(run.stdout).filter((line) => line.startsWith('── '))].flatMap(
		(line) => /^(?:── )?(.+) · user_logs\//.exec(line)?.[1] ?? [],
	);

describe('a pipeline', () => {
	test('shows the log of each step once', () => {
		expect([good.code, errorsOf(good.stdout)]).toEqual([0, []]);
		const lines = shownLines(good.stdout);
		expect(lines.filter((line) => ['preparing', 'trained'].includes(line))).toEqual(['preparing', 'trained']);
		expect(ownersOf(good).sort()).toEqual(['prep', 'train']);
	});

	test('tells what became of each step', () => {
		const told = shownLines(good.stdout).filter((line) => /^ {2}step \w+: Completed/.test(line));
		expect(told.map((line) => line.split(':')[0]?.trim()).sort()).toEqual(['step prep', 'step train']);
	});

	test('is drawn in the summary', () => {
		expect(good.summaryMarkdown).toMatch(/```mermaid\nflowchart LR\n {2}s0\["prep<br\/>Completed/);
		expect(good.summaryMarkdown).toContain('  s0 --> s1');
		expect(good.summaryMarkdown).toContain('### Steps');
	});

	test('that runs again says which steps are reused', () => {
		expect(again.code).toBe(0);
		expect(shownLines(again.stdout).filter((line) => /^ {2}step \w+: reused from run /.test(line))).toHaveLength(2);
		expect(again.summaryMarkdown).toContain('reused from');
	});

	test('that fails names the step, why, and shows its last lines', () => {
		expect(bad.code).toBe(1);
		const [error] = errorsOf(bad.stdout);
		expect(error).toMatch(/^The job stumbles ended as Failed: step train failed\. /);
		expect(shownLines(bad.stdout)).toContain('ValueError, no data');
		expect(bad.summary).toContain('ValueError, no data');
	});
});

test('a parallel step that fails shows what its script has raised', () => {
	expect(parallel.code).toBe(1);
	expect(groupsOf(parallel)).toContainEqual(expect.stringMatching(/^score · logs\/user\/error\.txt$/));
	expect(shownLines(parallel.stdout).join('\n')).toContain('ValueError: no such column');
	expect(errorsOf(parallel.stdout)[0]).toMatch(/^The job parallel ended as Failed: step score failed\. /);
});

test('a sweep shows each trial', () => {
	expect([sweep.code, errorsOf(sweep.stdout)]).toEqual([0, []]);
	const lines = shownLines(sweep.stdout).filter((line) => line.startsWith('rate '));
	expect(lines.sort()).toEqual(['rate 0.1', 'rate 0.2']);
	expect(sweep.summaryMarkdown).toContain('### Trials');
});
