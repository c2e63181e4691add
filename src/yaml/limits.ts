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
/** Most lines, and most commas and opening brackets, of one file. */
export const MAX_LINES = 20_000;

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
		} else if (code === COMMA) {
			separators += 1;
		}
		const reason = excess(line, depth, separators);
		if (reason !== undefined) {
			return { message: reason, where: { file, line, column: index - lineStart + 1 } };
		}
	}
	return findDeepLine(text, file);
}

const [NEWLINE, COMMA, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [10, 44, 91, 93, 123, 125];

function excess(line: number, depth: number, separators: number): string | undefined {
	if (line > MAX_LINES || separators > MAX_LINES) {
		return `The file has more than ${MAX_LINES} lines or entries.`;
	}
	return depth > BRACKET_DEPTH ? `Brackets are nested deeper than ${BRACKET_DEPTH} levels.` : undefined;
}

// `- - - -` opens a list inside a list with every dash, and `? ? ?` a key inside a key.
function findDeepLine(text: string, file: string): { message: string; where: Place } | undefined {
	const found = /(?:[-?][ \t]+){65}/.exec(text);
	if (found === null) {
		return undefined;
	}
	const line = text.slice(0, found.index).split('\n').length;
	return { message: `Lists are nested deeper than ${MAX_DEPTH} levels.`, where: { file, line, column: 1 } };
}
