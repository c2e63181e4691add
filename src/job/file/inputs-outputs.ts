// Inputs and outputs of a job. Where a path leads is told apart here; uploading and looking up is publish's.
import type { Dependency, IdOf } from '../../asset/dependency.ts';
import { localPath } from '../../asset/local-path.ts';
import { hasExpression, isUri, parseAssetReference, type Reference } from '../../asset/reference.ts';
import type { Place } from '../../errors.ts';
import { type JsonObject, jsonObject } from '../../json.ts';
import { describe, MapReader, mapOf, type Reader, type Reading } from '../../yaml/checks.ts';
import type { YamlNode } from '../../yaml/node.ts';
import { filledText, text, version, word } from '../../yaml/values.ts';

/** The types of an asset that goes into or comes out of a job. */
export type AssetType = 'uri_file' | 'uri_folder' | 'mltable' | 'mlflow_model' | 'custom_model' | 'triton_model';

const ASSET_TYPES = ['uri_folder', 'uri_file', 'mltable', 'mlflow_model', 'custom_model', 'triton_model'] as const;

const INPUT_MODES = {
	ro_mount: 'ReadOnlyMount',
	download: 'Download',
	direct: 'Direct',
	eval_mount: 'EvalMount',
	eval_download: 'EvalDownload',
} as const;

const OUTPUT_MODES = {
	rw_mount: 'ReadWriteMount',
	mount: 'ReadWriteMount',
	upload: 'Upload',
	direct: 'Direct',
} as const;

/** An input of a job: a plain value as text, or an asset. */
export type JobInput =
	| { readonly form: 'literal'; readonly value: string; readonly node: YamlNode; readonly at: Place }
	| {
			readonly form: 'asset';
			readonly type: AssetType;
			readonly source: Extract<Dependency, { need: 'reference' | 'upload' }>;
			readonly mode: keyof typeof INPUT_MODES | undefined;
			readonly at: Place;
	  };

/** An output of a job. */
export interface JobOutput {
	readonly type: AssetType | undefined;
	readonly mode: keyof typeof OUTPUT_MODES | undefined;
	readonly path: string | undefined;
	/** Name and version under which the output is registered as an asset. */
	readonly name: string | undefined;
	readonly version: string | undefined;
	readonly description: string | undefined;
	readonly at: Place;
}

/** A reader of one input of a job. */
export const jobInput: Reader<JobInput> = (node, reading) => {
	const input = anyInput(node, reading);
	warnOfText(input, reading);
	return input;
};

/** The same without a word on what plain text may have been meant for; that is known later. */
export const anyInput: Reader<JobInput> = (node, reading) => {
	if (node.kind === 'map') {
		return node.entries.some((entry) => entry.key === 'value') ? valueInput(node, reading) : assetInput(node, reading);
	}
	return literalInput(node, reading);
};

