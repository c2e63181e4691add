import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { onlineDeploymentBody, readOnlineDeployment } from '../../src/endpoint/online-deployment-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'deployment-'));
	mkdirSync(path.join(folder, 'code'));
	writeFileSync(path.join(folder, 'code', 'score.py'), '');
	mkdirSync(path.join(folder, 'model'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const context = {
	workspaceId: '/w',
	location: 'westeurope',
	idOf: (dependency: { need: string }): string => `<${dependency.need}>`,
};
const read = (yaml: string): ReturnType<typeof readOnlineDeployment> =>
	readOnlineDeployment(loadYaml(yaml, 'deploy/blue.yml', folder));
const BLUE = 'name: blue\nendpoint_name: iris\n';

test('a managed deployment', () => {
	const file = read(
		`${BLUE}model: {path: model}
code_configuration: {code: code, scoring_script: score.py}
environment: {name: env, image: i}
instance_type: Standard_DS3_v2
instance_count: 2
app_insights_enabled: true
environment_variables: {N: 3, FAST: true}
egress_public_network_access: disabled
scale_settings: {type: default}
request_settings: {request_timeout_ms: 90000, max_queue_wait_ms: 500, max_concurrent_requests_per_instance: 4}
liveness_probe: {initial_delay: 10, period: 10, timeout: 2, failure_threshold: 30, success_threshold: 1}
startup_probe: {period: 100}
data_collector: {collections: {model_inputs: {enabled: "True", data: "azureml:d:1"}, model_outputs: {enabled: false}}, sampling_rate: 0.5, rolling_rate: hour, request_logging: {capture_headers: [X-A]}}
`,
	);
	expect(onlineDeploymentBody(file, context)).toEqual({
		location: 'westeurope',
		tags: {},
		sku: { name: 'Default', capacity: 2 },
		properties: {
			endpointComputeType: 'Managed',
			properties: {},
			model: '<model>',
			codeConfiguration: { codeId: '<code>', scoringScript: 'score.py' },
			environmentId: '<environment>',
			environmentVariables: { N: '3', FAST: 'True' },
			instanceType: 'Standard_DS3_v2',
			appInsightsEnabled: true,
			egressPublicNetworkAccess: 'Disabled',
			scaleSettings: { scaleType: 'Default' },
			requestSettings: { requestTimeout: 'PT1M30S', maxQueueWait: 'PT0.5S', maxConcurrentRequestsPerInstance: 4 },
			livenessProbe: {
				initialDelay: 'PT10S',
				period: 'PT10S',
				timeout: 'PT2S',
				failureThreshold: 30,
				successThreshold: 1,
			},
			startupProbe: { period: 'PT1M40S' },
			dataCollector: {
				collections: {
					model_inputs: { dataCollectionMode: 'Enabled', dataId: '<reference>', samplingRate: 0.5 },
					model_outputs: { dataCollectionMode: 'Disabled', samplingRate: 0.5 },
				},
				rollingRate: 'Hour',
				requestLogging: { captureHeaders: ['X-A'] },
			},
		},
	});
	expect(file.dependencies.map((dependency) => dependency.need)).toEqual(['code', 'environment', 'model', 'reference']);
});

test('a Kubernetes deployment', () => {
	const file = read(
		`${BLUE}type: kubernetes\nmodel: azureml:m:1\nresources: {requests: {cpu: 0.1, memory: 0.5Gi}, limits: {nvidia.com/gpu: 1}}\n` +
			'scale_settings: {type: target_utilization, min_instances: 1, max_instances: 3, polling_interval: 10, target_utilization_percentage: 70}',
	);
	expect(onlineDeploymentBody(file, context)).toMatchObject({
		sku: { name: 'Default' },
		properties: {
			endpointComputeType: 'Kubernetes',
			scaleSettings: {
				scaleType: 'TargetUtilization',
				minInstances: 1,
				maxInstances: 3,
				pollingInterval: 'PT10S',
				targetUtilizationPercentage: 70,
			},
			containerResourceRequirements: {
				containerResourceRequests: { cpu: '0.1', memory: '0.5Gi' },
				containerResourceLimits: { gpu: '1' },
			},
		},
	});
});

test('an inline environment or model is registered under its name, or kept without one', () => {
	const anonymous = (yaml: string): unknown[] =>
		read(`${BLUE}${yaml}`).dependencies.map((one) => ('anonymous' in one ? one.anonymous : undefined));
	expect(anonymous('model: {path: model}\nenvironment: {image: i}')).toEqual([true, true]);
	expect(anonymous('model: {name: m, path: model}\nenvironment: {name: e, image: i}')).toEqual([false, false]);
	expect(anonymous('model: azureml:m@latest')).toEqual([undefined]);
});

describe('what is refused', () => {
	test.each([
		[
			'a missing script',
			'code_configuration: {code: code, scoring_script: nope.py}',
			/deploy\/code\/nope\.py, and nothing is there/,
		],
		['code without a script', 'code_configuration: {code: code}', /needs 'scoring_script'/],
		['a missing model', 'model: {path: nope}', /deploy\/nope/],
		['a model without version', 'model: azureml:m', /no version/],
		['autoscale of a managed deployment', 'scale_settings: {type: target_utilization}', /'default' only/],
		['no instances', 'instance_count: 0', /1 or more/],
		['a rate above one', 'data_collector: {collections: {}, sampling_rate: 2}', /from 0 to 1/],
		['resources of a managed deployment', 'resources: {}', /Unknown key 'resources'/],
		[
			'collected data without a name',
			'data_collector: {collections: {a: {enabled: true, data: {version: 1}}}}',
			/needs 'name'/,
		],
		['a mistyped key', 'instance_typ: x', /Did you mean 'instance_type'/],
	])('%s', (_, yaml, message) => {
		expect(() => read(BLUE + yaml)).toThrow(message);
	});
});

test('name and endpoint may be left to inputs', () => {
	expect(read('model: azureml:m:1')).toMatchObject({ name: undefined, endpointName: undefined });
});

test('the data of a collection must be there', () => {
	const data = '{name: kept, version: "3", path: azureml://datastores/d/paths/p}';
	const { dependencies } = read(
		`model: azureml:m:1\ndata_collector: {collections: {a: {enabled: true, data: ${data}}}}`,
	);
	expect(dependencies.at(-1)).toMatchObject({
		need: 'reference',
		reference: { form: 'version', kind: 'data', name: 'kept', version: '3' },
	});
});
