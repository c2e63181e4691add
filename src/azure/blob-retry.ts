// Tries a request to blob storage again where that can help. The storage client's own retries are off: they know
// nothing of Retry-After on 429 and cannot be handed the time.
import type { Clock } from '../clock.ts';
import { explainBlobError, refusalOf } from './blob-error.ts';
import { hostOf, retryAfter } from './http.ts';
import { PASSING_CODES, PASSING_STATUS } from './passing.ts';

/** How often and how long a request is tried. Durations in milliseconds. */
export interface BlobRetry {
	readonly attempts: number;
	/** Attempts where the service says it is busy; what bounds these is the budget. */
	readonly busyAttempts: number;
	readonly firstWait: number;
	readonly longestWait: number;
	/** All waits of one request together. */
	readonly budget: number;
	/** Longest wait for the answer to one request. */
	readonly timeout: number;
}

/** What is done unless said otherwise: seven attempts, and a quarter of an hour of patience with a busy account. */
export const BLOB_RETRY: BlobRetry = {
	attempts: 7,
	busyAttempts: 40,
	firstWait: 800,
	longestWait: 60_000,
	budget: 15 * 60_000,
	timeout: 300_000,
};

export interface RetryParts {
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
	readonly retry?: BlobRetry;
	/** Told of each 429 and 503. */
	readonly onBusy?: () => void;
	/** Told of each retry, with a line for the debug log. */
	readonly onRetry?: (line: string) => void;
}

/**
 * Sends a request until it goes well or cannot. Rejects with `BlobError`, or with the signal's reason once that is aborted.
 * `doing` stands in messages after "Could not".
 */
export type Attempt = <T>(doing: string, request: (abortSignal: AbortSignal) => Promise<T>) => Promise<T>;

const BUSY = new Set([429, 503]);
/** The storage client's own codes for a request that was cut, or whose answer was. */
const CUT_CODES = new Set(['REQUEST_SEND_ERROR', 'PARSE_ERROR']);

/** The attempts of one container; `url` is named in messages without its query. */
export function createAttempt(url: string, parts: RetryParts): Attempt {
	const { clock, signal, retry = BLOB_RETRY, onBusy = () => {}, onRetry = () => {} } = parts;
	return async (doing, request) => {
		let waited = 0;
		for (let turn = 1; ; turn += 1) {
			signal?.throwIfAborted();
			const limit = limitTime(retry.timeout, signal);
			try {
				return await request(limit.signal);
			} catch (thrown) {
				signal?.throwIfAborted();
				const error = limit.isOver() ? new Error(`no answer within ${retry.timeout / 1000} s`) : thrown;
				const { status, code, headers } = refusalOf(error);
				const busy = BUSY.has(status);
				if (busy) onBusy();
				const most = busy ? retry.busyAttempts : retry.attempts;
				const wait = retryAfter(headers, clock.now()) ?? backOff(turn, retry, clock.random());
				const silent = status === 0 && (limit.isOver() || PASSING_CODES.has(code ?? '') || CUT_CODES.has(code ?? ''));
				if (!(silent || PASSING_STATUS.has(status)) || turn >= most || waited + wait > retry.budget) {
					throw explainBlobError(error, doing, url);
				}
				const seen = status === 0 ? (code ?? 'no answer') : `HTTP ${status}`;
				onRetry(`${hostOf(url)}: ${seen} (${doing}); again in ${(wait / 1000).toFixed(1)} s`);
				waited += wait;
				await clock.sleep(wait, signal);
			} finally {
				limit.end();
			}
		}
	};
}

/** A signal that follows another one and ends by itself; unlike AbortSignal.timeout it leaves nothing behind when ended. */
function limitTime(ms: number, signal: AbortSignal | undefined) {
	const controller = new AbortController();
	const follow = (): void => controller.abort(signal?.reason);
	let over = false;
	const timer = setTimeout(() => {
		over = true;
		controller.abort();
	}, ms);
	signal?.addEventListener('abort', follow);
	return {
		signal: controller.signal,
		isOver: () => over,
		end: (): void => {
			clearTimeout(timer);
			signal?.removeEventListener('abort', follow);
		},
	};
}

function backOff(turn: number, { firstWait, longestWait }: BlobRetry, random: number): number {
	return Math.min(longestWait, firstWait * 2 ** (turn - 1)) * (0.5 + random / 2);
}
