// A workspace as CLI v2 writes it, and its REST body. Making it is apply-workspace.ts's.
import type { WorkspaceName } from '../azure/workspace.ts';
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { mapping, type Reader, Reading, type Warn } from '../yaml/checks.ts';
import type { YamlFile } from '../yaml/node.ts';
import { boolean, filledText, stringMap, text, word } from '../yaml/values.ts';
import { type ResourceIdentity, resourceIdentity, resourceIdentityBody } from './resource-identity.ts';

/** A workspace as the user wrote it, checked. The resources that it stands on are ARM ids. */
export interface WorkspaceFile {
	readonly name: string;
	readonly resourceGroup: string | undefined;
	readonly location: string | undefined;
	readonly identity: ResourceIdentity | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	/** Named as the REST body names them. */
	readonly properties: JsonObject;
	readonly at: Place;
}

const managedKey: Reader<JsonObject> = mapping('customer_managed_key', (map) => {
	const keyVaultArmId = map.required('key_vault', filledText);
	const keyIdentifier = map.required('key_uri', filledText);
	for (const key of ['cosmosdb_id', 'storage_id', 'search_id']) {
		const node = map.node(key);
		if (node !== undefined) map.reading.fault(node.at, `'${key}' is not supported; the service makes these resources.`);
	}
	return { status: 'Enabled', keyVaultProperties: { keyVaultArmId, keyIdentifier } };
});

const workspace: Reader<WorkspaceFile> = mapping('a workspace', (map) => {
	map.ignore('$schema', 'id', 'discovery_url', 'mlflow_tracking_uri');
	const access = map.optional('public_network_access', word('Enabled', 'Disabled'));
	return {
		name: map.required('name', filledText),
		resourceGroup: map.optional('resource_group', text),
		location: map.optional('location', filledText),
		identity: map.optional('identity', resourceIdentity),
		tags: map.optional('tags', stringMap),
		properties: jsonObject({
			friendlyName: map.optional('display_name', text),
			description: map.optional('description', text),
			storageAccount: map.optional('storage_account', filledText),
			keyVault: map.optional('key_vault', filledText),
			applicationInsights: map.optional('application_insights', filledText),
			containerRegistry: map.optional('container_registry', filledText),
			hbiWorkspace: map.optional('hbi_workspace', boolean),
			imageBuildCompute: map.optional('image_build_compute', filledText),
			publicNetworkAccess: access,
			primaryUserAssignedIdentity: map.optional('primary_user_assigned_identity', filledText),
			encryption: map.optional('customer_managed_key', managedKey),
		}),
		at: map.at,
	};
});

/**
 * Reads a workspace file. It must be about the workspace that the inputs name, because that is where the run works.
 * Throws a `FileError` with every fault. Warnings go to `warn`.
 */
export function readWorkspaceFile(file: YamlFile, target: WorkspaceName | undefined, warn?: Warn): WorkspaceFile {
	const reading = new Reading(file);
	const read = workspace(file.root, reading);
	const names = [
		['name', read.name, 'workspace', target?.workspace],
		['resource_group', read.resourceGroup, 'resource-group', target?.resourceGroup],
	] as const;
	for (const [key, written, input, wanted] of names) {
		if (!written || wanted === undefined || written.toLowerCase() === wanted.toLowerCase()) continue;
		reading.fault(
			read.at,
			`\`${key}\` is '${written}', but the input \`${input}\` is '${wanted}'; make them the same.`,
		);
	}
	reading.finish(warn);
	return read;
}

/** The body of `PUT workspaces/{name}`. */
export function workspaceBody(file: WorkspaceFile): JsonObject {
	return jsonObject({
		location: file.location,
		tags: file.tags && mapValues(file.tags, (tag) => tag),
		identity: resourceIdentityBody(file.identity),
		properties: file.properties,
	});
}
