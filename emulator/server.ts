// One loopback server: reads a request, records it, lets planted faults have their way, and writes the answer of its face.
// Knows nothing of Azure or GitHub.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Face, FaultEffect, Ledger, RecordedRequest } from './ledger.ts';

/** A request whose body has been read. */
export interface FaceRequest {
	method: string;
	/** Path without the query, still percent-encoded. */
	path: string;
	query: URLSearchParams;
	/** Names in lower case. */
	headers: Record<string, string>;
	bytes: Buffer;
	/** The body parsed from JSON or a form, else its text; `undefined` when there is none. */
	body: unknown;
}

/** What a face answers: `json` is serialised (also when it is null), `bytes` go out as they are, neither means no body. */
export interface Answer {
	status: number;
	headers?: Record<string, string>;
	json?: unknown;
	bytes?: Buffer | string;
}

/** Answers requests. Throwing an `AnswerError` answers with what it holds. */
export type Handler = (request: FaceRequest) => Promise<Answer> | Answer;

/** An answer on its way out of nested code. */
export class AnswerError extends Error {
	readonly answer: Answer;

	/** `answer` is sent as it stands. */
	constructor(answer: Answer) {
		super(`${answer.status} ${JSON.stringify(answer.json ?? '')}`);
		this.answer = answer;
	}
}

/** A server that listens on loopback. */
export interface FaceServer {
	port: number;
	/** Drops every connection and stops listening. */
	close(): Promise<void>;
}

/** What a server is made of. `faceOf` names the face that a path belongs to. */
export interface ServerPlan {
	faceOf: (path: string) => Face;
	handle: Handler;
	ledger: Ledger;
	clock: () => number;
	/** A free port when absent. */
	port?: number;
	/** PEM texts; plain HTTP when absent. */
	tls?: { key: string; cert: string };
}

/** Starts a server on 127.0.0.1. Rejects when the port is taken. */
export async function serve(plan: ServerPlan): Promise<FaceServer> {
	const stopping = new AbortController();
	const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
		respond(plan, incoming, outgoing, stopping.signal).catch(() => outgoing.destroy());
	};
	const server = plan.tls ? createTlsServer(plan.tls, listener) : createServer(listener);
	const port = await listen(server, plan.port ?? 0);
	return { port, close: () => close(server, stopping) };
}

/** Has a server listen on 127.0.0.1 and gives its port. */
export async function listen(server: Server, port: number): Promise<number> {
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => resolve());
	});
	return (server.address() as AddressInfo).port;
}

async function close(server: Server, stopping: AbortController): Promise<void> {
	stopping.abort();
	const closed = new Promise<void>((resolve) => server.close(() => resolve()));
	server.closeAllConnections();
	await closed;
}

async function respond(
	plan: ServerPlan,
	incoming: IncomingMessage,
	outgoing: ServerResponse,
	stopping: AbortSignal,
): Promise<void> {
	const url = new URL(incoming.url ?? '/', 'http://loopback');
	const bytes = await readAll(incoming);
	const request: FaceRequest = {
		method: incoming.method ?? 'GET',
		path: url.pathname,
		query: url.searchParams,
		headers: flatten(incoming),
		bytes,
		body: parseBody(bytes, incoming.headers['content-type'] ?? ''),
	};
	const face = plan.faceOf(url.pathname);
	const entry = record(plan, face, request);
	const effect = plan.ledger.effectOn(face, request.method, url.pathname + url.search);
	if (effect === 'reset') {
		plan.ledger.finish(entry, 0);
		incoming.socket.resetAndDestroy();
		return;
	}
	if (typeof effect === 'object' && 'delayMs' in effect) await pause(effect.delayMs, undefined, { signal: stopping });
	const answer = isAnswer(effect) ? planted(effect) : await answerOf(plan.handle, request);
	plan.ledger.finish(entry, effect === 'lost' ? 0 : answer.status);
	if (effect === 'lost') incoming.socket.resetAndDestroy();
	else if (isCut(effect)) writeCut(answer, effect.cutAnswer, outgoing);
	else write(request.method, answer, outgoing);
}

/** Whether a fault gives the answer itself. */
export function isAnswer(effect: FaultEffect | undefined): effect is FaultEffect & { status: number } {
	return typeof effect === 'object' && 'status' in effect;
}

/** Whether a fault cuts the answer off. */
export function isCut(effect: FaultEffect | undefined): effect is { cutAnswer: number } {
	return typeof effect === 'object' && 'cutAnswer' in effect;
}

/** Turns a planted answer into one that a server can send: objects become JSON, text stays text. */
export function planted(effect: { status: number; headers?: Record<string, string>; body?: unknown }): Answer {
	const { status, headers, body } = effect;
	const content = body === undefined ? {} : typeof body === 'string' ? { bytes: body } : { json: body };
	return { status, ...(headers ? { headers } : {}), ...content };
}

async function answerOf(handle: Handler, request: FaceRequest): Promise<Answer> {
	try {
		return await handle(request);
	} catch (error) {
		if (error instanceof AnswerError) return error.answer;
		const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
		return { status: 500, json: { error: { code: 'EmulatorFault', message } } };
	}
}

function record(plan: ServerPlan, face: Face, request: FaceRequest): RecordedRequest {
	const entry = {
		face,
		method: request.method,
		path: request.path,
		query: Object.fromEntries(request.query),
		headers: request.headers,
		body: request.body,
		length: request.bytes.length,
		status: 0,
		at: plan.clock(),
	};
	plan.ledger.requests.push(entry);
	return entry;
}

function payloadOf({ json, bytes }: Answer): Buffer {
	return json === undefined ? Buffer.from(bytes ?? '') : Buffer.from(JSON.stringify(json));
}

/** Promises the whole answer, sends so many bytes of it, and breaks off. */
function writeCut(answer: Answer, length: number, outgoing: ServerResponse): void {
	const payload = payloadOf(answer);
	outgoing.writeHead(answer.status, { ...answer.headers, 'Content-Length': String(payload.length) });
	outgoing.write(payload.subarray(0, length), () => outgoing.socket?.resetAndDestroy());
}

function write(method: string, answer: Answer, outgoing: ServerResponse): void {
	const isJson = answer.json !== undefined;
	const payload = payloadOf(answer);
	const headers: Record<string, string> = isJson ? { 'Content-Type': 'application/json; charset=utf-8' } : {};
	Object.assign(headers, answer.headers);
	if (answer.status !== 204 && answer.status !== 304) headers['Content-Length'] ??= String(payload.length);
	outgoing.writeHead(answer.status, headers);
	outgoing.end(method === 'HEAD' || answer.status === 204 ? undefined : payload);
}

/** Reads a whole body. */
export async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
	return Buffer.concat(chunks);
}

/** Gives the headers of a request with one text each. */
export function flatten(incoming: IncomingMessage): Record<string, string> {
	const headers: Record<string, string> = {};
	for (const [name, value] of Object.entries(incoming.headers)) {
		if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
	}
	return headers;
}

function parseBody(bytes: Buffer, type: string): unknown {
	if (bytes.length === 0) return undefined;
	const text = bytes.toString('utf8');
	if (type.includes('x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text));
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
