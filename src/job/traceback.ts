// Python tracebacks in what a job prints, line by line. Where their files are in the checkout is traceback-place.ts's.

/** One call in a traceback, as python prints it. */
export interface Frame {
	/** The path on the compute. */
	readonly file: string;
	readonly line: number;
	/** The function; undefined for a fault of syntax, which stands in none. */
	readonly within: string | undefined;
}

/** A whole traceback, outermost call first. */
export interface Traceback {
	readonly frames: readonly Frame[];
	/** `ValueError: no such column`. */
	readonly exception: string;
}

/** How many tracebacks are kept: those that come last tell why a job failed. */
const KEPT = 20;
const MOST_FRAMES = 200;
const LONGEST_EXCEPTION = 500;
const LONGEST_PREFIX = 200;
/** A traceback that goes on for so many lines without a call is none any more. */
const MOST_LINES_BETWEEN = 100;

const HEADER = /^(.*?)Traceback \(most recent call last\):\s*$/;
const FRAME = /^\s*File "([^"]+)", line (\d+)(?:, in (\S(?:.*\S)?))?\s*$/;
/** What stands before each line of a group of exceptions. */
const GROUP_RULE = /^\s*[|+] ?/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const COLOURS = /\u001b\[[0-9;:]*m/g;

interface Unfinished {
	/** What a logger or a launcher puts before each line: `[rank0]: `. */
	readonly prefix: RegExp | undefined;
	readonly frames: Frame[];
	between: number;
}

/** Finds tracebacks in a log that comes line by line. */
export class TracebackReader {
	readonly #found: Traceback[] = [];
	#open: Unfinished | undefined;

	/** The tracebacks so far, the last ones of many, in their order. */
	get found(): readonly Traceback[] {
		return this.#found;
	}

	/** Takes a line, or several. */
	see(text: string): void {
		for (const line of text.split('\n')) this.#line(line.replace(COLOURS, ''));
	}

	#line(line: string): void {
		const header = HEADER.exec(line);
		if (header !== null) {
			this.#open = { prefix: prefixOf(header[1] ?? ''), frames: [], between: 0 };
			return;
		}
		// A fault of syntax in the program itself has no header, and of a log's end the header may be missing.
		if (this.#open === undefined && /^\s+File "/.test(line)) this.#open = { prefix: undefined, frames: [], between: 0 };
		if (this.#open !== undefined) this.#inside(this.#open, line);
	}

	#inside(open: Unfinished, whole: string): void {
		const line = withoutPrefix(whole, open.prefix);
		const [, file, row, within] = FRAME.exec(line) ?? [];
		if (file !== undefined) {
			open.frames.push({ file, line: Number(row), within });
			open.between = 0;
			if (open.frames.length > MOST_FRAMES) open.frames.splice(0, 1);
			return;
		}
		open.between += 1;
		if (/^\s+\S/.test(line) && open.between < MOST_LINES_BETWEEN) return;
		this.#open = undefined;
		const exception = line.trim().slice(0, LONGEST_EXCEPTION);
		// `raise ValueError` without a message is a line of one word.
		if (open.frames.length === 0 || !/^[\w.]+(?:: |:?$)/.test(exception)) return;
		this.#found.push({ frames: open.frames, exception });
		if (this.#found.length > KEPT) this.#found.shift();
	}
}

/** A prefix may hold the time, so its numbers are others on each line. */
function prefixOf(text: string): RegExp | undefined {
	if (text.trim() === '' || text.length > LONGEST_PREFIX) return undefined;
	return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\d+/g, '\\d+')}`);
}

function withoutPrefix(line: string, prefix: RegExp | undefined): string {
	if (/^\s*[|+] /.test(line)) return line.replace(GROUP_RULE, '');
	return prefix === undefined ? line : line.replace(prefix, '');
}
