// Workflows that are cancelled or killed: what becomes of the job in Azure ML, of its processes, and of the step.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { finalState, isAlive } from './aftermath.ts';
import { type AzureClient, openClient } from './azure-client.ts';
import { ENDLESS, jobFiles } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Request, type Site } from './site.ts';

const PID = /^pid (\d+)$/m;
/** Some of these tests wait for the end of a job. */

let site: Site;
let client: AzureClient;
let runs: Awaited<ReturnType<typeof runAll>>;

beforeAll(async () => {
	site = await openSite();
	client = await openClient(site.emulator);
	runs = await runAll();
});

afterAll(() => site?.close());

/** The runs of this file, side by side: they wait for most of their time. */
async function runAll() {
	const detach = { 'on-cancel': 'detach' };
	const [cancelled, killed, detached, detachedKilled] = await Promise.all([
		stopped('cancelled', 'SIGINT'),
		stopped('killed', 'SIGKILL'),
		stopped('detached-sigint', 'SIGINT', detach),
		stopped('detached-sigkill', 'SIGKILL', detach),
	]);
	return {
		cancelled,
		killed,
		detached: { SIGINT: detached, SIGKILL: detachedKilled },
	};
}

interface Cancelled extends ActionRun {
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
	return withCancels(name, run);
}

function withCancels(name: string, run: ActionRun): Cancelled {
	const cancels = requests('POST', `jobs/${name}/cancel`);
	return {
		...run,
		pid: Number(PID.exec(run.stdout)?.[1]),
		cancels: {
			main: cancels.filter(({ at }) => at <= run.endedAt),
			post: cancels.filter(({ at }) => at > run.endedAt),
		},
	};
}

function requests(method: string, path: string): Request[] {
	return site.requests().filter(({ line }) => line === `${method} ${path}`);
}

describe('a cancelled workflow', () => {
	test('cancels the job at once', async () => {
		expect(runs.cancelled.cancels.main).toMatchObject([{ status: 202 }]);
		expect(await finalState(site, 'cancelled')).toBe('Canceled');
	});

	test('leaves no process of the training', async () => {
		await finalState(site, 'cancelled');
		expect(runs.cancelled.pid).toBeGreaterThan(1);
		expect(isAlive(runs.cancelled.pid)).toBe(false);
	});

	test('ends red before the runner would send its next signal', () => {
		expect([runs.cancelled.code, runs.cancelled.signal]).toEqual([1, null]);
		expect(runs.cancelled.tookToStop).toBeLessThan(7_000);
	});

	test('says so, and names the job', () => {
		expect(runs.cancelled.summary).toMatch(/cancelled[\s\S]*The job cancelled was told to stop/);
		expect(runs.cancelled.outputs['job-name']).toBe('cancelled');
	});

	test('leaves nothing to do for the post step', () => {
		expect([runs.cancelled.post.code, runs.cancelled.cancels.post]).toEqual([0, []]);
	});
});

describe('a killed step', () => {
	test('could do nothing itself', () => {
		expect([runs.killed.signal, runs.killed.cancels.main]).toEqual(['SIGKILL', []]);
	});

	test('has its job cancelled by the post step', async () => {
		expect(runs.killed.cancels.post).toMatchObject([{ status: 202 }]);
		expect(runs.killed.post.code).toBe(0);
		expect(await finalState(site, 'killed')).toBe('Canceled');
		expect(isAlive(runs.killed.pid)).toBe(false);
	});
});

test.each(['SIGINT', 'SIGKILL'] as const)('on-cancel: detach leaves the job alone after %s', async (signal) => {
	const run = runs.detached[signal];
	const name = `detached-${signal.toLowerCase()}`;
	expect([run.cancels.main, run.cancels.post]).toEqual([[], []]);
	expect(site.emulator.jobs().find((job) => job.name === name)?.status).toBe('Running');
	expect(isAlive(run.pid)).toBe(true);
	await client.post(`/jobs/${name}/cancel`);
	expect(await finalState(site, name)).toBe('Canceled');
});
