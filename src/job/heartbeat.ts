// A sign of life when nothing has been shown for long: the state, why it lasts, how long it has, and where to look.
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { duration } from '../duration.ts';
import type { Log } from '../log.ts';
import type { Job } from './job.ts';
import type { Pace } from './pace.ts';
import { nodesOf } from './waiting.ts';

/** Before the first sign of life, in milliseconds; each of the next takes twice as long as the one before. */
const FIRST_HEARTBEAT = 60_000;
const LONGEST_HEARTBEAT = 15 * 60_000;
/** States in which a job waits for a machine. */
const WAITS_FOR_NODES = new Set(['notstarted', 'queued', 'provisioning', 'preparing', 'starting', 'scheduled']);

export interface HeartbeatParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly pace: Pace;
}

/** What is known of a job at the moment of a sign of life. */
export interface Vitals {
	readonly status: string | undefined;
	readonly job: Job | undefined;
	/** When something of its log was last shown, in milliseconds since the epoch. */
	readonly lastShown: number;
	/** The image of its environment is being built. */
	readonly buildsImage: boolean;
	/** How far its steps or trials are. */
	readonly progress: string | undefined;
}

/** The signs of life of one job, at growing intervals. */
export class Heartbeat {
	readonly #parts: HeartbeatParts;
	readonly #started: number;
	#next: number;
	#interval = FIRST_HEARTBEAT;
	/** The compute may not be looked at. */
	#blind = false;

	constructor(parts: HeartbeatParts) {
		this.#parts = parts;
		this.#started = parts.clock.now();
		this.#next = this.#started + FIRST_HEARTBEAT;
	}

	/** Says a line when it is time for one. */
	async beat(vitals: Vitals): Promise<void> {
		const { clock, log } = this.#parts;
		const now = clock.now();
		if (now < Math.max(this.#next, vitals.lastShown + this.#interval)) return;
		this.#interval = Math.min(LONGEST_HEARTBEAT, this.#interval * 2);
		this.#next = now + this.#interval;
		const reason = await this.#reason(vitals);
		const state = `… ${vitals.status ?? 'waiting'} for ${duration(now - this.#started)}`;
		const where = vitals.job?.studioUrl;
		log.info(`${state}${reason === undefined ? '' : `: ${reason}`}${where === undefined ? '' : ` · ${where}`}`);
	}

	async #reason({ status = '', job, buildsImage, progress }: Vitals): Promise<string | undefined> {
		if (buildsImage) return 'the image of its environment is being built';
		if (progress !== undefined) return progress;
		if (job === undefined || this.#blind || !WAITS_FOR_NODES.has(status.toLowerCase())) return undefined;
		const { workspace, signal, pace } = this.#parts;
		if (!pace.spare()) return undefined;
		try {
			return await nodesOf(workspace, job, signal);
		} catch {
			signal.throwIfAborted();
			// Who may train need not be allowed to look at computes; the job does not depend on it.
			this.#blind = true;
			return undefined;
		}
	}
}
