// What the service keeps and shows of a new job, by its type: defaults filled in, services and outputs added.

import type { JobOutput } from '../execution.ts';
import { defaultOutputUri } from '../jobs/outputs.ts';
import { type ArmCall, type Json, objectOf, textOf, workspaceId } from './call.ts';
import { ARTIFACT_DATASTORE } from './datastores.ts';
import { artifactsPath, pathInWorkspace } from './references.ts';
import { trackingUri } from './workspaces.ts';

const FIRST_STATUS: Record<string, string> = {
	Command: 'Starting',
	Pipeline: 'Preparing',
	Sweep: 'Running',
	AutoML: 'NotStarted',
	Spark: 'NotStarted',
};

/** Gives the properties of a new job from those of its PUT. */
export function keptJob(call: ArmCall, name: string, given: Json): Json {
	const jobType = String(given['jobType']);
	const common = {
		...given,
		description: given['description'] ?? null,
		tags: given['tags'] ?? {},
		properties: { ...objectOf(given['properties']), '_azureml.ComputeTargetType': 'amlctrain' },
		displayName: given['displayName'] ?? name,
		status: FIRST_STATUS[jobType] ?? 'NotStarted',
		experimentName: given['experimentName'] ?? 'Default',
		services: { ...objectOf(given['services']), ...services(call, name) },
		computeId: given['computeId'] ?? null,
		isArchived: given['isArchived'] ?? false,
		identity: given['identity'] ?? null,
		componentId: given['componentId'] ?? null,
		jobType,
		inputs: described(objectOf(given['inputs'])),
	};
	const outputs = objectOf(given['outputs']);
	const artifacts = { default: defaultOutput(name) };
	switch (jobType) {
		case 'Command':
			return { ...common, ...ofCommand(given), outputs: { ...placed(name, outputs), ...artifacts } };
		case 'Sweep':
			return { ...common, ...ofSweep(call, name, given), outputs: { ...declared(outputs), ...artifacts } };
		case 'Pipeline':
			return { ...common, ...ofPipeline(given), outputs: declared(outputs) };
		default:
			return {
				...common,
				...(jobType === 'AutoML' ? { resources: ofCommand(given)['resources'] } : {}),
				outputs: { ...placed(name, outputs), ...artifacts },
			};
	}
}

function ofCommand(given: Json): Json {
	const resources = { instanceCount: 1, instanceType: null, properties: null, shmSize: '2g', dockerArgs: null };
	return {
		resources: { ...resources, ...objectOf(given['resources']) },
		codeId: given['codeId'] ?? null,
		distribution: given['distribution'] ?? null,
		limits: given['limits'] ?? null,
		environmentVariables: given['environmentVariables'] ?? {},
		parameters: {},
	};
}

/** A sweep is known to the workspace by tags of the system, which name its limits, its search and later its trials. */
function ofSweep(call: ArmCall, name: string, given: Json): Json {
	const objective = objectOf(given['objective']);
	const goal = String(objective['goal']);
	const metric = JSON.stringify({ name: objective['primaryMetric'], goal: goal.toLowerCase() });
	const { Studio } = services(call, name);
	const trial = objectOf(given['trial']);
	const sampling = objectOf(given['samplingAlgorithm']);
	const ofRandom = /^random$/i.test(String(sampling['samplingAlgorithmType']));
	const resources = { instanceCount: 1, instanceType: null, properties: null, dockerArgs: null };
	return {
		tags: { ...objectOf(given['tags']), ...sweepTags(call, name, given, metric) },
		properties: {
			...objectOf(given['properties']),
			primary_metric_config: metric,
			resume_from: 'null',
			runTemplate: 'HyperDrive',
			'azureml.runsource': 'hyperdrive',
			platform: 'AML',
		},
		services: { ...objectOf(given['services']), Studio },
		samplingAlgorithm: { ...(ofRandom ? { seed: null, logbase: null, rule: 'Random' } : {}), ...sampling },
		limits: { timeout: null, trialTimeout: null, ...objectOf(given['limits']) },
		earlyTermination: given['earlyTermination'] ?? null,
		objective: { ...objective, goal: goal.charAt(0).toUpperCase() + goal.slice(1).toLowerCase() },
		trial: {
			...{ codeId: null, environmentVariables: {}, distribution: null, ...trial },
			resources: { ...resources, ...objectOf(trial['resources']) },
		},
		queueSettings: given['queueSettings'] ?? null,
	};
}

