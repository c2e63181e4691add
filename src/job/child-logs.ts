// The logs of the runs below a job: live of the only one that runs, in a group of those that have ended.
import type { Http } from '../azure/http.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ChildRun } from './child-runs.ts';
import { findRunDetails, isTerminal, type RunDetails } from './job.ts';
import { JobLogs } from './logs.ts';
import type { Pace } from './pace.ts';

/** A run below the job that failed, and what is known of it. */
export interface ChildFailure {
	readonly run: ChildRun;
	readonly message: string | undefined;
	readonly lastLines: readonly string[];
}

export interface ChildLogParts {
	readonly workspace: Workspace;
	readonly http: Http;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly pace: Pace;
}

/** Addresses are good for hours; asked for again sooner than this, they are taken from the last answer. */
const FRESH = 10_000;
/** A run that is live and has no log yet is asked for one as often as this. */
const LIVE_INTERVAL = 20_000;
/** Failed runs whose logs are shown whatever they cost. */
const MOST_FAILURES = 20;
/** Of the log of a failed run, so many lines are shown once more where nobody has to unfold a group. */
const TAIL = 20;

/** One run whose log is read, and the last answer about it. */
interface Reading {
	run: ChildRun;
	readonly logs: JobLogs;
	details: RunDetails | undefined;
	asked: number;
}

/** Shows the logs of the runs below one job. Every method must have ended before the next is called. */
export class ChildLogs {
	readonly #parts: ChildLogParts;
	readonly #noun: string;
	/** Ended runs whose log is still to be shown, by id. */
	readonly #waiting = new Map<string, ChildRun>();
	#live: Reading | undefined;
	readonly #failures: ChildFailure[] = [];

	/** @param noun what a run below this job is called: `step`, `trial` */
	constructor(noun: string, parts: ChildLogParts) {
		this.#noun = noun;
		this.#parts = parts;
	}

	/** The failed runs whose logs were shown, first failure first. */
	get failures(): readonly ChildFailure[] {
		return this.#failures;
	}

	/** The run that is followed live: the only one that runs. */
	get live(): ChildRun | undefined {
		return this.#live?.run;
	}

	/** When a line was last shown, in milliseconds since the epoch. */
	get lastShown(): number {
		return this.#live?.logs.lastShown ?? 0;
	}

	/** Takes what a new list says: `ended` have just ended, `running` are under way. */
	update(ended: readonly ChildRun[], running: readonly ChildRun[]): void {
		for (const run of ended) {
			if (run.id === this.#live?.run.id) this.#live.run = run;
			else if (run.reusedFrom === undefined) this.#waiting.set(run.id, run);
		}
		const [only] = running;
		if (this.#live === undefined && only !== undefined && running.length === 1 && this.#parts.pace.left > 30) {
			this.#live = this.#reading(only);
		}
	}

	/** Shows what the live run has printed, then one ended run where the hour has room for its request. */
	async look(): Promise<void> {
		if (this.#live !== undefined) await this.#lookAtLive(this.#live);
		const next = this.#next();
		if (next === undefined) return;
		if (isFailed(next) && this.#failures.length < MOST_FAILURES) this.#parts.pace.count();
		else if (!this.#parts.pace.spare()) return;
		this.#waiting.delete(next.id);
		await this.#showEnded(next);
	}

	/** After the job's end: shows all that is left and the hour has room for, and counts what it has none for. */
	async finish(): Promise<void> {
		const { pace, log } = this.#parts;
		if (this.#live !== undefined) await this.#endLive(this.#live);
		// What failed stands last, where people look first, unless there is not room for all.
		const following = (): ChildRun | undefined => this.#next(pace.left - 5 > this.#waiting.size);
		for (let next = following(); next !== undefined && pace.left > 5; next = following()) {
			this.#waiting.delete(next.id);
			pace.count();
			await this.#showEnded(next);
		}
		if (this.#waiting.size === 0) return;
		log.info(
			`[not shown: the logs of ${this.#waiting.size} more ${this.#noun}s, for which the service would have been asked too often; studio has them]`,
		);
	}

	/** Shows the unfinished last line of the live run, where the watch ends before the job. */
	end(): void {
		this.#live?.logs.end();
	}

	/** In the order of the list, but failed runs first, or last. */
	#next(failedLast = false): ChildRun | undefined {
		const waiting = [...this.#waiting.values()];
		return waiting.find((run) => isFailed(run) !== failedLast) ?? waiting[0];
	}

	#reading(run: ChildRun): Reading {
		const { http, log, clock, signal } = this.#parts;
		const refresh = (): Promise<ReadonlyMap<string, string>> => this.#addresses(reading);
		const owner = run.name;
		const logs = new JobLogs({ http, log, clock, signal, refresh, owner });
		const reading: Reading = { run, logs, details: undefined, asked: Number.NEGATIVE_INFINITY };
		return reading;
	}

	async #addresses(reading: Reading): Promise<ReadonlyMap<string, string>> {
		const { workspace, clock, pace, signal } = this.#parts;
		if (clock.now() - reading.asked >= FRESH) {
			reading.asked = clock.now();
			pace.count();
			try {
				reading.details = (await findRunDetails(workspace, reading.run.id, signal)) ?? reading.details;
			} catch (error) {
				signal.throwIfAborted();
				this.#parts.log.info(`[the log of ${reading.run.name} cannot be read for now: ${messageOf(error)}]`);
			}
		}
		return reading.details?.logFiles ?? new Map();
	}

	async #lookAtLive(live: Reading): Promise<void> {
		const { clock, pace } = this.#parts;
		if (isTerminal(live.run.status)) return this.#endLive(live);
		const blind = !live.logs.hasLive && clock.now() - live.asked >= LIVE_INTERVAL;
		if (blind && pace.left > 30) live.logs.update(await this.#addresses(live));
		await live.logs.look();
	}

	async #endLive(live: Reading): Promise<void> {
		this.#live = undefined;
		await live.logs.drain(isFailed(live.run));
		if (isFailed(live.run)) await this.#noteFailure(live);
	}

	async #showEnded(run: ChildRun): Promise<void> {
		const { log } = this.#parts;
		const reading = this.#reading(run);
		// The caller has counted the request.
		await reading.logs.showGrouped(isFailed(run));
		if (!isFailed(run)) return;
		await this.#noteFailure(reading);
		const tail = reading.logs.lastLines.slice(-TAIL);
		if (tail.length === 0) return;
		log.info(`── ${this.#noun} ${run.name} failed; its last lines:`);
		for (const line of tail) log.foreign(line);
	}

	async #noteFailure({ run, details, logs }: Reading): Promise<void> {
		const message = details?.error?.message ?? run.error;
		this.#failures.push({ run, message, lastLines: logs.lastLines });
	}
}

function isFailed({ status }: ChildRun): boolean {
	return status === 'Failed';
}
