// The inputs and outputs that a component declares: types and defaults, no values.

import { type JsonObject, jsonObject } from '../../json.ts';
import { describe, listOf, MapReader, mapOf, type Reader, type Reading } from '../../yaml/checks.ts';
import type { YamlNode } from '../../yaml/node.ts';
import { pythonFloat } from '../../yaml/scalar.ts';
import { boolean, stringified, text, word } from '../../yaml/values.ts';

const PARAMETER_TYPES = ['string', 'integer', 'number', 'boolean'] as const;
const ASSET_TYPES = [
	'uri_folder',
	'uri_file',
	'mltable',
	'mlflow_model',
	'custom_model',
	'triton_model',
	'path',
] as const;
const MODES = ['ro_mount', 'rw_mount', 'mount', 'download', 'upload', 'direct', 'eval_mount', 'eval_download'] as const;

/** What a component's input or output may be: a plain value, or an asset. */
export type PortType = (typeof PARAMETER_TYPES)[number] | (typeof ASSET_TYPES)[number];

/** One declared input or output. `default`, `min` and `max` are text, in the spelling of the SDK. */
export interface Port {
	readonly type: PortType;
	readonly mode: string | undefined;
	readonly description: string | undefined;
	readonly optional: boolean | undefined;
	readonly default: string | undefined;
	readonly min: string | undefined;
	readonly max: string | undefined;
	readonly values: readonly string[] | undefined;
}

/** A port of a type and, for an asset, a mode; all else is left open. */
export function port(type: PortType, mode?: string): Port {
	return {
		type,
		mode,
		description: undefined,
		optional: undefined,
		default: undefined,
		min: undefined,
		max: undefined,
		values: undefined,
	};
}

/** Whether a port takes a plain value. */
export function isParameter(type: PortType): type is (typeof PARAMETER_TYPES)[number] {
	return PARAMETER_TYPES.some((one) => one === type);
}

/** A reader of one declared input. */
export const inputPort: Reader<Port> = (node, reading) => {
	const map = new MapReader(node, reading, 'an input of a component');
	const type = map.required('type', word(...PARAMETER_TYPES, ...ASSET_TYPES));
	const value = parameterText(type);
	const parameter = isParameter(type);
	const numeric = type === 'integer' || type === 'number';
	const declared = {
		type,
		mode: parameter ? undefined : map.optional('mode', word(...MODES)),
		description: map.optional('description', text),
		optional: map.optional('optional', boolean),
		default: parameter ? map.optional('default', value) : undefined,
		min: numeric ? map.optional('min', value) : undefined,
		max: numeric ? map.optional('max', value) : undefined,
		values: parameter ? map.optional('enum', listOf(stringified)) : undefined,
	};
	if (!parameter) {
		toTheNode(map, 'default', 'path', 'datastore');
	}
	map.done();
	return declared;
};

/** A reader of one declared output. */
export const outputPort: Reader<Port> = (node, reading) => {
	const map = new MapReader(node, reading, 'an output of a component');
	const type = map.optional('type', word(...ASSET_TYPES, ...PARAMETER_TYPES)) ?? 'uri_folder';
	const declared = {
		...port(type, map.optional('mode', word(...MODES))),
		description: map.optional('description', text),
	};
	toTheNode(map, 'path');
	map.ignore('is_control', 'early_available');
	map.done();
	return declared;
};

// A component says what it takes; which data that is, the node says that runs it.
function toTheNode(map: MapReader, ...keys: readonly string[]): void {
	for (const key of keys) {
		const node = map.node(key);
		if (node !== undefined) {
			map.reading.fault(
				node.at,
				`'${key}' has no place in ${map.what}: give the data in the node that runs the component.`,
			);
		}
	}
}

/** Notes a fault for each name that no input of a component or pipeline can have, or that two have but for their case. */
export function checkInputNames(inputs: YamlNode | undefined, reading: Reading, what: string): void {
	const seen = new Map<string, string>();
	for (const { key, at } of inputs?.kind === 'map' ? inputs.entries : []) {
		const other = seen.get(key.toLowerCase());
		if (!/^[a-z_]\w*(\.[a-z_]\w*)*$/i.test(key)) {
			reading.fault(at, `'${key}' cannot be the name of an input of ${what}: letters, digits and underscores.`);
		} else if (other !== undefined) {
			reading.fault(at, `The inputs '${other}' and '${key}' of ${what} differ in nothing but their case. Rename one.`);
		}
		seen.set(key.toLowerCase(), key);
	}
}

/** A reader of a component's `inputs`. */
export const inputPorts: Reader<ReadonlyMap<string, Port>> = (node, reading) => {
	checkInputNames(node, reading, 'a component');
	return mapOf(inputPort)(node, reading);
};

/** A reader of a component's `outputs`. */
export const outputPorts: Reader<ReadonlyMap<string, Port>> = mapOf(outputPort);

// A default is written as Python prints a value of the declared type: 1 of a number is 1.0.
function parameterText(type: PortType): Reader<string> {
	return (node: YamlNode, reading: Reading) => {
		const written = stringified(node, reading);
		if (type === 'boolean') {
			return boolean(node, reading) ? 'True' : 'False';
		}
		const wanted = type === 'integer' || type === 'number';
		const value = Number(written);
		if (!wanted) {
			return written;
		}
		if (written.trim() === '' || Number.isNaN(value) || (type === 'integer' && !Number.isInteger(value))) {
			reading.fault(
				node.at,
				`Expected ${type === 'integer' ? 'a whole number' : 'a number'}, as the input's type says, but found ${describe(node)}.`,
			);
			return written;
		}
		return type === 'number' ? pythonFloat(value) : /^-?\d+$/.test(written) ? written : String(value);
	};
}

/** A port as the spec of a component holds it. */
export function portSpec(declared: Port): JsonObject {
	return jsonObject({
		type: declared.type,
		mode: declared.mode,
		description: declared.description,
		optional: declared.optional,
		default: declared.default,
		min: declared.min,
		max: declared.max,
		enum: declared.values,
	});
}
