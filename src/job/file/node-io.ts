// Inputs and outputs of a pipeline's nodes: plain values, assets, and bindings such as `${{parent.inputs.x}}`.
import type { IdOf } from '../../asset/dependency.ts';
import type { Place } from '../../errors.ts';
import { type JsonObject, jsonObject } from '../../json.ts';
import { asText, isNull, type Reader, type Reading } from '../../yaml/checks.ts';
import { wholeExpression } from '../../yaml/expressions.ts';
import { nearest } from '../../yaml/nearest.ts';
import type { YamlNode } from '../../yaml/node.ts';
import type { ReadNodeComponent } from './component-reference.ts';
import { anyInput, inputMode, type JobInput, type JobOutput, jobOutput, outputMode } from './inputs-outputs.ts';
import { type Port, type PortType, port } from './ports.ts';

/** An output of a node: bound to an output of the pipeline, or kept on its own. */
export type NodeOutput =
	| {
			readonly form: 'binding';
			readonly expression: string;
			readonly mode: string | undefined;
			/** Name and version under which what is written is registered as an asset. */
			readonly name: string | undefined;
			readonly version: string | undefined;
			readonly at: Place;
	  }
	| { readonly form: 'asset'; readonly output: JobOutput; readonly at: Place };

/** What a pipeline's nodes may be bound to: its inputs, its outputs, and each other's outputs. */
export interface PipelineScope {
	readonly inputs: ReadonlyMap<string, Port>;
	readonly outputs: ReadonlyMap<string, Port>;
	readonly nodeNames: readonly string[];
	/** Reads the component of a node. Given from outside, since a component may itself be a pipeline of nodes. */
	readonly component: ReadNodeComponent;
	/**
	 * Type of a node's output; `undefined` where nobody declares it and a registered component decides; `'missing'` where
	 * the node is known not to have it.
	 */
	readonly outputType: (node: string, output: string) => PortType | undefined | 'missing';
}

/** A reader of a node's `inputs`. An input without a value is left out. */
export const nodeInputs: Reader<ReadonlyMap<string, JobInput>> = (node, reading) =>
	entriesOf(node, reading, 'inputs', (value) => anyInput(value, reading));

/** A reader of a node's `outputs`. An output without a value is left to the component. */
export const nodeOutputs: Reader<ReadonlyMap<string, NodeOutput>> = (node, reading) =>
	entriesOf(node, reading, 'outputs', (value): NodeOutput => nodeOutput(value, reading));

function nodeOutput(value: YamlNode, reading: Reading): NodeOutput {
	const written = asText(value);
	if (written !== undefined) {
		if (wholeExpression(written.text) === undefined) {
			reading.fault(value.at, `'${written.text}' is not where an output can go. Bind it: \${{parent.outputs.<name>}}.`);
		}
		return {
			form: 'binding',
			expression: written.text,
			mode: undefined,
			name: undefined,
			version: undefined,
			at: value.at,
		};
	}
	const output = jobOutput(value, reading);
	if (output.path === undefined || wholeExpression(output.path)?.[0] !== 'parent') {
		return { form: 'asset', output, at: value.at };
	}
	const { name, version } = output;
	return { form: 'binding', expression: output.path, mode: outputMode(output.mode), name, version, at: value.at };
}

function entriesOf<T>(
	node: YamlNode,
	reading: Reading,
	what: string,
	read: (value: YamlNode) => T,
): ReadonlyMap<string, T> {
	if (node.kind !== 'map') {
		reading.fault(node.at, `Expected '${what}', a mapping of names to values.`);
		return new Map();
	}
	const given = node.entries.filter((entry) => !isNull(entry.value));
	return new Map(given.map((entry) => [entry.key, read(entry.value)]));
}

/** An input as a node holds it. */
export function nodeInputBody(input: JobInput, idOf: IdOf): JsonObject {
	if (input.form === 'literal') {
		return { job_input_type: 'literal', value: input.value };
	}
	const bound = boundTo(input);
	if (bound !== undefined) {
		return jsonObject({ job_input_type: 'literal', value: bound, mode: inputMode(input.mode) });
	}
	return jsonObject({ mode: inputMode(input.mode), uri: idOf(input.source), job_input_type: input.type });
}

