// The log of steps that are only tried: what they say they do, they do not.
import type { Log } from '../log.ts';

/** A log that keeps warnings and secrets' masks, and shows all else only when the workflow is debugged. */
export function quietLog(log: Log): Log {
	return {
		...log,
		info: (text) => log.debug(`(dry run) ${text}`),
		foreign: (text) => log.debug(`(dry run) ${text}`),
		group: () => {},
		endGroup: () => {},
	};
}
