// The values of a trial as texts: in its command, and in the tags of the sweep.

import type { JobInput } from '../../execution.ts';
import type { Value, Values } from './search-space.ts';

const EXPRESSION = /\$\{\{\s*search_space\.([A-Za-z0-9_.-]+)\s*\}\}/g;

/**
 * Fills `${{search_space.x}}` in a command. A nested choice is written as JSON, and `${{search_space.x.y}}` gives one
 * member of it; how the service writes those is not confirmed. Names that are unknown stay, for the job to fail at.
 */
export function fillSearchSpace(command: string, values: Values): string {
	return command.replace(EXPRESSION, (whole, path: string) => {
		const value = path
			.split('.')
			.reduce<Value | undefined>((inner, name) => (typeof inner === 'object' ? inner[name] : undefined), values);
		return value === undefined ? whole : textOfValue(value);
	});
}

/** Writes a value as a command or a component's input gets it. */
export function textOfValue(value: Value): string {
	return typeof value === 'object' ? valuesAsTag(value) : String(value);
}

/** Writes the values of a trial as the tags of a sweep hold them: JSON with sorted names, spaced as Python spaces it. */
export function valuesAsTag(values: Values): string {
	const members = Object.keys(values)
		.sort()
		.map((name) => {
			const value = values[name] ?? 0;
			return `${JSON.stringify(name)}: ${typeof value === 'object' ? valuesAsTag(value) : JSON.stringify(value)}`;
		});
	return `{${members.join(', ')}}`;
}

/** Gives the values of a trial as inputs of the component that a sweep node runs. */
export function valuesAsInputs(values: Values): Record<string, JobInput> {
	const entries = Object.entries(values).map(([name, value]): [string, JobInput] => [
		name,
		{ jobInputType: 'literal', value: textOfValue(value) },
	]);
	return Object.fromEntries(entries);
}
