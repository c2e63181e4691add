// Nodes that move data: copies between datastores, imports from a database or file system, exports to a database.
import { type Json, type JsonObject, jsonObject } from '../../json.ts';
import { asText, child, listOf, MapReader, type Reader } from '../../yaml/checks.ts';
import { filledText, json, text, word } from '../../yaml/values.ts';
import { makeCopyComponent, readCopyMode } from './component-data-transfer.ts';
import type { NodeComponent } from './component-reference.ts';
import { finish, inline, inlineFacts, named } from './node-component.ts';
import type { PipelineScope } from './node-io.ts';
import {
	nodeFactsBody,
	nodeInputDependencies,
	type PipelineNode,
	readNodeFacts,
	unknownMembers,
	withTextWarnings,
} from './node-parts.ts';

/** The service's own components, by task and by what is at the other end. */
const BUILT_IN: Readonly<Record<string, string>> = {
	'import_data database': 'azureml://registries/azureml/components/import_data_database/versions/0.0.1',
	'import_data file_system': 'azureml://registries/azureml/components/import_data_file_system/versions/0.0.1',
	'export_data database': 'azureml://registries/azureml/components/export_data_database/versions/0.0.1',
};

const parameter: Reader<JsonObject> = (node, reading) => {
	const map = new MapReader(node, reading, 'a parameter of a stored procedure');
	const read = {
		name: map.required('name', text),
		value: map.required('value', json),
		type: map.optional('type', text),
	};
	map.done();
	return jsonObject(read);
};

/** A reader of the other end of an import or export: a database or a file system, in the words of the file. */
const otherEnd: Reader<JsonObject> = (node, reading) => {
	const map = new MapReader(node, reading, 'the other end of a data transfer');
	const type = map.required('type', word('database', 'file_system'));
	const connection = map.required('connection', filledText);
	const read: Record<string, Json | undefined> = { type, connection };
	if (type === 'file_system') {
		read['path'] = map.optional('path', text);
	} else {
		for (const key of ['query', 'table_name', 'stored_procedure']) read[key] = map.optional(key, text);
		read['stored_procedure_params'] = map.optional('stored_procedure_params', listOf(parameter));
	}
	map.done();
	return jsonObject(read);
};

/** Reads a data-transfer node. */
export function dataTransferNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const task = map.required('task', word('copy_data', 'import_data', 'export_data'));
	return task === 'copy_data' ? copyNode(name, map, scope) : builtInNode(name, task, map, scope);
}

function copyNode(name: string, map: MapReader, scope: PipelineScope): PipelineNode {
	const facts = readNodeFacts(name, map, scope);
	let component: NodeComponent;
	let mode: ReturnType<typeof readCopyMode>;
	if (map.has('component')) {
		component = named(map, scope, 'data_transfer');
	} else {
		mode = readCopyMode(map);
		component = inline(
			makeCopyComponent({ ...inlineFacts(facts, map, scope), displayName: facts.displayName }, mode, map),
		);
	}
	const inherited = component.form === 'known' ? component.component.task : undefined;
	const own = jsonObject({ task: 'copy_data', data_copy_mode: mode });
	return finish(facts, component, map, ({ idOf }) => ({ ...inherited?.(idOf), ...own }));
}

function builtInNode(
	name: string,
	task: 'import_data' | 'export_data',
	map: MapReader,
	scope: PipelineScope,
): PipelineNode {
	const facts = readNodeFacts(name, map, scope);
	const [end, port, given] =
		task === 'import_data' ? (['source', 'sink', facts.outputs] as const) : (['sink', 'source', facts.inputs] as const);
	const side = task === 'import_data' ? 'output' : 'input';
	const other = map.required(end, otherEnd);
	if (given.size !== 1 || !given.has(port)) {
		map.reading.fault(map.at, `The task '${task}' of ${map.what} has one ${side}, and its name is '${port}'.`);
	}
	const type = asText(child(map.node(end), 'type'))?.text.toLowerCase() ?? 'database';
	const component = map.has('component') ? asText(map.node('component'))?.text : BUILT_IN[`${task} ${type}`];
	if (component === undefined) {
		map.reading.fault(map.node(end)?.at ?? map.at, 'Azure ML has no component that exports to a file system.');
	}
	const extra = unknownMembers(map);
	withTextWarnings(facts, map);
	return {
		name,
		type: 'data_transfer',
		dependencies: nodeInputDependencies(facts),
		compute: facts.compute,
		outputType: (output) => (output === 'sink' ? (type === 'database' ? 'mltable' : 'uri_folder') : 'missing'),
		body: (context) =>
			jsonObject({
				...extra,
				type: 'data_transfer',
				task,
				[end]: other,
				...nodeFactsBody(facts, context),
				componentId: component,
				_source: 'BUILTIN',
			}),
	};
}
