// examples/sweep: every trial runs, the best one is judged, and its model is registered.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { errorsOf } from '../e2e/workflow-log.ts';
import { openStage, type Stage } from './scene.ts';
import { actionOf } from './workflow.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('sweep');
});
afterAll(() => stage?.close());

test('the model of the best trial is registered', async () => {
	const run = actionOf((await stage.run('sweep.yml', { event: 'workflow_dispatch' }))['sweep']);
	expect(errorsOf(run.stdout)).toEqual([]);
	expect(run).toMatchObject({ code: 0, outputs: { 'gates-passed': 'true', 'model-id': 'azureml:iris-sweep:1' } });
	const sweep = run.outputs['job-name'];
	const scores = await Promise.all([0, 1, 2, 3].map((n) => stage.client.metrics(`${sweep}_${n}`)));
	expect(new Set(scores.map(({ accuracy }) => accuracy)).size).toBeGreaterThan(1);
	const best = Math.max(...scores.map(({ accuracy = 0 }) => accuracy));
	const { properties } = await stage.client.get('/models/iris-sweep/versions/1');
	expect(properties).toMatchObject({ tags: { 'metric.accuracy': String(best) } });
});
