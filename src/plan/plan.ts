// The plan of a dry run: the requests that a real run would send, in their order, gathered in the place of sending them.
// How they come here is planning-arm.ts's; how they are written to a file plan-file.ts's.
import type { Upload } from '../asset/upload.ts';
import type { JsonObject } from '../json.ts';
import { BLOB_URL, UNKNOWN, unknownsIn } from './unknowns.ts';

/** How a planned request goes: a method of HTTP, or `UPLOAD` for files that go to storage. */
export type PlannedMethod = 'PUT' | 'POST' | 'DELETE' | 'UPLOAD';

/** A request that a real run would send. */
export interface PlannedRequest {
	readonly method: PlannedMethod;
	/** From `/subscriptions` on, with its query; of an upload the address of the folder in storage. */
	readonly path: string;
	/** Of an upload: `from`, `files` (their number), `bytes` and `hash`. Null where a request has none. */
	readonly body: JsonObject | null;
	/** What is not known before a real run, in a sentence each. */
	readonly undecided: readonly string[];
}

/** A plan that grows. */
export class Plan {
	readonly #requests: PlannedRequest[] = [];
	readonly #notes = new Set<string>();
	readonly #onRequest: (request: PlannedRequest) => void;

	/** @param onRequest told of each request as it is planned */
	constructor(onRequest: (request: PlannedRequest) => void = () => {}) {
		this.#onRequest = onRequest;
	}

	/** What is planned, in order. */
	get requests(): readonly PlannedRequest[] {
		return this.#requests;
	}

	/** What there is to say beside the requests, in sentences. */
	get notes(): readonly string[] {
		return [...this.#notes];
	}

	/** Plans a request. What its texts leave open is marked, and what `undecided` says. */
	add(request: Omit<PlannedRequest, 'undecided'>, undecided: readonly string[] = []): void {
		const planned = { ...request, undecided: [...unknownsIn(request), ...undecided] };
		this.#requests.push(planned);
		this.#onRequest(planned);
	}

	/** Plans an upload to the folder at this address. */
	upload({ content, prefix, written }: Upload, containerUrl: string): void {
		const { files, bytes, hash } = content;
		const body = { from: written, files: files.length, bytes, hash };
		const container = containerUrl === BLOB_URL ? UNKNOWN.blobUri : containerUrl;
		this.add({ method: 'UPLOAD', path: `${container}/${prefix}`, body });
	}

	/** Says something about the plan, once. */
	note(sentence: string): void {
		this.#notes.add(sentence);
	}

	/** Marks what is undecided in those requests from the place `start` on whose path is such. */
	mark(start: number, path: RegExp, undecided: readonly string[]): void {
		for (const [place, request] of this.#requests.entries()) {
			if (place < start || !path.test(request.path)) continue;
			this.#requests[place] = { ...request, undecided: [...request.undecided, ...undecided] };
		}
	}
}
