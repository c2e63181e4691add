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
	/** Why its log could not be read, where it could not. */
	readonly unread?: string | undefined;
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
/** A failed run that has no log at all is asked for one at each of the looks after its end. */
const FRESH_WITHOUT_LOG = 900;
/** A run that is live and has no log yet is asked for one as often as this. */
const LIVE_INTERVAL = 20_000;
/** Failed runs whose logs are shown whatever they cost. */
const MOST_FAILURES = 20;
/** Of the log of a failed run, so many lines are shown once more where nobody has to unfold a group. */
const TAIL = 20;
/** A log that could not be read is tried again as often as this; after the job's end more often, for a while. */
const TRY_AGAIN = 20_000;
const LAST_TRY_AGAIN = 3_000;
const LAST_PATIENCE = 20_000;
/** What is left of an hour's requests for what matters more than one more log. */
const RESERVE = 5;
/** A run that is known to have ended for this long writes no more; by the service's clock, which may be another, for longer. */
const SETTLED = 30_000;
const LONG_SETTLED = 5 * 60_000;
/** After the job's end, logs of runs that have just ended are looked at until so many looks in a row brought nothing. */
const QUIET_LOOKS = 3;
const LAST_INTERVAL = 1_000;

/** One run whose log is read, and the last answer about it. */
interface Reading {
	run: ChildRun;
	readonly logs: JobLogs;
	details: RunDetails | undefined;
	asked: number;
	/** The next request about it is counted already. */
	counted: boolean;
	/** Why the last request about it brought nothing. */
	refusal: string | undefined;
}

/** Shows the logs of the runs below one job. Every method must have ended before the next is called. */
export class ChildLogs {
	readonly #parts: ChildLogParts;
	readonly #noun: string;
	/** Ended runs whose log is still to be shown, by id. */
	readonly #waiting = new Map<string, ChildRun>();
	/** When each of them was first seen to have ended. */
	readonly #seenEnded = new Map<string, number>();
	/** Ended runs whose log could not be read, to be tried again. */
	readonly #unread = new Map<string, Reading>();
	#tryAgain = 0;
	readonly #refused = new Set<string>();
	/** Runs whose log was shown so soon after their end that there may be more of it. */
	readonly #fresh = new Set<Reading>();
	#live: Reading | undefined;
	readonly #failed: Reading[] = [];

	/** @param noun what a run below this job is called: `step`, `trial` */
	constructor(noun: string, parts: ChildLogParts) {
		this.#noun = noun;
		this.#parts = parts;
	}

