// Blob storage on loopback, as much of it as uploads need, with a log of requests and a way to make it fail.
// For tests of blobs and of what uploads.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StoredBlob {
	data: Buffer;
	md5: string | undefined;
	metadata: Record<string, string>;
}

export interface SeenRequest {
	readonly method: string;
	readonly host: string;
	/** Decoded, with the container: `/container/folder/file`. */
	readonly path: string;
	readonly query: Readonly<Record<string, string>>;
	readonly headers: IncomingMessage['headers'];
	readonly body: Buffer;
}

export interface Refused {
	readonly status: number;
	readonly code?: string;
	readonly headers?: Record<string, string>;
	/** In place of storage's own words. */
	readonly body?: Buffer;
	/** Cuts the connection instead of answering. */
	readonly reset?: boolean;
}

/** Looks at each request before it is served; an answer instead of undefined is given in its place. */
export type Fault = (request: SeenRequest) => Refused | undefined;

export interface BlobServer {
	readonly port: number;
	readonly requests: SeenRequest[];
	/** By path with container: `/container/folder/file`. */
	readonly blobs: Map<string, StoredBlob>;
	fault: Fault | undefined;
	/** What is not a blob request (no `.blob.` host, no `/code-…` path), e.g. the resource manager's. */
	other: ((request: SeenRequest) => { status: number; body?: unknown; headers?: Record<string, string> }) | undefined;
	close(): Promise<void>;
}

export async function startBlobServer(): Promise<BlobServer> {
	const blocks = new Map<string, Buffer>();
	const state: Omit<BlobServer, 'port' | 'close'> = {
		requests: [],
		blobs: new Map(),
		fault: undefined,
		other: undefined,
	};
	const server = createServer((request, response) => {
		// A request that breaks off has no answer.
		answer(request, response).catch(() => response.destroy());
	});
	const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const seen = await read(request);
		state.requests.push(seen);
		const refused = state.fault?.(seen);
		if (refused?.reset) {
			request.socket.destroy();
			return;
		}
		if (refused !== undefined) {
			refuse(response, refused);
			return;
		}
		const isBlob = seen.host.includes('.blob.') || /^\/(code-|container)/.test(seen.path);
		if (!isBlob && state.other !== undefined) {
			const { status, body, headers = {} } = state.other(seen);
			response.writeHead(status, { 'content-type': 'application/json', ...headers });
			response.end(body === undefined ? '' : JSON.stringify(body));
			return;
		}
		serve(seen, response, state.blobs, blocks);
	};
	await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
	return Object.assign(state, {
		port: (server.address() as AddressInfo).port,
		close: () =>
			new Promise<void>((closed) => {
				server.close(() => closed());
				server.closeAllConnections();
			}),
	});
}

async function read(request: IncomingMessage): Promise<SeenRequest> {
	const pieces: Buffer[] = [];
	for await (const piece of request) pieces.push(piece as Buffer);
	const url = new URL(request.url ?? '/', 'http://host');
	return {
		method: request.method ?? '',
		host: request.headers.host ?? '',
		path: decodeURIComponent(url.pathname),
		query: Object.fromEntries(url.searchParams),
		headers: request.headers,
		body: Buffer.concat(pieces),
	};
}

