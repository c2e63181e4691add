// Time and chance, handed to whoever needs them so that tests decide both.
import { setTimeout as wait } from 'node:timers/promises';

/** Time and chance. All durations are in milliseconds. */
export interface Clock {
	/** Milliseconds since the epoch. */
	now(): number;
	/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
	/** A number from 0 (included) to 1 (excluded). */
	random(): number;
}

/** The machine's own time and chance. */
export const systemClock: Clock = {
	now: () => Date.now(),
	sleep: async (ms, signal) => {
		try {
			await wait(ms, undefined, signal === undefined ? {} : { signal });
		} catch (error) {
			// node wraps the reason in an AbortError; whoever aborted wants its own reason back.
			throw signal?.aborted ? signal.reason : error;
		}
	},
	random: () => Math.random(),
};
