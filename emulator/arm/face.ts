// The Resource Manager face: sign-in, api-version, subscription and group, then the route of the resource kind.

import { armAudiences, authorize } from '../authorization.ts';
import { armError, LOCATION } from '../errors.ts';
import { IDENTITY, ML_RESOURCE, type Platform } from '../platform.ts';
import { Router } from '../router.ts';
import type { Answer, FaceRequest, Handler } from '../server.ts';
import type { ArmCall, ArmHandler, Json } from './call.ts';
import { isObject } from './call.ts';

const WORKSPACE =
	'/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}';
/** What the data plane's address of the same routes begins with; clients use it for some of their calls. */
const FRONT_END = /^\/mferp\/managementfrontend(?=\/subscriptions\/)/i;
/** Versions before this one have other bodies than the emulator checks. */
const OLDEST_VERSION = '2022-02-01';

/** Collects the routes of the resource kinds. */
export class ArmRoutes {
	readonly router = new Router<ArmHandler>();

	/** Adds a route below a workspace; `path` begins with a slash or is empty. */
	workspace(methods: string, path: string, handler: ArmHandler): this {
		this.router.on(methods, WORKSPACE + path, handler);
		return this;
	}

	/** Adds a route below the provider's region, where operations are polled. */
	region(methods: string, path: string, handler: ArmHandler): this {
		const base = '/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}';
		this.router.on(methods, base + path, handler);
		return this;
	}
}

/** Answers Resource Manager. */
export function armFace(platform: Platform, routes: ArmRoutes): Handler {
	return async (request) => {
		const path = request.path.replace(FRONT_END, '');
		const isFrontEnd = path !== request.path;
		await authorize(platform, request, [...armAudiences(platform), ...(isFrontEnd ? [ML_RESOURCE] : [])]);
		const found = routes.router.find(request.method, path);
		if (found === undefined) throw unknownPath(request);
		// After that: what is not emulated is of other providers, too, whose versions are others.
		const apiVersion = checkApiVersion(request, isFrontEnd);
		if (found === 'method') {
			throw armError(405, 'MethodNotAllowed', `The method ${request.method} is not allowed at ${request.path}.`);
		}
		checkScope(platform, found.names, request.method);
		const call: ArmCall = {
			platform,
			names: found.names,
			query: request.query,
			body: bodyOf(request),
			url: `${platform.origins.arm}${request.path}?${request.query}`,
			apiVersion,
		};
		return await withRequestIds(request, found.handler(call));
	};
}

async function withRequestIds(request: FaceRequest, answering: Answer | Promise<Answer>): Promise<Answer> {
	const answer = await answering;
	const id = request.headers['x-ms-client-request-id'];
	const echoed = id !== undefined && request.headers['x-ms-return-client-request-id'] === 'true';
	const headers = {
		'x-ms-request-id': crypto.randomUUID(),
		'x-ms-correlation-request-id': request.headers['x-ms-correlation-request-id'] ?? crypto.randomUUID(),
		'x-ms-ratelimit-remaining-subscription-reads': '11999',
		...(echoed ? { 'x-ms-client-request-id': id } : {}),
		...answer.headers,
	};
	return { ...answer, headers };
}

function bodyOf(request: FaceRequest): Json {
	if (request.body === undefined) return {};
	const isJson = (request.headers['content-type'] ?? '').includes('json');
	// What a compute calls `properties` are settings of their own types.
	const isCompute = /\/computes\//i.test(request.path);
	if (isObject(request.body) && isJson) return isCompute ? request.body : withTexts(request.body);
	if (!isJson) {
		throw armError(415, 'UnsupportedMediaType', "The content media type is not supported. Only 'application/json' is.");
	}
	throw armError(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.');
}

/** Tags and properties are texts; azure-ai-ml sends numbers among them, which the service takes as texts. */
function withTexts(body: Json): Json {
	const { properties } = body;
	if (!isObject(properties)) return body;
	const texts: Json = {};
	for (const name of ['properties', 'tags']) {
		const pairs = properties[name];
		if (isObject(pairs))
			texts[name] = Object.fromEntries(Object.entries(pairs).map(([key, one]) => [key, asText(one)]));
	}
	return { ...body, properties: { ...properties, ...texts } };
}

function asText(value: unknown): unknown {
	return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function checkApiVersion(request: FaceRequest, isFrontEnd: boolean): string {
	const version = request.query.get('api-version');
	if (!version) {
		throw armError(
			400,
			'MissingApiVersionParameter',
			'The api-version query parameter (?api-version=) is required for all requests.',
		);
	}
	const date = /^(\d{4}-\d{2}-\d{2})(-[a-z]+)?$/.exec(version)?.[1];
	if (date !== undefined && (isFrontEnd || date >= OLDEST_VERSION)) return version;
	throw armError(
		400,
		'InvalidResourceType',
		`The resource type could not be found in the namespace 'Microsoft.MachineLearningServices' for api version '${version}'. The supported api-versions are '2022-02-01-preview' and later.`,
	);
}

function checkScope(platform: Platform, names: Record<string, string>, method: string): void {
	const { subscription, group, workspace } = names;
	if (subscription !== undefined && subscription.toLowerCase() !== IDENTITY.subscriptionId) {
		throw armError(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`);
	}
	if (group !== undefined && group.toLowerCase() !== IDENTITY.resourceGroup) {
		throw armError(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`);
	}
	if (names['location'] !== undefined && names['location'].toLowerCase() !== LOCATION) {
		throw armError(404, 'LocationNotFound', `The emulator is in '${LOCATION}' only, not in '${names['location']}'.`);
	}
	if (workspace === undefined || platform.state.resources.get(workspace.toLowerCase()) !== undefined) return;
	// PUT of a workspace that does not exist creates it.
	if (method === 'PUT' && Object.keys(names).length === 3) return;
	if (method === 'DELETE' && Object.keys(names).length === 3) return;
	throw armError(
		404,
		'ResourceNotFound',
		`The Resource 'Microsoft.MachineLearningServices/workspaces/${workspace}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
	);
}

function unknownPath(request: FaceRequest) {
	return armError(
		404,
		'InvalidResourceType',
		`The emulator has no resource at ${request.path}. See docs/emulator.md for what it emulates.`,
	);
}
