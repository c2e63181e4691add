// The state of one job: asked of run history, decided by the resource manager, told when it changes.
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { duration } from '../duration.ts';
import { CancelledError, messageOf, ServiceError, SignInError } from '../errors.ts';
import type { Log } from '../log.ts';
import { findJob, findRunDetails, isKnownState, isTerminal, type Job, type RunDetails } from './job.ts';
import type { Pace } from './pace.ts';

export interface StateWatchParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly clock: Clock;
	/** Aborted when the workflow is cancelled; every look then throws the signal's reason. */
	readonly signal: AbortSignal;
	readonly pace: Pace;
	/** Told of each new state. */
	readonly onState?: ((status: string) => void) | undefined;
}

/** A job may be unknown to the service for this long, as it is after it was accepted. */
const GRACE = 60_000;
/** The job runs on while nothing answers us; for this long its state is asked for without giving up. */
const LONGEST_SILENCE = 30 * 60_000;
/** Run history that failed is left alone for this long, while the resource manager tells the state. */
const HISTORY_PAUSE = 60_000;

/** The state of one job. */
export class StateWatch {
	readonly #name: string;
	readonly #parts: StateWatchParts;
	readonly #started: number;
	#status: string | undefined;
	#details: RunDetails | undefined;
	#known: Job | undefined;
	/** When the job itself may be asked for again, where that is not for its state. */
	#jobAgain = 0;
	#historyAgain = 0;
	/** When the state was last heard of. */
	#heard: number;
	/** When the state last changed. */
	changed: number;
	/** Since when the resource manager knows no such job. */
	#missing: number | undefined;
	readonly #warned = new Set<string>();

	constructor(name: string, parts: StateWatchParts) {
		this.#name = name;
		this.#parts = parts;
		this.#started = parts.clock.now();
		this.#heard = this.#started;
		this.changed = this.#started;
	}

	/** The state as it was last told; undefined while there is none. */
	get status(): string | undefined {
		return this.#status;
	}

	get ended(): boolean {
		return this.#status !== undefined && isTerminal(this.#status);
	}

	/** Why the job failed, as run history tells. */
	get error(): RunDetails['error'] {
		return this.#details?.error;
	}

	/** The job as its resource was last seen; undefined before that. */
	get known(): Job | undefined {
		return this.#known;
	}

	/** Run history's record, which has both the state and the log addresses: one request where ARM would need two. */
	async readDetails(): Promise<RunDetails | undefined> {
		const { workspace, signal, clock, pace } = this.#parts;
		try {
			pace.count();
			const details = await findRunDetails(workspace, this.#name, signal);
			if (details !== undefined) this.#details = details;
			for (const warning of details?.warnings ?? []) this.#warnOnce(warning, warning);
			return details;
		} catch (error) {
			if (signal.aborted) throw signal.reason;
			if (error instanceof ServiceError && error.status === 429) pace.throttled();
			// The job runs on whether or not its log can be read; the state then comes from the resource manager.
			this.#historyAgain = clock.now() + HISTORY_PAUSE;
			this.#warnOnce('history', `The log of the job cannot be read for now: ${messageOf(error)}`);
			return undefined;
		}
	}

	/** One look at the state, told if it has changed. @throws ServiceError, CancelledError when the job is gone */
	async look(): Promise<RunDetails | undefined> {
		const { clock } = this.#parts;
		const details = clock.now() < this.#historyAgain ? undefined : await this.readDetails();
		const historic = details?.status;
		// Run history may lag behind at both ends; ARM's word decides that a job has ended.
		const status = historic === undefined || isTerminal(historic) ? await this.#stateByResource() : historic;
		if (status !== undefined) this.#heard = clock.now();
		if (status !== undefined && status !== this.#status) this.#tell(status);
		// Its kind, its compute and its address are no part of run history's record.
		if (this.#known === undefined && clock.now() >= this.#jobAgain) await this.#findJob();
		return details;
	}

	/** The job at its end, or as it is now. */
	async job(): Promise<Job> {
		const job = await this.#findJob();
		if (job !== undefined && job !== 'silence') return job;
		// Whoever was watched to the end is not to be lost for want of one more answer, or for a moment's 404.
		const known = this.#known ?? (await findJob(this.#parts.workspace, this.#name, this.#parts.signal));
		if (known === undefined) throw lost(this.#name);
		return { ...known, status: this.#status ?? known.status };
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
		const { workspace, signal, clock, pace } = this.#parts;
		this.#jobAgain = clock.now() + HISTORY_PAUSE;
		try {
			pace.count();
			const job = await findJob(workspace, this.#name, signal);
			this.#known = job ?? this.#known;
			return job;
		} catch (error) {
			if (signal.aborted) throw signal.reason;
			if (error instanceof ServiceError && error.status === 429) pace.throttled();
			if (!isPassing(error) || clock.now() - this.#heard > LONGEST_SILENCE) throw error;
			this.#warnOnce('silence', `The state of the job cannot be read for now: ${messageOf(error)}`);
			return 'silence';
		}
	}

	#tell(status: string): void {
		const { clock, log, onState } = this.#parts;
		this.#status = status;
		onState?.(status);
		this.changed = clock.now();
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
	// The token was good when the watch began: one that cannot be renewed for now says nothing of the job.
	if (error instanceof SignInError) return true;
	if (!(error instanceof ServiceError)) return false;
	const { status } = error;
	// Below 400 there was no answer at all, or one that is none of the service's: a page of a gateway, a redirect.
	return status < 400 || status === 408 || status === 429 || status >= 500;
}

function lost(name: string): CancelledError {
	return new CancelledError({
		what: `The job "${name}" is not in the workspace any more.`,
		why: 'The service has no job of that name: it was deleted, or it was accepted and then lost.',
		next: 'Run the workflow again to submit it anew.',
	});
}
