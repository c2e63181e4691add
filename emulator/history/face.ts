// The data plane face: routes of run history, metrics, artifacts and resolved URIs, all below a workspace's scope.

import { armAudiences, authorize } from '../authorization.ts';
import { dataPlaneError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { type PathNames, Router } from '../router.ts';
import type { FaceRequest, Handler } from '../server.ts';
import { routeArtifacts } from './artifacts.ts';
import type { HistoryCall, HistoryHandler } from './call.ts';
import { routeMetrics } from './metrics.ts';
import { routeResolvedUris } from './resolved-uris.ts';
import { routeRuns } from './runs.ts';

/** Answers the data plane. Its tokens are Resource Manager's. */
export function historyFace(platform: Platform): Handler {
	const router = new Router<HistoryHandler>();
	routeRuns(router);
	routeMetrics(router);
	routeArtifacts(router);
	routeResolvedUris(router);
	return async (request) => {
		await authorize(platform, request, armAudiences(platform));
		const found = router.find(request.method, request.path);
		if (found === undefined || found === 'method') {
			throw dataPlaneError(404, `The emulator has nothing at ${request.method} ${request.path}.`, ['NotFound']);
		}
		checkWorkspace(platform, found.names);
		return found.handler(callOf(platform, request, found.names));
	};
}

function callOf(platform: Platform, request: FaceRequest, names: PathNames): HistoryCall {
	const isObject = typeof request.body === 'object' && request.body !== null;
	return {
		platform,
		names,
		query: request.query,
		body: isObject ? (request.body as Record<string, unknown>) : {},
		url: `${platform.origins.arm}${request.path}?${request.query}`,
	};
}

function checkWorkspace(platform: Platform, names: PathNames): void {
	const workspace = names['workspace'] ?? '';
	if (platform.state.resources.get(workspace.toLowerCase())) return;
	throw dataPlaneError(404, `Workspace ${workspace} was not found.`, ['NotFound', 'WorkspaceNotFound']);
}