function refuse(response: ServerResponse, { status, code, headers = {}, body }: Refused): void {
	const text =
		code === undefined ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}.</Message></Error>`;
	response.writeHead(status, {
		'content-type': 'application/xml',
		...(code === undefined ? {} : { 'x-ms-error-code': code }),
		'x-ms-request-id': 'request-1',
		...headers,
	});
	response.end(body ?? text);
}

function serve(
	{ method, path, query, headers, body }: SeenRequest,
	response: ServerResponse,
	blobs: Map<string, StoredBlob>,
	blocks: Map<string, Buffer>,
): void {
	const metadata = Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) =>
			name.startsWith('x-ms-meta-') ? [[name.slice(10), String(value)]] : [],
		),
	);
	const have = blobs.get(path);
	const store = (data: Buffer): void => {
		if (have !== undefined && headers['if-none-match'] === '*') {
			refuse(response, { status: 409, code: 'BlobAlreadyExists' });
			return;
		}
		const md5 = headers['x-ms-blob-content-md5'];
		blobs.set(path, { data, md5: md5 === undefined ? undefined : String(md5), metadata });
		response.writeHead(201, { etag: '"1"' }).end();
	};
	if (method === 'PUT' && headers['content-md5'] !== undefined) {
		const md5 = createHash('md5').update(body).digest('base64');
		if (md5 !== headers['content-md5']) {
			refuse(response, { status: 400, code: 'Md5Mismatch' });
			return;
		}
	}
	if (method === 'PUT' && query['comp'] === 'block') {
		blocks.set(`${path}#${query['blockid']}`, body);
		response.writeHead(201).end();
	} else if (method === 'PUT' && query['comp'] === 'blocklist') {
		const ids = [...body.toString().matchAll(/<Latest>([^<]*)</g)].map((found) => found[1] ?? '');
		store(Buffer.concat(ids.map((id) => blocks.get(`${path}#${id}`) ?? Buffer.from('a block is missing'))));
	} else if (method === 'PUT' && query['comp'] === 'metadata') {
		if (have === undefined) {
			refuse(response, { status: 404, code: 'BlobNotFound' });
			return;
		}
		have.metadata = metadata;
		response.writeHead(200, { etag: '"1"' }).end();
	} else if (method === 'PUT') {
		store(body);
	} else if (query['comp'] === 'list') {
		list(path, query, response, blobs);
	} else if (have === undefined) {
		refuse(response, { status: 404, code: 'BlobNotFound' });
	} else {
		give(method, headers, have, response);
	}
}

function list(
	path: string,
	query: SeenRequest['query'],
	response: ServerResponse,
	blobs: Map<string, StoredBlob>,
): void {
	const start = `${path}/`;
	const names = [...blobs.keys()].filter((key) => key.startsWith(start + (query['prefix'] ?? ''))).sort();
	// Two on a page, so that a reader has to turn it.
	const from = Number(query['marker'] ?? 0);
	const page = names.slice(from, from + 2);
	const items = page.map((key) => {
		const { data, md5 = '' } = blobs.get(key) ?? { data: Buffer.alloc(0) };
		const marks = Object.entries(blobs.get(key)?.metadata ?? {});
		const facts = marks.map(([name, value]) => `<${name}>${value}</${name}>`).join('');
		return `<Blob><Name>${key.slice(start.length).replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</Name><Properties><Content-Length>${data.length}</Content-Length><Content-MD5>${md5}</Content-MD5><Etag>"1"</Etag><BlobType>BlockBlob</BlobType><Last-Modified>Sun, 01 Jan 2023 00:00:00 GMT</Last-Modified></Properties><Metadata>${facts}</Metadata></Blob>`;
	});
	const next = from + 2 < names.length ? String(from + 2) : '';
	response.writeHead(200, { 'content-type': 'application/xml' });
	response.end(
		`<?xml version="1.0"?><EnumerationResults ServiceEndpoint="http://host/" ContainerName="container"><Blobs>${items.join('')}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`,
	);
}

function give(method: string, headers: SeenRequest['headers'], blob: StoredBlob, response: ServerResponse): void {
	const meta = Object.fromEntries(Object.entries(blob.metadata).map(([name, value]) => [`x-ms-meta-${name}`, value]));
	const facts = {
		etag: '"1"',
		'content-type': 'application/octet-stream',
		...meta,
		...(blob.md5 === undefined ? {} : { 'content-md5': blob.md5 }),
	};
	const range = /^bytes=(\d+)-(\d*)$/.exec(String(headers['x-ms-range'] ?? headers['range'] ?? ''));
	if (method === 'HEAD' || range === null) {
		response.writeHead(200, { ...facts, 'content-length': blob.data.length });
		response.end(method === 'HEAD' ? undefined : blob.data);
		return;
	}
	const from = Number(range[1]);
	if (from >= blob.data.length) {
		refuse(response, { status: 416, code: 'InvalidRange' });
		return;
	}
	const to = range[2] === '' ? blob.data.length - 1 : Math.min(Number(range[2]), blob.data.length - 1);
	const part = blob.data.subarray(from, to + 1);
	response.writeHead(206, {
		...facts,
		'content-length': part.length,
		'content-range': `bytes ${from}-${to}/${blob.data.length}`,
	});
	response.end(part);
}
