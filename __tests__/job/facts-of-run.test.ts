import { describe, expect, test } from '@jest/globals';
import { OWNER_PROPERTY, runTags, withRunFacts } from '../../src/job/facts-of-run.ts';
import { CONTENT_PROPERTY } from '../../src/job/reuse.ts';
import { trackOf } from '../../src/job/track.ts';
import { runContext } from '../fixtures/run-context.ts';

const PULL_REQUEST = runContext({ pullRequest: 7, branch: 'feature/x', headSha: 'b'.repeat(40) });
const OWN = { owner: 'owner', jobFile: 'iris.yml', content: 'c0ffee' };
const TRACK_TAGS = {
	'github.job_file': 'iris.yml',
	[trackOf(PULL_REQUEST, 'iris.yml')?.tag ?? '']: 'iris.yml for pull request 7',
};

describe('the tags of a run', () => {
	test('say where it comes from', () => {
		expect(runTags(PULL_REQUEST)).toEqual({
			'github.repository': 'octo/iris',
			'github.commit': 'b'.repeat(40),
			'github.branch': 'feature/x',
			'github.pull_request': '7',
			'github.run_url': 'https://github.com/octo/iris/actions/runs/4711',
		});
	});

	test('leave out what is not known, and fit', () => {
		const run = runContext({ repository: undefined, sha: undefined, runUrl: undefined, branch: 'x'.repeat(2000) });
		expect(Object.entries(runTags(run)).map(([key, value]) => [key, value.length])).toEqual([['github.branch', 1000]]);
	});
});

describe('a job body', () => {
	const body = { properties: { jobType: 'Command', tags: { team: 'blue' }, properties: { own: '1' } } };

	test('gets the facts, beside what its file says', () => {
		expect(
			withRunFacts(body, PULL_REQUEST, { ...OWN, owner: 'iris-4711-abc', jobFile: './iris.yml' }).properties,
		).toEqual({
			jobType: 'Command',
			tags: { ...runTags(PULL_REQUEST), ...TRACK_TAGS, team: 'blue' },
			properties: {
				'mlflow.source.git.repoURL': 'https://github.com/octo/iris',
				'mlflow.source.git.branch': 'feature/x',
				'mlflow.source.git.commit': 'b'.repeat(40),
				[OWNER_PROPERTY]: 'iris-4711-abc',
				own: '1',
				[CONTENT_PROPERTY]: 'c0ffee',
			},
		});
	});

	test('made from the name of a branch keeps the originals as tags', () => {
		const written = { properties: { ...body.properties, experimentName: 'pr/feature/x' } };
		const { experimentName, tags } = withRunFacts(written, PULL_REQUEST, {
			...OWN,
			writtenName: 'iris-feature/x',
		}).properties;
		expect(experimentName).toBe('pr-feature-x');
		expect(tags).toMatchObject({ 'github.job_name': 'iris-feature/x', 'github.experiment_name': 'pr/feature/x' });
	});

	test('keeps what its file says of git and of tags, but nothing that could give it to another run', () => {
		const written = {
			properties: {
				tags: { 'github.branch': 'main', 'github.track.0123456789abcdef': 'job.yml for branch main', team: 'blue' },
				properties: { 'mlflow.source.git.commit': 'c', [OWNER_PROPERTY]: 'forged', [CONTENT_PROPERTY]: 'forged' },
			},
		};
		const { tags, properties } = withRunFacts(written, PULL_REQUEST, OWN).properties;
		expect(tags).toEqual({ ...runTags(PULL_REQUEST), ...TRACK_TAGS, team: 'blue' });
		expect(properties).toEqual({
			'mlflow.source.git.commit': 'c',
			[OWNER_PROPERTY]: 'owner',
			[CONTENT_PROPERTY]: 'c0ffee',
		});
	});

	test('without tags and properties gets them', () => {
		const { tags, properties } = withRunFacts({ properties: { tags: null } }, PULL_REQUEST, OWN).properties;
		expect(tags).toEqual({ ...runTags(PULL_REQUEST), ...TRACK_TAGS });
		expect(properties).toMatchObject({ [OWNER_PROPERTY]: 'owner' });
	});
});
