// A tree of nodes -> YAML text in PyYAML's block style with sorted keys: the form in which the CLI sends conda files.
import type { ScalarNode, YamlNode } from './node.ts';
import { resolvePlain } from './scalar.ts';

/** A longer key stands behind a question mark, as PyYAML has it: no reader takes one before a colon that is much longer. */
const LONGEST_KEY = 122;

/** Writes a tree as YAML text: keys sorted, two spaces of indent, lists not indented below their key. */
export function dumpYaml(node: YamlNode): string {
	return `${inlineText(node) ?? block(node, 0).join('\n')}\n`;
}

function block(node: YamlNode, indent: number): string[] {
	if (node.kind === 'map') {
		// No key stands twice.
		const sorted = node.entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
		return sorted.flatMap((entry) => member(entry.key, entry.value, indent));
	}
	if (node.kind === 'list') {
		return node.items.flatMap((item) => marked('-', item, indent));
	}
	return [pad(indent) + scalarText(node)];
}

function member(name: string, value: YamlNode, indent: number): string[] {
	const key = textScalar(name);
	if (name.length > LONGEST_KEY) return [`${pad(indent)}? ${key}`, ...marked(':', value, indent)];
	const inline = inlineText(value);
	if (inline !== undefined) {
		return [`${pad(indent)}${key}: ${inline}`];
	}
	return [`${pad(indent)}${key}:`, ...block(value, value.kind === 'list' ? indent : indent + 2)];
}

function marked(mark: '-' | ':', item: YamlNode, indent: number): string[] {
	const inline = inlineText(item);
	if (inline !== undefined) {
		return [`${pad(indent)}${mark} ${inline}`];
	}
	const [first = '', ...rest] = block(item, indent + 2);
	return [`${pad(indent)}${mark} ${first.slice(indent + 2)}`, ...rest];
}

function inlineText(node: YamlNode): string | undefined {
	if (node.kind === 'scalar') {
		return scalarText(node);
	}
	const size = node.kind === 'map' ? node.entries.length : node.items.length;
	return size > 0 ? undefined : node.kind === 'map' ? '{}' : '[]';
}

function scalarText(node: ScalarNode): string {
	switch (node.type) {
		case 'str':
			return textScalar(node.text);
		case 'null':
			return 'null';
		case 'bool':
			return node.value === true ? 'true' : 'false';
		case 'float':
			return floatText(node.text);
		default:
			return node.text;
	}
}

function floatText(text: string): string {
	if (/(inf|nan)$/.test(text)) {
		return text.replace(/(inf|nan)$/, '.$1');
	}
	return text.includes('.') ? text : text.replace('e', '.0e');
}

// Plain where PyYAML would read the same text back, else in quotes.
function textScalar(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: text with these needs escapes
	if (/[\u0000-\u001F\u007F-\u009F\u2028\u2029\uFEFF]/.test(text)) {
		return JSON.stringify(text);
	}
	const plain =
		text !== '' &&
		resolvePlain(text).type === 'str' &&
		text !== '<<' &&
		text !== '=' &&
		!/^[\s\-?:,[\]{}#&*!|>'"%@`]/.test(text.replace(/^[-?:](?=\S)/, 'x')) &&
		!/\s$|:\s|:$|\s#/.test(text) &&
		!/^(---|\.\.\.)/.test(text);
	return plain ? text : `'${text.replaceAll("'", "''")}'`;
}

function pad(indent: number): string {
	return ' '.repeat(indent);
}
