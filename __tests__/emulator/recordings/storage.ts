// Sends recorded requests for blobs to the emulator's storage. Each recording has a folder of its own there, since its
// names are masked: what an exchange takes for granted is put there, or taken away, before it is sent.

import {
	AppendBlobClient,
	BlockBlobClient,
	ContainerClient,
	ContainerSASPermissions,
	generateBlobSASQueryParameters,
	StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { Client } from '../client.ts';
import type { Exchange, Sent } from './exchange.ts';

const ACCOUNT = 'emulatorstore';
const CONTAINER = 'replays';
const BLOB = /^https:\/\/[^/]+\.blob\.core\.windows\.net\/([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
/** Headers of an answer whose values are those recorded; of the others the names are. */
const SAME = /^(x-ms-error-code|x-ms-blob-type|x-ms-lease-state|x-ms-meta-upload_status|content-range)$/;
/** The recorded content is a stand-in of another length and hash. */
const NOT_SENT = /^(content-length|content-md5)$/i;

/** The storage of one recording. */
export class RecordedStorage {
	readonly #key: StorageSharedKeyCredential;
	readonly #container: ContainerClient;
	readonly #folder: string;
	/** Blobs that requests of the recording have made. */
	readonly #made = new Set<string>();

	private constructor(key: StorageSharedKeyCredential, container: ContainerClient, folder: string) {
		this.#key = key;
		this.#container = container;
		this.#folder = folder;
	}

	static async open(client: Client, folder: string): Promise<RecordedStorage> {
		const { body } = await client.arm('POST', '/datastores/workspaceblobstore/listSecrets');
		const key = new StorageSharedKeyCredential(ACCOUNT, String(body['key']));
		const container = new ContainerClient(`${client.emulator.storage}/${ACCOUNT}/${CONTAINER}`, key);
		await container.createIfNotExists();
		return new RecordedStorage(key, container, folder);
	}

	/** Puts some content where a URI in a request says that a model is. */
	async putModel(path: string): Promise<void> {
		const url = this.#container.url.replace(/[^/]+$/, 'azureml-blobstore');
		await new BlockBlobClient(`${url}/${path}`, this.#key).upload('stand-in', 8);
	}

	/** Sends a request for a blob; gives nothing for other requests. */
	async send(exchange: Exchange): Promise<Sent | undefined> {
		const [, container, path, query = ''] = BLOB.exec(exchange.url) ?? [];
		if (container === undefined) return undefined;
		const asked = new URLSearchParams(query);
		const route = `${exchange.method} ${path === undefined ? 'container' : 'blob'}${asked.has('comp') ? ` ${asked.get('comp')}` : ''} ${exchange.status}`;
		const folder = `${this.#folder}/${container}/`;
		if (path === undefined) await this.#furnish(exchange, folder);
		else await this.#prepare(exchange, folder + path);
		const reply = await fetch(this.#address(folder, path, asked), this.#request(exchange));
		const text = await reply.text();
		if (reply.status !== exchange.status) {
			const code = reply.headers.get('x-ms-error-code') ?? text.slice(0, 100);
			return { route, differences: [`status ${reply.status}: ${code}`] };
		}
		return { route, differences: [...headerDifferences(exchange, reply), ...tagDifferences(exchange, text)] };
	}

	#address(folder: string, path: string | undefined, asked: URLSearchParams): string {
		const plan = {
			containerName: CONTAINER,
			permissions: ContainerSASPermissions.parse('racwdl'),
			expiresOn: new Date(Date.now() + 3_600_000),
		};
		const query = new URLSearchParams(generateBlobSASQueryParameters(plan, this.#key).toString());
		for (const name of ['restype', 'comp', 'include']) {
			const value = asked.get(name);
			if (value !== null) query.set(name, value);
		}
		if (asked.has('prefix')) query.set('prefix', folder + asked.get('prefix'));
		return `${this.#container.url}${path === undefined ? '' : `/${folder}${path}`}?${query}`;
	}

	#request({ method, requestHeaders, requestBody }: Exchange): RequestInit {
		const headers = Object.entries(requestHeaders).filter(([name]) => !NOT_SENT.test(name));
		const content = method === 'PUT' ? { body: Buffer.from(String(requestBody ?? ''), 'base64') } : {};
		return { method, headers: { ...Object.fromEntries(headers), Connection: 'close' }, ...content };
	}

	/** Has a blob be there, or not, as the answer says that it was. */
	async #prepare({ method, url, status, responseHeaders, responseBody }: Exchange, path: string): Promise<void> {
		const makes = method === 'PUT' && status === 201;
		if (makes || status === 404) await this.#container.getBlobClient(path).deleteIfExists();
		if (makes) this.#made.add(path);
		if (makes || status === 404 || this.#made.has(path) || /comp=metadata/.test(url)) return;
		const headers = new Headers(responseHeaders);
		const metadata = [...headers].flatMap(([name, value]) => {
			const own = /^x-ms-meta-(.+)$/.exec(name)?.[1];
			return own === undefined ? [] : [[own, value]];
		});
		const length = Number(headers.get('content-length') ?? 0);
		const isAppended = headers.get('x-ms-blob-type') === 'AppendBlob' || status === 416;
		const body = method === 'HEAD' ? Buffer.alloc(length, ' ') : content(responseBody, status);
		await this.#put(path, body, isAppended, Object.fromEntries(metadata));
	}

	/** Puts what a list shows. */
	async #furnish({ responseBody }: Exchange, folder: string): Promise<void> {
		for (const [, item = ''] of String(responseBody).matchAll(/<Blob>(.*?)<\/Blob>/gs)) {
			const value = (tag: string) => new RegExp(`<${tag}>(.*?)</${tag}>`).exec(item)?.[1] ?? '';
			const body = Buffer.alloc(Number(value('Content-Length')), ' ');
			await this.#put(folder + value('Name'), body, value('BlobType') === 'AppendBlob', {});
		}
	}

	async #put(path: string, body: Buffer, isAppended: boolean, metadata: Record<string, string>): Promise<void> {
		const url = this.#container.getBlobClient(path).url;
		await this.#container.getBlobClient(path).deleteIfExists();
		if (!isAppended) {
			await new BlockBlobClient(url, this.#key).upload(body, body.length, { metadata });
			return;
		}
		const blob = new AppendBlobClient(url, this.#key);
		await blob.create({ metadata });
		if (body.length > 0) await blob.appendBlock(body, body.length);
	}
}

function content(recorded: unknown, status: number): Buffer {
	return status < 300 && typeof recorded === 'string' ? Buffer.from(recorded, 'base64') : Buffer.alloc(0);
}

function headerDifferences({ responseHeaders }: Exchange, reply: Response): string[] {
	return Object.entries(responseHeaders).flatMap(([given, value]) => {
		const name = given.toLowerCase();
		const actual = reply.headers.get(name);
		if (actual === null) return [`header ${name}: missing`];
		return SAME.test(name) && actual !== value ? [`header ${name}: ${actual} for ${value}`] : [];
	});
}

/** Compares the elements of XML; other content is what was put. */
function tagDifferences({ responseBody }: Exchange, text: string): string[] {
	const recorded = [responseBody].flat().join('');
	if (!/^\ufeff?<\?xml/.test(recorded)) return [];
	const [wanted, actual] = [tags(recorded), tags(text)];
	return [
		...[...wanted].filter((tag) => !actual.has(tag)).map((tag) => `element ${tag}: missing`),
		...[...actual].filter((tag) => !wanted.has(tag)).map((tag) => `element ${tag}: not recorded`),
	];
}

function tags(text: string): Set<string> {
	return new Set([...text.matchAll(/<([A-Za-z][\w-]*)/g)].map(([, tag]) => tag ?? ''));
}
