// What goes into a step and where its outputs go: its ports with the bindings of its node resolved.

import type { JobInput } from '../../execution.ts';
import type { Run } from '../../runs.ts';
import { type Component, type InputPort, isLiteralType, StepError } from './component.ts';
import { fillText, type NodeInput, type PipelineNode } from './graph.ts';
import type { PipelinePlan } from './plan.ts';

/** The inputs of a step, and which of their URIs may hold nothing because an earlier step wrote no file there. */
export interface BoundInputs {
	inputs: Record<string, JobInput>;
	mayBeEmpty: ReadonlySet<string>;
}

/** An output of a step as its node plans it. The URI may hold expressions that each run fills. */
export interface PlannedOutput {
	jobOutputType: string;
	uri?: string;
	mode?: string;
}

/** Resolves the inputs of a step. `sources` gives the completed run of a node. Throws `StepError` for one that lacks. */
export function bindInputs(
	component: Component,
	node: PipelineNode,
	plan: PipelinePlan,
	sources: (job: string) => Run | undefined,
): BoundInputs {
	const inputs: Record<string, JobInput> = {};
	const mayBeEmpty = new Set(plan.mayBeEmpty);
	const names = new Set([...Object.keys(component.inputs), ...Object.keys(node.inputs)]);
	for (const name of names) {
		const port = component.inputs[name];
		const given = node.inputs[name];
		const input = given && resolve(given, port, plan, sources);
		if (input) inputs[name] = input;
		else if (port?.value !== undefined) inputs[name] = typed({ jobInputType: 'literal', value: port.value }, port);
		else if (port && !port.optional && !isSwept(node, name)) {
			throw new StepError(
				`The input ${name} of the job ${node.name} is required by its component ${component.name}. Bind it, or give it.`,
			);
		}
		if (given?.kind === 'output' && input?.uri !== undefined) mayBeEmpty.add(input.uri);
	}
	return { inputs, mayBeEmpty };
}

/** Plans the outputs of a step: the place that the node names, or that of the output of the pipeline which it is. */
export function planOutputs(
	component: Component,
	node: PipelineNode,
	plan: PipelinePlan,
): Record<string, PlannedOutput> {
	const entries = Object.entries(component.outputs).map(([name, port]): [string, PlannedOutput] => {
		const own = node.outputs[name] ?? {};
		const parent = own.parentOutput === undefined ? undefined : plan.outputs[own.parentOutput];
		const uri = own.uri ?? parent?.uri ?? undefined;
		const mode = own.mode ?? parent?.mode ?? port.mode;
		const filled = uri?.replace(/\$\{\{\s*default_datastore\s*\}\}/g, plan.settings.datastore);
		return [
			name,
			{
				jobOutputType: own.type ?? port.type,
				...(filled === undefined ? {} : { uri: filled }),
				...(mode === undefined ? {} : { mode }),
			},
		];
	});
	return Object.fromEntries(entries);
}

function resolve(
	given: NodeInput,
	port: InputPort | undefined,
	plan: PipelinePlan,
	sources: (job: string) => Run | undefined,
): JobInput | undefined {
	if (given.kind === 'text') return { jobInputType: 'literal', value: fillText(given.text, plan.inputs) };
	if (given.kind === 'given') return typed(given.input, port);
	const input =
		given.kind === 'parent'
			? Object.hasOwn(plan.inputs, given.name) && plan.inputs[given.name]
			: outputAsInput(sources(given.job), given.output);
	if (!input) return undefined;
	return typed(given.mode === undefined ? input : { ...input, mode: given.mode }, port);
}

function outputAsInput(run: Run | undefined, output: string): JobInput | undefined {
	const uri = run?.outputUris?.[output];
	return uri === undefined ? undefined : { jobInputType: 'uri_folder', uri };
}

/** Gives an input the type of its port; text for a port that takes data is an address. */
function typed(input: JobInput, port: InputPort | undefined): JobInput {
	if (!port || isLiteralType(port.type)) return input;
	const { value, ...rest } = input;
	const uri = input.uri ?? value;
	const mode = input.mode ?? port.mode;
	return {
		...rest,
		jobInputType: port.type,
		...(uri === undefined ? {} : { uri }),
		...(mode === undefined ? {} : { mode }),
	};
}

/** A hyperparameter of a sweep node is an input that each trial gives. */
function isSwept(node: PipelineNode, name: string): boolean {
	const space = node.body['search_space'];
	return node.type === 'sweep' && typeof space === 'object' && space !== null && name in space;
}
