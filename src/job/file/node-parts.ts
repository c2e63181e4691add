// What every node of a pipeline has, and the body members that come of it.
import type { Dependency, IdOf } from '../../asset/dependency.ts';
import { hasExpression } from '../../asset/reference.ts';
import type { Place } from '../../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { describe, type MapReader } from '../../yaml/checks.ts';
import { json, stringMap, text } from '../../yaml/values.ts';
import { inputDependencies } from './command.ts';
import type { BodyContext } from './context.ts';
import { computeId, type JobCompute, jobCompute, serverlessId } from './facts.ts';
import { inputSource, type JobInput, warnOfText } from './inputs-outputs.ts';
import {
	boundTo,
	checkBindings,
	type NodeOutput,
	nodeInputBody,
	nodeInputs,
	nodeOutputBody,
	nodeOutputs,
	type PipelineScope,
} from './node-io.ts';
import { isParameter, type Port, type PortType } from './ports.ts';

/** A node of a pipeline as the user wrote it, checked. */
export interface PipelineNode {
	readonly name: string;
	readonly type: string;
	readonly dependencies: readonly Dependency[];
	/** Where the node runs, where it says so itself. */
	readonly compute: JobCompute | undefined;
	/** Type of an output; `undefined` where a registered component decides; `'missing'` where there is no such output. */
	readonly outputType: (output: string) => PortType | undefined | 'missing';
	readonly body: (context: BodyContext) => JsonObject;
}

/** What every node has. */
export interface NodeFacts {
	readonly name: string;
	readonly displayName: string | undefined;
	readonly description: string | undefined;
	readonly comment: string | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	readonly properties: ReadonlyMap<string, string> | undefined;
	readonly compute: JobCompute | undefined;
	readonly inputs: ReadonlyMap<string, JobInput>;
	readonly outputs: ReadonlyMap<string, NodeOutput>;
}

/** Reads what every node has, and checks its bindings. */
export function readNodeFacts(name: string, map: MapReader, scope: PipelineScope): NodeFacts {
	const facts = {
		name,
		displayName: map.optional('display_name', text),
		description: map.optional('description', text),
		comment: map.optional('comment', text),
		tags: map.optional('tags', stringMap),
		properties: map.optional('properties', stringMap),
		compute: map.optional('compute', jobCompute),
		inputs: map.optional('inputs', nodeInputs) ?? new Map<string, JobInput>(),
		outputs: map.optional('outputs', nodeOutputs) ?? new Map<string, NodeOutput>(),
	};
	checkBindings(facts.inputs, facts.outputs, scope, map.reading);
	return facts;
}

/** What the inputs of a node need to exist; bindings need nothing. */
export function nodeInputDependencies(facts: NodeFacts): readonly Dependency[] {
	return inputDependencies(new Map([...facts.inputs].filter(([, input]) => boundTo(input) === undefined)));
}

/** The members of a node's body that every type has. */
export function nodeFactsBody(facts: NodeFacts, { workspaceId, idOf }: BodyContext): JsonObject {
	return jsonObject({
		name: facts.name,
		display_name: facts.displayName,
		comment: facts.comment,
		tags: facts.tags && mapValues(facts.tags, (tag) => tag),
		properties: facts.properties && mapValues(facts.properties, (property) => property),
		computeId: facts.compute?.form === 'serverless' ? serverlessId(workspaceId) : computeId(facts.compute, workspaceId),
		inputs: inputsBody(facts, idOf),
		outputs: facts.outputs.size > 0 ? mapValues(facts.outputs, nodeOutputBody) : undefined,
	});
}

function inputsBody(facts: NodeFacts, idOf: IdOf): JsonObject | undefined {
	return facts.inputs.size > 0 ? mapValues(facts.inputs, (input) => nodeInputBody(input, idOf)) : undefined;
}

/** Why a node that names a component does not say again what it runs. */
export const OF_COMPONENT = 'the component says it';
/** Why only a node that runs a command has services. */
export const ONLY_COMMANDS = 'only command nodes have it';

