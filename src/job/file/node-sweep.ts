// Nodes of a pipeline that sweep over the parameters of a component.

import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import type { MapReader } from '../../yaml/checks.ts';
import { snakeCase } from './component-reference.ts';
import { jobIdentity } from './identity.ts';
import type { PipelineScope } from './node-io.ts';
import {
	checkPorts,
	declaredType,
	leftOut,
	nodeFactsBody,
	nodeInputDependencies,
	ONLY_COMMANDS,
	type PipelineNode,
	readNodeFacts,
	unknownMembers,
	withTextWarnings,
} from './node-parts.ts';
import { jobResources, nodeResourcesBody, queueSettings } from './resources.ts';
import { searchParameterNode, searchSpace } from './search-space.ts';
import {
	type EarlyTermination,
	earlyTermination,
	earlyTerminationBody,
	objective,
	type SamplingAlgorithm,
	samplingAlgorithm,
	sweepLimits,
} from './sweep-settings.ts';

/** Reads a sweep node. */
export function sweepNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const given = readNodeFacts(name, map, scope);
	const trial = map.required('trial', (node, reading) => scope.component(node, reading, 'command'));
	const space = map.required('search_space', searchSpace);
	const sampling = map.required('sampling_algorithm', samplingAlgorithm);
	const samplingIsText = map.node('sampling_algorithm')?.kind !== 'map';
	const goal = map.required('objective', objective);
	const termination = map.optional('early_termination', earlyTermination);
	const limits = map.required('limits', sweepLimits);
	const queue = map.optional('queue_settings', queueSettings);
	const resources = map.optional('resources', jobResources);
	map.optional('identity', (at, within) => {
		jobIdentity(at, within);
		within.warn(
			at.at,
			"'identity' of a sweep node is left out, as the Azure ML CLI leaves it out; give it to the pipeline.",
		);
	});
	leftOut(map, ONLY_COMMANDS, 'services');
	const extra = unknownMembers(map);
	const facts =
		trial.form === 'known' ? checkPorts(given, trial.component, space.keys(), map) : withTextWarnings(given, map);
	return {
		name,
		type: 'sweep',
		dependencies: [trial.dependency, ...nodeInputDependencies(facts)],
		compute: facts.compute,
		outputType: trial.form === 'known' ? declaredType(trial.component.outputs) : () => undefined,
		body: (context) =>
			jsonObject({
				...extra,
				type: 'sweep',
				...nodeFactsBody(facts, context),
				trial: { componentId: context.idOf(trial.dependency) },
				search_space: mapValues(space, searchParameterNode),
				sampling_algorithm: samplingIsText ? sampling.type : samplingNode(sampling),
				objective: { goal: goal.goal, primary_metric: goal.primaryMetric },
				early_termination: termination && terminationBody(termination),
				limits: snakeCase(jsonObject({ ...limits })),
				// Here, and in no other node, in the words of the file.
				queue_settings: queue && snakeCase(jsonObject({ ...queue })),
				resources: resources && snakeCase(nodeResourcesBody(resources)),
				_source: trial.source,
			}),
	};
}

function samplingNode(sampling: SamplingAlgorithm): JsonObject {
	return jsonObject({ ...sampling });
}

// Here in the words of the API, and a bandit policy with the slack that the file gives.
function terminationBody(policy: EarlyTermination): JsonObject {
	const { slackFactor, slackAmount, ...rest } = earlyTerminationBody(policy);
	return snakeCase(
		jsonObject({ ...rest, slackFactor: slackFactor || undefined, slackAmount: slackAmount || undefined }),
	);
}

/** Early termination in the words of the file, as AutoML nodes hold it. */
export function earlyTerminationNode(policy: EarlyTermination): JsonObject {
	const { slackFactor, slackAmount, ...rest } = policy;
	const slack = policy.type === 'bandit' ? { slackFactor, slackAmount } : {};
	return snakeCase(jsonObject({ ...rest, ...slack }));
}
