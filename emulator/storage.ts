// Blob storage of the emulated workspace: an Azurite process behind a recording proxy, signed URLs, and reading and
// writing by container and path. Knows nothing of datastores.

import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
	BlobSASPermissions,
	BlobServiceClient,
	type ContainerClient,
	ContainerSASPermissions,
	generateBlobSASQueryParameters,
	SASProtocol,
	StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { Ledger } from './ledger.ts';
import { serveStorage } from './storage-face.ts';

/** The storage account of the workspace. */
export const ACCOUNT = 'emulatorstore';
/** What follows `{account}.blob.` in the addresses of storage; azure-storage-blob takes the account from before `.blob.core.`. */
export const STORAGE_DOMAIN = 'core.localhost';
/** The account in the public cloud, where clients look for it that can be told of no other. */
export const PUBLIC_STORAGE = `${ACCOUNT}.blob.core.windows.net`;
/** The container of the datastore `workspaceblobstore`. */
export const BLOB_CONTAINER = 'azureml-blobstore';
/** The container of the datastore `workspaceartifactstore`. */
export const ARTIFACT_CONTAINER = 'azureml';

const KEY = createHash('sha512').update('account key of the Azure ML emulator').digest('base64');
/** The version whose signature layout the signed URLs have. */
const SAS_VERSION = '2022-11-02';

/** A stored blob. */
export interface StoredBlob {
	container: string;
	name: string;
	length: number;
	/** MD5 as base64 where the client or the service computed one. */
	md5?: string;
	metadata: Record<string, string>;
}

/** What a client needs to start storage. */
export interface StoragePlan {
	folder: string;
	ledger: Ledger;
	clock: () => number;
	/** PEM texts; plain HTTP when absent. */
	tls?: { key: string; cert: string };
}

/** Starts Azurite and the proxy before it; its files are kept in `folder`. */
export async function startStorage(plan: StoragePlan): Promise<BlobStorage> {
	const where = ['--blobHost', '127.0.0.1', '--blobPort', '0', '--location', plan.folder];
	const child = fork(
		new URL('./azurite.ts', import.meta.url),
		[...where, '--silent', '--skipApiVersionCheck', '--loose', '--disableTelemetry'],
		// A group of its own: an interrupt from the terminal must reach the emulator first.
		{
			detached: true,
			stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
			execArgv: [],
			env: { ...process.env, AZURITE_ACCOUNTS: `${ACCOUNT}:${KEY}` },
		},
	);
	const port = await portOf(child);
	const face = await serveStorage({ ...plan, target: port });
	const storage = new BlobStorage(child, port, face, plan.tls ? 'https' : 'http');
	for (const container of [BLOB_CONTAINER, ARTIFACT_CONTAINER]) await storage.makeContainer(container);
	return storage;
}

function portOf(child: ChildProcess): Promise<number> {
	return new Promise((resolve, reject) => {
		let said = '';
		const listen = (chunk: Buffer) => {
			said += chunk.toString();
			const port = /successfully listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
			if (port !== undefined) resolve(Number(port));
		};
		child.stdout?.on('data', listen);
		child.stderr?.on('data', listen);
		child.once('exit', (code) => reject(new Error(`Blob storage (Azurite) ended with code ${code}: ${said.trim()}`)));
		child.once('error', reject);
	});
}

/** The storage account. Its own reads and writes are not recorded; those that come through `origin` are. */
export class BlobStorage {
	/** Where clients reach the account: `{origin}/{account}/{container}/{blob}`. */
	readonly origin: string;
	readonly protocol: 'http' | 'https';
	readonly accountKey = KEY;
	readonly #child: ChildProcess;
	readonly #face: { port: number; close(): Promise<void> };
	readonly #service: BlobServiceClient;
	readonly #credential = new StorageSharedKeyCredential(ACCOUNT, KEY);
	readonly #appends = new Map<string, Promise<void>>();

	/** `port` is Azurite's own, `face` the proxy before it. */
	constructor(
		child: ChildProcess,
		port: number,
		face: { port: number; close(): Promise<void> },
		protocol: 'http' | 'https',
	) {
		this.#child = child;
		this.#face = face;
		this.protocol = protocol;
		this.origin = `${protocol}://127.0.0.1:${face.port}`;
		this.#service = new BlobServiceClient(`http://127.0.0.1:${port}/${ACCOUNT}`, this.#credential);
	}

	/** The port that clients use, for the `endpoint` of a datastore. */
	get port(): number {
		return this.#face.port;
	}

	/** What clients put after `{account}.blob.`. */
	get suffix(): string {
		return `${STORAGE_DOMAIN}:${this.port}`;
	}

	/** The address of a container or blob without any signature. */
	url(container: string, path = ''): string {
		const blob = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
		return `${this.origin}/${ACCOUNT}/${container}${blob}`;
	}

