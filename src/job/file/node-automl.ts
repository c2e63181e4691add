// AutoML nodes of a pipeline: no component, the settings stand in the node itself, in the words of the file.
import type { IdOf } from '../../asset/dependency.ts';
import { type Json, type JsonObject, jsonObject, mapValues } from '../../json.ts';
import type { MapReader } from '../../yaml/checks.ts';
import { automlDependencies } from './automl.ts';
import { type AutoMlSettings, readAutoMlSettings } from './automl-settings.ts';
import type { AutoMlTask } from './automl-words.ts';
import { type JobIdentity, jobIdentity } from './identity.ts';
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
	const identity = map.optional('identity', jobIdentity);
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
				...withCompute(nodeFactsBody(facts, context)),
				identity: identity && identityNode(identity),
				description: facts.description,
				tags: facts.tags ? mapValues(facts.tags, (tag) => tag) : {},
				properties: facts.properties ? mapValues(facts.properties, (property) => property) : {},
				...settingsNode(settings, context.idOf),
			}),
	};
}

// Unlike other nodes, an AutoML node has its compute in the words of the file.
function withCompute({ computeId: id, ...rest }: JsonObject): JsonObject {
	return jsonObject({ ...rest, compute: typeof id === 'string' && id.startsWith('/') ? `azureml:${id}` : id });
}

// As in the file, but for the type of a managed one.
function identityNode({ type, clientId, objectId, resourceId }: JobIdentity): JsonObject {
	return jsonObject({
		type: type === 'managed' ? 'managed_identity' : type,
		client_id: clientId,
		object_id: objectId,
		msi_resource_id: resourceId,
	});
}

/** The metrics of nodes that name none, as the CLI fills them in. */
const METRICS: Readonly<Record<AutoMlTask, string>> = {
	classification: 'accuracy',
	regression: 'normalized_root_mean_squared_error',
	forecasting: 'normalized_root_mean_squared_error',
	image_classification: 'accuracy',
	image_classification_multilabel: 'iou',
	image_object_detection: 'mean_average_precision',
	image_instance_segmentation: 'mean_average_precision',
	text_classification: 'accuracy',
	text_classification_multilabel: 'accuracy',
	text_ner: 'accuracy',
};

function featurizationNode(featurization: JsonObject): JsonObject {
	const { blocked_transformers: blocked } = featurization;
	return jsonObject({
		...featurization,
		blocked_transformers: Array.isArray(blocked) ? blocked.map(snakeWord) : blocked,
	});
}

// WordEmbedding as word_embedding.
function snakeWord(word: Json): Json {
	const parted = typeof word === 'string' ? word.replace(/(.)([A-Z][a-z]+)/g, '$1_$2') : word;
	return typeof parted === 'string' ? parted.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase() : parted;
}

function settingsNode(settings: AutoMlSettings, idOf: IdOf): JsonObject {
	const { data, sweep } = settings;
	return jsonObject({
		task: settings.task,
		primary_metric: settings.primaryMetric ?? METRICS[settings.task],
		log_verbosity: settings.logVerbosity,
		target_column_name: settings.targetColumnName,
		training_data: dataNode(data.training, idOf),
		validation_data: data.validation && dataNode(data.validation, idOf),
		test_data: data.test && dataNode(data.test, idOf),
		limits: settings.limits,
		training: settings.training,
		featurization: settings.featurization && featurizationNode(settings.featurization),
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
