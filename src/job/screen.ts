// The log as those share it who tell of one job at the same time: what is said while a group is open is said after it.
import type { Log } from '../log.ts';

/**
 * The log, with every line of ours kept back while a group is open: groups hold what a log file holds and nothing else.
 * Groups do not nest. `ready` rejects with the signal's reason as soon as that is aborted.
 */
export function sharedLog(log: Log, signal: AbortSignal): Log {
	let open = false;
	const waiting: string[] = [];
	const endGroup = (): void => {
		if (!open) return;
		open = false;
		log.endGroup();
		for (const text of waiting.splice(0)) log.info(text);
	};
	return {
		...log,
		info: (text) => {
			if (open) waiting.push(text);
			else log.info(text);
		},
		group: (title) => {
			endGroup();
			open = true;
			log.group(title);
		},
		endGroup,
		ready: () => (log.ready === undefined ? Promise.resolve() : unlessAborted(log.ready(), signal)),
	};
}

function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
	return new Promise((done, fail) => {
		const stop = (): void => fail(signal.reason);
		if (signal.aborted) return stop();
		signal.addEventListener('abort', stop, { once: true });
		work.then(done, fail).finally(() => signal.removeEventListener('abort', stop));
	});
}
