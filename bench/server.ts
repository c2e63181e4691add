// The server that all contenders of a row are measured against: just enough of Entra, the resource manager and blob storage
// on one TLS port, with the same wait before each answer. It keeps names and sizes, never contents.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { generate } from 'selfsigned';

/** Who signs in, and where to. The secret opens nothing but this server. */
export const IDENTITY = {
	tenantId: '11111111-1111-1111-1111-111111111111',
	clientId: '22222222-2222-2222-2222-222222222222',
	clientSecret: 'bench-secret-of-nothing',
	subscriptionId: '33333333-3333-3333-3333-333333333333',
	resourceGroup: 'bench-rg',
	workspace: 'bench-ws',
};
/** Path of the workspace at the resource manager. */
export const WORKSPACE = `/subscriptions/${IDENTITY.subscriptionId}/resourceGroups/${IDENTITY.resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${IDENTITY.workspace}`;

const MADE = {
	createdBy: 'bench',
	createdByType: 'Application',
	createdAt: '2026-07-01T10:00:00.000Z',
	lastModifiedAt: '2026-07-01T10:00:00.000Z',
};

/** A request that was answered. */
export interface Seen {
	readonly method: string;
	readonly path: string;
	readonly bytes: number;
	/** When its head had come and when its answer was sent, in milliseconds of `performance.now()`. */
	readonly began: number;
	readonly ended: number;
}

/** The server, and what it has seen since it was last reset. */
export interface BenchServer {
	readonly origin: string;
	readonly cloudFile: string;
	readonly caFile: string;
	/** The certificate together with those that are trusted anyway, for Python. */
	readonly bundle: string;
	readonly seen: readonly Seen[];
	/** Told of each request when it is answered. */
	onAnswer: (seen: Seen) => void;
	/** Forgets what was seen; with `everything` also code and blobs. */
	reset(everything: boolean): void;
	close(): Promise<void>;
}

