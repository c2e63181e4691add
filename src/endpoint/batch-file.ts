// A batch endpoint as CLI v2 writes it, and its REST body. Deployments are batch-deployment-file's.
import { type ResourceIdentity, resourceIdentity, resourceIdentityBody } from '../asset/resource-identity.ts';
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject } from '../json.ts';
import { MapReader, mapping, Reading, type Warn } from '../yaml/checks.ts';
import type { YamlFile } from '../yaml/node.ts';
import { stringMap, text, word } from '../yaml/values.ts';
import { type EndpointContext, endpointName } from './deployment-parts.ts';

/** A batch endpoint as the user wrote it, checked. */
export interface BatchEndpointFile {
	/** The endpoint's name; `undefined` where the file gives none, so that an input has to. */
	readonly name: string | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string>;
	readonly properties: ReadonlyMap<string, string>;
	/** The deployment that answers when a request names none. */
	readonly defaultDeployment: string | undefined;
	readonly identity: ResourceIdentity | undefined;
	readonly at: Place;
}

/** Reads a batch endpoint file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readBatchEndpoint(file: YamlFile, warn?: Warn): BatchEndpointFile {
	const reading = new Reading(file);
	const map = new MapReader(file.root, reading, 'a batch endpoint');
	map.ignore('$schema', 'id', 'provisioning_state', 'scoring_uri', 'openapi_uri', 'location');
	map.optional('auth_mode', word('aad_token'));
	const endpoint = {
		name: map.optional('name', endpointName),
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap) ?? new Map(),
		properties: map.optional('properties', stringMap) ?? new Map(),
		defaultDeployment: map.optional(
			'defaults',
			mapping('defaults', (defaults) => defaults.optional('deployment_name', text)),
		),
		identity: map.optional('identity', resourceIdentity),
		at: map.at,
	};
	map.done();
	reading.finish(warn);
	return endpoint;
}

/** The body of `PUT batchEndpoints/{name}`. Only a deployment that exists may be the default one. */
export function batchEndpointBody(
	file: BatchEndpointFile,
	context: Pick<EndpointContext, 'location'>,
	defaultDeployment: string | undefined = file.defaultDeployment,
): JsonObject {
	return jsonObject({
		location: context.location,
		tags: Object.fromEntries(file.tags),
		identity: file.identity && resourceIdentityBody(file.identity),
		properties: jsonObject({
			authMode: 'AADToken',
			description: file.description,
			properties: Object.fromEntries(file.properties),
			defaults: defaultDeployment === undefined ? undefined : { deploymentName: defaultDeployment },
		}),
	});
}
