// JSON values: their type, how to look into those from outside without trusting their shape, and how to make bodies.

/** A JSON value. A bigint is an integer beyond 2^53 and is written out in full by `jsonText`. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. A member that is `undefined` is left out when the object is sent. */
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

/** JSON.rawJSON is in node 24, but not yet in TypeScript's library. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** The JSON text of a value, with integers beyond 2^53 written out in full. */
export function jsonText(value: Json): string {
	return JSON.stringify(value, (_key, member: unknown) =>
		typeof member === 'bigint' ? rawJSON(String(member)) : member,
	);
}

/** Makes a JSON object without the members that are `undefined`. */
export function jsonObject(members: Readonly<Record<string, Json | undefined>>): JsonObject {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Applies `change` to each member of a map that may be absent. */
export function mapValues<T, R>(
	map: ReadonlyMap<string, T> | undefined,
	change: (value: T, key: string) => R,
): Record<string, R> {
	return Object.fromEntries([...(map ?? [])].map(([key, value]) => [key, change(value, key)]));
}
