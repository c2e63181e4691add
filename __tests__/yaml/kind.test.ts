import { describe, expect, test } from '@jest/globals';
import { FileError } from '../../src/errors.ts';
import { kindOf, kindOfSchema } from '../../src/yaml/kind.ts';
import { loadYaml } from '../../src/yaml/load.ts';

const kind = (yaml: string): string => kindOf(loadYaml(yaml, 'x.yml', '/'));

test.each([
	['https://azuremlschemas.azureedge.net/latest/commandJob.schema.json', 'job:command'],
	['https://azuremlschemas.azureedge.net/latest/autoMLJob.schema.json', 'job:automl'],
	['https://azuremlschemas.azureedge.net/latest/autoMLImageClassificationJob.schema.json', 'job:automl'],
	['http://azureml/sdk-2-0/PipelineJob.json', 'job:pipeline'],
	['https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json', 'component:command'],
	['https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json', 'online-deployment'],
	['https://azuremlschemas.azureedge.net/latest/kubernetesOnlineEndpoint.schema.json', 'online-endpoint'],
	['https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json', 'batch-deployment'],
	['https://azuremlschemas.azureedge.net/latest/amlCompute.schema.json ', 'compute'],
	['https://azuremlschemas.azureedge.net/latest/azureBlob.schema.json', 'datastore'],
	['https://example.org/other.json', undefined],
])('$schema %s is %s', (schema, expected) => {
	expect(kindOfSchema(schema)).toBe(expected);
});

test.each([
	['type: amlcompute\nname: c', 'compute'],
	['type: uri_folder\nname: d\npath: x', 'data'],
	['type: mlflow_model\nname: m\npath: x', 'model'],
	['name: e\nimage: x', 'environment'],
	['name: e\nbuild: {path: x}', 'environment'],
	['type: sweep', 'job:sweep'],
	['name: e\nauth_mode: key', 'online-endpoint'],
	['type: pipeline\njobs: {}\nsettings: {}', 'job:pipeline'],
	['command: x\ncompute: azureml:c', 'job:command'],
	['type: command\nversion: 1\ncommand: x', 'component:command'],
	['$schema: https://x/commandJob.schema.json\ntype: sweep', 'job:sweep'],
	['$schema: https://x/commandJob.schema.json\ntype: nonsense', 'job:command'],
	['name: e\ntraffic: {}', 'online-endpoint'],
	['name: e\ndefaults: {}', 'batch-endpoint'],
	['name: d\nendpoint_name: e\ninstance_type: x', 'online-deployment'],
	['name: d\nendpoint_name: e\nmini_batch_size: 1', 'batch-deployment'],
])('%j is %s', (yaml, expected) => {
	expect(kind(yaml)).toBe(expected);
});

describe('what could be several things', () => {
	test.each([
		['type: command\ncommand: x', /job:command or component:command/],
		['name: x\npath: y', /data or model/],
		['name: x', /Nothing in it says/],
		['$schema: https://example.org/x.json\nname: x', /'https:\/\/example\.org\/x\.json'/],
	])('%j asks for $schema', (yaml, message) => {
		expect(() => kind(yaml)).toThrow(FileError);
		expect(() => kind(yaml)).toThrow(message);
		expect(() => kind(yaml)).toThrow(/\$schema/);
	});
});
