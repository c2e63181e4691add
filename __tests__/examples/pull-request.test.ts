// examples/pull-request: main trains; a pull request trains, is compared with main, and has one comment.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, pullRequest, type Stage } from './scene.ts';
import { actionOf, only } from './workflow.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('pull-request');
});
afterAll(() => stage?.close());

test('a pull request has one comment, with its metrics and their change against main', async () => {
	const main = await stage.run('train.yml', { event: 'push', runId: '1' });
	expect(actionOf(main['train'])).toMatchObject({ code: 0, outputs: { 'job-status': 'Completed' } });
	expect(stage.comments(7)).toEqual([]);

	stage.edit('job.yml', 'neighbours: 5', 'neighbours: 9');
	const first = actionOf((await stage.run('train.yml', pullRequest(7, 'opened', '2')))['train']);
	expect(first).toMatchObject({ code: 0, outputs: { 'gates-passed': 'true' } });
	expect(stage.comments(7)).toEqual([expect.stringMatching(/accuracy/)]);
	expect(stage.comments(7)[0]).toMatch(/main/);

	const second = actionOf((await stage.run('train.yml', pullRequest(7, 'synchronize', '3')))['train']);
	expect(second.code).toBe(0);
	expect(stage.comments(7)).toEqual([expect.stringContaining(second.outputs['job-name'] ?? '-')]);
});

test('a model that is too poor is red, and says why', async () => {
	stage.edit('job.yml', 'neighbours: 9', 'neighbours: 105');
	const run = actionOf((await stage.run('train.yml', pullRequest(8, 'opened', '4')))['train']);
	expect(run).toMatchObject({ code: 1, outputs: { 'gates-passed': 'false' } });
	expect(stage.comments(8)).toEqual([expect.stringContaining('accuracy >= 0.9')]);
});

test("a fork's pull request is left alone", async () => {
	const jobs = await stage.run('train.yml', pullRequest(9, 'opened', '5', 'stranger/octo-repo'));
	expect(only(jobs['train']).result).toBe('skipped');
});
