// Follows a job to its end: its state, its log, a sign of life in between. Cancelling is cancel.ts's, asked for here.
import type { Http } from '../azure/http.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { duration } from '../duration.ts';
import { CancelledError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { findJob, findRunDetails, isTerminal, type Job, type RunDetails } from './job.ts';
import { JobLogs } from './logs.ts';

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
/** A job may be unknown to the service for this long after it was accepted. */
const GRACE = 60_000;
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
	const { clock, signal, http, log, timeout } = parts;
	const started = clock.now();
	const watch = new StateWatch(name, parts, started);
	const refresh = async (): Promise<ReadonlyMap<string, string>> => (await watch.details())?.logFiles ?? new Map();
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
	if (end === 'ended') await logs.drain();
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
	#nextHeartbeat: number;
	#heartbeatInterval = FIRST_HEARTBEAT;
	#warned = new Set<string>();

	constructor(name: string, parts: FollowParts, started: number) {
		this.#name = name;
		this.#parts = parts;
		this.#started = started;
		this.#nextHeartbeat = started + FIRST_HEARTBEAT;
	}

	get ended(): boolean {
		return this.#status !== undefined && isTerminal(this.#status);
	}

	get error(): RunDetails['error'] {
		return this.#details?.error;
	}

	/** Run history's record, which has both the state and the log addresses: one request where ARM would need two. */
	async details(): Promise<RunDetails | undefined> {
		const { workspace, signal, log } = this.#parts;
		try {
			const details = await findRunDetails(workspace, this.#name, signal);
			if (details !== undefined) this.#details = details;
			for (const warning of details?.warnings ?? []) this.#warnOnce(warning);
			return details;
		} catch (error) {
			if (signal.aborted) throw signal.reason;
			// The job runs on whether or not its log can be read; the state then comes from the resource manager.
			this.#warnOnce(`The log of the job cannot be read for now: ${messageOf(error)}`);
			log.debug(messageOf(error));
			return undefined;
		}
	}

	async look(): Promise<RunDetails | undefined> {
		const { workspace, signal, clock } = this.#parts;
		const details = await this.details();
		let status = details?.status;
		// Run history may lag behind at both ends; ARM's word decides that a job has ended.
		if (status === undefined || isTerminal(status)) {
			const job = await findJob(workspace, this.#name, signal);
			if (job === undefined && clock.now() - this.#started > GRACE) throw lost(this.#name);
			status = job?.status ?? this.#status ?? 'NotStarted';
		}
		if (status !== this.#status) this.#tell(status);
		return details;
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
	}

	#warnOnce(text: string): void {
		if (this.#warned.has(text)) return;
		this.#warned.add(text);
		this.#parts.log.warning(text);
	}
}

function lost(name: string): CancelledError {
	return new CancelledError({
		what: `The job "${name}" is not in the workspace any more.`,
		why: 'The service has no job of that name: it was deleted, or it was accepted and then lost.',
		next: 'Run the workflow again to submit it anew.',
	});
}
