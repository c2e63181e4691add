// A workflow that is cancelled, or a step that is killed, at every stage of training: one cancel request at once where
// there is a job to stop, none where there is none, and never a job left running.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fault } from '../../emulator/ledger.ts';
import { finalState, isAlive } from './aftermath.ts';
import { ENDLESS, jobFiles } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Request, type Site } from './site.ts';

type Signal = 'SIGINT' | 'SIGKILL';

/** A stage of training, and how a run is brought to it and held there. */
interface Phase {
	readonly files: (name: string) => Readonly<Record<string, string>>;
	readonly inputs?: Readonly<Record<string, string>>;
	/** What is answered late, so that the run is still there when the signal comes. */
	readonly slow?: (name: string) => Fault;
	/** Whether the run has come to the stage. */
	readonly reached: (name: string, stdout: string) => boolean;
	/** What is to become of the job. */
	readonly job: 'none' | 'cancelled' | 'ended';
}

const LONG = { delayMs: 12_000 };
const PID = /^pid (\d+)$/m;
/** A few milliseconds on a quiet machine; the runner gives seven and a half seconds. */
const AT_ONCE = 5_000;
/** The post step has to start, to sign in and to look at the job first. */
const AFTER_KILL = 5_000;
const trained = (name: string): Record<string, string> => jobFiles(writing(name));

const PHASES: Readonly<Record<string, Phase>> = {
	'sign-in': {
		files: () => jobFiles(ENDLESS),
		slow: () => ({ face: 'entra', method: 'POST', path: /token/, effect: LONG }),
		reached: () => asked(({ face, method }) => face === 'entra' && method === 'POST'),
		job: 'none',
	},
	upload: {
		files: (name) => ({ ...jobFiles(ENDLESS), [`src/${name}.txt`]: name }),
		slow: (name) => ({ face: 'storage', method: 'PUT', path: new RegExp(`${name}\\.txt`), effect: LONG }),
		reached: (name) => asked(({ method, path }) => method === 'PUT' && path.includes(`${name}.txt`)),
		job: 'none',
	},
	submission: {
		files: () => jobFiles(ENDLESS),
		slow: (name) => ({ face: 'arm', method: 'PUT', path: new RegExp(`/jobs/${name}`), effect: { delayMs: 500 } }),
		reached: (name) => asked(({ line }) => line === `PUT jobs/${name}`),
		job: 'cancelled',
	},
	queue: {
		files: () => jobFiles(ENDLESS),
		reached: (name) => site.emulator.jobs().some((job) => job.name === name && job.status === 'Queued'),
		job: 'cancelled',
	},
	run: {
		files: () => jobFiles(ENDLESS),
		reached: (_, stdout) => PID.test(stdout),
		job: 'cancelled',
	},
	'child-run': {
		files: () => ({ 'job.yml': PIPELINE }),
		reached: (_, stdout) => PID.test(stdout),
		job: 'cancelled',
	},
	'last-log': {
		files: trained,
		reached: (name, stdout) => stdout.includes(`Job ${name}: Completed`),
		job: 'ended',
	},
	metrics: {
		files: trained,
		slow: (name) => ({ face: 'mlflow', path: new RegExp(`runs/get\\?.*${name}`), effect: LONG }),
		reached: (name) => asked(({ face, query }) => face === 'mlflow' && query['run_id'] === name),
		job: 'ended',
	},
	download: {
		files: trained,
		inputs: { download: 'all' },
		slow: (name) => ({ face: 'storage', method: 'GET', path: new RegExp(`${name}\\.bin`), effect: LONG }),
		reached: (name) => asked(({ method, path }) => method === 'GET' && path.includes(`${name}.bin`)),
		job: 'ended',
	},
};

const PIPELINE = [
	'type: pipeline',
	'jobs:',
	'  only:',
	'    type: command',
	'    command: python -u -c "import os, time; print(\'pid\', os.getpid()); time.sleep(300)"',
	'    environment: azureml:python-stdlib:1',
	'    compute: azureml:cpu-cluster',
	'',
].join('\n');

/** A program that writes its model into a file of this name. */
function writing(name: string): string {
	return [
		'import pathlib, sys',
		'folder = pathlib.Path(sys.argv[1])',
		'folder.mkdir(parents=True, exist_ok=True)',
		`(folder / '${name}.bin').write_text('42')`,
		"print('trained')",
	].join('\n');
}

interface Stopped extends ActionRun {
	readonly cancels: readonly Request[];
	/** When the step got its signal, in milliseconds since the epoch. */
	readonly stoppedAt: number;
}

