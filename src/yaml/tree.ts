// The parser's syntax tree -> our nodes: tags, aliases, merge keys and duplicate keys as PyYAML takes them.
import {
	type Document,
	isAlias,
	isMap,
	isPair,
	isScalar,
	isSeq,
	type LineCounter,
	type Scalar,
	type YAMLMap,
	type YAMLSeq,
} from 'yaml';
import type { Fault, Place } from '../errors.ts';
import { MAX_ALIASES, MAX_DEPTH, MAX_NODES } from './limits.ts';
import type { MapEntry, MapNode, ScalarNode, YamlNode } from './node.ts';
import { isRealTime, otherReading, resolvePlain, resolveTagged } from './scalar.ts';

// `constructor` is a real name in published pipelines; kept in maps and own members, it does no harm.
const UNSAFE_KEY = '__proto__';
const CORE = 'tag:yaml.org,2002:';
const SECRET_KEY = /password|secret|token|key$|certificate|credential/i;

/** Builds one tree. Faults and warnings are gathered; a faulty part becomes a null scalar so that the rest is still read. */
export class TreeBuilder {
	readonly faults: Fault[] = [];
	readonly warnings: Fault[] = [];
	readonly #file: string;
	readonly #lines: LineCounter;
	readonly #text: string;
	readonly #anchors = new Map<string, YamlNode | 'open'>();
	readonly #sizes = new Map<YamlNode, number>();
	#aliases = 0;
	/** The key whose value is being read; says whether a warning may show the value. */
	#underKey = '';
	#stopped = false;

	constructor(file: string, lines: LineCounter, text: string) {
		this.#file = file;
		this.#text = text;
		this.#lines = lines;
	}

	/** The tree of a document, or undefined where it has no content. */
	build(document: Document.Parsed): YamlNode | undefined {
		return document.contents === null ? undefined : this.#node(document.contents, 0);
	}

