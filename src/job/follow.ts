// Follows a job to its end: its state, its logs, its steps or trials, its metrics, a sign of life in between. Who
// does what is in the files beside this one; cancelling is cancel.ts's, asked for here.
import type { Http } from '../azure/http.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { ChildFailure } from './child-logs.ts';
import { Children, childNoun } from './children.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Job, RunDetails } from './job.ts';
import { LiveMetrics } from './live-metrics.ts';
import { JobLogs } from './logs.ts';
import { Pace } from './pace.ts';
import { sharedLog } from './screen.ts';
import { StateWatch } from './state-watch.ts';

/** A job at its end, or at the moment the wait for it ended. */
export interface FollowedJob {
	/** With its children, where it has some. */
	readonly job: Job;
	/** Why it failed, as run history tells: of a pipeline, why its step did. */
	readonly error: RunDetails['error'];
	/** The step or trial that failed first, where the job failed for that. `what` is `step train failed`. */
	readonly failedChild: (ChildFailure & { readonly what: string }) | undefined;
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
	/** Told of each new state of the job. */
	readonly onState?: ((status: string) => void) | undefined;
	/**
	 * Has a listener told of the headers of every answer of the service (names in lower case), until the function that it
	 * gives is called. Where it is given, following slackens before the subscription runs out of reads, not only after.
	 */
	readonly onAnswer?: ((listener: (headers: Readonly<Record<string, string>>) => void) => () => void) | undefined;
}

/** Between two looks at the log, in milliseconds. */
const LOG_INTERVAL = 1_000;
/** After a change of state, and until a job that runs has a log, the next look comes sooner, for a while. */
const EAGER_INTERVAL = 5_000;
const EAGER = 30_000;

/**
 * Between two looks at the state, in milliseconds, by the age of the watch. An hour of it stays below 360 requests, the
 * first hour included, with room for what else is asked; the jitter keeps the jobs of a matrix apart.
 */
export function stateInterval(age: number, random: number, hasChildren = false): number {
	// Where there are children, their list takes half of the requests.
	const steady = hasChildren ? 32_000 : 16_000;
	const base = age < 30_000 ? 2_000 : age < 120_000 ? 4_000 : steady;
	return base * (0.9 + random * 0.2);
}

/** Follows the job until its state is terminal or the time is over. */
export async function followJob(name: string, parts: FollowParts): Promise<FollowedJob> {
	const pace = new Pace(parts.clock);
	const unlisten = parts.onAnswer?.((headers) => pace.heard(headers));
	try {
		return await new Watch(name, { ...parts, pace }).run();
	} finally {
		unlisten?.();
	}
}

/** All that watches one job. */
class Watch {
	readonly #parts: FollowParts & { readonly pace: Pace };
	readonly #started: number;
	readonly #state: StateWatch;
	readonly #logs: JobLogs;
	readonly #heartbeat: Heartbeat;
	#metrics: LiveMetrics;
	#children: Children | undefined;

