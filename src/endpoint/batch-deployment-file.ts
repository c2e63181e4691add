// A batch deployment as CLI v2 writes it, of a model or of a pipeline component, and its REST body.
import type { Dependency } from '../asset/dependency.ts';
import { assetReference, namedId, namedReference, type Reference } from '../asset/reference.ts';
import { asText, MapReader, mapping, type Reader, Reading, type Warn } from '../yaml/checks.ts';
import { isoDuration } from '../yaml/duration.ts';
import { isObject, type Json, type JsonObject, jsonObject } from '../json.ts';
import type { YamlFile } from '../yaml/node.ts';
import { filledText, integer, jsonMap, stringMap, text, word } from '../yaml/values.ts';
import {
	type DeploymentFacts,
	deploymentFactsBody,
	type EndpointContext,
	readDeploymentFacts,
} from './deployment-parts.ts';

/** How a model is fed with mini-batches. Times are in seconds. */
export interface BatchSettings {
	readonly errorThreshold: number | undefined;
	readonly miniBatchSize: number | undefined;
	readonly maxConcurrencyPerInstance: number | undefined;
	readonly loggingLevel: string | undefined;
	readonly outputAction: 'append_row' | 'summary_only' | undefined;
	readonly outputFileName: string | undefined;
	readonly retries: { readonly maxRetries: number | undefined; readonly timeout: number | undefined } | undefined;
	readonly instanceCount: number | undefined;
}

/** A batch deployment as the user wrote it, checked. */
export interface BatchDeploymentFile extends DeploymentFacts {
	readonly type: 'model' | 'pipeline';
	readonly compute: Reference | undefined;
	readonly resources: { readonly instanceCount: number | undefined; readonly properties: JsonObject } | undefined;
	readonly settings: BatchSettings;
	/** The pipeline component that the deployment runs, and the settings of its runs. */
	readonly component: Extract<Dependency, { need: 'reference' }> | undefined;
	readonly componentSettings: ReadonlyMap<string, string> | undefined;
}

const retries = mapping('retry_settings', (map) => ({
	maxRetries: map.optional('max_retries', integer),
	timeout: map.optional('timeout', integer),
}));

const resources: Reader<NonNullable<BatchDeploymentFile['resources']>> = mapping('resources', (map) => {
	map.ignore('instance_type', 'shm_size', 'docker_args', 'locations', 'max_instance_count');
	return {
		instanceCount: map.optional('instance_count', integer),
		properties: map.optional('properties', jsonMap) ?? {},
	};
});

// Newer files keep these under `settings`, older ones at the top.
function readSettings(map: MapReader, within: MapReader | undefined): BatchSettings {
	const either = <T>(key: string, reader: Reader<T>): T | undefined =>
		within?.optional(key, reader) ?? (key === 'instance_count' ? undefined : map.optional(key, reader));
	return {
		errorThreshold: either('error_threshold', integer),
		miniBatchSize: either('mini_batch_size', integer),
		maxConcurrencyPerInstance: either('max_concurrency_per_instance', integer),
		loggingLevel: either('logging_level', filledText),
		outputAction: either('output_action', word('append_row', 'summary_only')),
		outputFileName: either('output_file_name', text),
		retries: either('retry_settings', retries),
		instanceCount: either('instance_count', integer),
	};
}

