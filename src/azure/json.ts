// JSON that came from outside: its type, and how to look into it without trusting its shape.

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
	readonly [key: string]: Json | undefined;
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at this path of keys (or list positions), or undefined where the path leaves the value. */
export function at(value: unknown, ...path: readonly (string | number)[]): Json | undefined {
	let here: unknown = value;
	for (const key of path) {
		if (typeof key === 'number') here = Array.isArray(here) ? here[key] : undefined;
		else here = isObject(here) && Object.hasOwn(here, key) ? here[key] : undefined;
	}
	return here as Json | undefined;
}

/** The text at this path; undefined where there is none or something else. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
	const found = at(value, ...path);
	return typeof found === 'string' ? found : undefined;
}

/** The number at this path; text that is a number (as protobuf's JSON has 64-bit numbers, NaN and Infinity) counts. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
	const found = at(value, ...path);
	if (typeof found === 'number') return found;
	if (typeof found !== 'string') return undefined;
	if (found === 'NaN') return Number.NaN;
	const parsed = Number(found);
	return found.trim() === '' || Number.isNaN(parsed) ? undefined : parsed;
}

/** The items of the list at this path; an empty list where there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly Json[] {
	const found = at(value, ...path);
	return Array.isArray(found) ? found : [];
}

/** The object at this path; an empty one where there is none. */
export function objectAt(value: unknown, ...path: readonly (string | number)[]): JsonObject {
	const found = at(value, ...path);
	return isObject(found) ? found : {};
}

/** The value of a JSON text, or undefined where the text is none. */
export function parseJson(text: string): Json | undefined {
	try {
		return JSON.parse(text) as Json;
	} catch {
		return undefined;
	}
}
