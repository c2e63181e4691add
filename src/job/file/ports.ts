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
		default: map.optional('default', parameter ? value : text),
		min: numeric ? map.optional('min', value) : undefined,
		max: numeric ? map.optional('max', value) : undefined,
		values: parameter ? map.optional('enum', listOf(stringified)) : undefined,
	};
	map.ignore('path', 'datastore');
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
	map.ignore('path', 'is_control', 'early_available');
	map.done();
	return declared;
};

/** A reader of a component's `inputs`. */
export const inputPorts: Reader<ReadonlyMap<string, Port>> = mapOf(inputPort);

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
