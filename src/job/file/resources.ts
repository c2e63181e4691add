// How much a job gets and for how long: resources, distribution, queue and limits.

import { type JsonObject, jsonObject } from '../../json.ts';
import { listOf, MapReader, mapping, type Reader } from '../../yaml/checks.ts';
import { isoDuration } from '../../yaml/duration.ts';
import { boolean, integer, jsonMap, text, word } from '../../yaml/values.ts';

/** The instances a job runs on and how its container is started. */
export interface JobResources {
	readonly instanceCount: number | undefined;
	readonly instanceType: string | undefined;
	readonly maxInstanceCount: number | undefined;
	readonly locations: readonly string[] | undefined;
	readonly dockerArgs: string | readonly string[] | undefined;
	readonly shmSize: string | undefined;
	readonly properties: JsonObject;
}

const dockerArgs: Reader<string | readonly string[]> = (node, reading) =>
	node.kind === 'list' ? listOf(text)(node, reading) : text(node, reading);

const shmSize: Reader<string> = (node, reading) => {
	const size = text(node, reading);
	if (size !== '' && !/^[1-9]\d*[bkmg]$/i.test(size)) {
		reading.fault(node.at, `'${size}' is not a size. Write a number and one of b, k, m, g: 2g.`);
	}
	return size;
};

/** A reader of a job's `resources`. */
export const jobResources: Reader<JobResources> = mapping('resources', (map) => ({
	instanceCount: map.optional('instance_count', integer),
	instanceType: map.optional('instance_type', text),
	maxInstanceCount: map.optional('max_instance_count', integer),
	locations: map.optional('locations', listOf(text)),
	dockerArgs: map.optional('docker_args', dockerArgs),
	shmSize: map.optional('shm_size', shmSize),
	properties: map.optional('properties', jsonMap) ?? {},
}));

/** The `resources` of a component: as its file has them, with counts as numbers. */
export function specResources(map: MapReader): JsonObject | undefined {
	const node = map.node('resources');
	if (node === undefined) {
		return undefined;
	}
	const { instanceCount, maxInstanceCount } = jobResources(node, map.reading);
	return jsonObject({
		...jsonMap(node, map.reading),
		instance_count: instanceCount,
		max_instance_count: maxInstanceCount,
	});
}

/** Resources of a node, which may also say where it runs and on how many instances at the most. */
export function nodeResourcesBody(resources: JobResources): JsonObject {
	const { maxInstanceCount, locations } = resources;
	return jsonObject({ ...resourcesBody(resources), maxInstanceCount, locations });
}

/** A reader of the `resources` of a job that is no node. Two of them are not part of the API there. */
export const ownResources: Reader<JobResources> = (node, reading) => {
	for (const key of ['locations', 'max_instance_count']) {
		const at = node.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.at : undefined;
		if (at !== undefined) {
			reading.warn(at, `'${key}' is left out, as the Azure ML CLI leaves it out; only nodes of a pipeline have it.`);
		}
	}
	return jobResources(node, reading);
};

/** Resources as the REST body of a job holds them. A list of docker arguments has a field of its own. */
export function resourcesBody(resources: JobResources): JsonObject {
	const { dockerArgs: args, maxInstanceCount: _, locations: __, ...rest } = resources;
	const list = typeof args === 'string' || args === undefined ? undefined : args;
	return jsonObject({ ...rest, dockerArgs: typeof args === 'string' ? args : undefined, dockerArgsList: list });
}

const DISTRIBUTIONS = { pytorch: 'PyTorch', tensorflow: 'TensorFlow', mpi: 'Mpi', ray: 'Ray' } as const;

/** How the processes of a job are spread over its instances. `settings` are named as the REST body names them. */
export interface Distribution {
	readonly type: keyof typeof DISTRIBUTIONS;
	readonly settings: JsonObject;
}

/** A reader of a job's `distribution`. */
export const distribution: Reader<Distribution> = (node, reading) => {
	const map = new MapReader(node, reading, 'a distribution');
	const type = map.required('type', word('pytorch', 'tensorflow', 'mpi', 'ray'));
	const settings = jsonObject(distributionSettings(map, type));
	map.done();
	return { type, settings };
};

function distributionSettings(
	map: MapReader,
	type: Distribution['type'],
): Record<string, string | number | boolean | undefined> {
	switch (type) {
		case 'tensorflow':
			return {
				parameterServerCount: map.optional('parameter_server_count', integer) ?? 0,
				workerCount: map.optional('worker_count', integer),
			};
		case 'ray':
			return {
				port: map.optional('port', integer),
				address: map.optional('address', text),
				includeDashboard: map.optional('include_dashboard', boolean),
				dashboardPort: map.optional('dashboard_port', integer),
				headNodeAdditionalArgs: map.optional('head_node_additional_args', text),
				workerNodeAdditionalArgs: map.optional('worker_node_additional_args', text),
			};
		default:
			return { processCountPerInstance: map.optional('process_count_per_instance', integer) };
	}
}

/** A distribution as the REST body of a job holds it. */
export function distributionBody(value: Distribution): JsonObject {
	return { distributionType: DISTRIBUTIONS[value.type], ...value.settings };
}

const TIERS = { spot: 'Spot', basic: 'Basic', standard: 'Standard', premium: 'Premium', null: 'Null' } as const;
const PRIORITIES = { low: 1, medium: 2, high: 3 } as const;

/** Which queue of serverless compute a job waits in. */
export interface QueueSettings {
	readonly jobTier: keyof typeof TIERS | undefined;
	readonly priority: keyof typeof PRIORITIES | undefined;
}

/** A reader of `queue_settings`. */
export const queueSettings: Reader<QueueSettings> = mapping('queue_settings', (map) => ({
	jobTier: map.optional('job_tier', word('spot', 'basic', 'standard', 'premium', 'null')),
	priority: map.optional('priority', word('low', 'medium', 'high')),
}));

/** Queue settings as the REST body of a job holds them. */
export function queueBody(queue: QueueSettings): JsonObject {
	return jsonObject({
		jobTier: queue.jobTier && TIERS[queue.jobTier],
		priority: queue.priority && PRIORITIES[queue.priority],
	});
}

/** A reader of a command job's `limits`: its timeout in seconds. */
export const commandLimits: Reader<{ readonly timeout: number | undefined }> = mapping('limits', (map) => ({
	timeout: map.optional('timeout', integer),
}));

/** Limits of a command job as the REST body holds them. */
export function commandLimitsBody(limits: { readonly timeout: number | undefined }): JsonObject {
	return jsonObject({
		jobLimitsType: 'Command',
		timeout: limits.timeout === undefined ? undefined : isoDuration(limits.timeout),
	});
}
