// Azure ML registries: discovery, the import of a workspace's model, and the versions that a registry then has. One registry
// exists; its content is not copied, so a version of it points to where the workspace's model is.

import { type ArmCall, found, isObject, objectOf, page, shown, textOf } from './arm/call.ts';
import type { ArmRoutes } from './arm/face.ts';
import { OperationError, type Operations } from './arm/operations.ts';
import { registryModelKey } from './arm/references.ts';
import { armAudiences, authorize } from './authorization.ts';
import { armError, dataPlaneError, isoTime, LOCATION, serviceError } from './errors.ts';
import { IDENTITY, ML_RESOURCE, type Platform } from './platform.ts';
import { type PathNames, Router } from './router.ts';
import type { Answer, AnswerError, FaceRequest, Handler } from './server.ts';
import type { Resource } from './state.ts';

/** The registry that exists. */
export const REGISTRY = 'emulated-registry';

const RESOURCE =
	'/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/registries/{registry}';
const FRONT_END = '/mferp/managementfrontend';
/** The one that the front end's own clients send. */
const IMPORT_VERSION = '2021-10-01-dataplanepreview';
const SOURCE = /^azureml:\/\/locations\/([^/]+)\/workspaces\/([^/]+)\/models\/([^/]+)\/versions\/([^/]+)$/;

type RegistryHandler = (request: FaceRequest, names: PathNames) => Answer;

/** Adds what Resource Manager shows of a registry. */
export function routeRegistryVersions(routes: ArmRoutes): void {
	routes.router.on('GET', `${RESOURCE}/models/{name}/versions/{version}`, version);
}

function version(call: ArmCall): Answer {
	checkRegistry(call.names);
	const known = call.platform.state.resources.get(keyOf(call.names));
	if (known) return found(known);
	throw absent(`${call.names['name']}:${call.names['version']}`);
}

/**
 * Newest first, as in a workspace. That the list is empty for a model that is not there is not confirmed; azure-ai-ml 1.35
 * asks for it before it shares a new model, and takes no other answer.
 */
function versions(call: ArmCall): Answer {
	checkRegistry(call.names);
	const key = keyOf({ ...call.names, version: 'any' }).replace(/\/any$/, '');
	return page(call, call.platform.state.resources.list(key).reverse());
}

/** Gives the ids in an answer the form that the front end's clients read, which knows no subscription. */
function atFrontEnd(answer: Answer): Answer {
	const text = JSON.stringify(answer.json).replace(/"\/subscriptions\/[^"]*(?=\/registries\/)/g, '"azureml:/');
	return { ...answer, json: JSON.parse(text) };
}

function absent(model: string): AnswerError {
	const inner = { inner: ['NotFound', 'ModelNotFound'] };
	return serviceError(404, 'UserError', `The model ${model} was not found.`, inner);
}

/** Answers discovery and the front end of registries. */
export function registryFace(platform: Platform, operations: Operations): Handler {
	const router = new Router<RegistryHandler>();
	router
		.on('GET', '/registrymanagement/v1.0/registries/{registry}/discovery', (_, names) => discovery(platform, names))
		.on('POST', `${FRONT_END}${RESOURCE}/import`, (request, names) =>
			importModel(callOf(platform, request, names), operations),
		)
		.on('GET', `${FRONT_END}${RESOURCE}/models/{name}/versions`, (request, names) =>
			atFrontEnd(versions(callOf(platform, request, names))),
		)
		.on('GET', `${FRONT_END}${RESOURCE}/models/{name}/versions/{version}`, (request, names) =>
			atFrontEnd(version(callOf(platform, request, names))),
		);
	return async (request) => {
		const isDiscovery = request.path.endsWith('/discovery');
		// azure-ai-ml asks for discovery with a token for Azure ML itself.
		await authorize(platform, request, [...armAudiences(platform), ...(isDiscovery ? [ML_RESOURCE] : [])]);
		const route = router.find(request.method, request.path);
		if (route === undefined || route === 'method')
			throw dataPlaneError(404, `The emulator has nothing at ${request.method} ${request.path}.`, ['NotFound']);
		return route.handler(request, route.names);
	};
}

