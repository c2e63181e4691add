// Models in the workspace that a file or an inline definition describes. Registering what a job made is model.ts's.
import { createHash } from 'node:crypto';
import type { Workspace } from '../azure/workspace.ts';
import { at, type Json, type JsonObject, textAt } from '../json.ts';
import { withoutEndSlashes } from '../slashes.ts';
import type { IdOf } from './dependency.ts';
import { type ModelFile, modelBody } from './model-file.ts';
import { covers } from './same.ts';
import { type AssetVersion, findVersion, putVersion } from './version.ts';

export interface ModelParts {
	readonly workspace: Workspace;
	/** Gives the URI of the uploaded files. */
	readonly idOf: IdOf;
	/** Upload hash of local files. */
	readonly contentHash?: string | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Makes a version of a model, or finds it made. */
export async function publishModel(
	file: ModelFile,
	anonymous: boolean,
	{ workspace, idOf, contentHash, signal }: ModelParts,
): Promise<AssetVersion> {
	const hidden = anonymous || file.name === undefined;
	const body = modelBody(file, workspace.id, idOf, hidden);
	const request = { kind: 'models', body: () => body, same: sameModel, where: file.at, signal } as const;
	if (!hidden && file.name !== undefined) {
		return putVersion(workspace, { ...request, name: file.name, version: file.version });
	}
	const content = contentHash ?? textAt(body, 'properties', 'modelUri') ?? '';
	// The CLI's name for this content; the same files as a model of another type must go by another.
	const name = md5(content);
	const there = await findVersion(workspace, { kind: 'models', name, signal }, '1');
	const other = there !== undefined && !sameModel(there, body);
	return putVersion(workspace, { ...request, name: other ? md5(JSON.stringify(body)) : name, version: '1' });
}

/** Whether a model that is there is of the same type and leads to the same place. */
export function sameModel(existing: Json, body: JsonObject): boolean {
	const [there, wanted] = [at(existing, 'properties'), at(body, 'properties')];
	return (
		textAt(there, 'modelType') === textAt(wanted, 'modelType') &&
		samePlace(textAt(there, 'modelUri'), textAt(wanted, 'modelUri')) &&
		covers(at(there, 'flavors'), at(wanted, 'flavors'))
	);
}

/** URIs of the same place, whatever the letter case of what names the workspace and the slash at the end. */
export function samePlace(one: string | undefined, other: string | undefined): boolean {
	return placeOf(one) === placeOf(other);
}

function placeOf(uri: string | undefined): string {
	const parts = /^(azureml:\/\/.*?\/)(paths\/.*)?$/is.exec(withoutEndSlashes(uri ?? ''));
	return parts === null ? (uri ?? '') : `${parts[1]?.toLowerCase()}${parts[2] ?? ''}`;
}

function md5(text: string): string {
	return createHash('md5').update(text).digest('hex');
}
