// Workspaces: the one that is there from the start, and those that a PUT creates.

import { randomUUID } from 'node:crypto';
import { armError, isoTime, LOCATION, serviceError } from '../errors.ts';
import { IDENTITY, type Platform } from '../platform.ts';
import type { Answer } from '../server.ts';
import type { Resource } from '../state.ts';
import { ACCOUNT } from '../storage.ts';
import {
	type ArmCall,
	checkLocation,
	checkName,
	found,
	type Json,
	page,
	propertiesOf,
	shown,
	standard,
	workspaceId,
} from './call.ts';
import type { ArmRoutes } from './face.ts';
import type { Operations } from './operations.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$/;

/** Adds the routes of workspaces. `furnish` puts into a new workspace what every workspace has. */
export function routeWorkspaces(routes: ArmRoutes, operations: Operations, furnish: (call: ArmCall) => void): void {
	const group =
		'/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces';
	routes.router
		.on('GET', group, list)
		.on('GET', '/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/workspaces', list);
	routes
		.workspace('GET', '', (call) => found(workspaceOf(call)))
		.workspace('PUT', '', (call) => create(call, operations, furnish))
		.workspace('PATCH', '', update);
}

/** Gives the workspace of a call; its absence was refused before. */
export function workspaceOf(call: ArmCall): Resource {
	const workspace = call.platform.state.resources.get((call.names['workspace'] ?? '').toLowerCase());
	if (workspace) return workspace;
	throw armError(404, 'ResourceNotFound', `There is no workspace ${call.names['workspace']}.`);
}

function list(call: ArmCall): Answer {
	const workspaces = call.platform.state.resources.entries().filter(([key]) => !key.includes('/'));
	return page(
		call,
		workspaces.map(([, workspace]) => workspace),
	);
}

function create(call: ArmCall, operations: Operations, furnish: (call: ArmCall) => void): Answer {
	const name = call.names['workspace'] ?? '';
	const { resources } = call.platform.state;
	const before = resources.get(name.toLowerCase());
	checkName('workspace', name, NAME);
	checkLocation(call.body);
	const given = propertiesOf(call.body);
	for (const needed of before ? [] : ['storageAccount', 'keyVault', 'applicationInsights']) {
		if (typeof given[needed] === 'string') continue;
		// The schema requires none of these; the service is known to want them for a workspace of the default kind.
		throw serviceError(400, 'ValidationError', `Missing dependent resources in workspace json: properties.${needed}.`);
	}
	const workspace = makeWorkspace(call, { ...before?.properties, ...given, provisioningState: 'Creating' });
	Object.assign(workspace, { tags: call.body['tags'] ?? {}, identity: identity() });
	resources.put(name.toLowerCase(), workspace);
	const headers = operations.start(call, {
		family: 'workspace',
		prefix: 'ws',
		running: 'InProgress',
		work: async () => {
			await call.platform.pause(call.platform.jobStateDelayMs);
			workspace.properties['provisioningState'] = 'Succeeded';
			if (!before) furnish(call);
			resources.touch();
		},
	});
	return { status: 202, headers, ...(before ? { json: shown(workspace) } : {}) };
}

function update(call: ArmCall): Answer {
	const workspace = workspaceOf(call);
	Object.assign(workspace.properties, call.body['properties']);
	if (call.body['tags']) Object.assign(workspace, { tags: call.body['tags'] });
	call.platform.state.resources.touch();
	return { status: 200, headers: standard, json: shown(workspace) };
}

/** Makes the resource of a workspace with the addresses that clients read from it. */
export function makeWorkspace(call: ArmCall, given: Json): Resource {
	const { platform } = call;
	const id = workspaceId(call);
	const group = `/subscriptions/${IDENTITY.subscriptionId}/resourceGroups/${IDENTITY.resourceGroup}`;
	const now = isoTime(platform.clock());
	return {
		id,
		name: call.names['workspace'] ?? '',
		type: 'Microsoft.MachineLearningServices/workspaces',
		location: LOCATION,
		kind: 'Default',
		tags: {},
		identity: identity(),
		sku: { name: 'Basic', tier: 'Basic' },
		properties: {
			friendlyName: call.names['workspace'],
			description: '',
			storageAccount: `${group}/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`,
			keyVault: `${group}/providers/Microsoft.KeyVault/vaults/emulatedvault`,
			applicationInsights: `${group}/providers/Microsoft.insights/components/emulatedinsights`,
			containerRegistry: null,
			hbiWorkspace: false,
			tenantId: IDENTITY.tenantId,
			imageBuildCompute: null,
			v1LegacyMode: false,
			publicNetworkAccess: 'Enabled',
			workspaceId: randomUUID(),
			provisioningState: 'Succeeded',
			...given,
			discoveryUrl: `${platform.origins.arm}/discovery`,
			mlFlowTrackingUri: trackingUri(platform, id),
		},
		systemData: { createdAt: now, createdBy: 'Emulated Principal', createdByType: 'Application', lastModifiedAt: now },
	};
}

/** Gives the tracking URI of a workspace: MLflow clients put https (here: http) in the place of `azureml`. */
export function trackingUri(platform: Platform, id: string): string {
	return `azureml://${new URL(platform.origins.arm).host}/mlflow/v1.0${id}`;
}

function identity(): Json {
	return { type: 'SystemAssigned', principalId: '5ca1ab1e-0000-4000-8000-000000000001', tenantId: IDENTITY.tenantId };
}
