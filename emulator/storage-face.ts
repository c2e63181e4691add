// The loopback address of blob storage: passes every request on to Azurite, recorded and open to planted faults.
// Bodies are streamed, not kept.

import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultEffect, Ledger, RecordedRequest } from './ledger.ts';
import { type FaceServer, flatten, isAnswer, isCut, listen, planted } from './server.ts';

/** Where the proxy sends its requests, and where it records them. */
export interface StorageFacePlan {
	/** Azurite's port. */
	target: number;
	ledger: Ledger;
	clock: () => number;
	/** PEM texts; plain HTTP when absent. */
	tls?: { key: string; cert: string };
}

/** Starts the proxy on a free port. */
export async function serveStorage(plan: StorageFacePlan): Promise<FaceServer> {
	const agent = new Agent({ keepAlive: true, maxSockets: 32 });
	const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
		answer(plan, agent, incoming, outgoing).catch(() => outgoing.destroy());
	};
	const server = plan.tls ? createTlsServer(plan.tls, listener) : createServer(listener);
	const port = await listen(server, 0);
	const close = async () => {
		const closed = new Promise<void>((resolve) => server.close(() => resolve()));
		server.closeAllConnections();
		await closed;
		agent.destroy();
	};
	return { port, close };
}

async function answer(
	plan: StorageFacePlan,
	agent: Agent,
	incoming: IncomingMessage,
	outgoing: ServerResponse,
): Promise<void> {
	const url = new URL(incoming.url ?? '/', 'http://loopback');
	const entry = record(plan, incoming, url);
	const effect = plan.ledger.effectOn('storage', entry.method, url.pathname + url.search);
	if (effect === 'reset') {
		plan.ledger.finish(entry, 0);
		incoming.socket.resetAndDestroy();
		return;
	}
	if (typeof effect === 'object' && 'delayMs' in effect) await pause(effect.delayMs, undefined, { ref: false });
	if (typeof effect === 'object' && 'cutRequest' in effect) {
		plan.ledger.finish(entry, 0);
		await take(incoming, effect.cutRequest);
		incoming.socket.resetAndDestroy();
		return;
	}
	if (isAnswer(effect)) {
		incoming.resume();
		const { status, headers, json, bytes } = planted(effect);
		plan.ledger.finish(entry, status);
		outgoing.writeHead(status, { 'Content-Type': 'application/xml', ...headers });
		outgoing.end(bytes ?? (json === undefined ? '' : JSON.stringify(json)));
		return;
	}
	await pass(plan, agent, incoming, outgoing, { entry, effect });
}

/** Reads so many bytes of a request, or all where it has fewer. */
async function take(incoming: IncomingMessage, length: number): Promise<void> {
	let taken = 0;
	if (length > 0)
		for await (const piece of incoming) {
			taken += (piece as Buffer).length;
			if (taken >= length) return;
		}
}

function pass(
	plan: StorageFacePlan,
	agent: Agent,
	incoming: IncomingMessage,
	outgoing: ServerResponse,
	{ entry, effect }: { entry: RecordedRequest; effect: FaultEffect | undefined },
): Promise<void> {
	return new Promise((resolve, reject) => {
		const { method, url, headers } = incoming;
		const onward = request({ host: '127.0.0.1', port: plan.target, method, path: url, headers, agent }, (reply) => {
			const status = reply.statusCode ?? 502;
			plan.ledger.finish(entry, effect === 'lost' ? 0 : status);
			reply.on('end', resolve);
			reply.on('error', reject);
			if (effect === 'lost') {
				incoming.socket.resetAndDestroy();
				reply.resume();
				return;
			}
			// The service names it in errors too, Azurite does not.
			const version = headers['x-ms-version'];
			outgoing.writeHead(status, { ...(version === undefined ? {} : { 'x-ms-version': version }), ...reply.headers });
			if (isCut(effect)) cut(reply, effect.cutAnswer, outgoing);
			else reply.pipe(outgoing);
		});
		onward.on('error', reject);
		incoming.pipe(onward);
	});
}

/** Passes so many bytes of an answer on, and breaks off. */
function cut(reply: IncomingMessage, length: number, outgoing: ServerResponse): void {
	let left = length;
	reply.on('data', (piece: Buffer) => {
		if (left < 0) return;
		const part = piece.subarray(0, left);
		left -= piece.length;
		if (left > 0) outgoing.write(part);
		else {
			left = -1;
			outgoing.write(part, () => outgoing.socket?.resetAndDestroy());
		}
	});
	reply.on('end', () => left > 0 && outgoing.destroy());
}

function record(plan: StorageFacePlan, incoming: IncomingMessage, url: URL): RecordedRequest {
	const entry: RecordedRequest = {
		face: 'storage',
		method: incoming.method ?? 'GET',
		path: url.pathname,
		query: Object.fromEntries(url.searchParams),
		headers: flatten(incoming),
		body: undefined,
		length: Number(incoming.headers['content-length'] ?? 0),
		status: 0,
		at: plan.clock(),
	};
	plan.ledger.requests.push(entry);
	return entry;
}
