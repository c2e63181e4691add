// The blob container behind a datastore, opened with the credential that the datastore itself gives out. A token of the
// signed-in identity is never shown to a storage account.
import type { BlobContainer, ContainerAccess } from '../azure/blob.ts';
import { BlobError } from '../azure/blob-error.ts';
import { type Cloud, isStorage } from '../azure/cloud.ts';
import { hostOf } from '../azure/http.ts';
import type { Slots } from '../azure/slots.ts';
import type { Datastore, Workspace } from '../azure/workspace.ts';
import { ServiceError, TransferError } from '../errors.ts';
import { textAt } from '../json.ts';
import type { UploadParts } from './upload.ts';

export interface StorageParts extends UploadParts {
	readonly workspace: Workspace;
	readonly slots: Slots;
}

/** A datastore gives out nothing that its storage could be reached with. */
export class NoCredential extends TransferError {}

/** How often a credential is asked for when one is over before the work is. */
const CREDENTIALS = 3;

/** Datastores whose account answers on its blob address. Of a Data Lake Gen2 account that is not confirmed for every operation. */
const BLOB_TYPES = new Set(['AzureBlob', 'AzureDataLakeGen2']);

/** Work with a container. `again` where an earlier credential was over before the work was. */
export type ContainerWork<T> = (container: BlobContainer, again: boolean) => Promise<T>;

/** Does work with the container of a datastore. */
export function withDatastore<T>(datastore: Datastore, parts: StorageParts, work: ContainerWork<T>): Promise<T> {
	return withContainer(() => accessTo(datastore, parts), `for the datastore ${datastore.name}`, parts, work);
}

/**
 * Does work with a container; again, with a new credential, where the old one is over meanwhile.
 * @param accessOf asks for a credential
 * @param purpose of the credential, for the log: `for the datastore blobs`
 */
export async function withContainer<T>(
	accessOf: () => Promise<ContainerAccess>,
	purpose: string,
	{ clock, slots, signal, log }: Omit<StorageParts, 'workspace'>,
	work: ContainerWork<T>,
): Promise<T> {
	// A run that sends nothing does without the client of storage, which takes long to load.
	const storage = import('../azure/blob.ts');
	for (let turn = 1; ; turn += 1) {
		const access = await accessOf();
		const { openContainer } = await storage;
		const container = openContainer(access, { clock, slots, signal, onRetry: (line) => log.debug(line) });
		try {
			return await work(container, turn > 1);
		} catch (error) {
			const over = 'sas' in access && error instanceof BlobError && error.signatureRefused;
			if (!over || turn === CREDENTIALS) throw error;
			log.debug(`The signature ${purpose} is over; asking for a new one.`);
		}
	}
}

/** Why nothing can be uploaded to a datastore of this type, as a sentence; undefined where it can. */
export function storageFault({ name, type }: Datastore): string | undefined {
	if (BLOB_TYPES.has(type)) return undefined;
	return `The datastore "${name}" is of type ${type || 'unknown'}; uploads need one of type AzureBlob.`;
}

async function accessTo(datastore: Datastore, { workspace, log, signal }: StorageParts): Promise<ContainerAccess> {
	const { name, containerUrl: url, accountName: account } = datastore;
	// Before the credential is asked for. A datastore says itself where its storage is, and files of a pull request make some.
	checkStorage(url, `reach the storage of the datastore "${name}"`, workspace.cloud);
	const doing = `get the credential of the datastore "${name}"`;
	const path = `${workspace.id}/datastores/${encodeURIComponent(name)}/listSecrets`;
	const secrets = (await workspace.arm.post(path, undefined, { doing, signal }).catch((error) => refuse(error, name)))
		.body;
	const type = textAt(secrets, 'secretsType') ?? 'none';
	const key = textAt(secrets, 'key');
	if (type === 'AccountKey' && key !== undefined) {
		log.mask(key);
		return { url, account, key };
	}
	const sas = textAt(secrets, 'sasToken')?.replace(/^\?/, '');
	if (type === 'Sas' && sas !== undefined && sas !== '') {
		log.mask(sas);
		log.mask(new URLSearchParams(sas).get('sig') ?? '');
		return { url, sas };
	}
	throw noCredential(name, `It gives a credential of type ${type}.`);
}

/** @throws TransferError where an address is no storage of the cloud, so that neither files nor credentials may go there */
export function checkStorage(url: string, doing: string, cloud: Cloud): void {
	if (isStorage(cloud, url)) return;
	throw new TransferError({
		what: `Could not ${doing}.`,
		why: `Its address (${hostOf(url)}) is not one of https below ${cloud.storageSuffix || 'a storage suffix of the cloud'}, so nothing is sent there.`,
		next: cloud.custom
			? "If it is right, name its suffix under suffixes.storageEndpoint in the cloud's JSON file."
			: 'Check `endpoint` and `protocol` of the datastore, and `cloud`.',
	});
}

function refuse(error: unknown, name: string): never {
	// 400 is what a datastore without credentials was heard to answer; that is not confirmed for every kind.
	if (!(error instanceof ServiceError) || (error.status !== 400 && error.status !== 404)) throw error;
	throw noCredential(name, error.why ?? 'It gives none.', error);
}

function noCredential(name: string, why: string, cause?: unknown): NoCredential {
	return new NoCredential({
		what: `Nothing can be uploaded to the datastore "${name}": it gives out neither an account key nor a SAS.`,
		why,
		next: 'Give the datastore an account key or a SAS, or put the files into storage another way and refer to them by an azureml:// URI.',
		...(cause === undefined ? {} : { cause }),
	});
}
