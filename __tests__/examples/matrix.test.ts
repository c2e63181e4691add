// examples/matrix: legs of one workflow run train side by side, each its own job and model.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { matrixOf } from './matrix.ts';
import { openStage, type Stage } from './scene.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('matrix');
});
afterAll(() => stage?.close());

test('each leg has its own job, data and model', async () => {
	const { train: legs = [] } = await stage.run('matrix.yml', { event: 'push' });
	expect(legs.map(({ result, matrix }) => [result, matrix['region'], matrix['neighbours']])).toEqual([
		['success', 'north', 3],
		['success', 'north', 7],
		['success', 'south', 3],
		['success', 'south', 7],
	]);
	const outputs = legs.flatMap(({ steps }) => steps.flatMap(({ run }) => (run === undefined ? [] : [run.outputs])));
	expect(new Set(outputs.map((one) => one['job-name'])).size).toBe(4);
	expect(outputs.map((one) => one['model-id'])).toEqual([
		'azureml:iris-north-3:1',
		'azureml:iris-north-7:1',
		'azureml:iris-south-3:1',
		'azureml:iris-south-7:1',
	]);
	const uris = stage.scene.emulator.jobs().map(({ properties }) => JSON.stringify(properties['inputs']));
	expect(uris.filter((inputs) => inputs.includes('north.csv'))).toHaveLength(2);
});

test('combinations are in the order of the axes, and there is one where there is no matrix', () => {
	expect(matrixOf({ a: [1, 2], b: ['x'] })).toEqual([
		{ a: 1, b: 'x' },
		{ a: 2, b: 'x' },
	]);
	expect(matrixOf({})).toEqual([{}]);
});
