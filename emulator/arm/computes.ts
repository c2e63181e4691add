// Computes: listed, created and deleted as long-running operations. No machine stands behind them.

import { armError, bare, isoTime, LOCATION, serviceError } from '../errors.ts';
import type { Answer } from '../server.ts';
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
import type { ArmRoutes } from './face.ts';
import type { Operations } from './operations.ts';
import { checkBody } from './schemas.ts';

/** What is known of clusters and instances alike; the kinds have rules of their own besides. */
const NAME = /^[a-zA-Z][a-zA-Z0-9-]{1,31}$/;

/** Adds the routes of computes. */
export function routeComputes(routes: ArmRoutes, operations: Operations): void {
	routes
		.workspace('GET', '/computes', (call) => page(call, call.platform.state.resources.list(keyOf(call, 'computes'))))
		.workspace('GET', '/computes/{name}', (call) => found(computeOf(call)))
		.workspace('PUT', '/computes/{name}', (call) => put(call, operations))
		.workspace('PATCH', '/computes/{name}', patch)
		.workspace('DELETE', '/computes/{name}', (call) => remove(call, operations));
}

/** Puts the two computes into a workspace that are there from the start. */
export function furnishComputes(call: ArmCall): void {
	for (const [name, maxNodeCount] of [
		['cpu-cluster', 4],
		['gpu-cluster', 2],
	] as const) {
		const given = {
			computeType: 'AmlCompute',
			properties: {
				vmSize: name === 'cpu-cluster' ? 'STANDARD_DS3_V2' : 'STANDARD_NC6S_V3',
				vmPriority: 'Dedicated',
				scaleSettings: { minNodeCount: 0, maxNodeCount, nodeIdleTimeBeforeScaleDown: 'PT2M' },
			},
		};
		call.platform.state.resources.put(keyOf(call, 'computes', name), makeCompute(call, name, given, 'Succeeded'));
	}
}

function computeOf(call: ArmCall): Resource {
	const compute = call.platform.state.resources.get(keyOf(call, 'computes', call.names['name'] ?? ''));
	// The service's 404 has no body here.
	if (!compute) throw bare({ status: 404, headers: standard });
	return compute;
}

function makeCompute(call: ArmCall, name: string, given: Json, provisioningState: string): Resource {
	const now = isoTime(call.platform.clock());
	const before = call.platform.state.resources.get(keyOf(call, 'computes', name));
	const inner = objectOf(given['properties']);
	const cluster = {
		subnet: null,
		currentNodeCount: 0,
		targetNodeCount: 0,
		nodeStateCounts: {
			preparingNodeCount: 0,
			runningNodeCount: 0,
			idleNodeCount: 0,
			unusableNodeCount: 0,
			leavingNodeCount: 0,
			preemptedNodeCount: 0,
		},
		allocationState: 'Steady',
		allocationStateTransitionTime: now,
		errors: null,
		osType: 'Linux',
		vmPriority: 'Dedicated',
	};
	const compute = makeResource(call, ['computes', name], {
		createdOn: before?.properties['createdOn'] ?? now,
		modifiedOn: now,
		disableLocalAuth: false,
		description: given['description'] ?? null,
		resourceId: given['resourceId'] ?? null,
		computeType: given['computeType'],
		computeLocation: LOCATION,
		provisioningState,
		provisioningErrors: null,
		isAttachedCompute: given['resourceId'] != null,
		properties: { ...(given['computeType'] === 'AmlCompute' ? cluster : {}), ...withoutPassword(inner) },
	});
	return { ...compute, location: LOCATION, tags: {} };
}

function withoutPassword(inner: Json): Json {
	const { userAccountCredentials } = inner;
	const hidden = { ...objectOf(userAccountCredentials), adminUserPassword: null };
	const size = inner['vmSize'] == null ? {} : { vmSize: String(inner['vmSize']).toUpperCase() };
	return { ...inner, ...size, ...(userAccountCredentials ? { userAccountCredentials: hidden } : {}) };
}

function put(call: ArmCall, operations: Operations): Answer {
	const name = call.names['name'] ?? '';
	checkName('compute', name, NAME);
	checkBody('computes', call.body);
	checkLocation(call.body);
	const given = propertiesOf(call.body);
	const { maxNodeCount } = objectOf(objectOf(given['properties'])['scaleSettings']);
	if (
		given['computeType'] === 'AmlCompute' &&
		maxNodeCount === undefined &&
		objectOf(given['properties'])['scaleSettings']
	) {
		throw serviceError(400, 'UserError', 'The scaleSettings of an AmlCompute need a maxNodeCount.', {
			inner: ['BadArgument', 'ArgumentInvalid'],
		});
	}
	const { resources } = call.platform.state;
	const compute = makeCompute(call, name, given, 'Creating');
	if (call.body['tags']) compute.tags = objectOf(call.body['tags']) as Record<string, string>;
	if (call.body['identity']) compute.identity = call.body['identity'];
	resources.put(keyOf(call, 'computes', name), compute);
	const headers = operations.start(call, {
		family: 'compute',
		prefix: '',
		running: 'InProgress',
		work: async () => {
			await call.platform.pause(call.platform.jobStateDelayMs);
			compute.properties['provisioningState'] = 'Succeeded';
			resources.touch();
		},
	});
	// The service answers 201 for an update too.
	return { status: 201, headers, json: shown(compute) };
}

function patch(call: ArmCall): Answer {
	const compute = computeOf(call);
	const inner = objectOf(compute.properties['properties']);
	const scale = objectOf(objectOf(objectOf(call.body['properties'])['properties'])['scaleSettings']);
	inner['scaleSettings'] = { ...objectOf(inner['scaleSettings']), ...scale };
	call.platform.state.resources.touch();
	return found(compute);
}

function remove(call: ArmCall, operations: Operations): Answer {
	const action = call.query.get('underlyingResourceAction');
	if (action !== 'Delete' && action !== 'Detach') {
		throw armError(
			400,
			'InvalidRequest',
			"The query parameter 'underlyingResourceAction' must be 'Delete' or 'Detach'.",
		);
	}
	const compute = computeOf(call);
	compute.properties['provisioningState'] = 'Deleting';
	const headers = operations.start(call, {
		family: 'compute',
		prefix: '',
		running: 'InProgress',
		work: async () => {
			await call.platform.pause(call.platform.jobStateDelayMs);
			call.platform.state.resources.remove(keyOf(call, 'computes', compute.name));
		},
	});
	return { status: 202, headers };
}
