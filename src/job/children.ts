// The runs below a job while it runs: one list at each look, whose changes are told. Their logs are child-logs.ts's.
import { duration } from '../duration.ts';
import { messageOf, ServiceError } from '../errors.ts';
import { type ChildFailure, type ChildLogParts, ChildLogs } from './child-logs.ts';
import { type ChildRun, listChildRuns } from './child-runs.ts';
import { isTerminal, type Job } from './job.ts';

/** Between two looks, in milliseconds, for each page that the list has, and at the most. */
const INTERVAL = 32_000;
const FIRST_INTERVAL = 8_000;
const LONGEST_INTERVAL = 5 * 60_000;
/** The first looks come sooner. */
const EARLY_LOOKS = 6;
/** More changes than this at once are counted instead of told one by one. */
const MOST_TOLD = 10;
/** Of those that failed at once, so many are told one by one. */
const MOST_FAILURES_TOLD = 5;
/** A job may end a moment before its last run is known to have. */
const LAST_LOOKS = 4;
const LAST_INTERVAL = 2_000;
const DEEPEST = 3;

/** What a run below a job of this type is called; undefined where such a job has none. */
export function childNoun(type: string): string | undefined {
	if (type === 'Pipeline') return 'step';
	if (type === 'Sweep' || type === 'AutoML') return 'trial';
	return undefined;
}

/** The runs below one job. */
export class Children {
	readonly #job: string;
	readonly #noun: string;
	/** Names of steps that have steps or trials themselves, as the pipeline's file says. */
	readonly #parents: ReadonlySet<string>;
	readonly #parts: ChildLogParts;
	readonly #logs: ChildLogs;
	#runs: readonly ChildRun[] = [];
	/** What was last told of each run, by id. */
	readonly #told = new Map<string, string>();
	/** The lists of runs that are parents themselves, and have ended. */
	readonly #settled = new Map<string, readonly ChildRun[]>();
	#looks = 0;
	#next = 0;
	#changed = 0;
	#warned = false;

	/** @param noun what a run below the job is called: see `childNoun` */
	constructor(job: Job, noun: string, parts: ChildLogParts) {
		this.#job = job.name;
		this.#noun = noun;
		const parents = (job.steps ?? []).filter(({ type }) => /^(pipeline|sweep|automl)$/i.test(type ?? ''));
		this.#parents = new Set(parents.map(({ name }) => name));
		this.#parts = parts;
		this.#logs = new ChildLogs(noun, parts);
	}

	/** All runs as they were last listed. */
	get runs(): readonly ChildRun[] {
		return this.#runs;
	}

