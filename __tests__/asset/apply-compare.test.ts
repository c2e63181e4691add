// What the service makes of a body must not count as a difference, and every real difference must.
import { describe, expect, test } from '@jest/globals';
import { contentDifferences, labelDifferences, tellDifferences } from '../../src/asset/apply-compare.ts';
import type { JsonObject } from '../../src/json.ts';

const WORKSPACE = '/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/W';
const LONG = 'azureml://subscriptions/S/resourcegroups/G/workspaces/W/datastores/store/paths';

type Kind = Parameters<typeof contentDifferences>[0];

const fields = (kind: Kind, ours: JsonObject, theirs: JsonObject): string[] =>
	contentDifferences(kind, ours, theirs, WORKSPACE).map(({ field }) => field);

describe('an environment', () => {
	const conda = 'channels:\n- conda-forge\ndependencies:\n- python=3.10\n- pip:\n  - mlflow\nname: x\n';
	const asJson = JSON.stringify(
		{ channels: ['conda-forge'], dependencies: ['python=3.10', { pip: ['mlflow'] }], name: 'x' },
		null,
		2,
	);
	const ours = { image: 'ubuntu:24.04', condaFile: conda };

	test('is the same with its conda file as JSON and with what the service adds', () => {
		const theirs = {
			...ours,
			condaFile: asJson,
			osType: 'Linux',
			environmentType: 'UserCreated',
			build: null,
			tags: {},
		};
		expect(fields('environments', ours, theirs)).toEqual([]);
	});

	test('is another with one other package, and says which', () => {
		const theirs = { ...ours, condaFile: asJson.replace('3.10', '3.9') };
		const [difference, ...more] = contentDifferences('environments', ours, theirs, WORKSPACE);
		expect(more).toEqual([]);
		expect(difference).toEqual({ field: 'condaFile.dependencies.0', file: 'python=3.10', workspace: 'python=3.9' });
	});

	test('is another when the workspace has more of what makes it', () => {
		expect(fields('environments', { image: 'a' }, { image: 'a', condaFile: asJson })).toEqual(['condaFile']);
		const more = asJson.replace('"name"', '"prefix": "/x", "name"');
		expect(fields('environments', ours, { ...ours, condaFile: more })).toEqual(['condaFile.prefix']);
	});

	test('has an empty conda file in the workspace when it has a build context', () => {
		const build = { contextUri: 'https://a.blob.core.windows.net/c/LocalUpload/h/ctx/' };
		const theirs = { build: { contextUri: 'https://a.blob.core.windows.net:443/c/LocalUpload/h/ctx' }, condaFile: '' };
		expect(fields('environments', { build }, theirs)).toEqual([]);
		const other = { build: { contextUri: 'https://a.blob.core.windows.net/c/LocalUpload/other/ctx/' } };
		expect(fields('environments', { build }, other)).toEqual(['build.contextUri']);
	});
});

describe('a data asset', () => {
	const ours = {
		dataType: 'mltable',
		dataUri: 'azureml://datastores/store/paths/LocalUpload/h/t',
		referencedUris: ['./a'],
	};

	test('is the same under the long form of its URI', () => {
		expect(fields('data', ours, { ...ours, dataUri: `${LONG}/LocalUpload/h/t/` })).toEqual([]);
	});

	test('is another in another datastore, workspace or place', () => {
		for (const dataUri of [
			`${LONG}/LocalUpload/H/t`,
			`${LONG.replace('/store/', '/other/')}/LocalUpload/h/t`,
			`${LONG.replace('workspaces/W', 'workspaces/V')}/LocalUpload/h/t`,
		]) {
			expect(fields('data', ours, { ...ours, dataUri })).toEqual(['dataUri']);
		}
		expect(fields('data', ours, { ...ours, dataType: 'uri_folder' })).toEqual(['dataType']);
	});
});

describe('a model', () => {
	const ours = { modelType: 'mlflow_model', modelUri: `${LONG}/LocalUpload/h/m`, stage: 'Production' };

	test('is the same at the place of the copy that the service makes', () => {
		const modelUri = `${LONG.replace('resourcegroups', 'resourceGroups')}/ServiceReplicated/789c-1/LocalUpload/h/m`;
		expect(fields('models', ours, { ...ours, modelUri, flavors: { sklearn: { data: {} } }, stage: null })).toEqual([]);
	});

	test('is another with other files or another type', () => {
		const theirs = { modelType: 'custom_model', modelUri: `${LONG}/LocalUpload/other/m` };
		expect(fields('models', ours, theirs)).toEqual(['modelType', 'modelUri']);
	});
});

