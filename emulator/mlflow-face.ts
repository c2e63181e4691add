// The way to the tracking server: who may call it, by access token or by the key of a running job, and its files in storage.

import { References } from './arm/references.ts';
import { armAudiences, authorize } from './authorization.ts';
import { type ArtifactStore, MlflowServer, type StoredArtifact, type TrackingKeys } from './mlflow.ts';
import { IDENTITY, type Platform } from './platform.ts';
import type { Answer, FaceRequest, Handler } from './server.ts';

/** The base of a tracking URI: version, then the workspace. */
const BASE =
	/^\/mlflow\/v[12]\.0\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/workspaces\/[^/]+(\/.*)$/i;

/** Answers the tracking server's requests. */
export function mlflowFace(platform: Platform, keys: TrackingKeys): Handler {
	const server = new MlflowServer(platform.state.runs, artifactStore(platform), platform.clock);
	return async (request) => {
		const keyed = keys.resolve(request.path);
		if (keyed) return await answer(server, request, keyed.path);
		await authorize(platform, request, armAudiences(platform));
		const path = BASE.exec(request.path)?.[1];
		if (path === undefined) {
			return {
				status: 404,
				json: { error_code: 'ENDPOINT_NOT_FOUND', message: `No tracking server at ${request.path}` },
			};
		}
		return await answer(server, request, path);
	};
}

async function answer(server: MlflowServer, request: FaceRequest, path: string): Promise<Answer> {
	const { method, query, bytes } = request;
	const { status, contentType, body } = await server.handle({ method, path, query, body: bytes });
	return { status, headers: { 'Content-Type': contentType }, bytes: body };
}

function artifactStore(platform: Platform): ArtifactStore {
	const { storage } = platform;
	const place = (uri: string) => new References(platform, IDENTITY.workspace).place(uri);
	return {
		read: async (uri) => {
			const { container, path } = place(uri);
			return await storage.read(container, path);
		},
		write: async (uri, bytes) => {
			const { container, path } = place(uri);
			await storage.write(container, path, bytes);
		},
		list: async (uri) => {
			const { container, path } = place(uri);
			const folder = path.replace(/\/*$/, '/');
			const names = new Map<string, StoredArtifact>();
			for (const blob of await storage.list(container, folder)) {
				const [name = '', ...below] = blob.name.slice(folder.length).split('/');
				if (below.length > 0) names.set(name, { path: name, isFolder: true });
				else names.set(name, { path: name, isFolder: false, size: blob.length });
			}
			return [...names.values()];
		},
	};
}
