// Azure Resource Manager: get, put, post, delete, paging. Knows nothing of Azure ML's bodies; operation.ts knows how
// changes go on that take their time.
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import { type Json, jsonText, listAt, parseJson, textAt } from '../json.ts';
import { apiVersionOf } from './api-versions.ts';
import type { BearerHttp } from './bearer.ts';
import type { Cloud } from './cloud.ts';
import { type HttpAnswer, type Method, Unreachable } from './http.ts';
import { settle } from './operation.ts';
import { serviceError } from './service-error.ts';

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
	/** Sends a token for Azure ML itself along: what the service is to do, it does as whoever signed in here. */
	readonly asUser?: boolean;
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

/** A list that leads on for longer than this has no end. */
const MOST_PAGES = 2_000;

/** The calls of a cloud's resource manager. */
/** Where Azure ML looks for the token of the user whose identity a job is to have, as azure-ai-ml sends it. */
const USER_TOKEN_HEADER = 'x-azureml-token';

export function createArm(http: BearerHttp, cloud: Cloud, clock: Clock): Arm {
	const urlOf = (path: string, query: Readonly<Record<string, string>> = {}): string => {
		const search = new URLSearchParams({ 'api-version': apiVersionOf(path), ...query });
		return `${cloud.resourceManager}${path}?${search.toString().replaceAll('+', '%20')}`;
	};
	const sendTo = async (method: Method, url: string, body: Json | undefined, call: ArmCall): Promise<ArmAnswer> => {
		const answer = await reach(
			() =>
				http.send(
					{
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
					},
					cloud.armScope,
					call.asUser ? { header: USER_TOKEN_HEADER, scope: cloud.machineLearningScope } : undefined,
				),
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
				if (seen.size > MOST_PAGES) throw endless(call.doing);
				const page: Json | undefined = (await sendTo('GET', url, undefined, call)).body;
				yield* listAt(page, 'value');
				url = textAt(page, 'nextLink');
			}
		},
		settle: (path, answer, options) =>
			settle(answer, { path, options, clock, find, look: (url, call) => sendTo('GET', url, undefined, call) }),
	};
}

function endless(doing: string): ServiceError {
	const why = `The list goes on after ${MOST_PAGES} pages.`;
	return new ServiceError({ what: `Could not ${doing}.`, why }, { status: 200 });
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
	const { status } = answer;
	if (status >= 400 || status < 200) throw serviceError(answer, doing);
	const text = answer.body.toString().trim();
	const body = text === '' ? undefined : parseJson(text);
	if (status < 300 && (text === '' || body !== undefined)) return body;
	const odd = status < 300 ? 'something else than JSON' : 'a redirect, which is not followed';
	throw new ServiceError(
		{
			what: `Could not ${doing}.`,
			why: `The answer (HTTP ${status}) was ${odd}.`,
			next: 'It may come from a proxy or a gateway in between: check HTTPS_PROXY and the network of the runner.',
		},
		{ status },
	);
}
