// Following a job, or not: the live log, `wait: false`, attaching by name, re-runs of a workflow run, and time limits.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AzureClient, openClient } from './azure-client.ts';
import { ENDLESS, jobFiles, printing } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { annotationsOf, errorsOf, masksOf, readLog, shownLines } from './workflow-log.ts';

let site: Site;
let client: AzureClient;

beforeAll(async () => {
	site = await openSite();
	client = await openClient(site.emulator);
}, 60_000);

afterAll(() => site?.close());

const stateOf = (job: string | undefined): string | undefined =>
	site.emulator.jobs().find(({ name }) => name === job)?.status;
const submissions = (job: string | undefined): number =>
	site.requests().filter(({ line }) => line === `PUT jobs/${job}`).length;
const cancels = (job: string | undefined): number =>
	site.requests().filter(({ line }) => line === `POST jobs/${job}/cancel`).length;

describe('the log of a job', () => {
	const written = Array.from({ length: 12 }, (_, step) => `step ${step}`);
	let run: ActionRun;
	let ended: number;

	beforeAll(async () => {
		run = await site.run({ 'job-file': 'job.yml', 'job-name': 'lively' }, { files: jobFiles(printing(written, 0.4)) });
		ended = Date.parse(String((await client.run('lively'))['endTimeUtc']));
	}, 60_000);

	test('is shown while the job runs', () => {
		expect(run.code).toBe(0);
		const seen = run.pieces.filter(({ text }) => /^step \d+$/m.test(text)).map(({ at }) => at);
		expect(seen.length).toBeGreaterThan(2);
		expect(seen[0]).toBeLessThan(ended - 1_500);
	});

	test('is shown once and in order', () => {
		expect(shownLines(run.stdout).filter((line) => line.startsWith('step '))).toEqual(written);
	});
});

describe('a log from a stranger', () => {
	const hostile = [
		'::error file=train.py,line=1::not ours',
		'  ::set-output name=job-name::stolen',
		'::add-mask::Completed',
		'##[error]not ours',
		'::stop-commands::forever',
		'before\rafter ::warning::not ours',
	];

	test('is shown, but nothing in it acts', async () => {
		const run = await site.run({ 'job-file': 'job.yml' }, { files: jobFiles(printing(hostile)) });
		expect(run.code).toBe(0);
		expect(annotationsOf(run.stdout)).toEqual([]);
		const commands = readLog(run.stdout).flatMap((line) => (line.kind === 'command' ? [line] : []));
		expect([...new Set(commands.map(({ command }) => command))].sort()).toEqual(['add-mask', 'debug']);
		expect(masksOf(run.stdout)).not.toContain('Completed');
		expect(run.stdout).not.toContain('##[');
		expect(run.outputs['job-status']).toBe('Completed');
		expect(run.stdout).toContain('not ours');
	}, 30_000);
});

describe('wait: false', () => {
	let run: ActionRun;
	let attached: ActionRun;

	beforeAll(async () => {
		const files = jobFiles(printing(['one', 'two', 'three'], 1));
		run = await site.run({ 'job-file': 'job.yml', wait: 'false', 'model-name': 'later' }, { files });
	}, 30_000);

	test('ends with the job submitted and alive', () => {
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		expect(['Completed', 'Failed', 'Canceled']).not.toContain(run.outputs['job-status']);
		expect(submissions(run.outputs['job-name'])).toBe(1);
	});

	test('is not cancelled by the post step', () => {
		expect(cancels(run.outputs['job-name'])).toBe(0);
	});

	test('registers nothing, and says why', () => {
		expect(run.outputs['model-id']).toBeUndefined();
		expect(run.summary).toMatch(/Nothing was registered/);
	});

	test('leaves a job that another step can follow by its name', async () => {
		const job = run.outputs['job-name'] ?? '';
		attached = await site.run({ 'job-name': job, 'model-name': 'later' });
		expect([attached.code, errorsOf(attached.stdout)]).toEqual([0, []]);
		expect(attached.outputs).toMatchObject({
			'job-name': job,
			'job-status': 'Completed',
			'model-id': 'azureml:later:1',
		});
		expect(submissions(job)).toBe(1);
		expect(shownLines(attached.stdout).filter((line) => /^(one|two|three)$/.test(line))).toEqual([
			'one',
			'two',
			'three',
		]);
		expect(stateOf(job)).toBe('Completed');
	}, 30_000);
});

describe('a workflow run that is run again', () => {
	const inputs = { 'job-file': 'job.yml' };
	let job: string;
	let runs: ActionRun[];

	beforeAll(async () => {
		const request = { files: jobFiles(printing(['trained'], 2.5)) };
		const env = (attempt: string) => ({ GITHUB_RUN_ID: '777', GITHUB_RUN_ATTEMPT: attempt });
		const first = await site.run({ ...inputs, wait: 'false' }, { ...request, env: env('1') });
		job = first.outputs['job-name'] ?? '';
		const second = await site.run(inputs, { ...request, env: env('2') });
		const third = await site.run({ ...inputs, wait: 'false' }, { ...request, env: env('3') });
		runs = [first, second, third];
	}, 60_000);

	test('follows the job that is alive instead of training twice', () => {
		expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
		expect(runs[1]?.outputs).toMatchObject({ 'job-name': job, 'job-status': 'Completed' });
		expect(submissions(job)).toBe(1);
	});

	test('trains anew when that job has ended', () => {
		const again = runs[2]?.outputs['job-name'];
		expect(again).not.toBe(job);
		expect(submissions(again)).toBe(1);
	});
});

describe('timeout-minutes', () => {
	const limits = { 'job-file': 'job.yml', 'timeout-minutes': '0.05' };

	test('cancels the job and fails', async () => {
		const run = await site.run({ ...limits, 'job-name': 'too-long' }, { files: jobFiles(ENDLESS) });
		expect(run.code).toBe(1);
		expect(errorsOf(run.stdout)).toEqual([expect.stringMatching(/too-long.*`timeout-minutes`/)]);
		expect([cancels('too-long'), stateOf('too-long')]).toEqual([1, 'Canceled']);
		expect(run.outputs['job-status']).toBe('Canceled');
		expect(run.took).toBeGreaterThan(3_000);
	}, 30_000);

	test('with on-timeout: detach leaves it running and ends green with a warning', async () => {
		const run = await site.run(
			{ ...limits, 'job-name': 'long', 'on-timeout': 'detach' },
			{ files: jobFiles(printing(['still here'], 8)) },
		);
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		const warnings = annotationsOf(run.stdout).filter(({ level }) => level === 'warning');
		expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(/job-name: long/)]);
		expect([cancels('long'), stateOf('long')]).toEqual([0, 'Running']);
		expect(run.outputs).toMatchObject({ 'job-name': 'long', 'job-status': 'Running' });
	}, 30_000);
});
