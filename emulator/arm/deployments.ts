// Deployments of online endpoints: put and really served, scaled, deleted, and their logs.

import { LOCATION, serviceError } from '../errors.ts';
import type { Answer } from '../server.ts';
import type { Resource } from '../state.ts';
import {
	type ArmCall,
	checkLocation,
	checkName,
	found,
	type Json,
	makeResource,
	objectOf,
	page,
	propertiesOf,
	shown,
	standard,
	textOf,
} from './call.ts';
import { deleteServed, occupy } from './change.ts';
import { ENDPOINT_NAME, endpointKey, endpointOf, notFound } from './endpoints.ts';
import type { ArmRoutes } from './face.ts';
import { checkAsset, checkEnvironment } from './job-references.ts';
import type { Operations } from './operations.ts';
import { References } from './references.ts';
import { checkBody } from './schemas.ts';
import type { Serving } from './serving.ts';

/** Adds the routes of online deployments. */
export function routeDeployments(routes: ArmRoutes, operations: Operations, serving: Serving): void {
	const at = '/onlineEndpoints/{endpoint}/deployments/{deployment}';
	routes
		.workspace('GET', '/onlineEndpoints/{endpoint}/deployments', (call) => {
			endpointOf(call);
			return page(call, call.platform.state.resources.list(`${endpointKey(call)}/deployments`));
		})
		.workspace('GET', at, (call) => found(deploymentOf(call)))
		.workspace('PUT', at, (call) => put(call, operations, serving))
		.workspace('PATCH', at, patch)
		.workspace('DELETE', at, (call) => remove(call, operations, serving))
		.workspace('POST', `${at}/getLogs`, (call) => getLogs(call, serving));
}

/** Gives the key of a deployment of the endpoint of a call. */
export function deploymentKey(call: ArmCall): string {
	return `${endpointKey(call)}/deployments/${encodeURIComponent(call.names['deployment'] ?? '')}`;
}

function deploymentOf(call: ArmCall): Resource {
	endpointOf(call);
	const deployment = call.platform.state.resources.get(deploymentKey(call));
	if (deployment) return deployment;
	const { deployment: name, endpoint } = call.names;
	throw notFound('NoSuchDeployment', `There is no deployment with name: ${name} in endpoint ${endpoint}`);
}

function put(call: ArmCall, operations: Operations, serving: Serving): Answer {
	const endpoint = endpointOf(call);
	const name = call.names['deployment'] ?? '';
	const { resources } = call.platform.state;
	const key = deploymentKey(call);
	const before = resources.get(key);
	if (!before) checkName('deployment', name, ENDPOINT_NAME);
	check(call);
	checkSame(call, before);
	const free = occupy(endpoint);
	const path = ['onlineEndpoints', endpoint.name, 'deployments', name];
	const made = makeResource(call, path, kept(propertiesOf(call.body)));
	const more = { tags: call.body['tags'] ?? {}, location: LOCATION, kind: 'Managed', sku: sku(call.body) };
	const deployment = resources.put(key, Object.assign(before ?? made, made, more));
	const finish = (state: string) => {
		deployment.properties['provisioningState'] = state;
		free();
		resources.touch();
	};
	const headers = operations.start(call, {
		family: 'mfe',
		prefix: 'odidp',
		running: 'Updating',
		work: async () => {
			try {
				await call.platform.pause(call.platform.jobStateDelayMs);
				await serving.start(key, deployment);
			} catch (error) {
				finish('Failed');
				throw error;
			}
			finish('Succeeded');
		},
	});
	headers['Location'] = call.url;
	return { status: before ? 200 : 201, headers, json: shown(deployment) };
}

function check(call: ArmCall): void {
	checkBody('onlineEndpoints_deployments', call.body);
	checkLocation(call.body);
	const given = propertiesOf(call.body);
	const references = new References(call.platform, call.names['workspace'] ?? '');
	if (given['endpointComputeType'] !== 'Managed') {
		throw refuse(`The emulator serves Managed deployments only, not ${String(given['endpointComputeType'])}.`);
	}
	if (textOf(given['instanceType']) === undefined) throw refuse('The deployment has no instanceType.');
	if (!Number.isInteger(objectOf(call.body['sku'])['capacity'])) {
		throw refuse('The deployment has no sku with a capacity, which is its instance count.');
	}
	const model = textOf(given['model']);
	if (model !== undefined && /^azureml:\/\/registries\//i.test(model) && references.asset(model) === undefined) {
		// What the service answers to one that does not exist is not confirmed.
		throw refuse(`The model ${model} was not found in the registry.`);
	}
	checkAsset(references, model);
	checkAsset(references, textOf(objectOf(given['codeConfiguration'])['codeId']));
	const environment = textOf(given['environmentId']);
	checkEnvironment(references, environment);
	const isMlflow = model !== undefined && references.asset(model)?.properties['modelType'] === 'mlflow_model';
	if (environment === undefined && !isMlflow) {
		throw refuse('A deployment needs an environment unless its model is an mlflow_model.');
	}
}

