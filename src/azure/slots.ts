// How many requests may be under way at once against one service, less when it says that it is busy.
import type { Clock } from '../clock.ts';

/** A number of places for requests. */
export interface Slots {
	/** Runs the task as soon as a place is free, in the order of asking. */
	run<T>(task: () => Promise<T>): Promise<T>;
	/** The service is busy: half the places are taken away. They come back one by one as requests go well. */
	slowDown(): void;
	/** How many places there are at present. */
	limit(): number;
}

/** Refusals that come together are one sign of being busy, not many. */
const ONE_SIGN = 1000;

/** Places for up to `most` requests at once. */
export function createSlots(clock: Clock, most = 16): Slots {
	const waiting: (() => void)[] = [];
	let limit = most;
	let running = 0;
	let wellInARow = 0;
	let lastCut = Number.NEGATIVE_INFINITY;
	const admit = (): void => {
		while (running < limit) {
			const next = waiting.shift();
			if (next === undefined) return;
			running += 1;
			next();
		}
	};
	return {
		async run(task) {
			await new Promise<void>((free) => {
				waiting.push(free);
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
