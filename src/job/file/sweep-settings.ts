// How a sweep goes about its trials: sampling, objective, early termination, limits. Sweep jobs and sweep nodes share it.

import { type JsonObject, jsonObject } from '../../json.ts';
import { MapReader, mapping, type Reader } from '../../yaml/checks.ts';
import { isoDuration } from '../../yaml/duration.ts';
import { filledText, integer, number, stringified, word } from '../../yaml/values.ts';

/** How parameters are picked for the next trial. */
export interface SamplingAlgorithm {
	readonly type: 'random' | 'grid' | 'bayesian';
	readonly seed: number | undefined;
	readonly rule: 'random' | 'sobol' | undefined;
	readonly logbase: string | undefined;
}

/** What a sweep looks for. */
export interface Objective {
	readonly goal: 'minimize' | 'maximize';
	readonly primaryMetric: string;
}

/** When a poor trial is ended early. */
export interface EarlyTermination {
	readonly type: 'bandit' | 'median_stopping' | 'truncation_selection';
	readonly evaluationInterval: number;
	readonly delayEvaluation: number;
	readonly slackFactor: number;
	readonly slackAmount: number;
	readonly truncationPercentage: number | undefined;
}

/** How many trials there are and how long they take. Times are in seconds. */
export interface SweepLimits {
	readonly maxTotalTrials: number | undefined;
	readonly maxConcurrentTrials: number | undefined;
	readonly timeout: number | undefined;
	readonly trialTimeout: number | undefined;
}

const algorithm = word('random', 'grid', 'bayesian');

/** A reader of `sampling_algorithm`: a word, or a mapping with `type`. */
export const samplingAlgorithm: Reader<SamplingAlgorithm> = (node, reading) => {
	if (node.kind !== 'map') {
		return { type: algorithm(node, reading), seed: undefined, rule: undefined, logbase: undefined };
	}
	const map = new MapReader(node, reading, 'a sampling algorithm');
	const type = map.required('type', algorithm);
	const random = type === 'random';
	const sampling = {
		type,
		seed: random ? map.optional('seed', integer) : undefined,
		rule: random ? map.optional('rule', word('random', 'sobol')) : undefined,
		logbase: random ? map.optional('logbase', stringified) : undefined,
	};
	map.done();
	return sampling;
};

/** A reader of `objective`. */
export const objective: Reader<Objective> = mapping('an objective', (map) => ({
	goal: map.required('goal', word('minimize', 'maximize')),
	primaryMetric: map.required('primary_metric', filledText),
}));

/** A reader of `early_termination`. */
export const earlyTermination: Reader<EarlyTermination> = mapping('early_termination', (map) => {
	const type = map.required('type', word('bandit', 'median_stopping', 'truncation_selection'));
	const bandit = type === 'bandit';
	const slack = {
		factor: bandit ? map.optional('slack_factor', number) : 0,
		amount: bandit ? map.optional('slack_amount', number) : 0,
	};
	if (bandit && slack.factor === undefined && slack.amount === undefined) {
		map.reading.fault(map.at, "A bandit policy needs 'slack_factor' or 'slack_amount'.");
	}
	return {
		type,
		evaluationInterval: map.optional('evaluation_interval', integer) ?? 0,
		delayEvaluation: map.optional('delay_evaluation', integer) ?? 0,
		slackFactor: slack.factor ?? 0,
		slackAmount: slack.amount ?? 0,
		truncationPercentage: type === 'truncation_selection' ? map.required('truncation_percentage', integer) : undefined,
	};
});

// The service takes fewer than 60 seconds for as many days, so the CLI sends a minute.
const minuteAtLeast: Reader<number> = (node, reading) => {
	const seconds = integer(node, reading);
	if (seconds <= 0 || seconds >= 60) {
		return seconds;
	}
	reading.warn(node.at, `A sweep can be limited to one minute at the least; ${seconds} seconds are sent as 60.`);
	return 60;
};

/** A reader of a sweep's `limits`. */
export const sweepLimits: Reader<SweepLimits> = mapping('limits', (map) => ({
	maxTotalTrials: map.required('max_total_trials', integer),
	maxConcurrentTrials: map.optional('max_concurrent_trials', integer),
	timeout: map.optional('timeout', minuteAtLeast),
	trialTimeout: map.optional('trial_timeout', minuteAtLeast),
}));

/** Sampling as the REST body of a sweep job holds it. */
export function samplingBody(sampling: SamplingAlgorithm): JsonObject {
	const types = { random: 'Random', grid: 'Grid', bayesian: 'Bayesian' };
	const rules = { random: 'Random', sobol: 'Sobol' };
	return jsonObject({
		samplingAlgorithmType: types[sampling.type],
		seed: sampling.seed,
		rule: sampling.rule && rules[sampling.rule],
		logbase: sampling.logbase,
	});
}

/** An objective as the REST body of a sweep job holds it. */
export function objectiveBody(value: Objective): JsonObject {
	return { goal: value.goal === 'minimize' ? 'Minimize' : 'Maximize', primaryMetric: value.primaryMetric };
}

/** Early termination as the REST body of a sweep job holds it. A bandit policy always sends both slacks. */
export function earlyTerminationBody(policy: EarlyTermination): JsonObject {
	const { evaluationInterval, delayEvaluation, slackFactor, slackAmount, truncationPercentage } = policy;
	const every = { evaluationInterval, delayEvaluation };
	switch (policy.type) {
		case 'bandit':
			return { policyType: 'Bandit', ...every, slackFactor, slackAmount };
		case 'median_stopping':
			return { policyType: 'MedianStopping', ...every };
		case 'truncation_selection':
			return jsonObject({ policyType: 'TruncationSelection', ...every, truncationPercentage });
	}
}

/** Limits as the REST body of a sweep job holds them. */
export function sweepLimitsBody(limits: SweepLimits): JsonObject {
	return jsonObject({
		jobLimitsType: 'Sweep',
		maxTotalTrials: limits.maxTotalTrials,
		maxConcurrentTrials: limits.maxConcurrentTrials,
		timeout: limits.timeout === undefined ? undefined : isoDuration(limits.timeout),
		trialTimeout: limits.trialTimeout === undefined ? undefined : isoDuration(limits.trialTimeout),
	});
}
