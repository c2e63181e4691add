// Text -> a tree of nodes with their places, read as PyYAML reads it, within limits. What the keys mean is not known here.
import { readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { type Fault, FileError } from '../errors.ts';
import { findExcess, MAX_BYTES, MAX_DEPTH } from './limits.ts';
import type { MapNode, YamlFile } from './node.ts';
import { TreeBuilder } from './tree.ts';

/** What PyYAML refuses, and what ends a line in YAML 1.1 alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that YAML forbids
const UNFIT = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u2028\u2029\uFFFE\uFFFF]|\r(?!\n)/;
const DISPUTED = /[\r\u0085\u2028\u2029]/;
const NOT_TEXT = 'The file is not UTF-8 text. Save it as UTF-8.';

/**
 * Reads YAML. `file` is the path for messages, relative to the workspace folder; `folder` is the absolute folder that
 * relative paths in it start from. Throws a `FileError` with line and column of each fault.
 */
export function loadYaml(content: string | Uint8Array, file: string, folder: string): YamlFile {
	const text = textOf(content, file);
	const excess = findExcess(text, file);
	if (excess !== undefined) {
		throw new FileError(file, [excess]);
	}
	const lines = new LineCounter();
	const document = onlyDocument(text, file, lines);
	const builder = new TreeBuilder(file, lines, text);
	const root = builder.build(document);
	const faults = [...builder.faults];
	if (faults.length === 0 && root?.kind !== 'map') {
		const what = root === undefined || (root.kind === 'scalar' && root.type === 'null');
		faults.push({
			message: what ? 'The file is empty.' : 'The file does not hold a mapping of keys to values.',
			where: root?.at ?? { file, line: 1, column: 1 },
		});
	}
	if (faults.length > 0) {
		throw new FileError(file, faults);
	}
	return { path: file, folder, root: root as MapNode, warnings: builder.warnings };
}

/** Opens and reads a YAML file at an absolute path. `file` is its path for messages, relative to the workspace folder. */
export function openYaml(absolutePath: string, file: string): YamlFile {
	const found = lookAt(absolutePath);
	if (found === undefined || !found.isFile()) {
		const message = found === undefined ? `There is no file ${file}.` : `${file} is a folder; a YAML file is needed.`;
		throw new FileError(file, [{ message, where: { file } }]);
	}
	refuseSize(found.size, file);
	return loadYaml(readFileSync(absolutePath), file, path.dirname(absolutePath));
}

// A path that cannot even be asked for (too long, a link to itself, no right to look) leads nowhere.
function lookAt(absolutePath: string): Stats | undefined {
	try {
		return statSync(absolutePath, { throwIfNoEntry: false });
	} catch {
		return undefined;
	}
}

function refuseSize(bytes: number, file: string): void {
	if (bytes > MAX_BYTES) {
		throw new FileError(file, [{ message: `The file is larger than ${MAX_BYTES} bytes.`, where: { file } }]);
	}
}

function textOf(content: string | Uint8Array, file: string): string {
	refuseSize(typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength, file);
	let text: string;
	if (typeof content === 'string') {
		text = content;
	} else {
		text = decode(content, file);
	}
	const bare = text.startsWith('\uFEFF') ? text.slice(1) : text;
	const odd = UNFIT.exec(bare);
	if (odd !== null) {
		const before = bare.slice(0, odd.index).split('\n');
		const column = (before.at(-1)?.length ?? 0) + 1;
		const code = odd[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
		const why = DISPUTED.test(odd[0])
			? ': it is the end of a line to some readers, the CLI among them, and not to others'
			: '';
		const where = { file, line: before.length, column };
		throw new FileError(file, [{ message: `The character U+${code} may not stand in a YAML file${why}.`, where }]);
	}
	return bare;
}

function decode(bytes: Uint8Array, file: string): string {
	const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
	if (!utf16) {
		try {
			return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
		} catch {
			// Told below, in the same words as for UTF-16.
		}
	}
	throw new FileError(file, [
		{ message: utf16 ? `${NOT_TEXT} It is UTF-16 now.` : NOT_TEXT, where: { file, line: 1, column: 1 } },
	]);
}

function onlyDocument(text: string, file: string, lines: LineCounter): Document.Parsed {
	const all = parseAllDocuments(text, {
		schema: 'failsafe',
		lineCounter: lines,
		prettyErrors: false,
		uniqueKeys: false,
		strict: true,
		logLevel: 'silent',
	});
	const documents = 'empty' in all ? [] : all;
	const first = documents[0];
	if (first === undefined) {
		throw new FileError(file, [{ message: 'The file is empty.', where: { file, line: 1, column: 1 } }]);
	}
	// What the reader says after its first stumble is mostly about the stumble itself.
	const stumbles = documents.flatMap((document) => document.errors).sort((a, b) => a.pos[0] - b.pos[0]);
	const faults: Fault[] = stumbles.slice(0, 1).map((error) => ({
		message: syntaxMessage(error.message),
		where: placeOf(file, lines, error.pos[0]),
	}));
	const second = documents[1];
	if (second !== undefined && faults.length === 0) {
		const message = 'The file holds more than one YAML document (---). Give each its own file.';
		faults.push({ message, where: placeOf(file, lines, second.range[0]) });
	}
	if (faults.length > 0) {
		throw new FileError(file, faults);
	}
	return first as Document.Parsed;
}

function syntaxMessage(message: string): string {
	if (message.includes('call stack')) {
		return `Mappings and lists are nested deeper than ${MAX_DEPTH} levels.`;
	}
	return `This is not valid YAML: ${message.endsWith('.') ? message : `${message}.`}`;
}

function placeOf(file: string, lines: LineCounter, offset: number): { file: string; line: number; column: number } {
	const { line, col } = lines.linePos(offset);
	return { file, line: Math.max(1, line), column: Math.max(1, col) };
}
