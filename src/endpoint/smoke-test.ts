// Whether the answer of a deployment contains what the user expects. Pure; sending the request is invoke.ts.
import { isObject, type Json, jsonText, parseJson } from '../json.ts';

/** Numbers count as equal within this share of the larger one: serialisation must not fail a test. */
const TOLERANCE = 1e-9;
const LONGEST_SHOWN = 200;

/**
 * Looks for `expected` in `answer`: an object must have at least the expected keys, a list the same length, numbers and
 * texts must be equal. An answer that is a text which itself holds JSON (scoring scripts often return it so) is read
 * first. Gives undefined where everything is there, else the first difference with its path:
 * `predictions[0]: expected "setosa", got "virginica"`.
 */
export function containsJson(answer: Json, expected: Json): string | undefined {
	const plain = difference(answer, expected, '');
	if (plain === undefined || typeof answer !== 'string' || typeof expected === 'string') return plain;
	const inner = parseJson(answer);
	return inner === undefined ? plain : difference(inner, expected, '');
}

/** The same for the text of an answer; a text that is not JSON is taken as it stands. */
export function answerContains(answer: string, expected: Json): string | undefined {
	const json = parseJson(answer);
	return containsJson(json === undefined ? answer : json, expected);
}

function difference(answer: Json | undefined, expected: Json, path: string): string | undefined {
	if (Array.isArray(expected)) return listDifference(answer, expected, path);
	if (isObject(expected)) {
		if (!isObject(answer)) return told(path, shown(expected), shown(answer));
		for (const [key, wanted] of Object.entries(expected)) {
			if (wanted === undefined) continue;
			const here = pathTo(path, key);
			if (!Object.hasOwn(answer, key)) return `${here}: expected ${shown(wanted)}, but the answer has no such key`;
			const found = difference(answer[key], wanted, here);
			if (found !== undefined) return found;
		}
		return undefined;
	}
	return equal(answer, expected) ? undefined : told(path, shown(expected), shown(answer));
}

function listDifference(answer: Json | undefined, expected: readonly Json[], path: string): string | undefined {
	if (!Array.isArray(answer)) return told(path, shown(expected), shown(answer));
	if (answer.length !== expected.length) return told(path, items(expected.length), items(answer.length));
	for (const [place, wanted] of expected.entries()) {
		const found = difference(answer[place], wanted, `${path}[${place}]`);
		if (found !== undefined) return found;
	}
	return undefined;
}

function equal(answer: Json | undefined, expected: Json): boolean {
	if (answer === expected) return true;
	if (typeof answer !== 'number' || typeof expected !== 'number') return false;
	if (!Number.isFinite(answer) || !Number.isFinite(expected)) return false;
	return Math.abs(answer - expected) <= TOLERANCE * Math.max(Math.abs(answer), Math.abs(expected));
}

function told(path: string, expected: string, got: string): string {
	return `${path === '' ? 'the answer' : path}: expected ${expected}, got ${got}`;
}

function items(count: number): string {
	return count === 1 ? '1 item' : `${count} items`;
}

function pathTo(path: string, key: string): string {
	if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
	return path === '' ? key : `${path}.${key}`;
}

function shown(value: Json | undefined): string {
	try {
		const text = value === undefined ? 'nothing' : jsonText(value);
		return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
	} catch {
		// Nested so deeply that it cannot be written out.
		return 'a deeply nested value';
	}
}
