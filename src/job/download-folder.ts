// The folder on the runner that downloads go to: files are made in it, never through a link and never half.
import { createHash, randomBytes } from 'node:crypto';
import { constants as flags } from 'node:fs';
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ActionError, TransferError } from '../errors.ts';

/** What a file is to hold. `md5` is in base64. */
export interface FileContent {
	readonly size: number;
	readonly md5: string | undefined;
	/** Gives the bytes, from the first one on at each call. */
	readonly pieces: () => AsyncIterable<Buffer>;
}

/** A folder that files are downloaded to. Paths below it have slashes and were found safe before. */
export interface DownloadFolder {
	/** Absolute, without a link in it. */
	readonly path: string;
	/** Whether the file is there with this size and MD5; without an MD5 nobody can tell. */
	holds(path: string, content: Pick<FileContent, 'size' | 'md5'>): Promise<boolean>;
	/**
	 * Writes a file, in place of one that is there.
	 * @throws ActionError at a link, TransferError where the disk refuses or the bytes are not those that were announced
	 */
	write(path: string, content: FileContent): Promise<void>;
}

/**
 * Makes the folder, where it is missing. Inside of the checkout no part of its path may be a link: whoever wrote the
 * checkout is not the one who wrote the workflow.
 */
export async function openDownloadFolder(written: string, checkout: string): Promise<DownloadFolder> {
	const wanted = resolve(checkout, written);
	const below = relative(checkout, wanted);
	const inside = below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
	const root = await onDisk(written, async () => {
		if (inside) return makeFolders(checkout, below.split(sep).filter(Boolean));
		await mkdir(wanted, { recursive: true });
		return realpath(wanted);
	});
	return {
		path: root,
		holds: (path, content) => onDisk(path, () => holds(join(root, ...path.split('/')), content)),
		write: (path, content) =>
			onDisk(path, async () => {
				const parts = path.split('/');
				const folder = await makeFolders(root, parts.slice(0, -1));
				await writeFile(join(folder, parts.at(-1) ?? ''), content);
			}),
	};
}

/** Makes folder after folder. Each is a real folder, or refused. */
async function makeFolders(base: string, parts: readonly string[]): Promise<string> {
	let here = base;
	for (const part of parts) {
		here = join(here, part);
		await mkdir(here).catch((error: unknown) => {
			if (codeOf(error) !== 'EEXIST') throw error;
		});
		const found = await lstat(here);
		if (!found.isDirectory()) throw inTheWay(here, found.isSymbolicLink() ? 'a link' : 'no folder');
	}
	return here;
}

async function holds(path: string, { size, md5 }: Pick<FileContent, 'size' | 'md5'>): Promise<boolean> {
	const found = await lstat(path).catch(() => undefined);
	if (md5 === undefined || found === undefined || !found.isFile() || found.size !== size) return false;
	const hash = createHash('md5');
	const file = await open(path, flags.O_RDONLY | noFollow());
	// The stream closes the file when it ends.
	for await (const piece of file.createReadStream()) hash.update(piece as Buffer);
	return hash.digest('base64') === md5;
}

/** Under a name of its own first, so that what has its final name is whole. */
async function writeFile(path: string, content: FileContent): Promise<void> {
	const there = await lstat(path).catch(() => undefined);
	if (there !== undefined && !there.isFile()) throw inTheWay(path, there.isSymbolicLink() ? 'a link' : 'no file');
	const part = join(dirname(path), `.${randomBytes(9).toString('hex')}.part`);
	const file = await open(part, flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL | noFollow(), 0o600);
	try {
		try {
			await pour(content, (piece) => file.appendFile(piece), path);
		} finally {
			await file.close();
		}
		// Somebody else may have put a link in the place of a folder meanwhile.
		if ((await realpath(dirname(path))) !== dirname(path)) throw inTheWay(dirname(path), 'a link');
		await rename(part, path);
	} catch (error) {
		await rm(part, { force: true });
		throw error;
	}
}

async function pour(content: FileContent, write: (piece: Buffer) => Promise<void>, path: string): Promise<void> {
	const hash = createHash('md5');
	let size = 0;
	for await (const piece of content.pieces()) {
		hash.update(piece);
		size += piece.length;
		await write(piece);
	}
	const md5 = hash.digest('base64');
	if (size === content.size && (content.md5 === undefined || content.md5 === md5)) return;
	throw new TransferError({
		what: `What was downloaded to ${path} is not what storage announced.`,
		why: `It has ${size} bytes of MD5 ${md5}; announced were ${content.size} bytes of MD5 ${content.md5 ?? 'unknown'}.`,
		next: 'Run again; should it happen again, the output was written with a wrong MD5.',
	});
}

/** Not every system has it. */
function noFollow(): number {
	return flags.O_NOFOLLOW ?? 0;
}

async function onDisk<T>(what: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		const code = codeOf(error);
		if (error instanceof ActionError || code === undefined) throw error;
		throw new TransferError({
			what: `Could not write ${what} (${code}).`,
			why: code === 'ENOSPC' ? 'The disk of the runner is full.' : undefined,
			next:
				code === 'ENOSPC'
					? 'Name in `download` what is needed only, or take a runner with a larger disk.'
					: 'Check `download-path` and who may write to it.',
			cause: error,
		});
	}
}

/** The code of an error of the file system; storage's errors are explained already. */
function codeOf(error: unknown): string | undefined {
	const known = typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
	return known && typeof error.code === 'string' ? error.code : undefined;
}

function inTheWay(path: string, what: string): ActionError {
	return new ActionError({
		what: `Nothing is downloaded through ${path}: it is ${what}.`,
		next: 'Remove it from the checkout, or give another `download-path`.',
	});
}
