// One way to send a request: time limits, retries, Retry-After, a cap on the answer's size, no redirects.
// Knows nothing of tokens or of Azure's bodies.
import { Agent, EnvHttpProxyAgent, request as send } from 'undici';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { isLoopback } from './cloud.ts';
import { lookupLoopback } from './loopback.ts';
import { networkCode, PASSING_CODES, PASSING_STATUS } from './passing.ts';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

export interface HttpRequest {
	readonly method: Method;
	readonly url: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | Uint8Array;
	readonly signal?: AbortSignal | undefined;
	/** A POST or PATCH that may be sent twice without harm. The other methods always may. */
	readonly repeatable?: boolean;
	/** False: one attempt only. */
	readonly retry?: boolean;
	/** Longest wait for the head of an answer, and between two pieces of its body, in milliseconds. */
	readonly timeout?: number;
	/** Largest answer that is taken, in bytes. */
	readonly largest?: number;
}

export interface HttpAnswer {
	readonly status: number;
	/** Names in lower case; of a header given several times, the first. */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Buffer;
}

/** A sender that lets others hear what the services say of their limits. */
export interface ListenedHttp extends Http {
	/** Has a listener told of the headers of every answer, until the function that it gives is called. */
	onAnswer(listener: AnswerListener): () => void;
}

/** Told of the headers of an answer, names in lower case. */
export type AnswerListener = (headers: Readonly<Record<string, string>>) => void;

/** Sends a request and gives the answer, whatever its status, once retries are used up. Rejects with `Unreachable`. */
export interface Http {
	send(request: HttpRequest): Promise<HttpAnswer>;
	close(): Promise<void>;
}

/** No answer came: the host is unknown, refuses, resets, is too slow, or said more than we take. */
export class Unreachable extends Error {
	override readonly name = 'Unreachable';
	readonly host: string;
	readonly code: string | undefined;

	constructor(url: string, cause: unknown) {
		const code = networkCode(cause);
		super(`${hostOf(url)} cannot be reached: ${reasonOf(cause)}`, { cause });
		this.host = hostOf(url);
		this.code = code;
	}
}

/** How retries go. Durations in milliseconds. */
export interface RetryPolicy {
	readonly attempts: number;
	readonly firstWait: number;
	readonly longestWait: number;
	/** All waits of one request together end here. */
	readonly budget: number;
}

export const STANDARD_RETRY: RetryPolicy = { attempts: 7, firstWait: 800, longestWait: 60_000, budget: 240_000 };

const DEFAULT_TIMEOUT = 100_000;
const DEFAULT_LARGEST = 64 * 1024 * 1024;
const LONGEST_ATTEMPT = 10 * 60_000;

export interface RetryParts {
	readonly clock: Clock;
	readonly retry?: RetryPolicy;
	/** Told of each retry, with a line for the debug log. */
	readonly onRetry?: (line: string) => void;
}

export interface HttpParts extends RetryParts {
	readonly userAgent: string;
	/** The longest time for one attempt from its start to the last byte, in milliseconds, however steadily bytes drip in. */
	readonly longestAttempt?: number;
}

/** The sender of this run; proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
export function createHttp(parts: HttpParts): ListenedHttp {
	const { userAgent, longestAttempt = LONGEST_ATTEMPT } = parts;
	const options = { connect: { lookup: lookupLoopback, timeout: 20_000 }, keepAliveTimeout: 10_000 };
	const proxied = new EnvHttpProxyAgent(options);
	// A proxy cannot reach this machine's own services, and must not see what is sent to them without TLS.
	const direct = new Agent(options);
	const listeners = new Set<AnswerListener>();
	const attempt = async (request: HttpRequest): Promise<HttpAnswer> => {
		const { method, url, body, signal, timeout = DEFAULT_TIMEOUT, largest = DEFAULT_LARGEST } = request;
		const limit = AbortSignal.timeout(longestAttempt);
		const answer = await send(url, {
			method,
			dispatcher: URL.canParse(url) && isLoopback(new URL(url).hostname) ? direct : proxied,
			headers: { 'user-agent': userAgent, ...request.headers },
			headersTimeout: timeout,
			bodyTimeout: timeout,
			...(body === undefined ? {} : { body }),
			signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
		});
		const headers = flatten(answer.headers);
		for (const listener of listeners) listener(headers);
		return { status: answer.statusCode, headers, body: await read(answer.body, largest) };
	};
	return {
		onAnswer(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		send: withRetries(attempt, parts),
		close: async () => {
			await Promise.all([direct.close(), proxied.close()]);
		},
	};
}

/** Sends by `attempt`, again where a failure may pass by itself, as the service asks or ever more seldom. */
export function withRetries(
	attempt: (request: HttpRequest) => Promise<HttpAnswer>,
	{ clock, retry = STANDARD_RETRY, onRetry = () => {} }: RetryParts,
): Http['send'] {
	return async (request) => {
		const repeatable = request.repeatable ?? !['POST', 'PATCH'].includes(request.method);
		const most = request.retry === false ? 1 : retry.attempts;
		let waited = 0;
		for (let turn = 1; ; turn += 1) {
			let answer: HttpAnswer | undefined;
			let failure: unknown;
			try {
				answer = await attempt(request);
			} catch (error) {
				if (request.signal?.aborted) throw request.signal.reason;
				failure = error;
			}
			if (answer !== undefined && !PASSING_STATUS.has(answer.status)) return answer;
			const asked = answer === undefined ? undefined : retryAfter(answer.headers, clock.now());
			const wait = asked ?? backOff(turn, retry, clock.random());
			const mayRepeat = repeatable && (answer !== undefined || PASSING_CODES.has(networkCode(failure) ?? ''));
			if (!mayRepeat || turn >= most || waited + wait > retry.budget) {
				if (answer !== undefined) return answer;
				throw new Unreachable(request.url, failure);
			}
			const what = answer === undefined ? reasonOf(failure) : `HTTP ${answer.status}`;
			onRetry(
				`${request.method} ${hostOf(request.url)}: ${what}; again in ${(wait / 1000).toFixed(1)} s (attempt ${turn + 1} of ${most})`,
			);
			waited += wait;
			await clock.sleep(wait, request.signal);
		}
	};
}

