// The last values of a job's metrics while it runs, in one line every minute or so. Reading all of them is metrics.ts's.
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type LoggedMetric, readLoggedMetrics } from './metrics.ts';
import type { Pace } from './pace.ts';

/** Between two looks, in milliseconds. */
const INTERVAL = 75_000;
/** A job that logs nothing, or whose metrics may not be read, is asked more and more seldom. */
const LONGEST_INTERVAL = 20 * 60_000;
/** So many metrics make a line. */
const MOST_SHOWN = 6;

export interface LiveMetricsParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly pace: Pace;
	/** Whose metrics these are, where that is not plain: the name of a step. */
	readonly owner?: string | undefined;
}

/** Shows how a job's metrics move. */
export class LiveMetrics {
	readonly #job: string;
	readonly #parts: LiveMetricsParts;
	#next: number;
	#interval = INTERVAL;
	#shown = '';

	constructor(job: string, parts: LiveMetricsParts) {
		this.#job = job;
		this.#parts = parts;
		this.#next = parts.clock.now() + INTERVAL / 2;
	}

	/** The run whose metrics are read. */
	get run(): string {
		return this.#job;
	}

	/** Reads and shows the metrics of a job that runs, when it is time and the hour has room for it. */
	async look(): Promise<void> {
		const { workspace, log, clock, signal, pace, owner } = this.#parts;
		if (clock.now() < this.#next || !pace.spare()) return;
		try {
			const line = metricLine(await readLoggedMetrics(workspace, this.#job, { signal, retry: false }));
			this.#interval = line === this.#shown ? Math.min(LONGEST_INTERVAL, this.#interval * 1.5) : INTERVAL;
			if (line !== this.#shown && line !== '') log.info(`  ${owner === undefined ? '' : `${owner}: `}${line}`);
			this.#shown = line;
		} catch (error) {
			signal.throwIfAborted();
			// Live metrics are a courtesy: the end of the job reads them again and says what is wrong. A run may be unknown
			// to the tracking interface until it logs something, so that a refusal is not for ever.
			this.#interval = Math.min(LONGEST_INTERVAL, this.#interval * 2);
			if (error instanceof ServiceError && error.status === 429) pace.throttled();
		}
		this.#next = clock.now() + this.#interval * (0.9 + clock.random() * 0.2) * pace.slowness;
	}
}

/** `epoch 12 · accuracy 0.94 · loss 0.231`; empty where there is nothing to show. */
export function metricLine(metrics: readonly LoggedMetric[]): string {
	// What the machine does is not what the training does.
	const own = metrics.filter(({ key }) => !key.startsWith('system/'));
	const epoch = own.find(({ key }) => key.toLowerCase() === 'epoch');
	const values = own.filter((metric) => metric !== epoch);
	if (values.length === 0) return '';
	const step = Math.max(...values.map((metric) => metric.step));
	const when = epoch !== undefined ? [`epoch ${numberText(epoch.value)}`] : step > 0 ? [`step ${step}`] : [];
	const shown = values.slice(0, MOST_SHOWN).map(({ key, value }) => `${key} ${numberText(value)}`);
	const more = values.length > MOST_SHOWN ? [`and ${values.length - MOST_SHOWN} more`] : [];
	return [...when, ...shown, ...more].join(' · ');
}

function numberText(value: number): string {
	return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}
