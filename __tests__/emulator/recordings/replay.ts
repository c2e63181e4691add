// Sends the requests of a recording to the emulator, and tells how its answers differ from those recorded.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockBlobClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { Client, Json, Reply } from '../client.ts';
import { differencesOf } from './shape.ts';

/** Where recorded traffic lies, when it lies beside the project. */
export const RECORDINGS = join(import.meta.dirname, '../../../../shared/recordings');

interface Exchange {
	method: string;
	url: string;
	requestBody: unknown;
	status: number;
	responseHeaders: Record<string, string>;
	responseBody: unknown;
}

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
	/** Routes that were not sent, with why. */
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
/** Headers by which clients find an operation, and whether they were there. */
const ACTED_ON = ['location', 'azure-asyncoperation'];
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
		const own = stage.ownAddress(exchange.url);
		if (own !== undefined) {
			const reply = await client.send(exchange.method, own);
			const [, kind = 'discovery'] = OPERATION.exec(exchange.url) ?? [];
			compare(result, `${exchange.method} ${kind} ${exchange.status}`, exchange, reply);
			continue;
		}
		const [, service = '', rest] = WORKSPACE.exec(exchange.url) ?? [];
		const path = rest?.split('?')[0] ?? '';
		const reason = rest === undefined ? 'not below a workspace' : reasonToLeave(exchange, path);
		const route = `${exchange.method} ${service}${withoutNames(path)} ${exchange.status}`;
		if (reason !== undefined || rest === undefined) {
			result.left.push(`${route}: ${reason}`);
			continue;
		}
		await stage.seed(exchange, service, path);
		const body = exchange.requestBody == null ? undefined : stage.inWorkspace(exchange.requestBody);
		const reply = await stage.send(exchange.method, service, stage.renamed(rest), body);
		stage.remember(exchange, reply);
		compare(result, route, exchange, reply);
	}
	return result;
}

function compare(result: Replayed, route: string, exchange: Exchange, reply: Reply): void {
	result.compared += 1;
	for (const difference of differences(exchange, reply)) result.findings.push({ route, difference });
}

/** Gateways that failed and answers from other times of the same resource are nothing that a replay can bring about. */
function reasonToLeave({ method, status, requestBody }: Exchange, path: string): string | undefined {
	if (status >= 500 || status === 429) return 'a failure of the service';
	if (typeof requestBody === 'string') return 'its body is not JSON';
	if (/\/(schedules|snapshots|diagnose|featuresets)(\/|$)/.test(path)) return 'not emulated';
	if (method === 'GET' && status === 404) return undefined;
	return undefined;
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
	readonly #ids = new Map<string, string>();
	readonly #operations = new Map<string, string>();

	private constructor(client: Client, workspace: string) {
		this.#client = client;
		this.#workspace = workspace;
	}

	static async open(client: Client, file: string): Promise<Stage> {
		const name = `replay-${file.replace(/\W+/g, '-')}`.slice(0, 32);
		const stage = new Stage(client, client.workspace.replace(/[^/]+$/, name));
		await stage.send('PUT', '', `?${VERSION}`, {
			location: 'eastus',
			properties: { storageAccount: 'stand-in', keyVault: 'stand-in', applicationInsights: 'stand-in' },
		});
		return stage;
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
		for (const [, path = ''] of text.matchAll(/"modelUri":"[^"]*\/paths\/([^"]+)"/g)) await this.#store(path);
	}

	/** Remembers what the emulator calls something that the recording has under another id. */
	remember({ method, responseBody, responseHeaders }: Exchange, { body, headers }: Reply): void {
		for (const [name, address] of Object.entries(responseHeaders ?? {})) {
			const own = OPERATION.test(address) ? headers.get(name) : null;
			if (own !== null) this.#operations.set(address.split('?')[0] ?? '', own);
		}
		const [recorded, actual] = [(responseBody as Json | null)?.['id'], body?.['id']];
		if (method !== 'PUT' || typeof recorded !== 'string' || typeof actual !== 'string') return;
		this.#ids.set(recorded.replace(SCOPE, ''), actual.replace(this.#workspace, ''));
	}

	/** The emulator's address of what the recording has at one that is not below a workspace. */
	ownAddress(url: string): string | undefined {
		const [place = ''] = url.split('?');
		return /\.ms\/discovery$/.test(place) ? `${this.#client.emulator.arm}/discovery` : this.#operations.get(place);
	}

	/** Puts the emulator's ids into the place of those recorded. */
	renamed(text: string): string {
		return [...this.#ids].reduce((all, [recorded, actual]) => all.replaceAll(recorded, actual), text);
	}

	async #store(path: string): Promise<void> {
		const { body } = await this.#arm('POST', '/datastores/workspaceblobstore/listSecrets');
		const key = new StorageSharedKeyCredential('emulatorstore', String(body['key']));
		const container = `${this.#client.emulator.storage}/emulatorstore/azureml-blobstore`;
		await new BlockBlobClient(`${container}/${path}`, key).upload('stand-in', 8);
	}

	/** What is got before it was made in the recording is made from what was answered. */
	async seed({ method, status, responseBody }: Exchange, service: string, path: string): Promise<void> {
		if (method !== 'GET' || status !== 200 || service !== '' || !SEEDED.test(path)) return;
		if ((await this.#arm('GET', path)).status === 200) return;
		const { properties, location } = responseBody as Json;
		await this.#arm('PUT', path, this.inWorkspace({ properties, ...(location === undefined ? {} : { location }) }));
	}

	async send(method: string, service: string, rest: string, body?: unknown): Promise<Reply> {
		const reply = await this.#client.send(
			method,
			`${this.#client.emulator.arm}${service}${this.#workspace}${rest}`,
			body,
		);
		if (reply.headers.has('azure-asyncoperation')) await this.#client.operation(reply);
		return reply;
	}

	/** Turns the ids of the masked workspace into those of this one. */
	inWorkspace(value: unknown): unknown {
		const name = this.#workspace.split('/').at(-1);
		const here = JSON.stringify(value).replace(SCOPE, this.#workspace).replace(LONG_STORE, `$1${name}`);
		return JSON.parse(this.renamed(here).replace(/"location":"\w+"/g, '"location":"eastus"'));
	}

	#arm(method: string, path: string, body?: unknown): Promise<Reply> {
		return this.send(method, '', `${path}?${VERSION}`, body);
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

function differences({ status, responseHeaders, responseBody }: Exchange, reply: Reply): string[] {
	const found: string[] = [];
	if (status !== reply.status) return [`status ${reply.status}: ${reason(reply)}`];
	const names = new Set(Object.keys(responseHeaders ?? {}).map((name) => name.toLowerCase()));
	for (const name of ACTED_ON) {
		if (names.has(name) && !reply.headers.has(name)) found.push(`header ${name}: missing`);
		if (!names.has(name) && reply.headers.has(name)) found.push(`header ${name}: not recorded`);
	}
	const recorded = responseBody === '' ? null : responseBody;
	return [...found, ...differencesOf(recorded ?? null, reply.text === '' ? null : reply.body)];
}

/** The words of an error, without the names in it. */
function reason({ body }: Reply): string {
	const { error } = (body ?? {}) as { error?: { message?: unknown } };
	return String(error?.message ?? 'no error').replace(/[\w-]*\d{4,}[\w-]*/g, '*');
}
