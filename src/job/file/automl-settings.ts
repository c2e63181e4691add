// The settings of an AutoML task as the file has them. Standalone jobs and pipeline nodes share this reading.

import { type Json, type JsonObject, jsonObject } from '../../json.ts';
import { asText, listOf, type MapReader, mapOf, mapping, type Reader } from '../../yaml/checks.ts';
import type { YamlNode } from '../../yaml/node.ts';
import { boolean, filledText, integer, jsonMap, number, text, word } from '../../yaml/values.ts';
import { type AutoMlTask, IMAGE_PARAMETERS, TASKS, TEXT_PARAMETERS } from './automl-words.ts';
import { type JobInput, jobInput } from './inputs-outputs.ts';
import { searchParameter } from './search-space.ts';
import {
	type EarlyTermination,
	earlyTermination,
	type SamplingAlgorithm,
	samplingAlgorithm,
} from './sweep-settings.ts';

/** The data that a task trains on and is judged by. */
export interface AutoMlData {
	readonly training: JobInput;
	readonly validation: JobInput | undefined;
	readonly test: JobInput | undefined;
}

/** The settings of an AutoML task. Objects hold checked members in the words of the file. */
export interface AutoMlSettings {
	readonly task: AutoMlTask;
	readonly primaryMetric: string | undefined;
	readonly logVerbosity: string;
	readonly targetColumnName: string | undefined;
	readonly data: AutoMlData;
	readonly limits: JsonObject | undefined;
	readonly training: JsonObject | undefined;
	readonly featurization: JsonObject | undefined;
	readonly forecasting: JsonObject | undefined;
	readonly trainingParameters: JsonObject | undefined;
	readonly checkpointModel: JobInput | undefined;
	readonly sweep: AutoMlSweep | undefined;
	/** Alternative sets of parameters, each parameter as the text that the service reads: `uniform(0.1,1)`. */
	readonly searchSpace: readonly ReadonlyMap<string, string>[] | undefined;
	/** Plain members of tabular tasks, such as `weight_column_name`. */
	readonly plain: JsonObject;
}

/** How an image or text task sweeps over its parameters. */
export interface AutoMlSweep {
	readonly sampling: SamplingAlgorithm;
	readonly termination: EarlyTermination | undefined;
}

type Members = Readonly<Record<string, Reader<Json>>>;

function members(what: string, known: Members): Reader<JsonObject> {
	return mapping(what, (map) => readMembers(map, known));
}

function readMembers(map: MapReader, known: Members): JsonObject {
	return jsonObject(Object.fromEntries(Object.entries(known).map(([key, reader]) => [key, map.optional(key, reader)])));
}

function autoOr(reader: Reader<Json>): Reader<Json> {
	return (node, reading) => (asText(node)?.text.toLowerCase() === 'auto' ? 'auto' : reader(node, reading));
}

const integers = listOf(integer);
const integerOrList: Reader<Json> = (node, reading) =>
	node.kind === 'list' ? integers(node, reading) : integer(node, reading);
const textOrList: Reader<Json> = (node, reading) =>
	node.kind === 'list' ? listOf(text)(node, reading) : [text(node, reading)];

const LIMITS: Members = {
	enable_early_termination: boolean,
	exit_score: number,
	max_concurrent_trials: integer,
	max_cores_per_trial: integer,
	max_nodes: integer,
	max_trials: integer,
	timeout_minutes: integer,
	trial_timeout_minutes: integer,
};

const TRAINING: Members = {
	enable_dnn_training: boolean,
	enable_model_explainability: boolean,
	enable_onnx_compatible_models: boolean,
	enable_stack_ensemble: boolean,
	enable_vote_ensemble: boolean,
	ensemble_model_download_timeout: number,
	ensemble_model_download_timeout_minutes: number,
	stack_ensemble_settings: members('stack_ensemble_settings', {
		stack_meta_learner_type: text,
		stack_meta_learner_train_percentage: number,
		stack_meta_learner_kwargs: jsonMap,
	}),
	allowed_training_algorithms: listOf(text),
	blocked_training_algorithms: listOf(text),
	training_mode: text,
};

