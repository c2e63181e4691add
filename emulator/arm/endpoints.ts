// Online endpoints: put with their traffic, patched, deleted, and their credentials.

import { randomBytes } from 'node:crypto';
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
} from './call.ts';
import { deleteServed, occupy } from './change.ts';
import type { ArmRoutes } from './face.ts';
import type { Operations } from './operations.ts';
import { checkBody } from './schemas.ts';
import type { Serving } from './serving.ts';
import { checkTraffic } from './traffic.ts';

/** What endpoints and deployments may be called. */
export const ENDPOINT_NAME = /^[a-zA-Z](?=.{2,31}$)[-a-zA-Z0-9]*[a-zA-Z0-9]$/;
const TOKEN_LIFE = 12 * 60 * 60;

/** Adds the routes of online endpoints. */
export function routeEndpoints(routes: ArmRoutes, operations: Operations, serving: Serving): void {
	const at = '/onlineEndpoints/{endpoint}';
	routes
		.workspace('GET', '/onlineEndpoints', (call) =>
			page(call, call.platform.state.resources.list(keyOf(call, 'onlineEndpoints'))),
		)
		.workspace('GET', at, (call) => found(endpointOf(call)))
		.workspace('PUT', at, (call) => put(call, operations))
		.workspace('PATCH', at, patch)
		.workspace('DELETE', at, (call) => remove(call, operations, serving))
		.workspace('POST', `${at}/listKeys`, listKeys)
		.workspace('POST', `${at}/regenerateKeys`, regenerateKeys)
		.workspace('POST', `${at}/token`, token);
}

/** Gives the key of the endpoint of a call. */
export function endpointKey(call: ArmCall): string {
	return keyOf(call, 'onlineEndpoints', call.names['endpoint'] ?? '');
}

/** Gives the endpoint of a call; 404 when there is none. */
export function endpointOf(call: ArmCall): Resource {
	const endpoint = call.platform.state.resources.get(endpointKey(call));
	if (endpoint) return endpoint;
	throw notFound(
		'NoSuchEndpoint',
		`There is no endpoint with name: ${call.names['endpoint']} in ${call.names['workspace']}`,
	);
}

/** Makes the 404 of endpoints and deployments, seen for batch endpoints and taken to be the same here. */
export function notFound(code: string, message: string): AnswerError {
	return serviceError(404, 'NotFound', 'The specified resource was not found.', { details: [{ code, message }] });
}

function put(call: ArmCall, operations: Operations): Answer {
	const name = call.names['endpoint'] ?? '';
	const { resources } = call.platform.state;
	const key = endpointKey(call);
	const before = resources.get(key);
	if (!before) checkName('endpoint', name, ENDPOINT_NAME);
	checkBody('onlineEndpoints', call.body);
	checkLocation(call.body);
	const given = propertiesOf(call.body);
	checkTraffic(given, resources.list(`${key}/deployments`));
	const endpoint = before ?? resources.put(key, makeResource(call, ['onlineEndpoints', name], {}));
	const free = occupy(endpoint);
	const headers = operations.start(call, {
		family: 'mfe',
		prefix: 'oeidp',
		running: 'Updating',
		work: async () => {
			await call.platform.pause(call.platform.jobStateDelayMs);
			endpoint.properties['provisioningState'] = 'Succeeded';
			Object.assign(endpoint.properties, addresses(call, name));
			free();
			resources.touch();
		},
	});
	describe(call, endpoint, given, before === undefined);
	headers['Location'] = call.url;
	return { status: before ? 200 : 201, headers, json: shown(endpoint) };
}

function addresses(call: ArmCall, name: string): Json {
	const base = `${call.platform.origins.arm}/online/${name}`;
	return { scoringUri: `${base}/score`, swaggerUri: `${base}/swagger.json` };
}

