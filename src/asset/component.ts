// Components in the workspace: the anonymous ones of pipelines, and named ones.
import { createHash } from 'node:crypto';
import type { Workspace } from '../azure/workspace.ts';
import { at, type Json, type JsonObject, jsonText } from '../json.ts';
import { ANONYMOUS_COMPONENT, type ComponentFile, componentBody } from './component-file.ts';
import type { IdOf } from './dependency.ts';
import { covers, sorted } from './same.ts';
import { type AssetVersion, putVersion } from './version.ts';

export interface ComponentParts {
	readonly workspace: Workspace;
	/** Gives the ids of what the component needs. */
	readonly idOf: IdOf;
	readonly signal?: AbortSignal | undefined;
}

/** Makes a version of a component, or finds it made. */
export async function publishComponent(
	file: ComponentFile,
	anonymous: boolean,
	{ workspace, idOf, signal }: ComponentParts,
): Promise<AssetVersion> {
	const hidden = anonymous || file.name === undefined;
	const context = { workspaceId: workspace.id, idOf };
	const anonymousBody = componentBody(file, context, true);
	return putVersion(workspace, {
		kind: 'components',
		name: hidden || file.name === undefined ? ANONYMOUS_COMPONENT : file.name,
		version: hidden ? guidOf(anonymousBody) : file.version,
		body: (version) => (hidden ? anonymousBody : componentBody(file, context, false, version)),
		// The version of an anonymous one is a hash of its content.
		same: hidden ? () => true : sameComponent,
		where: file.at,
		signal,
	});
}

/** Whether a component that is there has the spec of the body. */
export function sameComponent(existing: Json, body: JsonObject): boolean {
	return covers(at(existing, 'properties', 'componentSpec'), at(body, 'properties', 'componentSpec'));
}

/** A version that equal bodies share: an MD5 in the form of a GUID, as the CLI gives, though not the same one. */
function guidOf(body: JsonObject): string {
	const hash = createHash('md5')
		.update(jsonText(sorted(body)))
		.digest('hex');
	return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
