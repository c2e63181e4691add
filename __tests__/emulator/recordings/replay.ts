// Sends the requests of a recording to the emulator, and tells how its answers differ from those recorded.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, Json, Reply } from '../client.ts';
import { NOT_SENT } from './differences.ts';
import { differences, type Exchange, type Sent } from './exchange.ts';
import { sendElsewhere } from './other-hosts.ts';
import { RecordedStorage } from './storage.ts';

/** Where recorded traffic lies, when it lies beside the project. */
export const RECORDINGS = join(import.meta.dirname, '../../../../shared/recordings');

/** An exchange that came out otherwise than recorded. */
export interface Finding {
	/** Method, path with names left out, and recorded status. */
	route: string;
	difference: string;
}

/** What a replay gave. */
export interface Replayed {
	compared: number;
	findings: Finding[];
	/** Routes that were not sent: method, path with names left out, and recorded status. */
	left: string[];
}

const WORKSPACE =
	/^https:\/\/[^/]+(?:\/mferp\/managementfrontend)?(\/[a-z]+\/v[\d.]+)?\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.MachineLearningServices\/workspaces\/[^/?]+(.*)$/i;
const SCOPE =
	/\/subscriptions\/[^/"]+\/resourceGroups\/[^/"]+\/providers\/Microsoft\.MachineLearningServices\/workspaces\/[^/"?]+/gi;
/** The workspace in the long URI of a datastore. */
const LONG_STORE =
	/(azureml:\/\/subscriptions\/[^/"]+\/resourcegroups\/[^/"]+\/workspaces\/)[^/"]+(?=\/datastores\/)/gi;
/** The address of an operation; its kind is in it. */
const OPERATION = /\/locations\/[^/]+\/(\w+Operation\w+)\//;
const VERSION = 'api-version=2025-09-01';
/** An id of something in the workspace. */
const REFERENCE =
	/(?:workspaces\/[^/"]+|azureml:\/)\/(computes|environments|data|codes)\/([^/"]+)(?:\/versions\/([^/"]+))?/g;
const SEEDED =
	/^\/(codes|data|models|environments|components)\/[^/]+\/versions\/[^/?]+$|^\/(computes|datastores)\/[^/?]+$/;

/** Replays one file. */
export async function replay(client: Client, file: string): Promise<Replayed> {
	const exchanges = JSON.parse(readFileSync(join(RECORDINGS, file), 'utf8')) as Exchange[];
	const result: Replayed = { compared: 0, findings: [], left: [] };
	const stage = await Stage.open(client, file);
	await stage.furnish(exchanges);
	for (const exchange of exchanges) {
		const sent = await stage.replay(exchange);
		if (typeof sent === 'string') result.left.push(sent);
		else {
			result.compared += 1;
			for (const difference of sent.differences) result.findings.push({ route: sent.route, difference });
		}
	}
	return result;
}

/** An operation without its subscription, which is masked in some places only. */
function operationKey(address: string): string {
	return address.split('?')[0]?.replace(/^.*(?=\/locations\/)/, '') ?? '';
}

function withoutNames(path: string): string {
	return path.replace(
		/\/(codes|jobs|data|models|environments|components|onlineEndpoints|batchEndpoints|deployments|computes|datastores|versions|runs)\/[^/?]+/g,
		'/$1/*',
	);
}

/** A workspace of its own for one recording: names in them are masked, so that one would meet what another made. */
class Stage {
	readonly #client: Client;
	readonly #workspace: string;
	readonly #storage: RecordedStorage;
	readonly #ids = new Map<string, string>();
	readonly #operations = new Map<string, string>();

	private constructor(client: Client, workspace: string, storage: RecordedStorage) {
		this.#client = client;
		this.#workspace = workspace;
		this.#storage = storage;
	}

	static async open(client: Client, file: string): Promise<Stage> {
		const name = `replay-${file.replace(/\W+/g, '-')}`.slice(0, 32);
		const workspace = client.workspace.replace(/[^/]+$/, name);
		const stage = new Stage(client, workspace, await RecordedStorage.open(client, name));
		await stage.#send('PUT', '', `?${VERSION}`, {
			location: 'eastus',
			properties: { storageAccount: 'stand-in', keyVault: 'stand-in', applicationInsights: 'stand-in' },
		});
		return stage;
	}

	/** Sends one exchange again. Gives the route of one that cannot be. */
	async replay(exchange: Exchange): Promise<Sent | string> {
		const { method, url, status, requestBody } = exchange;
		const [address = ''] = url.split('?');
		const own = this.#operations.get(operationKey(url));
		if (own !== undefined) {
			const [, kind] = OPERATION.exec(url) ?? [];
			const reply = await this.#client.send(method, own);
			return { route: `${method} ${kind} ${status}`, differences: differences(exchange, reply) };
		}
		const [, service = '', rest] = WORKSPACE.exec(url) ?? [];
		const path = rest?.split('?')[0] ?? '';
		const route = `${method} ${rest === undefined ? address : service + withoutNames(path)} ${status}`;
		if (NOT_SENT.some(([pattern]) => pattern.test(route))) return route;
		if (rest === undefined) {
			return (await this.#storage.send(exchange)) ?? (await sendElsewhere(this.#client, exchange)) ?? route;
		}
		await this.#seed(exchange, service, path);
		const body = requestBody == null ? undefined : this.#inWorkspace(requestBody);
		const reply = await this.#send(method, service, this.#renamed(rest), body);
		this.#remember(exchange, reply);
		return { route, differences: differences(exchange, reply) };
	}

	/** Makes what the requests refer to, since recordings begin in workspaces that had it. */
	async furnish(exchanges: Exchange[]): Promise<void> {
		const text = JSON.stringify(exchanges.map(({ requestBody }) => requestBody));
		const made = exchanges.filter(({ method }) => method === 'PUT').map(({ url }) => url);
		for (const [, kind = '', name = '', version] of text.matchAll(REFERENCE)) {
			const [path, body] = standIn(kind, name, version);
			if (body === undefined || made.some((url) => url.includes(path))) continue;
			if ((await this.#arm('GET', path)).status !== 200) await this.#arm('PUT', path, body);
		}
		// The content of models was uploaded before, or by requests that are not sent again.
		for (const [, path = ''] of text.matchAll(/"modelUri":"[^"]*\/paths\/([^"]+)"/g))
			await this.#storage.putModel(path);
	}

	/** Remembers what the emulator calls something that the recording has under another id. */
	#remember({ method, responseBody, responseHeaders }: Exchange, { body, headers }: Reply): void {
		for (const [name, address] of Object.entries(responseHeaders ?? {})) {
			const own = OPERATION.test(address) ? headers.get(name) : null;
			if (own !== null) this.#operations.set(operationKey(address), own);
		}
		const [recorded, actual] = [(responseBody as Json | null)?.['id'], body?.['id']];
		if (method !== 'PUT' || typeof recorded !== 'string' || typeof actual !== 'string') return;
		this.#ids.set(recorded.replace(SCOPE, ''), actual.replace(this.#workspace, ''));
	}

	/** Puts the emulator's ids into the place of those recorded. */
	#renamed(text: string): string {
		return [...this.#ids].reduce((all, [recorded, actual]) => all.replaceAll(recorded, actual), text);
	}

	/** What is got before it was made in the recording is made from what was answered. */
	async #seed({ method, status, responseBody }: Exchange, service: string, path: string): Promise<void> {
		if (method !== 'GET' || status !== 200 || service !== '' || !SEEDED.test(path)) return;
		if ((await this.#arm('GET', path)).status === 200) return;
		const { properties, location } = responseBody as Json;
		await this.#arm('PUT', path, this.#inWorkspace({ properties, ...(location === undefined ? {} : { location }) }));
	}

	async #send(method: string, service: string, rest: string, body?: unknown): Promise<Reply> {
		const reply = await this.#client.send(
			method,
			`${this.#client.emulator.arm}${service}${this.#workspace}${rest}`,
			body,
		);
		if (reply.headers.has('azure-asyncoperation')) await this.#client.operation(reply);
		return reply;
	}

	/** Turns the ids of the masked workspace into those of this one. */
	#inWorkspace(value: unknown): unknown {
		const name = this.#workspace.split('/').at(-1);
		const here = JSON.stringify(value).replace(SCOPE, this.#workspace).replace(LONG_STORE, `$1${name}`);
		return JSON.parse(this.#renamed(here).replace(/"location":"\w+"/g, '"location":"eastus"'));
	}

	#arm(method: string, path: string, body?: unknown): Promise<Reply> {
		return this.#send(method, '', `${path}?${VERSION}`, body);
	}
}

/** Something of the kind, good enough to be referred to; models and components are more than that. */
function standIn(kind: string, name: string, version: string | undefined): [string, Json | undefined] {
	if (kind === 'computes') {
		const sizes = { vmSize: 'STANDARD_DS3_V2', scaleSettings: { minNodeCount: 0, maxNodeCount: 1 } };
		return [`/computes/${name}`, { location: 'eastus', properties: { computeType: 'AmlCompute', properties: sizes } }];
	}
	const uri = 'azureml://datastores/workspaceblobstore/paths/stand-in/';
	const bodies: Record<string, Json> = {
		environments: { image: 'stand-in' },
		data: { dataType: 'uri_folder', dataUri: uri },
		codes: { codeUri: 'http://127.0.0.1/emulatorstore/azureml-blobstore/stand-in' },
	};
	const properties = bodies[kind];
	return [`/${kind}/${name}/versions/${version ?? '1'}`, properties && { properties }];
}
