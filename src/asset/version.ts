// Puts a version of an asset: one that has its number, or the next free one, without ever writing over another's.
import type { Workspace } from '../azure/workspace.ts';
import { ActionError, FileError, type Place, ServiceError } from '../errors.ts';
import { type Json, type JsonObject, textAt } from '../json.ts';
import type { AssetKind } from './reference.ts';

/** A version of an asset that exists. */
export interface AssetVersion {
	readonly name: string;
	readonly version: string;
	/** ARM id. */
	readonly id: string;
	/** It was there before, with the same content. */
	readonly reused: boolean;
}

export interface VersionRequest {
	readonly kind: Exclude<AssetKind, 'codes'>;
	readonly name: string;
	/** The next free number where absent. */
	readonly version: string | undefined;
	/** The body of the PUT; a function where it holds the version. */
	readonly body: (version: string) => JsonObject;
	/** Whether a version that is there has the content of the body. */
	readonly same: (existing: Json, body: JsonObject) => boolean;
	/** Where the user's file defines the asset. */
	readonly where?: Place | undefined;
	readonly signal?: AbortSignal | undefined;
}

const WORDS = { data: 'data asset', environments: 'environment', models: 'model', components: 'component' } as const;
/** How many numbers are tried while others take them at the same time. */
const TURNS = 5;

/**
 * Makes the version, or finds it made.
 * @throws FileError (ActionError where no file defines it) when a version of that number has other content
 */
export async function putVersion(workspace: Workspace, request: VersionRequest): Promise<AssetVersion> {
	return request.version === undefined ? putNext(workspace, request) : putGiven(workspace, request, request.version);
}

async function putGiven(workspace: Workspace, request: VersionRequest, version: string): Promise<AssetVersion> {
	const existing = await findVersion(workspace, request, version);
	if (existing !== undefined) return compare(workspace, request, version, existing);
	try {
		return await put(workspace, request, version);
	} catch (error) {
		if (!isTaken(error)) throw error;
		const taken = await findVersion(workspace, request, version);
		if (taken === undefined) throw error;
		return compare(workspace, request, version, taken);
	}
}

function compare(workspace: Workspace, request: VersionRequest, version: string, existing: Json): AssetVersion {
	const { kind, name, body, same, where } = request;
	if (same(existing, body(version))) return { ...named(workspace, kind, name, version), reused: true };
	const what = `The ${WORDS[kind]} '${name}' has a version '${version}' already, and it is of other content.`;
	const next = 'A version cannot be changed: give another one, or none to get the next.';
	if (where === undefined) throw new ActionError({ what, next });
	throw new FileError(where.file, [{ message: `${what} ${next}`, where }]);
}

/** A number may be taken between asking for it and using it; then the next is asked for. */
async function putNext(workspace: Workspace, request: VersionRequest): Promise<AssetVersion> {
	let last: unknown;
	let tried: string | undefined;
	for (let turn = 1; turn <= TURNS; turn += 1) {
		const version = await nextVersion(workspace, request, tried);
		tried = version;
		if ((await findVersion(workspace, request, version)) !== undefined) continue;
		try {
			return await put(workspace, request, version);
		} catch (error) {
			if (!isTaken(error)) throw error;
			last = error;
		}
	}
	throw (
		last ??
		new ServiceError(
			{
				what: `Could not register the ${WORDS[request.kind]} "${request.name}": no free version was found.`,
				why: `Others took each of ${TURNS} numbers first, the last of them ${tried}.`,
				next: 'Run again, or give a version.',
			},
			{ status: 409 },
		)
	);
}

/** The version to try: what the service says, unless it says nothing, or what has just turned out to be taken. */
async function nextVersion(
	workspace: Workspace,
	{ kind, name, signal }: VersionRequest,
	tried: string | undefined,
): Promise<string> {
	const path = `${workspace.id}/${kind}/${encodeURIComponent(name)}`;
	const call = { doing: `find the next version of the ${WORDS[kind]} "${name}"`, signal };
	const container = await workspace.arm.find(path, call);
	const said = textAt(container, 'properties', 'nextVersion') || undefined;
	if (container === undefined) return tried === undefined ? '1' : beyond(tried);
	if (said !== undefined && said !== tried) return said;
	let highest = tried !== undefined && NUMBER.test(tried) ? tried : '0';
	// Archived versions keep their numbers.
	const versions = workspace.arm.list(`${path}/versions`, { ...call, query: { listViewType: 'All' } });
	for await (const version of versions) {
		const number = textAt(version, 'name') ?? '';
		if (NUMBER.test(number) && BigInt(number) > BigInt(highest)) highest = number;
	}
	return beyond(highest);
}

const NUMBER = /^\d{1,40}$/;

function beyond(version: string): string {
	return NUMBER.test(version) ? String(BigInt(version) + 1n) : version;
}

/** The version as it is, or undefined. */
export async function findVersion(
	workspace: Workspace,
	{ kind, name, signal }: Pick<VersionRequest, 'kind' | 'name' | 'signal'>,
	version: string,
): Promise<Json | undefined> {
	const path = `${workspace.id}/${kind}/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
	return workspace.arm.find(path, { doing: `find the ${WORDS[kind]} "${name}:${version}"`, signal });
}

async function put(workspace: Workspace, request: VersionRequest, version: string): Promise<AssetVersion> {
	const { kind, name, body, signal } = request;
	const path = `${workspace.id}/${kind}/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
	const doing = `register the ${WORDS[kind]} "${name}:${version}"`;
	const answer = await workspace.arm.put(path, body(version), { doing, signal });
	const made = await workspace.arm.settle(path, answer, { doing, signal });
	// An anonymous component of content that is known already comes back under the name it has.
	const id = /\/([^/]+)\/versions\/([^/]+)$/.exec(textAt(made, 'id') ?? textAt(answer.body, 'id') ?? '');
	return { ...named(workspace, kind, id?.[1] ?? name, id?.[2] ?? version), reused: false };
}

function named(workspace: Workspace, kind: AssetKind, name: string, version: string): Omit<AssetVersion, 'reused'> {
	return { name, version, id: `${workspace.id}/${kind}/${name}/versions/${version}` };
}

/** Whether a refusal says that the version is there with another content. */
function isTaken(error: unknown): boolean {
	if (!(error instanceof ServiceError)) return false;
	return (
		error.status === 409 || (error.status === 400 && /paths? cannot be updated|already exists/i.test(error.message))
	);
}
