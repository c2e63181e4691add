// Moves files between storage and the disk: what a place holds is fetched, and a file or folder is stored there.

import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import type { Place } from './arm/references.ts';
import type { BlobStorage, StoredBlob } from './storage.ts';

/** Lists the blobs of a place: the one of exactly this name, or everything below it. */
export async function blobsAt(storage: BlobStorage, place: Place): Promise<{ isFile: boolean; blobs: StoredBlob[] }> {
	const path = place.path.replace(/\/+$/, '');
	const near = await storage.list(place.container, path).catch(() => []);
	const exact = near.filter((blob) => blob.name === path && path !== '' && !place.path.endsWith('/'));
	const below = near.filter((blob) => path === '' || blob.name.startsWith(`${path}/`));
	if (exact.length > 0 && below.length === 0) return { isFile: true, blobs: exact };
	return { isFile: false, blobs: below.filter((blob) => blob.metadata['hdi_isfolder'] !== 'true') };
}

/** Brings a place onto the disk at `to`: a file or a folder, as it is stored. Rejects when nothing is stored there. */
export async function fetchPlace(storage: BlobStorage, place: Place, to: string): Promise<void> {
	const { isFile, blobs } = await blobsAt(storage, place);
	if (blobs.length === 0) {
		throw new Error(
			`Nothing is stored at ${place.container}/${place.path}. Upload the content first, or correct the path.`,
		);
	}
	const base = place.path.replace(/\/+$/, '');
	for (const blob of blobs) {
		const file = isFile ? to : join(to, relativeName(blob.name, base));
		await mkdir(dirname(file), { recursive: true });
		await writeFile(file, (await storage.read(blob.container, blob.name)) ?? Buffer.alloc(0));
	}
}

/** Stores a file at a place, or everything in a folder below it. */
export async function storeAt(storage: BlobStorage, from: string, place: Place): Promise<void> {
	if (!(await stat(from)).isDirectory()) {
		// A file goes into a place that is written as a folder.
		const path = place.path.endsWith('/') ? place.path + posix.basename(from.split(sep).join('/')) : place.path;
		return await storage.write(place.container, path, await readFile(from));
	}
	const base = place.path.replace(/\/+$/, '');
	for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
		const file = join(entry.parentPath, entry.name);
		// A link counts as what it points to, as on a mounted output; a broken one is nothing.
		const real = await stat(file).catch(() => undefined);
		if (!real?.isFile()) continue;
		const name = [base, relative(from, file).split(sep).join('/')].filter(Boolean).join('/');
		await storage.write(place.container, name, await readFile(file));
	}
}

function relativeName(name: string, base: string): string {
	const rest = base === '' ? name : name.slice(base.length + 1);
	// A blob's name is a stranger's text: it must not lead out of the folder.
	return rest
		.split('/')
		.filter((segment) => segment !== '' && segment !== '.' && segment !== '..')
		.join('/');
}