const TEXT_FEATURIZATION: Members = { dataset_language: text };

const FEATURIZATION: Members = {
	blocked_transformers: listOf(text),
	column_name_and_types: jsonMap,
	dataset_language: text,
	enable_dnn_featurization: boolean,
	mode: word('auto', 'off', 'custom'),
	transformer_params: jsonMap,
};

const FORECASTING: Members = {
	country_or_region_for_holidays: text,
	cv_step_size: integer,
	feature_lags: word('none', 'auto'),
	features_unknown_at_forecast_time: textOrList,
	forecast_horizon: autoOr(integer),
	frequency: text,
	seasonality: autoOr(integer),
	short_series_handling_config: word('none', 'auto', 'pad', 'drop'),
	target_aggregate_function: word('none', 'sum', 'max', 'min', 'mean'),
	target_lags: autoOr(integerOrList),
	target_rolling_window_size: autoOr(integer),
	time_column_name: filledText,
	time_series_id_column_names: textOrList,
	use_stl: word('none', 'season', 'season_trend'),
};

const TABLE_PLAIN: Members = {
	cv_split_column_names: listOf(text),
	n_cross_validations: autoOr(integer),
	test_data_size: number,
	validation_data_size: number,
	weight_column_name: text,
};

const CLASSIFICATION_PLAIN: Members = { ...TABLE_PLAIN, positive_label: text };
const IMAGE_PLAIN: Members = { validation_data_size: number, test_data_size: number };

function parameters(known: typeof IMAGE_PARAMETERS | typeof TEXT_PARAMETERS): Members {
	const each = (names: readonly string[], reader: Reader<Json>): [string, Reader<Json>][] =>
		names.map((name) => [name, reader]);
	return Object.fromEntries([
		...each(known.integers, integer),
		...each(known.numbers, number),
		...each(known.booleans, boolean),
		...each(known.texts, text),
		...each(known.words, text),
	]);
}

const sweep: Reader<AutoMlSweep> = mapping('sweep', (map) => ({
	sampling: map.required('sampling_algorithm', samplingAlgorithm),
	termination: map.optional('early_termination', earlyTermination),
}));

const space: Reader<ReadonlyMap<string, string>> = mapOf((node, reading) => {
	if (node.kind === 'map') {
		searchParameter(node, reading);
	}
	return searchText(node);
});

/** A parameter of an AutoML search space as text: `choice('a','b')`, `uniform(0.1,1)`; a plain value stands for itself. */
export function searchText(node: YamlNode): string {
	if (node.kind === 'scalar') {
		return node.text;
	}
	const entries = node.kind === 'map' ? node.entries : [];
	const of = (key: string): YamlNode | undefined => entries.find((entry) => entry.key === key)?.value;
	const order = ['values', 'upper', 'min_value', 'max_value', 'mu', 'sigma', 'q'];
	const values = order.flatMap((key) => {
		const value = of(key);
		return value === undefined ? [] : value.kind === 'list' ? value.items : [value];
	});
	const type = of('type');
	return `${type?.kind === 'scalar' ? type.text.toLowerCase() : ''}(${values.map(argumentText).join(',')})`;
}

function argumentText(node: YamlNode): string {
	if (node.kind !== 'scalar') {
		return '';
	}
	if (node.type === 'float') {
		return withoutExponent(node.text);
	}
	return node.type === 'str' && Number.isNaN(Number(node.text)) ? `'${node.text}'` : node.text;
}

