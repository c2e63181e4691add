// The machines of the emulated computes: so many commands run at a time, the others queue.

/** A number of nodes, which are taken and given back. */
export class Nodes {
	#free: number;
	readonly #queue: (() => void)[] = [];

	/** `count` is how many there are. */
	constructor(count: number) {
		this.#free = count;
	}

	/**
	 * Resolves with the way to give the node back when one is free, in the order of asking; without one as soon as
	 * `isGivenUp` resolves.
	 */
	async take(isGivenUp: Promise<void>): Promise<(() => void) | undefined> {
		if (this.#free > 0) {
			this.#free -= 1;
			return () => this.#give();
		}
		let stopWaiting: () => void = () => {};
		const turn = new Promise<boolean>((resolve) => {
			const begin = () => resolve(true);
			this.#queue.push(begin);
			stopWaiting = () => {
				const place = this.#queue.indexOf(begin);
				if (place < 0) return;
				this.#queue.splice(place, 1);
				resolve(false);
			};
		});
		void isGivenUp.then(stopWaiting);
		return (await turn) ? () => this.#give() : undefined;
	}

	#give(): void {
		const next = this.#queue.shift();
		if (next) next();
		else this.#free += 1;
	}
}
