// What the client programs in TypeScript share: they tell how each operation went, as those in Python do.

/** How one operation of a client went. */
export interface Outcome {
	client: string;
	operation: string;
	seconds: number;
	/** Why it failed. */
	fault?: string;
	/** Why it was not tried. */
	skipped?: string;
}

/** One client program. */
export class Session {
	readonly outcomes: Outcome[] = [];
	readonly #client: string;

	/** `client` names the client, with its version. */
	constructor(client: string) {
		this.#client = client;
	}

	/** Runs one operation; whatever it throws fails it, and the next ones go on. */
	async operation(name: string, work: () => Promise<void>): Promise<void> {
		const started = Date.now();
		const fault = await work().then(
			() => undefined,
			(error: unknown) => (error instanceof Error ? error.message : String(error)),
		);
		const seconds = Math.round((Date.now() - started) / 100) / 10;
		const outcome = { client: this.#client, operation: name, seconds };
		this.outcomes.push(fault === undefined ? outcome : { ...outcome, fault });
	}
}
