// How far a metric is from that of another job, in words. Nothing here knows whether more is better.
import type { MetricPoint, Metrics } from '../job/metrics.ts';

/** What metrics are compared with. */
export interface Compared {
	/** `main`, `iris:3`. */
	readonly label: string;
	readonly metrics: Metrics;
}

/** The last job of the base branch, to compare with. */
export interface ComparedJob extends Compared {
	/** Name of the job. */
	readonly job: string;
	/** Of the metrics that get a chart, everything logged. */
	readonly history?: ReadonlyMap<string, readonly MetricPoint[]>;
}

/** Differences of less than this share of the larger value come from the arithmetic. */
const NOISE = 1e-12;

/**
 * `+0.012`, `-3`, `±0`: the change from the one to the other, in three significant digits. Undefined where there is nothing to
 * compare with: no such value, or one that is no finite number.
 */
export function deltaText(value: number, base: number | undefined): string | undefined {
	if (base === undefined || !Number.isFinite(value) || !Number.isFinite(base)) return undefined;
	const change = value - base;
	if (Math.abs(change) <= NOISE * Math.max(Math.abs(value), Math.abs(base))) return '±0';
	const shown = Number.isInteger(change) ? String(change) : String(Number(change.toPrecision(3)));
	return change > 0 ? `+${shown}` : shown;
}

/** The changes of one metric, to stand behind its value: `+0.012 vs main, -0.003 vs iris:3`; empty where there are none. */
export function changesOf(name: string, value: number, all: readonly (Compared | undefined)[]): string {
	const changes = all.flatMap((one) => {
		const before = one !== undefined && Object.hasOwn(one.metrics, name) ? one.metrics[name] : undefined;
		const delta = deltaText(value, before);
		return delta === undefined || one === undefined ? [] : [`${delta} vs ${one.label}`];
	});
	return changes.join(', ');
}
