// An online endpoint as CLI v2 writes it, managed or Kubernetes, and its REST body. Deployments are online-deployment-file's.

import { namedId, namedReference, type Reference } from '../asset/reference.ts';
import { type ResourceIdentity, resourceIdentity, resourceIdentityBody } from '../asset/resource-identity.ts';
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { MapReader, mapOf, Reading, type Warn } from '../yaml/checks.ts';
import type { YamlFile } from '../yaml/node.ts';
import { integer, stringMap, text, word } from '../yaml/values.ts';
import { type EndpointContext, endpointName } from './deployment-parts.ts';

const AUTH_MODES = { key: 'Key', aml_token: 'AMLToken', aad_token: 'AADToken' } as const;

/** An online endpoint as the user wrote it, checked. */
export interface OnlineEndpointFile {
	/** The endpoint's name; `undefined` where the file gives none, so that an input has to. */
	readonly name: string | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string>;
	readonly properties: ReadonlyMap<string, string>;
	readonly authMode: keyof typeof AUTH_MODES;
	readonly identity: ResourceIdentity | undefined;
	/** Percentages by deployment name, as the file says; empty where it says nothing. */
	readonly traffic: ReadonlyMap<string, number>;
	readonly mirrorTraffic: ReadonlyMap<string, number>;
	readonly publicNetworkAccess: 'enabled' | 'disabled' | undefined;
	/** The Kubernetes compute; absent for a managed endpoint. */
	readonly compute: Reference | undefined;
	readonly location: string | undefined;
	readonly at: Place;
}

/** Reads an online endpoint file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readOnlineEndpoint(file: YamlFile, warn?: Warn): OnlineEndpointFile {
	const reading = new Reading(file);
	const map = new MapReader(file.root, reading, 'an online endpoint');
	map.ignore('$schema', 'id', 'provisioning_state', 'scoring_uri', 'openapi_uri', 'kind');
	const endpoint = {
		name: map.optional('name', endpointName),
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap) ?? new Map(),
		properties: map.optional('properties', stringMap) ?? new Map(),
		authMode: map.optional('auth_mode', word('key', 'aml_token', 'aad_token')) ?? 'key',
		identity: map.optional('identity', resourceIdentity),
		traffic: map.optional('traffic', mapOf(integer)) ?? new Map<string, number>(),
		mirrorTraffic: map.optional('mirror_traffic', mapOf(integer)) ?? new Map<string, number>(),
		publicNetworkAccess: map.optional('public_network_access', word('enabled', 'disabled')),
		compute: map.optional('compute', namedReference('computes')),
		location: map.optional('location', text),
		at: map.at,
	};
	map.done();
	checkTraffic(endpoint, map);
	reading.finish(warn);
	return endpoint;
}

function checkTraffic(
	{ traffic, mirrorTraffic }: Pick<OnlineEndpointFile, 'traffic' | 'mirrorTraffic'>,
	map: MapReader,
): void {
	const shares = [...traffic.values()];
	const total = shares.reduce((sum, share) => sum + share, 0);
	const at = map.node('traffic')?.at ?? map.at;
	if (total > 100 || shares.some((share) => share < 0)) {
		map.reading.fault(
			at,
			`'traffic' adds up to ${total}; its shares are percentages from 0 and add up to 100 at most.`,
		);
	}
	const mirrored = [...mirrorTraffic.values()];
	if (mirrored.length > 1 || mirrored.some((share) => share < 0 || share > 50)) {
		const where = map.node('mirror_traffic')?.at ?? map.at;
		map.reading.fault(where, "'mirror_traffic' names one deployment with at most 50 percent.");
	}
}

/**
 * The body of `PUT onlineEndpoints/{name}`. Shares of 0 are left out. `traffic` replaces what the file says, because only
 * deployments that exist may be named.
 */
export function onlineEndpointBody(
	file: OnlineEndpointFile,
	context: EndpointContext,
	traffic: ReadonlyMap<string, number> = file.traffic,
): JsonObject {
	const access = { enabled: 'Enabled', disabled: 'Disabled' };
	return {
		location: context.location,
		tags: mapValues(file.tags, (value) => value),
		identity: resourceIdentityBody(file.identity),
		properties: jsonObject({
			authMode: AUTH_MODES[file.authMode],
			description: file.description,
			properties: mapValues(file.properties, (value) => value),
			compute: file.compute && namedId(context.workspaceId, file.compute),
			publicNetworkAccess: file.publicNetworkAccess && access[file.publicNetworkAccess],
			traffic: Object.fromEntries([...traffic].filter(([, share]) => share !== 0)),
			mirrorTraffic: Object.fromEntries(file.mirrorTraffic),
		}),
	};
}
