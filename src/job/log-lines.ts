// Bytes of a log in, the lines to show out: each once, long ones in pieces, of a progress bar its last state. Knows
// nothing of where the bytes come from.
import { StringDecoder } from 'node:string_decoder';

/** A longer line is shown in pieces of this many characters. */
const LONGEST_LINE = 64 * 1024;
/** At the end of what is shown of a line that goes on: in the next shown line, which is empty where nothing came. */
const CONTINUED = ' ⤶';
/** A line of the log that itself ends like one of our marks gets a backslash more, so that they stay apart. */
const LIKE_A_MARK = / (\\*)(⤶|\[overwritten \d+×\])$/;

/** What no line has that is shown just as it is, given that it is not too long. */
const NOT_PLAIN = ['\r', '⤶\n', '×]\n'];

/** Keeps a secret from being divided, so that no part of it is shown: see `Log`. */
export interface LineGuard {
	readonly clean?: ((text: string) => string) | undefined;
	readonly held?: ((text: string) => number) | undefined;
}

/**
 * The lines of one file. `onLines` gets them in order: one, or several with line feeds between them. What is shown can be
 * turned back into the file (`linesToText` in the tests does so) but for what carriage returns have overwritten, whose
 * states are counted.
 */
export class LogLines {
	readonly #onLines: (lines: string) => void;
	readonly #guard: LineGuard;
	#decoder = new StringDecoder('utf8');
	/** The text since the last line end or carriage return. */
	#partial = '';
	/** Of the line that is under way, the last state that was overwritten and is not shown yet. */
	#overwritten: string | undefined;
	/** How many states before that one were overwritten and not shown. */
	#skipped = 0;
	/** The beginning of the line is shown: `continued` with the mark that more follows. */
	#shown: 'no' | 'state' | 'continued' = 'no';
	/** How many characters were no UTF-8. */
	invalid = 0;

	constructor(onLines: (lines: string) => void, guard: LineGuard = {}) {
		this.#onLines = onLines;
		this.#guard = guard;
	}

	/** Whether a line has begun that has no end yet. */
	get unfinished(): boolean {
		return this.#partial !== '' || this.#overwritten !== undefined;
	}

	/** Whether a progress bar has states that are not shown yet. */
	get progress(): boolean {
		return this.#overwritten !== undefined;
	}

	/** Takes the next bytes of the file. */
	write(bytes: Buffer): void {
		this.#take(this.#decoder.write(bytes));
	}

