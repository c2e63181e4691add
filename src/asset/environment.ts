// Environments in the workspace: the anonymous ones of inline definitions, found again by their content, and named ones.
import { parse } from 'yaml';
import type { Workspace } from '../azure/workspace.ts';
import { at, type Json, type JsonObject, textAt } from '../json.ts';
import type { IdOf } from './dependency.ts';
import {
	ANONYMOUS_ENVIRONMENT,
	anonymousEnvironmentVersion,
	type EnvironmentFile,
	environmentBody,
} from './environment-file.ts';
import { covers, sorted } from './same.ts';
import { type AssetVersion, putVersion } from './version.ts';

export interface EnvironmentParts {
	readonly workspace: Workspace;
	/** Gives the URL of the uploaded build context. */
	readonly idOf: IdOf;
	/** Upload hash of a local build context. */
	readonly contextHash?: string | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Makes a version of an environment, or finds it made. */
export async function publishEnvironment(
	file: EnvironmentFile,
	anonymous: boolean,
	{ workspace, idOf, contextHash, signal }: EnvironmentParts,
): Promise<AssetVersion> {
	const context = file.build?.context.need === 'url' ? file.build.context.url : contextHash;
	const hidden = anonymous || file.name === undefined;
	return putVersion(workspace, {
		kind: 'environments',
		name: hidden || file.name === undefined ? ANONYMOUS_ENVIRONMENT : file.name,
		version: hidden ? anonymousEnvironmentVersion(file, context) : file.version,
		body: () => environmentBody(file, idOf, hidden),
		// The version of an anonymous one is a hash of its content.
		same: hidden ? () => true : sameEnvironment,
		where: file.at,
		signal,
	});
}

/** Whether an environment that is there does what the body asks for. */
export function sameEnvironment(existing: Json, body: JsonObject): boolean {
	const [there, wanted] = [at(existing, 'properties'), at(body, 'properties')];
	const conda = (value: Json | undefined): Json => parse(textAt(value, 'condaFile') ?? 'null');
	return (
		textAt(there, 'image') === textAt(wanted, 'image') &&
		textAt(there, 'build', 'contextUri') === textAt(wanted, 'build', 'contextUri') &&
		(textAt(there, 'build', 'dockerfilePath') ?? 'Dockerfile') ===
			(textAt(wanted, 'build', 'dockerfilePath') ?? 'Dockerfile') &&
		covers(at(there, 'inferenceConfig'), at(wanted, 'inferenceConfig')) &&
		// The service gives the conda file back as JSON.
		JSON.stringify(sorted(conda(there))) === JSON.stringify(sorted(conda(wanted)))
	);
}