	constructor(name: string, parts: FollowParts & { readonly pace: Pace }) {
		const shared = { ...parts, log: sharedLog(parts.log, parts.signal) };
		this.#parts = shared;
		this.#started = parts.clock.now();
		this.#state = new StateWatch(name, shared);
		const refresh = async (): Promise<ReadonlyMap<string, string>> =>
			(await this.#state.readDetails())?.logFiles ?? new Map();
		this.#logs = new JobLogs({ ...shared, refresh });
		this.#heartbeat = new Heartbeat(shared);
		this.#metrics = new LiveMetrics(name, shared);
	}

	async run(): Promise<FollowedJob> {
		const { signal, clock } = this.#parts;
		const inner = new AbortController();
		const until = AbortSignal.any([signal, inner.signal]);
		const reading = this.#readLogs(until);
		const watching = this.#watchState(until);
		let end: FollowedJob['end'];
		try {
			// The log is read until the state says stop; should reading fail, watching must not go on unheard.
			end = await Promise.race([watching, reading]);
		} catch (error) {
			inner.abort();
			await Promise.allSettled([watching, reading]);
			this.#stop();
			throw signal.aborted ? signal.reason : error;
		}
		inner.abort();
		await reading.catch(() => {});
		const failed = this.#state.status === 'Failed';
		if (end === 'ended') {
			this.#findChildren();
			await this.#logs.drain(failed && this.#children === undefined);
			await this.#children?.finish(failed);
		} else this.#stop();
		return this.#followed(await this.#state.job(), end, clock.now() - this.#started);
	}

	async #watchState(until: AbortSignal): Promise<FollowedJob['end']> {
		const { clock, timeout } = this.#parts;
		const over = timeout === undefined ? Number.POSITIVE_INFINITY : this.#started + timeout;
		for (let next = 0; ; ) {
			if (clock.now() >= next || clock.now() >= over) {
				const details = await this.#state.look();
				if (details !== undefined) this.#logs.update(details.logFiles);
				if (this.#state.ended) return 'ended';
				if (clock.now() >= over) return 'timeout';
				next = clock.now() + this.#pause();
			}
			await this.#lookAround();
			const soonest = Math.min(next, over, this.#children?.due ?? next);
			await clock.sleep(Math.max(0, soonest - clock.now()), until);
		}
	}

	/** What is looked at beside the state, each at its own intervals. */
	async #lookAround(): Promise<void> {
		this.#findChildren();
		await this.#children?.look();
		await this.#lookAtMetrics();
		await this.#heartbeat.beat({
			status: this.#state.status,
			job: this.#state.known,
			lastShown: Math.max(this.#logs.lastShown, this.#children?.lastShown ?? 0),
			buildsImage: this.#logs.buildsImage,
			progress: this.#children?.progress,
		});
	}

	/** What steps and trials log is theirs; their parent has next to nothing of its own. */
	async #lookAtMetrics(): Promise<void> {
		const live = this.#children?.live;
		if (live !== undefined && live.id !== this.#metrics.run)
			this.#metrics = new LiveMetrics(live.id, { ...this.#parts, owner: live.name });
		const isAlone = this.#children === undefined && this.#state.status === 'Running';
		if (isAlone || live !== undefined) await this.#metrics.look();
	}

	/** Whether a job has steps or trials is known once its resource has been read. */
	#findChildren(): void {
		const job = this.#state.known;
		const noun = childNoun(job?.type ?? '');
		if (job !== undefined && noun !== undefined) this.#children ??= new Children(job, noun, this.#parts);
	}

	#pause(): number {
		const { clock, pace } = this.#parts;
		const now = clock.now();
		const children = this.#children;
		const usual = stateInterval(now - this.#started, clock.random(), children !== undefined) * pace.slowness;
		const blind = children === undefined && this.#state.status === 'Running' && !this.#logs.hasLive;
		const changed = Math.max(this.#state.changed, children?.changed ?? 0);
		const eager = (blind || children?.ended === true) && now - changed < EAGER;
		return eager && usual > EAGER_INTERVAL && pace.spare() ? EAGER_INTERVAL : usual;
	}

	async #readLogs(until: AbortSignal): Promise<never> {
		for (;;) {
			await this.#logs.look();
			await this.#children?.showLogs();
			await this.#parts.clock.sleep(LOG_INTERVAL, until);
		}
	}

	#stop(): void {
		this.#children?.end();
		this.#logs.end();
	}

	#followed(job: Job, end: FollowedJob['end'], watched: number): FollowedJob {
		const children = this.#children;
		const failure = job.status === 'Failed' ? children?.failure : undefined;
		const what = failure === undefined ? '' : `${childNoun(job.type) ?? 'run'} ${failure.run.name} failed`;
		const { error } = this.#state;
		return {
			job: children === undefined ? job : { ...job, children: children.runs },
			end,
			watched,
			failedChild: failure === undefined ? undefined : { ...failure, what },
			error: failure?.message === undefined ? error : { code: error?.code, message: failure.message },
			lastLines: failure !== undefined && failure.lastLines.length > 0 ? failure.lastLines : this.#logs.lastLines,
		};
	}
}
