// A batch deployment as CLI v2 writes it, of a model or of a pipeline component, and its REST body.
import type { ComponentFile } from '../asset/component-file.ts';
import type { Dependency } from '../asset/dependency.ts';
import { assetReference, namedId, namedReference, type Reference } from '../asset/reference.ts';
import { isObject, type Json, type JsonObject, jsonObject } from '../json.ts';
import { asText, MapReader, mapping, type Reader, Reading, type Warn, warnLeftOut } from '../yaml/checks.ts';
import { isoDuration } from '../yaml/duration.ts';
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
	readonly resources:
		| {
				readonly instanceCount: number | undefined;
				readonly instanceType?: string | undefined;
				readonly properties: JsonObject;
		  }
		| undefined;
	readonly settings: BatchSettings;
	/** The pipeline component that the deployment runs, and the settings of its runs. */
	readonly component: Dependency | undefined;
	readonly componentSettings: ReadonlyMap<string, string> | undefined;
}

const retries = mapping('retry_settings', (map) => ({
	maxRetries: map.optional('max_retries', integer),
	timeout: map.optional('timeout', integer),
}));

const resources: Reader<NonNullable<BatchDeploymentFile['resources']>> = mapping('resources', (map) => {
	warnLeftOut(map, 'shm_size', 'docker_args', 'locations', 'max_instance_count');
	return {
		instanceCount: map.optional('instance_count', integer),
		instanceType: map.optional('instance_type', text),
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

/** Reads what stands under `component`: a registered pipeline component, the path of a file, or a definition. */
export type ReadPipelineComponent = Reader<Dependency>;

/**
 * Reads a batch deployment file. Throws a `FileError` with every fault. Warnings go to `warn`. Without `component` only
 * registered components are read.
 */
export function readBatchDeployment(
	file: YamlFile,
	warn?: Warn,
	component: ReadPipelineComponent = registeredComponent,
): BatchDeploymentFile {
	const reading = new Reading(file);
	const map = new MapReader(file.root, reading, 'a batch deployment');
	const facts = readDeploymentFacts(map);
	const said = map.optional('type', word('model', 'pipeline'));
	const type = said ?? (map.has('component') || map.has('job_definition') ? 'pipeline' : 'model');
	const deployment = type === 'model' ? readModelDeployment(map, facts) : readPipelineDeployment(map, facts, component);
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

const registeredComponent: ReadPipelineComponent = (node, reading) => ({
	need: 'reference',
	reference: assetReference('components')(node, reading),
});

// A job that has run is made a component by the service. Its definition is not in the checkout, and one in a file has not run.
const jobComponent: Reader<Dependency> = (node, reading) => {
	const written = asText(node)?.text ?? '';
	const [, job] =
		/^azureml:(?:.*\/jobs\/)?([\w-]+)$/.exec(written) ?? /^\/subscriptions\/.*\/jobs\/([\w-]+)$/.exec(written) ?? [];
	if (job === undefined) {
		const next = "To deploy a pipeline from a file, make it a pipeline component and name that under 'component'.";
		reading.fault(node.at, `'job_definition' names a job that has run: azureml:<job name>. ${next}`);
	}
	const component: ComponentFile = {
		type: 'pipeline',
		name: undefined,
		version: undefined,
		dependencies: [],
		description: undefined,
		tags: undefined,
		properties: undefined,
		at: node.at,
		spec: () => ({ type: 'pipeline', jobs: {}, source_job_id: job, sourceJobId: job, _source: 'CLASS' }),
	};
	return { need: 'component', component };
};

function readPipelineDeployment(
	map: MapReader,
	facts: DeploymentFacts,
	readComponent: ReadPipelineComponent,
): BatchDeploymentFile {
	const ofJob = map.optional('job_definition', jobComponent);
	const own = ofJob === undefined ? map.required('component', readComponent) : map.optional('component', readComponent);
	if (ofJob !== undefined && own !== undefined) {
		map.reading.fault(map.at, "A deployment of a pipeline has either 'component' or 'job_definition', not both.");
	}
	const component = own ?? ofJob;
	return {
		...facts,
		type: 'pipeline',
		compute: map.optional('compute', namedReference('computes')),
		resources: undefined,
		settings: readSettings(map, undefined),
		component,
		componentSettings: map.optional('settings', stringMap),
		dependencies: component === undefined ? [] : [component],
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
		: jsonObject({
				instanceCount,
				instanceType: own?.instanceType,
				properties: isObject(own?.properties) ? own.properties : {},
			});
}

function loggingLevel(level: string): string {
	const known = ['Debug', 'Info', 'Warning'];
	return known.find((one) => one.toLowerCase() === level.toLowerCase()) ?? level;
}

function pipelineProperties(file: BatchDeploymentFile, context: EndpointContext): JsonObject {
	const { settings } = file;
	return jsonObject({
		description: file.description,
		properties: Object.fromEntries(file.properties),
		// These concern models; the CLI sends their defaults all the same.
		errorThreshold: settings.errorThreshold ?? -1,
		maxConcurrencyPerInstance: settings.maxConcurrencyPerInstance ?? 1,
		miniBatchSize: settings.miniBatchSize ?? 10,
		outputFileName: settings.outputFileName ?? 'predictions.csv',
		deploymentConfiguration: jsonObject({
			deploymentConfigurationType: 'PipelineComponent',
			componentId: file.component && { referenceType: 'Id', assetId: context.idOf(file.component) },
			settings: file.componentSettings && Object.fromEntries(file.componentSettings),
		}),
	});
}
