// Code assets: found again by the hash of their content, else uploaded to a place that the service gives, then put.
import { randomUUID } from 'node:crypto';
import type { ContainerAccess } from '../azure/blob.ts';
import type { Slots } from '../azure/slots.ts';
import type { Workspace } from '../azure/workspace.ts';
import { ServiceError } from '../errors.ts';
import { type Json, listAt, textAt } from '../json.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { bytesText, filesText } from './amount.ts';
import { type Content, contentOfText } from './content.ts';
import { CONTENT_HASH_VERSION } from './hash.ts';
import type { MadeAsset } from './made.ts';
import { checkStorage, withContainer } from './storage.ts';
import { type UploadParts, uploadContent } from './upload.ts';

export interface CodeParts extends UploadParts {
	readonly workspace: Workspace;
	readonly slots: Slots;
	/** Names a new code asset, given the hash of its content; by chance where absent. */
	readonly newName?: ((hash: string) => string) | undefined;
}

/** Above this, in bytes, the log says that code is large: it is copied to every node of the job. */
const LARGE_CODE = 100_000_000;

/** The one file of a component that brings no code of its own; its content is the CLI's, so that both share it. */
export const PLACEHOLDER_CODE: Content = contentOfText(
	'COMPONENT_PLACEHOLDER',
	'component',
	'command_component: code_placeholder',
);

/** Where code of some content goes: to the version that is there, or to the first one of a new name. */
export interface CodePlace {
	readonly name: string;
	readonly known: Omit<MadeAsset, 'kind' | 'reused'> | undefined;
}

/** Looks whether the workspace has code of this hash. The service looks through all names, whichever is asked for. */
export async function findCodePlace(
	hash: string,
	{ workspace, signal, newName = () => randomUUID() }: Pick<CodeParts, 'workspace' | 'signal' | 'newName'>,
): Promise<CodePlace> {
	const name = newName(hash);
	const found = await workspace.arm.find(`${workspace.id}/codes/${name}/versions`, {
		doing: 'look for code of the same content',
		query: { hash, hashVersion: CONTENT_HASH_VERSION },
		signal,
	});
	for (const item of listAt(found, 'value')) {
		const named = /\/codes\/([^/]+)\/versions\/([^/]+)$/i.exec(textAt(item, 'id') ?? '');
		const state = textAt(item, 'properties', 'provisioningState') ?? 'Succeeded';
		if (named?.[1] === undefined || named[2] === undefined || state !== 'Succeeded') continue;
		return { name, known: { name: named[1], version: named[2], id: codeId(workspace, named[1], named[2]) } };
	}
	return { name, known: undefined };
}

/** A code version with this content (hashed by content): the one that is there, or a new one. */
export async function publishCode(
	content: Content,
	written: string,
	{ name, known }: CodePlace,
	parts: CodeParts,
): Promise<MadeAsset> {
	const { workspace, log, signal } = parts;
	const amount = { files: content.files.length, bytes: content.bytes, hash: content.hash };
	const sizes = `${filesText(amount.files)}, ${bytesText(amount.bytes)}`;
	if (known !== undefined) {
		log.info(`Code ${written}: ${sizes}, uploaded before.`);
		return { ...known, ...amount, kind: 'code', reused: true };
	}
	if (content.bytes > LARGE_CODE) {
		log.warning(
			`The code in ${written} is large (${sizes}). Exclude what the job does not need in ${written}/.amlignore, or make it a data input.`,
		);
	}
	const codeUri = await uploadCode(content, written, name, parts);
	await putCode(workspace, name, content.hash, codeUri, signal);
	log.info(`Code ${written}: ${sizes}, uploaded.`);
	return { kind: 'code', name, version: '1', id: codeId(workspace, name, '1'), reused: false, ...amount };
}

function codeId(workspace: Workspace, name: string, version: string): string {
	return `${workspace.id}/codes/${name}/versions/${version}`;
}

/** Uploads and gives the URI of the folder that holds the files. */
async function uploadCode(content: Content, written: string, name: string, parts: CodeParts): Promise<string> {
	const { workspace, log, signal } = parts;
	const upload = { content, prefix: content.folder, written, name, version: '1' };
	let pending: Json | undefined;
	const access = async (): Promise<ContainerAccess> => {
		pending = await startPendingUpload(workspace, name, pending, signal);
		const { sasUri } = placeOf(pending);
		if (parts.plan === undefined) checkStorage(sasUri, 'upload code', workspace.cloud);
		const sas = new URL(sasUri);
		log.mask(sas.searchParams.get('sig') ?? '');
		return { url: `${sas.origin}${withoutEndSlashes(sas.pathname)}`, sas: sas.search };
	};
	await withContainer(access, `for the upload of ${written}`, parts, (container, again) =>
		uploadContent(container, upload, parts, again),
	);
	return `${withoutEndSlashes(placeOf(pending).blobUri.replace(/\?.*$/s, ''))}/${content.folder}`;
}

/** `before` is the answer of an earlier call: the same upload goes on with a new signature. */
async function startPendingUpload(
	workspace: Workspace,
	name: string,
	before: Json | undefined,
	signal: AbortSignal | undefined,
): Promise<Json | undefined> {
	const id = textAt(before, 'pendingUploadId');
	const body = { pendingUploadType: 'TemporaryBlobReference', ...(id === undefined ? {} : { pendingUploadId: id }) };
	const doing = 'get a place to upload code to';
	return (await workspace.arm.post(`${codeId(workspace, name, '1')}/startPendingUpload`, body, { doing, signal })).body;
}

function placeOf(pending: Json | undefined): { blobUri: string; sasUri: string } {
	const blobUri = textAt(pending, 'blobReferenceForConsumption', 'blobUri');
	const sasUri = textAt(pending, 'blobReferenceForConsumption', 'credential', 'sasUri');
	if (blobUri !== undefined && sasUri !== undefined && URL.canParse(sasUri)) return { blobUri, sasUri };
	throw new ServiceError(
		{
			what: 'Could not upload code.',
			why: 'The service gave no signed address for it.',
			next: 'Check that the workspace may make signatures for its storage account, and try again.',
		},
		{ status: 200 },
	);
}

async function putCode(
	workspace: Workspace,
	name: string,
	hash: string,
	codeUri: string,
	signal: AbortSignal | undefined,
): Promise<void> {
	const body = {
		properties: {
			properties: { hash_sha256: hash, hash_version: CONTENT_HASH_VERSION },
			isAnonymous: true,
			isArchived: false,
			codeUri,
		},
	};
	await workspace.arm.put(codeId(workspace, name, '1'), body, { doing: 'register the uploaded code', signal });
}
