// Nodes that run a component: command, parallel, spark and pipeline nodes, inline or by reference.

import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { asText, type MapReader, mapOf } from '../../yaml/checks.ts';
import { checkCommand } from '../../yaml/expressions.ts';
import { boolean, stringMap } from '../../yaml/values.ts';
import { type ComponentFacts, makeCommandComponent, readCommandTask } from './component-command.ts';
import {
	makeParallelComponent,
	parallelNode as parallelBody,
	readParallelSettings,
	taskDependencies,
} from './component-parallel.ts';
import { type NodeComponent, type ReadComponent, snakeCase } from './component-reference.ts';
import { besideComponent, makeSparkComponent } from './component-spark.ts';
import type { BodyContext } from './context.ts';
import { identityBody, type JobIdentity, jobIdentity } from './identity.ts';
import { inferInput, inferOutput, type PipelineScope } from './node-io.ts';
import {
	checkPorts,
	declaredType,
	leftOut,
	type NodeFacts,
	nodeFactsBody,
	nodeInputDependencies,
	OF_COMPONENT,
	ONLY_COMMANDS,
	type PipelineNode,
	readNodeFacts,
	unknownMembers,
	withTextWarnings,
} from './node-parts.ts';
import {
	commandLimits,
	commandLimitsBody,
	distribution,
	distributionBody,
	jobResources,
	nodeResourcesBody,
	queueBody,
	queueSettings,
} from './resources.ts';
import { jobService, serviceBody } from './services.ts';
import { defaultIdentity } from './spark.ts';
import { checkConf, readSparkTask, sparkResources } from './spark-settings.ts';

/** Reads a command node. */
export function commandNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const facts = readNodeFacts(name, map, scope);
	const component = map.has('component')
		? titled(named(map, scope, undefined), name)
		: inlineCommand(facts, map, scope);
	if (component.form === 'known' && component.component.file.type !== 'command') {
		return wrongType(component, facts, map, scope);
	}
	if (map.has('component')) {
		leftOut(map, OF_COMPONENT, 'code', 'command', 'environment', 'is_deterministic');
	}
	const settings = commandSettings(map);
	const inherited = component.form === 'known' && map.has('component') ? component.component.task : undefined;
	return finish(facts, component, map, (context) => ({ ...inherited?.(context.idOf), ...settings(context) }));
}

// A node without `type` whose component file turns out to be of another type.
function wrongType(
	component: Extract<NodeComponent, { form: 'known' }>,
	facts: NodeFacts,
	map: MapReader,
	scope: PipelineScope,
): PipelineNode {
	const { type } = component.component.file;
	if (type === 'pipeline') {
		return finish(facts, component, map, () => ({}));
	}
	return type === 'spark' ? sparkOf(facts, component, map) : parallelOf(facts, component, map, scope);
}

function commandSettings(map: MapReader): (context: BodyContext) => JsonObject {
	const identity = map.optional('identity', jobIdentity);
	const resources = map.optional('resources', jobResources);
	const spread = map.optional('distribution', distribution);
	const limits = map.optional('limits', commandLimits);
	const services = map.optional('services', mapOf(jobService));
	const queue = map.optional('queue_settings', queueSettings);
	const variables = map.optional('environment_variables', stringMap);
	return () =>
		jsonObject({
			resources: resources && withoutEmpty(snakeCase(nodeResourcesBody(resources))),
			distribution: spread && snakeCase(distributionBody(spread)),
			limits: limits && snakeCase(commandLimitsBody(limits)),
			environment_variables: variables && mapValues(variables, (value) => value),
			services: services && mapValues(services, (service) => nodeService(serviceBody(service))),
			queue_settings: queue && snakeCase(queueBody(queue)),
			identity: identity && nodeIdentity(identity),
		});
}

// Clients have written a managed identity in the words of the file since nodes have had one; the others, which came
// later, are written as in a job.
function nodeIdentity(identity: JobIdentity): JsonObject {
	if (identity.type !== 'managed') {
		return snakeCase(identityBody(identity));
	}
	return jsonObject({
		type: 'managed_identity',
		client_id: identity.clientId,
		object_id: identity.objectId,
		msi_resource_id: identity.resourceId,
	});
}

function nodeService(body: JsonObject): JsonObject {
	const all = body['nodes'] === undefined ? {} : { nodes: { nodes_value_type: 'All' } };
	return { ...snakeCase(body), ...all };
}

function withoutEmpty(body: JsonObject): JsonObject {
	const { properties, ...rest } = body;
	return Object.keys((properties ?? {}) as JsonObject).length === 0 ? rest : body;
}

function inlineCommand(facts: NodeFacts, map: MapReader, scope: PipelineScope): NodeComponent {
	const own = inlineFacts(facts, map, scope);
	const task = readCommandTask(map);
	checkCommand(map.node('command'), { inputs: own.inputs.keys(), outputs: own.outputs.keys() }, map.reading);
	return inline(makeCommandComponent(own, task));
}

/** What an inline node says as a component of itself; its ports are told from the values that it gives them. */
export function inlineFacts(facts: NodeFacts, map: MapReader, scope: PipelineScope): ComponentFacts {
	const outputs = map.node('outputs');
	const names = outputs?.kind === 'map' ? outputs.entries.map((entry) => entry.key) : [];
	return {
		schema: undefined,
		name: undefined,
		version: undefined,
		displayName: facts.displayName ?? facts.name,
		description: facts.description,
		tags: facts.tags,
		properties: undefined,
		deterministic: map.optional('is_deterministic', boolean) ?? true,
		inputs: new Map([...facts.inputs].map(([key, input]) => [key, inferInput(input, scope)])),
		outputs: new Map(names.map((key) => [key, inferOutput(facts.outputs.get(key), scope)])),
		source: 'YAML.JOB',
		at: map.at,
	};
}