function sweepTags(call: ArmCall, name: string, given: Json, metric: string): Json {
	const limits = objectOf(given['limits']);
	const policy = objectOf(given['earlyTermination']);
	const sampling = objectOf(given['samplingAlgorithm']);
	const generator = {
		name: String(sampling['samplingAlgorithmType']).toUpperCase(),
		parameter_space: given['searchSpace'],
		properties: {},
	};
	const { policyType, ...settings } = policy;
	const platform = {
		SubscriptionId: call.names['subscription'],
		ResourceGroupName: call.names['group'],
		WorkspaceName: call.names['workspace'],
		ExperimentName: given['experimentName'] ?? 'Default',
		ParentRunId: name,
	};
	return {
		_aml_system_max_concurrent_jobs: String(limits['maxConcurrentTrials'] ?? limits['maxTotalTrials'] ?? 1000),
		_aml_system_max_total_jobs: String(limits['maxTotalTrials'] ?? 1000),
		_aml_system_policy_config: JSON.stringify({ name: policyType ?? 'Default', properties: settings }),
		_aml_system_generator_config: JSON.stringify(generator),
		_aml_system_primary_metric_config: metric,
		_aml_system_platform_config: JSON.stringify(platform),
		_aml_system_resume_child_runs: 'null',
		_aml_system_all_jobs_generated: 'false',
		_aml_system_cancellation_requested: 'false',
	};
}

function ofPipeline(given: Json): Json {
	const settings = objectOf(given['settings']);
	const literals = Object.entries(objectOf(given['inputs'])).flatMap(([name, value]) => {
		const input = objectOf(value);
		return input['jobInputType'] === 'literal' ? [[name, String(input['value'])]] : [];
	});
	const compute = lastOf(settings['default_compute'] ?? given['computeId']);
	return {
		properties: {
			...objectOf(given['properties']),
			'azureml.DevPlatv2': 'true',
			'azureml.DatasetAccessMode': 'Asset',
			'azureml.runsource': 'azureml.PipelineRun',
			runSource: 'MFE',
			runType: 'HTTP',
			'azureml.parameters': JSON.stringify(Object.fromEntries(literals)),
			'azureml.continue_on_step_failure': flag(settings['continue_on_step_failure'] ?? true),
			'azureml.continue_on_failed_optional_input': 'True',
			'azureml.enforceRerun': flag(settings['force_rerun'] ?? false),
			...(compute === undefined ? {} : { 'azureml.defaultComputeName': compute }),
			'azureml.defaultDataStoreName': lastOf(settings['default_datastore']) ?? 'workspaceblobstore',
			'azureml.pipelineComponent': 'pipelinerun',
		},
		settings: given['settings'] ?? {},
		jobs: given['jobs'] ?? {},
		sourceJobId: given['sourceJobId'] ?? null,
	};
}

/** Writes a truth value as the properties of a pipeline do. */
function flag(value: unknown): string {
	return /^true$/i.test(String(value)) ? 'True' : 'False';
}

function lastOf(id: unknown): string | undefined {
	const text = textOf(id);
	return text && (pathInWorkspace(text) ?? text).split(/[/:]/).pop();
}

function services(call: ArmCall, name: string): { Tracking: Json; Studio: Json } {
	const { platform } = call;
	const { subscription, group, workspace } = call.names;
	const nothing = { status: null, errorMessage: null, properties: null, nodes: null };
	const scope = `/subscriptions/${subscription}/resourcegroups/${group}/workspaces/${workspace}`;
	const studio = `${platform.origins.arm}/studio/runs/${name}?wsid=${scope}`;
	const tracking = `${trackingUri(platform, workspaceId(call))}?`;
	return {
		Tracking: { jobServiceType: 'Tracking', port: null, endpoint: tracking, ...nothing },
		Studio: { jobServiceType: 'Studio', port: null, endpoint: studio, ...nothing },
	};
}

function described(inputs: Json): Json {
	const entries = Object.entries(inputs).map(([name, input]) => [name, { description: null, ...objectOf(input) }]);
	return Object.fromEntries(entries);
}

/** Gives inputs as the service shows them: with the mode of data that names none. */
export function withModes(inputs: Json): Json {
	const entries = Object.entries(inputs).map(([name, value]) => {
		const input = objectOf(value);
		const mode = input['uri'] != null && input['mode'] == null ? { mode: 'ReadOnlyMount' } : {};
		return [name, { description: null, ...input, ...mode }];
	});
	return Object.fromEntries(entries);
}

/** The service chooses a place for each output whose job names none. */
function placed(job: string, given: Json): Json {
	const entries = Object.entries(given).map(([name, value]) => {
		const output = objectOf(value) as unknown as JobOutput;
		const uri = textOf(output.uri) ?? defaultOutputUri(job, name, output.jobOutputType);
		const rest = { assetName: null, assetVersion: null, mode: 'ReadWriteMount', ...output };
		return [name, { description: null, ...rest, uri: uri.replace(/\$\{\{\s*name\s*\}\}/g, job) }];
	});
	return Object.fromEntries(entries);
}

/** Outputs that children of the job write: the job itself shows no place for them, not even when they are there. */
function declared(given: Json): Json {
	const first = { description: null, uri: null, assetName: null, assetVersion: null, mode: 'ReadWriteMount' };
	const entries = Object.entries(given).map(([name, value]) => [name, { ...first, ...objectOf(value) }]);
	return Object.fromEntries(entries);
}

function defaultOutput(job: string): Json {
	const uri = `azureml://datastores/${ARTIFACT_DATASTORE}/${artifactsPath(job)}`;
	return {
		description: null,
		uri,
		assetName: null,
		assetVersion: null,
		mode: 'ReadWriteMount',
		jobOutputType: 'uri_folder',
	};
}
