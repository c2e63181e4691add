// How many requests may be under way at once against one service, less when it says that it is busy.
import type { Clock } from '../clock.ts';

/** A number of places for requests. */
export interface Slots {
	/** Runs the task as soon as a place is free, and memory for what it holds (in bytes), in the order of asking. */
	run<T>(task: () => Promise<T>, bytes?: number): Promise<T>;
	/** The service is busy: half the places are taken away. They come back one by one as requests go well. */
	slowDown(): void;
	/** How many places there are at present. */
	limit(): number;
}

/** Refusals that come together are one sign of being busy, not many. */
const ONE_SIGN = 1000;
/** What all requests under way may hold together, so that a wide start costs no memory where contents are large. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Places for up to `most` requests at once. */
export function createSlots(clock: Clock, most = 16): Slots {
	const waiting: { readonly bytes: number; readonly free: () => void }[] = [];
	let limit = most;
	let running = 0;
	let held = 0;
	let wellInARow = 0;
	let lastCut = Number.NEGATIVE_INFINITY;
	const admit = (): void => {
		while (running < limit) {
			const [next] = waiting;
			// One that is too large for the whole goes alone.
			if (next === undefined || (running > 0 && held + next.bytes > MOST_BYTES)) return;
			waiting.shift();
			running += 1;
			held += next.bytes;
			next.free();
		}
	};
	return {
		async run(task, bytes = 0) {
			await new Promise<void>((free) => {
				waiting.push({ bytes, free });
				admit();
			});
			try {
				const result = await task();
				wellInARow += 1;
				if (wellInARow >= limit && limit < most) {
					limit += 1;
					wellInARow = 0;
				}
				return result;
			} finally {
				running -= 1;
				held -= bytes;
				admit();
			}
		},
		slowDown() {
			wellInARow = 0;
			const now = clock.now();
			if (now - lastCut < ONE_SIGN) return;
			lastCut = now;
			limit = Math.max(1, Math.floor(limit / 2));
		},
		limit: () => limit,
	};
}
