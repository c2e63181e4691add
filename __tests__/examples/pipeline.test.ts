// examples/pipeline: three steps that hand files on; the metric of one is the gate, an output of another is the model.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, type Stage } from './scene.ts';
import { actionOf } from './workflow.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('pipeline');
});
afterAll(() => stage?.close());

test('is judged by its last step, and registers what its middle one has made', async () => {
	const run = actionOf((await stage.run('pipeline.yml', { event: 'push' }))['pipeline']);
	expect(run).toMatchObject({ code: 0, outputs: { 'gates-passed': 'true', 'model-id': 'azureml:iris-pipeline:1' } });
	expect(run.stdout).toContain('of 45 recognised');
	expect(run.summary).toMatch(/prepare[\s\S]*train[\s\S]*evaluate/);
	const files = (await stage.scene.emulator.blobs()).map(({ name }) => name);
	expect(files).toContainEqual(expect.stringMatching(/means\.json$/));
});