function discovery({ origins }: Platform, names: PathNames): Answer {
	checkRegistry(names);
	return {
		status: 200,
		headers: { 'x-ms-response-type': 'standard' },
		json: {
			registryId: '9d5c1f5e-0000-4000-8000-0000000e6157',
			registryName: REGISTRY,
			tenantId: IDENTITY.tenantId,
			primaryRegion: LOCATION,
			regions: [LOCATION],
			subscriptionId: IDENTITY.subscriptionId,
			resourceGroup: IDENTITY.resourceGroup,
			workspaceName: null,
			primaryRegionResourceProviderUri: `${origins.arm}/`,
			registryFqdns: { [LOCATION]: { uri: origins.arm } },
			intellectualPropertyPublisher: null,
		},
	};
}

/** Takes the import at once and does it as an operation; that the service checks the source first is not confirmed. */
function importModel(call: ArmCall, operations: Operations): Answer {
	const { platform, query, body } = call;
	checkRegistry(call.names);
	if (query.get('api-version') !== IMPORT_VERSION)
		throw armError(400, 'InvalidApiVersion', `An import is asked for with the api-version ${IMPORT_VERSION}.`);
	const { referenceType, destinationName, destinationVersion, sourceAssetId } = objectOf(body['properties']);
	const [name, version] = [textOf(destinationName), textOf(destinationVersion)];
	const source = modelOf(platform, textOf(sourceAssetId) ?? '');
	if (referenceType !== 'Id' || name === undefined || version === undefined || source === undefined) {
		throw serviceError(
			400,
			'UserError',
			`The import does not name a model of a workspace and what it is to be called.`,
			{
				inner: ['BadArgument', 'ArgumentInvalid'],
			},
		);
	}
	const names = { ...call.names, name, version };
	const key = keyOf(names);
	const taken = `The model ${name}:${version} already exists in the registry ${REGISTRY}.`;
	if (platform.state.resources.get(key)) throw serviceError(409, 'UserError', taken);
	const headers = operations.start(call, {
		family: 'mfe',
		prefix: 'ri',
		running: 'InProgress',
		work: async () => {
			await platform.pause(platform.jobStateDelayMs);
			// Another import may have ended first.
			if (platform.state.resources.get(key)) throw new OperationError('Conflict', taken);
			platform.state.resources.put(key, copyOf(source, names, platform.clock()));
		},
	});
	return { status: 202, headers };
}

/** Whether a copy keeps tags and properties is not confirmed; here it does. */
function copyOf(source: Resource, names: PathNames, now: number): Resource {
	const { name = '', version = '' } = names;
	const type = 'Microsoft.MachineLearningServices/registries';
	return {
		id: `/subscriptions/${names['subscription']}/resourceGroups/${names['group']}/providers/${type}/${REGISTRY}/models/${name}/versions/${version}`,
		name: version,
		type: `${type}/models/versions`,
		properties: { ...shownProperties(source), provisioningState: 'Succeeded' },
		systemData: { createdAt: isoTime(now), lastModifiedAt: isoTime(now) },
	};
}

function shownProperties(source: Resource): Record<string, unknown> {
	const { properties } = shown(source);
	const { jobName: _, ...kept } = objectOf(properties);
	return kept;
}

function modelOf({ state }: Platform, sourceAssetId: string): Resource | undefined {
	const [, location, workspaceId, name = '', version = ''] = SOURCE.exec(sourceAssetId) ?? [];
	const workspace = state.resources
		.entries()
		.find(([key, { properties }]) => !key.includes('/') && properties['workspaceId'] === workspaceId);
	if (location !== LOCATION || workspace === undefined) return undefined;
	return state.resources.get([workspace[0], 'models', name, 'versions', version].map(encodeURIComponent).join('/'));
}

function checkRegistry(names: PathNames): void {
	if (names['registry']?.toLowerCase() === REGISTRY) return;
	throw dataPlaneError(404, `The registry ${names['registry']} was not found.`, ['NotFound', 'RegistryNotFound']);
}

function keyOf({ name = '', version = '' }: PathNames): string {
	return registryModelKey(REGISTRY, name, version);
}

function callOf(platform: Platform, request: FaceRequest, names: PathNames): ArmCall {
	return {
		platform,
		names,
		query: request.query,
		body: isObject(request.body) ? request.body : {},
		url: `${platform.origins.arm}${request.path}?${request.query}`,
		// Of the addresses at which the operation is asked.
		apiVersion: '2025-09-01',
	};
}
