// Component versions as the nodes of a pipeline use them: what they take, what they give, what they run.

import { isObject, type Json, objectOf, textOf } from '../../arm/call.ts';
import { assetReference, type References } from '../../arm/references.ts';

/** An input port. Without `optional` or `value` it must be bound. */
export interface InputPort {
	type: string;
	optional: boolean;
	/** The default. */
	value?: string;
	mode?: string;
}

/** An output port. */
export interface OutputPort {
	type: string;
	mode?: string;
}

/** A component version. `spec` is its `componentSpec`, whose plain values are texts. */
export interface Component {
	id: string;
	name: string;
	type: string;
	isDeterministic: boolean;
	inputs: Record<string, InputPort>;
	outputs: Record<string, OutputPort>;
	spec: Json;
}

/** What a step cannot run with; the author of the pipeline can mend it. */
export class StepError extends Error {}

/** Gets the component that an id names. Throws `StepError` for one that is not there, or not here. */
export function componentOf(references: References, id: string): Component {
	if (/^azureml:\/\/registries\//i.test(id)) {
		throw new StepError(`Components of registries are not emulated: ${id}. Use one of the workspace.`);
	}
	const version = references.asset(id);
	if (!version || assetReference(id)?.kind !== 'components') {
		throw new StepError(`The component ${id} does not exist in the workspace. Create it, or correct the reference.`);
	}
	const spec = objectOf(version.properties['componentSpec']);
	return {
		id,
		name: textOf(spec['name']) ?? assetReference(id)?.name ?? '',
		type: (textOf(spec['type']) ?? 'command').toLowerCase(),
		isDeterministic: isTrue(spec['is_deterministic'] ?? true),
		inputs: ports(spec['inputs'], (port) => {
			const value = port['default'] == null ? {} : { value: String(port['default']) };
			return { ...typeAndMode(port), optional: isTrue(port['optional'] ?? false), ...value };
		}),
		outputs: ports(spec['outputs'], typeAndMode),
		spec,
	};
}

/** Tells whether a port takes a plain value and not data. */
export function isLiteralType(type: string): boolean {
	return !/^(uri_file|uri_folder|mltable|.*_model|path)$/i.test(type);
}

/** Reads a truth value, also when it is a text. */
export function isTrue(value: unknown): boolean {
	return /^true$/i.test(String(value));
}

function typeAndMode(port: Json): { type: string; mode?: string } {
	const mode = textOf(port['mode']);
	return { type: textOf(port['type']) ?? 'uri_folder', ...(mode === undefined ? {} : { mode }) };
}

function ports<T>(given: unknown, read: (port: Json) => T): Record<string, T> {
	const entries = Object.entries(objectOf(given)).map(([name, port]): [string, T] => [
		name,
		read(isObject(port) ? port : { type: String(port) }),
	]);
	return Object.fromEntries(entries);
}
