// The log of a job on its way to storage: batched, in order, and bounded in memory.

/** Sends one batch of bytes on its way, e.g. to an append blob. */
export type AppendLog = (bytes: Buffer) => Promise<void>;

/** Says to the writer of a log whether it may go on. */
export interface LogPace {
	pause(): void;
	resume(): void;
}

/** Bytes that may wait for storage before the process has to. */
const HIGH_WATER = 1 << 20;
/** Bytes of the end of the log kept for the error message. */
const TAIL = 8192;

/** Gathers what a process prints and appends it to its log every `batchMs` milliseconds, one batch at a time. */
export class JobLog {
	/** The first failure to append, when there was one. */
	failure: Error | undefined;
	readonly #append: AppendLog;
	readonly #batchMs: number;
	#pace: LogPace | undefined;
	#waiting: Buffer[] = [];
	#waitingBytes = 0;
	#timer: NodeJS.Timeout | undefined;
	#sending: Promise<void> = Promise.resolve();
	#tail = Buffer.alloc(0);

	constructor(append: AppendLog, batchMs: number) {
		this.#append = append;
		this.#batchMs = batchMs;
	}

	/** Names the writer that is to wait while storage is slow. */
	setPace(pace: LogPace): void {
		this.#pace = pace;
	}

	/** Takes bytes as they come. */
	write(bytes: Buffer): void {
		this.#waiting.push(bytes);
		this.#waitingBytes += bytes.length;
		this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-TAIL);
		this.#timer ??= setTimeout(() => this.#send(), this.#batchMs);
		if (this.#waitingBytes > HIGH_WATER) this.#pace?.pause();
	}

	/** Resolves when everything written so far has been appended, or could not be. */
	async flush(): Promise<void> {
		this.#send();
		await this.#sending;
	}

	/** The last text of the log, up to 8 KiB. */
	tail(): string {
		return this.#tail.toString('utf8');
	}

	#send(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#sending = this.#sending.then(async () => {
			const batch = Buffer.concat(this.#waiting);
			this.#waiting = [];
			this.#waitingBytes = 0;
			this.#pace?.resume();
			if (batch.length === 0) return;
			try {
				await this.#append(batch);
			} catch (error) {
				this.failure ??= error instanceof Error ? error : new Error(String(error));
			}
		});
	}
}
