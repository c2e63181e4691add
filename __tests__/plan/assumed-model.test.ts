import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { assumeModel, type ModelWish } from '../../src/plan/assumed-model.ts';
import { JOB } from '../fixtures/run-report.ts';

const checkout = mkdtempSync(join(tmpdir(), 'assumed-'));
mkdirSync(join(checkout, 'local'));
afterAll(() => rmSync(checkout, { recursive: true }));

function assume(outputs: Record<string, string>, wish: Partial<ModelWish> = {}) {
	const typed = Object.fromEntries(Object.entries(outputs).map(([name, type]) => [name, { type }]));
	const job = { ...JOB, name: 'j', outputs: typed };
	return assumeModel({ path: undefined, file: undefined, checkout, mlflow: false, ...wish }, job);
}
const ARTIFACTS = 'azureml://jobs/j/outputs/artifacts/paths';

describe('without a path', () => {
	test('an output of a model type is certain', async () => {
		const { path, file, undecided } = await assume({ default: 'uri_folder', m: 'mlflow_model' });
		expect([path, file, undecided.length]).toEqual([undefined, undefined, 1]);
	});

	test('the folder called model, or the only one, is taken, but not for certain', async () => {
		expect(await assume({ a: 'uri_folder', model: 'uri_folder' })).toMatchObject({ path: 'model', file: undefined });
		const only = await assume({ a: 'uri_folder', default: 'uri_folder' }, { mlflow: true });
		expect(only).toMatchObject({ path: 'a', file: { type: 'mlflow_model' } });
		expect(only.undecided[0]).toContain('`a`');
	});

	test('else the model is what the job logs', async () => {
		const found = await assume({ a: 'uri_folder', b: 'uri_folder' });
		expect(found).toMatchObject({ path: `${ARTIFACTS}/{detected}/`, file: { type: 'mlflow_model' } });
	});
});

describe('a path', () => {
	test.each(['azureml://datastores/d/paths/m', 'runs:/r/model'])('%s is taken as it is', async (path) => {
		expect(await assume({}, { path })).toMatchObject({ path, undecided: [expect.stringContaining('metrics')] });
	});

	test('that is an output stays one, its type open where it is a plain folder', async () => {
		expect((await assume({ m: 'custom_model' }, { path: 'm' })).undecided).toHaveLength(1);
		const open = await assume({ m: 'uri_folder' }, { path: './m/below', mlflow: true });
		expect(open).toMatchObject({ path: './m/below', file: { type: 'mlflow_model' } });
		expect(open.undecided).toHaveLength(2);
	});

	test('in the checkout stays one', async () => {
		expect(await assume({}, { path: 'local' })).toMatchObject({
			path: 'local',
			undecided: [expect.stringContaining('artifact'), expect.anything()],
		});
	});

	test('that is nothing yet is taken for an artifact of the job', async () => {
		expect(await assume({}, { path: './out/model/' })).toMatchObject({ path: `${ARTIFACTS}/out/model` });
	});
});
