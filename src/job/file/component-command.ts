// Command components, from a file or from an inline node, and their spec.
import { environmentSource, type Needs } from '../../asset/asset-sources.ts';
import type { Place } from '../../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { type MapReader, warnLeftOut } from '../../yaml/checks.ts';
import { checkCommand } from '../../yaml/expressions.ts';
import { boolean, filledText, stringMap, text, version } from '../../yaml/values.ts';
import { readComponentCode } from './component-code.ts';
import { type ComponentCode, type ReadComponent, snakeCase, specId } from './component-reference.ts';
import { inputPorts, outputPorts, type Port, portSpec } from './ports.ts';
import { type Distribution, distribution, distributionBody, specResources } from './resources.ts';

/** What every component has besides its task. */
export interface ComponentFacts {
	readonly schema: string | undefined;
	readonly name: string | undefined;
	readonly version: string | undefined;
	readonly displayName: string | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	readonly properties: ReadonlyMap<string, string> | undefined;
	readonly deterministic: boolean;
	readonly inputs: ReadonlyMap<string, Port>;
	readonly outputs: ReadonlyMap<string, Port>;
	/** `YAML.COMPONENT` for a file of its own, `YAML.JOB` for an inline node. */
	readonly source: 'YAML.COMPONENT' | 'YAML.JOB';
	readonly at: Place;
}

/** Reads what every component file has. */
export function readComponentFacts(map: MapReader): ComponentFacts {
	map.ignore('id', 'creation_context', 'latest_version', 'type');
	warnLeftOut(map, 'auto_delete_setting', 'intellectual_property', 'queue_settings');
	return {
		schema: map.optional('$schema', text),
		name: map.optional('name', filledText),
		version: map.optional('version', version),
		displayName: map.optional('display_name', text),
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap),
		properties: map.optional('properties', stringMap),
		deterministic: map.optional('is_deterministic', boolean) ?? true,
		inputs: map.optional('inputs', inputPorts) ?? new Map(),
		outputs: map.optional('outputs', outputPorts) ?? new Map(),
		source: 'YAML.COMPONENT',
		at: map.at,
	};
}

/** The members of a spec that every component has. */
export function factsSpec(facts: ComponentFacts): JsonObject {
	return jsonObject({
		$schema: facts.schema,
		display_name: facts.displayName,
		description: facts.description,
		tags: facts.tags && mapValues(facts.tags, (tag) => tag),
		properties: facts.properties && mapValues(facts.properties, (property) => property),
		is_deterministic: facts.deterministic,
		inputs: facts.inputs.size > 0 ? mapValues(facts.inputs, portSpec) : undefined,
		outputs: facts.outputs.size > 0 ? mapValues(facts.outputs, portSpec) : undefined,
		_source: facts.source,
	});
}

/** What a command component runs. */
export interface CommandTask {
	readonly command: string;
	readonly code: ComponentCode;
	/** What `additional_includes` lists, as written. */
	readonly includes: readonly string[] | undefined;
	readonly environment: Needs<'environment' | 'reference'>;
	/** As the spec holds them. */
	readonly resources: JsonObject | undefined;
	readonly distribution: Distribution | undefined;
}

/** Reads a command component. */
export function commandComponent(map: MapReader): ReadComponent {
	const facts = readComponentFacts(map);
	const task = readCommandTask(map);
	const optional = [...facts.inputs].filter(([, declared]) => declared.optional === true).map(([name]) => name);
	const declared = { inputs: facts.inputs.keys(), outputs: facts.outputs.keys(), optional };
	checkCommand(map.node('command'), declared, map.reading);
	return makeCommandComponent(facts, task);
}

/** Reads what a command component runs. */
export function readCommandTask(map: MapReader): CommandTask {
	const { code, includes } = readComponentCode(map);
	return {
		command: map.required('command', filledText),
		code: code ?? { need: 'placeholder-code' },
		includes,
		environment: map.required('environment', environmentSource),
		resources: specResources(map),
		distribution: map.optional('distribution', distribution),
	};
}

/** Makes a command component of its parts. */
export function makeCommandComponent(facts: ComponentFacts, task: CommandTask): ReadComponent {
	return {
		inputs: facts.inputs,
		outputs: facts.outputs,
		task: () => inheritedByNodes(task),
		file: {
			type: 'command',
			name: facts.name,
			version: facts.version,
			description: facts.description,
			tags: facts.tags,
			properties: facts.properties,
			dependencies: [task.code, task.environment],
			at: facts.at,
			spec: ({ idOf }) =>
				jsonObject({
					...factsSpec(facts),
					type: 'command',
					command: task.command,
					code: specId(task.code, idOf),
					environment: specId(task.environment, idOf),
					resources: task.resources,
					distribution: task.distribution && distributionSpec(task.distribution),
					additional_includes: task.includes,
				}),
		},
	};
}

// A node that says nothing of its own about these repeats what its component says.
function inheritedByNodes(task: CommandTask): JsonObject {
	return jsonObject({
		resources: task.resources,
		distribution: task.distribution && snakeCase(distributionBody(task.distribution)),
	});
}

function distributionSpec(value: Distribution): JsonObject {
	return { type: value.type, ...snakeCase(value.settings) };
}
