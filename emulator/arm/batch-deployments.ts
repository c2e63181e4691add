// Deployments of batch endpoints: put, patched, deleted. Nothing runs for them until a job is started: that is in
// batch-scoring-face.ts.

import { LOCATION } from '../errors.ts';
import type { Answer } from '../server.ts';
import type { Resource } from '../state.ts';
import { batchEndpointKey, batchEndpointOf, defaultOf, refuseBatch, startBatchOperation } from './batch-endpoints.ts';
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
import { type Deletion, deleteServed, occupy } from './change.ts';
import { ENDPOINT_NAME, notFound } from './endpoints.ts';
import type { ArmRoutes } from './face.ts';
import { checkAsset, checkEnvironment } from './job-references.ts';
import type { Operations } from './operations.ts';
import { pathInWorkspace, References } from './references.ts';
import { checkBody } from './schemas.ts';

/** Adds the routes of batch deployments. */
export function routeBatchDeployments(routes: ArmRoutes, operations: Operations): void {
	const at = '/batchEndpoints/{endpoint}/deployments/{deployment}';
	routes
		.workspace('GET', '/batchEndpoints/{endpoint}/deployments', (call) => {
			batchEndpointOf(call);
			return page(call, call.platform.state.resources.list(`${batchEndpointKey(call)}/deployments`));
		})
		.workspace('GET', at, (call) => found(deploymentOf(call)))
		.workspace('PUT', at, (call) => put(call, operations))
		.workspace('PATCH', at, patch)
		.workspace('DELETE', at, (call) => remove(call, operations));
}

function deploymentKey(call: ArmCall): string {
	return `${batchEndpointKey(call)}/deployments/${encodeURIComponent(call.names['deployment'] ?? '')}`;
}

function deploymentOf(call: ArmCall): Resource {
	batchEndpointOf(call);
	const deployment = call.platform.state.resources.get(deploymentKey(call));
	if (deployment) return deployment;
	const { deployment: name, endpoint } = call.names;
	throw notFound('NoSuchDeployment', `There is no deployment with name: ${name} in endpoint ${endpoint}`);
}

function put(call: ArmCall, operations: Operations): Answer {
	const endpoint = batchEndpointOf(call);
	const name = call.names['deployment'] ?? '';
	const { resources } = call.platform.state;
	const key = deploymentKey(call);
	const before = resources.get(key);
	if (!before) checkName('deployment', name, ENDPOINT_NAME);
	check(call);
	const free = occupy(endpoint);
	const path = ['batchEndpoints', endpoint.name, 'deployments', name];
	const made = makeResource(call, path, kept(propertiesOf(call.body)));
	const more = { tags: call.body['tags'] ?? {}, location: LOCATION };
	const deployment = resources.put(key, Object.assign(before ?? made, made, more));
	const headers = startBatchOperation(operations, call, {
		prefix: 'bdbes',
		running: 'Updating',
		work: async () => {
			await call.platform.pause(call.platform.jobStateDelayMs);
			deployment.properties['provisioningState'] = 'Succeeded';
			free();
			resources.touch();
		},
	});
	headers['Location'] = call.url;
	return { status: before ? 200 : 201, headers, json: shown(deployment) };
}

function check(call: ArmCall): void {
	checkBody('batchEndpoints_deployments', call.body);
	checkLocation(call.body);
	const given = propertiesOf(call.body);
	const references = new References(call.platform, call.names['workspace'] ?? '');
	const configuration = objectOf(given['deploymentConfiguration']);
	checkAsset(references, textOf(objectOf(configuration['componentId'])['assetId']));
	const model = objectOf(given['model']);
	if (given['model'] != null && model['referenceType'] !== 'Id') {
		throw refuseBatch(
			`The emulator takes the model of a batch deployment by referenceType Id, not ${model['referenceType']}.`,
			'properties.model.referenceType',
		);
	}
	const id = textOf(model['assetId']);
	if (id !== undefined && /^azureml:\/\/registries\//i.test(id)) {
		throw refuseBatch('Models of registries are not emulated. Register the model in the workspace.');
	}
	checkAsset(references, id);
	checkAsset(references, textOf(objectOf(given['codeConfiguration'])['codeId']));
	checkEnvironment(references, textOf(given['environmentId']));
	checkCompute(references, textOf(given['compute']));
}

/** That a compute must exist is documented; what the service answers to one that does not is not confirmed. */
function checkCompute(references: References, id: string | undefined): void {
	if (id === undefined) return;
	const name = /^computes\/([^/]+)$/i.exec(pathInWorkspace(id) ?? '')?.[1];
	if (name !== undefined && references.resource('computes', decodeURIComponent(name))) return;
	throw refuseBatch(`The compute ${name ?? id} was not found in the workspace.`, 'properties.compute');
}

const LEVELS = ['Debug', 'Info', 'Warning'];

function kept(given: Json): Json {
	const common = { ...given, description: given['description'] ?? null, properties: given['properties'] ?? {} };
	if (given['deploymentConfiguration'] != null) return { ...common, provisioningState: 'Updating' };
	const level = String(given['loggingLevel'] ?? 'Info').toLowerCase();
	return {
		...common,
		codeConfiguration: given['codeConfiguration'] ?? null,
		environmentId: given['environmentId'] ?? null,
		environmentVariables: given['environmentVariables'] ?? {},
		compute: given['compute'] ?? null,
		errorThreshold: given['errorThreshold'] ?? -1,
		retrySettings: { maxRetries: 3, timeout: 'PT30S', ...objectOf(given['retrySettings']) },
		miniBatchSize: given['miniBatchSize'] ?? 10,
		loggingLevel: LEVELS.find((one) => one.toLowerCase() === level) ?? 'Info',
		model: given['model'] ?? null,
		maxConcurrencyPerInstance: given['maxConcurrencyPerInstance'] ?? 1,
		outputAction: given['outputAction'] ?? 'AppendRow',
		outputFileName: given['outputFileName'] ?? 'predictions.csv',
		resources: { instanceCount: 1, instanceType: null, properties: null, ...objectOf(given['resources']) },
		provisioningState: 'Updating',
	};
}

function patch(call: ArmCall): Answer {
	const deployment = deploymentOf(call);
	const { tags } = call.body;
	const { description } = objectOf(call.body['properties']);
	if (tags) deployment.tags = objectOf(tags) as Record<string, string>;
	if (description !== undefined) deployment.properties['description'] = description;
	call.platform.state.resources.touch();
	return found(deployment);
}

function remove(call: ArmCall, operations: Operations): Answer {
	const { resources } = call.platform.state;
	const key = deploymentKey(call);
	const endpoint = batchEndpointOf(call);
	const deployment = resources.get(key);
	if (!deployment) return { status: 204, headers: standard };
	if (defaultOf(endpoint) === deployment.name) {
		// What the service does here is not confirmed. Refusing shows a client that takes away what serves.
		throw refuseBatch(`The deployment ${deployment.name} is the default one. Make another one the default first.`);
	}
	const start: Deletion['start'] = (plan) => startBatchOperation(operations, call, { prefix: 'bdbes', ...plan });
	return deleteServed(call, { key, endpointKey: batchEndpointKey(call), start });
}
