import { describe, expect, test } from '@jest/globals';
import { namedId, parseAssetReference, parseNamedReference } from '../../src/asset/reference.ts';

const at = { file: 'x.yml', line: 1 };
const ARM = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w';

describe('assets', () => {
	test.each([
		['azureml:env:3', { form: 'version', name: 'env', version: '3' }],
		['azureml:env:1.0:rc', { form: 'version', name: 'env', version: '1.0:rc' }],
		['azureml:env:a@b', { form: 'version', name: 'env', version: 'a@b' }],
		['azureml:env@latest', { form: 'label', name: 'env', label: 'latest' }],
		['azureml:e@v@latest', { form: 'label', name: 'e@v', label: 'latest' }],
		[`azureml:${ARM}/environments/e/versions/1`, { form: 'id', id: `${ARM}/environments/e/versions/1` }],
		[`${ARM}/environments/e/versions/1`, { form: 'id', id: `${ARM}/environments/e/versions/1` }],
		['azureml://registries/r/environments/e/versions/1', { form: 'uri' }],
		['https://example.org/x', { form: 'uri' }],
		['${{parent.inputs.e}}', { form: 'uri' }],
		['azureml:AzureML-sklearn-1.5@latest', { form: 'uri', uri: 'azureml:AzureML-sklearn-1.5@latest' }],
	])('%s', (written, expected) => {
		expect(parseAssetReference('environments', written, at)).toMatchObject({ kind: 'environments', at, ...expected });
	});

	test.each([
		['env:3', /does not say which environment/],
		['azureml:env', /no version/],
		['azureml:env:', /no version/],
		['azureml:@latest', /no version/],
	])('%s is refused', (written, message) => {
		expect(parseAssetReference('environments', written, at)).toMatch(message);
	});
});

describe('things without versions', () => {
	test.each([
		['azureml:cpu-cluster', `${ARM}/computes/cpu-cluster`],
		['cpu-cluster', `${ARM}/computes/cpu-cluster`],
		[`azureml:${ARM}/computes/c`, `${ARM}/computes/c`],
		['${{parent.inputs.c}}', '${{parent.inputs.c}}'],
	])('%s', (written, id) => {
		const reference = parseNamedReference('computes', written, at);
		expect(typeof reference === 'string' ? reference : namedId(ARM, reference)).toBe(id);
	});

	test.each(['azureml:c:1', 'azureml:c@latest', 'azureml://registries/r/computes/c'])('%s is no compute', (written) => {
		expect(parseNamedReference('computes', written, at)).toMatch(/not the name/);
	});
});
