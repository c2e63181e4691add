// Spark components, from a file or from an inline node.

import { type JsonObject, jsonObject } from '../../json.ts';
import { listOf, type MapReader } from '../../yaml/checks.ts';
import { filledText } from '../../yaml/values.ts';
import { type ComponentFacts, factsSpec, readComponentFacts } from './component-command.ts';
import { type NodeComponent, type ReadComponent, specId } from './component-reference.ts';
import { leftOut, OF_COMPONENT } from './node-parts.ts';
import {
	nodeConf,
	readSparkTask,
	type SparkTask,
	sparkConf,
	sparkEntry,
	sparkFiles,
	specConf,
} from './spark-settings.ts';

/** Reads a Spark component. */
export function sparkComponent(map: MapReader): ReadComponent {
	const facts = readComponentFacts(map);
	map.ignore('resources', 'identity', 'compute');
	return makeSparkComponent(facts, readSparkTask(map));
}

/** Makes a Spark component of its parts. */
export function makeSparkComponent(facts: ComponentFacts, task: SparkTask): ReadComponent {
	const code = task.code ?? ({ need: 'placeholder-code' } as const);
	return {
		inputs: facts.inputs,
		outputs: facts.outputs,
		task: () => sparkNode(task),
		file: {
			type: 'spark',
			name: facts.name,
			version: facts.version,
			description: facts.description,
			tags: facts.tags,
			properties: facts.properties,
			dependencies: task.environment === undefined ? [code] : [code, task.environment],
			at: facts.at,
			spec: ({ idOf }) =>
				jsonObject({
					...factsSpec(facts),
					type: 'spark',
					code: specId(code, idOf),
					environment: task.environment && specId(task.environment, idOf),
					entry: { file: task.entry },
					conf: specConf(task.conf),
					...sparkFiles(task),
					additional_includes: task.includes,
				}),
		},
	};
}

/** What a node repeats of the component that it runs. */
export function sparkNode(task: SparkTask): ReturnType<typeof jsonObject> {
	return jsonObject({
		...sparkFiles(task),
		conf: nodeConf(task.conf),
		entry: entryBody(task.entry),
	});
}

function entryBody(file: string): JsonObject {
	return { spark_job_entry_type: 'SparkJobPythonEntry', file };
}

/**
 * Reads what a node says of the task beside its component, and gives how it changes what the node repeats of it: the
 * configuration goes on top; all else counts only where the service, and not a file, knows the component.
 */
export function besideComponent(
	component: NodeComponent,
	map: MapReader,
): (task: JsonObject | undefined) => JsonObject {
	leftOut(map, OF_COMPONENT, 'args', 'code', 'environment');
	const conf = map.optional('conf', sparkConf);
	if (component.form === 'known') {
		leftOut(map, OF_COMPONENT, 'archives', 'entry', 'files', 'jars', 'py_files');
		return (task = {}) => ({ ...task, conf: { ...(task['conf'] as JsonObject), ...(conf && specConf(conf)) } });
	}
	const entry = map.optional('entry', sparkEntry);
	const lists = ['archives', 'files', 'jars', 'py_files'].map((key) => [key, map.optional(key, listOf(filledText))]);
	return () =>
		jsonObject({
			...Object.fromEntries(lists),
			conf: conf && nodeConf(conf),
			entry: entry === undefined ? undefined : entryBody(entry),
		});
}