/** A component that an inline node makes of itself. */
export function inline(component: ReadComponent): NodeComponent {
	return { form: 'known', component, dependency: { need: 'component', component: component.file }, source: 'YAML.JOB' };
}

/** The component that a node names or writes out. */
export function named(map: MapReader, scope: PipelineScope, expected: string | undefined): NodeComponent {
	return map.required('component', (node, reading) => scope.component(node, reading, expected));
}

// A component that is written out under a node's `component` is shown under the node's name.
function titled(component: NodeComponent, name: string): NodeComponent {
	if (component.form !== 'known' || component.source !== 'YAML.JOB') {
		return component;
	}
	const { file } = component.component;
	const spec: typeof file.spec = (context) => jsonObject({ display_name: name, ...file.spec(context) });
	return inline({ ...component.component, file: { ...file, spec } });
}

/** Reads a parallel node. */
export function parallelNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const facts = readNodeFacts(name, map, scope);
	if (map.has('component')) {
		return parallelOf(facts, named(map, scope, 'parallel'), map, scope);
	}
	return parallelOf(facts, undefined, map, scope);
}

function parallelOf(
	facts: NodeFacts,
	component: NodeComponent | undefined,
	map: MapReader,
	scope: PipelineScope,
): PipelineNode {
	leftOut(map, ONLY_COMMANDS, 'services');
	if (component !== undefined) {
		leftOut(map, OF_COMPONENT, 'is_deterministic');
	}
	const settings = readParallelSettings(map);
	const variables = map.optional('environment_variables', stringMap);
	const identity = map.optional('identity', jobIdentity);
	if (component === undefined && settings.task === undefined) {
		map.reading.fault(map.at, `${map.what} needs 'task' or 'component'.`);
	}
	const whole = component ?? inline(makeParallelComponent(inlineFacts(facts, map, scope), settings));
	const inherited = whole.form === 'known' && component !== undefined ? whole.component.task : undefined;
	const node = finish(facts, whole, map, ({ idOf }) =>
		jsonObject({
			...inherited?.(idOf),
			...parallelBody(settings, idOf),
			environment_variables: variables && mapValues(variables, (value) => value),
			identity: identity && nodeIdentity(identity),
		}),
	);
	// The node repeats the component's task, so it needs what the task needs.
	const inheritedTasks = whole.form === 'known' && component !== undefined ? whole.component.file.dependencies : [];
	return { ...node, dependencies: [...inheritedTasks, ...taskDependencies(settings.task), ...node.dependencies] };
}

/** Reads a Spark node. */
export function sparkNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const facts = readNodeFacts(name, map, scope);
	if (map.has('component')) {
		return sparkOf(facts, named(map, scope, 'spark'), map);
	}
	const task = readSparkTask(map);
	checkConf(task, map);
	checkCommand(map.node('args'), { inputs: facts.inputs.keys(), outputs: facts.outputs.keys() }, map.reading);
	return sparkOf(facts, inline(makeSparkComponent(inlineFacts(facts, map, scope), task)), map);
}

function sparkOf(facts: NodeFacts, component: NodeComponent, map: MapReader): PipelineNode {
	const resources = map.optional('resources', sparkResources);
	const identity = map.optional('identity', jobIdentity) ?? defaultIdentity(resources);
	leftOut(map, ONLY_COMMANDS, 'services');
	const own = map.has('component') ? besideComponent(component, map) : (task: JsonObject = {}) => task;
	return finish(facts, component, map, ({ idOf }) =>
		jsonObject({
			...own(component.form === 'known' ? component.component.task?.(idOf) : undefined),
			identity: snakeCase(identityBody(identity)),
			resources: resources && snakeCase({ ...resources }),
		}),
	);
}

/** Reads a node that runs a pipeline component. */
export function pipelineNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const facts = readNodeFacts(name, map, scope);
	if (map.has('jobs')) {
		const at = map.node('jobs')?.at ?? map.at;
		map.reading.fault(at, "A pipeline inside a pipeline is written in a file of its own, named under 'component'.");
	}
	leftOut(map, ONLY_COMMANDS, 'services');
	const settings = map.optional('settings', (node, reading) => {
		reading.warn(
			node.at,
			"'settings' of a node that runs a pipeline component are left out; the outer pipeline's settings hold.",
		);
	});
	return finish(facts, named(map, scope, 'pipeline'), map, () => settings ?? {});
}

/** A node of its parts; `own` are the members of its body that its type adds. */
export function finish(
	given: NodeFacts,
	component: NodeComponent,
	map: MapReader,
	own: (context: BodyContext) => JsonObject,
): PipelineNode {
	const type = typeOf(component, map);
	const extra = unknownMembers(map);
	const check = component.form === 'known' && map.has('component');
	const facts = check ? checkPorts(given, component.component, [], map) : withTextWarnings(given, map);
	return {
		name: facts.name,
		type,
		dependencies: [component.dependency, ...nodeInputDependencies(facts)],
		compute: facts.compute,
		outputType: component.form === 'known' ? declaredType(component.component.outputs) : registeredType(facts),
		body: (context) =>
			jsonObject({
				...extra,
				type,
				...nodeFactsBody(facts, context),
				componentId: context.idOf(component.dependency),
				...own(context),
				_source: component.source,
			}),
	};
}

function typeOf(component: NodeComponent, map: MapReader): string {
	if (component.form === 'known') {
		return component.component.file.type;
	}
	const type = map.node('type');
	return asText(type)?.text.toLowerCase() ?? 'command';
}

function registeredType(facts: NodeFacts): PipelineNode['outputType'] {
	return (output) => {
		const given = facts.outputs.get(output);
		return given?.form === 'asset' ? given.output.type : undefined;
	};
}
