// One change at a time of an endpoint and its deployments, online and batch alike; and the deletion of either.

import { serviceError } from '../errors.ts';
import type { Answer } from '../server.ts';
import type { Resource } from '../state.ts';
import { type ArmCall, standard } from './call.ts';
import type { OperationPlan } from './operations.ts';

/**
 * Marks an endpoint as being changed. Refuses with 409 when it or one of its deployments is being changed already: that
 * is documented behaviour, its exact words are not confirmed.
 */
export function occupy(endpoint: Resource): () => void {
	if (busy.has(endpoint)) {
		throw serviceError(
			409,
			'Conflict',
			`Another operation on endpoint ${endpoint.name} is in progress. Wait for its end.`,
			{
				inner: ['Conflict', 'OperationInProgress'],
			},
		);
	}
	busy.add(endpoint);
	return () => busy.delete(endpoint);
}

/** Endpoints that an operation is changing; a restart ends all operations. */
const busy = new WeakSet<Resource>();

/** What is to be deleted, and how. */
export interface Deletion {
	/** Key of the endpoint or deployment. */
	key: string;
	/** Key of the endpoint that is busy meanwhile. */
	endpointKey: string;
	/** Starts the operation. */
	start: (plan: Omit<OperationPlan, 'family' | 'prefix'>) => Record<string, string>;
	/** Ends what runs for it. */
	stop?: () => Promise<void>;
	/** Done once it is gone. */
	afterwards?: () => void;
}

/** Deletes an endpoint or a deployment: 204 for what is not there, else an operation. */
export function deleteServed(call: ArmCall, { key, endpointKey, start, stop, afterwards }: Deletion): Answer {
	const { pause, jobStateDelayMs, state } = call.platform;
	const [resource, endpoint] = [state.resources.get(key), state.resources.get(endpointKey)];
	if (!resource || !endpoint) return { status: 204, headers: standard };
	const free = occupy(endpoint);
	resource.properties['provisioningState'] = 'Deleting';
	const headers = start({
		running: 'Deleting',
		work: async () => {
			await pause(jobStateDelayMs);
			await stop?.();
			state.resources.remove(key);
			afterwards?.();
			free();
		},
	});
	return { status: 202, headers, json: null };
}
