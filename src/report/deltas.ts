// How far a metric is from that of another job, in words. Nothing here knows whether more is better.
import type { Metrics } from '../job/metrics.ts';

/** The job that metrics are compared with. */
export interface ComparedJob {
	/** Name of the branch that it was trained on. */
	readonly branch: string;
	/** Name of the job. */
	readonly job: string;
	readonly metrics: Metrics;
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

/** The change of one metric, to stand behind its value: `+0.012 vs main`. */
export function changeOf(name: string, value: number, base: ComparedJob | undefined): string | undefined {
	const before = base !== undefined && Object.hasOwn(base.metrics, name) ? base.metrics[name] : undefined;
	const delta = deltaText(value, before);
	return delta === undefined || base === undefined ? undefined : `${delta} vs ${base.branch}`;
}
