import { describe, expect, test } from '@jest/globals';
import { baseTrackOf, jobFileName, trackOf } from '../../src/job/track.ts';
import { runContext } from '../fixtures/run-context.ts';

const run = runContext({ checkout: '/work/repo' });
const tagOf = (other: Parameters<typeof runContext>[0], file = 'job.yml'): string | undefined =>
	trackOf(runContext({ checkout: '/work/repo', ...other }), file)?.tag;

describe('the track of a run', () => {
	test('is told by a tag that holds nothing but letters, digits and dots', () => {
		expect(trackOf(run, 'jobs/job.yml')).toEqual({
			tag: expect.stringMatching(/^github\.track\.[0-9a-f]{16}$/),
			text: 'jobs/job.yml for branch main',
			subject: 'branch main',
		});
	});

	test('is the same however the workflow writes the path', () => {
		expect(
			new Set(['jobs/job.yml', './jobs/job.yml', '/work/repo/jobs/job.yml'].map((file) => tagOf({}, file))).size,
		).toBe(1);
		expect(jobFileName(run, './jobs/../job.yml')).toBe('job.yml');
	});

	test('differs by repository, job file, pull request and branch', () => {
		const tags = [
			tagOf({}),
			tagOf({ repository: 'octo/other' }),
			tagOf({}, 'other.yml'),
			tagOf({ branch: 'next' }),
			tagOf({ pullRequest: 7 }),
			tagOf({ pullRequest: 8 }),
			tagOf({ ref: 'refs/tags/main' }),
		];
		expect(new Set(tags).size).toBe(tags.length);
	});

	test('of a pull request is that of its number, whatever its branch', () => {
		expect(tagOf({ pullRequest: 7, branch: 'a' })).toBe(tagOf({ pullRequest: 7, branch: 'b' }));
	});

	test('of a workflow that another one started is that of the other one', () => {
		const started = (name: string, from: string): string | undefined =>
			trackOf(
				runContext({
					eventName: 'workflow_run',
					event: { workflow_run: { head_branch: name, head_repository: { full_name: from } } },
				}),
				'job.yml',
			)?.subject;
		expect(started('feature', 'octo/iris')).toBe('branch feature');
		expect(started('main', 'stranger/iris')).toBe('branch main of stranger/iris');
	});

	test('is none outside of a repository or a branch', () => {
		expect(tagOf({ repository: undefined })).toBeUndefined();
		expect(tagOf({ branch: undefined })).toBeUndefined();
	});
});

describe('the track to compare with', () => {
	const event = { pull_request: { base: { ref: 'release' } }, repository: { default_branch: 'trunk' } };

	test('is that of the base branch, as a push to it has it', () => {
		const base = baseTrackOf(runContext({ pullRequest: 7, event, checkout: '/work/repo' }), 'job.yml');
		expect(base).toEqual({ branch: 'release', track: expect.objectContaining({ tag: tagOf({ branch: 'release' }) }) });
	});

	test('is that of the default branch outside of pull requests', () => {
		const { repository } = event;
		expect(baseTrackOf(runContext({ event: { repository }, branch: 'feature' }), 'job.yml')?.branch).toBe('trunk');
		expect(baseTrackOf(runContext({ event: undefined }), 'job.yml')?.branch).toBe('main');
		expect(baseTrackOf(runContext({ event: undefined, pullRequest: 7 }), 'job.yml')).toBeUndefined();
	});
});
