// The job behind a request to a batch endpoint, as the body of its PUT: a pipeline. For a model it has one step, which feeds
// the scoring script with mini-batches; for a pipeline component it has those of the component.

import { fileURLToPath } from 'node:url';
import { anonymousVersion } from './arm/asset-kinds.ts';
import { registerVersion } from './arm/assets.ts';
import { type ArmCall, type Json, keyOf, objectOf, textOf, workspaceId } from './arm/call.ts';
import { assetReference, pathInWorkspace, References } from './arm/references.ts';
import { serviceError } from './errors.ts';
import type { AnswerError } from './server.ts';
import type { Resource } from './state.ts';

/** A request that has been read. */
export interface InvocationRequest {
	deployment: Resource;
	/** The request's `properties`. */
	properties: Json;
	/** The inputs as a job has them. */
	inputs: Record<string, Json>;
}

/** The step that scores and its output; by these names clients look for the scores. */
const STEP = 'batchscoring';
const OUTPUT = 'score';
const DRIVER = fileURLToPath(new URL('./serving/batch_scoring.py', import.meta.url));

/** Begins a place that is written as the ARM id of its datastore, and a path. */
const STORE_BY_ID = /^(?:azureml:)?\/subscriptions\/.*\/datastores\/([^/]+)\/(?:paths\/)?/i;

/** Types of data, as requests to batch endpoints spell them and as jobs do. */
const DATA_TYPES: Record<string, string> = {
	literal: 'literal',
	urifile: 'uri_file',
	urifolder: 'uri_folder',
	mltable: 'mltable',
	custommodel: 'custom_model',
	mlflowmodel: 'mlflow_model',
	tritonmodel: 'triton_model',
};

/** Gives the type of an input or output as jobs spell it; nothing for one that is none. */
export function dataType(given: unknown): string | undefined {
	return DATA_TYPES[String(given).toLowerCase().replaceAll('_', '')];
}

/** Makes the job's `properties`. Throws a 400 that says what is not emulated. */
export function scoringJob(call: ArmCall, request: InvocationRequest): Json {
	const { deployment, properties } = request;
	const configuration = deployment.properties['deploymentConfiguration'];
	const isModel = configuration == null;
	const body = isModel ? modelJob(call, request) : pipelineJob(call, request, objectOf(configuration));
	const tags = {
		outputType: 'output_data',
		inputType: 'input_data',
		'azureml.batchrun': 'true',
		'azureml.deploymentname': deployment.name,
		// The second is what azure-ai-ml tells the jobs of pipeline components by.
		'azureml.jobtype': isModel ? 'azureml.batchjob' : 'azureml.pipelinejob',
	};
	const experiment = textOf(objectOf(properties['properties'])['experimentName']);
	return { jobType: 'Pipeline', ...body, experimentName: experiment ?? deployment.id.split('/').at(-3), tags };
}

function refuse(message: string): AnswerError {
	return serviceError(400, 'UserError', message, { inner: ['NotSupported'] });
}

function modelJob(call: ArmCall, { deployment, properties: given, inputs }: InvocationRequest): Json {
	const { properties } = deployment;
	const [data, ...others] = Object.values(inputs).filter(({ jobInputType }) => jobInputType !== 'literal');
	if (data === undefined) throw refuse('The request has no input of data for the model. Give one of type UriFolder.');
	if (others.length > 0) throw refuse('A model deployment of the emulator takes one input of data.');
	const model = modelOf(call, properties);
	if (
		textOf(objectOf(properties['codeConfiguration'])['scoringScript']) === undefined &&
		model?.type !== 'mlflow_model'
	) {
		throw refuse('The emulator scores by a scoring script or an MLflow model; this deployment has neither.');
	}
	const score = outputOf(given);
	const component = stepComponent(call, {
		...stepSpec(call, properties, scoringCommand(properties, given, model?.folder)),
		inputs: { data: { type: data['jobInputType'] }, ...(model && { model: { type: 'custom_model' } }) },
		outputs: { [OUTPUT]: { type: score['jobOutputType'] } },
	});
	const bound = (kind: string, name: string) => ({ job_input_type: 'literal', value: `\${{parent.${kind}.${name}}}` });
	const step = {
		type: 'command',
		componentId: component,
		...(properties['compute'] == null ? {} : { computeId: properties['compute'] }),
		environment_variables: objectOf(properties['environmentVariables']),
		inputs: { data: bound('inputs', 'data'), ...(model && { model: bound('inputs', 'model') }) },
		outputs: { [OUTPUT]: { type: 'literal', value: `\${{parent.outputs.${OUTPUT}}}` } },
	};
	return {
		jobs: { [STEP]: step },
		settings: { continue_on_step_failure: false },
		inputs: { data, ...(model && { model: { jobInputType: 'custom_model', uri: model.uri } }) },
		outputs: { [OUTPUT]: score },
	};
}

