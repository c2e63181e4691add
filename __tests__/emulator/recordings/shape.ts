// Compares two answers by their shape: which properties there are, and of which type.

import type { Json } from '../client.ts';

/** Objects whose names are the author's: tags, inputs, the nodes of a pipeline, … */
const MAPS =
	/(^|\.)(tags|properties|inputs|outputs|jobs|services|environmentVariables|search_?[sS]pace|inputBindings|outputBindings|traffic|logFiles|values|flavors|conda\w*|statistics|settings|parameters|arguments|labels|keys)$/;

/** One way in which an answer differs, e.g. `properties.codeUri: missing`. */
export type Difference = string;

/** Tells how `actual` differs from `recorded`. A null has any type: it stands for an absent value. */
export function differencesOf(recorded: unknown, actual: unknown, path = ''): Difference[] {
	if (recorded === null || actual === null) return [];
	const [wanted, got] = [typeOf(recorded), typeOf(actual)];
	if (wanted !== got) return [`${path || '(body)'}: ${got} for ${wanted}`];
	if (Array.isArray(recorded) && Array.isArray(actual)) {
		const [first, second] = [recorded[0], actual[0]];
		return first === undefined || second === undefined ? [] : differencesOf(first, second, `${path}[]`);
	}
	if (wanted !== 'object') return [];
	return compareObjects(recorded as Json, actual as Json, path);
}

function compareObjects(recorded: Json, actual: Json, path: string): Difference[] {
	const isMap = MAPS.test(path) && path !== 'properties';
	const below = (name: string) => (path === '' ? name : `${path}.${name}`);
	const missing = Object.keys(recorded).filter((name) => recorded[name] !== null && !(name in actual));
	const extra = Object.keys(actual).filter((name) => actual[name] !== null && !(name in recorded));
	const both = Object.keys(recorded).filter((name) => name in actual);
	return [
		...(isMap ? [] : missing.map((name) => `${below(name)}: missing`)),
		...(isMap ? [] : extra.map((name) => `${below(name)}: not recorded`)),
		...both.flatMap((name) => differencesOf(recorded[name], actual[name], isMap ? `${path}.*` : below(name))),
	];
}

function typeOf(value: unknown): string {
	return Array.isArray(value) ? 'array' : typeof value;
}