/** Warns where plain text looks like something else. */
export function warnOfText(input: JobInput, reading: Reading): void {
	if (input.form !== 'literal' || input.node.kind !== 'scalar' || ['null', 'timestamp'].includes(input.node.type)) {
		return;
	}
	const { node } = input;
	if (!/[a-zA-Z0-9_]/.test(node.text)) {
		reading.warn(
			node.at,
			`Azure ML may refuse the input '${node.text}': it asks for at least one letter, digit or underscore.`,
		);
	} else if (node.type === 'str' && node.text.startsWith('azureml:')) {
		reading.warn(
			node.at,
			`'${node.text}' is passed on as plain text. To pass what it names, write it under 'path' with a 'type'.`,
		);
	} else if (node.type === 'str' && /^\$?\{inputs\.|^\{\{/.test(node.text)) {
		reading.warn(node.at, `'${node.text}' is passed on as plain text. An expression is written \${{…}}.`);
	}
}

function literalInput(node: YamlNode, reading: Reading): JobInput {
	if (node.kind !== 'scalar' || node.type === 'null') {
		reading.fault(node.at, `An input is a plain value or a mapping with 'path', but here is ${describe(node)}.`);
	} else if (node.type === 'timestamp') {
		reading.fault(node.at, `'${node.written}' is read as a date, which no input can be. Put it in quotes.`);
	}
	return { form: 'literal', value: node.kind === 'scalar' ? node.text : '', node, at: node.at };
}

function valueInput(node: YamlNode, reading: Reading): JobInput {
	const map = new MapReader(node, reading, 'an input');
	const value = map.required('value', literalInput);
	map.done();
	return { ...value, at: node.at };
}

function assetInput(node: YamlNode, reading: Reading): JobInput {
	const map = new MapReader(node, reading, 'an input');
	const type = map.optional('type', word(...ASSET_TYPES)) ?? 'uri_folder';
	const mode = map.optional('mode', word(...inputModes(type)));
	const datastore = map.optional('datastore', text)?.replace(/^azureml:/, '');
	const source = map.required('path', inputSource(type, datastore));
	map.optional('path_on_compute', (at, within) => {
		within.warn(at.at, "'path_on_compute' is not part of the job API that this action uses and is left out.");
	});
	map.ignore('description', 'optional');
	map.done();
	return { form: 'asset', type, source, mode, at: node.at };
}

function inputModes(type: AssetType): readonly (keyof typeof INPUT_MODES)[] {
	return type === 'mltable'
		? ['ro_mount', 'download', 'direct', 'eval_mount', 'eval_download']
		: ['ro_mount', 'download', 'direct'];
}

/** A reader of the `path` of an input: a reference, a URI, an expression, or a local path to upload. */
export function inputSource(
	type: AssetType,
	datastore: string | undefined,
): Reader<Extract<Dependency, { need: 'reference' | 'upload' }>> {
	return (node, reading) => {
		const written = filledText(node, reading);
		const kind = type.endsWith('_model') ? 'models' : 'data';
		if (
			written.startsWith('azureml:') ||
			written.startsWith('/subscriptions/') ||
			isUri(written) ||
			hasExpression(written)
		) {
			const found = parseAssetReference(kind, written, node.at);
			const reference: Reference = typeof found === 'string' ? { form: 'uri', kind, uri: written, at: node.at } : found;
			if (typeof found === 'string') {
				reading.fault(node.at, found);
			}
			return { need: 'reference', reference };
		}
		const shape = type === 'uri_file' ? 'file' : type === 'uri_folder' || type === 'mltable' ? 'folder' : 'either';
		const found = written === '' ? { path: '', written, at: node.at } : localPath(written, node.at, reading, shape);
		return { need: 'upload', ...found, type, datastore };
	};
}

/** An output of which nothing is said but its type. */
export function plainOutput(type: string): JobOutput {
	const known = ASSET_TYPES.find((one) => one === type);
	const nothing = { mode: undefined, path: undefined, name: undefined, version: undefined, description: undefined };
	return { type: known, ...nothing, at: { file: '' } };
}

/** A reader of one output of a job; an empty one is a folder. */
export const jobOutput: Reader<JobOutput> = (node, reading) => {
	const empty = node.kind === 'scalar' && node.type === 'null';
	const map = new MapReader(empty ? { kind: 'map', entries: [], at: node.at } : node, reading, 'an output');
	const output = {
		type: map.optional('type', word(...ASSET_TYPES)),
		mode: map.optional('mode', word('rw_mount', 'mount', 'upload', 'direct')),
		path: map.optional('path', filledText),
		name: map.optional('name', text),
		version: map.optional('version', version),
		description: map.optional('description', text),
		at: node.at,
	};
	if (output.version !== undefined && output.name === undefined) {
		reading.fault(node.at, "An output with a 'version' needs a 'name' to be registered under.");
	}
	map.done();
	return output;
};

/** A reader of a job's `inputs`. */
export const jobInputs: Reader<ReadonlyMap<string, JobInput>> = mapOf(jobInput);

/** A reader of a job's `outputs`. */
export const jobOutputs: Reader<ReadonlyMap<string, JobOutput>> = (node, reading) => {
	const reserved = node.kind === 'map' ? node.entries.find((entry) => entry.key === 'default') : undefined;
	if (reserved !== undefined) {
		reading.fault(
			reserved.at,
			"'default' cannot be the name of an output: Azure ML keeps it for what a job logs. Name it otherwise.",
		);
	}
	return mapOf(jobOutput)(node, reading);
};

/** An input as the REST body of a job holds it. */
export function inputBody(input: JobInput, idOf: IdOf): JsonObject {
	if (input.form === 'literal') {
		return { jobInputType: 'literal', value: input.value };
	}
	return jsonObject({ mode: inputMode(input.mode), uri: idOf(input.source), jobInputType: input.type });
}

/** An output as the REST body of a job holds it. */
export function outputBody(output: JobOutput): JsonObject {
	return jsonObject({
		description: output.description,
		mode: outputMode(output.mode),
		uri: output.path,
		jobOutputType: output.type ?? 'uri_folder',
		assetName: output.name,
		assetVersion: output.version,
	});
}

/** The REST word for an input's mode. */
export function inputMode(mode: keyof typeof INPUT_MODES | undefined): string | undefined {
	return mode && INPUT_MODES[mode];
}

/** The REST word for an output's mode. */
export function outputMode(mode: keyof typeof OUTPUT_MODES | undefined): string | undefined {
	return mode && OUTPUT_MODES[mode];
}