	#node(node: unknown, depth: number): YamlNode {
		const at = this.#place(node);
		if (this.#stopped) {
			return this.#nothing(at);
		}
		if (depth > MAX_DEPTH) {
			return this.#stop(at, `Mappings and lists are nested deeper than ${MAX_DEPTH} levels.`);
		}
		if (isAlias(node)) {
			return this.#alias(node.source, at);
		}
		const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
		if (anchor !== undefined) {
			this.#anchors.set(anchor, 'open');
		}
		const built = this.#content(node, at, depth);
		if (anchor !== undefined) {
			this.#anchors.set(anchor, built);
		}
		return this.#count(built);
	}

	#content(node: unknown, at: Place, depth: number): YamlNode {
		if (isMap(node)) {
			this.#checkTag(node, 'map', at);
			return this.#map(node, at, depth);
		}
		if (isSeq(node)) {
			this.#checkTag(node, 'seq', at);
			return { kind: 'list', items: node.items.map((item) => this.#node(item, depth + 1)), at };
		}
		return isScalar(node) ? this.#scalar(node, at) : this.#nothing(at);
	}

	#alias(name: string, at: Place): YamlNode {
		this.#aliases += 1;
		if (this.#aliases > MAX_ALIASES) {
			return this.#stop(at, `The file has more than ${MAX_ALIASES} aliases.`);
		}
		const target = this.#anchors.get(name);
		if (target === undefined || target === 'open') {
			const why = target === 'open' ? 'stands inside what it refers to' : 'has no anchor before it';
			this.faults.push({ message: `The alias *${name} ${why}.`, where: at });
			return this.#nothing(at);
		}
		return target;
	}

	#map(node: YAMLMap, at: Place, depth: number): MapNode {
		const own = new Map<string, MapEntry>();
		const merged: MapEntry[] = [];
		for (const pair of node.items) {
			if (!isPair(pair)) {
				continue;
			}
			const keyAt = this.#place(pair.key ?? pair.value);
			const value = (): YamlNode => (pair.value === null ? this.#nothing(keyAt) : this.#node(pair.value, depth + 1));
			if (isMergeKey(pair.key)) {
				merged.unshift(...this.#merged(value(), keyAt));
				continue;
			}
			const key = this.#key(pair.key, keyAt, depth);
			if (key === undefined) {
				continue;
			}
			if (own.has(key)) {
				this.faults.push({ message: `The key '${key}' stands twice in one mapping.`, where: keyAt });
			}
			this.#underKey = key;
			own.set(key, { key, at: keyAt, value: value() });
		}
		const entries = new Map<string, MapEntry>();
		for (const entry of [...merged, ...own.values()]) {
			entries.set(entry.key, entry);
		}
		return { kind: 'map', entries: [...entries.values()], at };
	}

	// Of several mappings merged at once the first one wins, and the mapping's own keys win over all.
	#merged(value: YamlNode, at: Place): readonly MapEntry[] {
		const sources = value.kind === 'list' ? value.items.toReversed() : [value];
		return sources.flatMap((source) => {
			if (source.kind === 'map') {
				return source.entries;
			}
			this.faults.push({ message: 'A merge key (<<) takes a mapping or a list of mappings.', where: at });
			return [];
		});
	}

	#key(key: unknown, at: Place, depth: number): string | undefined {
		const node = key === null ? this.#nothing(at) : this.#node(key, depth + 1);
		if (node.kind !== 'scalar' || node.type === 'null') {
			this.faults.push({ message: 'A key of a mapping must be text.', where: at });
			return undefined;
		}
		if (node.text === UNSAFE_KEY) {
			this.faults.push({ message: `The key '${node.text}' is not allowed.`, where: at });
			return undefined;
		}
		return node.text;
	}

	#scalar(node: Scalar, at: Place): ScalarNode {
		const value = typeof node.value === 'string' ? node.value : (node.source ?? '');
		const written = this.#isCutOff(node, value) ? value.slice(0, -1) : value;
		if (written.includes('\0')) {
			this.faults.push({ message: 'The character U+0000 may not stand in a value.', where: at });
			return this.#nothing(at);
		}
		const plain = node.type === 'PLAIN' || node.type === undefined;
		const tag = node.tag === '!' || (node.tag === undefined && !plain) ? `${CORE}str` : node.tag;
		const resolved = tag === undefined ? resolvePlain(written) : resolveTagged(tag, written);
		const shown = this.#isSecret() ? 'its text' : `'${written}'`;
		if (resolved === undefined) {
			const message = `The tag ${shortTag(tag ?? '')} is not known, or ${shown} does not fit it.`;
			this.faults.push({ message, where: at });
			return this.#nothing(at);
		}
		if (resolved.type === 'timestamp' && !isRealTime(written)) {
			const message = `A date or time is read here, but ${shown} is none of the calendar and the clock. Put it in quotes if it is text.`;
			this.faults.push({ message, where: at });
			return this.#nothing(at);
		}
		if (tag === undefined) this.#warn(written, resolved, at);
		return { kind: 'scalar', ...resolved, written, at };
	}

	/** Whether a block of text ends with the file, in a line without an end: the parser adds one, and PyYAML does not. */
	#isCutOff({ type, range }: Scalar, value: string): boolean {
		const isBlock = type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED';
		if (!isBlock || range?.[1] !== this.#text.length) return false;
		// Where there is nothing but blank lines, the first end of a line is that of the block's own sign.
		const written = lastLineEnds(this.#text) - (value.trim() === '' ? 1 : 0);
		return lastLineEnds(value) > written;
	}

	#warn(written: string, resolved: ReturnType<typeof resolvePlain>, at: Place): void {
		const other = otherReading(written, resolved);
		if (other === undefined) {
			return;
		}
		if (this.#isSecret()) {
			const message = `The value of '${this.#underKey}' is not the same text to every YAML reader. Put it in quotes.`;
			this.warnings.push({ message, where: at });
			return;
		}
		const number = `the number ${resolved.text}`;
		const bool = resolved.text.toLowerCase();
		const ours = { str: 'text', int: number, float: number, bool, null: 'null', timestamp: 'a date' }[resolved.type];
		const message = `'${written}' is read as ${ours}, as the Azure ML CLI reads it; other YAML readers take it for ${other}. Put it in quotes, or write it plainly.`;
		this.warnings.push({ message, where: at });
	}

	#isSecret(): boolean {
		return SECRET_KEY.test(this.#underKey);
	}

	#checkTag(node: YAMLMap | YAMLSeq, expected: string, at: Place): void {
		if (node.tag !== undefined && node.tag !== `${CORE}${expected}` && node.tag !== '!') {
			this.faults.push({ message: `The tag ${shortTag(node.tag)} is not known.`, where: at });
		}
	}

	// An alias counts with all that it stands for, so that a small file cannot unfold into a huge body.
	#count<T extends YamlNode>(node: T): T {
		const sizeOf = (part: YamlNode): number => this.#sizes.get(part) ?? 1;
		const parts =
			node.kind === 'map' ? node.entries.map((entry) => entry.value) : node.kind === 'list' ? node.items : [];
		const size = parts.reduce((sum, part) => sum + sizeOf(part), 1);
		this.#sizes.set(node, size);
		if (size > MAX_NODES) {
			this.#stop(node.at, `The file unfolds to more than ${MAX_NODES} values.`);
		}
		return node;
	}

	#stop(at: Place, message: string): ScalarNode {
		if (!this.#stopped) {
			this.#stopped = true;
			this.faults.push({ message, where: at });
		}
		return this.#nothing(at);
	}

	#nothing(at: Place): ScalarNode {
		return { kind: 'scalar', type: 'null', value: null, text: 'None', written: '', at };
	}

	#place(node: unknown): Place {
		const offset = (isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)) && node.range ? node.range[0] : 0;
		const { line, col } = this.#lines.linePos(offset);
		return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
	}
}

function isMergeKey(key: unknown): boolean {
	return isScalar(key) && key.value === '<<' && key.type === 'PLAIN' && key.tag === undefined;
}

/** How many lines end after the last character that is not blank. */
function lastLineEnds(text: string): number {
	return text.slice(text.trimEnd().length).split('\n').length - 1;
}

function shortTag(tag: string): string {
	return tag.startsWith(CORE) ? `!!${tag.slice(CORE.length)}` : tag;
}
