// An MD5 that is taken in another thread: of a large file one thread could not hash and send as fast as the file is read.
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** A hash that is fed piece by piece. */
export interface PieceHash {
	/** Takes the next piece. Resolves when its memory may be used for something else, and one more may come. */
	update(piece: Uint8Array): Promise<void> | void;
	digest(): Promise<Buffer> | Buffer;
	/** To be called in any case, also after `digest`. */
	close(): void;
}

/** Smallest content, in bytes, for which it pays to start a thread. */
const LARGE = 32 * 1024 * 1024;
/** Pieces on their way to the other thread. */
const AHEAD = 2;

/** The MD5 of a content of this size in bytes. */
export function md5Of(size: number): PieceHash {
	if (size >= LARGE) return new ThreadHash();
	const hash = createHash('md5');
	return {
		update: (piece) => void hash.update(piece),
		digest: () => hash.digest(),
		close: () => {},
	};
}

const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const hash = require('node:crypto').createHash('md5');
parentPort.on('message', (piece) => {
	if (piece !== undefined) hash.update(piece);
	parentPort.postMessage(piece === undefined ? hash.digest() : undefined);
});
`;

/** Pieces go through memory that both threads see: copies in messages would wait in the other thread to be swept. */
class ThreadHash implements PieceHash {
	readonly #worker = new Worker(PROGRAM, { eval: true, env: {} });
	/** Who waits for an answer, in the order of what was sent. */
	readonly #waiting: {
		readonly done: (answer: Uint8Array | undefined) => void;
		readonly fail: (error: Error) => void;
	}[] = [];
	/** The pieces under way, each with what is resolved when it has been hashed. */
	readonly #ahead: { readonly memory: Uint8Array<SharedArrayBuffer>; readonly hashed: Promise<unknown> }[] = [];
	#failure: Error | undefined;

	constructor() {
		this.#worker.on('message', (answer: Uint8Array | undefined) => this.#waiting.shift()?.done(answer));
		this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
		this.#worker.on('exit', () => this.#fail(new Error('the thread that hashes has ended')));
	}

	async update(piece: Uint8Array): Promise<void> {
		const memory = await this.#memoryFor(piece.length);
		memory.set(piece);
		const hashed = this.#send(memory.subarray(0, piece.length));
		// Its failure is that of every later call.
		hashed.catch(() => {});
		this.#ahead.push({ memory, hashed });
	}

	async digest(): Promise<Buffer> {
		return Buffer.from((await this.#send(undefined)) ?? []);
	}

	close(): void {
		void this.#worker.terminate();
	}

	async #memoryFor(length: number): Promise<Uint8Array<SharedArrayBuffer>> {
		const first = this.#ahead.length < AHEAD ? undefined : this.#ahead.shift();
		await first?.hashed;
		return first !== undefined && first.memory.length >= length
			? first.memory
			: new Uint8Array(new SharedArrayBuffer(length));
	}

	#send(piece: Uint8Array<SharedArrayBuffer> | undefined): Promise<Uint8Array | undefined> {
		return new Promise((done, fail) => {
			if (this.#failure !== undefined) return fail(this.#failure);
			this.#waiting.push({ done, fail });
			this.#worker.postMessage(piece);
		});
	}

	#fail(error: Error): void {
		this.#failure = error;
		for (const { fail } of this.#waiting.splice(0)) fail(error);
	}
}