/** Reads a batch deployment file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readBatchDeployment(file: YamlFile, warn?: Warn): BatchDeploymentFile {
	const reading = new Reading(file);
	const map = new MapReader(file.root, reading, 'a batch deployment');
	const facts = readDeploymentFacts(map);
	const said = map.optional('type', word('model', 'pipeline'));
	const type = said ?? (map.has('component') || map.has('job_definition') ? 'pipeline' : 'model');
	const deployment = type === 'model' ? readModelDeployment(map, facts) : readPipelineDeployment(map, facts);
	map.done();
	reading.finish(warn);
	return deployment;
}

function readModelDeployment(map: MapReader, facts: DeploymentFacts): BatchDeploymentFile {
	const node = map.node('settings');
	const within = node === undefined ? undefined : new MapReader(node, map.reading, 'settings');
	const settings = readSettings(map, within);
	const variables = within?.optional('environment_variables', stringMap);
	within?.done();
	return {
		...facts,
		environmentVariables: variables ?? facts.environmentVariables,
		type: 'model',
		compute: map.required('compute', namedReference('computes')),
		resources: map.optional('resources', resources),
		settings,
		component: undefined,
		componentSettings: undefined,
	};
}

function readPipelineDeployment(map: MapReader, facts: DeploymentFacts): BatchDeploymentFile {
	const node = map.node('component') ?? map.node('job_definition');
	if (node !== undefined && asText(node) === undefined) {
		map.reading.fault(
			node.at,
			'Name a registered pipeline component here: azureml:<name>:<version>. Register it first with `asset-files`.',
		);
	}
	if (map.has('job_definition')) {
		const at = map.node('job_definition')?.at ?? map.at;
		map.reading.fault(
			at,
			"A deployment made from 'job_definition' is not supported. Register the pipeline as a component and name it under 'component'.",
		);
	}
	const text = asText(node);
	const reference: Reference = text
		? assetReference('components')(text, map.reading)
		: { form: 'uri', kind: 'components', uri: '', at: map.at };
	const component = { need: 'reference', reference } as const;
	return {
		...facts,
		type: 'pipeline',
		compute: map.optional('compute', namedReference('computes')),
		resources: undefined,
		settings: readSettings(map, undefined),
		component,
		componentSettings: map.optional('settings', stringMap),
		dependencies: [component],
	};
}

/** The body of `PUT batchEndpoints/{endpoint}/deployments/{name}`. */
export function batchDeploymentBody(file: BatchDeploymentFile, context: EndpointContext): JsonObject {
	return {
		location: context.location,
		tags: Object.fromEntries(file.tags),
		properties: file.type === 'model' ? modelProperties(file, context) : pipelineProperties(file, context),
	};
}

function modelProperties(file: BatchDeploymentFile, context: EndpointContext): JsonObject {
	const { settings, model } = file;
	const outputActions = { append_row: 'AppendRow', summary_only: 'SummaryOnly' };
	return jsonObject({
		...deploymentFactsBody(file, context.idOf),
		model: model && { referenceType: 'Id', assetId: context.idOf(model) },
		compute: file.compute && namedId(context.workspaceId, file.compute),
		resources: resourcesBody(file),
		errorThreshold: settings.errorThreshold,
		miniBatchSize: settings.miniBatchSize,
		maxConcurrencyPerInstance: settings.maxConcurrencyPerInstance,
		loggingLevel: settings.loggingLevel && loggingLevel(settings.loggingLevel),
		outputAction: settings.outputAction && outputActions[settings.outputAction],
		outputFileName: settings.outputFileName,
		retrySettings:
			settings.retries &&
			jsonObject({
				maxRetries: settings.retries.maxRetries,
				timeout: settings.retries.timeout === undefined ? undefined : isoDuration(settings.retries.timeout),
			}),
	});
}

function resourcesBody({ resources: own, settings }: BatchDeploymentFile): Json | undefined {
	const instanceCount = own?.instanceCount ?? settings.instanceCount;
	return own === undefined && instanceCount === undefined
		? undefined
		: jsonObject({ instanceCount, properties: isObject(own?.properties) ? own.properties : {} });
}

function loggingLevel(level: string): string {
	const known = ['Debug', 'Info', 'Warning'];
	return known.find((one) => one.toLowerCase() === level.toLowerCase()) ?? level;
}

function pipelineProperties(file: BatchDeploymentFile, context: EndpointContext): JsonObject {
	return jsonObject({
		description: file.description,
		properties: Object.fromEntries(file.properties),
		deploymentConfiguration: jsonObject({
			deploymentConfigurationType: 'PipelineComponent',
			componentId: file.component && { referenceType: 'Id', assetId: context.idOf(file.component) },
			settings: file.componentSettings && Object.fromEntries(file.componentSettings),
		}),
	});
}
