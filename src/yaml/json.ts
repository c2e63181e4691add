// JSON values as request bodies hold them, and how Python would print them. No YAML and no Azure here.

/** A JSON value. A bigint is an integer beyond 2^53 and is written out in full by `jsonText`. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. A member that is `undefined` is left out when the object is sent. */
export interface JsonObject {
	readonly [key: string]: Json | undefined;
}

/** Makes a JSON object without the members that are `undefined`. */
export function jsonObject(members: Readonly<Record<string, Json | undefined>>): JsonObject {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Whether a JSON value is an object (and not an array or null). */
export function isJsonObject(value: Json | undefined): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Applies `change` to each member of a map that may be absent. */
export function mapValues<T, R>(
	map: ReadonlyMap<string, T> | undefined,
	change: (value: T, key: string) => R,
): Record<string, R> {
	return Object.fromEntries([...(map ?? [])].map(([key, value]) => [key, change(value, key)]));
}
