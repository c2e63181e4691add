// The files of a local path that are to be uploaded: confined to the checkout, safe from loops, without what is ignored
// or withheld. Nothing is opened here, and nothing is read but the ignore file.
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileErrorCode, unreadable } from './file-error.ts';
import { type IgnoreRules, NO_RULES, readIgnoreRules } from './ignore.ts';
import { isBelowAny, isInside, isWithheldName } from './withheld.ts';

/** A file to upload. */
export interface LocalFile {
	/** Below the folder, with `/` between its parts; the base name where the path is a file. Links keep their own name. */
	readonly path: string;
	/** Absolute path to read, links resolved. */
	readonly source: string;
	/** In bytes, as it was when the folder was walked. */
	readonly size: number;
}

/** A file or folder as it stands in its folder, in the order of lower-cased names. */
export interface LocalEntry {
	readonly name: string;
	readonly content: LocalFile | readonly LocalEntry[];
}

/** What a local path leads to. */
export interface LocalTree {
	/** Base name of the file or folder, links resolved: the name that it has in storage. */
	readonly base: string;
	readonly kind: 'file' | 'folder';
	/** By lower-cased path. */
	readonly files: readonly LocalFile[];
	/** The same as a tree; folders are there though empty. */
	readonly entries: readonly LocalEntry[];
	/** Paths that are never uploaded unless asked for; a folder ends in `/`. */
	readonly withheld: readonly string[];
	/** Links that lead back to a folder they are in; nothing new is behind them. */
	readonly loops: readonly string[];
	/** Why the path cannot be uploaded, each a sentence that names the file. */
	readonly problems: readonly string[];
}

export interface WalkBounds {
	/** Absolute path of the checkout. */
	readonly checkout: string;
	/** Absolute paths of files and folders that belong to the runner: its temporary folder, its file commands. */
	readonly runnerPaths?: readonly string[];
	/** The most files that are taken; links can make endlessly many of few. */
	readonly most?: number;
}

const MOST_FILES = 300_000;
const BATCH = 128;
/** Limits of blob names; the folder's own name and a hash stand before the path. */
const LONGEST_PATH = 900;

/** Walks a file or folder. The path itself may lie outside of the checkout; links in it may not lead there. */
export async function walk(root: string, bounds: WalkBounds): Promise<LocalTree> {
	const found = await stat(root).catch(() => undefined);
	if (found === undefined) return nothing(root, `Nothing is at ${root}.`);
	const real = await realpath(root);
	const checkout = await realpath(bounds.checkout);
	// A path that itself names a place outside says so openly; one that gets there by a link does not.
	const open = !isInside(bounds.checkout, root) && !isInside(checkout, root);
	if (!open && !isInside(checkout, real)) {
		return nothing(root, `${path.basename(root)} is a link that leads out of the checkout, to ${real}.`);
	}
	const { runnerPaths: told = [], most = MOST_FILES } = bounds;
	const runnerPaths = await Promise.all(told.map((one) => realpath(one).catch(() => one)));
	const isWithheld = (absolute: string, below: string): boolean =>
		isWithheldName(slashed(path.relative(below, absolute))) || isBelowAny(absolute, [...told, ...runnerPaths]);
	// Such a file goes where its own path is given, and not where another one leads to it.
	if (isWithheld(real, open ? '/' : checkout) && !isWithheld(path.resolve(root), open ? '/' : bounds.checkout)) {
		return nothing(root, `${path.basename(root)} is a link to ${real}, which is never uploaded.`);
	}
	const others = runnerPaths.filter((one) => !isInside(one, real));
	const walker = new Walker({ root: real, checkout, runnerPaths: others, most });
	if (found.isDirectory()) return walker.folder(await readIgnoreRules(real));
	return walker.single(found);
}

interface Confines {
	readonly root: string;
	readonly checkout: string;
	readonly runnerPaths: readonly string[];
	readonly most: number;
}

/** One folder on the way down: its path below the root, its real path, and the real paths of all folders above it. */
interface Step {
	readonly path: string;
	readonly real: string;
	readonly above: readonly string[];
}

class Walker {
	readonly #confines: Confines;
	readonly #files: LocalFile[] = [];
	readonly #withheld: string[] = [];
	readonly #loops: string[] = [];
	readonly #problems: string[] = [];
	#rules: IgnoreRules = NO_RULES;

