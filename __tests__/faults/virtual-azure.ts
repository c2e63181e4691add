// An Azure ML in virtual time and without sockets, as the train step sees it: tokens that expire, jobs, their logs in
// storage. What befalls each request is for the test to say, by name or by chance.
import { type Http, type HttpAnswer, type HttpRequest, Unreachable, withRetries } from '../../src/azure/http.ts';
import type { Json } from '../../src/json.ts';
import type { EventClock } from '../fixtures/event-clock.ts';
import { WORKSPACE_ID } from '../fixtures/workspace.ts';

/** What befalls a request: an answer in place of the true one, none at all, one that is lost, or one that is bent. */
export type Mishap =
	| { readonly status: number; readonly headers?: Record<string, string>; readonly body?: Json | string }
	| 'down'
	| 'lost'
	| 'short'
	| 'whole'
	| 'touched'
	| 'expired';

/** A request, in few words: `PUT jobs/x`, `GET history/x`, `GET log/user_logs/std_log.txt`, `GET compute/x`. */
export type Line = string;

export interface VirtualJob {
	status: string;
	/** What run history says, where that is something else. */
	historic?: string;
	properties?: Json;
	error?: Json;
}

export const MANAGER = 'https://arm.example';
const REGION = 'https://west.ml.example';
const STORAGE = 'https://acc.blob.core.windows.net/logs/';

/** The service. */
export class VirtualAzure {
	readonly jobs = new Map<string, VirtualJob>();
	readonly files = new Map<string, Buffer>();
	/** Signatures of addresses are good for one generation; what is secret of them is in each. */
	signature = 1;
	/** Told of each request before it is answered. */
	befall: (line: Line, request: HttpRequest) => Mishap | undefined = () => undefined;
	/** Whether this token may be used now. */
	accepts: (token: string) => boolean = () => true;
	/** Each request but those for the log. */
	readonly asked: Line[] = [];
	/** Credentials where none belongs. */
	readonly misled: string[] = [];
	refusedTokens = 0;
	#created = 0;
	readonly #send: Http['send'];

	constructor(clock: EventClock, onRetry: (line: string) => void) {
		this.#send = withRetries((request) => this.#attempt(request), { clock, onRetry });
	}

	/** The sender that reaches this service, with the retries of a real one. */
	get http(): Http {
		return { send: this.#send, close: async () => {} };
	}

	append(path: string, bytes: Buffer): void {
		this.files.set(path, Buffer.concat([this.files.get(path) ?? Buffer.alloc(0), bytes]));
	}

	/** The file is put anew, as one of another making. */
	replace(path: string, bytes: Buffer): void {
		this.#created += 1;
		this.files.set(path, bytes);
	}

	/** What is secret in an address of the log. */
	get signatureText(): string {
		return `c2lnbmF0dXJl${this.signature}%2Fof%2Fa%2Flog%3D`;
	}

	async #attempt(request: HttpRequest): Promise<HttpAnswer> {
		request.signal?.throwIfAborted();
		const { url, headers = {}, method } = request;
		if (url.startsWith(STORAGE)) {
			if (headers['authorization'] !== undefined) this.misled.push(`GET ${url.slice(0, STORAGE.length)}`);
			return this.#log(request);
		}
		const path = url.replace(/^https:\/\/[^/]+/, '').replace(/\?.*$/, '');
		const line = `${method} ${shortened(path)}`;
		const token = headers['authorization']?.slice('Bearer '.length);
		if (!url.startsWith(`${MANAGER}/`) && !url.startsWith(`${REGION}/`)) this.misled.push(`${method} ${url}`);
		this.asked.push(line);
		const mishap = this.befall(line, request);
		if (mishap === 'down') throw down(url);
		if (typeof mishap === 'object') return answer(mishap.status, mishap.body ?? null, mishap.headers);
		if (path !== '/discovery' && (token === undefined || !this.accepts(token))) {
			this.refusedTokens += 1;
			return answer(401, { error: { code: 'ExpiredAuthenticationToken', message: 'The access token expired.' } });
		}
		const given = this.#answer(method, path, request);
		if (mishap === 'lost') throw down(url);
		return given;
	}

