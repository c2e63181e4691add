// Batch endpoints: put with their default deployment, patched, deleted. Their deployments are in batch-deployments.ts,
// the jobs that they start in batch-scoring-face.ts.

import { LOCATION, serviceError } from '../errors.ts';
import { IDENTITY } from '../platform.ts';
import type { Answer, AnswerError } from '../server.ts';
import type { Resource } from '../state.ts';
import {
	type ArmCall,
	checkLocation,
	checkName,
	found,
	type Json,
	keyOf,
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
import type { Operations } from './operations.ts';
import { checkBody } from './schemas.ts';

/** Adds the routes of batch endpoints. */
export function routeBatchEndpoints(routes: ArmRoutes, operations: Operations): void {
	const at = '/batchEndpoints/{endpoint}';
	routes
		.workspace('GET', '/batchEndpoints', (call) =>
			page(call, call.platform.state.resources.list(keyOf(call, 'batchEndpoints'))),
		)
		.workspace('GET', at, (call) => found(batchEndpointOf(call)))
		.workspace('PUT', at, (call) => put(call, operations))
		.workspace('PATCH', at, patch)
		.workspace('DELETE', at, (call) => remove(call, operations))
		.workspace('GET', `${at}/jobs`, jobs);
}

/** The jobs that invocations of an endpoint started. Their form is that of the answer to an invocation. */
function jobs(call: ArmCall): Answer {
	const endpoint = batchEndpointOf(call);
	const { resources, runs } = call.platform.state;
	const own = resources.list(keyOf(call, 'jobs')).filter(({ properties }) => {
		return (
			properties['experimentName'] === endpoint.name && objectOf(properties['tags'])['azureml.batchrun'] === 'true'
		);
	});
	const value = own.map(({ name, properties, systemData }) => {
		const deployment = objectOf(properties['tags'])['azureml.deploymentname'];
		return {
			id: `${endpoint.id}/deployments/${deployment}/jobs/${name}`,
			name,
			type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments/jobs',
			properties: { name, status: runs.get(name)?.status ?? properties['status'] },
			systemData,
		};
	});
	return { status: 200, headers: standard, json: { value, nextLink: null } };
}

/** Gives the key of the batch endpoint of a call. */
export function batchEndpointKey(call: ArmCall): string {
	return keyOf(call, 'batchEndpoints', call.names['endpoint'] ?? '');
}

/** Gives the batch endpoint of a call; 404 when there is none. */
export function batchEndpointOf(call: ArmCall): Resource {
	const endpoint = call.platform.state.resources.get(batchEndpointKey(call));
	if (endpoint) return endpoint;
	throw notFound(
		'NoSuchEndpoint',
		`There is no endpoint with name: ${call.names['endpoint']} in ${call.names['workspace']}`,
	);
}

/** Tells the default deployment of a batch endpoint. */
export function defaultOf(endpoint: Resource): string | undefined {
	return textOf(objectOf(endpoint.properties['defaults'])['deploymentName']);
}

/** Makes the 400 of a batch endpoint or deployment whose content is refused; its words are the emulator's own. */
export function refuseBatch(message: string, target?: string): AnswerError {
	return serviceError(400, 'UserError', message, {
		inner: ['BadArgument', 'ArgumentInvalid'],
		...(target === undefined ? {} : { target }),
	});
}

/** Starts an operation of a batch endpoint. Its headers are spelt as the service spells them here: partly in lower case. */
export function startBatchOperation(
	operations: Operations,
	call: ArmCall,
	plan: { prefix: string; running: string; work: () => Promise<void> },
): Record<string, string> {
	const { 'Azure-AsyncOperation': address = '', ...others } = operations.start(call, { family: 'mfe', ...plan });
	return { ...others, 'azure-asyncoperation': address };
}

function put(call: ArmCall, operations: Operations): Answer {
	const name = call.names['endpoint'] ?? '';
	const { resources } = call.platform.state;
	const key = batchEndpointKey(call);
	const before = resources.get(key);
	if (!before) checkName('endpoint', name, ENDPOINT_NAME);
	checkBody('batchEndpoints', call.body);
	checkLocation(call.body);
	const given = propertiesOf(call.body);
	checkGiven(given, resources.list(`${key}/deployments`));
	const endpoint = before ?? resources.put(key, makeResource(call, ['batchEndpoints', name], {}));
	const free = occupy(endpoint);
	const headers = startBatchOperation(operations, call, {
		prefix: 'bebes',
		running: 'Updating',
		work: async () => {
			await call.platform.pause(call.platform.jobStateDelayMs);
			endpoint.properties['provisioningState'] = 'Succeeded';
			endpoint.properties['scoringUri'] = `${call.platform.origins.arm}/batch/${name}/jobs`;
			free();
			resources.touch();
		},
	});
	describe(call, endpoint, given, before === undefined);
	headers['Location'] = call.url;
	return { status: before ? 200 : 201, headers, json: shown(endpoint) };
}

function checkGiven(given: Json, deployments: Resource[]): void {
	if (String(given['authMode']).toLowerCase() !== 'aadtoken') {
		throw refuseBatch(
			`Batch endpoints take the authMode AADToken only, not ${given['authMode']}.`,
			'properties.authMode',
		);
	}
	const wanted = textOf(objectOf(given['defaults'])['deploymentName']);
	if (wanted === undefined || deployments.some(({ name }) => name === wanted)) return;
	throw refuseBatch(`The default deployment ${wanted} does not exist.`, 'properties.defaults.deploymentName');
}

function describe(call: ArmCall, endpoint: Resource, given: Json, isNew: boolean): void {
	endpoint.properties = {
		description: given['description'] ?? null,
		properties: {
			...objectOf(given['properties']),
			BatchEndpointCreationApiVersion: call.apiVersion,
			'azureml.onlineendpointid': endpoint.id,
		},
		scoringUri: endpoint.properties['scoringUri'] ?? null,
		swaggerUri: null,
		authMode: 'AADToken',
		defaults: { deploymentName: objectOf(given['defaults'])['deploymentName'] ?? null },
		provisioningState: isNew ? 'Creating' : 'Updating',
	};
	const principalId = '5ca1ab1e-0000-4000-8000-000000000003';
	Object.assign(endpoint, {
		tags: call.body['tags'] ?? {},
		location: LOCATION,
		identity: { type: 'None', ...objectOf(call.body['identity']), principalId, tenantId: IDENTITY.tenantId },
		systemData: makeResource(call, ['batchEndpoints', endpoint.name], {}).systemData,
	});
	call.platform.state.resources.touch();
}

function patch(call: ArmCall): Answer {
	const endpoint = batchEndpointOf(call);
	const { tags, identity, ...others } = call.body;
	if (Object.keys(objectOf(others['properties'])).length > 0) {
		throw refuseBatch('A PATCH of a batch endpoint takes tags and identity only. PUT the endpoint.');
	}
	if (tags) endpoint.tags = objectOf(tags) as Record<string, string>;
	if (identity) endpoint.identity = identity;
	call.platform.state.resources.touch();
	return found(endpoint);
}

function remove(call: ArmCall, operations: Operations): Answer {
	const key = batchEndpointKey(call);
	const start: Deletion['start'] = (plan) => startBatchOperation(operations, call, { prefix: 'bebes', ...plan });
	return deleteServed(call, { key, endpointKey: key, start });
}