/** Where the scores go: a place of the request's, in either of the two ways that clients name it, or one of the service's. */
function outputOf(given: Json): Json {
	const [named, ...others] = Object.values(objectOf(given['outputData'])).map(objectOf);
	if (others.length > 0) throw refuse(`A model deployment has one output, and the request names ${others.length + 1}.`);
	if (named !== undefined) {
		const output = namedOutput(OUTPUT, named);
		if (output['jobOutputType'] !== 'uri_file') throw refuse(outputTypeFault(output['jobOutputType']));
		return output;
	}
	if (given['outputDataset'] == null) return { jobOutputType: 'uri_folder' };
	const { datastoreId, path } = objectOf(given['outputDataset']);
	const store = textOf(datastoreId);
	if (store === undefined) throw refuse('The outputDataset of the request has no datastoreId.');
	const name = (pathInWorkspace(store) ?? store).split(/[/:]/).at(-1);
	const folder = (textOf(path) ?? '').replace(/^\/+|\/+$/g, '');
	return { jobOutputType: 'uri_folder', uri: `azureml://datastores/${name}/paths/${folder}/` };
}

function namedOutput(name: string, { jobOutputType, uri, mode }: Json): Json {
	const type = dataType(jobOutputType);
	if (type === undefined) throw refuse(`The output ${name} has the jobOutputType ${jobOutputType}, which is none.`);
	// Clients put the id of a datastore into it.
	const place = textOf(uri)?.replace(STORE_BY_ID, 'azureml://datastores/$1/paths/');
	return { jobOutputType: type, ...(place === undefined ? {} : { uri: place }), ...(mode == null ? {} : { mode }) };
}

/** In the service's words, as users report them. */
function outputTypeFault(given: unknown): string {
	const fault = {
		PropertyName: 'OutputData.Values[0].JobOutputType',
		ErrorMessage: "Job output type must be 'uri_file'.",
		AttemptedValue: given,
		ErrorCode: 'PredicateValidator',
	};
	const intro = 'The Job request provided has the following validation errors. Please resolve them and try again.';
	return `${intro}\nErrors:\n${JSON.stringify([fault], null, 2)}`;
}

function scoringCommand(properties: Json, given: Json, modelName: string | undefined): string {
	const retry = objectOf(given['retrySettings'] ?? properties['retrySettings']);
	const options: Record<string, unknown> = {
		data: '${{inputs.data}}',
		output: `\${{outputs.${OUTPUT}}}`,
		'output-file': given['outputFileName'] ?? properties['outputFileName'],
		action: properties['outputAction'],
		'mini-batch-size': given['miniBatchSize'] ?? properties['miniBatchSize'],
		'error-threshold': given['errorThreshold'] ?? properties['errorThreshold'],
		'max-retries': retry['maxRetries'],
		script: objectOf(properties['codeConfiguration'])['scoringScript'],
		...(modelName === undefined ? {} : { model: '${{inputs.model}}', 'model-name': modelName }),
	};
	return ['python', quoted(DRIVER), ...Object.entries(options).flatMap(optionText)].join(' ');
}

