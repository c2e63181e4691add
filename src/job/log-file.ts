// One log file of a job, read by byte ranges from signed addresses: what is new of it, once. What its lines are is
// log-lines.ts's; where they go is logs.ts's.
import { type Http, type HttpAnswer, Unreachable } from '../azure/http.ts';
import { type LineGuard, LogLines } from './log-lines.ts';

/** What one look at a log file brought. */
export interface Look {
	/** Bytes that were new. */
	readonly bytes: number;
	/** `fresh`: the address is no longer good, ask for a new one. `gone`: there is no such file. `later`: try again. */
	readonly outcome: 'read' | 'fresh' | 'gone' | 'later';
	/** Why nothing could be read, where nothing could. */
	readonly reason?: string;
}

/** How a look is done. */
export interface LookOptions {
	readonly signal?: AbortSignal | undefined;
	/** Awaited again and again: where what was shown is taken slowly, no more is shown and no more read. */
	readonly ready?: (() => Promise<void>) | undefined;
}

/** How much one request asks for, in bytes. */
const PIECE = 1024 * 1024;
/** How much of an answer is made into lines at once: little, so that what is made is gone before memory grows for it. */
const BITE = 32 * 1024;
/** So many bytes before the place that was reached are read again where the file may be another one. */
const OVERLAP = 256;
/** A file that is another one at every answer is left for the next look. */
const MOST_TURNS = 4;
const NOTHING = Buffer.alloc(0);

/** The reader of one file. `onLines` gets its lines as that of `LogLines` does. */
export class LogFile {
	readonly path: string;
	readonly #onLines: (lines: string) => void;
	readonly #lines: LogLines;
	#offset = 0;
	#created: string | undefined;
	/** The last bytes before the offset. */
	#tail: Buffer = Buffer.alloc(0);
	/** The file may have been replaced since the last answer. */
	#doubtful = false;

	constructor(path: string, onLines: (lines: string) => void, guard?: LineGuard) {
		this.path = path;
		this.#onLines = onLines;
		this.#lines = new LogLines(onLines, guard);
	}

	/** How many bytes have been read. */
	get offset(): number {
		return this.#offset;
	}

	/** Whether a line has begun that has no end yet. */
	get unfinished(): boolean {
		return this.#lines.unfinished;
	}

	/** Whether a progress bar has states that are not shown yet. */
	get progress(): boolean {
		return this.#lines.progress;
	}

	/** How many characters were no UTF-8. */
	get invalid(): number {
		return this.#lines.invalid;
	}

	/** Reads what has come since the last look, from a signed address. */
	async look(url: string, http: Http, { signal, ready }: LookOptions = {}): Promise<Look> {
		let bytes = 0;
		for (let odd = 0; odd < MOST_TURNS; ) {
			const from = this.#doubtful ? this.#offset - this.#tail.length : this.#offset;
			const answer = await this.#ask(url, from, http, signal);
			if (typeof answer === 'string') return { bytes, outcome: 'later', reason: answer };
			const outcome = outcomeOf(answer.status);
			if (outcome !== 'read') return { bytes, outcome, reason: `HTTP ${answer.status}` };
			const fresh = this.#take(answer, from);
			if (fresh === undefined) odd += 1;
			for (let place = 0; place < (fresh?.length ?? 0); place += BITE) {
				bytes += this.#append(fresh?.subarray(place, place + BITE) ?? NOTHING);
				await ready?.();
			}
			const more = answer.status === 206 && answer.body.length >= PIECE;
			if (fresh !== undefined && !more) return { bytes, outcome };
		}
		return { bytes, outcome: 'later', reason: 'it is written anew all the time' };
	}

	/** Shows the rest of the last line, once nothing more will come. */
	end(): void {
		this.#lines.end();
	}

	/** Shows an unfinished line as it is. */
	flush(): void {
		this.#lines.flush();
	}

	/** Shows the last whole state of a progress bar. */
	flushProgress(): void {
		this.#lines.flushProgress();
	}

	/** The answer, or why there is none. */
	async #ask(url: string, from: number, http: Http, signal?: AbortSignal): Promise<HttpAnswer | string> {
		const range = `bytes=${from}-${from + PIECE - 1}`;
		const headers = { range, 'x-ms-version': '2021-12-02' };
		try {
			// One attempt: the next look comes soon anyway.
			return await http.send({ method: 'GET', url, signal, retry: false, timeout: 30_000, headers });
		} catch (error) {
			if (error instanceof Unreachable) return error.message;
			throw error;
		}
	}

	/** @returns the bytes of the answer that are new; undefined where the file must be asked for again */
	#take({ status, headers, body }: HttpAnswer, asked: number): Buffer | undefined {
		this.#hear(headers['x-ms-creation-time']);
		const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
		if (Number(range?.[2] ?? this.#offset) < this.#offset) return this.#restart('shrank');
		if (status === 416) return NOTHING;
		// A server that ignores the range sends the whole file.
		if (status === 200 && body.length < this.#offset) return this.#restart('shrank');
		const from = status === 200 ? 0 : Number(range?.[1] ?? asked);
		if (from > this.#offset) return undefined;
		const place = this.#offset - from - this.#tail.length;
		if (place < 0) return this.#doubtful ? undefined : body.subarray(this.#offset - from);
		// Bytes that were read before are in the answer: if they are others, so is the file.
		const again = body.subarray(place, place + this.#tail.length);
		if (!again.equals(this.#tail.subarray(0, again.length))) return this.#restart('was written anew');
		if (again.length < this.#tail.length) return undefined;
		this.#doubtful = false;
		return body.subarray(this.#offset - from);
	}

	/**
	 * Storage tells when the file was made. Where a gateway keeps that to itself, a file that is replaced by a longer one is read
	 * on in the middle: to look at its last bytes each time would cost several times the log.
	 */
	#hear(created: string | undefined): void {
		// Written anew; with the same beginning it has only grown, as files do that are uploaded as a whole each time.
		if (created !== undefined && this.#created !== undefined && created !== this.#created) this.#doubtful = true;
		this.#created = created ?? this.#created;
	}

	#append(fresh: Buffer): number {
		this.#offset += fresh.length;
		this.#tail = Buffer.concat([this.#tail, fresh.subarray(-OVERLAP)]).subarray(-OVERLAP);
		this.#lines.write(fresh);
		return fresh.length;
	}

	#restart(what: string): undefined {
		this.#lines.end();
		this.#onLines(`[gap: ${this.path} ${what} after ${this.#offset} bytes; shown again from its beginning]`);
		this.#offset = 0;
		this.#tail = Buffer.alloc(0);
		this.#doubtful = false;
	}
}

function outcomeOf(status: number): Look['outcome'] {
	if (status === 200 || status === 206 || status === 416) return 'read';
	if (status === 401 || status === 403) return 'fresh';
	return status === 404 ? 'gone' : 'later';
}
