// Paths in a CLI v2 file that lead into the checkout: relative to the file's own folder, checked to be there.
// Reading what lies behind them is mostly upload's; small files that become part of a body are read here.
import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { Place } from '../errors.ts';
import type { Reading } from '../yaml/checks.ts';
import { isInside } from './withheld.ts';

/** A file or folder of the checkout: its absolute path, and the text that the file gave for it. */
export interface LocalPath {
	readonly path: string;
	readonly written: string;
	readonly at: Place;
}

/** What a local path should be. */
export type PathKind = 'file' | 'folder' | 'either';

/** Resolves a path and notes a fault where nothing is there, or where it is a file instead of a folder or the reverse. */
export function localPath(written: string, at: Place, reading: Reading, kind: PathKind = 'either'): LocalPath {
	const plain = withoutScheme(written);
	const absolute = reading.resolve(plain);
	const shown = reading.relative(plain);
	const found = lookAt(absolute);
	if (found === undefined) {
		reading.fault(
			at,
			`'${written}' leads to ${shown}, and nothing is there. Paths start from the folder of the file they stand in.`,
		);
	} else if (kind === 'file' && !found.isFile()) {
		reading.fault(at, `'${written}' leads to ${shown}, which is a folder; a file is needed here.`);
	} else if (kind === 'folder' && !found.isDirectory()) {
		reading.fault(at, `'${written}' leads to ${shown}, which is a file; a folder is needed here.`);
	}
	return { path: absolute, written, at };
}

/** The bytes of a local file that the YAML names, or undefined after noting a fault. */
export function readLocalFile(written: string, at: Place, reading: Reading): Buffer | undefined {
	const before = reading.faults.length;
	const { path: absolute } = localPath(written, at, reading, 'file');
	if (reading.faults.length > before) return undefined;
	if (!isLinkOutwards(absolute, checkoutOf(reading))) return readFileSync(absolute);
	reading.fault(at, linkOutwards(written));
	return undefined;
}

/** The checkout, where the file is in it; undefined for a file elsewhere, whose author is not that of the checkout. */
export function checkoutOf({ path: file, folder }: Reading): string | undefined {
	const below = path.posix.dirname(path.posix.normalize(file.split(path.sep).join('/')));
	if (path.isAbsolute(file) || below.startsWith('..')) return undefined;
	return path.resolve(folder, ...(below === '.' ? [] : below.split('/').map(() => '..')));
}

/** Whether a path in a folder gets out of it by a link. A path that itself names a place outside says so openly. */
export function isLinkOutwards(absolute: string, folder: string | undefined): boolean {
	if (folder === undefined) return false;
	try {
		return isInside(folder, absolute) && !isInside(realpathSync(folder), realpathSync(absolute));
	} catch {
		return false;
	}
}

/** The fault of such a path. */
export function linkOutwards(written: string): string {
	return `'${written}' is a link that leads out of the checkout. Give the path of the file itself, or put the file there.`;
}

/** Whether something is at a local path. */
export function isThere(written: string, reading: Reading): boolean {
	return lookAt(reading.resolve(withoutScheme(written))) !== undefined;
}

// A path that cannot even be asked for (too long, a link to itself, no right to look) leads nowhere.
function lookAt(path: string): Stats | undefined {
	try {
		return statSync(path, { throwIfNoEntry: false });
	} catch {
		return undefined;
	}
}

function withoutScheme(written: string): string {
	return written.replace(/^file:(\/\/)?/, '');
}
