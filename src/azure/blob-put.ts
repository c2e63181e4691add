// Puts one blob so that it is there whole or not at all, and never with other bytes than were promised.
import { createHash } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob';
import { md5Of, type PieceHash } from '../thread-hash.ts';
import { BlobError } from './blob-error.ts';
import type { Attempt } from './blob-retry.ts';
import type { Slots } from './slots.ts';

/** What is to be put: bytes that can be read piece by piece, and more than once. */
export interface BlobSource {
	readonly size: number;
	/** MD5 of the whole, in base64; a source that turns out otherwise while it is sent is not committed. */
	readonly md5: string;
	/** The bytes from `offset`; fewer than `length` only where the source has become shorter. They may lie in `memory`. */
	read(offset: number, length: number, memory?: Buffer): Promise<Buffer>;
}

/** The source was not, while it was sent, what its MD5 said. Nothing was committed. */
export class SourceChanged extends Error {
	override readonly name = 'SourceChanged';
}

/** Whether the blob was written, or its very bytes were there before. */
export type PutOutcome = 'written' | 'there';

export interface Putting {
	readonly blob: BlockBlobClient;
	readonly source: BlobSource;
	/** Stands in messages after "Could not". */
	readonly doing: string;
	readonly slots: Slots;
	readonly attempt: Attempt;
	readonly onBytes: (count: number) => void;
	/** Size of a block, and of the largest blob that goes in one piece. */
	readonly block: number;
	/** Whether a blob of the same size and MD5 is there. */
	readonly isThere: () => Promise<boolean>;
}

const MOST_BLOCKS = 50_000;

/** Puts the blob: small ones in one request, large ones in blocks of which only the failed are sent again. */
export async function putBlob(putting: Putting): Promise<PutOutcome> {
	const { source, block, slots, onBytes } = putting;
	if (source.size > block) return putBlocks(putting);
	// Read only once there is a place to send it, so that few contents are in memory.
	const done = await slots.run(() => putWhole(putting), source.size);
	onBytes(source.size);
	return done;
}

async function putWhole(putting: Putting): Promise<PutOutcome> {
	const { blob, source } = putting;
	const content = await source.read(0, source.size);
	const md5 = createHash('md5').update(content).digest();
	if (content.length !== source.size || md5.toString('base64') !== source.md5) throw new SourceChanged(blob.name);
	return commit(putting, (abortSignal, conditions) =>
		blob.upload(content, content.length, {
			abortSignal,
			conditions,
			transactionalContentMD5: md5,
			blobHTTPHeaders: { blobContentMD5: md5 },
		}),
	);
}

async function putBlocks(putting: Putting): Promise<PutOutcome> {
	const { blob, source, doing, slots, attempt, onBytes } = putting;
	const size = Math.max(putting.block, Math.ceil(source.size / MOST_BLOCKS));
	const blocks = new BlockReader(source, size);
	const stageNext = (): Promise<boolean> =>
		slots.run(async () => {
			const block = await blocks.next();
			if (block === undefined) return false;
			const { id, content } = block;
			const transactionalContentMD5 = createHash('md5').update(content).digest();
			await attempt(doing, (abortSignal) =>
				blob.stageBlock(id, content, content.length, { abortSignal, transactionalContentMD5 }),
			);
			blocks.giveBack(content);
			onBytes(content.length);
			return true;
		}, size);
	const stageAll = async (): Promise<void> => {
		try {
			while (await stageNext());
		} finally {
			blocks.stop();
		}
	};
	try {
		const ends = await Promise.allSettled(Array.from({ length: slots.limit() }, stageAll));
		for (const end of ends) if (end.status === 'rejected') throw end.reason;
		const md5 = await blocks.md5();
		if (md5.toString('base64') !== source.md5) throw new SourceChanged(blob.name);
		return await slots.run(() =>
			commit(putting, (abortSignal, conditions) =>
				blob.commitBlockList(blocks.ids, { abortSignal, conditions, blobHTTPHeaders: { blobContentMD5: md5 } }),
			),
		);
	} finally {
		blocks.close();
	}
}

/** Never writes over a blob unseen: what is there already is looked at before it is replaced. */
async function commit(
	{ attempt, doing, isThere }: Putting,
	put: (abortSignal: AbortSignal, conditions: { ifNoneMatch?: string }) => Promise<unknown>,
): Promise<PutOutcome> {
	try {
		await attempt(doing, (abortSignal) => put(abortSignal, { ifNoneMatch: '*' }));
		return 'written';
	} catch (error) {
		// The second try of a put whose first answer was lost comes here, too.
		if (!(error instanceof BlobError) || (error.status !== 409 && error.status !== 412)) throw error;
		if (await isThere()) return 'there';
		await attempt(doing, (abortSignal) => put(abortSignal, {}));
		return 'written';
	}
}

/** Reads the blocks of a source one after the other, however many ask, and keeps the MD5 of the whole. */
class BlockReader {
	readonly ids: string[] = [];
	readonly #source: BlobSource;
	readonly #size: number;
	readonly #whole: PieceHash;
	/** Memory of blocks that were sent. Each would else be new, and all of it kept until it is swept. */
	readonly #free: Buffer[] = [];
	#turn: Promise<unknown> = Promise.resolve();
	#offset = 0;
	#stopped = false;

	constructor(source: BlobSource, size: number) {
		this.#source = source;
		this.#size = size;
		this.#whole = md5Of(source.size);
	}

	next(): Promise<{ id: string; content: Buffer } | undefined> {
		const mine = this.#turn.then(() => this.#read());
		this.#turn = mine.catch(() => {});
		return mine;
	}

	/** No more blocks are given; one that failed makes the others useless. */
	stop(): void {
		this.#stopped = true;
	}

	/** Takes back the content of a block that nobody sends any more. */
	giveBack(content: Buffer): void {
		this.#free.push(content);
	}

	async md5(): Promise<Buffer> {
		return this.#whole.digest();
	}

	close(): void {
		this.#whole.close();
	}

	async #read(): Promise<{ id: string; content: Buffer } | undefined> {
		const length = Math.min(this.#size, this.#source.size - this.#offset);
		if (this.#stopped || length <= 0) return undefined;
		const content = await this.#source.read(this.#offset, length, this.#free.pop());
		if (content.length !== length) throw new SourceChanged('a block is shorter than promised');
		await this.#whole.update(content);
		this.#offset += length;
		// All ids of a blob must be equally long.
		const id = Buffer.from(String(this.ids.length).padStart(12, '0')).toString('base64');
		this.ids.push(id);
		return { id, content };
	}
}
