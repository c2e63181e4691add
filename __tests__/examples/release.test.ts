// examples/release: a release trains, is judged against the champion, and goes into service step by step.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, type Stage } from './scene.ts';
import { actionOf, only, type Trigger } from './workflow.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('release', {
		adjust: (inputs) => ({ ...inputs, traffic: String(inputs['traffic']).replaceAll('5m', '0.1s') }),
	});
});
afterAll(() => stage?.close());

const release = (tag: string, runId: string): Trigger => ({
	event: 'release',
	ref: `refs/tags/${tag}`,
	payload: { action: 'published', release: { tag_name: tag } },
	runId,
});

test('each release takes the traffic over; one that is too poor changes nothing', async () => {
	const first = await stage.run('release.yml', release('v1', '1'));
	expect(only(first['release']).result).toBe('success');
	expect(actionOf(first['release']).outputs).toMatchObject({ 'deployment-name': 'blue', 'model-version': '1' });

	stage.edit('job.yml', 'neighbours: 5', 'neighbours: 7');
	const second = actionOf((await stage.run('release.yml', release('v2', '2')))['release']);
	expect(second).toMatchObject({ code: 0, outputs: { 'deployment-name': 'green', 'model-version': '2' } });
	const [endpoint] = stage.scene.emulator.endpoints();
	expect(endpoint?.deployments.map(({ name }) => name)).toEqual(['green']);
	expect(endpoint?.trafficHistory.map(({ traffic }) => traffic['green'] ?? 0)).toEqual(
		expect.arrayContaining([10, 50, 100]),
	);

	stage.edit('job.yml', 'neighbours: 7', 'neighbours: 105');
	const third = actionOf((await stage.run('release.yml', release('v3', '3')))['release']);
	expect(third).toMatchObject({ code: 1, outputs: { 'gates-passed': 'false' } });
	expect(third.outputs).not.toHaveProperty('model-version');
	const answer = await stage.client.score('iris-release', '{"data": [[5.1, 3.5, 1.4, 0.2]]}');
	expect(answer).toMatchObject({ status: 200, deployment: 'green', text: expect.stringContaining('setosa') });
});

test('a draft starts nothing', async () => {
	const draft = { ...release('v4', '4'), payload: { action: 'created', release: { tag_name: 'v4' } } };
	await expect(stage.run('release.yml', draft)).rejects.toThrow('is not started by release');
});
