// From the lines of `asset-files` to paths: globs resolved, in order, each file once. What is in the files is not read.
import { globSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Fault } from '../errors.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { isLinkOutwards, linkOutwards } from './local-path.ts';
import { isInside } from './withheld.ts';

/** A file: `path` for messages (relative to the checkout where it lies in it), `absolute` for reading. */
export interface FoundFile {
	readonly path: string;
	readonly absolute: string;
}

/** The files that patterns lead to, by path, and a fault for each pattern that leads to none. */
export function findAssetFiles(
	patterns: readonly string[],
	checkout: string,
): { readonly files: readonly FoundFile[]; readonly faults: readonly Fault[] } {
	const files = new Map<string, FoundFile>();
	const faults: Fault[] = [];
	for (const pattern of patterns) {
		const found = pathsOf(pattern, checkout);
		if (typeof found === 'string') faults.push({ message: `asset-files: ${found}` });
		else {
			for (const absolute of found) {
				const shown = shownPath(absolute, checkout);
				if (isLinkOutwards(absolute, checkout)) faults.push({ message: `asset-files: ${linkOutwards(shown)}` });
				else files.set(absolute, { absolute, path: shown });
			}
		}
	}
	return { files: [...files.values()].sort((one, other) => (one.path < other.path ? -1 : 1)), faults };
}

/** The absolute paths that a pattern leads to, or what is wrong with it. */
function pathsOf(pattern: string, checkout: string): readonly string[] | string {
	// A name that is there is meant as it stands, even with characters that a glob would read as its own.
	const absolute = path.resolve(checkout, pattern);
	const there = statSync(absolute, { throwIfNoEntry: false });
	if (there?.isFile()) return [absolute];
	if (there?.isDirectory()) {
		return `${pattern} is a folder. To apply the files in it write ${withoutEndSlashes(pattern)}/*.yml.`;
	}
	const found = globSync(pattern, { cwd: checkout })
		.map((name) => path.resolve(checkout, name))
		.filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile());
	if (found.length > 0) return found;
	return /[*?[\]{}]/.test(pattern)
		? `no file matches ${pattern} (looked in ${checkout}).`
		: `there is no file ${pattern} (looked in ${checkout}; is actions/checkout missing?).`;
}

function shownPath(absolute: string, checkout: string): string {
	return isInside(checkout, absolute) ? path.relative(checkout, absolute).split(path.sep).join('/') : absolute;
}
