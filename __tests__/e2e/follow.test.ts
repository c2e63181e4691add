// Following a job, or not: the live log, `wait: false`, attaching by name, re-runs of a workflow run, and time limits.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDLESS, type Gate, jobFiles, makeGate, printing } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site, type SiteRequest } from './site.ts';
import { annotationsOf, errorsOf, masksOf, readLog, shownLines } from './workflow-log.ts';

const JOB = { 'job-file': 'job.yml' };
const BEFORE = ['step 0', 'step 1', 'step 2'];
const AFTER = ['step 3', 'step 4', 'done'];
/** Lines of a training log that would act on the runner if they were printed as they are. */
const HOSTILE = [
	'::error file=train.py,line=1::not ours',
	'  ::set-output name=job-name::stolen',
	'::add-mask::Completed',
	'##[error]not ours',
	'::stop-commands::forever',
	'before\rafter ::warning::not ours',
];

let site: Site;
let runs: Awaited<ReturnType<typeof runAll>>;

beforeAll(async () => {
	site = await openSite();
	runs = await runAll();
});

afterAll(() => site?.close());

/** The runs of this file, side by side: they wait for most of their time. */
async function runAll() {
	const [lively, hostile, pair, again, cancelled, detached] = await Promise.all([
		runLively(),
		site.run({ ...JOB, 'job-name': 'hostile' }, { files: jobFiles(printing(HOSTILE)) }),
		submitThenAttach(),
		runThrice(),
		site.run({ ...JOB, 'job-name': 'too-long', 'timeout-minutes': '0.05' }, { files: jobFiles(ENDLESS) }),
		site.run(
			{ ...JOB, 'job-name': 'long', 'timeout-minutes': '0.05', 'on-timeout': 'detach' },
			{ files: jobFiles(ENDLESS) },
		),
	]);
	return { lively, hostile, ...pair, again, cancelled, detached };
}

/** The job goes on only when the log shows what it has printed: a log that is not live would never end. */
function runLively(): Promise<ActionRun> {
	const gate = makeGate();
	return site.run(
		{ ...JOB, 'job-name': 'lively' },
		opening(gate, /^step 2$/m, { files: jobFiles(gate.program(BEFORE, AFTER)) }),
	);
}

async function submitThenAttach(): Promise<{ submitted: ActionRun; attached: ActionRun }> {
	const gate = makeGate();
	const files = jobFiles(gate.program(BEFORE, AFTER));
	const submitted = await site.run({ ...JOB, 'job-name': 'left', wait: 'false', 'model-name': 'later' }, { files });
	const follow = { 'job-name': 'left', 'model-name': 'later', 'model-path': 'model' };
	const attached = await site.run(follow, opening(gate, /^step 2$/m));
	return { submitted, attached };
}

/** Three attempts of one workflow run: the second while the job of the first is alive, the third when it has ended. */
async function runThrice(): Promise<readonly [ActionRun, ActionRun, ActionRun]> {
	const gate = makeGate();
	const files = jobFiles(gate.program(BEFORE, AFTER));
	const attempt = (number: string) => ({ GITHUB_RUN_ID: '777', GITHUB_RUN_ATTEMPT: number });
	const first = await site.run({ ...JOB, wait: 'false' }, { files, env: attempt('1') });
	const second = await site.run(JOB, opening(gate, /is alive already/, { files, env: attempt('2') }));
	const third = await site.run({ ...JOB, wait: 'false' }, { files, env: attempt('3') });
	return [first, second, third];
}

/** Opens the gate as soon as the log matches. */
function opening(gate: Gate, pattern: RegExp, request: SiteRequest = {}): SiteRequest {
	let log = '';
	return {
		...request,
		onOutput: (text) => {
			log += text;
			if (pattern.test(log)) gate.open();
		},
	};
}

const stateOf = (job: string | undefined): string | undefined =>
	site.emulator.jobs().find(({ name }) => name === job)?.status;
const submissions = (job: string | undefined): number =>
	site.requests().filter(({ line }) => line === `PUT jobs/${job}`).length;
const cancels = (job: string | undefined): number =>
	site.requests().filter(({ line }) => line === `POST jobs/${job}/cancel`).length;
