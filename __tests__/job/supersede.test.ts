import { afterEach, describe, expect, test } from '@jest/globals';
import { cancelSuperseded } from '../../src/job/supersede.ts';
import { trackOf } from '../../src/job/track.ts';
import type { RunContext } from '../../src/run-context.ts';
import { type JobListScene, jobList, type ListedResource } from '../fixtures/job-list.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { runContext } from '../fixtures/run-context.ts';

const RUN = runContext({ pullRequest: 7, runId: '200' });
const TRACK = trackOf(RUN, 'job.yml');

function job(name: string, runId: string, status: string, tag = TRACK?.tag ?? ''): ListedResource {
	const url = `https://github.com/octo/iris/actions/runs/${runId}`;
	return { name, status, tags: { [tag]: 'x', 'github.repository': 'octo/iris', 'github.run_url': url } };
}

const open: JobListScene[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

async function supersede(
	jobs: readonly ListedResource[],
	{
		run = RUN,
		signal = new AbortController().signal,
		...service
	}: {
		run?: RunContext;
		signal?: AbortSignal;
		refused?: string;
		fault?: number;
	} = {},
) {
	const scene = await jobList(jobs, service);
	open.push(scene);
	const log: MemoryLog = memoryLog();
	const parts = { workspace: scene.workspace, log, clock: scene.clock, signal, run };
	const result = await cancelSuperseded(trackOf(run, 'job.yml'), parts);
	return { scene, log, result };
}

describe('jobs of earlier runs', () => {
	test('are cancelled where they live, found on every page and by a tag', async () => {
		const jobs = [
			job('running', '100', 'Running'),
			job('done', '101', 'Completed'),
			job('failed', '102', 'Failed'),
			job('queued', '103', 'Queued'),
			job('going', '104', 'CancelRequested'),
			job('lost', '105', 'NotResponding'),
		];
		const { scene, result, log } = await supersede(jobs);
		expect([...scene.cancelled].sort()).toEqual(['lost', 'queued', 'running']);
		expect(result.every(({ cancelled }) => cancelled)).toBe(true);
		expect(scene.queries[0]?.get('tag')).toBe(TRACK?.tag);
		expect(scene.queries).toHaveLength(3);
		expect(log.lines.join('\n')).toContain('running (Running) of an earlier run for pull request 7');
	});

	test.each([
		['of this very run', job('own', '200', 'Running')],
		['of a later run', job('later', '1000', 'Running')],
		['of another track, though the service lists it', job('other', '100', 'Running', 'github.track.other')],
		['that do not say of which run', { name: 'nameless', status: 'Running', tags: { [TRACK?.tag ?? '']: 'x' } }],
	])('%s are let be', async (_, other) => {
		const { scene, result } = await supersede([other]);
		expect([scene.cancelled, result]).toEqual([[], []]);
	});

	test('of another repository are let be, even under the same tag', async () => {
		const foreign = job('foreign', '100', 'Running');
		const tags = { ...foreign.tags, 'github.repository': 'octo/other' };
		expect((await supersede([{ ...foreign, tags }])).scene.cancelled).toEqual([]);
	});

	test('that cannot be cancelled are told, and the others are cancelled all the same', async () => {
		const jobs = [job('stubborn', '100', 'Running'), job('meek', '101', 'Running')];
		const { result, log } = await supersede(jobs, { refused: 'stubborn' });
		expect(result).toEqual([
			{ name: 'stubborn', cancelled: false },
			{ name: 'meek', cancelled: true },
		]);
		expect(log.annotations).toEqual([expect.objectContaining({ kind: 'warning' })]);
	});
});

describe('nothing is cancelled', () => {
	test('where the list cannot be read: a warning says so', async () => {
		const { result, log } = await supersede([job('running', '100', 'Running')], { fault: 403 });
		expect(result).toEqual([]);
		expect(log.annotations[0]?.text).toMatch(/may go on: .*Not for you/);
	});

	test('outside of a workflow run', async () => {
		const { scene, log } = await supersede([job('running', '100', 'Running')], {
			run: runContext({ runId: undefined, pullRequest: 7 }),
		});
		expect(scene.queries).toEqual([]);
		expect(log.annotations[0]?.text).toContain('needs a workflow run');
	});

	test('once the workflow is cancelled', async () => {
		const stop = new AbortController();
		stop.abort(new Error('stopped'));
		await expect(supersede([job('running', '100', 'Running')], { signal: stop.signal })).rejects.toThrow('stopped');
	});
});