function describe(call: ArmCall, endpoint: Resource, given: Json, isNew: boolean): void {
	const traffic = objectOf(given['traffic']);
	const history = (endpoint.secret?.['trafficHistory'] ?? []) as { at: number; traffic: Json }[];
	const last = history.at(-1)?.traffic ?? {};
	if (!isDeepEqual(last, traffic)) history.push({ at: call.platform.clock(), traffic });
	endpoint.secret = { primaryKey: newKey(), secondaryKey: newKey(), ...endpoint.secret, trafficHistory: history };
	const { scoringUri, swaggerUri } = endpoint.properties;
	endpoint.properties = {
		description: given['description'] ?? null,
		properties: { ...objectOf(given['properties']), 'azureml.onlineendpointid': endpoint.id.toLowerCase() },
		scoringUri: scoringUri ?? null,
		swaggerUri: swaggerUri ?? null,
		authMode: given['authMode'],
		provisioningState: isNew ? 'Creating' : 'Updating',
		compute: given['compute'] ?? null,
		traffic,
		mirrorTraffic: given['mirrorTraffic'] ?? {},
		publicNetworkAccess: given['publicNetworkAccess'] ?? 'Enabled',
	};
	const principal = '5ca1ab1e-0000-4000-8000-000000000002';
	Object.assign(endpoint, {
		tags: call.body['tags'] ?? {},
		location: LOCATION,
		kind: 'Managed',
		identity: {
			type: 'SystemAssigned',
			...objectOf(call.body['identity']),
			principalId: principal,
			tenantId: IDENTITY.tenantId,
		},
		systemData: makeResource(call, ['onlineEndpoints', endpoint.name], {}).systemData,
	});
	call.platform.state.resources.touch();
}

function isDeepEqual(one: Json, other: Json): boolean {
	const sorted = (value: Json) => JSON.stringify(Object.entries(value).sort());
	return sorted(one) === sorted(other);
}

function newKey(): string {
	return randomBytes(24).toString('base64url');
}

function patch(call: ArmCall): Answer {
	const endpoint = endpointOf(call);
	const { tags, identity, ...others } = call.body;
	if (Object.keys(objectOf(others['properties'])).length > 0) {
		throw serviceError(
			400,
			'UserError',
			'A PATCH of an online endpoint takes tags and identity only. PUT the endpoint.',
			{
				inner: ['BadArgument', 'ArgumentInvalid'],
			},
		);
	}
	if (tags) endpoint.tags = objectOf(tags) as Record<string, string>;
	if (identity) endpoint.identity = identity;
	call.platform.state.resources.touch();
	return found(endpoint);
}

function remove(call: ArmCall, operations: Operations, serving: Serving): Answer {
	const key = endpointKey(call);
	return deleteServed(call, {
		key,
		endpointKey: key,
		start: (plan) => operations.start(call, { family: 'mfe', prefix: 'oeidp', ...plan }),
		stop: async () => {
			const deployments = call.platform.state.resources.list(`${key}/deployments`);
			await Promise.all(deployments.map((one) => serving.remove(`${key}/deployments/${encodeURIComponent(one.name)}`)));
		},
	});
}

function listKeys(call: ArmCall): Answer {
	const endpoint = endpointOf(call);
	checkMode(endpoint, 'Key');
	const { primaryKey, secondaryKey } = endpoint.secret ?? {};
	return { status: 200, headers: standard, json: { primaryKey, secondaryKey } };
}

function regenerateKeys(call: ArmCall): Answer {
	const endpoint = endpointOf(call);
	checkMode(endpoint, 'Key');
	const { keyType, keyValue } = call.body;
	if (keyType !== 'Primary' && keyType !== 'Secondary') {
		throw serviceError(400, 'ValidationError', 'keyType must be Primary or Secondary.', { target: 'keyType' });
	}
	const key = typeof keyValue === 'string' && keyValue !== '' ? keyValue : newKey();
	endpoint.secret = { ...endpoint.secret, [keyType === 'Primary' ? 'primaryKey' : 'secondaryKey']: key };
	call.platform.state.resources.touch();
	return { status: 200, headers: standard };
}

async function token(call: ArmCall): Promise<Answer> {
	const endpoint = endpointOf(call);
	checkMode(endpoint, 'AMLToken');
	const now = Math.floor(call.platform.clock() / 1000);
	const accessToken = await call.platform.entraKeys.sign({ aud: endpointAudience(endpoint.name) }, TOKEN_LIFE);
	const times = { expiryTimeUtc: now + TOKEN_LIFE, refreshAfterTimeUtc: now + TOKEN_LIFE / 2 };
	return { status: 200, headers: standard, json: { accessToken, tokenType: 'Bearer', ...times } };
}

/** Gives the audience of the tokens that an endpoint issues for itself. */
export function endpointAudience(name: string): string {
	return `azureml-endpoint:${name}`;
}

/** Tells how an endpoint signs its callers in, in lower case. */
export function authModeOf(endpoint: Resource): string {
	return String(endpoint.properties['authMode']).toLowerCase();
}

function checkMode(endpoint: Resource, mode: string): void {
	if (authModeOf(endpoint) === mode.toLowerCase()) return;
	throw serviceError(
		400,
		'UserError',
		`Endpoint ${endpoint.name} has the authMode ${endpoint.properties['authMode']}; this call is for ${mode}.`,
		{ inner: ['BadArgument', 'ArgumentInvalid'] },
	);
}