	/** Makes a container when there is none. */
	async makeContainer(container: string): Promise<void> {
		await this.#container(container).createIfNotExists();
	}

	/** Signs access to a container, with letters such as `rcwl`, for some hours from now. */
	signContainer(container: string, permissions: string, hours = 8): string {
		const signed = generateBlobSASQueryParameters(
			{ containerName: container, permissions: ContainerSASPermissions.parse(permissions), ...validity(hours) },
			this.#credential,
		);
		return signed.toString();
	}

	/** Gives a URL that reads one blob for eight hours; each call signs anew. */
	readUrl(container: string, path: string): string {
		return this.#signedUrl(container, path, 'r');
	}

	/**
	 * The same with the account in the name of the host, which azureml-mlflow wants to see. Resolvers may not know that
	 * name: a client without TLS, which that package does not speak, gets the plain address.
	 */
	accountReadUrl(container: string, path: string): string {
		const plain = this.readUrl(container, path);
		if (this.protocol === 'http') return plain;
		return plain.replace(`${this.origin}/${ACCOUNT}`, `https://${ACCOUNT}.blob.${this.suffix}`);
	}

	/** Gives a URL that writes one blob for eight hours. */
	writeUrl(container: string, path: string): string {
		return this.#signedUrl(container, path, 'rcw');
	}

	#signedUrl(container: string, path: string, permissions: string): string {
		const signed = generateBlobSASQueryParameters(
			{ containerName: container, blobName: path, permissions: BlobSASPermissions.parse(permissions), ...validity(8) },
			this.#credential,
		);
		return `${this.url(container, path)}?${signed}`;
	}

	/** Lists the blobs of a container whose names begin with `prefix`, in the order of their names. */
	async list(container: string, prefix = ''): Promise<StoredBlob[]> {
		const blobs: StoredBlob[] = [];
		for await (const blob of this.#container(container).listBlobsFlat({ prefix, includeMetadata: true })) {
			const md5 = blob.properties.contentMD5;
			blobs.push({
				container,
				name: blob.name,
				length: blob.properties.contentLength ?? 0,
				metadata: blob.metadata ?? {},
				...(md5 ? { md5: Buffer.from(md5).toString('base64') } : {}),
			});
		}
		return blobs;
	}

	/** Lists the containers of the account. */
	async containers(): Promise<string[]> {
		const names: string[] = [];
		for await (const container of this.#service.listContainers()) names.push(container.name);
		return names;
	}

	/** Reads a blob; `undefined` when there is none. */
	async read(container: string, path: string): Promise<Buffer | undefined> {
		const blob = this.#container(container).getBlobClient(path);
		if (!(await blob.exists())) return undefined;
		// Reading a range of an empty blob is an error, and nothing would come of it.
		const { contentLength } = await blob.getProperties();
		return contentLength === 0 ? Buffer.alloc(0) : blob.downloadToBuffer();
	}

	/** Writes a whole blob, whatever was there. */
	async write(container: string, path: string, bytes: Buffer): Promise<void> {
		await this.#container(container).getBlockBlobClient(path).upload(bytes, bytes.length);
	}

	/** Deletes every blob whose name begins with `prefix`. */
	async removeBelow(container: string, prefix: string): Promise<void> {
		for (const blob of await this.list(container, prefix)) await this.#container(container).deleteBlob(blob.name);
	}

	/** Appends to an append blob, in the order of the calls. */
	append(container: string, path: string, bytes: Buffer): Promise<void> {
		const key = `${container}/${path}`;
		const next = (this.#appends.get(key) ?? Promise.resolve()).then(async () => {
			const blob = this.#container(container).getAppendBlobClient(path);
			await blob.createIfNotExists({ blobHTTPHeaders: { blobContentType: 'text/plain' } });
			const most = 4 * 1024 * 1024;
			for (let at = 0; at < bytes.length; at += most) {
				const part = bytes.subarray(at, at + most);
				await blob.appendBlock(part, part.length);
			}
		});
		this.#appends.set(
			key,
			next.catch(() => {}),
		);
		return next;
	}

	/** Ends the proxy and the Azurite process. */
	async stop(): Promise<void> {
		await Promise.all(this.#appends.values());
		await this.#face.close();
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
		const late = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
		if (this.#child.connected) this.#child.disconnect();
		await ended;
		clearTimeout(late);
	}

	#container(name: string): ContainerClient {
		return this.#service.getContainerClient(name);
	}
}

function validity(hours: number) {
	const now = Date.now();
	return {
		startsOn: new Date(now - 10 * 60 * 1000),
		expiresOn: new Date(now + hours * 60 * 60 * 1000),
		protocol: SASProtocol.HttpsAndHttp,
		version: SAS_VERSION,
	};
}
