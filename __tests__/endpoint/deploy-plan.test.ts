import { describe, expect, test } from '@jest/globals';
import type { Dependency } from '../../src/asset/dependency.ts';
import {
	checkRequest,
	chooseDeployment,
	type DeployRequest,
	dependenciesToPublish,
	deploymentBody,
	endpointWish,
} from '../../src/endpoint/deploy-plan.ts';
import type { OnlineDeploymentFile } from '../../src/endpoint/online-deployment-file.ts';
import { endpointFrom } from '../../src/endpoint/online-endpoint.ts';
import type { OnlineEndpointFile } from '../../src/endpoint/online-file.ts';

const place = { file: 'x.yml', line: 1 };
const model = { name: 'iris', version: '3', id: '/models/iris/versions/3', type: 'mlflow_model' };
const asked: DeployRequest = {
	endpoint: { name: 'iris' },
	deployment: {},
	model,
	traffic: [{ percent: 100, hold: 0 }],
	onFailure: 'rollback',
	deletePrevious: false,
	tags: { run: '1' },
};
const fileModel = {
	need: 'reference',
	reference: { form: 'version', kind: 'models', name: 'own', version: '1', at: place },
} as const;
const code = { need: 'code', path: '/w/src', written: 'src', at: place } as const;
const deploymentFile: OnlineDeploymentFile = {
	name: undefined,
	endpointName: undefined,
	description: undefined,
	tags: new Map([['stage', 'prod']]),
	properties: new Map(),
	model: fileModel,
	codeConfiguration: { code, scoringScript: 'score.py' },
	environment: undefined,
	environmentVariables: new Map(),
	dependencies: [code, fileModel],
	at: place,
	type: 'managed',
	instanceType: 'Standard_F4s_v2',
	instanceCount: undefined,
	modelMountPath: undefined,
	appInsightsEnabled: false,
	scaleSettings: undefined,
	requestSettings: undefined,
	livenessProbe: undefined,
	readinessProbe: undefined,
	startupProbe: undefined,
	egressPublicNetworkAccess: undefined,
	dataCollector: undefined,
	resources: undefined,
};
const endpointFile: OnlineEndpointFile = {
	name: 'from-file',
	description: 'flowers',
	tags: new Map([['team', 'a']]),
	properties: new Map(),
	authMode: 'aml_token',
	identity: undefined,
	traffic: new Map([['blue', 100]]),
	mirrorTraffic: new Map([['green', 10]]),
	publicNetworkAccess: 'disabled',
	compute: undefined,
	location: undefined,
	at: place,
};
const context = {
	workspaceId: '/w',
	location: 'westeurope',
	idOf: (dependency: Dependency) => `id-of-${dependency.need}`,
};

describe('checkRequest', () => {
	test.each<[Partial<DeployRequest>, string]>([
		[{}, 'iris'],
		[{ endpoint: { name: 'iris', file: endpointFile } }, 'iris'],
		[{ endpoint: { file: endpointFile } }, 'from-file'],
		[{ endpoint: {}, deployment: { file: { ...deploymentFile, endpointName: 'named-there' } } }, 'named-there'],
		[{ model: undefined, deployment: { file: deploymentFile } }, 'iris'],
		[{ model: { ...model, type: 'triton_model' } }, 'iris'],
		[{ endpoint: { file: endpointFile }, model: undefined }, 'from-file'],
	])('takes %#', (change, name) => {
		expect(checkRequest({ ...asked, ...change })).toBe(name);
	});

	test.each<[Partial<DeployRequest>, RegExp]>([
		[{ endpoint: {} }, /No endpoint is named\. Give `endpoint-name`/],
		[
			{ endpoint: { file: endpointFile }, deployment: { file: { ...deploymentFile, endpointName: 'other' } } },
			/names the endpoint "from-file" and `deployment-file` the endpoint "other"/,
		],
		[{ model: undefined }, /neither a model nor a deployment file/],
		[
			{ endpoint: { file: endpointFile }, deployment: { name: 'blue' }, model: undefined },
			/neither a model nor a deployment file/,
		],
		[
			{ model: { ...model, type: 'custom_model' } },
			/is a custom_model.*scoring script and an environment\. Give `deployment-file`/,
		],
	])('refuses %#', (change, message) => {
		expect(() => checkRequest({ ...asked, ...change })).toThrow(message);
	});
});

