// Parallel components, from a file or from an inline node: a task that is run over mini-batches.
import { codeSource, environmentSource, type Needs } from '../../asset/asset-sources.ts';
import type { Dependency, IdOf } from '../../asset/dependency.ts';
import { type JsonObject, jsonObject } from '../../json.ts';
import { asText, listOf, type MapReader, mapping, type Reader } from '../../yaml/checks.ts';
import { filledText, integer, text, word } from '../../yaml/values.ts';
import { type ComponentFacts, factsSpec, readComponentFacts } from './component-command.ts';
import { type ComponentCode, type ReadComponent, specId } from './component-reference.ts';
import { specResources } from './resources.ts';

/** What a parallel component does with each mini-batch. */
export interface ParallelTask {
	readonly code: ComponentCode | undefined;
	readonly environment: Needs<'environment' | 'reference'> | undefined;
	/** The plain members, in the words of the file. */
	readonly settings: JsonObject;
}

/** How mini-batches are made and run. Members are in the words of the file. */
export interface ParallelSettings {
	readonly task: ParallelTask | undefined;
	/** Bytes, or files for a `uri_folder`. */
	readonly miniBatchSize: number | undefined;
	readonly partitionKeys: readonly string[] | undefined;
	readonly inputData: string | undefined;
	readonly loggingLevel: string | undefined;
	readonly resources: JsonObject | undefined;
	readonly retrySettings: JsonObject | undefined;
	readonly maxConcurrencyPerInstance: number | undefined;
	readonly errorThreshold: number | undefined;
	readonly miniBatchErrorThreshold: number | undefined;
}

const task: Reader<ParallelTask> = mapping('a parallel task', (map) => ({
	code: map.optional('code', codeSource),
	environment: map.optional('environment', environmentSource),
	settings: jsonObject({
		type: map.required('type', word('run_function', 'function', 'model')),
		entry_script: map.optional('entry_script', filledText),
		program_arguments: map.optional('program_arguments', text),
		append_row_to: map.optional('append_row_to', text),
		model: map.optional('model', text),
	}),
}));

const retrySettings: Reader<JsonObject> = mapping('retry_settings', (map) =>
	jsonObject({ timeout: map.optional('timeout', integer), max_retries: map.optional('max_retries', integer) }),
);

const UNITS: ReadonlyMap<string, number> = new Map([
	['kb', 1024],
	['mb', 1024 ** 2],
	['gb', 1024 ** 3],
]);

const miniBatchSize: Reader<number> = (node, reading) => {
	const written = asText(node);
	const sized = written && /^(\d+)\s*(kb|mb|gb)$/i.exec(written.text.trim());
	return sized ? Number(sized[1]) * (UNITS.get((sized[2] ?? '').toLowerCase()) ?? 1) : integer(node, reading);
};

/** Reads the settings of a parallel component or node. */
export function readParallelSettings(map: MapReader): ParallelSettings {
	return {
		task: map.optional('task', task),
		miniBatchSize: map.optional('mini_batch_size', miniBatchSize),
		partitionKeys: map.optional('partition_keys', listOf(text)),
		inputData: map.optional('input_data', text),
		loggingLevel: map.optional('logging_level', text),
		resources: specResources(map),
		retrySettings: map.optional('retry_settings', retrySettings),
		maxConcurrencyPerInstance: map.optional('max_concurrency_per_instance', integer),
		errorThreshold: map.optional('error_threshold', integer),
		miniBatchErrorThreshold: map.optional('mini_batch_error_threshold', integer),
	};
}

/** Reads a parallel component. */
export function parallelComponent(map: MapReader): ReadComponent {
	const facts = readComponentFacts(map);
	const settings = readParallelSettings(map);
	if (settings.task === undefined) {
		map.reading.fault(map.at, "A parallel component needs the key 'task'.");
	}
	return makeParallelComponent(facts, settings);
}

/** Makes a parallel component of its parts. */
export function makeParallelComponent(facts: ComponentFacts, settings: ParallelSettings): ReadComponent {
	return {
		inputs: facts.inputs,
		outputs: facts.outputs,
		task: (idOf) => parallelNode({ ...settings, loggingLevel: undefined, errorThreshold: undefined }, idOf),
		file: {
			type: 'parallel',
			name: facts.name,
			version: facts.version,
			description: facts.description,
			tags: facts.tags,
			properties: facts.properties,
			dependencies: taskDependencies(settings.task),
			at: facts.at,
			spec: ({ idOf }) =>
				jsonObject({
					...factsSpec(facts),
					type: 'parallel',
					...sharedBody(settings, idOf),
					mini_batch_size: settings.miniBatchSize === undefined ? undefined : String(settings.miniBatchSize),
				}),
		},
	};
}

/** What a parallel task needs to exist. */
export function taskDependencies(value: ParallelTask | undefined): readonly Dependency[] {
	return [value?.code, value?.environment].filter((one): one is NonNullable<typeof one> => one !== undefined);
}

/** The settings as a node holds them; unlike in a spec, the size of a mini-batch is a number here. */
export function parallelNode(settings: ParallelSettings, idOf: IdOf): JsonObject {
	return jsonObject({ ...sharedBody(settings, idOf), mini_batch_size: settings.miniBatchSize });
}

function sharedBody(settings: ParallelSettings, idOf: IdOf): JsonObject {
	const { task: own } = settings;
	return jsonObject({
		task:
			own &&
			jsonObject({
				...own.settings,
				code: own.code && specId(own.code, idOf),
				environment: own.environment && specId(own.environment, idOf),
			}),
		input_data: settings.inputData,
		logging_level: settings.loggingLevel,
		resources: settings.resources,
		retry_settings: settings.retrySettings,
		max_concurrency_per_instance: settings.maxConcurrencyPerInstance,
		error_threshold: settings.errorThreshold,
		mini_batch_error_threshold: settings.miniBatchErrorThreshold,
		partition_keys: settings.partitionKeys && JSON.stringify(settings.partitionKeys),
	});
}
