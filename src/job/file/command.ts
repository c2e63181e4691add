// A command job: what the user wrote, and its REST body.
import { codeSource, environmentSource, type Needs } from '../../asset/asset-sources.ts';
import type { Dependency } from '../../asset/dependency.ts';
import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { MapReader, type Reader } from '../../yaml/checks.ts';
import { checkCommand, withDoubleBraces } from '../../yaml/expressions.ts';
import { filledText, text, textMap } from '../../yaml/values.ts';
import type { BodyContext, JobBody, JobContext } from './context.ts';
import { factsBody, type JobFacts, readFacts } from './facts.ts';
import { inputBody, type JobInput, type JobOutput, jobInputs, jobOutputs, outputBody } from './inputs-outputs.ts';
import {
	commandLimits,
	commandLimitsBody,
	type Distribution,
	distribution,
	distributionBody,
	type JobResources,
	ownResources,
	type QueueSettings,
	queueBody,
	queueSettings,
	resourcesBody,
} from './resources.ts';

/** The part of a command that a sweep job tries again and again. */
export interface CommandTrial {
	readonly command: string;
	readonly code: Needs<'code' | 'reference'> | undefined;
	readonly environment: Needs<'environment' | 'reference'>;
	readonly environmentVariables: ReadonlyMap<string, string> | undefined;
	readonly resources: JobResources | undefined;
	readonly distribution: Distribution | undefined;
}

/** A command job as the user wrote it, checked. */
export interface CommandJobFile extends JobFacts, CommandTrial {
	readonly type: 'command';
	readonly inputs: ReadonlyMap<string, JobInput>;
	readonly outputs: ReadonlyMap<string, JobOutput>;
	readonly limits: { readonly timeout: number | undefined } | undefined;
	readonly queueSettings: QueueSettings | undefined;
	readonly dependencies: readonly Dependency[];
}

/** Reads what a command job and the trial of a sweep have in common. */
export function readTrial(map: MapReader): CommandTrial {
	return {
		command: withDoubleBraces(map.required('command', filledText)),
		code: map.optional('code', codeSource),
		environment: map.required('environment', environmentSource),
		environmentVariables: map.optional('environment_variables', textMap),
		resources: map.optional('resources', ownResources),
		distribution: map.optional('distribution', distribution),
	};
}

/** A reader of a command job. */
export const commandJob: Reader<CommandJobFile> = (node, reading) => {
	const map = new MapReader(node, reading, 'a command job');
	const facts = readFacts(map);
	const trial = readTrial(map);
	const inputs = map.optional('inputs', jobInputs) ?? new Map<string, JobInput>();
	const outputs = map.optional('outputs', jobOutputs) ?? new Map<string, JobOutput>();
	const limits = map.optional('limits', commandLimits);
	const queue = map.optional('queue_settings', queueSettings);
	map.optional('parent_job_name', (at, within) => {
		text(at, within);
		within.warn(at.at, "'parent_job_name' is not part of the job API that this action uses and is left out.");
	});
	map.done();
	checkCommand(map.node('command'), { inputs: inputs.keys(), outputs: outputs.keys(), singleBraces: true }, reading);
	const dependencies = [...trialDependencies(trial), ...inputDependencies(inputs)];
	return { ...facts, ...trial, type: 'command', inputs, outputs, limits, queueSettings: queue, dependencies };
};

/** What a trial needs to exist: code, then environment. */
export function trialDependencies(trial: CommandTrial): readonly Dependency[] {
	return trial.code === undefined ? [trial.environment] : [trial.code, trial.environment];
}

/** What inputs need to exist, in their order. */
export function inputDependencies(inputs: ReadonlyMap<string, JobInput>): readonly Dependency[] {
	return [...inputs.values()].flatMap((input) => (input.form === 'asset' ? [input.source] : []));
}

/** The members of a body that a command job and the trial of a sweep have in common. */
export function trialBody(trial: CommandTrial, { idOf }: BodyContext): JsonObject {
	return jsonObject({
		codeId: trial.code && idOf(trial.code),
		command: trial.command,
		environmentId: idOf(trial.environment),
		environmentVariables: mapValues(trial.environmentVariables, (value) => value),
		distribution: trial.distribution && distributionBody(trial.distribution),
		resources: trial.resources && resourcesBody(trial.resources),
	});
}

/** The body of a command job. */
export function commandJobBody(file: CommandJobFile, context: JobContext): JobBody {
	const body = jsonObject({
		...factsBody(file, context),
		jobType: 'Command',
		...trialBody(file, context),
		inputs: mapValues(file.inputs, (input) => inputBody(input, context.idOf)),
		outputs: mapValues(file.outputs, outputBody),
		limits: file.limits && commandLimitsBody(file.limits),
		queueSettings: file.queueSettings && queueBody(file.queueSettings),
	});
	return { properties: file.compute?.form === 'local' ? localBody(body) : body };
}

// A job for the machine's own Docker says so in its environment and in its resources.
function localBody(body: JsonObject): JsonObject {
	const variables = body['environmentVariables'] as JsonObject;
	const resources = (body['resources'] ?? {}) as JsonObject;
	const properties = (resources['properties'] ?? {}) as JsonObject;
	return {
		...body,
		environmentVariables: { ...variables, AZUREML_COMPUTE_USE_COMMON_RUNTIME: 'true' },
		resources: { ...resources, properties: { ...properties, IsLocal: { IsLocal: true } } },
	};
}