describe('chooseDeployment', () => {
	const choose = (
		traffic: Record<string, number>,
		existing: string[],
		mirrorTraffic: Record<string, number> = {},
	): string => {
		const endpoint = endpointFrom('iris', { properties: { traffic, mirrorTraffic } });
		return chooseDeployment(
			asked,
			endpoint,
			existing.map((name) => ({ name })),
		);
	};

	test.each<[Record<string, number>, string[], string]>([
		[{}, [], 'blue'],
		[{ blue: 100 }, ['blue'], 'green'],
		[{ green: 100 }, ['green'], 'blue'],
		[{ green: 100 }, ['blue', 'green'], 'blue'],
		[{ other: 100 }, ['other', 'blue'], 'green'],
		[{ blue: 0, green: 100 }, ['blue', 'green'], 'blue'],
		[{ Blue: 100 }, ['Blue'], 'green'],
		[{ other: 100 }, ['Blue', 'other'], 'green'],
	])('traffic %p, existing %p: %s', (traffic, existing, expected) => {
		expect(choose(traffic, existing)).toBe(expected);
	});

	test('takes the shadow of live traffic last, and none that serves', () => {
		expect(choose({ other: 100 }, ['other', 'blue', 'green'], { blue: 10 })).toBe('green');
		expect(choose({ blue: 100 }, ['blue', 'green'], { green: 10 })).toBe('green');
		expect(() => choose({ blue: 90, green: 10 }, ['blue', 'green'])).toThrow(
			/neither blue nor green is free.*`deployment-name`/,
		);
	});

	test('a name in the input goes before the one in the file', () => {
		const endpoint = endpointFrom('iris', {});
		const file = { ...deploymentFile, name: 'from-file' };
		expect(chooseDeployment({ ...asked, deployment: { file } }, endpoint, [])).toBe('from-file');
		expect(chooseDeployment({ ...asked, deployment: { file, name: 'given' } }, endpoint, [])).toBe('given');
	});
});

describe('bodies', () => {
	test('an MLflow model needs no file', () => {
		expect(deploymentBody(asked, context)).toEqual({
			location: 'westeurope',
			tags: { run: '1' },
			sku: { name: 'Default', capacity: 1 },
			properties: {
				endpointComputeType: 'Managed',
				model: model.id,
				instanceType: 'Standard_DS3_v2',
				environmentVariables: {},
				properties: {},
				appInsightsEnabled: false,
			},
		});
		const sized = deploymentBody(
			{ ...asked, deployment: { instanceType: 'Standard_E2s_v3', instanceCount: 2 } },
			context,
		);
		expect(sized).toMatchObject({ sku: { capacity: 2 }, properties: { instanceType: 'Standard_E2s_v3' } });
	});

	test("the run's model takes the place of the file's, which is not published", () => {
		const request = { ...asked, deployment: { file: deploymentFile, instanceCount: 3 } };
		expect(deploymentBody(request, context)).toMatchObject({
			tags: { run: '1', stage: 'prod' },
			sku: { name: 'Default', capacity: 3 },
			properties: {
				model: model.id,
				instanceType: 'Standard_F4s_v2',
				codeConfiguration: { codeId: 'id-of-code', scoringScript: 'score.py' },
			},
		});
		expect(dependenciesToPublish(request)).toEqual([code]);
	});

	test("without one the file's own is published and used", () => {
		const request = { ...asked, model: undefined, deployment: { file: deploymentFile } };
		expect(deploymentBody(request, context)).toMatchObject({
			sku: { capacity: 1 },
			properties: { model: 'id-of-reference' },
		});
		expect(dependenciesToPublish(request)).toEqual([code, fileModel]);
	});

	test('a Kubernetes deployment has no number of instances unless one is asked for', () => {
		const request = { ...asked, deployment: { file: { ...deploymentFile, type: 'kubernetes' as const } } };
		expect(deploymentBody(request, context)['sku']).toEqual({ name: 'Default' });
	});

	test('an endpoint is created without traffic, whatever its file says', () => {
		const wish = endpointWish({ ...asked, endpoint: { file: endpointFile } }, context);
		expect(wish).toMatchObject({
			body: {
				location: 'westeurope',
				tags: { run: '1', team: 'a' },
				identity: { type: 'SystemAssigned' },
				properties: { authMode: 'AMLToken', traffic: {}, mirrorTraffic: {} },
			},
			authMode: 'AMLToken',
			tags: { team: 'a' },
			description: 'flowers',
			identity: undefined,
			publicNetworkAccess: 'Disabled',
		});
		expect(wish.body['properties']).toHaveProperty('traffic', {});
		expect(wish.body['properties']).toHaveProperty('mirrorTraffic', {});
	});

	test('without a file nothing is wished of an endpoint that exists', () => {
		expect(endpointWish(asked, context)).toEqual({
			body: {
				location: 'westeurope',
				tags: { run: '1' },
				identity: { type: 'SystemAssigned' },
				properties: { authMode: 'Key', properties: {}, traffic: {}, mirrorTraffic: {} },
			},
			authMode: undefined,
			tags: {},
			description: undefined,
			identity: undefined,
			publicNetworkAccess: undefined,
		});
	});
});
