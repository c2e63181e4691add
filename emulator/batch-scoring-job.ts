// The job behind a request to a batch endpoint, as the body of its PUT: for a model a command that feeds the scoring script
// with mini-batches, for a pipeline component the pipeline. In Azure the former is a pipeline too, with one step.

import { fileURLToPath } from 'node:url';
import { type ArmCall, type Json, objectOf, textOf, workspaceId } from './arm/call.ts';
import { assetReference, References } from './arm/references.ts';
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

const DRIVER = fileURLToPath(new URL('./serving/batch_scoring.py', import.meta.url));

/** Makes the job's `properties`. Throws a 400 that says what is not emulated. */
export function scoringJob(call: ArmCall, request: InvocationRequest): Json {
	const { deployment, properties } = request;
	for (const name of ['outputData', 'outputDataset']) {
		if (properties[name] != null) throw refuse(`${name} is not emulated: scores go to the job's output \`score\`.`);
	}
	const configuration = deployment.properties['deploymentConfiguration'];
	const body = configuration == null ? modelJob(call, request) : pipelineJob(call, request, objectOf(configuration));
	const tags = {
		outputType: 'output_data',
		inputType: 'input_data',
		'azureml.batchrun': 'true',
		'azureml.deploymentname': deployment.name,
		'azureml.jobtype': 'azureml.batchjob',
	};
	return { ...body, experimentName: deployment.id.split('/').at(-3), tags };
}

function refuse(message: string): AnswerError {
	return serviceError(400, 'UserError', message, { inner: ['NotSupported'] });
}

function modelJob(call: ArmCall, { deployment, properties: given, inputs }: InvocationRequest): Json {
	const { properties } = deployment;
	const { codeId, scoringScript } = objectOf(properties['codeConfiguration']);
	const [data, ...others] = Object.entries(inputs).filter(([, { jobInputType }]) => jobInputType !== 'literal');
	if (data === undefined) throw refuse('The request has no input of data for the model. Give one of type UriFolder.');
	if (others.length > 0) throw refuse('A model deployment of the emulator takes one input of data.');
	const model = modelOf(call, properties);
	if (textOf(scoringScript) === undefined && model?.type !== 'mlflow_model') {
		throw refuse('The emulator scores by a scoring script or an MLflow model; this deployment has neither.');
	}
	const retry = objectOf(given['retrySettings'] ?? properties['retrySettings']);
	const options: Record<string, unknown> = {
		data: '${{inputs.data}}',
		output: '${{outputs.score}}',
		'output-file': given['outputFileName'] ?? properties['outputFileName'],
		action: properties['outputAction'],
		'mini-batch-size': given['miniBatchSize'] ?? properties['miniBatchSize'],
		'error-threshold': given['errorThreshold'] ?? properties['errorThreshold'],
		'max-retries': retry['maxRetries'],
		script: scoringScript,
		...(model && { model: '${{inputs.model}}', 'model-name': model.folder }),
	};
	return {
		jobType: 'Command',
		command: ['python', quoted(DRIVER), ...Object.entries(options).flatMap(optionText)].join(' '),
		environmentId: properties['environmentId'] ?? `${workspaceId(call)}/environments/python-stdlib/versions/1`,
		environmentVariables: properties['environmentVariables'],
		...(codeId == null ? {} : { codeId }),
		...(properties['compute'] == null ? {} : { computeId: properties['compute'] }),
		inputs: { data: data[1], ...(model && { model: { jobInputType: 'custom_model', uri: model.uri } }) },
		outputs: { score: { jobOutputType: 'uri_folder' } },
	};
}

function optionText([name, value]: [string, unknown]): string[] {
	if (value == null) return [];
	const text = String(value);
	// What the job fills in is a path of its own.
	return [`--${name}=${text.startsWith('${{') ? text : quoted(text)}`];
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

function pipelineJob(call: ArmCall, { inputs }: InvocationRequest, configuration: Json): Json {
	const id = textOf(objectOf(configuration['componentId'])['assetId']) ?? '';
	const component = new References(call.platform, call.names['workspace'] ?? '').asset(id);
	const spec = objectOf(component?.properties['componentSpec']);
	const jobs = withPlainIds(spec['jobs']);
	if (Object.keys(objectOf(jobs)).length === 0) throw refuse(`The component ${id} is no pipeline with steps.`);
	const outputs = Object.entries(objectOf(spec['outputs'])).map(([name, output]) => [
		name,
		{ jobOutputType: objectOf(output)['type'] ?? 'uri_folder' },
	]);
	return {
		jobType: 'Pipeline',
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
