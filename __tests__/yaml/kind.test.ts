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
	['name: d\nendpoint_name: e\ninstance_count: 1', 'online-deployment'],
	['name: d\nendpoint_name: e\ntype: managed', 'online-deployment'],
	['name: d\nendpoint_name: e\ntype: kubernetes', 'online-deployment'],
	['name: d\nendpoint_name: e\ntype: model', 'batch-deployment'],
	['name: d\nendpoint_name: e\ntype: pipeline', 'batch-deployment'],
	['name: d\nendpoint_name: e\ncompute: azureml:c', 'batch-deployment'],
	['name: d\nendpoint_name: e\nsettings: {}', 'batch-deployment'],
	['name: e\nauth_mode: aml_token', 'online-endpoint'],
	['name: e\nmirror_traffic: {}', 'online-endpoint'],
	['name: e\npublic_network_access: enabled', 'online-endpoint'],
	['name: m\npath: x\nflavors: {}', 'model'],
	['name: m\npath: x\nstage: x', 'model'],
	['name: k\ntype: kubernetes\nresource_id: /x', 'compute'],
	['name: e\nconda_file: x', 'environment'],
	['type: parallel\ncompute: azureml:c', 'job:parallel'],
	['type: spark\nexperiment_name: x', 'job:spark'],
	['type: spark\nis_deterministic: true', 'component:spark'],
	['jobs: {}\nservices: {}', 'job:pipeline'],
	['command: x\nlimits: {}', 'job:command'],
	['command: x\nqueue_settings: {}', 'job:command'],
	['command: x\nidentity: {}', 'job:command'],
])('%j is %s', (yaml, expected) => {
	expect(kind(yaml)).toBe(expected);
});

describe('what could be several things', () => {
	test.each([
		['type: command\ncommand: x', /job:command or component:command/],
		['name: x\npath: y', /data or model/],
		['name: x', /Nothing in it says/],
		['name: e\nauth_mode: x', /online-endpoint or batch-endpoint\..*onlineEndpoint/i],
		['name: d\nendpoint_name: e', /online-deployment or batch-deployment\..*managedOnlineDeployment/],
		['name: d\nendpoint_name: e\ninstance_type: x\ncompute: azureml:c', /online-deployment or batch-deployment/],
		['type: kubernetes\nname: k', /compute or online-deployment\..*amlCompute/],
		['$schema: https://example.org/x.json\nname: x', /'https:\/\/example\.org\/x\.json'/],
	])('%j asks for $schema', (yaml, message) => {
		expect(() => kind(yaml)).toThrow(FileError);
		expect(() => kind(yaml)).toThrow(message);
		expect(() => kind(yaml)).toThrow(/\$schema/);
	});
});

describe('what another tool is for', () => {
	const schemas = 'https://azuremlschemas.azureedge.net';
	test.each([
		[`${schemas}/latest/schedule.schema.json`, /is a schedule.*az ml schedule create.*event `schedule`/],
		[`${schemas}/latest/monitorSchedule.schema.json`, /is a schedule/],
		['http://azureml/sdk-2-0/DataImport.json', /az ml data import/],
		[`${schemas}/latest/azureOpenAIConnection.schema.json`, /az ml connection create/],
		['http://azureml/sdk-2-0/ModelVersionPackage.json', /az ml model package/],
		[`${schemas}/latest/registry.schema.json`, /az ml registry create/],
		[`${schemas}/latest/featureStore.schema.json`, /az ml feature-store create/],
		[`${schemas}/latest/featureSet.schema.json`, /az ml feature-set create/],
		[`${schemas}/latest/featureStoreEntity.schema.json`, /az ml feature-store-entity create/],
		[`${schemas}/promptflow/latest/Flow.schema.json`, /is a prompt flow/],
		[`${schemas}/promptflow/latest/Run.schema.json`, /is a prompt flow/],
	])('%s is told so', (schema, message) => {
		expect(() => kind(`$schema: ${schema}\ntype: command\ncommand: x\ncompute: azureml:c`)).toThrow(message);
	});
});

test('a type that is no text is told at its place', () => {
	expect(() => kind('name: x\ntype: [command]')).toThrow('Expected a type, but found');
	expect(kind('command: x\ntype:\ncompute: azureml:c')).toBe('job:command');
});

describe('where the caller knows the family', () => {
	const ofFamily = (yaml: string, family: 'job' | 'component'): string => kindOf(loadYaml(yaml, 'x.yml', '/'), family);

	test.each([
		['type: command\ncommand: x', 'job', 'job:command'],
		['type: command\ncommand: x', 'component', 'component:command'],
		// Whatever else it is stays what it is, for the caller to refuse.
		['name: e\nimage: x', 'job', 'environment'],
		['$schema: https://x/commandComponent.schema.json\ncommand: x', 'job', 'job:command'],
		['$schema: https://x/commandComponent.schema.json\ncommand: x', 'component', 'component:command'],
		['$schema: https://x/commandComponent.schema.json\ncommand: x\nversion: 1', 'job', 'component:command'],
		['$schema: https://x/commandComponent.schema.json\ncommand: x\noutputs: {}', 'job', 'component:command'],
		['$schema: https://x/commandJob.schema.json\ncommand: x', 'component', 'job:command'],
	] as const)('%j as a %s is %s', (yaml, family, expected) => {
		expect(ofFamily(yaml, family)).toBe(expected);
	});
});
