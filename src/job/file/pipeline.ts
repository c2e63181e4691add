// A pipeline job: what the user wrote, and its REST body.
import type { Dependency } from '../../asset/dependency.ts';
import { namedId, namedReference, type Reference } from '../../asset/reference.ts';
import { type Json, type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { asText, MapReader, mapOf, mapping, type Reader, type Reading } from '../../yaml/checks.ts';
import { boolean, json, text } from '../../yaml/values.ts';
import { inputDependencies } from './command.ts';
import { nodeComponent } from './component.ts';
import type { BodyContext, JobBody, JobContext } from './context.ts';
import { factsBody, type JobFacts, readFacts, serverlessId } from './facts.ts';
import {
	anyInput,
	inputBody,
	type JobInput,
	type JobOutput,
	jobOutputs,
	outputBody,
	plainOutput,
	warnOfText,
} from './inputs-outputs.ts';
import { literalType } from './node-io.ts';
import { declaredOnly, type PipelineNode } from './node-parts.ts';
import { readNodes } from './nodes.ts';
import { checkInputNames, type Port, port } from './ports.ts';

/** How the nodes of a pipeline run, unless they say otherwise. */
export interface PipelineSettings {
	readonly defaultCompute: Reference | 'serverless' | undefined;
	readonly defaultDatastore: Reference | undefined;
	readonly continueOnStepFailure: boolean | undefined;
	readonly forceRerun: boolean | undefined;
	readonly more: JsonObject;
}

/** A pipeline job as the user wrote it, checked. */
export interface PipelineJobFile extends JobFacts {
	readonly type: 'pipeline';
	readonly inputs: ReadonlyMap<string, JobInput>;
	readonly outputs: ReadonlyMap<string, JobOutput>;
	readonly settings: PipelineSettings;
	readonly nodes: readonly PipelineNode[];
	/** The pipeline component that the job runs instead of nodes of its own. */
	readonly component: Dependency | undefined;
	readonly dependencies: readonly Dependency[];
}

const defaultCompute: Reader<Reference | 'serverless'> = (node, reading) =>
	/^(azureml:)?serverless$/i.test(asText(node)?.text ?? '') ? 'serverless' : namedReference('computes')(node, reading);

const pipelineSettings: Reader<PipelineSettings> = mapping('settings', (map) => {
	map.ignore('_source');
	return {
		defaultCompute: map.optional('default_compute', defaultCompute),
		defaultDatastore: map.optional('default_datastore', namedReference('datastores')),
		continueOnStepFailure: map.optional('continue_on_step_failure', boolean),
		forceRerun: map.optional('force_rerun', boolean),
		// The service knows more settings than the CLI names, and the CLI passes them all on.
		more: Object.fromEntries(map.rest().map((entry): [string, Json] => [entry.key, json(entry.value, map.reading)])),
	};
});

const NO_SETTINGS: PipelineSettings = {
	defaultCompute: undefined,
	defaultDatastore: undefined,
	continueOnStepFailure: undefined,
	forceRerun: undefined,
	more: {},
};

/** A reader of a pipeline job. */
export const pipelineJob: Reader<PipelineJobFile> = (node, reading) => {
	const map = new MapReader(node, reading, 'a pipeline job');
	const facts = readFacts(map);
	const given = map.optional('inputs', mapOf(anyInput)) ?? new Map<string, JobInput>();
	checkInputNames(map.node('inputs'), reading, 'a pipeline');
	const outputs = map.optional('outputs', jobOutputs) ?? new Map<string, JobOutput>();
	const ports = { inputs: inputPorts(given), outputs: outputPorts(outputs), component: nodeComponent };
	const settings = map.optional('settings', pipelineSettings) ?? NO_SETTINGS;
	const nodes = map.optional('jobs', (jobs, within) => readNodes(jobs, ports, within)) ?? [];
	const whole = map.optional('component', (at, within) => nodeComponent(at, within, 'pipeline'));
	const component = whole?.dependency;
	const inputs = inputsSent(
		whole?.form === 'known' ? declaredOnly(given, whole.component.inputs, 'input', map) : given,
		reading,
	);
	map.optional('parent_job_name', text);
	map.done();
	if (nodes.length > 0 === (component !== undefined)) {
		const both = component !== undefined;
		reading.fault(
			map.at,
			both
				? "A pipeline has either 'jobs' or 'component', not both."
				: "A pipeline needs 'jobs' with at least one node.",
		);
	}
	return {
		...facts,
		type: 'pipeline',
		inputs,
		outputs: whole?.form === 'known' ? declaredOutputs(whole.component.outputs, outputs) : outputs,
		settings,
		nodes,
		component,
		dependencies: [
			...inputDependencies(inputs),
			...(component === undefined ? [] : [component]),
			...nodes.flatMap((one) => one.dependencies),
		],
	};
};

// An empty text is no input of a pipeline: the API refuses it, and the CLI leaves it out.
function inputsSent(given: ReadonlyMap<string, JobInput>, reading: Reading): ReadonlyMap<string, JobInput> {
	const sent = new Map<string, JobInput>();
	for (const [name, input] of given) {
		if (input.form === 'literal' && input.value === '') {
			reading.warn(input.at, `The input '${name}' is empty and left out, as the Azure ML CLI leaves it out.`);
		} else {
			warnOfText(input, reading);
			sent.set(name, input);
		}
	}
	return sent;
}

// A pipeline of a component has all outputs that the component declares.
function declaredOutputs(
	declared: ReadonlyMap<string, Port>,
	given: ReadonlyMap<string, JobOutput>,
): ReadonlyMap<string, JobOutput> {
	const missing = [...declared].filter(([name]) => !given.has(name));
	return new Map([...given, ...missing.map(([name, port]) => [name, plainOutput(port.type)] as const)]);
}

function inputPorts(inputs: ReadonlyMap<string, JobInput>): ReadonlyMap<string, Port> {
	return new Map(
		[...inputs].map(([name, input]) => [
			name,
			input.form === 'literal' ? port(literalType(input.node)) : port(input.type, input.mode),
		]),
	);
}

function outputPorts(outputs: ReadonlyMap<string, JobOutput>): ReadonlyMap<string, Port> {
	return new Map([...outputs].map(([name, output]) => [name, port(output.type ?? 'uri_folder', output.mode)]));
}

/** The body of a pipeline job. */
export function pipelineJobBody(file: PipelineJobFile, context: JobContext): JobBody {
	return {
		properties: jsonObject({
			...factsBody(file, context),
			jobType: 'Pipeline',
			inputs: mapValues(file.inputs, (input) => inputBody(input, context.idOf)),
			outputs: mapValues(file.outputs, outputBody),
			componentId: file.component && context.idOf(file.component),
			jobs: mapValues(new Map(file.nodes.map((node) => [node.name, node])), (node): JsonObject => node.body(context)),
			settings: settingsBody(file.settings, context),
		}),
	};
}

function settingsBody(settings: PipelineSettings, { workspaceId }: BodyContext): JsonObject {
	const { defaultCompute: compute, defaultDatastore: datastore } = settings;
	return jsonObject({
		...settings.more,
		default_compute: compute === 'serverless' ? serverlessId(workspaceId) : compute && namedId(workspaceId, compute),
		default_datastore: datastore && namedId(workspaceId, datastore),
		continue_on_step_failure: settings.continueOnStepFailure,
		force_rerun: settings.forceRerun,
		_source: 'YAML.JOB',
	});
}
