import { afterEach, describe, expect, test } from '@jest/globals';
import { findBaseJob } from '../../src/job/base-job.ts';
import { baseTrackOf } from '../../src/job/track.ts';
import { type JobListScene, jobList, type ListedResource } from '../fixtures/job-list.ts';
import { memoryLog } from '../fixtures/memory-log.ts';
import { runContext } from '../fixtures/run-context.ts';
import { JOB } from '../fixtures/run-report.ts';

const EVENT = { pull_request: { number: 7, base: { ref: 'main' } } };
const PULL_REQUEST = runContext({ pullRequest: 7, event: EVENT, branch: 'feature' });
const TAG = baseTrackOf(PULL_REQUEST, 'iris.yml')?.track.tag ?? '';

const open: JobListScene[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

const onMain = (name: string, day: string, status = 'Completed', tag = TAG): ListedResource => ({
	name,
	status,
	createdAt: `2026-01-${day}T00:00:00Z`,
	tags: { [tag]: 'x' },
});

async function find(
	jobs: readonly ListedResource[],
	{ run = PULL_REQUEST, file = 'iris.yml', job = JOB, fault = 0 } = {},
) {
	const scene = await jobList(jobs, { fault, metrics: { accuracy: 0.9 } });
	open.push(scene);
	const log = memoryLog();
	const parts = { workspace: scene.workspace, log, signal: new AbortController().signal, run };
	return { base: await findBaseJob(job, file === '' ? undefined : file, parts), scene, log };
}

describe('the job to compare with', () => {
	test('is the newest Completed one of the same file on the base branch', async () => {
		const { base, scene } = await find([
			onMain('old', '01'),
			onMain('new', '05'),
			onMain('failed', '08', 'Failed'),
			onMain('other', '09', 'Completed', 'github.track.other'),
		]);
		expect(base).toEqual({ label: 'main', job: 'new', runId: 'new', metrics: { accuracy: 0.9 } });
		expect(scene.queries[0]?.get('tag')).toBe(TAG);
	});

	test('on the base branch itself is the one before', async () => {
		const run = runContext({ event: { repository: { default_label: 'main' } } });
		const { base } = await find([onMain(JOB.name, '05'), onMain('before', '03')], { run });
		expect(base?.job).toBe('before');
	});

	test('may be the very job that a pull request has reused', async () => {
		expect((await find([onMain(JOB.name, '05')])).base?.job).toBe(JOB.name);
	});

	test('of a job that is only followed is known by its tag', async () => {
		const job = { ...JOB, tags: { 'github.job_file': 'iris.yml' } };
		expect((await find([onMain('new', '05')], { file: '', job })).base?.job).toBe('new');
		expect((await find([onMain('new', '05')], { file: '' })).base).toBeUndefined();
	});

	test('is none where there is none', async () => {
		expect((await find([])).base).toBeUndefined();
	});

	test('is none where the list cannot be read; the log says so and nothing fails', async () => {
		const { base, log } = await find([onMain('new', '05')], { fault: 403 });
		expect(base).toBeUndefined();
		expect(log.lines.join()).toMatch(/not compared with those of main: .*Not for you/);
	});
});