	/** Shows the rest of the last line, once nothing more will come. The reader may begin anew with another file. */
	end(): void {
		this.#partial += this.#decoder.end();
		// A return that nothing follows overwrites nothing.
		if (this.#partial === '\r') this.#partial = '';
		if (this.unfinished) this.#endLine(this.#partial);
		this.#partial = '';
		this.#shown = 'no';
		this.#decoder = new StringDecoder('utf8');
	}

	/** Shows an unfinished line as it is. */
	flush(): void {
		if (this.#partial.endsWith('\r')) {
			this.#overwrite([this.#partial.slice(0, -1)]);
			this.#partial = '';
		}
		if (this.#partial === '') {
			this.flushProgress();
			return;
		}
		const [ready, held] = this.#divided();
		if (ready === '') return;
		const isState = this.#overwritten !== undefined || this.#shown === 'state';
		if (isState) this.#show(ready);
		else this.#onLines(this.#inPieces(ready) + CONTINUED);
		this.#partial = held;
		this.#shown = isState ? 'state' : 'continued';
	}

	/** Shows the last whole state of a progress bar. */
	flushProgress(): void {
		if (this.#overwritten === undefined) return;
		this.#show(undefined);
		this.#shown = 'state';
	}

	#take(text: string): void {
		if (text.includes('\ufffd')) this.invalid += text.split('\ufffd').length - 1;
		const whole = this.#partial + text;
		const end = whole.lastIndexOf('\n');
		this.#partial = whole.slice(end + 1);
		if (end >= 0) this.#endLines(whole.slice(0, end + 1));
		// A return at the very end may be half of a line's end.
		const last = this.#partial.lastIndexOf('\r', this.#partial.length - 2);
		if (last >= 0) {
			this.#overwrite(this.#partial.slice(0, last).split('\r'));
			this.#partial = this.#partial.slice(last + 1);
		}
		if (this.#partial.length <= LONGEST_LINE) return;
		const [ready, held] = this.#divided();
		if (ready.length <= LONGEST_LINE) return;
		this.#partial = this.#inPieces(ready) + held;
		this.#shown = 'continued';
	}

	/** The unfinished line: what may be shown of it, and its end that may be the beginning of a secret. */
	#divided(): readonly [string, string] {
		const place = this.#partial.length - (this.#guard.held?.(this.#partial) ?? 0);
		return [this.#partial.slice(0, place), this.#partial.slice(place)];
	}

	/** Takes whole lines, with their ends. Those that are shown as they are go on together: to look at each takes longer. */
	#endLines(text: string): void {
		// The first may have begun, and have been shown in part, before.
		let from = nextLine(text, 0);
		this.#endLine(text.slice(0, from - 1));
		const odd = new OddLines(text);
		while (from < text.length) {
			const found = text.length - from > LONGEST_LINE ? from : odd.next(from);
			const line = found < text.length ? text.lastIndexOf('\n', found - 1) + 1 : text.length;
			if (line > from) this.#onLines(text.slice(from, line - 1));
			from = nextLine(text, found);
			if (line < text.length) this.#endLine(text.slice(line, from - 1));
		}
	}

	#endLine(line: string): void {
		const states = line.replace(/\r$/, '').split('\r');
		const final = states.pop() ?? '';
		this.#overwrite(states);
		const shown = this.#shown;
		this.#shown = 'no';
		// The end of a bar whose last state is shown already is no line.
		if (final === '' && this.#overwritten === undefined && shown === 'state') return;
		this.#show(final === '' ? undefined : final);
	}

	#overwrite(states: readonly string[]): void {
		for (const state of states) {
			if (state === '') continue;
			if (this.#overwritten !== undefined) this.#skipped += 1;
			this.#overwritten = state;
		}
	}

	/** Shows a state, the last overwritten one where none is given, with the number of those that it has replaced. */
	#show(state: string | undefined): void {
		const replaced = this.#skipped + (state !== undefined && this.#overwritten !== undefined ? 1 : 0);
		const rest = this.#inPieces(state ?? this.#overwritten ?? '');
		this.#overwritten = undefined;
		this.#skipped = 0;
		if (replaced > 0) this.#onLines(`${rest} [overwritten ${replaced}×]`);
		else this.#onLines(/[⤶\]]$/.test(rest) ? rest.replace(LIKE_A_MARK, ' \\$1$2') : rest);
	}

	/** Shows all of a long text but its last piece, which is given back. */
	#inPieces(text: string): string {
		let rest = text.length > LONGEST_LINE ? (this.#guard.clean?.(text) ?? text) : text;
		while (rest.length > LONGEST_LINE) {
			const last = rest.charCodeAt(LONGEST_LINE - 1);
			// Never half a character.
			const length = last >= 0xd800 && last < 0xdc00 ? LONGEST_LINE - 1 : LONGEST_LINE;
			this.#onLines(rest.slice(0, length) + CONTINUED);
			rest = rest.slice(length);
		}
		return rest;
	}
}

/** Finds the lines of a text that hold any of `NOT_PLAIN`, each of which is looked for once. */
class OddLines {
	readonly #text: string;
	readonly #places = NOT_PLAIN.map(() => -1);

	constructor(text: string) {
		this.#text = text;
	}

	/** Where the next one is, from a place on that is never before the last one; the text's length where there is none. */
	next(from: number): number {
		for (const [index, what] of NOT_PLAIN.entries()) {
			if ((this.#places[index] ?? 0) >= from) continue;
			const place = this.#text.indexOf(what, from);
			this.#places[index] = place < 0 ? this.#text.length : place;
		}
		return Math.min(...this.#places);
	}
}

/** Where the line after this place begins; beyond the end where it is the last. */
function nextLine(text: string, place: number): number {
	const end = text.indexOf('\n', place);
	return (end < 0 ? text.length : end) + 1;
}