describe('a component', () => {
	const spec = {
		$schema: 'https://x',
		_source: 'YAML.COMPONENT',
		name: 'c',
		version: '1',
		type: 'command',
		is_deterministic: true,
		command: 'echo',
		code: `azureml:${WORKSPACE}/codes/abc/versions/1`,
		environment: 'azureml:AzureML-sklearn-1.0:33',
		inputs: { n: { type: 'integer', default: 3, optional: false }, s: { type: 'string' } },
	};
	const answer = {
		name: 'c',
		version: '1',
		type: 'command',
		is_deterministic: 'True',
		command: 'echo',
		code: `azureml:${WORKSPACE.toLowerCase()}/codes/abc/versions/1`,
		environment: 'azureml://registries/azureml/environments/AzureML-sklearn-1.0/versions/33',
		inputs: { n: { type: 'Integer', default: '3' }, s: { type: 'String' } },
		resources: { instance_count: '1' },
	};
	const compare = (ours: object, theirs: object): string[] =>
		fields('components', { componentSpec: ours as JsonObject }, { componentSpec: theirs as JsonObject });

	test('is the same as the service writes it', () => {
		expect(compare(spec, answer)).toEqual([]);
	});

	test('is the same where a label has become a version', () => {
		expect(compare({ ...spec, environment: 'azureml:AzureML-sklearn-1.0@latest' }, answer)).toEqual([]);
		const shared = 'azureml://registries/azureml/environments/sklearn-1.5/labels/latest';
		const environment = 'azureml://registries/azureml/environments/sklearn-1.5/versions/12';
		expect(compare({ ...spec, environment: shared }, { ...answer, environment })).toEqual([]);
	});

	test('is another with another environment, code, command, default, or number of inputs', () => {
		expect(compare({ ...spec, environment: 'azureml:AzureML-sklearn-1.0:34' }, answer)).toEqual(['environment']);
		expect(compare({ ...spec, code: `azureml:${WORKSPACE}/codes/abd/versions/1` }, answer)).toEqual(['code']);
		expect(compare({ ...spec, command: 'Echo' }, answer)).toEqual(['command']);
		expect(compare({ ...spec, inputs: { ...spec.inputs, n: { type: 'integer', default: 4 } } }, answer)).toEqual([
			'inputs.n.default',
		]);
		expect(compare({ ...spec, inputs: { n: spec.inputs.n } }, answer)).toEqual(['inputs.s']);
		expect(compare({ ...spec, inputs: { ...spec.inputs, t: {} } }, answer)).toEqual(['inputs.t']);
		expect(compare({ ...spec, is_deterministic: false }, answer)).toEqual(['is_deterministic']);
	});
});

describe('labels', () => {
	test('are no content, but are told', () => {
		const ours = { image: 'a', description: 'new', tags: { team: 'x' } };
		const theirs = { image: 'a', description: 'old', tags: { team: 'x', added: 'later' } };
		expect(fields('environments', ours, theirs)).toEqual([]);
		expect(labelDifferences('environments', ours, theirs)).toEqual(['description']);
		expect(labelDifferences('environments', ours, { ...theirs, tags: { team: 'y' } })).toEqual([
			'description',
			'tags.team',
		]);
	});

	test("of a component are its spec's", () => {
		const ours = { description: 'd', componentSpec: { description: 'd', display_name: 'One' } };
		expect(labelDifferences('components', ours, { description: null, componentSpec: ours.componentSpec })).toEqual([]);
		const other = { componentSpec: { description: 'd', display_name: 'Two' } };
		expect(labelDifferences('components', ours, other)).toEqual(['display_name']);
	});
});

test('differences are told with both values, clipped, and not without end', () => {
	const many = Array.from({ length: 7 }, (_, place) => ({
		field: `f${place}`,
		file: 'x'.repeat(500),
		workspace: null,
	}));
	const told = tellDifferences(many);
	expect(told).toMatch(/^`f0` is "x{100,120}… in the file and absent in the workspace; /);
	expect(told).toMatch(/; and 2 more fields\.$/);
});