/**
 * How long a service asks to wait, in milliseconds; undefined where it does not say.
 * `x-ms-retry-after-ms` and `retry-after-ms` go before `Retry-After`, which is in seconds or a date.
 */
export function retryAfter(headers: Readonly<Record<string, string>>, now: number): number | undefined {
	for (const name of ['x-ms-retry-after-ms', 'retry-after-ms']) {
		const milliseconds = numberIn(headers[name]);
		if (milliseconds !== undefined) return Math.max(0, milliseconds);
	}
	const given = headers['retry-after'];
	const seconds = numberIn(given);
	if (seconds !== undefined) return Math.max(0, seconds * 1000);
	const date = Date.parse(given ?? '');
	if (Number.isNaN(date)) return undefined;
	// The date is by the service's clock; the runner's may be wrong by hours.
	const serverNow = Date.parse(headers['date'] ?? '');
	return Math.max(0, date - (Number.isNaN(serverNow) ? now : serverNow));
}

function numberIn(text: string | undefined): number | undefined {
	if (text === undefined || text.trim() === '') return undefined;
	const number = Number(text);
	return Number.isFinite(number) ? number : undefined;
}

/** Doubling, with the upper half of each wait left to chance so that many runners do not come back together. */
function backOff(turn: number, { firstWait, longestWait }: RetryPolicy, random: number): number {
	return Math.min(longestWait, firstWait * 2 ** (turn - 1)) * (0.5 + random / 2);
}

async function read(body: AsyncIterable<Uint8Array>, largest: number): Promise<Buffer> {
	const pieces: Uint8Array[] = [];
	let size = 0;
	for await (const piece of body) {
		size += piece.length;
		if (size > largest) throw new Error(`the answer is larger than ${largest} bytes`);
		pieces.push(piece);
	}
	return Buffer.concat(pieces);
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
	const flat: Record<string, string> = {};
	for (const [name, value] of Object.entries(headers)) {
		const first = Array.isArray(value) ? value[0] : value;
		if (first !== undefined) flat[name.toLowerCase()] = first;
	}
	return flat;
}

const REASONS: Readonly<Record<string, string>> = {
	ENOTFOUND: 'its name is unknown to DNS',
	EAI_AGAIN: 'DNS does not answer',
	ECONNREFUSED: 'it refuses the connection',
	ECONNRESET: 'the connection was reset',
	UND_ERR_SOCKET: 'the connection was closed',
	UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
	UND_ERR_HEADERS_TIMEOUT: 'it does not answer',
	UND_ERR_BODY_TIMEOUT: 'its answer stopped half-way',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not trusted here',
	SELF_SIGNED_CERT_IN_CHAIN:
		'its certificate chain is not trusted here (a proxy that inspects TLS? set NODE_EXTRA_CA_CERTS)',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified',
	CERT_HAS_EXPIRED: 'its certificate has expired',
	ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

function reasonOf(error: unknown): string {
	const code = networkCode(error);
	return (code === undefined ? undefined : REASONS[code]) ?? (messageOf(error) || code || 'unknown reason');
}

/** The host of a URL, for messages: what stands after it may be secret. */
export function hostOf(url: string): string {
	return URL.canParse(url) ? new URL(url).host : 'an invalid address';
}