/** The specification says that the instance type is only ever created; how the service refuses a change is not confirmed. */
function checkSame(call: ArmCall, before: Resource | undefined): void {
	const [there, given] = [before?.properties['instanceType'], propertiesOf(call.body)['instanceType']];
	if (before === undefined || String(there).toLowerCase() === String(given).toLowerCase()) return;
	throw refuse(`The instanceType of deployment ${before.name} cannot be changed from ${there} to ${given}.`);
}

function refuse(message: string) {
	return serviceError(400, 'UserError', message, { inner: ['BadArgument', 'ArgumentInvalid'] });
}

function sku(body: Json): Json {
	return { name: 'Default', tier: 'Standard', ...objectOf(body['sku']) };
}

function kept(given: Json): Json {
	const probe = { failureThreshold: 30, successThreshold: 1, timeout: 'PT2S', period: 'PT10S', initialDelay: 'PT10S' };
	return {
		...given,
		description: given['description'] ?? null,
		properties: given['properties'] ?? {},
		codeConfiguration: given['codeConfiguration'] ?? null,
		environmentId: given['environmentId'] ?? null,
		environmentVariables: given['environmentVariables'] ?? {},
		scaleSettings: given['scaleSettings'] ?? { scaleType: 'Default' },
		requestSettings: given['requestSettings'] ?? {
			maxQueueWait: 'PT0S',
			requestTimeout: 'PT5S',
			maxConcurrentRequestsPerInstance: 1,
		},
		modelMountPath: given['modelMountPath'] ?? null,
		appInsightsEnabled: given['appInsightsEnabled'] ?? false,
		livenessProbe: given['livenessProbe'] ?? probe,
		readinessProbe: given['readinessProbe'] ?? probe,
		provisioningState: 'Updating',
		instanceType: given['instanceType'],
		model: given['model'] ?? null,
		egressPublicNetworkAccess: given['egressPublicNetworkAccess'] ?? 'Enabled',
		endpointComputeType: given['endpointComputeType'],
	};
}

function patch(call: ArmCall): Answer {
	const deployment = deploymentOf(call);
	const { tags } = call.body;
	if (tags) deployment.tags = objectOf(tags) as Record<string, string>;
	if (call.body['sku']) deployment.sku = { ...objectOf(deployment.sku), ...objectOf(call.body['sku']) };
	call.platform.state.resources.touch();
	return found(deployment);
}

function remove(call: ArmCall, operations: Operations, serving: Serving): Answer {
	const { resources } = call.platform.state;
	const key = deploymentKey(call);
	const endpoint = endpointOf(call);
	const deployment = resources.get(key);
	if (!deployment) return { status: 204, headers: standard };
	const share = Number(objectOf(endpoint.properties['traffic'])[deployment.name] ?? 0);
	if (share > 0) {
		// Known to be refused; the words are not confirmed.
		throw refuse(
			`The deployment ${deployment.name} has ${share}% of the traffic. Set its traffic to 0 before it is deleted.`,
		);
	}
	return deleteServed(call, {
		key,
		endpointKey: endpointKey(call),
		start: (plan) => operations.start(call, { family: 'mfe', prefix: 'odidp', ...plan }),
		stop: () => serving.remove(key),
		afterwards: () => {
			for (const map of ['traffic', 'mirrorTraffic']) {
				const { [deployment.name]: _, ...others } = objectOf(endpoint.properties[map]);
				endpoint.properties[map] = others;
			}
		},
	});
}

function getLogs(call: ArmCall, serving: Serving): Answer {
	deploymentOf(call);
	const { containerType, tail } = call.body;
	const lines = typeof tail === 'number' && tail > 0 ? tail : undefined;
	const content = serving.log(deploymentKey(call), String(containerType ?? 'InferenceServer'), lines);
	return { status: 200, headers: standard, json: { content } };
}
