// Plays what the real service answered to Microsoft's client through the stand-in for endpoints, and compares what is asked
// for with what the client asked.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { openYaml } from '../../src/yaml/load.ts';
import type { YamlFile } from '../../src/yaml/node.ts';
import type { OnlineService, Recorded } from './online-service.ts';

const RECORDINGS = join(import.meta.dirname, '../../../shared/recordings');
/** `describe`, where the recordings are there; skipped elsewhere. */
export const describeRecorded = existsSync(RECORDINGS) ? describe : describe.skip;

/** A recorded request with its answer. */
export interface Exchange {
	method: string;
	url: string;
	requestHeaders: Record<string, string>;
	requestBody: { properties: Record<string, unknown> } & Record<string, unknown>;
	status: number;
	responseHeaders: Record<string, string>;
	responseBody: unknown;
}

/** A file that the client's tests loaded. */
export function configured(path: string): YamlFile {
	return openYaml(join(RECORDINGS, 'configs', path), path);
}

/** Path below the workspace; of a scoring address its host stands before. */
function pathOf(url: string): string {
	const { host, pathname } = new URL(url);
	const path = decodeURIComponent(pathname).replace(/^.*\/workspaces\/[^/]+/, '');
	return host === 'management.azure.com' ? path : `/${host}${path}`;
}

/** One recording that is being played. */
export class Recording {
	readonly exchanges: readonly Exchange[];

	private constructor(exchanges: readonly Exchange[]) {
		this.exchanges = exchanges;
	}

	/**
	 * Plays the recording: each request gets the next answer to the same method and path, the last one again and again. What
	 * was not there before its first PUT is not there, and a list that the client did not ask for is empty.
	 */
	static play(file: string, service: OnlineService): Recording {
		const exchanges = JSON.parse(readFileSync(join(RECORDINGS, `${file}.json`), 'utf8')) as Exchange[];
		const { base } = service;
		const local = JSON.stringify(exchanges)
			.replaceAll(/https:\/\/management\.azure\.com\/subscriptions/g, `${base}/subscriptions`)
			.replaceAll(/https:\/\/([\w.-]+\.inference\.ml\.azure\.com)/g, `${base}/$1`);
		const answers = JSON.parse(local) as Exchange[];
		const queues = new Map<string, Exchange[]>();
		for (const [place, { method, url }] of exchanges.entries()) {
			const key = `${method} ${pathOf(url)}`;
			const answer = answers[place];
			if (answer !== undefined) queues.set(key, [...(queues.get(key) ?? []), answer]);
		}
		const made = new Set<string>();
		service.intercept = ({ method, path }: Recorded) => {
			if (method === 'PUT') made.add(path);
			const isNew = method === 'GET' && queues.has(`PUT ${path}`) && !made.has(path);
			const queue = isNew ? undefined : queues.get(`${method} ${path}`);
			const answer = queue !== undefined && queue.length > 1 ? queue.shift() : queue?.[0];
			if (answer === undefined && method === 'GET' && path.endsWith('/deployments'))
				return { status: 200, json: { value: [] } };
			if (answer === undefined) return { status: 404, json: { error: { code: 'NotFound', message: path } } };
			const headers = Object.fromEntries(
				Object.entries(answer.responseHeaders).filter(([name]) => !/^content-length$/i.test(name)),
			);
			const { status, responseBody: body } = answer;
			return typeof body === 'string' ? { status, headers, text: body } : { status, headers, json: body };
		};
		return new Recording(exchanges);
	}

	/** What was written to the stand-in, in order. */
	writes(service: OnlineService): string[] {
		return service.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);
	}

	/** What the client wrote to addresses like this, in order, each thing once. */
	recordedWrites(like: RegExp): string[] {
		const writes = this.exchanges
			.filter(({ method, url }) => method !== 'GET' && like.test(url))
			.map(({ method, url }) => `${method} ${pathOf(url)}`);
		return [...new Set(writes)];
	}

	/** The first name that this pattern finds in an address. */
	nameIn(pattern: RegExp): string {
		const name = this.exchanges.map(({ url }) => pattern.exec(url)?.[1]).find((found) => found !== undefined);
		if (name === undefined) throw new Error(`the recording has nothing like ${pattern}`);
		return name;
	}

	/** The body of the client's first PUT to an address like this. */
	put(like: RegExp): Exchange['requestBody'] {
		const found = this.exchanges.find(({ method, url }) => method === 'PUT' && like.test(url));
		if (found === undefined) throw new Error(`the recording has no PUT like ${like}`);
		return found.requestBody;
	}
}
