// A small kit to read a tree of nodes into typed values: every fault is gathered with its place, none is thrown early.
// What a key means is its reader's to say; this file knows no key.
import path from 'node:path';
import { type Fault, FileError, type Place } from '../errors.ts';
import { nearest } from './nearest.ts';
import type { MapNode, ScalarNode, YamlFile, YamlNode } from './node.ts';

/** The reading of one file: where its relative paths start, and what was found wrong so far. */
export class Reading {
	/** The file's path relative to the workspace folder. */
	readonly path: string;
	/** Absolute path of the folder that relative paths start from. */
	readonly folder: string;
	readonly faults: Fault[];
	readonly warnings: Fault[];
	/** Absolute paths of the files being read, outermost first: a file may not lead back to one of them. */
	readonly trail: readonly string[];
	/** What files were read into, by absolute path, so that one that is named twice is read once. */
	readonly memo: Map<string, unknown>;

	constructor(file: Pick<YamlFile, 'path' | 'folder'> & { readonly warnings?: readonly Fault[] }, sink?: Reading) {
		this.path = file.path;
		this.folder = file.folder;
		this.faults = sink?.faults ?? [];
		this.warnings = sink?.warnings ?? [];
		this.warnings.push(...(file.warnings ?? []));
		this.trail = [...(sink?.trail ?? []), path.join(file.folder, path.basename(file.path))];
		this.memo = sink?.memo ?? new Map();
	}

	/** Notes a fault; reading goes on. */
	fault(where: Place, message: string): void {
		this.faults.push({ message, where });
	}

	/** Notes something that is taken as it is but may not be what was meant. */
	warn(where: Place, message: string): void {
		this.warnings.push({ message, where });
	}

	/** The reading of another file that this one names. Faults and warnings of both are gathered together. */
	within(file: YamlFile): Reading {
		return new Reading(file, this);
	}

	/** Absolute path of a local path written in this file. */
	resolve(written: string): string {
		return path.resolve(this.folder, written);
	}

	/** A local path written in this file, relative to the workspace folder, for messages and places. */
	relative(written: string): string {
		return path.isAbsolute(written)
			? written
			: path.posix.join(path.posix.dirname(this.path.split(path.sep).join('/')), written);
	}

	/** Hands over the warnings, then throws one `FileError` with all faults, if there are any. */
	finish(warn?: Warn): void {
		for (const warning of this.warnings) {
			warn?.(warning);
		}
		if (this.faults.length > 0) {
			throw new FileError(this.path, inOrder(this.faults, this.path));
		}
	}
}

/** Takes a warning about a file: it is taken as it is, but may not be what was meant. */
export type Warn = (warning: Fault) => void;

/** Turns a node into a value. After noting a fault it still gives a value, so that reading can go on to the next fault. */
export type Reader<T> = (node: YamlNode, reading: Reading) => T;

/** Reads one mapping key by key; `done` refuses the keys that nobody asked for. */
export class MapReader {
	readonly what: string;
	readonly at: Place;
	readonly reading: Reading;
	readonly #entries: MapNode['entries'];
	readonly #asked = new Set<string>();

	/** `what` names the mapping in messages, e.g. "a command job". */
	constructor(node: YamlNode, reading: Reading, what: string) {
		this.what = what;
		this.at = node.at;
		this.reading = reading;
		this.#entries = node.kind === 'map' ? node.entries : [];
		if (node.kind !== 'map') {
			reading.fault(node.at, `Expected ${what}, a mapping of keys, but found ${describe(node)}.`);
		}
	}

	/** The node under `key`, or undefined where it is absent or null. Counts as asked for. */
	node(key: string): YamlNode | undefined {
		this.#asked.add(key);
		const value = this.#entries.find((entry) => entry.key === key)?.value;
		return value === undefined || isNull(value) ? undefined : value;
	}

	/** Whether `key` stands in the mapping with a value other than null. */
	has(key: string): boolean {
		return this.node(key) !== undefined;
	}

	/** The value of a key that may be absent; null counts as absent. */
	optional<T>(key: string, reader: Reader<T>): T | undefined {
		const node = this.node(key);
		return node === undefined ? undefined : reader(node, this.reading);
	}

	/** The value of a key that must be there. */
	required<T>(key: string, reader: Reader<T>): T {
		const node = this.node(key);
		if (node !== undefined) {
			return reader(node, this.reading);
		}
		const there = this.#entries.find((entry) => entry.key === key);
		const message =
			there === undefined ? `${this.what} needs the key '${key}'.` : `'${key}' of ${this.what} has no value.`;
		this.reading.fault(there?.at ?? this.at, capital(message));
		return placeholder(reader, this.at, this.reading);
	}

