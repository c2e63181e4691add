// A model as CLI v2 writes it, in a file of its own or inline in a deployment, and its REST body. Pure but for asking
// whether its path exists.
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { mapOf, mapping, type Reader, Reading, type Warn, warnLeftOut } from '../yaml/checks.ts';
import type { YamlFile } from '../yaml/node.ts';
import { filledText, stringMap, text, version, word } from '../yaml/values.ts';
import type { Dependency, IdOf } from './dependency.ts';
import { localPath } from './local-path.ts';
import { isUri } from './reference.ts';

/** The storage formats of a model. */
export type ModelType = 'custom_model' | 'mlflow_model' | 'triton_model';

/** A model as the user wrote it, checked. */
export interface ModelFile {
	readonly name: string | undefined;
	readonly version: string | undefined;
	readonly type: ModelType;
	/** A local path to upload, or a URI (`azureml://…`, `runs:/…`, `https://…`). */
	readonly source: Extract<Dependency, { need: 'upload' }> | { readonly need: 'uri'; readonly uri: string };
	readonly flavors: ReadonlyMap<string, ReadonlyMap<string, string>> | undefined;
	readonly stage: string | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	readonly properties: ReadonlyMap<string, string> | undefined;
	readonly dependencies: readonly Dependency[];
	readonly at: Place;
}

/** A model file that leaves open what the inputs of a run or its job may say: name, path and type. */
export interface ModelDetails extends Omit<ModelFile, 'type' | 'source'> {
	readonly type: ModelType | undefined;
	readonly source: ModelFile['source'] | undefined;
}

const modelDetails: Reader<ModelDetails> = mapping('a model', (map) => {
	map.ignore('$schema', 'id', 'creation_context', 'latest_version', 'utc_time_created', 'job_name');
	warnLeftOut(map, 'intellectual_property', 'system_metadata', 'default_deployment_template');
	warnLeftOut(map, 'allowed_deployment_templates');
	const type = map.optional('type', word('custom_model', 'mlflow_model', 'triton_model'));
	const datastore = map.optional('datastore', text);
	const source = map.optional('path', modelSource(type ?? 'custom_model', datastore));
	return {
		name: map.optional('name', filledText),
		version: map.optional('version', version),
		type,
		source,
		flavors: map.optional('flavors', mapOf(stringMap)),
		stage: map.optional('stage', text),
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap),
		properties: map.optional('properties', stringMap),
		dependencies: source?.need === 'upload' ? [source] : [],
		at: map.at,
	};
});

/** A reader of a model, inline or as a file's root. */
export const model: Reader<ModelFile> = (node, reading) => {
	const details = modelDetails(node, reading);
	if (details.source === undefined && node.kind === 'map') {
		reading.fault(node.at, "A model needs the key 'path'.");
	}
	return { ...details, type: details.type ?? 'custom_model', source: details.source ?? { need: 'uri', uri: '' } };
};

function modelSource(type: ModelType, datastore: string | undefined): Reader<ModelFile['source']> {
	return (node, reading) => {
		const written = filledText(node, reading);
		if (isUri(written) || written.startsWith('runs:/') || written.startsWith('azureml:')) {
			return { need: 'uri', uri: written };
		}
		const plain = datastore?.replace(/^azureml:/, '');
		return { need: 'upload', ...localPath(written, node.at, reading), type, datastore: plain };
	};
}

/** Reads a model file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readModelFile(file: YamlFile, warn?: Warn): ModelFile {
	const reading = new Reading(file);
	const read = model(file.root, reading);
	if (read.name === undefined) {
		reading.fault(file.root.at, "A model file needs the key 'name'.");
	}
	reading.finish(warn);
	return read;
}

/** Reads a model file whose name, path and type may come from elsewhere. Throws a `FileError` with every fault. */
export function readModelDetails(file: YamlFile, warn?: Warn): ModelDetails {
	const reading = new Reading(file);
	const read = modelDetails(file.root, reading);
	reading.finish(warn);
	return read;
}

/**
 * The body of `PUT models/{name}/versions/{version}`. Models want the long form of a datastore URI, so a short one is
 * made long with the workspace's ARM id.
 */
export function modelBody(file: ModelFile, workspaceId: string, idOf: IdOf, anonymous: boolean): JsonObject {
	return {
		properties: jsonObject({
			description: file.description,
			tags: file.tags && mapValues(file.tags, (tag) => tag),
			properties: file.properties && mapValues(file.properties, (property) => property),
			isAnonymous: anonymous,
			modelType: file.type,
			modelUri: longDatastoreUri(workspaceId, file.source.need === 'uri' ? file.source.uri : idOf(file.source)),
			flavors: file.flavors && mapValues(file.flavors, (data) => ({ data: mapValues(data, (value) => value) })),
			stage: file.stage,
		}),
	};
}

/** `azureml://datastores/…` in the long form that names subscription, resource group and workspace. Other URIs stay. */
export function longDatastoreUri(workspaceId: string, uri: string): string {
	const short = /^azureml:\/\/(datastores\/.+)$/.exec(uri)?.[1];
	const scope = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/.*\/workspaces\/([^/]+)$/i.exec(workspaceId);
	return short === undefined || scope === null
		? uri
		: `azureml://subscriptions/${scope[1]}/resourcegroups/${scope[2]}/workspaces/${scope[3]}/${short}`;
}
