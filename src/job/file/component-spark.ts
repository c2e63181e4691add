// Spark components, from a file or from an inline node.

import { jsonObject } from '../../json.ts';
import type { MapReader } from '../../yaml/checks.ts';
import { type ComponentFacts, factsSpec, readComponentFacts } from './component-command.ts';
import { type ReadComponent, specId } from './component-reference.ts';
import { nodeConf, readSparkTask, type SparkTask, sparkFiles, specConf } from './spark-settings.ts';

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
		entry: { spark_job_entry_type: 'SparkJobPythonEntry', file: task.entry },
	});
}
