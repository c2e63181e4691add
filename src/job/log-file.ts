// One log file of a job, read by byte ranges: bytes in, whole lines out, each once. Knows nothing of where lines go.
import { StringDecoder } from 'node:string_decoder';
import { type Http, type HttpAnswer, Unreachable } from '../azure/http.ts';

/** What one look at a log file brought. */
export interface Look {
	/** Bytes that were new. */
	readonly bytes: number;
	/** `fresh`: the address is no longer good, ask for a new one. `gone`: there is no such file. `later`: try again. */
	readonly outcome: 'read' | 'fresh' | 'gone' | 'later';
	/** Why nothing could be read, where nothing could. */
	readonly reason?: string;
}

/** How much one request asks for, in bytes. */
const PIECE = 4 * 1024 * 1024;
/** A longer line is shown in pieces of this many characters. */
const LONGEST_LINE = 64 * 1024;
/** At the end of each piece of a line but its last. */
const CONTINUED = ' ⤶';

/**
 * The reader of one file. `onLine` gets each line without its end, in order. Of a line that was overwritten again and
 * again by carriage returns, as progress bars do it, the last state is shown, with the number of those before.
 */
export class LogFile {
	readonly path: string;
	readonly #onLine: (line: string) => void;
	#offset = 0;
	#created: string | undefined;
	#decoder = new StringDecoder('utf8');
	#partial = '';
	#overwritten = 0;
	#flushed = false;

	constructor(path: string, onLine: (line: string) => void) {
		this.path = path;
		this.#onLine = onLine;
	}

	/** How many bytes have been read. */
	get offset(): number {
		return this.#offset;
	}

	/** Whether a line has begun that has no end yet. */
	get unfinished(): boolean {
		return this.#partial !== '';
	}

	/** Reads what has come since the last look, from a signed address. */
	async look(url: string, http: Http, signal?: AbortSignal): Promise<Look> {
		let bytes = 0;
		for (;;) {
			const answer = await this.#ask(url, http, signal);
			if (typeof answer === 'string') return { bytes, outcome: 'later', reason: answer };
			const outcome = outcomeOf(answer.status);
			if (outcome !== 'read') return { bytes, outcome, reason: `HTTP ${answer.status}` };
			const fresh = this.#take(answer);
			if (fresh === undefined) return { bytes, outcome: 'later', reason: 'it was written anew' };
			bytes += fresh;
			if (fresh < PIECE) return { bytes, outcome };
		}
	}

	/** The answer, or why there is none. */
	async #ask(url: string, http: Http, signal: AbortSignal | undefined): Promise<HttpAnswer | string> {
		const range = `bytes=${this.#offset}-${this.#offset + PIECE - 1}`;
		const headers = { range, 'x-ms-version': '2021-12-02' };
		try {
			// One attempt: the next look comes soon anyway.
			return await http.send({ method: 'GET', url, signal, retry: false, timeout: 30_000, headers });
		} catch (error) {
			if (error instanceof Unreachable) return error.message;
			throw error;
		}
	}

	/** The rest of the last line, once nothing more will come. */
	end(): void {
		this.#partial += this.#decoder.end();
		this.flush();
	}

	/** Shows an unfinished line as it is; what follows on it becomes a line of its own. */
	flush(): void {
		if (this.#partial === '') return;
		this.#show(this.#partial);
		this.#partial = '';
		this.#flushed = true;
	}

	/** @returns how many bytes of the answer were new; undefined where the file has begun anew and must be asked for again */
	#take({ status, headers, body }: HttpAnswer): number | undefined {
		const created = headers['x-ms-creation-time'];
		const replaced = created !== undefined && this.#created !== undefined && created !== this.#created;
		this.#created = created ?? this.#created;
		const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
		if (status === 416) return Number(range?.[2] ?? this.#offset) < this.#offset ? this.#restart('shrank') : 0;
		if (replaced) this.#restart('was written anew');
		// A server that ignores the range sends the whole file.
		else if (status === 200 && body.length < this.#offset) this.#restart('shrank');
		const from = status === 200 ? 0 : Number(range?.[1] ?? this.#offset);
		if (from > this.#offset) return undefined;
		const fresh = body.subarray(this.#offset - from);
		this.#offset += fresh.length;
		this.#split(this.#decoder.write(fresh));
		return fresh.length;
	}

	#restart(what: string): undefined {
		this.end();
		this.#onLine(`[gap: ${this.path} ${what} after ${this.#offset} bytes; shown again from its beginning]`);
		this.#offset = 0;
		this.#decoder = new StringDecoder('utf8');
		this.#flushed = false;
	}

	#split(text: string): void {
		const lines = (this.#partial + text).split('\n');
		this.#partial = lines.pop() ?? '';
		for (const line of lines) {
			// The end of a line that was shown before its end came is no line.
			if (line.replace(/\r$/, '') !== '' || !this.#flushed) this.#show(line);
			this.#flushed = false;
		}
		this.#dropOverwritten();
		for (;;) {
			const piece = firstPiece(this.#partial);
			if (piece === this.#partial) return;
			this.#onLine(piece + CONTINUED);
			this.#partial = this.#partial.slice(piece.length);
		}
	}

	/** A progress bar may overwrite an unfinished line for hours: its last state is all that is kept. */
	#dropOverwritten(): void {
		// A return at the very end may be half of a line's end.
		const last = this.#partial.lastIndexOf('\r', this.#partial.length - 2);
		if (last < 0) return;
		this.#overwritten += statesOf(this.#partial.slice(0, last)).length;
		this.#partial = this.#partial.slice(last + 1);
	}

	#show(line: string): void {
		const states = statesOf(line);
		const before = this.#overwritten + Math.max(0, states.length - 1);
		this.#overwritten = 0;
		let rest = states.at(-1) ?? '';
		for (let piece = firstPiece(rest); piece !== rest; piece = firstPiece(rest)) {
			this.#onLine(piece + CONTINUED);
			rest = rest.slice(piece.length);
		}
		this.#onLine(before === 0 ? rest : `${rest} [overwritten ${before}×]`);
	}
}

function statesOf(line: string): string[] {
	return line.split('\r').filter((state) => state !== '');
}

/** As much of the text as one line may hold, never half a character. */
function firstPiece(text: string): string {
	if (text.length <= LONGEST_LINE) return text;
	const last = text.charCodeAt(LONGEST_LINE - 1);
	return text.slice(0, last >= 0xd800 && last < 0xdc00 ? LONGEST_LINE - 1 : LONGEST_LINE);
}

function outcomeOf(status: number): Look['outcome'] {
	if (status === 200 || status === 206 || status === 416) return 'read';
	if (status === 401 || status === 403) return 'fresh';
	return status === 404 ? 'gone' : 'later';
}