	constructor(confines: Confines) {
		this.#confines = confines;
	}

	single(found: Stats): LocalTree {
		const { root } = this.#confines;
		const name = path.basename(root);
		const entry = found.isFile() ? this.#file(name, root, found.size) : undefined;
		if (!found.isFile()) this.#problems.push(`${name} is ${kindOf(found)}, not a file or folder.`);
		return this.#result('file', entry === undefined ? [] : [{ name, content: entry }]);
	}

	async folder(rules: IgnoreRules): Promise<LocalTree> {
		this.#rules = rules;
		const { root } = this.#confines;
		const entries = await this.#enter({ path: '', real: root, above: [] });
		if (this.#files.length === 0 && this.#problems.length === 0) this.#problems.push(this.#emptiness(root));
		return this.#result('folder', entries);
	}

	async #enter(step: Step): Promise<readonly LocalEntry[]> {
		const listed = await readdir(step.real, { withFileTypes: true }).catch((error) => {
			this.#problems.push(`${step.path || '.'} cannot be listed (${fileErrorCode(error)}).`);
			return [];
		});
		const entries: LocalEntry[] = [];
		const below: Step = { ...step, above: [...step.above, step.real] };
		for (let start = 0; start < listed.length; start += BATCH) {
			if (this.#files.length > this.#confines.most) break;
			const batch = listed.slice(start, start + BATCH);
			// Files side by side, folders one after the other: the depth of a tree is not to multiply its width.
			const plain = await Promise.all(batch.map((entry) => this.#resolve(entry, below)));
			for (const found of plain) {
				const entry = found === undefined ? undefined : await this.#take(found, below);
				if (entry !== undefined) entries.push(entry);
			}
		}
		return entries.sort((a, b) => inOrder(a.name, b.name));
	}

	/** Follows a link, and leaves out early what is ignored or withheld by its name. */
	async #resolve(entry: Dirent, step: Step): Promise<Found | undefined> {
		const name = entry.name;
		const below = step.path === '' ? name : `${step.path}/${name}`;
		const mayWant = this.#rules.hasWishes;
		const folder = entry.isDirectory();
		if (folder && this.#rules.excludesAllOf(below)) return undefined;
		if (!folder && this.#rules.excludes(below) && !(entry.isSymbolicLink() && mayWant)) {
			// A link to a folder may be excluded as a name while a rule takes back what is in it; else it is done with.
			return undefined;
		}
		const here = path.join(step.real, name);
		if (this.#isWithheld(below, here) && !this.#rules.wants(below) && !(folder && mayWant)) {
			this.#withheld.push(folder ? `${below}/` : below);
			return undefined;
		}
		try {
			if (!entry.isSymbolicLink()) return { name, path: below, real: here, stats: await lstat(here) };
			const real = await realpath(here);
			return { name, path: below, real, stats: await stat(real), link: true };
		} catch (error) {
			const code = fileErrorCode(error);
			if (code === 'ELOOP') this.#loops.push(below);
			else if (entry.isSymbolicLink()) this.#problems.push(`${below} is a link that leads nowhere.`);
			else this.#problems.push(unreadable(below, error));
			return undefined;
		}
	}

	async #take({ name, path: below, real, stats, link }: Found, step: Step): Promise<LocalEntry | undefined> {
		if (link && !this.#mayFollow(below, real)) return undefined;
		if (stats.isDirectory()) {
			if (step.above.includes(real)) {
				this.#loops.push(below);
				return undefined;
			}
			const before = this.#files.length;
			const entries = await this.#enter({ path: below, real, above: step.above });
			const kept = this.#files.length > before;
			// A folder that only its name would bring into a hash is left out where a rule or we exclude the name.
			const nameless = this.#rules.excludes(below) || this.#isWithheld(below, real);
			return nameless && !kept ? undefined : { name, content: entries };
		}
		if (this.#rules.excludes(below)) return undefined;
		if (!stats.isFile()) {
			this.#problems.push(`${below} is ${kindOf(stats)}; only files and folders can be uploaded.`);
			return undefined;
		}
		const file = this.#file(below, real, stats.size);
		return file === undefined ? undefined : { name, content: file };
	}

	/** A link may lead anywhere in the checkout or in the folder itself, but not to what is withheld under its own name. */
	#mayFollow(below: string, real: string): boolean {
		const { root, checkout } = this.#confines;
		const home = [root, checkout].find((folder) => isInside(folder, real));
		if (home === undefined) {
			this.#problems.push(`${below} is a link that leads out of the checkout, to ${real}.`);
			return false;
		}
		if (this.#isWithheld(slashed(path.relative(home, real)), real) && !this.#rules.wants(below)) {
			this.#withheld.push(below);
			return false;
		}
		return true;
	}

	#isWithheld(relative: string, real: string): boolean {
		return isWithheldName(relative) || isBelowAny(real, this.#confines.runnerPaths);
	}

	#file(below: string, source: string, size: number): LocalFile | undefined {
		const fault = nameFault(below);
		if (fault !== undefined) {
			this.#problems.push(`${JSON.stringify(below)} ${fault}`);
			return undefined;
		}
		if (this.#files.length === this.#confines.most) {
			this.#problems.push(`There are more than ${this.#confines.most} files. Exclude some in .amlignore.`);
		}
		const file = { path: below, source, size };
		this.#files.push(file);
		return file;
	}

	#emptiness(root: string): string {
		const reason = this.#rules.file === undefined ? '' : ` that ${this.#rules.file} does not exclude`;
		const kept = this.#withheld.length === 0 ? '' : ` Never uploaded: ${this.#withheld.slice(0, 5).join(', ')}.`;
		return `${path.basename(root)} holds no file${reason}.${kept}`;
	}

	#result(kind: LocalTree['kind'], entries: readonly LocalEntry[]): LocalTree {
		return {
			base: path.basename(this.#confines.root),
			kind,
			files: this.#files.sort(inFileOrder),
			entries,
			withheld: this.#withheld.sort(),
			loops: this.#loops.sort(),
			problems: this.#problems.sort(),
		};
	}
}

interface Found {
	readonly name: string;
	readonly path: string;
	readonly real: string;
	readonly stats: Stats;
	readonly link?: boolean;
}

function nothing(root: string, problem: string): LocalTree {
	return {
		base: path.basename(root),
		kind: 'file',
		files: [],
		entries: [],
		withheld: [],
		loops: [],
		problems: [problem],
	};
}

/** The order of files in a tree and in a content hash. */
export function inFileOrder(a: LocalFile, b: LocalFile): number {
	return inOrder(a.path, b.path);
}

/** By lower case, and by code points as Python compares; names that differ in case alone by themselves. */
function inOrder(a: string, b: string): number {
	return byCodePoint(a.toLowerCase(), b.toLowerCase()) || byCodePoint(a, b);
}

/** Order of two texts by code points, as Python has it. JavaScript's own puts what is beyond 0xFFFF before U+E000. */
export function byCodePoint(a: string, b: string): number {
	const shorter = Math.min(a.length, b.length);
	for (let place = 0; place < shorter; place += 1) {
		const [one, other] = [a.charCodeAt(place), b.charCodeAt(place)];
		if (one !== other) return rank(one) - rank(other);
	}
	return a.length - b.length;
}

function rank(unit: number): number {
	return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** What storage cannot keep as a name, as the rest of a sentence. */
function nameFault(below: string): string | undefined {
	if (below.includes('\uFFFD')) return 'has a name that is not UTF-8; storage cannot keep it.';
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
	if (/[\u0000-\u001f\u007f\\]/.test(below)) {
		return 'has a backslash or a control character in its name; storage cannot keep it.';
	}
	if (below.split('/').some((part) => part.endsWith('.')))
		return 'has a part that ends in a dot; storage does not keep such names.';
	return below.length > LONGEST_PATH ? `is longer than ${LONGEST_PATH} characters; storage cannot keep it.` : undefined;
}

function kindOf(stats: Stats): string {
	if (stats.isFIFO()) return 'a named pipe';
	if (stats.isSocket()) return 'a socket';
	return stats.isBlockDevice() || stats.isCharacterDevice() ? 'a device' : 'something unknown';
}

function slashed(relative: string): string {
	return relative.split(path.sep).join('/');
}
