// Which parts of some source files have run, as V8 counts it in this process. For a fuzzer that keeps what reaches new ones.
import { type Profiler, Session } from 'node:inspector';

/** Counts what runs of the scripts whose address matches. */
export class Coverage {
	readonly #session = new Session();
	readonly #wanted: RegExp;
	/** For each script, by place in its text: 1 where it has run. */
	#seen = new Map<string, Uint8Array>();

	constructor(wanted: RegExp) {
		this.#wanted = wanted;
		this.#session.connect();
		this.#session.post('Profiler.enable');
		this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
		this.fresh();
	}

	/** How many characters of source have run for the first time since this was asked last. */
	fresh(): number {
		let result: readonly Profiler.ScriptCoverage[] = [];
		this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
			if (error === null) result = taken.result;
		});
		return result.filter(({ url }) => this.#wanted.test(url)).reduce((sum, script) => sum + this.#add(script), 0);
	}

	/** Gives what makes everything since then new once more. */
	snapshot(): () => void {
		const before = new Map([...this.#seen].map(([url, seen]) => [url, seen.slice()]));
		return () => {
			this.#seen = before;
		};
	}

	close(): void {
		this.#session.post('Profiler.stopPreciseCoverage');
		this.#session.disconnect();
	}

	#add({ url, functions }: Profiler.ScriptCoverage): number {
		const run = functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0);
		const end = Math.max(0, ...run.map(({ ranges }) => ranges[0]?.endOffset ?? 0));
		const before = this.#seen.get(url) ?? new Uint8Array(0);
		const seen = before.length >= end ? before : new Uint8Array(end);
		seen.set(before.subarray(0, seen.length));
		this.#seen.set(url, seen);
		const now = new Uint8Array(seen.length);
		// Inner ranges come after the outer ones, and functions after those that they stand in.
		for (const { ranges } of functions)
			for (const { startOffset, endOffset, count } of ranges) now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
		let fresh = 0;
		for (let place = 0; place < now.length; place += 1) {
			if (now[place] === 0 || seen[place] === 1) continue;
			seen[place] = 1;
			fresh += 1;
		}
		return fresh;
	}
}
