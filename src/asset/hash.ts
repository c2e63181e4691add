// The two hashes by which Azure ML's clients know content again. Each file is read once, and while it passes by its own
// MD5 is taken, so that an upload can tell whether it sends the bytes that were hashed.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { md5Of } from '../thread-hash.ts';
import { NOT_A_FILE, unreadable } from './file-error.ts';
import type { LocalEntry, LocalFile, LocalTree } from './walk.ts';

/** What is hashed: `content` for code assets, `upload` for everything that lies below `LocalUpload/`. */
export type HashKind = 'content' | 'upload';

/** A file that has been read. `md5` is in base64. */
export interface HashedFile extends LocalFile {
	readonly md5: string;
}

export interface HashResult {
	/** In lower-case hex: SHA-256 for `content`, MD5 for `upload`. */
	readonly hash: string;
	/** In the order of the tree's files. */
	readonly files: readonly HashedFile[];
	/** Files that could not be read or were not what they were a moment ago, each a sentence. Then `hash` means nothing. */
	readonly problems: readonly string[];
}

/** Sees the bytes of each file as they pass. */
export interface Onlooker {
	see(file: LocalFile, chunk: Buffer): void;
	/** A file has been read to its end. */
	end(file: LocalFile): void | Promise<void>;
}

/** The version of the content hash, as `properties.hash_version` and the query `hashVersion` hold it. */
export const CONTENT_HASH_VERSION = '202208';

const UPLOAD_SEED = 'Initialize for october 2021 AML CLI version';
const CHUNK = 1024 * 1024;
/** Largest file that is read at one go, in bytes: handing each call to another thread and back costs more than its reading. */
export const SMALL = 64 * 1024;
/** How many of those follow each other. */
const SMALL_AT_ONCE = 32;

/** Hashes what a walk has found. Stops with the signal's reason when that is aborted. */
export async function hashTree(
	tree: LocalTree,
	kind: HashKind,
	onlooker?: Onlooker,
	signal?: AbortSignal,
): Promise<HashResult> {
	const reader = new FileReader(onlooker, signal);
	const whole = kind === 'content' ? createHash('sha256') : createHash('md5').update(UPLOAD_SEED);
	if (kind === 'upload') {
		await hashEntries(tree.entries, tree.kind === 'folder', whole, reader);
	} else {
		// Number, names and sizes come before all contents, so that no two folders give the same sequence of bytes.
		whole.update(String(tree.files.length));
		for (const file of tree.files) whole.update(`#${file.path}#${file.size}`);
		for (const file of tree.files) await reader.read(file, whole);
	}
	const files = tree.files.map((file) => ({ ...file, md5: reader.md5.get(file.path) ?? '' }));
	return { hash: whole.digest('hex'), files, problems: reader.problems };
}

/** The content hash of a single file whose bytes are at hand. */
export function contentHashOf(name: string, bytes: Buffer): string {
	return createHash('sha256').update(`1#${name}#${bytes.length}`).update(bytes).digest('hex');
}

async function hashEntries(
	entries: readonly LocalEntry[],
	named: boolean,
	whole: Hash,
	reader: FileReader,
): Promise<void> {
	for (const { name, content } of entries) {
		if (named) whole.update(name);
		if ('source' in content) await reader.read(content, whole);
		else await hashEntries(content, true, whole, reader);
	}
}

class FileReader {
	readonly md5 = new Map<string, string>();
	readonly problems: string[] = [];
	readonly #buffer = Buffer.allocUnsafe(CHUNK);
	#small = 0;
	readonly #onlooker: Onlooker | undefined;
	readonly #signal: AbortSignal | undefined;

	constructor(onlooker: Onlooker | undefined, signal: AbortSignal | undefined) {
		this.#onlooker = onlooker;
		this.#signal = signal;
	}

	async read(file: LocalFile, whole: Hash): Promise<void> {
		const own = md5Of(file.size);
		try {
			const size = await this.#pass(file, (chunk) => {
				const room = own.update(chunk);
				whole.update(chunk);
				this.#onlooker?.see(file, chunk);
				return room;
			});
			if (size !== file.size) this.problems.push(`${file.path} changed while it was read.`);
			this.md5.set(file.path, (await own.digest()).toString('base64'));
		} catch (error) {
			this.#signal?.throwIfAborted();
			this.problems.push(unreadable(file.path, error));
		} finally {
			own.close();
		}
		await this.#onlooker?.end(file);
	}

	async #pass(file: LocalFile, take: (chunk: Buffer) => Promise<void> | void): Promise<number> {
		if (file.size <= SMALL) return this.#passSmall(file, take);
		const handle = await openPlainFile(file.source);
		try {
			for (let size = 0; ; ) {
				this.#signal?.throwIfAborted();
				const { bytesRead } = await handle.read(this.#buffer, 0, CHUNK, null);
				if (bytesRead === 0) return size;
				size += bytesRead;
				await take(this.#buffer.subarray(0, bytesRead));
			}
		} finally {
			await handle.close();
		}
	}

	async #passSmall(file: LocalFile, take: (chunk: Buffer) => unknown): Promise<number> {
		this.#small += 1;
		// Signals are heard between two turns of the process only.
		if (this.#small % SMALL_AT_ONCE === 0) await nextTurn();
		this.#signal?.throwIfAborted();
		// A file that has grown has changed, however far it goes on.
		const size = readAtOnce(file.source, this.#buffer);
		take(this.#buffer.subarray(0, size));
		return size;
	}
}

/** For reading only, and so that neither a link nor a pipe is followed or waited for. */
const PLAIN = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file for reading, and nothing else: what has become a link or a pipe since the walk is refused, and opening never
 * blocks.
 */
export async function openPlainFile(source: string): Promise<FileHandle> {
	const handle = await open(source, PLAIN);
	const stats = await handle.stat();
	if (stats.isFile()) return handle;
	await handle.close();
	throw notAFile();
}

/** Fills the buffer from the start of a plain file, without a turn of the process. @returns how many bytes there were */
export function readAtOnce(source: string, buffer: Buffer): number {
	const descriptor = openSync(source, PLAIN);
	try {
		if (!fstatSync(descriptor).isFile()) throw notAFile();
		for (let filled = 0; ; ) {
			const read = filled < buffer.length ? readSync(descriptor, buffer, filled, buffer.length - filled, null) : 0;
			if (read === 0) return filled;
			filled += read;
		}
	} finally {
		closeSync(descriptor);
	}
}

function notAFile(): Error {
	return Object.assign(new Error('no longer a file'), { code: NOT_A_FILE });
}