// 5e-06 as 0.000005: what reads these texts knows no exponents.
function withoutExponent(float: string): string {
	const [, sign = '', whole = '', part = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?(?:e([-+]\d+))?$/.exec(float) ?? [];
	if (exponent === undefined) {
		return float;
	}
	const point = whole.length + Number(exponent);
	const digits = `${'0'.repeat(Math.max(0, 1 - point))}${whole}${part}`.padEnd(Math.max(1, point), '0');
	const at = Math.max(1, point);
	return `${sign}${digits.slice(0, at)}${digits.length > at ? `.${digits.slice(at)}` : ''}`;
}

/** Reads the settings of an AutoML task. */
export function readAutoMlSettings(map: MapReader): AutoMlSettings {
	const task = map.required('task', word(...(Object.keys(TASKS) as AutoMlTask[])));
	const { family } = TASKS[task];
	const table = family === 'table';
	const parameterMap = table ? undefined : map.node('training_parameters');
	const checkpoint =
		parameterMap?.kind === 'map' ? parameterMap.entries.find((entry) => entry.key === 'checkpoint_model') : undefined;
	return {
		task,
		primaryMetric: map.optional('primary_metric', text),
		logVerbosity:
			map.optional('log_verbosity', word('not_set', 'debug', 'info', 'warning', 'error', 'critical')) ?? 'info',
		targetColumnName:
			task === 'text_ner' ? map.optional('target_column_name', text) : map.required('target_column_name', text),
		data: {
			training: map.required('training_data', tableInput),
			validation: map.optional('validation_data', tableInput),
			test: family === 'text' ? undefined : map.optional('test_data', tableInput),
		},
		limits: withDefaults(family, map.optional('limits', members('limits', LIMITS))),
		training: table ? map.optional('training', members('training', TRAINING)) : undefined,
		featurization:
			family === 'image'
				? undefined
				: map.optional('featurization', members('featurization', table ? FEATURIZATION : TEXT_FEATURIZATION)),
		forecasting: task === 'forecasting' ? map.required('forecasting', members('forecasting', FORECASTING)) : undefined,
		trainingParameters: table ? undefined : map.optional('training_parameters', trainingParameters(family)),
		checkpointModel: checkpoint && jobInput(checkpoint.value, map.reading),
		sweep: table ? undefined : map.optional('sweep', sweep),
		searchSpace: table ? undefined : map.optional('search_space', listOf(space)),
		plain: readMembers(
			map,
			{ table: task === 'classification' ? CLASSIFICATION_PLAIN : TABLE_PLAIN, image: IMAGE_PLAIN, text: {} }[family],
		),
	};
}

// Text tasks start with one node and one trial where the file says nothing else; of image tasks the API wants limits, if
// empty ones.
function withDefaults(family: string, limits: JsonObject | undefined): JsonObject | undefined {
	if (family === 'text') {
		return { max_nodes: 1, max_trials: 1, ...limits };
	}
	return family === 'image' ? { ...limits } : limits;
}

function trainingParameters(family: 'image' | 'text' | 'table'): Reader<JsonObject> {
	return mapping('training_parameters', (map) => {
		map.ignore('checkpoint_model');
		return readMembers(map, parameters(family === 'image' ? IMAGE_PARAMETERS : TEXT_PARAMETERS));
	});
}

// AutoML reads tables; a bare mapping of a path is one too.
const tableInput: Reader<JobInput> = (node, reading) => {
	if (node.kind !== 'map') {
		return jobInput(node, reading);
	}
	const typed = node.entries.some((entry) => entry.key === 'type');
	const type = {
		kind: 'scalar',
		type: 'str',
		value: 'mltable',
		text: 'mltable',
		written: 'mltable',
		at: node.at,
	} as const;
	const whole = typed ? node : { ...node, entries: [...node.entries, { key: 'type', at: node.at, value: type }] };
	const input = jobInput(whole, reading);
	if (input.form === 'asset' && input.type !== 'mltable') {
		reading.fault(node.at, `AutoML takes data of type mltable, not ${input.type}.`);
	}
	return input;
};
