// How a command is distributed, read from the body of a job, a trial or a step.

import { type Json, objectOf, textOf } from '../arm/call.ts';
import type { Distribution } from '../execution.ts';

const TYPES: Record<string, Distribution['type']> = { pytorch: 'PyTorch', mpi: 'Mpi', tensorflow: 'TensorFlow' };

/**
 * Reads `distribution` and `resources`, with names in camel case, or in snake case as steps of pipelines have them.
 * Undefined for a command that is not distributed, or in a way that is not emulated (Ray): that one runs once.
 */
export function distributionOf(distribution: unknown, resources: unknown): Distribution | undefined {
	const given = objectOf(distribution);
	const kind = textOf(given['distributionType']) ?? textOf(given['distribution_type']) ?? textOf(given['type']);
	const type = TYPES[kind?.toLowerCase() ?? ''];
	if (type === undefined) return undefined;
	const instances = count(objectOf(resources), 'instanceCount', 'instance_count') ?? 1;
	return {
		type,
		instances,
		processesPerInstance: count(given, 'processCountPerInstance', 'process_count_per_instance') ?? 1,
		// "If not specified, will default to the instance count."
		workers: count(given, 'workerCount', 'worker_count') ?? instances,
		parameterServers: count(given, 'parameterServerCount', 'parameter_server_count') ?? 0,
	};
}

function count(from: Json, camel: string, snake: string): number | undefined {
	const number = Number(from[camel] ?? from[snake] ?? Number.NaN);
	return Number.isInteger(number) && number > 0 ? number : undefined;
}
