// The nodes of a pipeline and what they are bound to, read from the free-form `jobs` of its body. Pure.

import { isObject, type Json, objectOf, textOf } from '../../arm/call.ts';
import type { JobInput } from '../../execution.ts';

/** An input of a node: given as it is, or bound to an input of the pipeline or to an output of another node. */
export type NodeInput =
	| { kind: 'given'; input: JobInput }
	| { kind: 'parent'; name: string; mode?: string }
	| { kind: 'output'; job: string; output: string; mode?: string }
	/** A text with inputs of the pipeline inside it. */
	| { kind: 'text'; text: string };

/** An output of a node: where it goes, and as what it is registered. */
export interface NodeOutput {
	/** The output of the pipeline that it is. */
	parentOutput?: string;
	type?: string;
	uri?: string;
	mode?: string;
	assetName?: string;
	assetVersion?: string;
}

/** A node of a pipeline. `body` is all that was sent of it, in snake case. */
export interface PipelineNode {
	name: string;
	type: string;
	componentId?: string;
	body: Json;
	inputs: Record<string, NodeInput>;
	outputs: Record<string, NodeOutput>;
}

/** A pipeline that cannot be; `code` is the innermost code of the service's refusal, where that is known. */
export class GraphError extends Error {
	readonly code: string;

	/** `code` as in the deepest `InnerError`. */
	constructor(code: string, message: string) {
		super(message);
		this.code = code;
	}
}

const WHOLE = /^\s*\$\{\{\s*([^}]*?)\s*\}\}\s*$/;
const ANY = /\$\{\{\s*([^}]*?)\s*\}\}/g;
const PARENT_INPUT = /^parent\.inputs\.([^.\s]+)$/;
const JOB_OUTPUT = /^parent\.jobs\.([^.\s]+)\.outputs\.([^.\s]+)$/;
const PARENT_OUTPUT = /^parent\.outputs\.([^.\s]+)$/;

/** Reads the nodes of a pipeline. Throws `GraphError` for bindings that cannot be. */
export function readGraph(jobs: Json): PipelineNode[] {
	const nodes = Object.entries(jobs).map(([name, body]) => readNode(name, objectOf(body)));
	checkOrder(nodes);
	return nodes;
}

/** Gives the names of the nodes whose outputs a node takes. */
export function sourcesOf(node: PipelineNode): string[] {
	return Object.values(node.inputs).flatMap((input) => (input.kind === 'output' ? [input.job] : []));
}

/** Fills inputs of the pipeline into a text. Throws `GraphError` for one that it does not have. */
export function fillText(text: string, inputs: Record<string, JobInput>): string {
	return text.replace(ANY, (whole, expression: string) => {
		const name = PARENT_INPUT.exec(expression)?.[1];
		if (name === undefined) return whole;
		const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
		if (input === undefined) throw new GraphError('InvalidExpressionInJob', `The pipeline has no input ${name}.`);
		return input.value ?? input.uri ?? '';
	});
}

function readNode(name: string, body: Json): PipelineNode {
	const type = (textOf(body['type']) ?? 'command').toLowerCase();
	const componentId = textOf(body['componentId']) ?? textOf(objectOf(body['trial'])['componentId']);
	return {
		name,
		type,
		...(componentId === undefined ? {} : { componentId }),
		body,
		inputs: mapped(objectOf(body['inputs']), readInput),
		outputs: mapped(objectOf(body['outputs']), readOutput),
	};
}

function readInput(given: unknown): NodeInput {
	const input = isObject(given) ? given : { value: given };
	const mode = textOf(input['mode']);
	const withMode = mode === undefined ? {} : { mode };
	const text = textOf(input['value']) ?? textOf(input['uri']);
	const expression = WHOLE.exec(text ?? '')?.[1];
	if (expression !== undefined) {
		const parent = PARENT_INPUT.exec(expression)?.[1];
		if (parent !== undefined) return { kind: 'parent', name: parent, ...withMode };
		const [, job, output] = JOB_OUTPUT.exec(expression) ?? [];
		if (job !== undefined && output !== undefined) return { kind: 'output', job, output, ...withMode };
		throw invalidExpression(expression);
	}
	if (text !== undefined && /\$\{\{\s*parent\./.test(text)) {
		const odd = [...text.matchAll(ANY)].map(([, inner]) => inner ?? '').find((inner) => !PARENT_INPUT.test(inner));
		if (odd !== undefined) throw invalidExpression(odd);
		return { kind: 'text', text };
	}
	const type = textOf(input['job_input_type']) ?? textOf(input['jobInputType']) ?? 'literal';
	const uri = textOf(input['uri']);
	if (uri !== undefined) return { kind: 'given', input: { jobInputType: type, uri, ...withMode } };
	return { kind: 'given', input: { jobInputType: 'literal', value: String(input['value'] ?? '') } };
}

function readOutput(given: unknown): NodeOutput {
	const output = objectOf(given);
	const expression = WHOLE.exec(textOf(output['value']) ?? '')?.[1];
	const parentOutput = expression === undefined ? undefined : PARENT_OUTPUT.exec(expression)?.[1];
	if (expression !== undefined && parentOutput === undefined) throw invalidExpression(expression);
	const read: Record<keyof NodeOutput, string | undefined> = {
		parentOutput,
		type: textOf(output['job_output_type']) ?? textOf(output['jobOutputType']),
		uri: textOf(output['uri']),
		mode: textOf(output['mode']),
		assetName: textOf(output['name']) ?? textOf(output['assetName']),
		assetVersion: textOf(output['version']) ?? textOf(output['assetVersion']),
	};
	return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

/** In the service's words. */
function invalidExpression(expression: string): GraphError {
	return new GraphError(
		'InvalidExpressionInJob',
		`Invalid expression ${expression}. Only parent.inputs, parent.jobs.[source_job_name].outputs or parent.outputs can be used for binding.`,
	);
}

/** Refuses nodes that wait for one another, or for one that is not there. The words are not the service's. */
function checkOrder(nodes: PipelineNode[]): void {
	const byName = new Map(nodes.map((node) => [node.name, node]));
	const done = new Set<string>();
	const walk = (node: PipelineNode, path: string[]): void => {
		if (done.has(node.name)) return;
		if (path.includes(node.name)) {
			const circle = [...path.slice(path.indexOf(node.name)), node.name].join(' -> ');
			throw new GraphError('InvalidPipelineJob', `The jobs of the pipeline wait for one another: ${circle}.`);
		}
		for (const source of sourcesOf(node)) {
			const next = byName.get(source);
			if (!next) {
				throw new GraphError(
					'InvalidPipelineJob',
					`The job ${node.name} is bound to an output of the job ${source}, which the pipeline does not have.`,
				);
			}
			walk(next, [...path, node.name]);
		}
		done.add(node.name);
	};
	for (const node of nodes) walk(node, []);
}

function mapped<T>(given: Json, read: (value: unknown) => T): Record<string, T> {
	return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, read(value)]));
}
