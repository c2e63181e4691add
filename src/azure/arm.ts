// Azure Resource Manager: get, put, post, delete, paging, long-running operations. Knows nothing of Azure ML's bodies.
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import { at, isObject, type Json, jsonText, listAt, parseJson, textAt } from '../json.ts';
import { apiVersionOf } from './api-versions.ts';
import type { BearerHttp } from './bearer.ts';
import type { Cloud } from './cloud.ts';
import { type HttpAnswer, type Method, retryAfter, Unreachable } from './http.ts';
import { messageFrom, serviceError } from './service-error.ts';

/** An answer of the resource manager. `body` is undefined where there is none. */
export interface ArmAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Json | undefined;
}

export interface ArmCall {
	/** What is tried, to stand after "Could not": `create the job "x"`. */
	readonly doing: string;
	readonly query?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal | undefined;
}

/** A change that is under way; told of its state at each look. */
export interface WaitOptions {
	readonly doing: string;
	/** Own interval between looks, in milliseconds, where the service asks for none. */
	readonly interval?: number;
	/** The longest wait in milliseconds; the service's own time-out where absent. */
	readonly timeout?: number;
	readonly signal?: AbortSignal | undefined;
	readonly onState?: (state: string) => void;
}

/** Calls of the resource manager. Paths start with `/subscriptions/…`; the api-version is added by the one table. */
export interface Arm {
	/** @throws ServiceError for any status of 400 and above */
	get(path: string, call: ArmCall): Promise<Json>;
	/** The same, but undefined for 404. */
	find(path: string, call: ArmCall): Promise<Json | undefined>;
	put(path: string, body: Json, call: ArmCall): Promise<ArmAnswer>;
	/** An action that may safely be repeated; `body` undefined sends none. */
	post(path: string, body: Json | undefined, call: ArmCall): Promise<ArmAnswer>;
	delete(path: string, call: ArmCall): Promise<ArmAnswer>;
	/** Every item of a paged list. */
	list(path: string, call: ArmCall): AsyncIterable<Json>;
	/** Waits until the operation that `answer` began has succeeded, and gives the resource at `path` (undefined after a delete). */
	settle(path: string, answer: ArmAnswer, options: WaitOptions): Promise<Json | undefined>;
}

/** The operation ended, but not well. */
export class OperationFailed extends ServiceError {
	override readonly name = 'OperationFailed';
}

const INTERVAL = 5_000;
const LONGEST_OPERATION = 2 * 60 * 60_000;
const DONE = new Set(['succeeded', 'failed', 'canceled']);

export function createArm(http: BearerHttp, cloud: Cloud, clock: Clock): Arm {
	const urlOf = (path: string, query: Readonly<Record<string, string>> = {}): string => {
		const search = new URLSearchParams({ 'api-version': apiVersionOf(path), ...query });
		return `${cloud.resourceManager}${path}?${search.toString().replaceAll('+', '%20')}`;
	};
	const sendTo = async (method: Method, url: string, body: Json | undefined, call: ArmCall): Promise<ArmAnswer> => {
		const answer = await reach(
			() =>
				http.send({
					method,
					url,
					signal: call.signal,
					// Each POST that this client sends (cancel, listKeys, listSecrets, getLogs, startPendingUpload, token) may be repeated.
					repeatable: true,
					headers: {
						accept: 'application/json',
						...(body === undefined ? {} : { 'content-type': 'application/json' }),
					},
					...(body === undefined ? {} : { body: jsonText(body) }),
				}),
			call.doing,
		);
		return { status: answer.status, headers: answer.headers, body: bodyOf(answer, call.doing) };
	};
	const send = (method: Method, path: string, body: Json | undefined, call: ArmCall): Promise<ArmAnswer> =>
		sendTo(method, urlOf(path, call.query), body, call);
	const find = async (path: string, call: ArmCall): Promise<Json | undefined> => {
		try {
			return (await send('GET', path, undefined, call)).body;
		} catch (error) {
			if (error instanceof ServiceError && error.status === 404) return undefined;
			throw error;
		}
	};
	return {
		find,
		get: async (path, call) => (await send('GET', path, undefined, call)).body ?? null,
		put: (path, body, call) => send('PUT', path, body, call),
		post: (path, body, call) => send('POST', path, body, call),
		delete: (path, call) => send('DELETE', path, undefined, call),
		async *list(path, call) {
			let url: string | undefined = urlOf(path, call.query);
			const seen = new Set<string>();
			while (url !== undefined && url !== '' && !seen.has(url)) {
				seen.add(url);
				const page: Json | undefined = (await sendTo('GET', url, undefined, call)).body;
				yield* listAt(page, 'value');
				url = textAt(page, 'nextLink');
			}
		},
		settle: (path, answer, options) => settle({ path, first: answer, options, clock, sendTo, find }),
	};
}

