// Things that have a name and no versions: workspace, compute, datastore. They are created where they are missing, and
// what is there is never written over.
import type { Arm } from '../azure/arm.ts';
import { type WorkspaceName, workspaceIdOf } from '../azure/workspace.ts';
import { FileError, ServiceError } from '../errors.ts';
import { at, type Json, type JsonObject, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import { type Difference, settingDifferences, tellDifferences } from './apply-compare.ts';
import { workspaceBody } from './apply-workspace-file.ts';
import type { AssetFile, AssetFiles } from './asset-files.ts';
import { computeBody } from './compute-file.ts';
import { datastoreBody } from './datastore-file.ts';
import type { MadeAsset } from './made.ts';

/** What creating needs of the run. */
export interface NamedParts {
	readonly arm: Arm;
	readonly log: Log;
	readonly signal?: AbortSignal | undefined;
}

interface NamedRequest {
	readonly kind: 'workspace' | 'compute' | 'datastore';
	readonly name: string;
	/** ARM id, which is also the path of the calls. */
	readonly id: string;
	/** Path of the user's file. */
	readonly file: string;
	readonly body: () => JsonObject;
	readonly query?: Readonly<Record<string, string>>;
	/** Fields of the body by which people would notice that the one that is there is another. */
	readonly telling: readonly (readonly string[])[];
}

/**
 * Creates the workspace that the file describes, where there is none of that name.
 * @throws FileError when the file leaves out what a new workspace needs
 */
export async function applyWorkspace(
	{ path, file }: NonNullable<AssetFiles['workspace']>,
	target: WorkspaceName,
	parts: NamedParts,
): Promise<MadeAsset> {
	const { storageAccount, keyVault } = file.properties;
	const absent = Object.entries({ storage_account: storageAccount, key_vault: keyVault })
		.filter(([, value]) => value === undefined)
		.map(([key]) => `\`${key}\``)
		.join(', ');
	const refuse = (message: string): never => {
		throw new FileError(path, [{ message, where: file.at }]);
	};
	const body = (): JsonObject =>
		file.location === undefined
			? refuse(`There is no workspace '${target.workspace}' yet, and to create it ${path} must give \`location\`.`)
			: workspaceBody(file);
	const id = workspaceIdOf(target);
	try {
		return await create({ kind: 'workspace', name: target.workspace, id, file: path, body, telling: [] }, parts);
	} catch (error) {
		// What a new workspace can do without is the service's to say: no field is required by its specification.
		if (absent === '' || !(error instanceof ServiceError) || ![200, 400].includes(error.status)) throw error;
		return refuse(
			`${error.message} ${path} gives no ${absent}: unlike \`az ml workspace create\` this action makes no storage account or key vault. Name ones that exist by their ARM ids.`,
		);
	}
}

/** Creates the compute of the file in the workspace of this ARM id, where there is none of that name. */
export async function applyCompute(
	{ path, file }: Extract<AssetFile, { kind: 'compute' }>,
	workspace: { readonly id: string; readonly location: string },
	parts: NamedParts,
): Promise<MadeAsset> {
	const body = computeBody(file, { workspaceId: workspace.id, location: workspace.location });
	for (const secret of secretsIn(body)) parts.log.mask(secret);
	const own = ['properties', 'properties'];
	const telling = [
		['properties', 'computeType'],
		[...own, 'vmSize'],
		[...own, 'vmPriority'],
		[...own, 'scaleSettings', 'minNodeCount'],
		[...own, 'scaleSettings', 'maxNodeCount'],
	];
	const id = `${workspace.id}/computes/${encodeURIComponent(file.name)}`;
	return create({ kind: 'compute', name: file.name, id, file: path, body: () => body, telling }, parts);
}

/** Creates the datastore of the file in the workspace of this ARM id, where there is none of that name. */
export async function applyDatastore(
	{ path, file }: Extract<AssetFile, { kind: 'datastore' }>,
	workspace: { readonly id: string },
	parts: NamedParts,
): Promise<MadeAsset> {
	for (const secret of file.secrets) parts.log.mask(secret);
	const telling = ['datastoreType', ...Object.keys(file.place)].map((key) => ['properties', key]);
	return create(
		{
			kind: 'datastore',
			name: file.name,
			id: `${workspace.id}/datastores/${encodeURIComponent(file.name)}`,
			file: path,
			body: () => datastoreBody(file),
			// As the CLI does: a storage account that is not reachable from here may well be from the workspace.
			query: { skipValidation: 'true' },
			telling,
		},
		parts,
	);
}

async function create(request: NamedRequest, { arm, log, signal }: NamedParts): Promise<MadeAsset> {
	const { kind, name, id, file, body, query } = request;
	const doing = `create the ${kind} "${name}"`;
	const told = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${name} (${file})`;
	const existing = await findReady(request, { arm, log, signal });
	if (existing !== undefined) {
		log.info(`${told}: exists, left as it is.`);
		if (kind !== 'workspace') warnOfOther(request, existing, log);
		return { kind, name, id, reused: true };
	}
	const answer = await arm.put(id, body(), { doing, ...(query === undefined ? {} : { query }), signal });
	let before = '';
	const onState = (state: string): void => {
		if (state !== before) log.info(`${told}: ${state}.`);
		before = state;
	};
	await arm.settle(id, answer, { doing, onState, signal });
	log.info(`${told}: created.`);
	return { kind, name, id, reused: false };
}

/** What is there, once nobody is making or deleting it any more. */
async function findReady(
	{ kind, name, id }: NamedRequest,
	{ arm, log, signal }: NamedParts,
): Promise<Json | undefined> {
	const found = await arm.find(id, { doing: `find the ${kind} "${name}"`, signal });
	const state = textAt(found, 'properties', 'provisioningState') ?? '';
	if (found === undefined || !/^(creating|updating|deleting)$/i.test(state)) {
		if (/^failed$/i.test(state)) log.warning(`The ${kind} ${name} is in the state Failed; it is left as it is.`);
		return found;
	}
	log.info(`The ${kind} ${name} is there in the state ${state}; waiting for the end of that.`);
	const answer = { status: 200, headers: {}, body: found };
	return arm.settle(id, answer, { doing: `wait for the ${kind} "${name}"`, signal });
}

function warnOfOther({ kind, name, file, body, telling }: NamedRequest, existing: Json, log: Log): void {
	const ours = body();
	const differences = telling.flatMap((path): readonly Difference[] =>
		settingDifferences(path.at(-1) ?? '', at(ours, ...path), at(existing, ...path)),
	);
	if (differences.length === 0) return;
	log.warning(
		`The ${kind} ${name} is left as it is, though it is not as ${file} says: ${tellDifferences(differences)}`,
		{ file },
	);
}

/** Credentials anywhere in the body of a compute. */
function secretsIn(body: Json | undefined, key = ''): readonly string[] {
	if (typeof body === 'string') return /password|privateKeyData/i.test(key) ? [body] : [];
	if (typeof body !== 'object' || body === null) return [];
	return Object.entries(body).flatMap(([name, value]) => secretsIn(value as Json | undefined, name));
}
