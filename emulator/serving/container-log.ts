// What a scoring process printed, with the few lines that were meant for the emulator taken out.

/** A word from the scoring process to the emulator: `ready` with its port, `failed` with the reason. */
export interface ServerWord {
	word: string;
	text: string;
}

/** Characters of the log that are kept; older lines go. */
const LIMIT = 1 << 20;

/** Gathers output; calls `onWord` for each word marked by the token, which no one else knows. */
export class ContainerLog {
	readonly #mark: string;
	readonly #onWord: (word: ServerWord) => void;
	readonly #decoder = new TextDecoder();
	#text = '';
	#open = '';

	constructor(token: string, onWord: (word: ServerWord) => void) {
		this.#mark = `\u0001${token} `;
		this.#onWord = onWord;
	}

	/** Takes bytes as they come; words may be split between them. */
	write(bytes: Buffer): void {
		this.#open += this.#decoder.decode(bytes, { stream: true });
		for (;;) {
			const start = this.#open.indexOf('\u0001');
			if (start < 0) {
				this.#keep(this.#open);
				this.#open = '';
				return;
			}
			this.#keep(this.#open.slice(0, start));
			this.#open = this.#open.slice(start);
			if (!this.#takeWord()) return;
		}
	}

	/** The last `tail` lines; all of it without `tail`. */
	read(tail?: number): string {
		const text = this.#text + this.#open;
		if (tail === undefined) return text;
		const lines = text.replace(/\n$/, '').split('\n');
		return tail <= 0 ? '' : `${lines.slice(-tail).join('\n')}\n`;
	}

	/** Handles what begins with a mark; false when more bytes are needed to know it. */
	#takeWord(): boolean {
		const expected = this.#mark.slice(0, this.#open.length);
		if (!this.#open.startsWith(expected)) {
			// Somebody else's control character.
			this.#keep(this.#open.slice(0, 1));
			this.#open = this.#open.slice(1);
			return true;
		}
		const end = this.#open.indexOf('\u0002\n');
		if (end < 0) return false;
		const [, word, text] = /^(\S+) (.*)$/s.exec(this.#open.slice(this.#mark.length, end)) ?? [];
		this.#open = this.#open.slice(end + 2);
		if (word !== undefined && text !== undefined) this.#onWord({ word, text: String(JSON.parse(text)) });
		return true;
	}

	#keep(text: string): void {
		this.#text += text;
		if (this.#text.length > 2 * LIMIT) this.#text = this.#text.slice(-LIMIT);
	}
}
