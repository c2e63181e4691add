// What a sweep is to do: read from the body of a sweep job, or made by a pipeline of its sweep node. Says also what the
// service refuses of it.

import { type Json, objectOf, textOf } from '../../arm/call.ts';
import { durationMilliseconds } from '../../compute/duration.ts';
import { serviceError } from '../../errors.ts';
import type { Distribution, JobInput } from '../../execution.ts';
import type { Resource } from '../../state.ts';
import { distributionOf } from '../distribution.ts';
import type { NamedOutput } from '../outputs.ts';
import { type Policy, readPolicy } from './early-termination.ts';
import { readSearchSpace, type SearchSpace, SearchSpaceError } from './search-space.ts';

/** How the trials get their values. */
export interface Sampling {
	type: 'random' | 'grid' | 'bayesian';
	/** Without one, each sweep draws other values. */
	seed?: number;
	/** Of random sampling: `random` or `sobol`. */
	rule: string;
}

/** An output of each trial; without a URI the service chooses a place. */
export type TrialOutput = Omit<NamedOutput, 'uri'> & { uri?: string | null | undefined };

/** What a sweep is made of. Durations are milliseconds. */
export interface SweepPlan {
	runId: string;
	space: SearchSpace;
	sampling: Sampling;
	goal: string;
	primaryMetric: string;
	maxTotalTrials: number;
	maxConcurrentTrials: number;
	timeout?: number;
	trialTimeout?: number;
	policy?: Policy;
	command: string;
	codeUri?: string;
	environmentVariables: Record<string, string>;
	/** How each trial is distributed. */
	distribution?: Distribution | undefined;
	inputs: Record<string, JobInput>;
	outputs: Record<string, TrialOutput>;
	/** URIs among the inputs that may hold nothing. */
	mayBeEmpty?: ReadonlySet<string>;
	/** Where outputs go that name no place. */
	datastore?: string;
	/** What the ARM job of each trial has in common; absent for a sweep inside a pipeline, whose trials are none. */
	trialJob?: Json;
}

/** What the service allows at most, and has when a sweep names no limit. */
const MOST_TRIALS = 1000;

/** Reads a sweep job as the workspace keeps it. */
export function sweepJobPlan({ name, properties }: Resource): SweepPlan {
	const trial = objectOf(properties['trial']);
	const { codeId, command, environmentId, environmentVariables, resources, distribution } = trial;
	const codeUri = textOf(codeId);
	const { experimentName, computeId, inputs, identity } = properties;
	const { default: _, ...outputs } = objectOf(properties['outputs']);
	return {
		...sweepPlan(name, {
			searchSpace: properties['searchSpace'],
			sampling: objectOf(properties['samplingAlgorithm']),
			objective: objectOf(properties['objective']),
			limits: objectOf(properties['limits']),
			earlyTermination: objectOf(properties['earlyTermination']),
		}),
		command: String(command),
		...(codeUri === undefined ? {} : { codeUri }),
		environmentVariables: objectOf(environmentVariables) as Record<string, string>,
		distribution: distributionOf(distribution, resources),
		inputs: objectOf(inputs) as Record<string, JobInput>,
		outputs: outputs as Record<string, TrialOutput>,
		trialJob: {
			...{ jobType: 'Command', experimentName, computeId, inputs, identity, codeId, environmentId },
			...{ environmentVariables, resources, distribution },
		},
	};
}

/** The parts of a sweep that say how it searches, as a sweep job and a sweep node both have them. */
export interface SearchParts {
	searchSpace: unknown;
	sampling: Json;
	objective: Json;
	limits: Json;
	earlyTermination: Json;
}

/** What a sweep does, apart from its trials' command. Throws `SearchSpaceError` for a search space that is none. */
export type Search = Omit<SweepPlan, 'command' | 'environmentVariables' | 'inputs' | 'outputs'>;

/** Reads the parts that say how a sweep searches, with names in camel case or snake case. */
export function sweepPlan(runId: string, parts: SearchParts): Search {
	const { sampling, objective, limits, earlyTermination } = parts;
	const type = (textOf(sampling['samplingAlgorithmType']) ?? textOf(sampling['type']) ?? 'random').toLowerCase();
	const seed = sampling['seed'] == null ? undefined : Number(sampling['seed']);
	const most = count(limits['maxTotalTrials'] ?? limits['max_total_trials'], MOST_TRIALS);
	const timeout = duration(limits['timeout']);
	const trialTimeout = duration(limits['trialTimeout'] ?? limits['trial_timeout']);
	const policy = readPolicy(earlyTermination);
	return {
		runId,
		space: readSearchSpace(parts.searchSpace),
		sampling: {
			type: type === 'grid' || type === 'bayesian' ? type : 'random',
			rule: textOf(sampling['rule']) ?? 'random',
			...(seed === undefined || Number.isNaN(seed) ? {} : { seed }),
		},
		goal: String(objective['goal'] ?? 'minimize').toLowerCase(),
		primaryMetric: String(objective['primaryMetric'] ?? objective['primary_metric']),
		maxTotalTrials: most,
		maxConcurrentTrials: Math.min(most, count(limits['maxConcurrentTrials'] ?? limits['max_concurrent_trials'], most)),
		...(timeout === undefined ? {} : { timeout }),
		...(trialTimeout === undefined ? {} : { trialTimeout }),
		...(policy === undefined ? {} : { policy }),
	};
}

/**
 * Refuses a sweep whose search space cannot be sampled as asked: a grid wants choices only, Bayesian sampling choices
 * and uniform distributions. The rules are documented; the words of the refusal, and that it comes at once, are not.
 */
export function checkSweep(parts: SearchParts): void {
	try {
		const { space, sampling } = sweepPlan('', parts);
		for (const [name, distribution] of space.parameters) {
			const isChoice = distribution.kind === 'choice';
			const isUniform = distribution.kind === 'uniform' && !distribution.log;
			if (isChoice || sampling.type === 'random' || (sampling.type === 'bayesian' && isUniform)) continue;
			const wanted = sampling.type === 'grid' ? 'choice' : 'choice, uniform and quniform';
			throw new SearchSpaceError(
				`The ${sampling.type} sampling algorithm does not take the distribution of ${name}. It takes ${wanted}.`,
			);
		}
	} catch (error) {
		if (!(error instanceof SearchSpaceError)) throw error;
		throw serviceError(400, 'UserError', error.message, {
			inner: ['BadArgument', 'ArgumentInvalid'],
			target: 'properties.searchSpace',
		});
	}
}

function count(given: unknown, fallback: number): number {
	const number = Number(given ?? Number.NaN);
	return Number.isFinite(number) && number > 0 ? Math.min(number, MOST_TRIALS) : fallback;
}

/** A job has ISO 8601 durations, a node numbers of seconds; both give milliseconds. */
function duration(given: unknown): number | undefined {
	if (given == null) return undefined;
	const seconds = Number(given);
	return Number.isFinite(seconds) ? seconds * 1000 : durationMilliseconds(String(given));
}
