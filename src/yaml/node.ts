// A CLI v2 file as a tree of nodes that know where they stand. Values are read as PyYAML reads them, because that is
// what the users' files have meant so far. Reading text into such a tree is load.ts's; checking it is checks.ts's.
import type { Place } from '../errors.ts';

/** What PyYAML makes of a scalar. */
export type ScalarType = 'str' | 'int' | 'float' | 'bool' | 'null' | 'timestamp';

/**
 * A scalar. `value` is its JavaScript value (a bigint where an int is beyond 2^53), `text` is what Python's str() gives,
 * and `written` is what stands in the file, without quotes.
 */
export interface ScalarNode {
	readonly kind: 'scalar';
	readonly type: ScalarType;
	readonly value: string | number | bigint | boolean | null;
	readonly text: string;
	readonly written: string;
	readonly at: Place;
}

/** A mapping, in the order of the file. */
export interface MapNode {
	readonly kind: 'map';
	readonly entries: readonly MapEntry[];
	readonly at: Place;
}

/** A key of a mapping with its value; `at` is the place of the key. */
export interface MapEntry {
	readonly key: string;
	readonly at: Place;
	readonly value: YamlNode;
}

/** A sequence. */
export interface ListNode {
	readonly kind: 'list';
	readonly items: readonly YamlNode[];
	readonly at: Place;
}

export type YamlNode = ScalarNode | MapNode | ListNode;

/** A file that was read: its path relative to the workspace folder, its absolute folder, and its tree. */
export interface YamlFile {
	readonly path: string;
	/** Absolute path of the folder that relative paths in this file start from. */
	readonly folder: string;
	readonly root: MapNode;
	/** Where a careful reader could read something else than PyYAML does. */
	readonly warnings: readonly import('../errors.ts').Fault[];
}
