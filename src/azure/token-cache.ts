// Keeps tokens until shortly before they expire, and renews them without letting anybody wait for it needlessly.
// Where tokens come from is credential.ts's.
import type { Clock } from '../clock.ts';

/** A token as its giver hands it out. */
export interface FreshToken {
	readonly token: string;
	/** Milliseconds since the epoch. */
	readonly expires: number;
}

/** Gives tokens. */
export interface Credential {
	token(scope: string, options?: TokenOptions): Promise<string>;
}

export interface TokenOptions {
	/** What a service asks for when it refuses a token before its time (continuous access evaluation). */
	readonly claims?: string | undefined;
	/** A token that a service took before and refuses now, without a word of claims: another one is wanted. */
	readonly refused?: string | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** What is asked for where tokens come from. */
export interface Asked {
	readonly claims?: string | undefined;
	/** What the giver itself has kept is not wanted. */
	readonly anew?: boolean;
}

/** A token is renewed when less than this is left of it, in milliseconds. */
const RENEW_BEFORE = 5 * 60_000;
/** So close to its end, a token is not used any more. */
const TOO_LATE = 5_000;
/** After a failed renewal the old token serves on, and the next try waits this long. */
const RENEW_PAUSE = 3_000;

interface Kept extends FreshToken {
	nextTry: number;
}

/**
 * A cache before `ask`. Whoever comes while a token is asked for gets that one; a renewal that fails is no failure
 * while the old token is good.
 */
export function createTokenCache(ask: (scope: string, asked: Asked) => Promise<FreshToken>, clock: Clock): Credential {
	const kept = new Map<string, Kept>();
	const asking = new Map<string, Promise<string>>();

	async function fetchToken(scope: string, asked: Asked): Promise<string> {
		const fresh = await ask(scope, asked);
		kept.set(scope, { ...fresh, nextTry: 0 });
		return fresh.token;
	}

	/** A token with other claims is another token, even while one without them is on its way. */
	function renew(scope: string, asked: Asked = {}): Promise<string> {
		const key = JSON.stringify([scope, asked]);
		const pending = asking.get(key) ?? fetchToken(scope, asked).finally(() => asking.delete(key));
		asking.set(key, pending);
		return pending;
	}

	return {
		async token(scope, { claims, refused, signal } = {}) {
			const now = clock.now();
			if (claims !== undefined) return unlessAborted(renew(scope, { claims }), signal);
			const have = kept.get(scope);
			if (have === undefined || now >= have.expires - TOO_LATE) return unlessAborted(renew(scope), signal);
			if (have.token === refused) return unlessAborted(renew(scope, { anew: true }), signal);
			if (now >= have.expires - RENEW_BEFORE && now >= have.nextTry) {
				have.nextTry = Number.POSITIVE_INFINITY;
				renew(scope).catch(() => {
					have.nextTry = clock.now() + RENEW_PAUSE;
				});
			}
			return have.token;
		},
	};
}

/** Sign-in has no time limit of its own that is short enough for a step that is being cancelled. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (signal === undefined) return work;
	let stop = (): void => {};
	const aborted = new Promise<never>((_, reject) => {
		stop = () => reject(signal.reason);
		if (signal.aborted) stop();
		else signal.addEventListener('abort', stop, { once: true });
	});
	return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop));
}