	#answer(method: string, path: string, { body }: HttpRequest): HttpAnswer {
		if (path === WORKSPACE_ID) return answer(200, { properties: { discoveryUrl: `${REGION}/discovery` } });
		if (path === '/discovery') return answer(200, { api: REGION });
		const [, area, name = '', action] = /\/(jobs|runs)\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
		const job = this.jobs.get(name);
		if (area === undefined) return missing('It');
		if (area === 'jobs' && method === 'PUT') return this.#put(name, job, String(body));
		if (job === undefined) return missing(name);
		if (action === 'cancel') {
			job.status = 'Canceled';
			return answer(202, null);
		}
		if (area === 'jobs') return answer(200, resourceOf(name, job));
		const { status, historic = status, error = null } = job;
		const logFiles = Object.fromEntries([...this.files.keys()].map((file) => [file, this.#urlOf(file)]));
		return answer(200, { status: historic, error, warnings: [], logFiles });
	}

	/** Puts a job; one of the same name is left as it is, whatever the body, as the service does. */
	#put(name: string, known: VirtualJob | undefined, body: string): HttpAnswer {
		const { properties } = JSON.parse(body) as { properties: { properties?: Json } };
		const job = known ?? { status: 'NotStarted', properties: properties.properties ?? {} };
		this.jobs.set(name, job);
		return answer(known === undefined ? 201 : 200, resourceOf(name, job));
	}

	#urlOf(path: string): string {
		return `${STORAGE}${path}?generation=${this.signature}&sig=${this.signatureText}`;
	}

	#log(request: HttpRequest): HttpAnswer {
		const [path = '', query = ''] = request.url.slice(STORAGE.length).split('?');
		const mishap = this.befall(`GET log/${path}`, request);
		if (mishap === 'down' || mishap === 'lost') throw down(request.url);
		if (typeof mishap === 'object') return answer(mishap.status, mishap.body ?? '<Error/>', mishap.headers);
		if (mishap === 'expired') this.signature += 1;
		if (mishap === 'touched') this.#created += 1;
		if (!query.startsWith(`generation=${this.signature}&`)) return answer(403, '<Error/>');
		const bytes = this.files.get(path);
		if (bytes === undefined) return answer(404, '<Error/>');
		const made = { 'x-ms-creation-time': `made ${this.#created}` };
		if (mishap === 'whole') return { status: 200, headers: made, body: bytes };
		// Days are full of such requests: no pattern is matched here.
		const [from = 0, to = 0] = (request.headers?.['range'] ?? '').slice('bytes='.length).split('-').map(Number);
		if (from >= bytes.length) return answer(416, '<Error/>', { 'content-range': `bytes */${bytes.length}` });
		const end = Math.min(bytes.length, to + 1, mishap === 'short' ? from + 3 : Number.POSITIVE_INFINITY);
		const range = { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}` };
		return { status: 206, headers: { ...made, ...range }, body: bytes.subarray(from, end) };
	}
}

/** The address in few words. */
function shortened(path: string): Line {
	const [, area, name = '', action] = /\/(jobs|runs|computes)\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
	if (area === undefined) return path.replace(/^.*\//, '');
	return `${area === 'runs' ? 'history' : area}/${name}${action === 'cancel' ? '/cancel' : ''}`;
}

function resourceOf(name: string, { status, properties = {} }: VirtualJob): Json {
	const services = { Studio: { endpoint: `https://studio.example/runs/${name}` } };
	return { name, properties: { jobType: 'Command', experimentName: 'iris', status, properties, services } };
}

const NO = Buffer.from('<Error/>');

function answer(status: number, body: Json | string, headers: Record<string, string> = {}): HttpAnswer {
	if (body === '<Error/>') return { status, headers, body: NO };
	return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

function missing(name: string): HttpAnswer {
	return answer(404, { error: { code: 'UserError', message: `${name} was not found.` } });
}

function down(url: string): Unreachable {
	return new Unreachable(url, Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
}
