// A data asset as CLI v2 writes it, and its REST body. Pure but for asking whether its path exists and reading an MLTable.
import type { Place } from '../errors.ts';
import { FileError } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { child, mapping, type Reader, Reading, type Warn, warnLeftOut } from '../yaml/checks.ts';
import { loadYaml } from '../yaml/load.ts';
import type { YamlFile } from '../yaml/node.ts';
import { filledText, stringMap, text, version, word } from '../yaml/values.ts';
import type { Dependency, IdOf } from './dependency.ts';
import { isThere, localPath, readLocalFile } from './local-path.ts';
import { isUri } from './reference.ts';

/** The types of a data asset. */
export type DataType = 'uri_file' | 'uri_folder' | 'mltable';

/** A data asset as the user wrote it, checked. */
export interface DataFile {
	readonly name: string;
	readonly version: string | undefined;
	readonly type: DataType;
	/** A local path to upload, or a URI. */
	readonly source: Extract<Dependency, { need: 'upload' }> | { readonly need: 'uri'; readonly uri: string };
	/** The paths that a local MLTable file lists. */
	readonly referencedUris: readonly string[] | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string>;
	readonly properties: ReadonlyMap<string, string>;
	readonly dependencies: readonly Dependency[];
	readonly at: Place;
}

const data: Reader<DataFile> = mapping('a data asset', (map) => {
	map.ignore('$schema', 'id', 'creation_context', 'latest_version');
	warnLeftOut(map, 'auto_delete_setting');
	const type = map.optional('type', word('uri_folder', 'uri_file', 'mltable')) ?? 'uri_folder';
	const datastore = map.optional('datastore', text)?.replace(/^azureml:/, '');
	const source = map.required('path', dataSource(type, datastore));
	const path = map.node('path');
	const local = source.need === 'upload' && source.path !== '' && type === 'mltable' && path !== undefined;
	return {
		name: map.required('name', filledText),
		version: map.optional('version', version),
		type,
		source,
		referencedUris: local ? mltableUris(source.written, path.at, map.reading) : undefined,
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap) ?? new Map(),
		properties: map.optional('properties', stringMap) ?? new Map(),
		dependencies: source.need === 'upload' ? [source] : [],
		at: map.at,
	};
});

function dataSource(type: DataType, datastore: string | undefined): Reader<DataFile['source']> {
	return (node, reading) => {
		const written = filledText(node, reading);
		if (isUri(written) || written.startsWith('azureml:')) {
			return { need: 'uri', uri: written };
		}
		const shape = type === 'uri_file' ? 'file' : 'folder';
		const found = written === '' ? { path: '', written, at: node.at } : localPath(written, node.at, reading, shape);
		return { need: 'upload', ...found, type, datastore };
	};
}

// The service wants to know beforehand which files an MLTable reads.
function mltableUris(folder: string, at: Place, reading: Reading): readonly string[] | undefined {
	const written = `${withoutEndSlashes(folder)}/MLTable`;
	if (!isThere(folder, reading)) {
		return undefined;
	}
	if (!isThere(written, reading)) {
		reading.fault(
			at,
			`An mltable is a folder with a file named MLTable, and ${reading.relative(written)} is not there.`,
		);
		return undefined;
	}
	const bytes = readLocalFile(written, at, reading);
	try {
		const paths =
			bytes === undefined ? undefined : child(loadYaml(bytes, reading.relative(written), reading.folder).root, 'paths');
		const items = paths?.kind === 'list' ? paths.items : [];
		return items.flatMap((item) => {
			const places = item.kind === 'map' ? item.entries.map((entry) => entry.value) : [];
			return places.flatMap((place) => (place.kind === 'scalar' ? [place.text] : []));
		});
	} catch (error) {
		if (!(error instanceof FileError)) {
			throw error;
		}
		reading.faults.push(...error.faults);
		return undefined;
	}
}

/** Reads a data file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readDataFile(file: YamlFile, warn?: Warn): DataFile {
	const reading = new Reading(file);
	const read = data(file.root, reading);
	reading.finish(warn);
	return read;
}

/** The body of `PUT data/{name}/versions/{version}`. */
export function dataBody(file: DataFile, idOf: IdOf): JsonObject {
	return {
		properties: jsonObject({
			description: file.description,
			tags: mapValues(file.tags, (tag) => tag),
			properties: mapValues(file.properties, (property) => property),
			isAnonymous: false,
			isArchived: false,
			dataType: file.type,
			// An asset's URI has no slash at its end, unlike that of a job's input.
			dataUri: file.source.need === 'uri' ? file.source.uri : idOf(file.source).replace(/\/$/, ''),
			referencedUris: file.referencedUris,
		}),
	};
}