function stepSpec(call: ArmCall, properties: Json, command: string): Json {
	const codeId = textOf(objectOf(properties['codeConfiguration'])['codeId']);
	const environment = properties['environmentId'] ?? `${workspaceId(call)}/environments/python-stdlib/versions/1`;
	return {
		type: 'command',
		command,
		environment,
		...(codeId === undefined ? {} : { code: codeId }),
		// Each request scores anew, whatever was scored before.
		is_deterministic: 'False',
	};
}

/**
 * Gives the id of a component like that of the service's, of which only the name is known. It is the service's own and
 * not listed.
 */
function stepComponent(call: ArmCall, spec: Json): string {
	const componentSpec = { name: STEP, ...spec };
	const version = anonymousVersion({ componentSpec });
	const common = { description: null, tags: {}, properties: {}, isArchived: true, isAnonymous: true };
	const made = registerVersion(call, 'components', STEP, version, { ...common, componentSpec });
	const container = call.platform.state.resources.get(keyOf(call, 'components', STEP));
	if (container) container.properties['isArchived'] = true;
	return made.id;
}

function optionText([name, value]: [string, unknown]): string[] {
	if (value == null) return [];
	const text = String(value);
	return [`--${name}=${text.startsWith('${{') ? `"${text}"` : quoted(text)}`];
}

function quoted(text: string): string {
	return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The model of a deployment: where it is stored, of what type, and what its folder is called where scripts look for it. */
function modelOf(call: ArmCall, properties: Json): { uri: string; type: string; folder: string } | undefined {
	const id = textOf(objectOf(properties['model'])['assetId']);
	if (id === undefined) return undefined;
	const asset = new References(call.platform, call.names['workspace'] ?? '').asset(id);
	const uri = assetReference(id) ? (textOf(asset?.properties['modelUri']) ?? id) : id;
	const folder = decodeURIComponent(uri.replace(/\/+$/, '').split('/').at(-1) || 'model');
	return { uri, type: String(asset?.properties['modelType'] ?? ''), folder };
}

function pipelineJob(call: ArmCall, { inputs, properties }: InvocationRequest, configuration: Json): Json {
	if (properties['outputDataset'] != null) throw refuse('outputDataset is for models. Name the outputs in outputData.');
	const id = textOf(objectOf(configuration['componentId'])['assetId']) ?? '';
	const component = new References(call.platform, call.names['workspace'] ?? '').asset(id);
	const spec = objectOf(component?.properties['componentSpec']);
	const jobs = withPlainIds(spec['jobs']);
	if (Object.keys(objectOf(jobs)).length === 0) throw refuse(`The component ${id} is no pipeline with steps.`);
	const outputs = Object.entries(objectOf(spec['outputs'])).map(([name, output]) => {
		const given = objectOf(objectOf(properties['outputData'])[name]);
		const first = { jobOutputType: objectOf(output)['type'] ?? 'uri_folder' };
		return [name, given['uri'] === undefined ? first : { ...first, ...namedOutput(name, given) }];
	});
	return {
		jobs,
		inputs,
		outputs: Object.fromEntries(outputs),
		settings: settingsOf(call, objectOf(configuration['settings'])),
	};
}

/** A deployment names its compute, a pipeline job has the id of it. */
function settingsOf(call: ArmCall, settings: Json): Json {
	const compute = textOf(settings['default_compute'])?.replace(/^azureml:/, '');
	if (compute === undefined) return settings;
	const id = compute.startsWith('/') ? compute : `${workspaceId(call)}/computes/${compute}`;
	return { ...settings, default_compute: id };
}

/** A component writes `azureml:` before the ids that a job has plain. */
function withPlainIds(value: unknown): unknown {
	if (typeof value === 'string') return value.replace(/^azureml:(?=\/subscriptions\/)/i, '');
	if (Array.isArray(value)) return value.map(withPlainIds);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withPlainIds(one)]));
}