const trainingLines = ({ stdout }: ActionRun): string[] =>
	shownLines(stdout).filter((line) => [...BEFORE, ...AFTER].includes(line));

describe('the log of a job', () => {
	test('is shown while the job runs', () => {
		expect([runs.lively.code, errorsOf(runs.lively.stdout)]).toEqual([0, []]);
		expect(stateOf('lively')).toBe('Completed');
	});

	test('is shown once and in order', () => {
		expect(trainingLines(runs.lively)).toEqual([...BEFORE, ...AFTER]);
	});

	test('cannot act on the runner', () => {
		const { code, stdout, outputs } = runs.hostile;
		expect([code, annotationsOf(stdout), outputs['job-status']]).toEqual([0, [], 'Completed']);
		const commands = readLog(stdout).flatMap((line) => (line.kind === 'command' ? [line.command] : []));
		expect([...new Set(commands)].sort()).toEqual(['add-mask', 'debug']);
		expect(masksOf(stdout)).not.toContain('Completed');
		expect(stdout).not.toContain('##[');
		expect(outputs['job-name']).toBe('hostile');
		expect(stdout).toContain('not ours');
	});
});

describe('wait: false', () => {
	test('ends with the job submitted and alive', () => {
		expect([runs.submitted.code, errorsOf(runs.submitted.stdout)]).toEqual([0, []]);
		expect(runs.submitted.outputs['job-name']).toBe('left');
		expect(['Completed', 'Failed', 'Canceled']).not.toContain(runs.submitted.outputs['job-status']);
	});

	test('leaves the job to itself: neither step cancels it', () => {
		expect([submissions('left'), cancels('left')]).toEqual([1, 0]);
	});

	test('registers nothing, and says why', () => {
		expect(runs.submitted.outputs['model-id']).toBeUndefined();
		expect(runs.submitted.summary).toMatch(/Nothing was .*registered/);
	});
});

describe('job-name without job-file', () => {
	test('follows the job that is there, from its first line on', () => {
		expect([runs.attached.code, errorsOf(runs.attached.stdout)]).toEqual([0, []]);
		expect(trainingLines(runs.attached)).toEqual([...BEFORE, ...AFTER]);
		expect(stateOf('left')).toBe('Completed');
	});

	test('goes on as if it had submitted it', () => {
		const made = { 'job-name': 'left', 'job-status': 'Completed', 'model-id': 'azureml:later:1' };
		expect(runs.attached.outputs).toMatchObject(made);
		expect(submissions('left')).toBe(1);
	});
});

describe('a workflow run that is run again', () => {
	test('follows the job that is alive instead of training twice', () => {
		const [first, second] = runs.again;
		const job = first.outputs['job-name'];
		expect([first.code, second.code]).toEqual([0, 0]);
		expect(second.outputs).toMatchObject({ 'job-name': job, 'job-status': 'Completed' });
		expect(submissions(job)).toBe(1);
		expect(trainingLines(second)).toEqual([...BEFORE, ...AFTER]);
	});

	test('trains anew when that job has ended', () => {
		const [first, , third] = runs.again;
		expect(third.code).toBe(0);
		expect(third.outputs['job-name']).not.toBe(first.outputs['job-name']);
		expect(submissions(third.outputs['job-name'])).toBe(1);
	});
});

describe('timeout-minutes', () => {
	test('cancels the job and fails', () => {
		const { code, stdout, outputs, took } = runs.cancelled;
		expect(code).toBe(1);
		expect(errorsOf(stdout)).toEqual([expect.stringMatching(/too-long.*`timeout-minutes`/)]);
		expect([cancels('too-long'), stateOf('too-long')]).toEqual([1, 'Canceled']);
		expect(outputs['job-status']).toBe('Canceled');
		expect(took).toBeGreaterThan(3_000);
	});

	test('with on-timeout: detach leaves it running and ends green with a warning', () => {
		const { code, stdout, outputs } = runs.detached;
		expect([code, errorsOf(stdout)]).toEqual([0, []]);
		const warnings = annotationsOf(stdout).filter(({ level }) => level === 'warning');
		expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(/job-name: long/)]);
		expect([cancels('long'), stateOf('long')]).toEqual([0, 'Running']);
		expect(['Completed', 'Failed', 'Canceled']).not.toContain(outputs['job-status']);
	});
});
