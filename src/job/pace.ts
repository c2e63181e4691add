// How often the service is asked about a job: never more than 360 times an hour, less when it is short of breath.
import type { Clock } from '../clock.ts';

/** What the resource manager and run history are asked in any one hour, at the most. */
const MOST_AN_HOUR = 360;
const HOUR = 3_600_000;
/** Requests beside those for the state: so many at once, and so many an hour. */
const SPARE_AT_ONCE = 12;
const SPARE_AN_HOUR = 46;
/** Kept of every hour for the state and for a list of many pages, which cannot be done without. */
const KEPT = 30;
/** With fewer reads left to the subscription than this, we ask more seldom. */
const FEW_LEFT = 1_000;
/** How long we ask more seldom after the service said that it has had enough. */
const PENANCE = 5 * 60_000;
const MOST_SELDOM = 8;

/** Counts the requests about one job and says when there may be another. */
export class Pace {
	readonly #clock: Clock;
	/** When each request of the last hour was sent. */
	readonly #sent: number[] = [];
	#spare = SPARE_AT_ONCE;
	#spareAt: number;
	#slow = 1;
	#slowUntil = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#spareAt = clock.now();
	}

	/** A request is sent. */
	count(): void {
		this.#sent.push(this.#clock.now());
		while ((this.#sent[0] ?? Number.POSITIVE_INFINITY) <= this.#clock.now() - HOUR) this.#sent.shift();
	}

	/** Whether a request that could be done without may be sent now; it is then counted. */
	spare(): boolean {
		const now = this.#clock.now();
		this.#spare = Math.min(SPARE_AT_ONCE, this.#spare + ((now - this.#spareAt) * SPARE_AN_HOUR) / HOUR);
		this.#spareAt = now;
		if (this.#spare < 1 || this.left < KEPT || this.slowness > 2) return false;
		this.#spare -= 1;
		this.count();
		return true;
	}

	/** How many more requests this hour has room for. */
	get left(): number {
		const since = this.#clock.now() - HOUR;
		return MOST_AN_HOUR - this.#sent.filter((at) => at > since).length;
	}

	/** By how much every interval is to be multiplied: 1 as a rule. */
	get slowness(): number {
		return this.#clock.now() < this.#slowUntil ? this.#slow : 1;
	}

	/** The service refused a request because there were too many. */
	throttled(): void {
		this.#slow = Math.min(MOST_SELDOM, this.slowness * 2);
		this.#slowUntil = this.#clock.now() + PENANCE;
	}

	/** Takes from the headers of an answer how many reads the subscription has left. Names are in lower case. */
	heard(headers: Readonly<Record<string, string>>): void {
		const left = Object.entries(headers)
			.filter(([name]) => /^x-ms-ratelimit-remaining-subscription-(global-)?reads$/.test(name))
			.map(([, value]) => Number(value))
			.filter((value) => Number.isFinite(value));
		if (left.length === 0 || Math.min(...left) >= FEW_LEFT) return;
		// A tenth of what counts as few is next to nothing.
		this.#slow = Math.max(this.slowness, Math.min(...left) < FEW_LEFT / 10 ? MOST_SELDOM : 2);
		this.#slowUntil = this.#clock.now() + PENANCE;
	}
}
