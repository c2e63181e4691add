// Workflows that are cancelled or killed: what becomes of the job in Azure ML, of its processes, and of the step.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AzureClient, openClient } from './azure-client.ts';
import { ENDLESS, jobFiles } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Request, type Site } from './site.ts';

const PID = /^pid (\d+)$/m;

let site: Site;
let client: AzureClient;

beforeAll(async () => {
	site = await openSite();
	client = await openClient(site.emulator);
}, 60_000);

afterAll(() => site?.close());

interface Cancelled extends ActionRun {
	/** The job's name. */
	readonly job: string;
	/** Cancel requests of the main and of the post step. */
	readonly cancels: { readonly main: readonly Request[]; readonly post: readonly Request[] };
	/** Process id of the training program. */
	readonly pid: number;
}

/** Trains for ever and is stopped when the program has been heard of. */
async function stopped(
	name: string,
	signal: 'SIGINT' | 'SIGKILL',
	inputs: Readonly<Record<string, string>> = {},
): Promise<Cancelled> {
	const run = await site.run(
		{ 'job-file': 'job.yml', 'job-name': name, ...inputs },
		{ files: jobFiles(ENDLESS), cancel: { when: (stdout) => PID.test(stdout), signal } },
	);
	const cancels = site.requests().filter(({ line }) => line === `POST jobs/${name}/cancel`);
	return {
		...run,
		job: name,
		pid: Number(PID.exec(run.stdout)?.[1]),
		cancels: {
			main: cancels.filter(({ at }) => at <= run.endedAt),
			post: cancels.filter(({ at }) => at > run.endedAt),
		},
	};
}

/** The job's state once it has ended, or after five seconds. */
async function finalState(name: string): Promise<string | undefined> {
	const state = (): string | undefined => site.emulator.jobs().find((job) => job.name === name)?.status;
	for (let turn = 0; turn < 100 && !['Canceled', 'Completed', 'Failed'].includes(state() ?? ''); turn += 1)
		await new Promise((resolve) => setTimeout(resolve, 50));
	return state();
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

describe('a cancelled workflow', () => {
	let run: Cancelled;

	beforeAll(async () => {
		run = await stopped('cancelled', 'SIGINT');
	}, 60_000);

	test('cancels the job at once', async () => {
		expect(run.cancels.main).toMatchObject([{ status: 202 }]);
		expect(await finalState('cancelled')).toBe('Canceled');
	});

	test('leaves no process of the training', async () => {
		await finalState('cancelled');
		expect(run.pid).toBeGreaterThan(1);
		expect(isAlive(run.pid)).toBe(false);
	});

	test('ends red before the runner would send its next signal', () => {
		expect([run.code, run.signal]).toEqual([1, null]);
		expect(run.tookToStop).toBeLessThan(7_000);
	});

	test('says so, and names the job', () => {
		expect(run.summary).toMatch(/cancelled[\s\S]*The job cancelled was told to stop/);
		expect(run.outputs['job-name']).toBe('cancelled');
	});

	test('leaves nothing to do for the post step', () => {
		expect([run.post.code, run.cancels.post]).toEqual([0, []]);
	});
});

describe('a killed step', () => {
	let run: Cancelled;

	beforeAll(async () => {
		run = await stopped('killed', 'SIGKILL');
	}, 60_000);

	test('could do nothing itself', () => {
		expect([run.signal, run.cancels.main]).toEqual(['SIGKILL', []]);
	});

	test('has its job cancelled by the post step', async () => {
		expect(run.cancels.post).toMatchObject([{ status: 202 }]);
		expect(run.post.code).toBe(0);
		expect(await finalState('killed')).toBe('Canceled');
		expect(isAlive(run.pid)).toBe(false);
	});
});

describe('on-cancel: detach', () => {
	test.each(['SIGINT', 'SIGKILL'] as const)(
		'leaves the job alone after %s',
		async (signal) => {
			const name = `detached-${signal.toLowerCase()}`;
			const run = await stopped(name, signal, { 'on-cancel': 'detach' });
			expect([run.cancels.main, run.cancels.post]).toEqual([[], []]);
			expect(site.emulator.jobs().find((job) => job.name === name)?.status).toBe('Running');
			expect(isAlive(run.pid)).toBe(true);
			await client.post(`/jobs/${name}/cancel`);
			expect(await finalState(name)).toBe('Canceled');
		},
		30_000,
	);
});

describe('a submission that is under way', () => {
	test.each([
		['SIGINT', 1],
		['SIGKILL', null],
	] as const)(
		'leaves no job behind after %s',
		async (signal, code) => {
			const name = `early-${signal.toLowerCase()}`;
			const submits = (): Request[] => site.requests().filter(({ line }) => line === `PUT jobs/${name}`);
			const path = new RegExp(`/jobs/${name}`);
			const forget = site.emulator.faults.add({ face: 'arm', method: 'PUT', path, effect: { delayMs: 1_200 } });
			const run = await site.run(
				{ 'job-file': 'job.yml', 'job-name': name },
				{ files: jobFiles(ENDLESS), cancel: { when: () => submits().length > 0, signal } },
			);
			forget();
			expect(run.code).toBe(code);
			expect(run.tookToStop).toBeLessThan(7_000);
			expect(submits()).toHaveLength(1);
			expect(await finalState(name)).toBe('Canceled');
		},
		30_000,
	);
});
