// A proxy for clients that name storage by its account (`account.blob.core.localhost`): resolvers often do not know names below
// `localhost`. It connects to this machine alone, so a client behind it reaches no other.

import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type FaceServer, listen } from './server.ts';

/**
 * Starts the proxy on a free port. It answers CONNECT for loopback names and for those that `aliases` gives a port of this
 * machine, and refuses everything else with 403.
 */
export async function serveLoopbackProxy(aliases: Readonly<Record<string, number>> = {}): Promise<FaceServer> {
	const tunnels = new Set<Socket>();
	const server = createServer((_request, response) => {
		response.writeHead(403).end('Only CONNECT to names below localhost.\n');
	});
	server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
		// Also for one that is refused: a connection that breaks must not break the emulator.
		client.on('error', () => client.destroy());
		const target = aliases[request.url ?? ''] ?? loopbackPort(request.url ?? '');
		if (target === undefined) {
			client.end('HTTP/1.1 403 The emulator reaches no other machine\r\nContent-Length: 0\r\n\r\n');
			return;
		}
		const onward = connect(target, '127.0.0.1', () => {
			client.write('HTTP/1.1 200 Connection established\r\n\r\n');
			if (head.length > 0) onward.write(head);
			onward.pipe(client).pipe(onward);
		});
		tunnels.add(onward);
		onward.once('close', () => {
			tunnels.delete(onward);
			client.destroy();
		});
		onward.once('error', () => client.destroy());
		client.once('close', () => onward.destroy());
	});
	const port = await listen(server, 0);
	const close = async () => {
		const closed = new Promise<void>((resolve) => server.close(() => resolve()));
		for (const tunnel of tunnels) tunnel.destroy();
		server.closeAllConnections();
		await closed;
	};
	return { port, close };
}

/** The port that a CONNECT asks for on this machine; `undefined` for any other machine. */
function loopbackPort(authority: string): number | undefined {
	const port = /^(?:(?:[\w-]+\.)*localhost|127\.0\.0\.1):(\d{1,5})$/i.exec(authority)?.[1];
	return port === undefined ? undefined : Number(port);
}