interface Answer {
	readonly status: number;
	readonly json?: unknown;
	readonly xml?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

interface Asked {
	readonly method: string;
	readonly url: URL;
	readonly body: string;
	readonly bytes: number;
	readonly headers: IncomingHttpHeaders;
}

/** What a workspace keeps between two runs. */
interface Kept {
	readonly codes: Map<string, { id: string; properties: Record<string, unknown> }>;
	readonly blobs: Map<string, { bytes: number; metadata: Record<string, string> }>;
}

/** Starts the server on loopback. Each answer waits `latency` milliseconds after the whole request has come. */
export async function startServer(latency: number): Promise<BenchServer> {
	const folder = mkdtempSync(join(tmpdir(), 'bench-server-'));
	const certificate = await makeCertificate();
	const kept: Kept = { codes: new Map(), blobs: new Map() };
	let seen: Seen[] = [];
	const http = createServer(certificate, (request, response) => {
		const began = performance.now();
		void receive(request).then(({ bytes, body }) => {
			setTimeout(() => {
				const url = new URL(request.url ?? '/', server.origin);
				const asked = { method: request.method ?? 'GET', url, body, bytes, headers: request.headers };
				const answer = answerTo(asked, kept, server.origin);
				send(response, answer, request.method === 'HEAD');
				const path = url.pathname + url.search;
				const one = { method: request.method ?? '', path, bytes, began, ended: performance.now() };
				seen.push(one);
				server.onAnswer(one);
			}, latency);
		});
	});
	// Contenders may keep connections as long as they like.
	http.keepAliveTimeout = 60_000;
	await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
	const origin = `https://localhost:${(http.address() as AddressInfo).port}`;
	const [cloudFile, caFile, bundle] = ['cloud.json', 'ca.pem', 'bundle.pem'].map((name) => join(folder, name)) as [
		string,
		string,
		string,
	];
	writeFileSync(cloudFile, JSON.stringify(cloudOf(origin)));
	writeFileSync(caFile, certificate.cert);
	writeFileSync(bundle, [certificate.cert, ...rootCertificates].map((one) => `${one.trim()}\n`).join(''));
	const server: BenchServer = {
		origin,
		cloudFile,
		caFile,
		bundle,
		get seen() {
			return seen;
		},
		onAnswer: () => {},
		reset(everything) {
			seen = [];
			server.onAnswer = () => {};
			if (!everything) return;
			kept.codes.clear();
			kept.blobs.clear();
		},
		async close() {
			http.closeAllConnections();
			await new Promise((done) => http.close(done));
			rmSync(folder, { recursive: true, force: true });
		},
	};
	return server;
}

async function makeCertificate(): Promise<{ key: string; cert: string }> {
	const names = ['localhost', '*.blob.core.localhost'].map((value) => ({ type: 2 as const, value }));
	const made = await generate([{ name: 'commonName', value: 'localhost' }], {
		keySize: 2048,
		algorithm: 'sha256',
		extensions: [
			{ name: 'basicConstraints', cA: true },
			{ name: 'subjectAltName', altNames: names },
		],
	});
	return { key: made.private, cert: made.cert };
}

/** Contents are counted and dropped; only what describes something is kept. */
async function receive(request: IncomingMessage): Promise<{ bytes: number; body: string }> {
	const isText = /json|urlencoded/.test(request.headers['content-type'] ?? '');
	const pieces: Buffer[] = [];
	let bytes = 0;
	for await (const piece of request as AsyncIterable<Buffer>) {
		bytes += piece.length;
		if (isText) pieces.push(piece);
	}
	return { bytes, body: Buffer.concat(pieces).toString() };
}

function send(response: ServerResponse, { status, json, xml, headers = {} }: Answer, isHead: boolean): void {
	const body = json !== undefined ? JSON.stringify(json) : (xml ?? '');
	const type = json !== undefined ? 'application/json; charset=utf-8' : 'application/xml';
	const kind = body === '' ? {} : { 'content-type': type };
	const length = isHead ? {} : { 'content-length': String(Buffer.byteLength(body)) };
	response.writeHead(status, { ...kind, ...length, ...headers }).end(isHead ? undefined : body);
}

function answerTo(asked: Asked, kept: Kept, origin: string): Answer {
	const path = decodeURIComponent(asked.url.pathname);
	if (path.startsWith('/store')) return blobAnswer(asked, path, kept.blobs);
	if (path.startsWith(WORKSPACE)) {
		const answer = armAnswer(asked, path.slice(WORKSPACE.length), kept, origin);
		// Microsoft's client reads by whom each thing was made.
		return { ...answer, json: { systemData: MADE, ...(answer.json as object) } };
	}
	if (path === '/subscriptions') return { status: 200, json: { value: [subscription()] } };
	if (path === '/discovery') return { status: 200, json: { api: origin, history: origin } };
	if (path.endsWith('/token')) {
		return {
			status: 200,
			json: { token_type: 'Bearer', expires_in: 3600, ext_expires_in: 3600, access_token: token() },
		};
	}
	if (path.endsWith('/.well-known/openid-configuration')) return { status: 200, json: openIdOf(origin) };
	return missing(path);
}

function armAnswer({ method, url, body }: Asked, path: string, { codes }: Kept, origin: string): Answer {
	const id = WORKSPACE + path;
	const [, family, name = '', , version, action] = path.split('/');
	const given = (body === '' ? {} : JSON.parse(body)) as { properties?: Record<string, unknown> };
	if (family === undefined) return { status: 200, json: workspaceOf(origin) };
	if (action === undefined && version === undefined && path.endsWith('/listSecrets')) {
		return { status: 200, json: { secretsType: 'AccountKey', key: Buffer.from('bench').toString('base64') } };
	}
	if (family === 'datastores') {
		return { status: 200, json: name === '' ? { value: [datastoreOf(origin)] } : datastoreOf(origin) };
	}
	if (family === 'computes') return { status: 200, json: { id, name, properties: { computeType: 'AmlCompute' } } };
	if (family === 'environments') {
		return { status: 200, json: { id, name: version, properties: { image: 'bench/image:1', osType: 'Linux' } } };
	}
	if (family === 'jobs' && method === 'PUT') return { status: 201, json: jobOf(id, name, given.properties ?? {}) };
	if (family !== 'codes') return missing(path);
	if (action === 'startPendingUpload') return { status: 200, json: pendingUpload(origin, name) };
	if (method === 'PUT') {
		const properties = { provisioningState: 'Succeeded', ...given.properties };
		const code = { id, name: version ?? '1', properties, type: 'codes' };
		codes.set(String(textOf(given.properties?.['properties'], 'hash_sha256') ?? id), code);
		return { status: 201, json: code };
	}
	const hash = url.searchParams.get('hash');
	if (hash !== null) return { status: 200, json: { value: [codes.get(hash)].filter(Boolean) } };
	const found = [...codes.values()].find((code) => code.id === id);
	return found === undefined ? missing(path) : { status: 200, json: found };
}

function blobAnswer({ method, url, bytes, headers: given }: Asked, path: string, blobs: Kept['blobs']): Answer {
	const comp = url.searchParams.get('comp');
	const headers = {
		etag: '"0x8D000000000000"',
		'last-modified': 'Wed, 01 Jul 2026 10:00:00 GMT',
		'x-ms-request-id': 'bench',
		'x-ms-version': '2021-12-02',
	};
	if (comp === 'list') {
		const xml = '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>';
		return { status: 200, xml, headers };
	}
	const known = blobs.get(path);
	if (method === 'PUT' && comp === 'metadata') {
		const metadata = Object.entries(given).filter(([name]) => name.startsWith('x-ms-meta-'));
		if (known !== undefined)
			known.metadata = Object.fromEntries(metadata.map(([name, value]) => [name, String(value)]));
		return { status: 200, headers };
	}
	if (method === 'PUT') {
		if (comp !== 'block') blobs.set(path, { bytes, metadata: {} });
		return { status: 201, headers };
	}
	if (known !== undefined) {
		return { status: 200, headers: { ...headers, ...known.metadata, 'content-length': String(known.bytes) } };
	}
	return { status: 404, headers: { ...headers, 'x-ms-error-code': 'BlobNotFound' } };
}

function missing(path: string): Answer {
	return { status: 404, json: { error: { code: 'NotFound', message: `There is no ${path}.` } } };
}

function textOf(value: unknown, name: string): unknown {
	return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** What `az login` keeps of it. */
function subscription(): object {
	const { subscriptionId, tenantId } = IDENTITY;
	const names = { id: `/subscriptions/${subscriptionId}`, displayName: 'bench' };
	return { ...names, subscriptionId, tenantId, state: 'Enabled' };
}

function token(): string {
	const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
	const exp = Math.floor(Date.now() / 1000) + 3600;
	return [
		part({ alg: 'none', typ: 'JWT' }),
		part({ tid: IDENTITY.tenantId, oid: IDENTITY.clientId, exp }),
		'bench',
	].join('.');
}

function openIdOf(origin: string): object {
	const base = `${origin}/${IDENTITY.tenantId}`;
	return {
		issuer: `${base}/v2.0`,
		authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
		token_endpoint: `${base}/oauth2/v2.0/token`,
		jwks_uri: `${base}/discovery/v2.0/keys`,
	};
}

function cloudOf(origin: string): object {
	return {
		name: 'BenchCloud',
		endpoints: { resourceManager: origin, activeDirectory: origin, activeDirectoryResourceId: origin, studio: origin },
		suffixes: { storageEndpoint: storageSuffix(origin) },
	};
}

/** A name that the certificate holds; every name below `localhost` is this machine. */
function storageSuffix(origin: string): string {
	return `core.localhost:${new URL(origin).port}`;
}

function workspaceOf(origin: string): object {
	return {
		id: WORKSPACE,
		name: IDENTITY.workspace,
		type: 'Microsoft.MachineLearningServices/workspaces',
		location: 'eastus',
		kind: 'Default',
		properties: {
			workspaceId: '44444444-4444-4444-4444-444444444444',
			friendlyName: IDENTITY.workspace,
			discoveryUrl: `${origin}/discovery`,
			provisioningState: 'Succeeded',
			storageAccount: `/subscriptions/${IDENTITY.subscriptionId}/resourceGroups/${IDENTITY.resourceGroup}/providers/Microsoft.Storage/storageAccounts/bench`,
		},
	};
}

function datastoreOf(origin: string): object {
	const id = `${WORKSPACE}/datastores/workspaceblobstore`;
	const properties = {
		datastoreType: 'AzureBlob',
		accountName: 'bench',
		containerName: 'store',
		endpoint: storageSuffix(origin),
		protocol: 'https',
		isDefault: true,
		credentials: { credentialsType: 'AccountKey' },
	};
	return { id, name: 'workspaceblobstore', properties };
}

function pendingUpload(origin: string, name: string): object {
	const blobUri = `${origin}/store/${name}`;
	const sasUri = `${blobUri}?sv=2021-12-02&sr=c&sp=rcwl&sig=bench`;
	return {
		pendingUploadId: '55555555-5555-5555-5555-555555555555',
		pendingUploadType: 'TemporaryBlobReference',
		blobReferenceForConsumption: {
			blobUri,
			storageAccountArmId: WORKSPACE,
			credential: { credentialType: 'SAS', sasUri },
		},
	};
}

function jobOf(id: string, name: string, properties: Record<string, unknown>): object {
	const services = { Studio: { jobServiceType: 'Studio', endpoint: `https://ml.azure.com/runs/${name}` } };
	return {
		id,
		name,
		type: 'Microsoft.MachineLearningServices/workspaces/jobs',
		properties: { ...properties, status: 'NotStarted', services },
	};
}
