import { describe, expect, test } from '@jest/globals';
import { batchDeploymentBody, readBatchDeployment } from '../../src/endpoint/batch-deployment-file.ts';
import { batchEndpointBody, readBatchEndpoint } from '../../src/endpoint/batch-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';

const context = { workspaceId: '/w', location: 'westeurope', idOf: (): string => '<id>' };
const endpoint = (yaml: string): ReturnType<typeof readBatchEndpoint> =>
	readBatchEndpoint(loadYaml(yaml, 'e.yml', '/'));
const deployment = (yaml: string): ReturnType<typeof readBatchDeployment> =>
	readBatchDeployment(loadYaml(`name: blue\nendpoint_name: batch\n${yaml}`, 'd.yml', '/'));
const properties = (yaml: string): unknown => batchDeploymentBody(deployment(yaml), context)['properties'];

test('a batch endpoint', () => {
	const file = endpoint('name: batch\nauth_mode: aad_token\ndescription: d\ndefaults: {deployment_name: blue}');
	expect(batchEndpointBody(file, context)).toEqual({
		location: 'westeurope',
		tags: {},
		properties: { authMode: 'AADToken', description: 'd', properties: {}, defaults: { deploymentName: 'blue' } },
	});
	expect(batchEndpointBody(file, context, 'green')).toMatchObject({
		properties: { defaults: { deploymentName: 'green' } },
	});
	expect(() => endpoint('name: batch\nauth_mode: key')).toThrow(/'aad_token'/);
});

describe('a batch deployment of a model', () => {
	const SETTINGS =
		'mini_batch_size: 10, max_concurrency_per_instance: 2, error_threshold: -1, logging_level: info, output_action: append_row, output_file_name: p.csv, retry_settings: {max_retries: 3, timeout: 300}';
	const expected = {
		properties: {},
		environmentVariables: { A: '1' },
		model: { referenceType: 'Id', assetId: '<id>' },
		compute: '/w/computes/cluster',
		resources: { instanceCount: 2, properties: {} },
		errorThreshold: -1,
		miniBatchSize: 10,
		maxConcurrencyPerInstance: 2,
		loggingLevel: 'Info',
		outputAction: 'AppendRow',
		outputFileName: 'p.csv',
		retrySettings: { maxRetries: 3, timeout: 'PT5M' },
	};

	test('with its settings at the top, as older files have them', () => {
		const top = SETTINGS.replaceAll(/, (?=[a-z_]+: )(?!timeout)/g, '\n');
		expect(
			properties(
				`model: azureml:m:1\ncompute: azureml:cluster\nenvironment_variables: {A: 1}\nresources: {instance_count: 2}\n${top}`,
			),
		).toEqual(expected);
	});

	test('with its settings under settings', () => {
		expect(
			properties(
				`type: model\nmodel: azureml:m:1\ncompute: azureml:cluster\nresources: {instance_count: 2}\nsettings: {${SETTINGS}, environment_variables: {A: 1}}`,
			),
		).toEqual(expected);
	});

	test('needs a compute', () => {
		expect(() => deployment('model: azureml:m:1')).toThrow(/needs the key 'compute'/);
	});
});

describe('a batch deployment of a pipeline component', () => {
	test('names the component', () => {
		expect(
			properties(
				'type: pipeline\ncomponent: azureml:score@latest\nsettings: {default_compute: cluster, continue_on_step_failure: false}',
			),
		).toEqual({
			properties: {},
			errorThreshold: -1,
			maxConcurrencyPerInstance: 1,
			miniBatchSize: 10,
			outputFileName: 'predictions.csv',
			deploymentConfiguration: {
				deploymentConfigurationType: 'PipelineComponent',
				componentId: { referenceType: 'Id', assetId: '<id>' },
				settings: { default_compute: 'cluster', continue_on_step_failure: 'False' },
			},
		});
	});

	test.each(['azureml:job_1', 'azureml:/subscriptions/s/resourceGroups/g/providers/x/workspaces/w/jobs/job_1'])(
		'is made of the job %s',
		(job) => {
			const [component] = deployment(`type: pipeline\njob_definition: ${job}`).dependencies;
			expect(component?.need === 'component' ? component.component.spec(context) : undefined).toMatchObject({
				type: 'pipeline',
				sourceJobId: 'job_1',
			});
		},
	);

	test('is made of a component file by the reader of components', () => {
		const file = loadYaml('name: blue\nendpoint_name: batch\ncomponent: ./p.yml', 'd.yml', '/');
		const component = { need: 'placeholder-code' } as const;
		expect(readBatchDeployment(file, undefined, () => component).dependencies).toEqual([component]);
	});

	test.each([
		['a file that nobody reads', 'component: ./pipeline.yml', /does not say which component/],
		['a job in a file', 'type: pipeline\njob_definition: ./job.yml', /names a job that has run/],
		['both', 'component: azureml:c:1\njob_definition: azureml:job', /not both/],
		['neither', 'type: pipeline', /needs the key 'component'/],
	])('%s is refused with what to do', (_, yaml, message) => {
		expect(() => deployment(yaml)).toThrow(message);
	});
});