	/** Keys that are known and do not matter, such as those that the service fills in. */
	ignore(...keys: readonly string[]): this {
		for (const key of keys) {
			this.#asked.add(key);
		}
		return this;
	}

	/** The entries that nobody asked for; they count as asked for afterwards. */
	rest(): MapNode['entries'] {
		const entries = this.#entries.filter((entry) => !this.#asked.has(entry.key));
		this.ignore(...entries.map((entry) => entry.key));
		return entries;
	}

	/** The known name that is nearest to a mistyped one. */
	nearest(key: string): string | undefined {
		return nearest(key, this.#asked);
	}

	/** Notes a fault for each key that nobody asked for, with the nearest known name. */
	done(): void {
		for (const { key, at } of this.#entries) {
			if (!this.#asked.has(key)) {
				const guess = nearest(key, this.#asked);
				const hint =
					guess === undefined ? ` Known keys: ${[...this.#asked].sort().join(', ')}.` : ` Did you mean '${guess}'?`;
				this.reading.fault(at, `Unknown key '${key}' in ${this.what}.${hint}`);
			}
		}
	}
}

/** Reads a mapping with a function that asks for its keys; unknown keys are refused. */
export function mapping<T>(what: string, read: (map: MapReader) => T): Reader<T> {
	return (node, reading) => {
		const map = new MapReader(node, reading, what);
		const value = read(map);
		if (node.kind === 'map') {
			map.done();
		}
		return value;
	};
}

/** Warns of keys that the CLI knows and the API that this action uses does not, so that they have no effect. */
export function warnLeftOut(map: MapReader, ...keys: readonly string[]): void {
	for (const key of keys) {
		const node = map.node(key);
		if (node !== undefined) {
			map.reading.warn(node.at, `'${key}' is not part of the API that this action uses and is left out.`);
		}
	}
}

/** Reads a list with one reader for each item. */
export function listOf<T>(item: Reader<T>): Reader<readonly T[]> {
	return (node, reading) => {
		if (node.kind === 'list') {
			return node.items.map((each) => item(each, reading));
		}
		reading.fault(node.at, `Expected a list, but found ${describe(node)}.`);
		return [];
	};
}

/** Reads a mapping whose keys the author chose, in the order of the file. */
export function mapOf<T>(value: Reader<T>): Reader<ReadonlyMap<string, T>> {
	return (node, reading) => {
		if (node.kind === 'map') {
			return new Map(node.entries.map((entry) => [entry.key, value(entry.value, reading)]));
		}
		reading.fault(node.at, `Expected a mapping of names to values, but found ${describe(node)}.`);
		return new Map();
	};
}

/** Whether a node is null, `~` or empty. */
export function isNull(node: YamlNode): boolean {
	return node.kind === 'scalar' && node.type === 'null';
}

/** The scalar if the node is text, i.e. what Python reads as str. */
export function asText(node: YamlNode | undefined): (ScalarNode & { readonly value: string }) | undefined {
	return node?.kind === 'scalar' && typeof node.value === 'string' && node.type === 'str'
		? (node as ScalarNode & { readonly value: string })
		: undefined;
}

/** The node under a key of a mapping, without the bookkeeping of a `MapReader`. */
export function child(node: YamlNode | undefined, key: string): YamlNode | undefined {
	return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.value : undefined;
}

/** Says in words what a node is, for messages. */
export function describe(node: YamlNode): string {
	if (node.kind !== 'scalar') {
		return node.kind === 'map' ? 'a mapping' : 'a list';
	}
	if (node.type === 'null') {
		return 'nothing';
	}
	const names = { str: 'the text', int: 'the number', float: 'the number', bool: 'the boolean', timestamp: 'the date' };
	const shown = node.written.length > 60 ? `${node.written.slice(0, 60)}…` : node.written;
	return `${names[node.type]} '${shown}'`;
}

// In the order of the file, then those of the files that it names.
function inOrder(faults: readonly Fault[], file: string): readonly Fault[] {
	const rank = ({ where }: Fault): string => (where?.file === file ? '' : (where?.file ?? ''));
	return faults.toSorted(
		(a, b) =>
			rank(a).localeCompare(rank(b)) ||
			(a.where?.line ?? 0) - (b.where?.line ?? 0) ||
			(a.where?.column ?? 0) - (b.where?.column ?? 0),
	);
}

// A reader always gives a value. For a missing key the value does not matter, because the file is refused anyway.
function placeholder<T>(reader: Reader<T>, at: Place, reading: Reading): T {
	const nothing: ScalarNode = { kind: 'scalar', type: 'null', value: null, text: 'None', written: '', at };
	return reader(nothing, new Reading({ path: reading.path, folder: reading.folder }));
}

function capital(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
