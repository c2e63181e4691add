// The grammar of `metric-gates`: one condition a line. What the metrics are, and whether they pass, is said elsewhere.

const COMPARISONS = ['>=', '>', '<=', '<', '==', '!='] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** What a metric is compared with: a number, or the champion's value of the same metric with `tolerance` added to it. */
export type Threshold =
	| { readonly kind: 'number'; readonly value: number }
	| { readonly kind: 'champion'; readonly tolerance: number };

/** One condition. */
export interface Gate {
	/** The line as its author wrote it. */
	readonly written: string;
	/** Name of the metric; of a pipeline's step it is `step/metric`. Quotes are taken off. */
	readonly metric: string;
	readonly comparison: Comparison;
	readonly threshold: Threshold;
}

/** Quoted pieces and bare ones make one name, so that `"train model"/accuracy` is one as well. */
const LINE = /^(?<name>(?:"[^"]*"|'[^']*'|[^\s"'<>=!≥≤])+)\s*(?<comparison>[<>=!≥≤]+)\s*(?<threshold>.*)$/;
const NUMBER = String.raw`(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
const PLAIN = new RegExp(`^[+-]?${NUMBER}$`);
const CHAMPION = new RegExp(String.raw`^champion(?:\s*(?<sign>[+-])\s*(?<tolerance>${NUMBER}))?$`);
const MEANT: Readonly<Record<string, Comparison>> = {
	'=': '==',
	'===': '==',
	'=>': '>=',
	'≥': '>=',
	'=<': '<=',
	'≤': '<=',
	'<>': '!=',
	'!': '!=',
};

/** Reads one line. @returns the gate, or what is wrong with the line as a sentence */
export function parseGate(line: string): { readonly gate: Gate } | { readonly fault: string } {
	const { name, comparison, threshold } = LINE.exec(line)?.groups ?? {};
	if (name === undefined || comparison === undefined || threshold === undefined) return { fault: unreadable(line) };
	const metric = name.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? '');
	if (metric.trim() === '') return { fault: `"${line}" names no metric.` };
	const known = COMPARISONS.find((one) => one === comparison);
	if (known === undefined) {
		const meant = MEANT[comparison];
		const hint = meant === undefined ? `one of ${COMPARISONS.join(' ')}` : `\`${meant}\``;
		return { fault: `"${line}" compares by \`${comparison}\`; write ${hint}.` };
	}
	const read = parseThreshold(threshold.trim());
	if (typeof read === 'string') return { fault: `"${line}" ${read}` };
	return { gate: { written: line, metric, comparison: known, threshold: read } };
}

function parseThreshold(text: string): Threshold | string {
	if (PLAIN.test(text) && Number.isFinite(Number(text))) return { kind: 'number', value: Number(text) };
	const champion = CHAMPION.exec(text);
	const { sign, tolerance = '0' } = champion?.groups ?? {};
	if (champion !== null && Number.isFinite(Number(tolerance)))
		return { kind: 'champion', tolerance: Number(tolerance) * (sign === '-' ? -1 : 1) };
	if (text === '') return 'says nothing to compare with; give a number or `champion`.';
	if (/^champion\b/.test(text))
		return 'compares with a champion in a way that is not known; write `champion`, `champion - 0.005` or `champion + 0.005`.';
	if (/^[\d.]+\s*%$/.test(text)) return `compares with a percentage; write the number itself, as the metric is logged.`;
	return `compares with "${text}", which is neither a number nor \`champion\`.`;
}

function unreadable(line: string): string {
	const words = line.slice(0, Math.max(0, line.search(/[<>=!]/))).trim();
	return /\s/.test(words) && !/["']/.test(words)
		? `"${line}" has a metric with spaces in its name; put it into quotes: \`"${words}"\`.`
		: `"${line}" is not a gate; expected e.g. \`accuracy >= 0.9\`, \`auc >= champion - 0.005\` or \`train/rmse < 3.2\`.`;
}
