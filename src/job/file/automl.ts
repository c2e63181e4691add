// A standalone AutoML job: what the user wrote, and its REST body.
import type { Dependency, IdOf } from '../../asset/dependency.ts';
import { isObject, type Json, type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { MapReader, type Reader } from '../../yaml/checks.ts';
import { isoDuration } from '../../yaml/duration.ts';
import { text, textMap } from '../../yaml/values.ts';
import { type AutoMlSettings, readAutoMlSettings } from './automl-settings.ts';
import { IMAGE_PARAMETERS, restKey, restWord, TASKS, TEXT_PARAMETERS } from './automl-words.ts';
import { inputDependencies } from './command.ts';
import type { JobBody, JobContext } from './context.ts';
import { factsBody, type JobFacts, readFacts } from './facts.ts';
import { inputBody, type JobInput, type JobOutput, jobOutputs, outputBody } from './inputs-outputs.ts';
import {
	type JobResources,
	ownResources,
	type QueueSettings,
	queueBody,
	queueSettings,
	resourcesBody,
} from './resources.ts';
import { earlyTerminationBody } from './sweep-settings.ts';

/** An AutoML job as the user wrote it, checked. */
export interface AutoMlJobFile extends JobFacts {
	readonly type: 'automl';
	readonly settings: AutoMlSettings;
	readonly outputs: ReadonlyMap<string, JobOutput>;
	readonly resources: JobResources | undefined;
	readonly queueSettings: QueueSettings | undefined;
	readonly environmentId: string | undefined;
	readonly environmentVariables: ReadonlyMap<string, string> | undefined;
	readonly dependencies: readonly Dependency[];
}

/** A reader of an AutoML job. */
export const automlJob: Reader<AutoMlJobFile> = (node, reading) => {
	const map = new MapReader(node, reading, 'an AutoML job');
	const facts = readFacts(map);
	const settings = readAutoMlSettings(map);
	const job = {
		...facts,
		type: 'automl' as const,
		settings,
		outputs: map.optional('outputs', jobOutputs) ?? new Map<string, JobOutput>(),
		resources: map.optional('resources', ownResources),
		queueSettings: map.optional('queue_settings', queueSettings),
		environmentId: map.optional('environment_id', text),
		environmentVariables: map.optional('environment_variables', textMap),
		dependencies: automlDependencies(settings),
	};
	map.done();
	return job;
};

/** What an AutoML task needs to exist. */
export function automlDependencies({ data, checkpointModel }: AutoMlSettings): readonly Dependency[] {
	const inputs = [data.training, data.validation, data.test, checkpointModel];
	const given = inputs.filter((input): input is JobInput => input !== undefined);
	return inputDependencies(new Map(given.map((input, index) => [String(index), input])));
}

/** The body of an AutoML job. */
export function automlJobBody(file: AutoMlJobFile, context: JobContext): JobBody {
	return {
		properties: jsonObject({
			...factsBody(file, context),
			jobType: 'AutoML',
			environmentId: file.environmentId,
			environmentVariables: file.environmentVariables && mapValues(file.environmentVariables, (value) => value),
			outputs: mapValues(file.outputs, outputBody),
			resources: file.resources && resourcesBody(file.resources),
			queueSettings: file.queueSettings && queueBody(file.queueSettings),
			taskDetails: taskDetails(file.settings, context.idOf),
		}),
	};
}

function taskDetails(settings: AutoMlSettings, idOf: IdOf): JsonObject {
	const { task, data } = settings;
	const { type, family, metric } = TASKS[task];
	const { n_cross_validations: folds, ...plain } = settings.plain;
	const own = {
		table: { trainingSettings: settings.training && trainingBody(settings.training) },
		image: { modelSettings: parametersBody(settings, IMAGE_PARAMETERS.words, idOf) },
		text: { fixedParameters: parametersBody(settings, TEXT_PARAMETERS.words, idOf) },
	}[family];
	return jsonObject({
		taskType: type,
		primaryMetric: metric && (settings.primaryMetric ? restWord(settings.primaryMetric) : metric),
		logVerbosity: restWord(settings.logVerbosity),
		targetColumnName: settings.targetColumnName,
		trainingData: inputBody(data.training, idOf),
		validationData: data.validation && inputBody(data.validation, idOf),
		testData: data.test && inputBody(data.test, idOf),
		limitSettings: limitsBody(settings),
		featurizationSettings: settings.featurization && featurizationBody(settings.featurization, family),
		forecastingSettings: settings.forecasting && forecastingBody(settings.forecasting),
		nCrossValidations: folds === undefined ? undefined : autoOrCustom(folds),
		sweepSettings: settings.sweep && sweepBody(settings.sweep),
		searchSpace: settings.searchSpace?.map((set) => searchSpaceBody(set, family)),
		...renamed(plain),
		...own,
	});
}

function renamed(object: JsonObject): JsonObject {
	return Object.fromEntries(Object.entries(object).map(([key, value]) => [restKey(key), value]));
}

// The file gives minutes.
function limitsBody({ limits }: AutoMlSettings): JsonObject | undefined {
	const { timeout_minutes: timeout, trial_timeout_minutes: trialTimeout, ...rest } = limits ?? {};
	const minutes = (value: Json | undefined): string | undefined =>
		typeof value === 'number' ? isoDuration(value * 60) : undefined;
	return limits && jsonObject({ ...renamed(rest), timeout: minutes(timeout), trialTimeout: minutes(trialTimeout) });
}

function trainingBody(training: JsonObject): JsonObject {
	const {
		ensemble_model_download_timeout: older,
		ensemble_model_download_timeout_minutes: timeout = older,
		stack_ensemble_settings: stack,
		training_mode: mode,
		...rest
	} = training;
	const { allowed_training_algorithms: allowed, blocked_training_algorithms: blocked, ...plain } = rest;
	return jsonObject({
		...renamed(plain),
		trainingMode: typeof mode === 'string' ? restWord(mode) : undefined,
		ensembleModelDownloadTimeout: typeof timeout === 'number' ? isoDuration(timeout * 60) : undefined,
		stackEnsembleSettings: isObject(stack) ? stackBody(stack) : undefined,
		allowedTrainingAlgorithms: words(allowed),
		blockedTrainingAlgorithms: words(blocked),
	});
}

function stackBody(stack: JsonObject): JsonObject {
	const { stack_meta_learner_type: learner, ...rest } = stack;
	return jsonObject({
		...renamed(rest),
		stackMetaLearnerType: typeof learner === 'string' ? restWord(learner) : undefined,
	});
}

function words(list: Json | undefined): Json | undefined {
	return Array.isArray(list) ? list.map((one: Json) => (typeof one === 'string' ? restWord(one) : one)) : undefined;
}

function featurizationBody(featurization: JsonObject, family: string): JsonObject {
	const { blocked_transformers: blocked, mode, transformer_params: params, ...rest } = featurization;
	return jsonObject({
		...renamed(rest),
		blockedTransformers: words(blocked),
		mode: family === 'table' ? restWord(typeof mode === 'string' ? mode : 'auto') : undefined,
		transformerParams: isObject(params)
			? Object.fromEntries(Object.entries(params).map(([name, value]) => [restWord(name), value]))
			: undefined,
	});
}

const CHOICES = ['forecast_horizon', 'seasonality', 'target_lags', 'target_rolling_window_size'];
const ENUMS = ['feature_lags', 'short_series_handling_config', 'target_aggregate_function', 'use_stl'];

function forecastingBody(forecasting: JsonObject): JsonObject {
	return jsonObject(
		Object.fromEntries(
			Object.entries(forecasting).map(([key, value]) => {
				if (value !== undefined && CHOICES.includes(key)) {
					return [restKey(key), key === 'target_lags' ? autoOrCustom(value, 'values') : autoOrCustom(value)];
				}
				return [restKey(key), typeof value === 'string' && ENUMS.includes(key) ? restWord(value) : value];
			}),
		),
	);
}

function autoOrCustom(value: Json, member: 'value' | 'values' = 'value'): JsonObject {
	if (value === 'auto') {
		return { mode: 'Auto' };
	}
	return { mode: 'Custom', [member]: member === 'values' && !Array.isArray(value) ? [value] : value };
}

function parametersBody(settings: AutoMlSettings, restWords: readonly string[], idOf: IdOf): JsonObject | undefined {
	const { trainingParameters: parameters, checkpointModel: model } = settings;
	if (parameters === undefined) {
		return undefined;
	}
	const entries = Object.entries(parameters).map(([key, value]) => [
		restKey(key),
		typeof value === 'string' && restWords.includes(key) ? restWord(value) : value,
	]);
	return jsonObject({ ...Object.fromEntries(entries), checkpointModel: model && inputBody(model, idOf) });
}

function sweepBody({ sampling, termination }: NonNullable<AutoMlSettings['sweep']>): JsonObject {
	return jsonObject({
		samplingAlgorithm: restWord(sampling.type),
		earlyTermination: termination && earlyTerminationBody(termination),
	});
}

// Names of language models are written with hyphens by the service and with underscores by the CLI.
function searchSpaceBody(set: ReadonlyMap<string, string>, family: string): JsonObject {
	return Object.fromEntries(
		[...set].map(([key, value]) => [
			restKey(key),
			family === 'text' && key === 'model_name' ? value.replaceAll('_', '-') : value,
		]),
	);
}
