// Paths in a CLI v2 file that lead into the checkout: relative to the file's own folder, checked to be there.
// Reading what lies behind them is upload's; this only asks whether it exists.
import { readFileSync, type Stats, statSync } from 'node:fs';
import type { Place } from '../errors.ts';
import type { Reading } from '../yaml/checks.ts';

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
	const path = reading.resolve(plain);
	const shown = reading.relative(plain);
	const found = lookAt(path);
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
	return { path, written, at };
}

/** The bytes of a local file that the YAML names, or undefined after noting a fault. */
export function readLocalFile(written: string, at: Place, reading: Reading): Buffer | undefined {
	const before = reading.faults.length;
	const { path } = localPath(written, at, reading, 'file');
	return reading.faults.length === before ? readFileSync(path) : undefined;
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
