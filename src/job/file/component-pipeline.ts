// Pipeline components: a pipeline that other pipelines use as one node.
import type { MapReader } from '../../yaml/checks.ts';
import { type JsonObject, jsonObject, mapValues } from '../../yaml/json.ts';
import { factsSpec, readComponentFacts } from './component-command.ts';
import type { ReadComponent } from './component-reference.ts';
import { readNodes } from './nodes.ts';

/** Reads a pipeline component. */
export function pipelineComponent(map: MapReader): ReadComponent {
	const facts = readComponentFacts(map);
	map.ignore('settings');
	const jobs = map.required('jobs', (node, reading) => readNodes(node, { inputs: facts.inputs, outputs: facts.outputs }, reading));
	return {
		inputs: facts.inputs,
		outputs: facts.outputs,
		task: undefined,
		file: {
			type: 'pipeline',
			name: facts.name,
			version: facts.version,
			description: facts.description,
			tags: facts.tags,
			properties: undefined,
			dependencies: jobs.flatMap((node) => node.dependencies),
			at: facts.at,
			spec: (context) => {
				const { is_deterministic: _, ...own } = factsSpec(facts);
				return jsonObject({
					...own,
					type: 'pipeline',
					jobs: mapValues(new Map(jobs.map((node) => [node.name, node])), (node): JsonObject => node.body(context)),
					sourceJobId: null,
				});
			},
		},
	};
}

