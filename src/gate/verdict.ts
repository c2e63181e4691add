// Judges gates: pure. Where the values come from is metric-source.ts's and champion.ts's.
import type { Comparison, Gate } from './grammar.ts';

/** How one gate was judged. */
export interface Verdict {
	/** The gate as its author wrote it. */
	readonly gate: string;
	readonly metric: string;
	/** The job's value; undefined where it has none. */
	readonly value: number | undefined;
	/** What was needed, in words: `>= 0.9`, `>= 0.961 (champion iris:3 has 0.966)`. */
	readonly needed: string;
	readonly passed: boolean;
	/** What a reader must know beside the numbers, in a sentence. */
	readonly why?: string | undefined;
}

/** The champion's side of a gate: its value, or that there is no champion yet, or why it has no value. */
export type ChampionValue =
	| { readonly label: string; readonly value: number }
	| { readonly none: string }
	| { readonly label: string; readonly missing: string };

const COMPARE: Readonly<Record<Comparison, (value: number, limit: number) => boolean>> = {
	'>=': (value, limit) => value >= limit,
	'>': (value, limit) => value > limit,
	'<=': (value, limit) => value <= limit,
	'<': (value, limit) => value < limit,
	'==': (value, limit) => value === limit,
	'!=': (value, limit) => value !== limit,
};

/**
 * Judges one gate. A value that is missing or no finite number never passes.
 * @param missing what there is instead, in a sentence, where the job has no such metric
 * @param champion needed where the gate compares with one
 */
export function judge(
	{ written, metric, comparison, threshold }: Gate,
	value: number | undefined,
	missing: string | undefined,
	champion: ChampionValue | undefined,
): Verdict {
	const limit = limitOf(threshold, champion);
	const verdict = { gate: written, metric, value, needed: `${comparison} ${limit.text}` };
	if (value === undefined) return { ...verdict, passed: false, why: missing };
	if (!Number.isFinite(value))
		return { ...verdict, passed: false, why: `The metric is ${value}, which no gate passes.` };
	if (limit.value === undefined) return { ...verdict, passed: limit.passes, why: limit.why };
	return { ...verdict, passed: COMPARE[comparison](value, limit.value) };
}

interface Limit {
	readonly text: string;
	readonly value: number | undefined;
	/** Whether any value passes; only where there is no `value`. */
	readonly passes: boolean;
	readonly why?: string | undefined;
}

function limitOf(threshold: Gate['threshold'], champion: ChampionValue | undefined): Limit {
	if (threshold.kind === 'number') return { text: String(threshold.value), value: threshold.value, passes: false };
	const { tolerance } = threshold;
	const written = tolerance === 0 ? 'champion' : `champion ${tolerance < 0 ? '-' : '+'} ${Math.abs(tolerance)}`;
	if (champion === undefined || 'none' in champion)
		return { text: written, value: undefined, passes: champion !== undefined, why: champion?.none };
	if ('missing' in champion) return { text: written, value: undefined, passes: false, why: champion.missing };
	// 0.3 - 0.1 must not be less than 0.2 by the last bit.
	const value = tolerance === 0 ? champion.value : Number((champion.value + tolerance).toPrecision(15));
	return { text: `${value} (champion ${champion.label} has ${champion.value})`, value, passes: false };
}

/** A failed gate in words: `accuracy is 0.85, needed >= 0.9.` */
export function failureText({ metric, value, needed, why }: Verdict): string {
	const has = value === undefined ? 'is missing' : `is ${value}`;
	return `${metric} ${has}, needed ${needed}.${why === undefined ? '' : ` ${why}`}`;
}