/** An output as a node holds it. */
export function nodeOutputBody(output: NodeOutput): JsonObject {
	if (output.form === 'binding') {
		const { expression: value, mode, name, version } = output;
		return jsonObject({ value, type: 'literal', mode, name, version });
	}
	const { output: own } = output;
	return jsonObject({
		description: own.description,
		mode: outputMode(own.mode),
		uri: own.path,
		job_output_type: own.type ?? 'uri_folder',
		name: own.name,
		version: own.version,
	});
}

/** The binding that an input is, as written; undefined for a value of its own. */
export function boundTo(input: JobInput): string | undefined {
	const { form } = input;
	const written =
		form === 'literal'
			? input.value
			: input.source.need === 'reference' && input.source.reference.form === 'uri'
				? input.source.reference.uri
				: '';
	return wholeExpression(written) === undefined ? undefined : written;
}

/** Notes a fault where an input or output of a node is bound to something that the pipeline does not have. */
export function checkBindings(
	inputs: ReadonlyMap<string, JobInput>,
	outputs: ReadonlyMap<string, NodeOutput>,
	scope: PipelineScope,
	reading: Reading,
): void {
	for (const input of inputs.values()) {
		const bound = boundTo(input);
		if (bound !== undefined) {
			checkBinding(bound, input.at, scope, reading);
		}
	}
	for (const output of outputs.values()) {
		if (output.form === 'binding') {
			checkBinding(output.expression, output.at, scope, reading);
		}
	}
}

/** Notes a fault where a binding leads to something that the pipeline does not have. */
export function checkBinding(expression: string, at: Place, scope: PipelineScope, reading: Reading): void {
	const path = wholeExpression(expression) ?? [];
	const [root, section = '', name = '', side = '', output = ''] = path;
	if (root !== 'parent') {
		return;
	}
	const known = section === 'inputs' ? scope.inputs : section === 'outputs' ? scope.outputs : undefined;
	if (known !== undefined) {
		if (!known.has(name)) {
			reading.fault(
				at,
				`${expression} leads nowhere: the pipeline has no ${section.slice(0, -1)} '${name}'.${guess(name, known.keys())}`,
			);
		}
		return;
	}
	if (section !== 'jobs') {
		reading.fault(
			at,
			`${expression} leads nowhere. A binding is parent.inputs.<name>, parent.outputs.<name> or parent.jobs.<node>.outputs.<name>.`,
		);
	} else if (!scope.nodeNames.includes(name)) {
		reading.fault(
			at,
			`${expression} leads nowhere: the pipeline has no node '${name}'.${guess(name, scope.nodeNames)}`,
		);
	} else if (side === 'outputs' && scope.outputType(name, output) === 'missing') {
		reading.fault(at, `${expression} leads nowhere: the node '${name}' has no output '${output}'.`);
	}
}

function guess(name: string, known: Iterable<string>): string {
	const near = nearest(name, known);
	return near === undefined ? '' : ` Did you mean '${near}'?`;
}

/** What the component of an inline node declares for an input, told from the input's value. */
export function inferInput(input: JobInput, scope: PipelineScope): Port {
	const bound = boundTo(input);
	if (bound !== undefined && wholeExpression(bound)?.[0] === 'parent') {
		const source = sourceOf(bound, scope);
		return input.form === 'asset' ? port(input.type, input.mode) : source;
	}
	if (input.form === 'asset') {
		return port(input.type, input.mode);
	}
	return { ...port(literalType(input.node)), default: input.value };
}

/** What the component of an inline node declares for an output, told from where the output goes. */
export function inferOutput(output: NodeOutput | undefined, scope: PipelineScope): Port {
	if (output?.form === 'binding') {
		return sourceOf(output.expression, scope);
	}
	return port(output?.output.type ?? 'uri_folder', output?.output.mode);
}

/** The declared type of a plain value: what Python reads it as. */
export function literalType(node: YamlNode): PortType {
	const types = {
		int: 'integer',
		float: 'number',
		bool: 'boolean',
		str: 'string',
		null: 'string',
		timestamp: 'string',
	} as const;
	return node.kind === 'scalar' ? types[node.type] : 'string';
}

function sourceOf(expression: string, scope: PipelineScope): Port {
	const [, section, name = '', side, output = ''] = wholeExpression(expression) ?? [];
	if (section === 'jobs') {
		const type = side === 'outputs' ? scope.outputType(name, output) : undefined;
		return port(type === undefined || type === 'missing' ? 'uri_folder' : type);
	}
	const found = (section === 'inputs' ? scope.inputs : scope.outputs).get(name);
	return port(found?.type ?? 'uri_folder', found?.mode);
}
