// Online endpoints as they exist: read, create or bring up to date without a touch on live traffic, set traffic, delete.
// Deployments are online-deployment.ts; what share each should have is traffic.ts.
import type { Workspace } from '../azure/workspace.ts';
import { ActionError, ServiceError } from '../errors.ts';
import { isObject, type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { type EndpointParts, endpointPath, idleEndpoint, settling, whenIdle } from './online-wait.ts';
import { sameTraffic, servingTraffic, shareOf, type TrafficMap, trafficFrom, trafficText } from './traffic.ts';

/** An online endpoint as the service tells it. */
export interface OnlineEndpoint {
	readonly name: string;
	/** `Key`, `AMLToken` or `AADToken`. */
	readonly authMode: string;
	/** Absent until the endpoint is ready. */
	readonly scoringUri: string | undefined;
	/** As the service holds it, shares of 0 included. */
	readonly traffic: TrafficMap;
	readonly mirrorTraffic: TrafficMap;
	/** The whole resource. */
	readonly resource: JsonObject;
}

/** What an endpoint should be. On one that exists, what is undefined here is left as it is. */
export interface EndpointWish {
	/** The body to create it with. */
	readonly body: JsonObject;
	readonly authMode: string | undefined;
	/** Added to the tags that are there. */
	readonly tags: Readonly<Record<string, string>>;
	readonly description: string | undefined;
	readonly identity: JsonObject | undefined;
	readonly publicNetworkAccess: string | undefined;
}

/** The traffic is not what this run last saw or set: another run or a person has changed it. */
export class TrafficChanged extends ActionError {
	override readonly name = 'TrafficChanged';

	constructor(endpoint: string, expected: TrafficMap, found: TrafficMap) {
		super({
			what: `The traffic of the endpoint "${endpoint}" was changed by someone else meanwhile, and is left as they set it.`,
			why: `Expected ${trafficText(expected)}, found ${trafficText(found)}.`,
			next: 'Run one rollout of an endpoint at a time (a `concurrency` group in the workflow sees to that), then run again.',
		});
	}
}

/** The endpoint that a resource of the service describes. */
export function endpointFrom(name: string, resource: Json): OnlineEndpoint {
	return {
		name: textAt(resource, 'name') ?? name,
		authMode: textAt(resource, 'properties', 'authMode') ?? 'Key',
		scoringUri: textAt(resource, 'properties', 'scoringUri') || undefined,
		traffic: mapAt(resource, 'traffic'),
		mirrorTraffic: mapAt(resource, 'mirrorTraffic'),
		resource: isObject(resource) ? resource : {},
	};
}

function mapAt(resource: Json, key: string): TrafficMap {
	return trafficFrom(objectAt(resource, 'properties', key));
}

/** The endpoint once no change of it is under way; undefined where there is none of that name. */
export async function findEndpoint(name: string, parts: EndpointParts): Promise<OnlineEndpoint | undefined> {
	const found = await idleEndpoint(name, parts);
	return found === undefined ? undefined : endpointFrom(name, found);
}

/**
 * Creates the endpoint if it is missing. One that exists keeps its traffic; its tags, description and identity are brought
 * up to the wish, and nothing is sent where they are so already.
 * @throws ActionError when it exists with another auth mode
 */
export async function ensureEndpoint(
	name: string,
	wish: EndpointWish,
	parts: EndpointParts,
): Promise<{ readonly endpoint: OnlineEndpoint; readonly created: boolean }> {
	return whenIdle(name, parts, async () => {
		const found = await findEndpoint(name, parts);
		if (found === undefined) {
			parts.log.info(`Creating the endpoint ${name}.`);
			return { endpoint: await putEndpoint(name, wish.body, `create the endpoint "${name}"`, parts), created: true };
		}
		checkUnchangeable(found, wish, parts);
		// It never came up, so its own definition is sent once more.
		const unfinished = neverCameUp(found) ? endpointBody(found.resource) : undefined;
		const body = updatedBody(found, wish) ?? unfinished;
		if (body === undefined) return { endpoint: found, created: false };
		const serving = parts.collection === 'batchEndpoints' ? 'default deployment' : 'traffic';
		parts.log.info(`Updating the endpoint ${name}; its ${serving} stays ${servingText(found)}.`);
		return { endpoint: await putEndpoint(name, body, `update the endpoint "${name}"`, parts), created: false };
	});
}

/** What serves now, in words: the default deployment of a batch endpoint, the traffic of an online one. */
function servingText({ resource, traffic }: OnlineEndpoint): string {
	return textAt(resource, 'properties', 'defaults', 'deploymentName') ?? trafficText(traffic);
}

function neverCameUp({ scoringUri, resource }: OnlineEndpoint): boolean {
	const state = textAt(resource, 'properties', 'provisioningState')?.toLowerCase();
	return scoringUri === undefined && (state === 'failed' || state === 'canceled');
}

function checkUnchangeable(
	{ name, authMode, resource }: OnlineEndpoint,
	wish: EndpointWish,
	{ log }: EndpointParts,
): void {
	if (wish.authMode !== undefined && wish.authMode.toLowerCase() !== authMode.toLowerCase()) {
		throw new ActionError({
			what: `The endpoint "${name}" exists with another auth mode.`,
			why: `\`endpoint-file\` says ${wish.authMode} (Key where it has no auth_mode), the endpoint has ${authMode}; to change it would lock its callers out.`,
			next: 'Correct `auth_mode` in the file, or deploy to an endpoint of another name.',
		});
	}
	const access = textAt(resource, 'properties', 'publicNetworkAccess');
	const wished = wish.publicNetworkAccess;
	if (wished !== undefined && access !== undefined && wished.toLowerCase() !== access.toLowerCase()) {
		log.warning(
			`The endpoint ${name} has public network access ${access}, and \`endpoint-file\` says ${wished}. It is left as it is.`,
		);
	}
}

/** The body that brings an existing endpoint up to the wish; undefined where it is so already. */
export function updatedBody({ resource }: OnlineEndpoint, wish: EndpointWish): JsonObject | undefined {
	const tags = objectAt(resource, 'tags');
	const body = endpointBody(resource);
	const changes: JsonObject[] = [];
	if (Object.entries(wish.tags).some(([key, value]) => tags[key] !== value)) {
		changes.push({ tags: { ...tags, ...wish.tags } });
	}
	if (wish.description !== undefined && wish.description !== textAt(resource, 'properties', 'description')) {
		changes.push({ properties: { ...objectAt(body, 'properties'), description: wish.description } });
	}
	// Microsoft's pages call the identity of an endpoint immutable; if the service refuses the change, it says so itself.
	if (wish.identity !== undefined && identityKey(wish.identity) !== identityKey(objectAt(resource, 'identity'))) {
		changes.push({ identity: wish.identity });
	}
	return changes.length === 0 ? undefined : Object.assign({}, body, ...changes);
}

function identityKey(identity: JsonObject): string {
	const type = (textAt(identity, 'type') ?? 'None').toLowerCase().replaceAll(' ', '');
	const ids = Object.keys(objectAt(identity, 'userAssignedIdentities')).map((id) => id.toLowerCase());
	return [type, ...ids.sort()].join(' ');
}

const READ_ONLY = new Set(['provisioningState', 'scoringUri', 'swaggerUri', 'keys']);

/** A resource as the body of a PUT: without what only the service writes, and without nulls. */
export function endpointBody(resource: JsonObject): JsonObject {
	const { location, tags, kind, sku, identity } = resource;
	const properties = Object.entries(objectAt(resource, 'properties')).filter(([key]) => !READ_ONLY.has(key));
	const body = {
		location,
		tags,
		kind,
		sku,
		identity: identityBody(identity),
		properties: Object.fromEntries(filled(properties)),
	};
	return Object.fromEntries(filled(Object.entries(body)));
}

function filled(entries: readonly (readonly [string, Json | undefined])[]): (readonly [string, Json | undefined])[] {
	return entries.filter(([, value]) => value !== undefined && value !== null);
}

function identityBody(identity: Json | undefined): JsonObject | undefined {
	if (!isObject(identity)) return undefined;
	const ids = Object.keys(objectAt(identity, 'userAssignedIdentities'));
	return {
		type: textAt(identity, 'type') ?? 'None',
		...(ids.length === 0 ? {} : { userAssignedIdentities: Object.fromEntries(ids.map((id) => [id, {}])) }),
	};
}

/** A change of traffic: from the map that is expected to be there. */
export interface TrafficChange {
	readonly from: TrafficMap;
	readonly to: TrafficMap;
	/** Mirrored shares to set beside those that are there; 0 takes one away. */
	readonly mirror?: TrafficMap;
}

/**
 * Sets the live traffic of the endpoint by a PUT of the whole. A deployment takes either live or mirrored traffic, so one
 * that gets a live share loses its mirrored one.
 * @throws TrafficChanged when the traffic is not `from` before, or not `to` after
 */
export async function setTraffic(name: string, change: TrafficChange, parts: EndpointParts): Promise<OnlineEndpoint> {
	const after = await whenIdle(name, parts, async () => {
		const now = await findEndpoint(name, parts);
		if (now === undefined) throw gone(name);
		const body = trafficBody(now, change);
		// Also after a PUT of ours whose answer was lost.
		if (sameTraffic(now.traffic, change.to) && sameTraffic(now.mirrorTraffic, mapAt(body, 'mirrorTraffic'))) return now;
		if (!sameTraffic(now.traffic, change.from) && !sameTraffic(now.traffic, change.to)) {
			throw new TrafficChanged(name, change.from, now.traffic);
		}
		return putEndpoint(name, body, `set the traffic of the endpoint "${name}" to ${trafficText(change.to)}`, parts);
	});
	if (!sameTraffic(after.traffic, change.to)) throw new TrafficChanged(name, change.to, after.traffic);
	return after;
}

/** The body that sets this traffic on the endpoint. */
export function trafficBody(endpoint: OnlineEndpoint, { to, mirror = {} }: TrafficChange): JsonObject {
	const body = endpointBody(endpoint.resource);
	const live = servingTraffic(to);
	const mirrored = servingTraffic({ ...endpoint.mirrorTraffic, ...mirror });
	const kept = Object.fromEntries(Object.entries(mirrored).filter(([name]) => shareOf(live, name) === undefined));
	return { ...body, properties: { ...objectAt(body, 'properties'), traffic: to, mirrorTraffic: kept } };
}

/** Puts the whole endpoint and waits for the end of that, or only for the service's word where the time is short. */
export async function putEndpoint(
	name: string,
	body: JsonObject,
	doing: string,
	parts: EndpointParts,
): Promise<OnlineEndpoint> {
	const { arm } = parts.workspace;
	const path = endpointPath(parts, name);
	const answer = await arm.put(path, body, { doing, signal: parts.signal });
	if (parts.atOnce) return endpointFrom(name, body);
	const settled = await arm.settle(path, answer, settling(doing, parts, `Endpoint ${name}`));
	if (settled === undefined) throw gone(name);
	return endpointFrom(name, settled);
}

/**
 * Deletes an endpoint with everything on it, and waits until it is gone.
 * @returns false where there was none of that name, which the log says too
 */
export async function deleteEndpoint(
	workspace: Workspace,
	name: string,
	parts: Omit<EndpointParts, 'workspace'>,
): Promise<boolean> {
	const all: EndpointParts = { ...parts, workspace };
	const doing = `delete the endpoint "${name}"`;
	const path = endpointPath(all, name);
	const answer = await whenIdle(name, all, async () => {
		try {
			return await workspace.arm.delete(path, { doing, signal: parts.signal });
		} catch (error) {
			if (error instanceof ServiceError && error.status === 404) return undefined;
			throw error;
		}
	});
	// The service answers 204 for what is not there.
	if (answer === undefined || answer.status === 204) {
		const kind = parts.collection === 'batchEndpoints' ? 'batch endpoint' : 'endpoint';
		parts.log.info(`There is no ${kind} ${name} to delete; it is already gone.`);
		return false;
	}
	await workspace.arm.settle(path, answer, settling(doing, all, `Endpoint ${name}`));
	parts.log.info(`Deleted the endpoint ${name}.`);
	return true;
}

/** The error for an endpoint that was there before and is no more. */
export function gone(name: string): ServiceError {
	return new ServiceError(
		{
			what: `The endpoint "${name}" is gone.`,
			why: 'It was there before; someone has deleted it meanwhile.',
			next: 'Run again to create it anew.',
		},
		{ status: 404 },
	);
}
