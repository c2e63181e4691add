// A standalone Spark job: what the user wrote, and its REST body.
import type { Dependency } from '../../asset/dependency.ts';
import { jsonObject, mapValues } from '../../json.ts';
import { MapReader, type Reader } from '../../yaml/checks.ts';
import { checkCommand } from '../../yaml/expressions.ts';
import { inputDependencies } from './command.ts';
import type { JobBody, JobContext } from './context.ts';
import { factsBody, type JobFacts, readFacts } from './facts.ts';
import { inputBody, type JobInput, type JobOutput, jobInputs, jobOutputs, outputBody } from './inputs-outputs.ts';
import {
	checkConf,
	jobConf,
	readSparkTask,
	type SparkResources,
	type SparkTask,
	sparkResources,
} from './spark-settings.ts';

/** A Spark job as the user wrote it, checked. */
export interface SparkJobFile extends JobFacts {
	readonly type: 'spark';
	readonly task: SparkTask;
	readonly inputs: ReadonlyMap<string, JobInput>;
	readonly outputs: ReadonlyMap<string, JobOutput>;
	readonly resources: SparkResources | undefined;
	readonly dependencies: readonly Dependency[];
}

/** A reader of a Spark job. */
export const sparkJob: Reader<SparkJobFile> = (node, reading) => {
	const map = new MapReader(node, reading, 'a Spark job');
	const facts = readFacts(map);
	const task = readSparkTask(map);
	const inputs = map.optional('inputs', jobInputs) ?? new Map<string, JobInput>();
	const outputs = map.optional('outputs', jobOutputs) ?? new Map<string, JobOutput>();
	const resources = map.optional('resources', sparkResources);
	map.done();
	checkConf(task, map);
	checkCommand(map.node('args'), { inputs: inputs.keys(), outputs: outputs.keys() }, reading);
	checkModes(inputs, outputs, map);
	if (task.code === undefined) {
		reading.fault(map.at, "A Spark job needs the key 'code', the folder that holds its entry.");
	}
	if ((facts.compute?.form === 'named') === (resources !== undefined)) {
		reading.fault(map.at, "A Spark job has either 'compute' (an attached pool) or 'resources' (a serverless one).");
	}
	const needs = [task.code, task.environment].filter((one): one is NonNullable<typeof one> => one !== undefined);
	return {
		...facts,
		identity: facts.identity ?? defaultIdentity(resources),
		type: 'spark',
		task,
		inputs,
		outputs,
		resources,
		dependencies: [...needs, ...inputDependencies(inputs)],
	};
};

/** The identity of a Spark job that names none: the user's on a serverless pool, the pool's own on an attached one. */
export function defaultIdentity(resources: SparkResources | undefined): NonNullable<JobFacts['identity']> {
	const type = resources === undefined ? 'managed' : 'user_identity';
	return { type, clientId: undefined, objectId: undefined, resourceId: undefined };
}

function checkModes(
	inputs: ReadonlyMap<string, JobInput>,
	outputs: ReadonlyMap<string, JobOutput>,
	map: MapReader,
): void {
	for (const [name, input] of inputs) {
		if (input.form === 'asset' && input.mode !== 'direct') {
			map.reading.fault(input.at, `The input '${name}' of a Spark job needs 'mode: direct'; Spark reads it in place.`);
		}
	}
	for (const [name, output] of outputs) {
		if (output.mode !== 'direct') {
			map.reading.fault(
				output.at,
				`The output '${name}' of a Spark job needs 'mode: direct'; Spark writes it in place.`,
			);
		}
	}
}

/** The body of a Spark job. */
export function sparkJobBody(file: SparkJobFile, context: JobContext): JobBody {
	const { task } = file;
	return {
		properties: jsonObject({
			...factsBody(file, context),
			jobType: 'Spark',
			codeId: task.code && context.idOf(task.code),
			environmentId: task.environment && context.idOf(task.environment),
			entry: { sparkJobEntryType: 'SparkJobPythonEntry', file: task.entry },
			conf: jobConf(task.conf),
			args: task.args,
			pyFiles: task.pyFiles,
			jars: task.jars,
			files: task.files,
			archives: task.archives,
			inputs: mapValues(file.inputs, (input) => inputBody(input, context.idOf)),
			outputs: mapValues(file.outputs, outputBody),
			resources: file.resources && { ...file.resources },
		}),
	};
}
