// Long-running operations: where to ask how far one is, how often, and what its end means. Sends nothing by itself.
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import { at, isObject, type Json, textAt } from '../json.ts';
import type { ArmAnswer, ArmCall, WaitOptions } from './arm.ts';
import { retryAfter } from './http.ts';
import { messageFrom } from './service-error.ts';

/** The operation ended, but not well. */
export class OperationFailed extends ServiceError {
	override readonly name = 'OperationFailed';
}

/** What `settle` needs besides the answer that began the operation. */
export interface Settling {
	/** Path of the resource that is changed. */
	readonly path: string;
	readonly options: WaitOptions;
	readonly clock: Clock;
	/** Gets an address as it is. */
	readonly look: (url: string, call: ArmCall) => Promise<ArmAnswer>;
	/** Gets the resource at a path; undefined where there is none. */
	readonly find: (path: string, call: ArmCall) => Promise<Json | undefined>;
}

const INTERVAL = 5_000;
/** Some services say `Retry-After: 0`. */
const SHORTEST_INTERVAL = 500;
const LONGEST_OPERATION = 2 * 60 * 60_000;
/** Whatever time-out a service announces: no runner lives longer, and no timer waits longer than 24 of these days. */
const MOST_PATIENCE = 5 * 24 * 60 * 60_000;
const DONE = new Set(['succeeded', 'failed', 'canceled']);

/** Where to ask: an operation has a body with its `status`, a location tells by its HTTP status. */
interface Address {
	readonly kind: 'operation' | 'location';
	readonly url: string;
}

/**
 * Waits for the end of what `first` began: by Azure-AsyncOperation, by Location only without it, else by the resource's
 * own provisioningState.
 * @returns the resource as it then is; undefined where there is none (any more)
 * @throws OperationFailed
 */
export async function settle(first: ArmAnswer, settling: Settling): Promise<Json | undefined> {
	const { path, options, look, find } = settling;
	const { doing, signal, onState = () => {} } = options;
	// A refusal of a look is not yet a failure of the operation, and must not read like one.
	const call: ArmCall = { doing: `watch the operation that is to ${doing}`, signal };
	const pace = new Pace(first, settling);
	let address = addressIn(first) ?? ownLocation(first, path);
	let resource = first.body;
	// A 202, or no body, says nothing of the resource yet.
	let seen =
		first.status === 204 || (first.status !== 202 && resource !== undefined) || stateOf(resource) !== undefined;
	for (;;) {
		if (address === undefined && seen) {
			// What has no state is not under way.
			const state = stateOf(resource) ?? 'Succeeded';
			if (isDone(state)) {
				refuseFailure(state, resource, doing);
				return resource;
			}
			onState(state);
		}
		await pace.pause();
		const answer = address === undefined ? undefined : await look(address.url, call).catch(goneIsNoAnswer);
		if (answer !== undefined) pace.heed(answer);
		if (address?.kind === 'operation' && answer !== undefined) {
			const state = operationState(answer);
			if (isDone(state)) {
				refuseFailure(state, answer.body, doing);
				return find(path, call);
			}
			onState(state);
		} else if (address?.kind === 'location' && answer?.status === 202) {
			address = addressIn(answer) ?? address;
		} else {
			address = undefined;
			resource = await find(path, call);
			seen = true;
		}
	}
}

/** When to look next: as the service last asked, else at our own interval, and not for ever. */
class Pace {
	readonly #settling: Settling;
	readonly #deadline: number;
	readonly #interval: number;
	#next: number;

	constructor(first: ArmAnswer, settling: Settling) {
		const { interval = INTERVAL, timeout } = settling.options;
		this.#settling = settling;
		this.#interval = interval;
		this.#deadline = settling.clock.now() + (timeout ?? operationTimeout(first) ?? LONGEST_OPERATION);
		this.#next = this.#asked(first) ?? Math.min(interval, 1000);
	}

	heed(answer: ArmAnswer): void {
		// Later answers may lack the header; what was asked for once holds on.
		this.#next = this.#asked(answer) ?? Math.max(this.#next, this.#interval);
	}

	async pause(): Promise<void> {
		const { clock, options, path } = this.#settling;
		const left = this.#deadline - clock.now();
		if (left <= 0) throw tooLong(options.doing, path);
		await clock.sleep(Math.min(this.#next, left), options.signal);
		this.#next = Math.max(this.#next, this.#interval);
	}

	#asked(answer: ArmAnswer): number | undefined {
		const asked = retryAfter(answer.headers, this.#settling.clock.now());
		return asked === undefined ? undefined : Math.max(SHORTEST_INTERVAL, asked);
	}
}

function addressIn({ status, headers }: ArmAnswer): Address | undefined {
	const operation = headers['azure-asyncoperation'] ?? headers['operation-location'];
	if (operation !== undefined) return { kind: 'operation', url: operation };
	const location = status === 202 ? headers['location'] : undefined;
	return location === undefined ? undefined : { kind: 'location', url: location };
}

/** The Location of a 201 is the resource itself, and an operation only where something is under way somewhere else. */
function ownLocation({ status, headers, body }: ArmAnswer, path: string): Address | undefined {
	const url = headers['location'];
	if (status !== 201 || url === undefined || !URL.canParse(url) || isDone(stateOf(body) ?? 'Succeeded'))
		return undefined;
	return new URL(url).pathname.toLowerCase() === path.toLowerCase() ? undefined : { kind: 'location', url };
}

/** What was deleted may take the address of its own operation with it. */
function goneIsNoAnswer(error: unknown): undefined {
	if (error instanceof ServiceError && error.status === 404) return undefined;
	throw error;
}

function stateOf(resource: Json | undefined): string | undefined {
	return textAt(resource, 'properties', 'provisioningState');
}

/** The state of the operation. A plain answer that names none is a success. */
function operationState({ status, body }: ArmAnswer): string {
	return textAt(body, 'status') ?? stateOf(body) ?? (status === 200 || status === 204 ? 'Succeeded' : 'InProgress');
}

function isDone(state: string): boolean {
	return DONE.has(state.toLowerCase());
}

/** Passes a good end. @throws OperationFailed for a bad one */
function refuseFailure(state: string, body: Json | undefined, doing: string): void {
	if (state.toLowerCase() === 'succeeded') return;
	const error = at(body, 'error') ?? at(body, 'properties', 'error');
	const { code, text } = isObject(error)
		? messageFrom(JSON.stringify({ error }), 200)
		: { code: undefined, text: 'The service gave no reason.' };
	const named = code === undefined ? '' : ` (${code})`;
	throw new OperationFailed(
		{ what: `Could not ${doing}: the operation ended as ${state}${named}.`, why: text },
		{ status: 200, code },
	);
}

function tooLong(doing: string, path: string): OperationFailed {
	return new OperationFailed(
		{
			what: `Gave up waiting: the service did not ${doing} in time.`,
			why: 'The operation still runs in Azure.',
			next: `Look at ${path.split('/').slice(-2).join('/')} in Azure ML studio; run again when it is done.`,
		},
		{ status: 0 },
	);
}

/** `x-ms-async-operation-timeout`, an ISO 8601 duration such as PT30M, in milliseconds. */
function operationTimeout({ headers }: ArmAnswer): number | undefined {
	const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(
		headers['x-ms-async-operation-timeout'] ?? '',
	);
	if (parts === null) return undefined;
	const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
	return Math.min(MOST_PATIENCE, (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}
