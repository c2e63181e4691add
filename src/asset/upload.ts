// Sends the files of a content to a blob container, side by side, and marks them as complete when all are there.
import type { BlobContainer, PutOptions } from '../azure/blob.ts';
import { BlobError } from '../azure/blob-error.ts';
import { SourceChanged } from '../azure/blob-put.ts';
import type { Clock } from '../clock.ts';
import { duration } from '../duration.ts';
import { TransferError } from '../errors.ts';
import type { Log } from '../log.ts';
import { bytesText, filesText } from './amount.ts';
import type { Content, UploadFile } from './content.ts';
import { fileErrorCode, unreadable } from './file-error.ts';
import { byCodePoint } from './walk.ts';

export interface UploadParts {
	readonly log: Log;
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
	/** Given: nothing is sent, and what would be is told here. */
	readonly plan?: UploadPlan | undefined;
}

/** Takes uploads in the place of storage. */
export interface UploadPlan {
	/** Takes an upload to the container of this address. */
	add(upload: Upload, containerUrl: string): void;
	/** Whether it can be seen what a datastore holds; not of one that is only planned, nor without a way in. */
	canSee(datastore: string): boolean;
}

/** One content on its way to one place. */
export interface Upload {
	readonly content: Content;
	/** What stands before each file's path in the names of blobs, without a slash at its end. */
	readonly prefix: string;
	/** How the user's file names it, for the log. */
	readonly written: string;
	/** Name and version that the mark of completion holds, for clients that take the asset's name from there. */
	readonly name: string;
	readonly version: string;
}

/** Files in work at the same time; how many requests those may make is the container's to say. */
const SIDE_BY_SIDE = 32;
/** Longest silence of a long upload, in milliseconds. */
const TELL_EVERY = 15_000;

/**
 * Uploads every file, then marks the first. What an earlier, broken upload left there is completed: the same bytes are not
 * sent twice, others are written over.
 * @throws TransferError naming the file
 */
export async function uploadContent(
	container: BlobContainer,
	{ content, prefix, written, name, version }: Upload,
	{ log, clock, signal, plan }: UploadParts,
	lookFirst = false,
): Promise<void> {
	if (plan !== undefined) {
		plan.add({ content, prefix, written, name, version }, container.url);
		return;
	}
	const tell = progress(content, written, log, clock);
	const waiting = content.files.values();
	let failed = false;
	const work = async (): Promise<void> => {
		// All workers take from the one iterator. A list to take from the front of is copied at each turn once it is long.
		for (const file of waiting) {
			if (failed) return;
			signal?.throwIfAborted();
			const options = { shown: `${written}: ${file.path}`, onBytes: tell.bytes, lookFirst };
			await put(container, `${prefix}/${file.path}`, file, options, signal).catch((error) => {
				failed = true;
				throw error;
			});
			tell.file();
		}
	};
	const workers = Array.from({ length: Math.min(SIDE_BY_SIDE, content.files.length) }, work);
	for (const end of await Promise.allSettled(workers)) if (end.status === 'rejected') throw end.reason;
	await container.mark(markedBlob({ content, prefix }), { name, version, upload_status: 'completed' });
}

/** Whether all of the content is there, as an earlier upload has marked it. */
export async function isUploaded(
	container: BlobContainer,
	upload: Pick<Upload, 'content' | 'prefix'>,
): Promise<boolean> {
	const found = await container.find(markedBlob(upload));
	return found?.metadata['upload_status'] === 'completed';
}

/** The blob that carries the mark of completion: the first by path, as the Azure ML CLI sorts. */
function markedBlob({ content, prefix }: Pick<Upload, 'content' | 'prefix'>): string {
	const paths = content.files.map((file) => file.path);
	return `${prefix}/${paths.reduce((first, path) => (byCodePoint(path, first) < 0 ? path : first))}`;
}

async function put(
	container: BlobContainer,
	name: string,
	file: UploadFile,
	options: PutOptions,
	signal: AbortSignal | undefined,
): Promise<void> {
	const shown = options.shown ?? name;
	try {
		const open = await file.open();
		try {
			await container.put(name, { size: file.size, md5: file.md5, read: open.read }, options);
		} finally {
			await open.close();
		}
	} catch (error) {
		signal?.throwIfAborted();
		if (error instanceof SourceChanged || (!(error instanceof BlobError) && fileErrorCode(error) !== '')) {
			throw changed(shown, error);
		}
		throw error;
	}
}

function changed(shown: string, error: unknown): TransferError {
	return new TransferError({
		what: `Could not upload ${shown}.`,
		why:
			error instanceof SourceChanged ? 'The file changed while it was being uploaded.' : unreadable('The file', error),
		next: 'Nothing may write to the files while they are uploaded; let earlier steps of the workflow finish first.',
	});
}

function progress(content: Content, written: string, log: Log, clock: Clock) {
	const started = clock.now();
	let [files, bytes, told] = [0, 0, started];
	return {
		file: (): void => {
			files += 1;
		},
		bytes: (count: number): void => {
			bytes += count;
			const now = clock.now();
			if (now - told < TELL_EVERY) return;
			told = now;
			const share = `${files} of ${filesText(content.files.length)}, ${bytesText(bytes)} of ${bytesText(content.bytes)}`;
			const perMs = bytes / (now - started);
			const left = duration((content.bytes - bytes) / perMs);
			log.info(`Uploading ${written}: ${share}, ${bytesText(Math.round(perMs * 1000))}/s, about ${left} left`);
		},
	};
}
