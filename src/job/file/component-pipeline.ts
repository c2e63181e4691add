// Pipeline components: a pipeline that other pipelines use as one node.

import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import type { MapReader } from '../../yaml/checks.ts';
import { factsSpec, readComponentFacts } from './component-command.ts';
import type { ReadComponent, ReadNodeComponent } from './component-reference.ts';
import { readNodes } from './nodes.ts';

/** Reads a pipeline component. `component` reads the components of its nodes. */
export function pipelineComponent(map: MapReader, component: ReadNodeComponent): ReadComponent {
	const facts = readComponentFacts(map);
	map.ignore('settings');
	const jobs = map.required('jobs', (node, reading) =>
		readNodes(node, { inputs: facts.inputs, outputs: facts.outputs, component }, reading),
	);
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
			properties: facts.properties,
			dependencies: jobs.flatMap((node) => node.dependencies),
			at: facts.at,
			spec: (context) => {
				const { is_deterministic: _, ...own } = factsSpec(facts);
				const nodes = new Map(jobs.map((node) => [node.name, node.body(context)]));
				return jsonObject({
					...own,
					type: 'pipeline',
					jobs: mapValues(nodes, (body) => (context.anonymous === true ? nameless(body) : body)),
					sourceJobId: null,
				});
			},
		},
	};
}

// The CLI leaves out the names of the nodes of an anonymous pipeline, and equal content must give an equal version.
function nameless(body: JsonObject): JsonObject {
	const { name: _, ...rest } = body;
	return rest;
}
