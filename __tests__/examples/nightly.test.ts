// examples/nightly: trains when code, parameters or data are new, and takes the job of an earlier night otherwise.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, type Stage } from './scene.ts';
import { actionOf } from './workflow.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('nightly');
});
afterAll(() => stage?.close());

async function night(runId: string) {
	const { code, outputs } = actionOf((await stage.run('nightly.yml', { event: 'schedule', runId }))['train']);
	const { 'job-name': job, 'job-reused': reused, 'model-version': version } = outputs;
	return { code, job, reused, version };
}

test('only what is new is trained', async () => {
	const first = await night('1');
	expect(first).toMatchObject({ code: 0, version: '1' });
	expect(first.reused).not.toBe('true');

	expect(await night('2')).toEqual({ ...first, reused: 'true' });

	const data = await stage.client.get('/data/iris-rows/versions/1');
	const { dataUri, dataType } = data['properties'] as Record<string, unknown>;
	await stage.client.put('/data/iris-rows/versions/2', { properties: { dataUri, dataType } });
	const third = await night('3');
	expect(third).toMatchObject({ code: 0, version: '2' });
	expect(third.job).not.toBe(first.job);

	stage.edit('job.yml', 'neighbours: 5', 'neighbours: 105');
	const fourth = await night('4');
	expect(fourth.code).toBe(0);
	expect(fourth.version).toBeUndefined();
});
