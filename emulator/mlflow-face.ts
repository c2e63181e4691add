// The way to the tracking server: who may call it, by access token or by the key of a running job, and its files in storage.

import { References } from './arm/references.ts';
import { armAudiences, authorize } from './authorization.ts';
import { type ArtifactStore, MlflowServer, type StoredArtifact, type TrackingKeys } from './mlflow.ts';
import { IDENTITY, type Platform } from './platform.ts';
import type { Run } from './runs.ts';
import type { Answer, FaceRequest, Handler } from './server.ts';

/** The base of a tracking URI: version, then the workspace. */
const BASE =
	/^\/mlflow\/v[12]\.0\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/workspaces\/[^/]+(\/.*)$/i;

/** Answers the tracking server's requests. */
export function mlflowFace(platform: Platform, keys: TrackingKeys): Handler {
	const { runs } = platform.state;
	const store = artifactStore(platform);
	const server = new MlflowServer(runs, store, platform.clock);
	const overTls = new MlflowServer(runs, store, platform.clock, (run) => workspaceRoot(platform, run));
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
		return await answer(platform.origins.arm.startsWith('https:') ? overTls : server, request, path);
	};
}

/** The artifacts of a run as azureml-mlflow finds them: it asks run history for the addresses of content. */
function workspaceRoot(platform: Platform, run: Run): string {
	const { host } = new URL(platform.origins.arm);
	const { subscriptionId, resourceGroup, workspace } = IDENTITY;
	const scope = `subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`;
	return `azureml://${host}/mlflow/v2.0/${scope}/experiments/${encodeURIComponent(run.experimentName)}/runs/${encodeURIComponent(run.runId)}/artifacts`;
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
