// Blobs of one container, reached with a signed URL or an account key: put, look, mark, list, read. A bearer token has
// no way in here. What is uploaded and where is not known here; what refusals mean is blob-error.ts's.
import {
	type BlockBlobClient,
	ContainerClient,
	newPipeline,
	type RequestPolicyFactory,
	StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { BlobError, refusalOf } from './blob-error.ts';
import { type BlobSource, type PutOutcome, putBlob } from './blob-put.ts';
import { type Attempt, createAttempt, type RetryParts } from './blob-retry.ts';
import { isLoopback } from './cloud.ts';
import { hostOf } from './http.ts';
import { LOOPBACK_AGENTS } from './loopback.ts';
import type { Slots } from './slots.ts';

/** A container and the credential to reach it. `url` has no query and no slash at its end. */
export type ContainerAccess =
	| { readonly url: string; readonly sas: string }
	| { readonly url: string; readonly account: string; readonly key: string };

/** What a listing or a look at a blob tells of it. `md5` is in base64; names of metadata are in lower case. */
export interface BlobFacts {
	readonly name: string;
	readonly size: number;
	readonly md5: string | undefined;
	readonly etag: string | undefined;
	readonly metadata: Readonly<Record<string, string>>;
}

export interface PutOptions {
	/** What stands in messages for the blob; its name where absent. */
	readonly shown?: string;
	/** Told of each number of bytes that has arrived. */
	readonly onBytes?: (count: number) => void;
	/** Look first whether the same bytes are there, as after an upload that broke off. */
	readonly lookFirst?: boolean;
}

/** One container. Every method rejects with `BlobError`, and with the signal's reason once that is aborted. */
export interface BlobContainer {
	/** Address without credential. */
	readonly url: string;
	/**
	 * Puts a blob. One of the same bytes is left as it is (`there`); one of other bytes is written over.
	 * @throws SourceChanged when the source's bytes are not those of its MD5
	 */
	put(name: string, source: BlobSource, options?: PutOptions): Promise<PutOutcome>;
	/** The facts of a blob, or undefined where there is none. */
	find(name: string): Promise<BlobFacts | undefined>;
	/** Replaces the metadata of a blob. */
	mark(name: string, metadata: Readonly<Record<string, string>>): Promise<void>;
	/** All blobs whose name starts with `prefix`. */
	list(prefix: string): AsyncIterable<BlobFacts>;
	/** A range of a blob. Shorter than asked where the blob ends; empty beyond its end. */
	read(name: string, offset: number, length: number): Promise<Buffer>;
	/** A whole blob in pieces; rejects when it is replaced half-way. */
	pieces(name: string): AsyncIterable<Buffer>;
}

export interface BlobParts extends Omit<RetryParts, 'onBusy'> {
	/** Places for requests, shared by the containers of one run. */
	readonly slots: Slots;
	/** Size of a block, and of the largest blob that goes in one piece. */
	readonly block?: number;
}

const BLOCK = 4 * 1024 * 1024;
const PIECE = 8 * 1024 * 1024;

/** Opens a container. No request is sent yet. */
export function openContainer(access: ContainerAccess, parts: BlobParts): BlobContainer {
	const { slots, block = BLOCK } = parts;
	const { url } = access;
	const client = clientOf(access);
	const attempt = createAttempt(url, { ...parts, onBusy: () => slots.slowDown() });
	const send: Attempt = (doing, request) => slots.run(() => attempt(doing, request));
	const blobOf = (name: string): BlockBlobClient => client.getBlockBlobClient(name);
	return {
		url,
		find: (name) => lookAt(blobOf(name), send, `look at ${name}`),
		async put(name, source, { shown = name, onBytes = () => {}, lookFirst = false } = {}) {
			const blob = blobOf(name);
			const doing = `upload ${shown}`;
			const same = async (by: Attempt): Promise<boolean> => {
				const found = await lookAt(blob, by, doing);
				return found !== undefined && found.size === source.size && found.md5 === source.md5;
			};
			if (lookFirst && (await same(send))) {
				onBytes(source.size);
				return 'there';
			}
			// Looks within a put happen in the put's own place, so they must not ask for one more.
			return putBlob({ blob, source, doing, slots, attempt, onBytes, block, isThere: () => same(attempt) });
		},
		mark: async (name, metadata) => {
			await send(`mark ${name}`, (abortSignal) => blobOf(name).setMetadata({ ...metadata }, { abortSignal }));
		},
		list: (prefix) => listBlobs(client, send, prefix, url),
		read: (name, offset, length) => readRange(blobOf(name), send, offset, length),
		pieces: (name) => readPieces(blobOf(name), send),
	};
}

async function lookAt(blob: BlockBlobClient, send: Attempt, doing: string): Promise<BlobFacts | undefined> {
	return send(doing, async (abortSignal) => {
		try {
			const { contentLength: size = 0, contentMD5, etag, metadata = {} } = await blob.getProperties({ abortSignal });
			return { name: blob.name, size, md5: base64(contentMD5), etag, metadata };
		} catch (error) {
			if (refusalOf(error).status === 404) return undefined;
			throw error;
		}
	});
}

async function* listBlobs(
	client: ContainerClient,
	send: Attempt,
	prefix: string,
	url: string,
): AsyncIterable<BlobFacts> {
	let token: string | undefined;
	do {
		const settings = token === undefined ? {} : { continuationToken: token };
		const page = await send(`list the blobs of ${hostOf(url)}`, async (abortSignal) => {
			const pages = client.listBlobsFlat({ prefix, abortSignal, includeMetadata: true }).byPage(settings);
			const first = await pages.next();
			return first.done === true ? undefined : first.value;
		});
		for (const { name, properties, metadata = {} } of page?.segment.blobItems ?? []) {
			const { contentLength: size = 0, contentMD5, etag } = properties;
			yield { name, size, md5: base64(contentMD5), etag, metadata };
		}
		token = page?.continuationToken;
	} while (token !== undefined && token !== '');
}

async function readRange(
	blob: BlockBlobClient,
	send: Attempt,
	offset: number,
	length: number,
	etag?: string,
): Promise<Buffer> {
	const got = await send(`read ${blob.name}`, async (abortSignal) => {
		try {
			const conditions = etag === undefined ? {} : { ifMatch: etag };
			const answer = await blob.download(offset, length, { abortSignal, conditions, maxRetryRequests: 0 });
			const pieces: Buffer[] = [];
			let size = 0;
			for await (const piece of answer.readableStreamBody ?? []) {
				size += piece.length;
				// An answer without end must not fill the memory.
				if (size > length) return undefined;
				pieces.push(Buffer.from(piece));
			}
			return Buffer.concat(pieces);
		} catch (error) {
			// An empty blob, or one that ends before `offset`, has no such range.
			if (refusalOf(error).status === 416) return Buffer.alloc(0);
			throw error;
		}
	});
	if (got === undefined) throw tooMuch(blob.name, length);
	return got;
}

function tooMuch(name: string, length: number): BlobError {
	const why = `More than the ${length} bytes came that were asked for.`;
	return new BlobError({ what: `Could not read ${name}.`, why }, 0, undefined);
}

async function* readPieces(blob: BlockBlobClient, send: Attempt): AsyncIterable<Buffer> {
	const doing = `read ${blob.name}`;
	const found = await lookAt(blob, send, doing);
	if (found === undefined) {
		throw new BlobError({ what: `Could not ${doing}.`, why: 'There is no such blob.' }, 404, 'BlobNotFound');
	}
	for (let offset = 0; offset < found.size; ) {
		const piece = await readRange(blob, send, offset, Math.min(PIECE, found.size - offset), found.etag);
		if (piece.length === 0) throw new BlobError({ what: `Could not ${doing}: it ended early.` }, 0, undefined);
		offset += piece.length;
		yield piece;
	}
}

function base64(md5: Uint8Array | undefined): string | undefined {
	return md5 === undefined || md5.length === 0 ? undefined : Buffer.from(md5).toString('base64');
}

function clientOf(access: ContainerAccess): ContainerClient {
	const { protocol, hostname } = new URL(access.url);
	const options = {
		retryOptions: { maxTries: 1 },
		redirectOptions: { maxRetries: 0 },
		...(isLoopback(hostname) ? { agent: protocol === 'http:' ? LOOPBACK_AGENTS.http : LOOPBACK_AGENTS.https } : {}),
	};
	const bySas = 'sas' in access;
	const pipeline = newPipeline(bySas ? undefined : new StorageSharedKeyCredential(access.account, access.key), options);
	pipeline.factories.push(LENGTH_OF_RANGE);
	return new ContainerClient(bySas ? `${access.url}?${access.sas.replace(/^\?/, '')}` : access.url, pipeline);
}

/** What comes in pieces by way of a gateway may have lost the length that the client wants; the range tells it as well. */
const LENGTH_OF_RANGE: RequestPolicyFactory = {
	create: (next) => ({
		sendRequest: async (request) => {
			const answer = await next.sendRequest(request);
			const { parsedHeaders: told } = answer;
			const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(answer.headers.get('content-range') ?? '') ?? [];
			if (told !== undefined && told['contentLength'] === undefined && from !== undefined)
				told['contentLength'] = Number(to) - Number(from) + 1;
			return answer;
		},
	}),
};
