// Long-running operations: started by a PUT, PATCH or DELETE, polled at the provider's region until they end.

import { randomUUID } from 'node:crypto';
import { armError, isoTime, LOCATION, serviceErrorBody } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { Answer } from '../server.ts';
import { type ArmCall, standard } from './call.ts';
import type { ArmRoutes } from './face.ts';
import { cancelResult } from './jobs.ts';

/** How an operation is polled: the front end, computes and workspaces each have a path of their own. */
export type OperationFamily = 'mfe' | 'compute' | 'workspace';

/** A failure that an operation ends with. */
export class OperationError extends Error {
	readonly code: string;

	/** `code` is what the `error` of the operation holds. */
	constructor(code: string, message: string) {
		super(message);
		this.code = code;
	}
}

interface Operation {
	name: string;
	family: OperationFamily;
	status: string;
	startedAt: number;
	endedAt?: number;
	error?: object;
	done: Promise<void>;
}

/** What an operation is: its work, and what its status is called meanwhile. */
export interface OperationPlan {
	family: OperationFamily;
	/** What the operation's name begins with, e.g. `oeidp`. */
	prefix: string;
	running: string;
	work: () => Promise<void>;
}

/** The operations of one emulator; none of them survives a restart. */
export class Operations {
	readonly #operations = new Map<string, Operation>();
	readonly #platform: Platform;

	/** `platform` gives the time. */
	constructor(platform: Platform) {
		this.#platform = platform;
	}

	/** Starts an operation and gives the headers by which it is polled. Its work failing makes it `Failed`. */
	start(call: ArmCall, plan: OperationPlan): Record<string, string> {
		const name = plan.family === 'mfe' ? `${plan.prefix}:${randomUUID()}:${randomUUID()}` : randomUUID();
		const operation: Operation = {
			name,
			family: plan.family,
			status: plan.running,
			startedAt: this.#platform.clock(),
			done: Promise.resolve(),
		};
		operation.done = this.#run(operation, plan.work);
		this.#operations.set(name, operation);
		return this.#headers(call, operation);
	}

	/** Waits for the end of everything that is under way. */
	async settled(): Promise<void> {
		await Promise.all([...this.#operations.values()].map((operation) => operation.done));
	}

	/** Adds the routes at which operations are polled. */
	route(routes: ArmRoutes): void {
		routes
			.region('GET', '/mfeOperationsStatus/{operation}', (call) => this.#status(call))
			.region('GET', '/mfeOperationResults/{operation}', (call) =>
				call.names['operation']?.startsWith('jc:') ? cancelResult(call) : this.#result(call),
			)
			.region('GET', '/computeOperationsStatus/{operation}', (call) => this.#computeStatus(call))
			.region('GET', '/workspaceOperationsStatus/{operation}', (call) =>
				call.query.get('type') === 'location' ? this.#result(call) : this.#status(call),
			);
	}

	async #run(operation: Operation, work: () => Promise<void>): Promise<void> {
		try {
			await work();
			operation.status = 'Succeeded';
		} catch (error) {
			const code = error instanceof OperationError ? error.code : 'InternalServerError';
			operation.status = 'Failed';
			operation.error = serviceErrorBody(code, error instanceof Error ? error.message : String(error));
		}
		operation.endedAt = this.#platform.clock();
	}

	#headers(call: ArmCall, operation: Operation): Record<string, string> {
		const region = `${this.#platform.origins.arm}/subscriptions/${call.names['subscription']}/providers/Microsoft.MachineLearningServices/locations/${LOCATION}`;
		const query = `api-version=${call.apiVersion}`;
		const name = operation.name;
		if (operation.family === 'compute') {
			const url = `${region}/computeOperationsStatus/${name}?${query}&service=new`;
			return { ...standard, 'Azure-AsyncOperation': url };
		}
		if (operation.family === 'workspace') {
			const url = `${region}/workspaceOperationsStatus/${name}?${query}`;
			return { ...standard, 'Azure-AsyncOperation': `${url}&type=async`, Location: `${url}&type=location` };
		}
		// The service signs these addresses with some four thousand characters; clients must follow them as they stand.
		const signed = `${query}&t=${operation.startedAt}&c=${'MIIH'.repeat(900)}&s=${'s'.repeat(340)}&h=emulator`;
		return {
			...standard,
			'Azure-AsyncOperation': `${region}/mfeOperationsStatus/${name}?${signed}`,
			Location: `${region}/mfeOperationResults/${name}?${signed}`,
			'x-ms-async-operation-timeout': 'PT30M',
		};
	}

	#find(call: ArmCall): Operation {
		const operation = this.#operations.get(call.names['operation'] ?? '');
		if (operation) return operation;
		throw armError(
			404,
			'NotFound',
			`There is no operation ${call.names['operation']}. It may be from before a restart.`,
		);
	}

	#status(call: ArmCall): Answer {
		const operation = this.#find(call);
		const ended = operation.endedAt;
		const json = {
			id: new URL(call.url).pathname,
			name: operation.name,
			startTime: isoTime(operation.startedAt),
			endTime: ended === undefined ? '0001-01-01T00:00:00+00:00' : isoTime(ended),
			percentComplete: operation.status === 'Succeeded' ? 100 : 0,
			status: operation.status,
			...(operation.error ? { error: operation.error } : {}),
		};
		return { status: 200, headers: standard, json };
	}

	#computeStatus(call: ArmCall): Answer {
		const { status, error } = this.#find(call);
		const progress = status === 'Succeeded' ? { percentComplete: 100 } : {};
		return { status: 200, headers: standard, json: { status, ...progress, ...(error ? { error } : {}) } };
	}

	#result(call: ArmCall): Answer {
		const { endedAt, error } = this.#find(call);
		if (endedAt === undefined) return { status: 202, headers: { ...standard, Location: call.url }, json: {} };
		if (error) return { status: 400, headers: { 'x-ms-response-type': 'error' }, json: { error } };
		return { status: 200, headers: standard };
	}
}
