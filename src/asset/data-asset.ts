// Data assets in the workspace: named versions that point to an upload or to a URI.
import type { Workspace } from '../azure/workspace.ts';
import { at, type Json, type JsonObject, textAt } from '../json.ts';
import { type DataFile, dataBody } from './data-file.ts';
import type { IdOf } from './dependency.ts';
import { samePlace } from './model-version.ts';
import { type AssetVersion, putVersion } from './version.ts';

export interface DataAssetParts {
	readonly workspace: Workspace;
	/** Gives the URI of the uploaded files. */
	readonly idOf: IdOf;
	readonly signal?: AbortSignal | undefined;
}

/** Makes a version of a data asset, or finds it made. */
export async function publishDataAsset(
	file: DataFile,
	{ workspace, idOf, signal }: DataAssetParts,
): Promise<AssetVersion> {
	const body = dataBody(file, idOf);
	return putVersion(workspace, {
		kind: 'data',
		name: file.name,
		version: file.version,
		body: () => body,
		same: sameData,
		where: file.at,
		signal,
	});
}

function sameData(existing: Json, body: JsonObject): boolean {
	const [there, wanted] = [at(existing, 'properties'), at(body, 'properties')];
	return (
		textAt(there, 'dataType') === textAt(wanted, 'dataType') &&
		samePlace(textAt(there, 'dataUri'), textAt(wanted, 'dataUri'))
	);
}
