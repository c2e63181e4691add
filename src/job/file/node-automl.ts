// AutoML nodes of a pipeline: no component, the settings stand in the node itself, in the words of the file.
import type { IdOf } from '../../asset/dependency.ts';
import { type Json, type JsonObject, jsonObject, mapValues } from '../../json.ts';
import type { MapReader } from '../../yaml/checks.ts';
import { automlDependencies } from './automl.ts';
import { type AutoMlSettings, readAutoMlSettings } from './automl-settings.ts';
import type { JobInput } from './inputs-outputs.ts';
import { boundTo, checkBinding, nodeInputBody, type PipelineScope } from './node-io.ts';
import { nodeFactsBody, type PipelineNode, readNodeFacts, unknownMembers } from './node-parts.ts';
import { earlyTerminationNode } from './node-sweep.ts';

/** Reads an AutoML node. */
export function automlNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const facts = readNodeFacts(name, map, scope);
	const settings = readAutoMlSettings(map);
	for (const input of [settings.data.training, settings.data.validation, settings.data.test]) {
		const bound = input && boundTo(input);
		if (input !== undefined && bound !== undefined) {
			checkBinding(bound, input.at, scope, map.reading);
		}
	}
	const extra = unknownMembers(map);
	return {
		name,
		type: 'automl',
		dependencies: automlDependencies(settings),
		compute: facts.compute,
		outputType: (output) => {
			const given = facts.outputs.get(output);
			return given?.form === 'asset' ? (given.output.type ?? 'mltable') : 'mltable';
		},
		body: (context) =>
			jsonObject({
				...extra,
				type: 'automl',
				...nodeFactsBody(facts, context),
				description: facts.description,
				tags: facts.tags ? mapValues(facts.tags, (tag) => tag) : {},
				properties: facts.properties ? mapValues(facts.properties, (property) => property) : {},
				...settingsNode(settings, context.idOf),
			}),
	};
}

function settingsNode(settings: AutoMlSettings, idOf: IdOf): JsonObject {
	const { data, sweep } = settings;
	return jsonObject({
		task: settings.task,
		primary_metric: settings.primaryMetric,
		log_verbosity: settings.logVerbosity,
		target_column_name: settings.targetColumnName,
		training_data: dataNode(data.training, idOf),
		validation_data: data.validation && dataNode(data.validation, idOf),
		test_data: data.test && dataNode(data.test, idOf),
		limits: settings.limits,
		training: settings.training,
		featurization: settings.featurization,
		forecasting: settings.forecasting,
		training_parameters: settings.trainingParameters,
		sweep:
			sweep &&
			jsonObject({
				sampling_algorithm: sweep.sampling.type,
				early_termination: sweep.termination && earlyTerminationNode(sweep.termination),
			}),
		search_space: settings.searchSpace?.map((set) => mapValues(set, (value) => value)),
		...settings.plain,
	});
}

// A binding stands as it is. How the service wants data of a node's own is not documented; inputs of other nodes are
// the model.
function dataNode(input: JobInput, idOf: IdOf): Json {
	return boundTo(input) ?? nodeInputBody(input, idOf);
}