const CASES = Object.keys(PHASES).flatMap((phase) =>
	(['SIGINT', 'SIGKILL'] as const).map((signal): [string, Signal] => [phase, signal]),
);

let site: Site;
const runs = new Map<string, Stopped>();

beforeAll(async () => {
	// A job is seen in the queue for as long as its states take.
	site = await openSite({ jobStateDelayMs: 700 });
	// One after the other for each signal: a busy machine would be slow to take signals, which is not what is measured.
	for (const signal of ['SIGINT', 'SIGKILL'] as const) {
		await stop('sign-in', signal);
		const others = Object.keys(PHASES).filter((phase) => phase !== 'sign-in');
		for (let next = 0; next < others.length; next += 3)
			await Promise.all(others.slice(next, next + 3).map((phase) => stop(phase, signal)));
	}
}, 300_000);

afterAll(() => site?.close());

function asked(matches: (request: Request) => boolean): boolean {
	return site.requests().some(matches);
}

function nameOf(phase: string, signal: Signal): string {
	return `${phase}-${signal.toLowerCase()}`;
}

async function stop(phase: string, signal: Signal): Promise<void> {
	const { files, inputs, slow, reached } = PHASES[phase] as Phase;
	const name = nameOf(phase, signal);
	const since = site.emulator.requests.length;
	const quicken = slow === undefined ? () => {} : site.emulator.faults.add(slow(name));
	let stoppedAt = Number.NaN;
	const when = (stdout: string): boolean => {
		// Who signs in leaves no name behind.
		const there = phase === 'sign-in' ? site.requests(since).some(isSignIn) : reached(name, stdout);
		if (!there || !Number.isNaN(stoppedAt)) return there;
		stoppedAt = Date.now();
		quicken();
		return true;
	};
	const run = await site.run(
		{ 'job-file': 'job.yml', 'job-name': name, ...inputs },
		{ files: files(name), cancel: { when, signal } },
	);
	quicken();
	const cancels = site.requests(since).filter(({ line }) => line === `POST jobs/${name}/cancel`);
	runs.set(name, { ...run, cancels, stoppedAt });
}

function isSignIn({ face, method }: Request): boolean {
	return face === 'entra' && method === 'POST';
}

function runOf(phase: string, signal: Signal): Stopped {
	const run = runs.get(nameOf(phase, signal));
	if (run === undefined) throw new Error(`${phase} was not run.`);
	return run;
}

describe.each(CASES)('during the %s, %s', (phase, signal) => {
	const { job } = PHASES[phase] as Phase;
	const name = nameOf(phase, signal);

	test('comes in time to be of interest', () => {
		expect(runOf(phase, signal).stoppedAt).not.toBeNaN();
	});

	test(`leaves ${job === 'cancelled' ? 'one cancel request, sent at once' : 'no cancel request'}`, () => {
		const { cancels, stoppedAt, endedAt } = runOf(phase, signal);
		expect(cancels).toHaveLength(job === 'cancelled' ? 1 : 0);
		for (const { at, status } of cancels) {
			expect(status).toBe(202);
			if (signal === 'SIGINT') expect(at - stoppedAt).toBeLessThan(AT_ONCE);
			else expect(at - endedAt).toBeLessThan(AFTER_KILL);
		}
	});

	test('leaves no job running, and no process of one', async () => {
		const wanted = { none: undefined, cancelled: 'Canceled', ended: 'Completed' }[job];
		expect(await finalState(site, name)).toBe(wanted);
		const pid = Number(PID.exec(runOf(phase, signal).stdout)?.[1] ?? 0);
		expect(pid > 1 && isAlive(pid)).toBe(false);
	});

	test('ends the step before the runner would send its next signal', () => {
		const { code, signal: killed, tookToStop, post } = runOf(phase, signal);
		expect([code, killed]).toEqual(signal === 'SIGINT' ? [1, null] : [null, 'SIGKILL']);
		expect(tookToStop).toBeLessThan(7_000);
		expect(post.code).toBe(0);
	});
});

test('a run that is cancelled during the submission names its job all the same', () => {
	expect(runOf('submission', 'SIGINT').outputs).toMatchObject({ 'job-name': 'submission-sigint' });
});

test('the report of a cancelled run tells the state that the job was last seen in', () => {
	const { outputs } = runOf('run', 'SIGINT');
	expect(outputs).toMatchObject({
		'job-name': 'run-sigint',
		'job-status': expect.stringMatching(/^Cancel(ed|Requested)$/),
	});
});
