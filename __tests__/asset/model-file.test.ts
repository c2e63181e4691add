import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { longDatastoreUri, modelBody, readModelDetails, readModelFile } from '../../src/asset/model-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';

const WORKSPACE = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w';
const LONG = 'azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'model-'));
	mkdirSync(path.join(folder, 'model'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (yaml: string): ReturnType<typeof readModelFile> =>
	readModelFile(loadYaml(`name: m\n${yaml}`, 'm.yml', folder));
const body = (yaml: string): unknown =>
	modelBody(read(yaml), WORKSPACE, () => 'azureml://datastores/blob/paths/LocalUpload/h/model', false).properties;

test.each([
	[
		'a local folder becomes a long URI',
		'path: model',
		{ modelType: 'custom_model', modelUri: `${LONG}/blob/paths/LocalUpload/h/model` },
	],
	['a short URI becomes long', 'path: azureml://datastores/d/paths/m', { modelUri: `${LONG}/d/paths/m` }],
	[
		'an output of a job stays',
		'path: azureml://jobs/j/outputs/artifacts/paths/model/\ntype: mlflow_model',
		{ modelType: 'mlflow_model', modelUri: 'azureml://jobs/j/outputs/artifacts/paths/model/' },
	],
	['a run stays', 'path: runs:/r/model', { modelUri: 'runs:/r/model' }],
	[
		'flavors, stage and the rest',
		'path: runs:/r/model\nflavors: {python_function: {python_version: 3.8}}\nstage: Production\ndescription: d\nproperties: {p: 1}',
		{
			flavors: { python_function: { data: { python_version: '3.8' } } },
			stage: 'Production',
			description: 'd',
			properties: { p: '1' },
		},
	],
])('%s', (_, yaml, expected) => {
	expect(body(yaml)).toMatchObject(expected);
});

test('a URI that is long already stays', () => {
	expect(longDatastoreUri(WORKSPACE, `${LONG}/d/paths/m`)).toBe(`${LONG}/d/paths/m`);
});

test.each([
	['no path', 'type: custom_model', /needs the key 'path'/],
	['a missing path', 'path: nope', /nothing is there/],
	['a strange type', 'path: model\ntype: onnx', /'custom_model', 'mlflow_model', 'triton_model'/],
])('%s is refused', (_, yaml, message) => {
	expect(() => read(yaml)).toThrow(message);
});

test('what inputs or a job may say can be left out of the details', () => {
	const details = readModelDetails(loadYaml('description: d\ntags: {a: 1}', 'm.yml', folder));
	expect(details).toMatchObject({
		name: undefined,
		type: undefined,
		source: undefined,
		description: 'd',
		tags: new Map([['a', '1']]),
	});
});
