// The machines of the emulated computes: so many commands run at a time, the others queue.

/** A number of nodes, which are taken and given back. */
export class Nodes {
	#free: number;
	readonly #queue: (() => void)[] = [];

	/** `count` is how many there are. */
	constructor(count: number) {
		this.#free = count;
	}

	/** Resolves with the way to give the node back when one is free, in the order of asking. */
	async take(): Promise<() => void> {
		if (this.#free > 0) this.#free -= 1;
		else await new Promise<void>((resolve) => this.#queue.push(resolve));
		let isGiven = false;
		return () => {
			if (isGiven) return;
			isGiven = true;
			const next = this.#queue.shift();
			if (next) next();
			else this.#free += 1;
		};
	}
}
