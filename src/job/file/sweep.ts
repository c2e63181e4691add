// A sweep job: what the user wrote, and its REST body.
import type { Dependency } from '../../asset/dependency.ts';
import { jsonObject, mapValues } from '../../json.ts';
import { MapReader, mapping, type Reader } from '../../yaml/checks.ts';
import { checkCommand } from '../../yaml/expressions.ts';
import type { YamlNode } from '../../yaml/node.ts';
import { type CommandTrial, inputDependencies, readTrial, trialBody, trialDependencies } from './command.ts';
import type { JobBody, JobContext } from './context.ts';
import { factsBody, type JobFacts, readFacts } from './facts.ts';
import { inputBody, type JobInput, type JobOutput, jobInputs, jobOutputs, outputBody } from './inputs-outputs.ts';
import { type JobResources, ownResources, type QueueSettings, queueBody, queueSettings } from './resources.ts';
import { type SearchParameter, searchParameterBody, searchSpace } from './search-space.ts';
import {
	type EarlyTermination,
	earlyTermination,
	earlyTerminationBody,
	type Objective,
	objective,
	objectiveBody,
	type SamplingAlgorithm,
	type SweepLimits,
	samplingAlgorithm,
	samplingBody,
	sweepLimits,
	sweepLimitsBody,
} from './sweep-settings.ts';

/** A sweep job as the user wrote it, checked. */
export interface SweepJobFile extends JobFacts {
	readonly type: 'sweep';
	readonly trial: CommandTrial;
	readonly inputs: ReadonlyMap<string, JobInput>;
	readonly outputs: ReadonlyMap<string, JobOutput>;
	readonly searchSpace: ReadonlyMap<string, SearchParameter>;
	readonly samplingAlgorithm: SamplingAlgorithm;
	readonly objective: Objective;
	readonly earlyTermination: EarlyTermination | undefined;
	readonly limits: SweepLimits;
	readonly queueSettings: QueueSettings | undefined;
	readonly dependencies: readonly Dependency[];
}

const trialReader: Reader<CommandTrial & { readonly commandNode: YamlNode | undefined }> = mapping('a trial', (map) => {
	map.ignore('$schema', 'type');
	return { ...readTrial(map), commandNode: map.node('command') };
});

/** A reader of a sweep job. */
export const sweepJob: Reader<SweepJobFile> = (node, reading) => {
	const map = new MapReader(node, reading, 'a sweep job');
	const facts = readFacts(map);
	const { commandNode, ...trial } = map.required('trial', trialReader);
	const inputs = map.optional('inputs', jobInputs) ?? new Map<string, JobInput>();
	const outputs = map.optional('outputs', jobOutputs) ?? new Map<string, JobOutput>();
	const space = map.required('search_space', searchSpace);
	const sampling = map.required('sampling_algorithm', samplingAlgorithm);
	const goal = map.required('objective', objective);
	const termination = map.optional('early_termination', earlyTermination);
	const limits = map.required('limits', sweepLimits);
	const queue = map.optional('queue_settings', queueSettings);
	const resources = map.optional('resources', ownResources);
	map.done();
	const names = { inputs: inputs.keys(), outputs: outputs.keys(), searchSpace: space.keys() };
	checkCommand(commandNode, { ...names, singleBraces: true }, reading);
	return {
		...facts,
		type: 'sweep',
		trial: withResources(trial, resources),
		inputs,
		outputs,
		searchSpace: space,
		samplingAlgorithm: sampling,
		objective: goal,
		earlyTermination: termination,
		limits,
		queueSettings: queue,
		dependencies: [...trialDependencies(trial), ...inputDependencies(inputs)],
	};
};

// The API keeps resources with the trial, wherever the file writes them.
function withResources(trial: CommandTrial, resources: JobResources | undefined): CommandTrial {
	return trial.resources === undefined && resources !== undefined ? { ...trial, resources } : trial;
}

/** The body of a sweep job. */
export function sweepJobBody(file: SweepJobFile, context: JobContext): JobBody {
	return {
		properties: jsonObject({
			...factsBody(file, context),
			jobType: 'Sweep',
			trial: trialBody(file.trial, context),
			inputs: mapValues(file.inputs, (input) => inputBody(input, context.idOf)),
			outputs: mapValues(file.outputs, outputBody),
			searchSpace: mapValues(file.searchSpace, searchParameterBody),
			samplingAlgorithm: samplingBody(file.samplingAlgorithm),
			objective: objectiveBody(file.objective),
			earlyTermination: file.earlyTermination && earlyTerminationBody(file.earlyTermination),
			limits: sweepLimitsBody(file.limits),
			queueSettings: file.queueSettings && queueBody(file.queueSettings),
		}),
	};
}
