// What a YAML file may cost before and while it is read, so that a hostile or broken one is refused at once.
import type { Place } from '../errors.ts';

/** Largest size of a file in bytes. */
export const MAX_BYTES = 1024 * 1024;
/** Deepest nesting of mappings and lists. */
export const MAX_DEPTH = 64;
/** Most aliases (`*name`) in one file. */
export const MAX_ALIASES = 100;
/** Most nodes of one file, aliases written out. */
export const MAX_NODES = 50_000;
/** Most lines of one file. */
export const MAX_LINES = 10_000;
/** Most commas, opening brackets and colons after a key of one file. */
export const MAX_SEPARATORS = 20_000;

const BRACKET_DEPTH = 256;

/** Looks at the bare text for shapes that would make the parser slow. Gives a message and its place, or undefined. */
export function findExcess(text: string, file: string): { message: string; where: Place } | undefined {
	let [line, lineStart, depth, separators] = [1, 0, 0, 0];
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (code === NEWLINE) {
			line += 1;
			lineStart = index + 1;
		} else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
			depth += 1;
			separators += 1;
		} else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
			depth = Math.max(0, depth - 1);
		} else if (code === COMMA || (code === COLON && isBlank(text.charCodeAt(index + 1)))) {
			separators += 1;
		}
		const reason = excess(line, depth, separators);
		if (reason !== undefined) {
			return { message: reason, where: { file, line, column: Math.max(index - lineStart, 0) + 1 } };
		}
	}
	return findDeepLine(text, file);
}

const [TAB, NEWLINE, BLANK, COMMA, COLON] = [9, 10, 32, 44, 58];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];

function isBlank(code: number): boolean {
	return code === BLANK || code === TAB;
}

function excess(line: number, depth: number, separators: number): string | undefined {
	if (line > MAX_LINES) {
		return `The file has more than ${MAX_LINES} lines.`;
	}
	if (separators > MAX_SEPARATORS) {
		return `The file has more than ${MAX_SEPARATORS} entries.`;
	}
	return depth > BRACKET_DEPTH ? `Brackets are nested deeper than ${BRACKET_DEPTH} levels.` : undefined;
}

// At the beginning of a line and behind a colon `- - - -` opens a list inside a list with every dash, and `? ? ?` a key
// inside a key; and a value has one tag and one anchor.
const RUNS: readonly (readonly [RegExp, string])[] = [
	[/(?:^|:[ \t])[ \t]*(?:[-?:][ \t]+){65}/m, `Lists are nested deeper than ${MAX_DEPTH} levels.`],
	[/(?:[&!][^\s]{0,100}[ \t]+){65}/, 'A value has more than one tag or anchor.'],
];

function findDeepLine(text: string, file: string): { message: string; where: Place } | undefined {
	for (const [pattern, message] of RUNS) {
		const found = pattern.exec(text);
		if (found !== null) {
			return { message, where: { file, line: text.slice(0, found.index).split('\n').length, column: 1 } };
		}
	}
	return undefined;
}
