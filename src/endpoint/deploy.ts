// The deploy step for online endpoints, as a whole: publish what the deployment needs, endpoint, deployment, traffic, and
// back again if that fails. Bodies are deploy-plan.ts, the walk is rollout.ts, the way back is rollback.ts.
import type { Dependency, IdOf } from '../asset/dependency.ts';
import type { Workspace } from '../azure/workspace.ts';
import { objectAt, textAt } from '../json.ts';
import { cutOffTags, onlineNote, resumeCutOff } from './cut-off.ts';
import {
	checkRequest,
	chooseDeployment,
	type DeployRequest,
	dependenciesToPublish,
	deploymentBody,
	endpointWish,
	isEndpointOnly,
} from './deploy-plan.ts';
import type { EndpointContext } from './deployment-parts.ts';
import { checkScoringHost, type InvokeParts } from './invoke.ts';
import { mirrorTraffic } from './mirror.ts';
import { deploymentNamed, listDeployments } from './online-deployment.ts';
import { ensureEndpoint, findEndpoint, type OnlineEndpoint } from './online-endpoint.ts';
import { undoRollout } from './rollback.ts';
import { deletePrevious, type Progress, type Rollout, type StepTaken, startProgress, walkRollout } from './rollout.ts';
import { servingTraffic, type TrafficMap } from './traffic.ts';
import { makeWay } from './unchangeable.ts';

/** What the deploy step works with. */
export interface DeployParts extends InvokeParts {
	/** Keeps a text by which another process can undo the rollout; an empty one when there is nothing to undo. */
	readonly guardRollout: (note: string) => void;
	readonly publisher: {
		readonly publish: (dependencies: readonly Dependency[]) => Promise<unknown>;
		readonly idOf: IdOf;
	};
}

/** A deployment that is in service, or an endpoint alone that is ready for one. */
export interface RolloutResult {
	readonly endpointName: string;
	/** Empty where only an endpoint was asked for. */
	readonly deploymentName: string;
	readonly scoringUri: string | undefined;
	/** As it is now. */
	readonly traffic: TrafficMap;
	/** As it was before. */
	readonly previousTraffic: TrafficMap;
	/** Shares of the live traffic that are copied to a deployment beside it, as they are now. */
	readonly mirrorTraffic: TrafficMap;
	readonly rolledBack: false;
	readonly steps: readonly StepTaken[];
	/** The last answer to the smoke test. */
	readonly smokeAnswer: string | undefined;
	/** What this run has made, rather than updated. */
	readonly created: { readonly endpoint: boolean; readonly deployment: boolean };
	/** Deployments that were deleted because they had no traffic left. */
	readonly deleted: readonly string[];
	/** The endpoint in Azure ML studio. */
	readonly consoleUrl: string;
}

/**
 * Deploys to an online endpoint. An endpoint file alone makes the endpoint, or brings it up to date, and no more.
 * @throws RolloutError when the deployment could not be brought into service; what it says about traffic and deployment
 * has been done then. ActionError for a request that cannot be met, and whatever publishing or the endpoint itself fail with:
 * then no deployment and no traffic has been touched.
 */
export async function deployOnline(request: DeployRequest, parts: DeployParts): Promise<RolloutResult> {
	const { workspace, publisher } = parts;
	const name = checkRequest(request);
	const context: EndpointContext = { workspaceId: workspace.id, location: workspace.location, idOf: publisher.idOf };
	await publisher.publish(dependenciesToPublish(request));
	const { endpoint: ensured, created } = await ensureEndpoint(name, endpointWish(request, context), parts);
	const mirror = Object.fromEntries(request.endpoint.file?.mirrorTraffic ?? []);
	if (isEndpointOnly(request)) {
		const mirrored =
			Object.keys(mirror).length > 0 ? await mirrorTraffic(name, { wish: mirror }, parts) : ensured.mirrorTraffic;
		return endpointResult({ ...ensured, mirrorTraffic: mirrored }, created, parts);
	}
	if (request.smokeTest !== undefined) checkScoringHost(ensured, parts);
	const existing = await listDeployments(name, parts);
	const run = { attempt: request.attempt, tags: request.tags, steps: request.traffic };
	const endpoint = await resumeCutOff(ensured, existing, run, parts);
	const chosen = chooseDeployment(request, endpoint, existing);
	const body = deploymentBody(request, context);
	const tags = { ...objectAt(body, 'tags'), ...cutOffTags(request.attempt, endpoint.traffic) };
	const found = deploymentNamed(existing, chosen);
	const deployment = textAt(found, 'name') ?? chosen;
	const rollout: Rollout = {
		endpoint,
		deployment,
		body: { ...body, tags },
		existed: await makeWay({ endpoint, deployment, body, found }, parts),
		endpointCreated: created,
		steps: request.traffic,
		mirror,
		smokeTest: request.smokeTest,
		onFailure: request.onFailure,
	};
	const progress = startProgress();
	parts.guardRollout(onlineNote(rollout));
	try {
		await walkRollout(rollout, progress, parts);
	} catch (error) {
		const failure = await undoRollout(rollout, progress, error, parts);
		// A process that is about to be killed does not see the end of what it has asked for: the post step looks again.
		if (parts.signal?.aborted !== true) parts.guardRollout('');
		throw failure;
	}
	parts.guardRollout('');
	const deleted = request.deletePrevious ? await deletePrevious(rollout, parts) : [];
	return resultOf(rollout, progress, deleted, parts);
}

function endpointResult(endpoint: OnlineEndpoint, created: boolean, { workspace, log }: DeployParts): RolloutResult {
	log.info(`The endpoint ${endpoint.name} is ready; nothing is asked to be deployed to it.`);
	return {
		endpointName: endpoint.name,
		deploymentName: '',
		scoringUri: endpoint.scoringUri,
		traffic: endpoint.traffic,
		previousTraffic: endpoint.traffic,
		mirrorTraffic: servingTraffic(endpoint.mirrorTraffic),
		rolledBack: false,
		steps: [],
		smokeAnswer: undefined,
		created: { endpoint: created, deployment: false },
		deleted: [],
		consoleUrl: endpointUrl(endpoint.name, workspace),
	};
}

async function resultOf(
	rollout: Rollout,
	progress: Progress,
	deleted: readonly string[],
	parts: DeployParts,
): Promise<RolloutResult> {
	const { endpoint, deployment, existed, endpointCreated } = rollout;
	// The rollout has succeeded; a failure to read it once more does not change that.
	const now: OnlineEndpoint = (await findEndpoint(endpoint.name, parts).catch(() => undefined)) ?? endpoint;
	return {
		endpointName: endpoint.name,
		deploymentName: deployment,
		scoringUri: now.scoringUri,
		traffic: now === endpoint ? (progress.maps.at(-1) ?? endpoint.traffic) : now.traffic,
		previousTraffic: endpoint.traffic,
		mirrorTraffic: servingTraffic(now.mirrorTraffic),
		rolledBack: false,
		steps: progress.taken,
		smokeAnswer: progress.smokeAnswer,
		created: { endpoint: endpointCreated, deployment: !existed },
		deleted,
		consoleUrl: endpointUrl(endpoint.name, parts.workspace),
	};
}

/** The address of an online endpoint in Azure ML studio. */
export function endpointUrl(name: string, { cloud, id, tenantId }: Workspace): string {
	const tenant = tenantId === undefined ? '' : `&tid=${encodeURIComponent(tenantId)}`;
	return `${cloud.studio}/endpoints/realtime/${encodeURIComponent(name)}/detail?wsid=${id}${tenant}`;
}
