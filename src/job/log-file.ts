// One log file of a job, read by byte ranges: bytes in, whole lines out, each once. Knows nothing of where lines go.
import { StringDecoder } from 'node:string_decoder';
import { type Http, type HttpAnswer, Unreachable } from '../azure/http.ts';

/** What one look at a log file brought. */
export interface Look {
	/** Bytes that were new. */
	readonly bytes: number;
	/** `fresh`: the address is no longer good, ask for a new one. `gone`: there is no such file. `later`: try again. */
	readonly outcome: 'read' | 'fresh' | 'gone' | 'later';
}

/** How much one request asks for. */
const PIECE = 4 * 1024 * 1024;
/** A line without an end is shown in pieces of this many characters. */
const LONGEST_LINE = 64 * 1024;

/** The reader of one file. `onLine` gets each line without its end, in order. */
export class LogFile {
	readonly path: string;
	readonly #onLine: (line: string) => void;
	#offset = 0;
	#decoder = new StringDecoder('utf8');
	#partial = '';

	constructor(path: string, onLine: (line: string) => void) {
		this.path = path;
		this.#onLine = onLine;
	}

	/** Reads what has come since the last look, from a signed address. */
	async look(url: string, http: Http, signal?: AbortSignal): Promise<Look> {
		let bytes = 0;
		for (;;) {
			const range = `bytes=${this.#offset}-${this.#offset + PIECE - 1}`;
			let answer: HttpAnswer;
			try {
				// One attempt: the next look comes soon anyway.
				answer = await http.send({
					method: 'GET',
					url,
					signal,
					retry: false,
					timeout: 30_000,
					headers: { range, 'x-ms-version': '2021-12-02' },
				});
			} catch (error) {
				if (error instanceof Unreachable) return { bytes, outcome: 'later' };
				throw error;
			}
			const outcome = outcomeOf(answer.status);
			if (outcome !== 'read') return { bytes, outcome };
			const fresh = this.#take(answer);
			bytes += fresh;
			if (fresh < PIECE) return { bytes, outcome };
		}
	}

	/** The rest of the last line, once nothing more will come. */
	end(): void {
		const rest = this.#partial + this.#decoder.end();
		this.#partial = '';
		if (rest !== '') this.#onLine(rest);
	}

	/** Shows an unfinished line as it is; what follows on it becomes a line of its own. */
	flush(): void {
		const rest = this.#partial;
		this.#partial = '';
		if (rest !== '') this.#onLine(rest);
	}

	/** @returns how many bytes of the answer were new */
	#take({ status, headers, body }: HttpAnswer): number {
		if (status === 416) {
			const size = Number(/\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1] ?? this.#offset);
			if (size < this.#offset) this.#restart(size);
			return 0;
		}
		// A server that ignores the range sends the whole file.
		const from = status === 206 ? Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? this.#offset) : 0;
		if (status === 200 && body.length < this.#offset) {
			this.#restart(body.length);
			return 0;
		}
		const fresh = body.subarray(Math.max(0, this.#offset - from));
		this.#offset += fresh.length;
		this.#split(this.#decoder.write(fresh));
		return fresh.length;
	}

	#restart(size: number): void {
		this.end();
		this.#onLine(`[gap: ${this.path} shrank from ${this.#offset} to ${size} bytes; shown again from its beginning]`);
		this.#offset = 0;
		this.#decoder = new StringDecoder('utf8');
	}

	#split(text: string): void {
		const lines = (this.#partial + text).split('\n');
		this.#partial = lines.pop() ?? '';
		for (const line of lines) this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
		while (this.#partial.length > LONGEST_LINE) {
			this.#onLine(`${this.#partial.slice(0, LONGEST_LINE)} ⤶`);
			this.#partial = this.#partial.slice(LONGEST_LINE);
		}
	}
}

function outcomeOf(status: number): Look['outcome'] {
	if (status === 200 || status === 206 || status === 416) return 'read';
	if (status === 401 || status === 403) return 'fresh';
	return status === 404 ? 'gone' : 'later';
}
