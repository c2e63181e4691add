// Outputs that GitHub takes: a value too large for it is cut, and said to be.
import { isObject, parseJson } from '../json.ts';
import type { OutputName } from './outputs.ts';

/** Values by the names of outputs. */
export type OutputValues = Partial<Record<OutputName, string>>;

/** Outputs that fit, and a sentence on each that had to be cut. */
export interface FittedOutputs {
	readonly values: OutputValues;
	readonly cuts: readonly string[];
}

/**
 * GitHub takes 1 MB of outputs of a job, counted in UTF-16, and drops what is beyond. All outputs at their longest stay
 * below that, in UTF-16 units: one with the metrics, and fifteen others, which are names, ids and addresses.
 */
const LONGEST_METRICS = 400_000;
const LONGEST = 8_000;

/** Cuts what is too long. Metrics stay JSON: the last ones, by their order in the report, are left out. */
export function fitOutputs(outputs: OutputValues): FittedOutputs {
	const values: Partial<Record<string, string>> = {};
	const cuts: string[] = [];
	for (const [name, value] of Object.entries(outputs)) {
		const { text, cut } = name === 'metrics' ? fitMetrics(value) : fitText(name, value);
		values[name] = text;
		if (cut !== undefined) cuts.push(cut);
	}
	return { values, cuts };
}

function fitText(name: string, value: string): { text: string; cut?: string } {
	if (value.length <= LONGEST) return { text: value };
	const text = wholeCharacters(value.slice(0, LONGEST));
	return {
		text,
		cut: `The output \`${name}\` is cut: it has ${value.length} characters, of which ${text.length} are kept.`,
	};
}

function fitMetrics(value: string): { text: string; cut?: string } {
	if (value.length <= LONGEST_METRICS) return { text: value };
	const metrics = parseJson(value);
	const all = isObject(metrics) ? Object.entries(metrics) : [];
	const kept: string[] = [];
	let room = LONGEST_METRICS - '{}'.length;
	for (const [name, metric] of all) {
		const member = `${JSON.stringify(name)}:${JSON.stringify(metric)}`;
		room -= member.length + ','.length;
		if (room < 0) break;
		kept.push(member);
	}
	const cut = `The output \`metrics\` is cut: ${kept.length} of ${all.length} metrics are in it, because GitHub takes 1 MB of outputs of a job.`;
	return { text: `{${kept.join(',')}}`, cut };
}

/** A pair of units that make one character goes as a whole. */
function wholeCharacters(text: string): string {
	const last = text.charCodeAt(text.length - 1);
	return last >= 0xd800 && last < 0xdc00 ? text.slice(0, -1) : text;
}
