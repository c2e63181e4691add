// The record of every request that reached the emulator, and the faults that a test plants in its way.

/** The part of the emulator that a request was meant for. */
export type Face =
	| 'arm'
	| 'discovery'
	| 'history'
	| 'mlflow'
	| 'registry'
	| 'scoring'
	| 'studio'
	| 'entra'
	| 'github'
	| 'storage';

/** A request as it came, with the status that it got. Secrets are kept, so that a test can look where they went. */
export interface RecordedRequest {
	face: Face;
	method: string;
	/** Path without the query, as sent. */
	path: string;
	query: Record<string, string>;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** Parsed JSON or form; text when it is neither; `undefined` without a body and for blobs. */
	body: unknown;
	/** Length of the body in bytes. */
	length: number;
	/** Status of the answer; 0 while there is none, and when the connection was reset. */
	status: number;
	/** Time of arrival in milliseconds since 1970. */
	at: number;
}

/**
 * What a fault does: gives an answer, breaks the connection (`reset` before anything is done, `lost` after it is done and
 * before it is answered), cuts the answer after so many bytes of its body (`cutAnswer`) or the request after so many of
 * its own (`cutRequest`, storage only: nothing is done then), or only makes the request wait.
 */
export type FaultEffect =
	| { status: number; headers?: Record<string, string>; body?: unknown }
	| 'reset'
	| 'lost'
	| { cutAnswer: number }
	| { cutRequest: number }
	| { delayMs: number };

/** Which requests a fault meets, and what it does to them. */
export interface Fault {
	face?: Face;
	method?: string;
	/** Tried on the path followed by `?` and the query, when there is one. */
	path: RegExp;
	/** Counts matching requests from 1: the fault acts on this one. Absent: on every one. */
	nth?: number;
	/** With `nth`: on how many in a row. One by default. */
	times?: number;
	effect: FaultEffect;
}

/** Keeps requests in the order of their arrival. */
export class Ledger {
	/** Every request so far. */
	readonly requests: RecordedRequest[] = [];
	readonly #faults = new Map<Fault, number>();
	readonly #announce: (request: RecordedRequest) => void;

	/** `announce` is told of every request as soon as its answer is known. */
	constructor(announce: (request: RecordedRequest) => void = () => {}) {
		this.#announce = announce;
	}

	/** Keeps the status that a request got. */
	finish(request: RecordedRequest, status: number): void {
		request.status = status;
		this.#announce(request);
	}

	/** Plants a fault and gives a function that takes it away. */
	addFault(fault: Fault): () => void {
		this.#faults.set(fault, 0);
		return () => this.#faults.delete(fault);
	}

	/** Takes all faults away. */
	clearFaults(): void {
		this.#faults.clear();
	}

	/** Finds what is to befall a request; every matching fault counts it, and the first that acts wins. */
	effectOn(face: Face, method: string, target: string): FaultEffect | undefined {
		let effect: FaultEffect | undefined;
		for (const [fault, seen] of this.#faults) {
			if (fault.face !== undefined && fault.face !== face) continue;
			if (fault.method !== undefined && fault.method.toUpperCase() !== method) continue;
			if (!new RegExp(fault.path.source, fault.path.flags.replace(/[gy]/g, '')).test(target)) continue;
			const count = seen + 1;
			this.#faults.set(fault, count);
			const due = fault.nth === undefined || (count >= fault.nth && count < fault.nth + (fault.times ?? 1));
			if (due) effect ??= fault.effect;
		}
		return effect;
	}
}