/** No answer at all becomes an error of the same family as a refusal. */
async function reach(sendOnce: () => Promise<HttpAnswer>, doing: string): Promise<HttpAnswer> {
	try {
		return await sendOnce();
	} catch (error) {
		if (!(error instanceof Unreachable)) throw error;
		throw new ServiceError(
			{
				what: `Could not ${doing}.`,
				why: error.message,
				next: "Check the runner's network, proxy and DNS.",
				cause: error,
			},
			{ status: 0 },
		);
	}
}

function bodyOf(answer: HttpAnswer, doing: string): Json | undefined {
	if (answer.status >= 400 || answer.status < 200) throw serviceError(answer, doing);
	if (answer.status >= 300) {
		throw new ServiceError(
			{
				what: `Could not ${doing}.`,
				why: `The service answered with a redirect (HTTP ${answer.status}), which is not followed.`,
			},
			{ status: answer.status },
		);
	}
	const text = answer.body.toString();
	return text.trim() === '' ? undefined : parseJson(text);
}

interface Settling {
	readonly path: string;
	readonly first: ArmAnswer;
	readonly options: WaitOptions;
	readonly clock: Clock;
	readonly sendTo: (method: Method, url: string, body: undefined, call: ArmCall) => Promise<ArmAnswer>;
	readonly find: (path: string, call: ArmCall) => Promise<Json | undefined>;
}

/** Azure-AsyncOperation first, Location only without it, else the resource's own provisioningState. */
async function settle({ path, first, options, clock, sendTo, find }: Settling): Promise<Json | undefined> {
	const { doing, signal, onState = () => {}, interval = INTERVAL } = options;
	const call: ArmCall = { doing, signal };
	const operation = first.headers['azure-asyncoperation'] ?? first.headers['operation-location'];
	let location = operation === undefined && first.status === 202 ? first.headers['location'] : undefined;
	const deadline = clock.now() + (options.timeout ?? operationTimeout(first) ?? LONGEST_OPERATION);
	let pause = retryAfter(first.headers, clock.now()) ?? Math.min(interval, 1000);
	let resource: Json | undefined = first.body;
	for (;;) {
		if (operation === undefined && location === undefined) {
			const state = stateOf(resource);
			if (state === undefined || DONE.has(state.toLowerCase())) return finish(resource, state, resource, doing);
			onState(state);
		}
		if (clock.now() > deadline) throw tooLong(doing, path);
		await clock.sleep(pause, signal);
		pause = interval;
		if (operation !== undefined) {
			const answer = await sendTo('GET', operation, undefined, call);
			const state =
				textAt(answer.body, 'status') ??
				stateOf(answer.body) ??
				(answer.status === 200 || answer.status === 204 ? undefined : 'InProgress');
			if (state === undefined || DONE.has(state.toLowerCase())) {
				finish(answer.body, state, undefined, doing);
				return find(path, call);
			}
			onState(state);
			pause = retryAfter(answer.headers, clock.now()) ?? interval;
		} else if (location !== undefined) {
			const answer = await sendTo('GET', location, undefined, call).catch(goneIsDone);
			if (answer === undefined || answer.status !== 202) return find(path, call);
			location = answer.headers['location'] ?? location;
			pause = retryAfter(answer.headers, clock.now()) ?? interval;
		} else {
			resource = await find(path, call);
			if (resource === undefined) return undefined;
		}
	}
}

/** What was deleted may take the address of its own operation with it. */
function goneIsDone(error: unknown): undefined {
	if (error instanceof ServiceError && error.status === 404) return undefined;
	throw error;
}

function finish(
	body: Json | undefined,
	state: string | undefined,
	resource: Json | undefined,
	doing: string,
): Json | undefined {
	if (state === undefined || state.toLowerCase() === 'succeeded') return resource;
	const error = at(body, 'error') ?? at(body, 'properties', 'error');
	const { code, text } = isObject(error)
		? messageFrom(JSON.stringify({ error }), 200)
		: { code: undefined, text: 'The service gave no reason.' };
	throw new OperationFailed(
		{
			what: `Could not ${doing}: the operation ended as ${state}${code === undefined ? '' : ` (${code})`}.`,
			why: text,
		},
		{ status: 200, code },
	);
}

function stateOf(resource: Json | undefined): string | undefined {
	return textAt(resource, 'properties', 'provisioningState');
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
function operationTimeout(answer: ArmAnswer): number | undefined {
	const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(
		answer.headers['x-ms-async-operation-timeout'] ?? '',
	);
	if (parts === null) return undefined;
	const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
	return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}