	/** The failed runs whose logs were shown, first failure first. */
	get failures(): readonly ChildFailure[] {
		return this.#failed.map(({ run, details, logs, refusal }) => ({
			run,
			message: details?.error?.message ?? run.error,
			lastLines: logs.lastLines,
			unread: details === undefined ? refusal : undefined,
		}));
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
			this.#seenEnded.set(run.id, this.#parts.clock.now());
		}
		const [only] = running;
		if (this.#live === undefined && only !== undefined && running.length === 1 && this.#parts.pace.left > 30) {
			this.#live = this.#reading(only);
		}
	}

	/** Shows what the live run has printed, then one ended run where the hour has room for its request. */
	async look(): Promise<void> {
		const { clock, pace } = this.#parts;
		if (this.#live !== undefined) await this.#lookAtLive(this.#live);
		const settled = [...this.#fresh].find(({ run }) => this.#isSettled(run));
		if (settled !== undefined) {
			this.#fresh.delete(settled);
			await settled.logs.showLate(pace.left > 30);
		}
		if (clock.now() >= this.#tryAgain) this.#waitAgain();
		const next = this.#next();
		if (next === undefined) return;
		const urgent = isFailed(next) && this.#failed.length < MOST_FAILURES && !this.#unread.has(next.id);
		if (urgent) pace.count();
		else if (!pace.spare()) return;
		await this.#showEnded(next);
	}

	/** After the job's end: shows all that is left and the hour has room for, and counts what it has none for. */
	async finish(): Promise<void> {
		const { clock, signal, log } = this.#parts;
		if (this.#live !== undefined) await this.#endLive(this.#live);
		this.#waitAgain();
		await this.#showWaiting();
		for (const until = clock.now() + LAST_PATIENCE; this.#unread.size > 0 && clock.now() < until; ) {
			await clock.sleep(LAST_TRY_AGAIN, signal);
			this.#waitAgain();
			await this.#showWaiting();
		}
		await this.#showFresh();
		for (const { run, refusal } of this.#unread.values())
			log.info(`[gap: the log of ${this.#noun} ${run.name} could not be read: ${refusal}]`);
		const failed = [...this.#unread.values()].filter(({ run }) => isFailed(run));
		this.#failed.push(...failed);
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

	async #showWaiting(): Promise<void> {
		const { pace } = this.#parts;
		// What failed stands last, where people look first, unless there is not room for all.
		const following = (): ChildRun | undefined => this.#next(pace.left - RESERVE > this.#waiting.size);
		for (let next = following(); next !== undefined && pace.left > RESERVE; next = following()) {
			pace.count();
			await this.#showEnded(next);
		}
	}

	/** What could not be read waits again; what the hour has no room for stays said to be unread. */
	#waitAgain(): void {
		const { clock, pace } = this.#parts;
		this.#tryAgain = clock.now() + TRY_AGAIN;
		if (pace.left <= RESERVE) return;
		for (const { run } of this.#unread.values()) this.#waiting.set(run.id, run);
	}

	#isSettled({ id, endedAt }: ChildRun): boolean {
		const now = this.#parts.clock.now();
		return now - (this.#seenEnded.get(id) ?? now) >= SETTLED || now - (endedAt ?? now) >= LONG_SETTLED;
	}

	/** Shows what the last runs write after their end, until they write no more. */
	async #showFresh(): Promise<void> {
		const { clock, signal, pace } = this.#parts;
		const until = clock.now() + LAST_PATIENCE;
		for (let quiet = 0; this.#fresh.size > 0 && quiet < QUIET_LOOKS && clock.now() < until; ) {
			await clock.sleep(LAST_INTERVAL, signal);
			let bytes = 0;
			for (const { logs } of this.#fresh) bytes += await logs.showLate(pace.left > 30);
			quiet = bytes > 0 ? 0 : quiet + 1;
		}
		this.#fresh.clear();
	}

	#reading(run: ChildRun, counted = false): Reading {
		const { http, log, clock, signal } = this.#parts;
		const refresh = (): Promise<ReadonlyMap<string, string>> => this.#addresses(reading);
		const owner = run.name;
		const logs = new JobLogs({ http, log, clock, signal, refresh, owner });
		const asked = Number.NEGATIVE_INFINITY;
		const reading: Reading = { run, logs, details: undefined, asked, counted, refusal: undefined };
		return reading;
	}

	async #addresses(reading: Reading): Promise<ReadonlyMap<string, string>> {
		const { workspace, clock, pace, signal } = this.#parts;
		const misses = isFailed(reading.run) && reading.details?.logFiles.size === 0;
		if (clock.now() - reading.asked >= (misses ? FRESH_WITHOUT_LOG : FRESH)) {
			reading.asked = clock.now();
			if (!reading.counted) pace.count();
			reading.counted = false;
			try {
				const details = await findRunDetails(workspace, reading.run.id, signal);
				reading.details = details ?? reading.details;
				reading.refusal = details === undefined ? 'Run history does not know the run.' : undefined;
			} catch (error) {
				signal.throwIfAborted();
				reading.refusal = messageOf(error);
			}
			this.#tellRefusal(reading);
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

	/** Once for each run: it is tried again and again. */
	#tellRefusal({ run, refusal }: Reading): void {
		if (refusal === undefined || this.#refused.has(run.id)) return;
		this.#refused.add(run.id);
		this.#parts.log.info(`[the log of ${run.name} cannot be read for now: ${refusal}]`);
	}

	async #endLive(live: Reading): Promise<void> {
		this.#live = undefined;
		await live.logs.drain(isFailed(live.run));
		// Never answered for: as one that nobody has looked at yet.
		if (live.details === undefined) this.#unread.set(live.run.id, live);
		else if (isFailed(live.run)) this.#failed.push(live);
	}

	/** Shows the log of a run that has ended. The caller has counted the request. */
	async #showEnded(run: ChildRun): Promise<void> {
		const { log } = this.#parts;
		this.#waiting.delete(run.id);
		const reading = this.#reading(run, true);
		await this.#addresses(reading);
		if (reading.details === undefined) {
			this.#unread.set(run.id, reading);
			return;
		}
		this.#unread.delete(run.id);
		await reading.logs.showGrouped(isFailed(run));
		if (!this.#isSettled(run)) this.#fresh.add(reading);
		if (!isFailed(run)) return;
		this.#failed.push(reading);
		const tail = reading.logs.lastLines.slice(-TAIL);
		if (tail.length === 0) return;
		log.info(`── ${this.#noun} ${run.name} failed; its last lines:`);
		for (const line of tail) log.foreign(line);
	}
}

function isFailed({ status }: ChildRun): boolean {
	return status === 'Failed';
}
