// A tracking server on loopback over HTTP, with artifacts in memory. For the tests of MLflow and of the examples.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ArtifactStore, MlflowServer, type StoredArtifact, TrackingKeys } from '../../../emulator/mlflow.ts';
import { RunStore } from '../../../emulator/runs.ts';

/** Artifacts by URI. */
export class MemoryArtifacts implements ArtifactStore {
	readonly files = new Map<string, Buffer>();

	async read(uri: string): Promise<Buffer | undefined> {
		return this.files.get(uri);
	}

	async write(uri: string, bytes: Buffer): Promise<void> {
		this.files.set(uri, bytes);
	}

	async list(uri: string): Promise<StoredArtifact[]> {
		const base = uri.replace(/\/*$/, '/');
		const found = new Map<string, StoredArtifact>();
		for (const [file, bytes] of this.files) {
			if (!file.startsWith(base)) continue;
			const [path = '', ...deeper] = file.slice(base.length).split('/');
			found.set(path, deeper.length > 0 ? { path, isFolder: true } : { path, isFolder: false, size: bytes.length });
		}
		return [...found.values()];
	}
}

/** A running tracking server. */
export interface TrackingServer {
	runs: RunStore;
	keys: TrackingKeys;
	artifacts: MemoryArtifacts;
	origin: string;
	close(): Promise<void>;
}

/** Starts a tracking server that serves job keys only, as jobs see it. */
export async function startTrackingServer(clock: () => number = Date.now): Promise<TrackingServer> {
	const runs = new RunStore(clock);
	const keys = new TrackingKeys();
	const artifacts = new MemoryArtifacts();
	const mlflow = new MlflowServer(runs, artifacts, clock);
	const http = createServer(async (request, response) => {
		const url = new URL(request.url ?? '/', 'http://localhost');
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const job = keys.resolve(url.pathname);
		if (job === undefined) return void response.writeHead(401).end();
		const body = Buffer.concat(chunks);
		const answer = await mlflow.handle({
			method: request.method ?? 'GET',
			path: job.path,
			query: url.searchParams,
			body,
		});
		response.writeHead(answer.status, { 'Content-Type': answer.contentType }).end(answer.body);
	});
	http.listen(0, '127.0.0.1');
	await once(http, 'listening');
	const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
	const close = async (): Promise<void> => {
		http.closeAllConnections();
		http.close();
		await once(http, 'close');
	};
	return { runs, keys, artifacts, origin, close };
}
