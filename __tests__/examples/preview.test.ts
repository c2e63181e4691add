// examples/preview: an endpoint for each pull request, which goes when the pull request is closed.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, pullRequest, type Stage } from './scene.ts';
import { actionOf, only } from './workflow.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('preview');
});
afterAll(() => stage?.close());

test('the endpoint comes with the pull request and goes with it', async () => {
	const first = actionOf((await stage.run('preview.yml', pullRequest(7, 'opened', '1')))['preview']);
	expect(first).toMatchObject({ code: 0, outputs: { 'endpoint-name': 'iris-pr-7' } });
	expect(stage.comments(7)).toEqual([expect.stringContaining('iris-pr-7')]);
	const answer = await stage.client.score('iris-pr-7', '{"data": [[5.1, 3.5, 1.4, 0.2]]}');
	expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('setosa') });

	stage.edit('job.yml', 'neighbours: 5', 'neighbours: 9');
	expect(actionOf((await stage.run('preview.yml', pullRequest(7, 'synchronize', '2')))['preview']).code).toBe(0);
	const [endpoint, ...others] = stage.scene.emulator.endpoints();
	expect([endpoint?.deployments.length, others]).toEqual([1, []]);

	const closed = await stage.run('teardown.yml', pullRequest(7, 'closed', '3'));
	expect(only(closed['teardown']).result).toBe('success');
	expect(stage.scene.emulator.endpoints()).toEqual([]);
	expect(stage.comments(7)).toHaveLength(1);
});

test('taking it down twice, or never having had one, is no failure', async () => {
	const closed = await stage.run('teardown.yml', pullRequest(8, 'closed', '4'));
	expect(only(closed['teardown']).result).toBe('success');
});

test('each workflow is started by its own events', async () => {
	await expect(stage.run('preview.yml', pullRequest(7, 'closed', '5'))).rejects.toThrow('not started');
	await expect(stage.run('teardown.yml', pullRequest(7, 'opened', '6'))).rejects.toThrow('not started');
});