/** Leaves out members that the CLI takes and never sends, with a warning that says why. */
export function leftOut(map: MapReader, why: string, ...keys: readonly string[]): void {
	for (const key of keys) {
		const node = map.node(key);
		if (node !== undefined) {
			map.reading.warn(node.at, `'${key}' of ${map.what} is left out, as the Azure ML CLI leaves it out: ${why}.`);
		}
	}
}

/** The keys of a node that nobody knows. The service may, so they are passed on with a warning, as the CLI does. */
export function unknownMembers(map: MapReader): JsonObject {
	return Object.fromEntries(
		map.rest().map((entry) => {
			const near = map.nearest(entry.key);
			const hint = near === undefined ? '' : ` Did you mean '${near}'?`;
			map.reading.warn(entry.at, `Unknown key '${entry.key}' in ${map.what}; it is passed on as it stands.${hint}`);
			return [entry.key, json(entry.value, map.reading)];
		}),
	);
}

/**
 * Notes a fault for each input that a component needs and does not get. What it does not declare is left out with a
 * warning, as the CLI does; the facts that are left are given.
 */
export function checkPorts(
	given: NodeFacts,
	ports: { readonly inputs: ReadonlyMap<string, Port>; readonly outputs: ReadonlyMap<string, Port> },
	provided: Iterable<string>,
	map: MapReader,
): NodeFacts {
	const there = new Set([...given.inputs.keys(), ...provided]);
	for (const [name, declared] of ports.inputs) {
		if (!there.has(name) && declared.optional !== true && declared.default === undefined) {
			map.reading.fault(
				map.at,
				`${capital(map.what)} gives no value for the input '${name}', which its component needs.`,
			);
		}
	}
	const inputs = declaredOnly(given.inputs, ports.inputs, 'input', map);
	const facts = {
		...given,
		inputs: new Map([...inputs].map(([name, input]) => [name, fitted(name, input, ports.inputs.get(name), map)])),
		outputs: declaredOnly(given.outputs, ports.outputs, 'output', map),
	};
	return withTextWarnings(facts, map);
}

/** Warns of plain text that looks like something else; for a node whose component does not tell, or once it has told. */
export function withTextWarnings(facts: NodeFacts, map: MapReader): NodeFacts {
	for (const input of facts.inputs.values()) {
		warnOfText(input, map.reading);
	}
	return facts;
}

// Plain text is a path where the component declares data; an expression in it is for the service to fill in.
function fitted(name: string, input: JobInput, declared: Port | undefined, map: MapReader): JobInput {
	if (input.form !== 'literal' || declared === undefined || isParameter(declared.type) || hasExpression(input.value)) {
		return input;
	}
	const { node, at } = input;
	if (node.kind !== 'scalar' || node.type !== 'str') {
		map.reading.fault(at, `The input '${name}' takes a path or a mapping with 'path', not ${describe(node)}.`);
		return input;
	}
	const type = declared.type === 'path' ? 'uri_folder' : declared.type;
	return { form: 'asset', type, source: inputSource(type, undefined)(node, map.reading), mode: undefined, at };
}

/** What a component declares of what it is given; the rest is left out with a warning, as the CLI does silently. */
export function declaredOnly<T extends { readonly at: Place }>(
	given: ReadonlyMap<string, T>,
	declared: ReadonlyMap<string, Port>,
	side: string,
	map: MapReader,
): ReadonlyMap<string, T> {
	const known = [...declared.keys()].join(', ');
	for (const [name, { at }] of given) {
		if (!declared.has(name)) {
			const has = known === '' ? '' : ` It has: ${known}.`;
			map.reading.warn(at, `The component of ${map.what} has no ${side} '${name}', so it is left out.${has}`);
		}
	}
	return new Map([...given].filter(([name]) => declared.has(name)));
}

/** Stands in for a node that cannot be read; its file is refused anyway. */
export function unsupportedNode(name: string): PipelineNode {
	return { name, type: 'unknown', dependencies: [], compute: undefined, outputType: () => undefined, body: () => ({}) };
}

/** Type of an output by the ports that a component declares. */
export function declaredType(outputs: ReadonlyMap<string, Port>): PipelineNode['outputType'] {
	return (output) => outputs.get(output)?.type ?? 'missing';
}

function capital(words: string): string {
	return words.charAt(0).toUpperCase() + words.slice(1);
}
