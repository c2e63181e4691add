// Readers of single values: text, numbers, booleans, words of a set, versions, durations, string maps. They accept what
// the Azure ML CLI accepts and refuse what it refuses.

import { type Json, type JsonObject, jsonObject } from '../json.ts';
import { describe, mapOf, type Reader, type Reading } from './checks.ts';
import { nearest } from './nearest.ts';
import type { YamlNode } from './node.ts';

/** Text. A number or a boolean is refused with the advice to put it in quotes. */
export const text: Reader<string> = (node, reading) => {
	if (node.kind === 'scalar' && node.type === 'str') {
		return node.text;
	}
	const quoted = node.kind === 'scalar' && node.type !== 'null' ? ` Put it in quotes: "${node.written}".` : '';
	reading.fault(node.at, `Expected text, but found ${describe(node)}.${quoted}`);
	return '';
};

/** Text that may not be empty. */
export const filledText: Reader<string> = (node, reading) => {
	const value = text(node, reading);
	if (value.trim() === '' && node.kind === 'scalar' && node.type === 'str') {
		reading.fault(node.at, 'This text may not be empty.');
	}
	return value;
};

/** Text that must not be shown to anyone: a fault does not repeat it. */
export const secretText: Reader<string> = (node, reading) => {
	if (node.kind === 'scalar' && node.type === 'str' && node.text !== '') {
		return node.text;
	}
	const number = node.kind === 'scalar' && node.type !== 'null' && node.type !== 'str';
	reading.fault(node.at, `Expected text that is not empty.${number ? ' Put this value in quotes.' : ''}`);
	return '';
};

/** Text, or any other scalar as Python's str() gives it. */
export const stringified: Reader<string> = (node, reading) => {
	if (node.kind === 'scalar' && node.type !== 'null') {
		return node.text;
	}
	reading.fault(node.at, `Expected a plain value, but found ${describe(node)}.`);
	return '';
};

/** A version: text or a number. Warns where the number lost digits, as in `1.10`. */
export const version: Reader<string> = (node, reading) => {
	if (node.kind === 'scalar' && (node.type === 'int' || node.type === 'float') && node.text !== node.written) {
		reading.warn(
			node.at,
			`The version ${node.written} is read as the number ${node.text}. Put it in quotes to keep it: "${node.written}".`,
		);
	}
	return stringified(node, reading);
};

/** A whole number. Text that holds one is accepted, as the CLI does. */
export const integer: Reader<number> = (node, reading) => {
	const value = numberOf(node);
	if (value !== undefined && Number.isSafeInteger(value)) {
		return value;
	}
	reading.fault(node.at, `Expected a whole number, but found ${describe(node)}.`);
	return 0;
};

/** A number. Text that holds one is accepted, as the CLI does. */
export const number: Reader<number> = (node, reading) => {
	const value = numberOf(node);
	if (value !== undefined && Number.isFinite(value)) {
		return value;
	}
	reading.fault(node.at, `Expected a number, but found ${describe(node)}.`);
	return 0;
};

function numberOf(node: YamlNode): number | undefined {
	if (node.kind !== 'scalar') {
		return undefined;
	}
	if (typeof node.value === 'number' || typeof node.value === 'bigint') {
		return Number(node.value);
	}
	const digits = node.type === 'str' ? node.text.trim() : '';
	return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(digits) ? Number(digits) : undefined;
}

const BOOLEAN_WORDS: ReadonlyMap<string, boolean> = new Map([
	['true', true],
	['t', true],
	['yes', true],
	['y', true],
	['on', true],
	['1', true],
	['false', false],
	['f', false],
	['no', false],
	['n', false],
	['off', false],
	['0', false],
]);

/** A boolean. The words and digits that the CLI takes for one are accepted too. */
export const boolean: Reader<boolean> = (node, reading) => {
	if (node.kind === 'scalar') {
		const value = typeof node.value === 'boolean' ? node.value : BOOLEAN_WORDS.get(node.text.toLowerCase());
		if (value !== undefined) {
			return value;
		}
	}
	reading.fault(node.at, `Expected true or false, but found ${describe(node)}.`);
	return false;
};

/** One of a set of words, in the spelling of the set. Letter case, `-` and `_` do not matter: `AmlToken` is `aml_token`. */
export function word<T extends string>(...allowed: readonly T[]): Reader<T> {
	return (node, reading) => {
		const said =
			node.kind === 'scalar' && (node.type === 'str' || node.type === 'bool') ? plainWord(node.written) : undefined;
		const found = allowed.find((one) => plainWord(one) === said);
		if (found !== undefined) {
			return found;
		}
		const guess = node.kind === 'scalar' ? nearest(node.written, allowed) : undefined;
		const hint = guess === undefined ? '' : ` Did you mean '${guess}'?`;
		reading.fault(
			node.at,
			`Expected one of ${allowed.map((one) => `'${one}'`).join(', ')}, but found ${describe(node)}.${hint}`,
		);
		return allowed[0] as T;
	};
}

function plainWord(written: string): string {
	return written.toLowerCase().replace(/[-_ ]/g, '');
}

/** A map of names to text. Numbers and booleans are refused, as the CLI refuses them in jobs. */
export const textMap: Reader<ReadonlyMap<string, string>> = mapOf((node, reading) =>
	node.kind === 'scalar' && node.type === 'null' ? '' : text(node, reading),
);

/** A map of names to text in which numbers and booleans become text as Python prints them. */
export const stringMap: Reader<ReadonlyMap<string, string>> = mapOf((node, reading) =>
	node.kind === 'scalar' && node.type === 'null' ? '' : stringified(node, reading),
);

/** Any value, as JSON. Dates become text. */
export const json: Reader<Json> = (node, reading) => jsonOf(node, reading);

/** Any mapping, as JSON. */
export const jsonMap: Reader<JsonObject> = (node, reading) => {
	if (node.kind !== 'map') {
		reading.fault(node.at, `Expected a mapping of keys, but found ${describe(node)}.`);
		return {};
	}
	return jsonObject(Object.fromEntries(node.entries.map((entry) => [entry.key, jsonOf(entry.value, reading)])));
};

function jsonOf(node: YamlNode, reading: Reading): Json {
	if (node.kind === 'list') {
		return node.items.map((item) => jsonOf(item, reading));
	}
	if (node.kind === 'map') {
		return jsonMap(node, reading);
	}
	if (typeof node.value === 'number' && !Number.isFinite(node.value)) {
		reading.fault(node.at, `JSON has no number for ${node.written}.`);
		return null;
	}
	return typeof node.value === 'bigint' ? node.text : node.value;
}
