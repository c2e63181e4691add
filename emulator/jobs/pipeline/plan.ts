// What a pipeline is to do: read from the body of a pipeline job, or from a pipeline component by the node that uses it.
// Says also what the service refuses of a pipeline job.

import { type ArmCall, type Json, objectOf, textOf } from '../../arm/call.ts';
import { pathInWorkspace, References } from '../../arm/references.ts';
import { serviceError } from '../../errors.ts';
import type { JobInput } from '../../execution.ts';
import type { Resource } from '../../state.ts';
import type { NamedOutput } from '../outputs.ts';
import { type Component, componentOf, isTrue, StepError } from './component.ts';
import { GraphError, type PipelineNode, readGraph } from './graph.ts';

/** An output of a pipeline; without a URI the step that writes it chooses the place. */
export type PipelineOutput = Omit<NamedOutput, 'uri'> & { uri?: string | null | undefined };

/** Settings that steps inherit, also those of pipelines inside the pipeline. */
export interface PipelineSettings {
	continueOnStepFailure: boolean;
	forceRerun: boolean;
	/** Name of the datastore for outputs that name no place. */
	datastore: string;
}

/** What a pipeline is made of. */
export interface PipelinePlan {
	runId: string;
	/** Names of the nodes that lead to it from the pipeline job, each after a slash; empty for the job itself. */
	path: string;
	nodes: PipelineNode[];
	inputs: Record<string, JobInput>;
	outputs: Record<string, PipelineOutput>;
	settings: PipelineSettings;
	/** URIs among the inputs that may hold nothing. */
	mayBeEmpty: ReadonlySet<string>;
}

/** Reads a pipeline job as the workspace keeps it; `checkPipeline` took its body before. */
export function pipelineJobPlan(call: ArmCall, job: Resource): PipelinePlan {
	const { properties } = job;
	const parts = partsOf(call, properties);
	return {
		runId: job.name,
		path: '',
		nodes: readGraph(parts.jobs),
		inputs: parts.inputs,
		outputs: parts.outputs,
		settings: readSettings(objectOf(properties['settings'])),
		mayBeEmpty: new Set(),
	};
}

/**
 * Refuses a pipeline job with bindings that cannot be, as the service does. A source output that its component lacks is
 * refused in the service's words; those for the other faults are not confirmed.
 */
export function checkPipeline(call: ArmCall, given: Json): void {
	try {
		const { jobs, inputs, outputs } = partsOf(call, given);
		const references = new References(call.platform, call.names['workspace'] ?? '');
		const nodes = readGraph(jobs);
		const components = new Map(nodes.map((node) => [node.name, knownComponent(references, node)]));
		for (const node of nodes) {
			checkPorts(node, components);
			checkParent(node, inputs, outputs);
		}
	} catch (error) {
		if (!(error instanceof GraphError || error instanceof StepError)) throw error;
		const code = error instanceof GraphError ? error.code : 'InvalidPipelineJob';
		throw serviceError(400, 'UserError', error.message, {
			inner: ['BadArgument', 'ArgumentInvalid', ...new Set(['InvalidPipelineJob', code])],
		});
	}
}

/** The parts of a pipeline job, which may be those of a component that the job runs as it is. */
function partsOf(call: ArmCall, properties: Json) {
	const references = new References(call.platform, call.names['workspace'] ?? '');
	const jobs = objectOf(properties['jobs']);
	const inputs = objectOf(properties['inputs']) as unknown as Record<string, JobInput>;
	const outputs = objectOf(properties['outputs']) as unknown as Record<string, PipelineOutput>;
	const componentId = textOf(properties['componentId']);
	if (componentId === undefined || Object.keys(jobs).length > 0) return { jobs, inputs, outputs };
	const component = componentOf(references, componentId);
	return {
		jobs: objectOf(component.spec['jobs']),
		inputs: { ...defaultsOf(component), ...inputs },
		outputs: { ...outputsOf(component), ...outputs },
	};
}

/** Gives the inputs of a component that have a default. */
export function defaultsOf(component: Component): Record<string, JobInput> {
	const entries = Object.entries(component.inputs).flatMap(([name, { value }]): [string, JobInput][] =>
		value === undefined ? [] : [[name, { jobInputType: 'literal', value }]],
	);
	return Object.fromEntries(entries);
}

/** Gives the outputs of a component as those of a pipeline. */
export function outputsOf(component: Component): Record<string, PipelineOutput> {
	const entries = Object.entries(component.outputs).map(([name, port]): [string, PipelineOutput] => [
		name,
		{ jobOutputType: port.type },
	]);
	return Object.fromEntries(entries);
}

function readSettings(settings: Json): PipelineSettings {
	const store = textOf(settings['default_datastore']);
	return {
		// As the properties of recorded jobs say that a pipeline without the setting has it.
		continueOnStepFailure: isTrue(settings['continue_on_step_failure'] ?? true),
		forceRerun: isTrue(settings['force_rerun'] ?? false),
		datastore: (store && (pathInWorkspace(store) ?? store).split(/[/:]/).pop()) || 'workspaceblobstore',
	};
}

/** The component of a node, where it has one in the workspace; those of registries are not looked up. */
function knownComponent(references: References, node: PipelineNode): Component | undefined {
	const { componentId } = node;
	if (componentId === undefined || /^azureml:\/\/registries\//i.test(componentId)) return undefined;
	return componentOf(references, componentId);
}

function checkPorts(node: PipelineNode, components: Map<string, Component | undefined>): void {
	for (const input of Object.values(node.inputs)) {
		if (input.kind !== 'output') continue;
		const source = components.get(input.job);
		if (!source || Object.hasOwn(source.outputs, input.output)) continue;
		throw new GraphError(
			'SourceComponentPortNotExsit',
			`Invalid binding expression since the source output port ${input.output} of componentJob ${input.job} does not exist.`,
		);
	}
}

function checkParent(
	node: PipelineNode,
	inputs: Record<string, JobInput>,
	outputs: Record<string, PipelineOutput>,
): void {
	for (const [name, input] of Object.entries(node.inputs)) {
		if (input.kind !== 'parent' || Object.hasOwn(inputs, input.name)) continue;
		throw new GraphError(
			'InvalidExpressionInJob',
			`The input ${name} of the job ${node.name} is bound to the input ${input.name}, which the pipeline does not have.`,
		);
	}
	for (const [name, { parentOutput }] of Object.entries(node.outputs)) {
		if (parentOutput === undefined || Object.hasOwn(outputs, parentOutput)) continue;
		throw new GraphError(
			'InvalidExpressionInJob',
			`The output ${name} of the job ${node.name} is bound to the output ${parentOutput}, which the pipeline does not have.`,
		);
	}
}
