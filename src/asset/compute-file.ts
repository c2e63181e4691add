// A compute as CLI v2 writes it and its REST body: cluster, instance, attached machine, Kubernetes, Synapse Spark.
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import {
	asText,
	child,
	type MapReader,
	mapping,
	type Reader,
	Reading,
	type Warn,
	warnLeftOut,
} from '../yaml/checks.ts';
import { isoDuration } from '../yaml/duration.ts';
import type { YamlFile, YamlNode } from '../yaml/node.ts';
import { boolean, filledText, integer, jsonMap, secretText, stringMap, text, word } from '../yaml/values.ts';
import { instanceProperties } from './compute-instance.ts';
import { type ComputeContext, subnetOf } from './compute-network.ts';
import { readLocalFile } from './local-path.ts';
import { type ResourceIdentity, resourceIdentity, resourceIdentityBody } from './resource-identity.ts';

const COMPUTE_TYPES = {
	amlcompute: 'AmlCompute',
	computeinstance: 'ComputeInstance',
	virtualmachine: 'VirtualMachine',
	kubernetes: 'Kubernetes',
	synapsespark: 'SynapseSpark',
} as const;

export type { ComputeContext } from './compute-network.ts';

/** The types of compute that this action can make or attach. */
export type ComputeType = keyof typeof COMPUTE_TYPES;

/** A compute as the user wrote it, checked. */
export interface ComputeFile {
	readonly name: string;
	readonly type: ComputeType;
	readonly location: string | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	/** ARM id of the machine or cluster to attach. */
	readonly resourceId: string | undefined;
	readonly identity: ResourceIdentity | undefined;
	/** What is proper to the type, named as the REST body names it. */
	readonly properties: (context: ComputeContext) => JsonObject;
	/** Every secret in the file, so that they can be masked before anything is logged. */
	readonly secrets: readonly string[];
	readonly at: Place;
}

const compute: Reader<ComputeFile> = mapping('a compute', (map) => {
	map.ignore('$schema', 'id', 'provisioning_errors', 'created_on', 'provisioning_state');
	const type = map.required(
		'type',
		word('amlcompute', 'computeinstance', 'virtualmachine', 'kubernetes', 'synapsespark'),
	);
	const attached = type === 'virtualmachine' || type === 'kubernetes' || type === 'synapsespark';
	return {
		name: map.required('name', filledText),
		type,
		location: type === 'amlcompute' ? map.optional('location', text) : workspaceLocation(map),
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap),
		resourceId: attached ? map.required('resource_id', filledText) : leftOut(map, 'resource_id'),
		identity: type === 'virtualmachine' ? undefined : map.optional('identity', resourceIdentity),
		properties: propertiesOf(map, type),
		secrets: secretsOf(map.node('ssh_settings')),
		at: map.at,
	};
});

// Only a cluster may lie elsewhere than its workspace.
function workspaceLocation(map: MapReader): undefined {
	map.optional('location', (node, reading) => {
		reading.warn(
			node.at,
			"'location' is for clusters only and is left out; other computes lie where the workspace does.",
		);
	});
}

function leftOut(map: MapReader, key: string): undefined {
	warnLeftOut(map, key);
}

function secretsOf(ssh: YamlNode | undefined): readonly string[] {
	const password = asText(child(ssh, 'admin_password'));
	return password === undefined ? [] : [password.text];
}

function propertiesOf(map: MapReader, type: ComputeType): ComputeFile['properties'] {
	switch (type) {
		case 'amlcompute':
			return clusterProperties(map);
		case 'computeinstance':
			return instanceProperties(map);
		case 'virtualmachine':
			return machineProperties(map);
		case 'kubernetes':
			return kubernetesProperties(map);
		case 'synapsespark':
			map.ignore('node_family', 'node_size', 'node_count', 'spark_version');
			warnLeftOut(map, 'scale_settings', 'auto_pause_settings');
			return () => ({});
	}
}

function clusterProperties(map: MapReader): ComputeFile['properties'] {
	const tier = map.optional('tier', word('dedicated', 'low_priority'));
	const idle = map.optional('idle_time_before_scale_down', integer);
	const access = map.optional('ssh_public_access_enabled', boolean);
	const subnet = subnetOf(map);
	const own = {
		osType: 'Linux',
		vmSize: map.optional('size', text) ?? 'STANDARD_DS3_V2',
		vmPriority: tier && { dedicated: 'Dedicated', low_priority: 'LowPriority' }[tier],
		scaleSettings: jsonObject({
			maxNodeCount: map.optional('max_instances', integer) ?? 1,
			minNodeCount: map.optional('min_instances', integer) ?? 0,
			nodeIdleTimeBeforeScaleDown: idle === undefined ? undefined : isoDuration(idle),
		}),
		userAccountCredentials: map.optional('ssh_settings', clusterSsh),
		remoteLoginPortPublicAccess: access === undefined ? 'NotSpecified' : access ? 'Enabled' : 'Disabled',
		enableNodePublicIp: map.optional('enable_node_public_ip', boolean) ?? true,
	};
	return (context) => jsonObject({ ...own, subnet: subnet(context) });
}

const clusterSsh: Reader<JsonObject> = mapping('ssh_settings', (map) =>
	jsonObject({
		adminUserName: map.optional('admin_username', text),
		adminUserPassword: map.optional('admin_password', secretText),
		adminUserSshPublicKey: map.optional('ssh_key_value', text),
	}),
);

function machineProperties(map: MapReader): ComputeFile['properties'] {
	const own = map.optional('ssh_settings', machineSsh) ?? {};
	return () => own;
}

const machineSsh: Reader<JsonObject> = mapping('ssh_settings', (map) => {
	const privateKey = map.optional('ssh_private_key_file', (node, reading) => {
		const bytes = readLocalFile(filledText(node, reading), node.at, reading);
		return bytes?.toString('utf8') ?? '';
	});
	return jsonObject({
		sshPort: map.optional('ssh_port', integer) ?? 22,
		administratorAccount: jsonObject({
			username: map.optional('admin_username', text),
			password: map.optional('admin_password', secretText),
			privateKeyData: privateKey,
		}),
	});
});

function kubernetesProperties(map: MapReader): ComputeFile['properties'] {
	const extra = map.optional('properties', jsonMap) ?? {};
	const own = { ...extra, namespace: map.optional('namespace', text) ?? 'default' };
	return () => own;
}

/** Reads a compute file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readComputeFile(file: YamlFile, warn?: Warn): ComputeFile {
	const reading = new Reading(file);
	const read = compute(file.root, reading);
	reading.finish(warn);
	return read;
}

/** The body of `PUT computes/{name}`. */
export function computeBody(file: ComputeFile, context: ComputeContext): JsonObject {
	return jsonObject({
		location: file.location ?? context.location,
		identity: file.identity && resourceIdentityBody(file.identity),
		tags: file.tags && mapValues(file.tags, (tag) => tag),
		properties: jsonObject({
			computeType: COMPUTE_TYPES[file.type],
			description: file.description,
			resourceId: file.resourceId,
			properties: file.properties(context),
		}),
	});
}
