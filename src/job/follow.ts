// Follows a job to its end: its state, its log, a sign of life in between. Cancelling is cancel.ts's, asked for here.
import type { Http } from '../azure/http.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { duration } from '../duration.ts';
import { CancelledError, messageOf, ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import { findJob, findRunDetails, isKnownState, isTerminal, type Job, type RunDetails } from './job.ts';
import { JobLogs } from './logs.ts';
import { sharedLog } from './screen.ts';

/** A job at its end, or at the moment the wait for it ended. */
export interface FollowedJob {
	readonly job: Job;
	/** Why it failed, as run history tells. */
	readonly error: RunDetails['error'];
	readonly lastLines: readonly string[];
	/** How long we watched it, in milliseconds. */
	readonly watched: number;
	/** `ended`: its state is terminal. `timeout`: the time given for it is over. */
	readonly end: 'ended' | 'timeout';
}

export interface FollowParts {
	readonly workspace: Workspace;
	readonly http: Http;
	readonly log: Log;
	readonly clock: Clock;
	/** Aborted when the workflow is cancelled; following then throws the signal's reason. */
	readonly signal: AbortSignal;
	/** Milliseconds to wait for the job; without limit when undefined. */
	readonly timeout: number | undefined;
}

/** Between two looks at the log, in milliseconds. */
const LOG_INTERVAL = 1_000;
/** A job may be unknown to the service for this long, as it is after it was accepted. */
const GRACE = 60_000;
/** The job runs on while nothing answers us; for this long its state is asked for without giving up. */
const LONGEST_SILENCE = 30 * 60_000;
/** Run history that failed is left alone for this long, while the resource manager tells the state. */
const HISTORY_PAUSE = 60_000;
const FIRST_HEARTBEAT = 60_000;
const LONGEST_HEARTBEAT = 15 * 60_000;

/**
 * Between two looks at the state, in milliseconds, by the age of the watch. An hour of it stays below 360 requests, the
 * first hour included; the jitter keeps the jobs of a matrix apart.
 */
export function stateInterval(age: number, random: number): number {
	const base = age < 30_000 ? 2_000 : age < 120_000 ? 4_000 : 12_500;
	return base * (0.9 + random * 0.2);
}

/** Follows the job until its state is terminal or the time is over. */
export async function followJob(name: string, parts: FollowParts): Promise<FollowedJob> {
	const { clock, signal, http, timeout } = parts;
	const log = sharedLog(parts.log, signal);
	const started = clock.now();
	const watch = new StateWatch(name, parts, started);
	const refresh = async (): Promise<ReadonlyMap<string, string>> => (await watch.readDetails())?.logFiles ?? new Map();
	const logs = new JobLogs({ http, log, clock, signal, refresh });
	const over = (): boolean => timeout !== undefined && clock.now() - started >= timeout;

	const inner = new AbortController();
	const until = AbortSignal.any([signal, inner.signal]);
	const watchState = async (): Promise<'ended' | 'timeout'> => {
		for (;;) {
			const details = await watch.look();
			if (details !== undefined) logs.update(details.logFiles);
			if (watch.ended) return 'ended';
			if (over()) return 'timeout';
			watch.heartbeat(logs.lastShown);
			const pause = stateInterval(clock.now() - started, clock.random());
			const rest = timeout === undefined ? pause : Math.max(0, timeout - (clock.now() - started));
			await clock.sleep(Math.min(pause, rest), until);
		}
	};
	const watchLogs = async (): Promise<never> => {
		for (;;) {
			await logs.look();
			await clock.sleep(LOG_INTERVAL, until);
		}
	};
	const reading = watchLogs();
	const watching = watchState();
	let end: 'ended' | 'timeout';
	try {
		// The log is read until the state says stop; should reading fail, watching must not go on unheard.
		end = await Promise.race([watching, reading]);
	} catch (error) {
		inner.abort();
		await Promise.allSettled([watching, reading]);
		logs.end();
		throw signal.aborted ? signal.reason : error;
	}
	inner.abort();
	await reading.catch(() => {});
	if (end === 'ended') await logs.drain(watch.error !== undefined);
	else logs.end();
	const job = await watch.job();
	return { job, end, error: watch.error, lastLines: logs.lastLines, watched: clock.now() - started };
}

/** The state of one job, told when it changes. */
class StateWatch {
	readonly #name: string;
	readonly #parts: FollowParts;
	readonly #started: number;
	#status: string | undefined;
	#details: RunDetails | undefined;
	#historyAgain = 0;
	/** When the state was last heard of. */
	#heard: number;
	/** Since when the resource manager knows no such job. */
	#missing: number | undefined;
	#nextHeartbeat: number;
	#heartbeatInterval = FIRST_HEARTBEAT;
	#warned = new Set<string>();

	constructor(name: string, parts: FollowParts, started: number) {
		this.#name = name;
		this.#parts = parts;
		this.#started = started;
		this.#heard = started;
		this.#nextHeartbeat = started + FIRST_HEARTBEAT;
	}

	get ended(): boolean {
		return this.#status !== undefined && isTerminal(this.#status);
	}

	get error(): RunDetails['error'] {
		return this.#details?.error;
	}

	/** Run history's record, which has both the state and the log addresses: one request where ARM would need two. */
	async readDetails(): Promise<RunDetails | undefined> {
		const { workspace, signal, clock } = this.#parts;
		try {
			const details = await findRunDetails(workspace, this.#name, signal);
			if (details !== undefined) this.#details = details;
			for (const warning of details?.warnings ?? []) this.#warnOnce(warning, warning);
			return details;
		} catch (error) {
			if (signal.aborted) throw signal.reason;
			// The job runs on whether or not its log can be read; the state then comes from the resource manager.
			this.#historyAgain = clock.now() + HISTORY_PAUSE;
			this.#warnOnce('history', `The log of the job cannot be read for now: ${messageOf(error)}`);
			return undefined;
		}
	}

	/** One look at the state, told if it has changed. */
	async look(): Promise<RunDetails | undefined> {
		const details = this.#parts.clock.now() < this.#historyAgain ? undefined : await this.readDetails();
		const historic = details?.status;
		// Run history may lag behind at both ends; ARM's word decides that a job has ended.
		const status = historic === undefined || isTerminal(historic) ? await this.#stateByResource() : historic;
		if (status !== undefined) this.#heard = this.#parts.clock.now();
		if (status !== undefined && status !== this.#status) this.#tell(status);
		return details;
	}

	/** The state by the job's own resource; undefined while the service is silent. */
	async #stateByResource(): Promise<string | undefined> {
		const job = await this.#findJob();
		if (job === 'silence') return undefined;
		const now = this.#parts.clock.now();
		this.#missing = job === undefined ? (this.#missing ?? now) : undefined;
		if (this.#missing !== undefined && now - this.#missing > GRACE) throw lost(this.#name);
		return job?.status ?? this.#status ?? 'NotStarted';
	}

	async #findJob(): Promise<Job | undefined | 'silence'> {
		const { workspace, signal, clock } = this.#parts;
		try {
			return await findJob(workspace, this.#name, signal);
		} catch (error) {
			if (signal.aborted) throw signal.reason;
			if (!isPassing(error) || clock.now() - this.#heard > LONGEST_SILENCE) throw error;
			this.#warnOnce('silence', `The state of the job cannot be read for now: ${messageOf(error)}`);
			return 'silence';
		}
	}

	async job(): Promise<Job> {
		const job = await findJob(this.#parts.workspace, this.#name, this.#parts.signal);
		if (job === undefined) throw lost(this.#name);
		return job;
	}

	/** A line when nothing has been shown for long, at growing intervals. */
	heartbeat(lastShown: number): void {
		const { clock, log } = this.#parts;
		const now = clock.now();
		if (now < Math.max(this.#nextHeartbeat, lastShown + this.#heartbeatInterval)) return;
		log.info(`… ${this.#status ?? 'waiting'} for ${duration(now - this.#started)}`);
		this.#heartbeatInterval = Math.min(LONGEST_HEARTBEAT, this.#heartbeatInterval * 2);
		this.#nextHeartbeat = now + this.#heartbeatInterval;
	}

	#tell(status: string): void {
		const { clock, log } = this.#parts;
		this.#status = status;
		log.info(`Job ${this.#name}: ${status} (${duration(clock.now() - this.#started)})`);
		if (isKnownState(status)) return;
		this.#warnOnce(status, `This version does not know the state ${status}; the job is taken to be under way.`);
	}

	#warnOnce(about: string, text: string): void {
		if (this.#warned.has(about)) return;
		this.#warned.add(about);
		this.#parts.log.warning(text);
	}
}

/** Whether a failure is one of the service or of the way to it, not an answer about the job. */
function isPassing(error: unknown): boolean {
	if (!(error instanceof ServiceError)) return false;
	return error.status === 0 || error.status === 408 || error.status === 429 || error.status >= 500;
}

function lost(name: string): CancelledError {
	return new CancelledError({
		what: `The job "${name}" is not in the workspace any more.`,
		why: 'The service has no job of that name: it was deleted, or it was accepted and then lost.',
		next: 'Run the workflow again to submit it anew.',
	});
}