	/** The run that failed first. */
	get failure(): ChildFailure | undefined {
		const [first] = [...this.#logs.failures].sort((a, b) => (a.run.endedAt ?? 0) - (b.run.endedAt ?? 0));
		const failed = this.#runs.find(({ status }) => status === 'Failed');
		return first ?? (failed && { run: failed, message: failed.error, lastLines: [] });
	}

	/** When the next look is due, in milliseconds since the epoch. */
	get due(): number {
		return this.#next;
	}

	/** When the list last said something new, in milliseconds since the epoch. */
	get changed(): number {
		return this.#changed;
	}

	/** Whether there are runs, and all of them have ended. */
	get ended(): boolean {
		return this.#runs.length > 0 && this.#runs.every(({ status }) => isTerminal(status));
	}

	/** The run that is followed live, as long as it runs. */
	get live(): ChildRun | undefined {
		const { live } = this.#logs;
		return live?.status === 'Running' ? live : undefined;
	}

	/** When a line of a run was last shown, in milliseconds since the epoch. */
	get lastShown(): number {
		return this.#logs.lastShown;
	}

	/** How far the job is, as a sign of life says it; undefined while there is nothing to say. */
	get progress(): string | undefined {
		const leaves = this.#runs.filter(({ isParent }) => !isParent);
		if (leaves.length === 0) return undefined;
		const running = leaves.filter(({ status }) => status === 'Running').map(({ name }) => name);
		const which = running.length > 0 && running.length <= 3 ? `: ${running.join(', ')}` : '';
		const ended = leaves.filter(({ status }) => isTerminal(status)).length;
		const waiting = leaves.length - ended - running.length;
		const rest = waiting > 0 ? `, ${waiting} waiting` : '';
		return `${ended} of ${leaves.length} ${this.#noun}s done, ${running.length} running${which}${rest}`;
	}

	/** Lists the runs, when it is time, and tells what has changed. */
	async look(): Promise<void> {
		const { clock, signal, log, pace } = this.#parts;
		if (clock.now() < this.#next) return;
		const before = pace.left;
		try {
			await this.#list();
		} catch (error) {
			signal.throwIfAborted();
			if (error instanceof ServiceError && error.status === 429) pace.throttled();
			if (!this.#warned) log.warning(`The ${this.#noun}s of the job cannot be listed for now: ${messageOf(error)}`);
			this.#warned = true;
		}
		const pages = Math.max(1, before - pace.left);
		const interval = this.#looks++ < EARLY_LOOKS ? FIRST_INTERVAL : INTERVAL;
		const jitter = 0.9 + clock.random() * 0.2;
		this.#next = clock.now() + Math.min(LONGEST_INTERVAL, interval * pages) * jitter * pace.slowness;
	}

	/** Shows logs: to be called every second or so, not at the same time as itself. */
	async showLogs(): Promise<void> {
		await this.#logs.look();
	}

	/** After the job's end: the last list, and every log that is left. `failed` waits for the run that has. */
	async finish(failed: boolean): Promise<void> {
		const { clock, signal } = this.#parts;
		for (let look = 0; look < LAST_LOOKS; look += 1) {
			this.#next = 0;
			await this.look();
			const open = this.#runs.some(({ status }) => !isTerminal(status));
			const blamed = !failed || this.#runs.some(({ status }) => status === 'Failed');
			if (!open && blamed) break;
			await clock.sleep(LAST_INTERVAL, signal);
		}
		await this.#logs.finish();
	}

	/** Shows what is unfinished, where the watch ends before the job. */
	end(): void {
		this.#logs.end();
	}

	async #list(): Promise<void> {
		const runs = await this.#below(this.#job, '', 1);
		this.#runs = runs;
		const changed = runs.filter((run) => this.#told.get(run.id) !== run.status);
		if (changed.length > 0) this.#changed = this.#parts.clock.now();
		this.#tell(changed);
		for (const { id, status } of changed) this.#told.set(id, status);
		const leaves = runs.filter(({ isParent }) => !isParent);
		this.#logs.update(
			changed.filter(({ status, isParent }) => isTerminal(status) && !isParent),
			leaves.filter(({ status }) => status === 'Running'),
		);
	}

	/** The runs below one, each followed by those below itself, whose names begin with its own. */
	async #below(parent: string, prefix: string, depth: number): Promise<readonly ChildRun[]> {
		const { workspace, signal, pace } = this.#parts;
		const listed = await listChildRuns(workspace, parent, { onRequest: () => pace.count(), signal });
		const all: ChildRun[] = [];
		for (const one of listed) {
			const name = prefix === '' ? one.name : `${prefix} / ${one.name}`;
			const seems = (one.isParent || this.#isParent(one, depth)) && one.reusedFrom === undefined && depth < DEEPEST;
			const below = seems ? await this.#belowChild({ ...one, name, isParent: true }, depth) : [];
			// What has ended without a run below it was none after all, and has a log of its own.
			const isParent = seems && (below.length > 0 || !isTerminal(one.status));
			all.push({ ...one, name, isParent }, ...below);
		}
		return all;
	}

	/** Whether a step is one that the pipeline's own file has as a parent. */
	#isParent({ name, moduleName = name }: ChildRun, depth: number): boolean {
		return depth === 1 && (this.#parents.has(name) || this.#parents.has(moduleName));
	}

	async #belowChild(run: ChildRun, depth: number): Promise<readonly ChildRun[]> {
		const known = this.#settled.get(run.id);
		const waits = run.startedAt === undefined && !isTerminal(run.status);
		if (known !== undefined || waits) return known ?? [];
		if (!this.#parts.pace.spare()) return this.#runs.filter(({ name }) => name.startsWith(`${run.name} / `));
		const below = await this.#below(run.id, run.name, depth + 1);
		if (isTerminal(run.status) && below.every(({ status }) => isTerminal(status))) this.#settled.set(run.id, below);
		return below;
	}

	#tell(changed: readonly ChildRun[]): void {
		const { log } = this.#parts;
		// That a run exists and waits is no news.
		const news = changed.filter(({ status }) => status === 'Running' || isTerminal(status));
		if (news.length <= MOST_TOLD) {
			for (const run of news) log.info(`  ${this.#noun} ${this.#newsOf(run)}`);
			return;
		}
		const failed = news.filter(({ status }) => status === 'Failed');
		for (const run of failed.slice(0, MOST_FAILURES_TOLD)) log.info(`  ${this.#noun} ${this.#newsOf(run)}`);
		const counts = new Map<string, number>();
		for (const { status } of this.#runs) counts.set(status, (counts.get(status) ?? 0) + 1);
		log.info(`  ${this.#noun}s: ${[...counts].map(([status, count]) => `${count} ${status}`).join(' · ')}`);
	}

	#newsOf({ name, status, reusedFrom, startedAt, endedAt, error }: ChildRun): string {
		if (reusedFrom !== undefined) return `${name}: reused from run ${reusedFrom}`;
		const took = startedAt === undefined || endedAt === undefined ? '' : ` (${duration(endedAt - startedAt)})`;
		const why = status === 'Failed' && error !== undefined ? `: ${error.split('\n')[0]}` : '';
		return `${name}: ${status}${isTerminal(status) ? took : ''}${why}`;
	}
}
