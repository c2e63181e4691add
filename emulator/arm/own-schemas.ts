// Compact JSON schemas of the bodies that the emulator takes, for where Microsoft's schema is not at hand.
// They hold what a client gets wrong most: discriminators, required members and types.

const text = { type: 'string' };
const words = { type: 'string', minLength: 1, pattern: '[a-zA-Z0-9_]' };
const texts = { type: 'object', additionalProperties: text };
const flag = { type: 'boolean' };
const whole = { type: 'integer' };
const duration = { type: 'string', pattern: '^P(?=.)' };
const asset = { description: text, tags: texts, properties: texts, isAnonymous: flag, isArchived: flag };

function body(properties: object, required: string[] = []): object {
	const inner = { type: 'object', properties, required };
	return { type: 'object', properties: { tags: texts, location: text, properties: inner }, required: ['properties'] };
}

function tagged(discriminator: string, required: string[] = []): object {
	return { type: 'object', required: [discriminator, ...required], properties: { [discriminator]: text } };
}

const kinds = ['uri_file', 'uri_folder', 'mltable', 'custom_model', 'mlflow_model', 'triton_model'];
const input = {
	type: 'object',
	required: ['jobInputType'],
	properties: { jobInputType: { anyCase: ['literal', ...kinds] }, mode: text, uri: words, value: words },
	if: { properties: { jobInputType: { const: 'literal' } } },
	// biome-ignore lint/suspicious/noThenProperty: the keyword of JSON schema
	then: { required: ['value'] },
	else: { required: ['uri'] },
};
const output = { ...tagged('jobOutputType'), properties: { jobOutputType: { anyCase: kinds }, mode: text, uri: text } };
const job = {
	...asset,
	jobType: { enum: ['AutoML', 'Command', 'Pipeline', 'Spark', 'Sweep'] },
	computeId: text,
	displayName: text,
	experimentName: text,
	identity: tagged('identityType'),
	services: { type: 'object' },
	inputs: { type: 'object', additionalProperties: input },
	outputs: { type: 'object', additionalProperties: output },
	environmentVariables: texts,
	limits: {
		type: 'object',
		required: ['jobLimitsType'],
		properties: { jobLimitsType: { anyCase: ['Command', 'Sweep'] }, timeout: duration },
	},
	distribution: tagged('distributionType'),
	resources: { type: 'object', properties: { instanceCount: whole, instanceType: text, shmSize: text } },
};
const requiredByJob: Record<string, string[]> = {
	Command: ['command', 'environmentId'],
	Sweep: ['objective', 'samplingAlgorithm', 'searchSpace', 'trial'],
	AutoML: ['taskDetails'],
	Spark: ['codeId', 'entry'],
};

/** Schemas by kind, as paths below a workspace spell them with underscores for slashes. */
export const OWN_SCHEMAS = {
	jobs: {
		...body({ ...job, command: words, environmentId: words, codeId: text }, ['jobType']),
		allOf: Object.entries(requiredByJob).map(([jobType, required]) => ({
			if: { properties: { properties: { properties: { jobType: { const: jobType } } } } },
			// biome-ignore lint/suspicious/noThenProperty: the keyword of JSON schema
			then: { properties: { properties: { required } } },
		})),
	},
	codes_versions: body({ ...asset, codeUri: text }),
	environments_versions: body({
		...asset,
		image: text,
		condaFile: text,
		osType: { anyCase: ['Linux', 'Windows'] },
		build: { type: 'object', required: ['contextUri'], properties: { contextUri: words, dockerfilePath: text } },
		inferenceConfig: { type: 'object' },
	}),
	data_versions: body({ ...asset, dataType: { anyCase: ['uri_file', 'uri_folder', 'mltable'] }, dataUri: words }, [
		'dataType',
		'dataUri',
	]),
	models_versions: body({
		...asset,
		modelUri: text,
		modelType: text,
		jobName: text,
		flavors: { type: 'object', additionalProperties: { type: 'object', properties: { data: texts } } },
	}),
	components_versions: body({ ...asset, componentSpec: {} }),
	datastores: body({ datastoreType: text, credentials: tagged('credentialsType') }, ['datastoreType', 'credentials']),
	computes: body({ computeType: text, description: text, properties: { type: 'object' } }, ['computeType']),
	onlineEndpoints: body(
		{
			authMode: { anyCase: ['Key', 'AMLToken', 'AADToken'] },
			traffic: { type: 'object', additionalProperties: whole },
			mirrorTraffic: { type: 'object', additionalProperties: whole },
		},
		['authMode'],
	),
	batchEndpoints: body(
		{
			authMode: { anyCase: ['Key', 'AMLToken', 'AADToken'] },
			defaults: { type: 'object', properties: { deploymentName: text } },
			description: text,
			properties: texts,
		},
		['authMode'],
	),
	batchEndpoints_deployments: body({
		model: tagged('referenceType'),
		codeConfiguration: {
			type: 'object',
			required: ['scoringScript'],
			properties: { codeId: text, scoringScript: words },
		},
		environmentId: text,
		environmentVariables: texts,
		compute: text,
		deploymentConfiguration: tagged('deploymentConfigurationType'),
		errorThreshold: whole,
		loggingLevel: { anyCase: ['Debug', 'Info', 'Warning'] },
		maxConcurrencyPerInstance: whole,
		miniBatchSize: whole,
		outputAction: { anyCase: ['AppendRow', 'SummaryOnly'] },
		outputFileName: text,
		resources: { type: 'object', properties: { instanceCount: whole, instanceType: text } },
		retrySettings: { type: 'object', properties: { maxRetries: whole, timeout: duration } },
	}),
	onlineEndpoints_deployments: body(
		{
			endpointComputeType: { anyCase: ['Managed', 'Kubernetes', 'AzureMLCompute'] },
			model: text,
			environmentId: text,
			codeConfiguration: {
				type: 'object',
				required: ['scoringScript'],
				properties: { codeId: text, scoringScript: words },
			},
			instanceType: text,
			environmentVariables: texts,
			requestSettings: { type: 'object', properties: { requestTimeout: duration, maxQueueWait: duration } },
			scaleSettings: tagged('scaleType'),
		},
		['endpointComputeType'],
	),
};
