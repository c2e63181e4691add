// The content of a local path, read and hashed, ready to be uploaded. All that speaks against uploading it is found here,
// before anything is sent.
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Fault } from '../errors.ts';
import type { Log } from '../log.ts';
import {
	contentHashOf,
	type HashedFile,
	type HashKind,
	hashTree,
	type Onlooker,
	openPlainFile,
	readAtOnce,
	SMALL,
} from './hash.ts';
import { walkWithIncludes } from './includes.ts';
import { createSecretsGuard, lineAt } from './secrets-guard.ts';
import { type LocalFile, type LocalTree, type WalkBounds, walk } from './walk.ts';
import { isInside } from './withheld.ts';

/** A file to upload, wherever its bytes are. `md5` is in base64. */
export interface UploadFile {
	/** Below the uploaded folder, with `/` between its parts. */
	readonly path: string;
	readonly size: number;
	readonly md5: string;
	open(): Promise<OpenFile>;
}

/** A file that is being read. `read` gives fewer bytes than asked only at the file's end. */
export interface OpenFile {
	/** May use this memory for what it gives. */
	read(offset: number, length: number, memory?: Buffer): Promise<Buffer>;
	close(): Promise<void>;
}

/** What is uploaded as one. */
export interface Content {
	/** Base name of the file or folder: its name in storage. */
	readonly base: string;
	/** Base name of the folder: `base` itself, or the folder that a single file is in. */
	readonly folder: string;
	readonly kind: 'file' | 'folder';
	readonly hash: string;
	readonly files: readonly UploadFile[];
	/** Of all files together. */
	readonly bytes: number;
}

export interface ContentParts extends WalkBounds {
	readonly log: Log;
	/** Values that must not be in any file. */
	readonly secrets: readonly string[];
	readonly signal?: AbortSignal | undefined;
}

/** A path cannot be uploaded. Faults without a place of their own belong to the place that named the path. */
export class ContentFaults extends Error {
	override readonly name = 'ContentFaults';
	readonly faults: readonly Fault[];

	constructor(faults: readonly Fault[]) {
		super(faults.map((fault) => fault.message).join(' '));
		this.faults = faults;
	}
}

/** How many of many are named. */
const NAMED = 20;

/**
 * Reads and hashes a local path.
 * @param written how the user's file names the path, for messages
 * @param includes absolute paths of files and folders that come along, each under its base name
 * @throws ContentFaults with everything that is wrong with it
 */
export async function readContent(
	local: string,
	written: string,
	kind: HashKind,
	parts: ContentParts,
	includes: readonly string[] = [],
): Promise<Content> {
	const tree = includes.length === 0 ? await walk(local, parts) : await walkWithIncludes(local, includes, parts);
	tellLeftOut(tree, written, parts.log);
	const guard = new GuardedFiles(parts);
	const { hash, files, problems } = await hashTree(tree, kind, guard, parts.signal);
	const faults = [
		...firstOf([...tree.problems, ...problems]).map((problem) => ({
			message: `'${written}' cannot be uploaded: ${problem}`,
		})),
		...guard.faults.slice(0, NAMED),
	];
	if (faults.length > 0) throw new ContentFaults(faults);
	const bytes = files.reduce((sum, file) => sum + file.size, 0);
	const folder = tree.kind === 'folder' ? tree.base : await folderNameOf(local);
	return { base: tree.base, folder, kind: tree.kind, hash, files: files.map(uploadFileOf), bytes };
}

/** A content of one file whose bytes are not on disk. Its hash is the content hash. */
export function contentOfText(name: string, folder: string, text: string): Content {
	const bytes = Buffer.from(text);
	const file: UploadFile = {
		path: name,
		size: bytes.length,
		md5: createHash('md5').update(bytes).digest('base64'),
		open: async () => inMemory(bytes),
	};
	return { base: name, folder, kind: 'file', hash: contentHashOf(name, bytes), files: [file], bytes: bytes.length };
}

async function folderNameOf(local: string): Promise<string> {
	return path.basename(path.dirname(await realpath(local))) || 'code';
}

function uploadFileOf({ path: below, size, md5, source }: HashedFile): UploadFile {
	return { path: below, size, md5, open: () => (size <= SMALL ? openSmall(source, size) : openForUpload(source)) };
}

async function openSmall(source: string, size: number): Promise<OpenFile> {
	const bytes = Buffer.allocUnsafe(size);
	return inMemory(bytes.subarray(0, readAtOnce(source, bytes)));
}

function inMemory(bytes: Buffer): OpenFile {
	return {
		read: async (offset, length) => bytes.subarray(offset, offset + length),
		close: async () => {},
	};
}

async function openForUpload(source: string): Promise<OpenFile> {
	const handle = await openPlainFile(source);
	return {
		close: () => handle.close(),
		async read(offset, length, memory) {
			const buffer = memory !== undefined && memory.length >= length ? memory : Buffer.allocUnsafe(length);
			let filled = 0;
			while (filled < length) {
				const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
				if (bytesRead === 0) break;
				filled += bytesRead;
			}
			return buffer.subarray(0, filled);
		},
	};
}

function tellLeftOut({ withheld, loops }: LocalTree, written: string, log: Log): void {
	if (withheld.length > 0) {
		const named = firstOf(withheld).join(', ');
		log.info(
			`Not uploaded from ${written}, because such files hold credentials: ${named}. To upload one on purpose, name it in .amlignore as !<path>.`,
		);
	}
	if (loops.length > 0) {
		log.info(`Links in ${written} that lead back to a folder they are in were left out: ${firstOf(loops).join(', ')}.`);
	}
}

/** The first of a list, and in place of the others how many there are. */
function firstOf(items: readonly string[]): string[] {
	return items.length <= NAMED ? [...items] : [...items.slice(0, NAMED), `and ${items.length - NAMED} more`];
}

/** Looks for secrets in the files that are being hashed. */
class GuardedFiles implements Onlooker {
	readonly faults: Fault[] = [];
	readonly #guard: ReturnType<typeof createSecretsGuard>;
	readonly #checkout: string;

	constructor({ secrets, checkout }: ContentParts) {
		this.#guard = createSecretsGuard(secrets);
		this.#checkout = checkout;
	}

	see(_file: LocalFile, chunk: Buffer): void {
		this.#guard.see(chunk);
	}

	async end({ source }: LocalFile): Promise<void> {
		const offset = this.#guard.end();
		if (offset === undefined) return;
		const checkout = await realpath(this.#checkout);
		const file = isInside(checkout, source) ? path.relative(checkout, source) : source;
		const line = await lineAt(source, offset);
		this.faults.push({
			message: `The file holds a secret of this run (its value is not shown), and nothing with a secret in it is uploaded. Pass it to the job another way, or exclude the file in .amlignore.`,
			where: { file, line },
		});
	}
}
