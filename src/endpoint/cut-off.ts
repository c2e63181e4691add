// A rollout whose process was killed: what is written down before anything is changed, so that the post step of the same
// step, or a later attempt of the same workflow run, can put the traffic back.

import { isObject, type Json, type JsonObject, objectAt, parseJson, textAt } from '../json.ts';
import { RUN_URL_TAG } from '../run-context.ts';
import type { BatchRollout } from './batch-deploy.ts';
import { forBatch } from './batch-endpoint.ts';
import { restoreDefault } from './batch-rollback.ts';
import { findDeployment } from './online-deployment.ts';
import { type OnlineEndpoint, setTraffic } from './online-endpoint.ts';
import type { EndpointParts } from './online-wait.ts';
import { type Outcome, restoreTraffic, settleDeployment } from './rollback.ts';
import { hasTags, planSteps, type Rollout } from './rollout.ts';
import {
	sameTraffic,
	servingTraffic,
	shareOf,
	type TrafficMap,
	type TrafficStep,
	trafficFrom,
	trafficText,
} from './traffic.ts';

/** The text by which another process can undo an online rollout. */
export function onlineNote(rollout: Rollout): string {
	const { endpoint, deployment, existed, onFailure, mirror, steps } = rollout;
	const { name, traffic, mirrorTraffic } = endpoint;
	const maps = planSteps(traffic, deployment, steps).map(({ map }) => map);
	const tags = objectAt(rollout.body, 'tags');
	const note = { endpoint: name, deployment, existed, onFailure, tags, traffic, mirrorTraffic, mirror, maps };
	return JSON.stringify({ kind: 'online', ...note });
}

/** The text by which another process can undo a rollout on a batch endpoint. */
export function batchNote({ endpoint, deployment, existed, onFailure, body }: BatchRollout): string {
	const { name, defaultDeployment } = endpoint;
	const tags = objectAt(body, 'tags');
	return JSON.stringify({ kind: 'batch', endpoint: name, deployment, existed, onFailure, tags, defaultDeployment });
}

/**
 * Undoes the rollout of a note as its own process would have: traffic (or default deployment) as before where nobody else
 * has changed it, and the new deployment deleted unless it is to be kept. Nothing is said where nothing is left to do.
 * @returns whether all is as it was before
 */
export async function undoCutOff(text: string, parts: EndpointParts): Promise<boolean> {
	const note = parseJson(text);
	const [endpoint, deployment] = [textAt(note, 'endpoint'), textAt(note, 'deployment')];
	if (!isObject(note) || endpoint === undefined || deployment === undefined) return true;
	const isBatch = textAt(note, 'kind') === 'batch';
	const all = isBatch ? forBatch(parts) : parts;
	const sent = await wasSent({ endpoint, deployment, tags: objectAt(note, 'tags') }, all);
	if (!sent) return true;
	const rollout = {
		deployment,
		existed: note['existed'] === true,
		onFailure: textAt(note, 'onFailure') === 'keep' ? ('keep' as const) : ('rollback' as const),
		endpoint: { name: endpoint },
	};
	const undo = async (): Promise<Outcome> => {
		const serving = isBatch ? await undoDefault(note, rollout, all) : await undoTraffic(note, rollout, all);
		if (!serving.ok) return { ok: false, said: `${serving.said} The deployment ${deployment} is left.` };
		const rest = await settleDeployment(rollout, { sent, settled: undefined }, all);
		return { ok: rest.ok, said: `${serving.said} ${rest.said}` };
	};
	let { ok, said } = await undo();
	if (!ok) {
		// The last request of the killed process may have come into force only now.
		await parts.clock.sleep(SECOND_LOOK, parts.signal);
		({ ok, said } = await undo());
	}
	const told = `The rollout of the deployment "${deployment}" on the endpoint "${endpoint}" was cut off. ${said}`;
	if (ok) parts.log.info(told);
	else parts.log.warning(told);
	return ok;
}

const SECOND_LOOK = 5_000;

/** A PUT that was under way when the process was killed may take this long to show. In milliseconds. */
const PATIENCE = 8_000;

/** Whether the deployment is there and this run's own: what has its name may be somebody else's, and the tags tell. */
async function wasSent(
	{ endpoint, deployment, tags }: { endpoint: string; deployment: string; tags: JsonObject },
	parts: EndpointParts,
): Promise<boolean> {
	if (Object.keys(tags).length === 0) return false;
	const deadline = parts.clock.now() + PATIENCE;
	for (;;) {
		const found = await findDeployment(endpoint, deployment, parts);
		if (found !== undefined || parts.clock.now() >= deadline) return hasTags(found, tags);
		await parts.clock.sleep(1_000, parts.signal);
	}
}

type Named = Pick<Rollout, 'deployment'> & { readonly endpoint: { readonly name: string } };

function undoTraffic(note: JsonObject, { endpoint, deployment }: Named, parts: EndpointParts): Promise<Outcome> {
	const mirror = trafficFrom(note['mirror']);
	const maps = Array.isArray(note['maps']) ? (note['maps'] as readonly Json[]).map(trafficFrom) : [];
	const before = { traffic: trafficFrom(note['traffic']), mirrorTraffic: trafficFrom(note['mirrorTraffic']) };
	const mirrored = Object.keys(mirror).length > 0;
	return restoreTraffic({ endpoint: { ...endpoint, ...before }, deployment, mirror }, { maps, mirrored }, parts);
}

function undoDefault(note: JsonObject, { endpoint, deployment }: Named, parts: EndpointParts): Promise<Outcome> {
	const before = { ...endpoint, defaultDeployment: textAt(note, 'defaultDeployment') };
	return restoreDefault({ endpoint: before, deployment }, { switched: true }, parts);
}

const ATTEMPT_TAG = 'azureml-action.attempt';
const BEFORE_TAG = 'azureml-action.traffic-before';
/** Azure takes no longer values of tags. */
const LONGEST_TAG = 256;

/** The tags of a deployment by which a later attempt of the same workflow run knows what the traffic was before it. */
export function cutOffTags(attempt: string | undefined, before: TrafficMap): Record<string, string> {
	const text = Object.entries(servingTraffic(before))
		.map(([name, share]) => `${name}=${share}`)
		.join(' ');
	return attempt === undefined || text.length > LONGEST_TAG ? {} : { [ATTEMPT_TAG]: attempt, [BEFORE_TAG]: text };
}

/** What tells the attempts of a workflow run apart. */
export interface AttemptOfRun {
	readonly attempt: string | undefined;
	/** The tags of what this run makes. */
	readonly tags: Readonly<Record<string, string>>;
	readonly steps: readonly TrafficStep[];
}

/**
 * Puts the traffic back that an earlier attempt of this workflow run has left in the middle of its steps: its runner is
 * gone, so nobody goes on with it. What has reached its last step is left: it may have ended well.
 * @returns the endpoint as it is then
 */
export async function resumeCutOff(
	endpoint: OnlineEndpoint,
	existing: readonly Json[],
	run: AttemptOfRun,
	parts: EndpointParts,
): Promise<OnlineEndpoint> {
	for (const deployment of existing) {
		const name = textAt(deployment, 'name') ?? '';
		const before = beforeOf(deployment, run);
		if (before === undefined || (shareOf(endpoint.traffic, name) ?? 0) === 0) continue;
		const maps = planSteps(before, name, run.steps).map(({ map }) => map);
		if (!maps.slice(0, -1).some((map) => sameTraffic(map, endpoint.traffic))) continue;
		parts.log.warning(
			`An earlier attempt of this workflow run was cut off while ${name} had ${shareOf(endpoint.traffic, name)} % of the traffic of ${endpoint.name}. The traffic is put back to ${trafficText(before)} first.`,
		);
		return setTraffic(endpoint.name, { from: endpoint.traffic, to: before }, parts);
	}
	return endpoint;
}

/** The traffic before the rollout of a deployment that an earlier attempt of this run has made; undefined for all others. */
function beforeOf(deployment: Json, { attempt, tags }: AttemptOfRun): TrafficMap | undefined {
	const text = textAt(deployment, 'tags', BEFORE_TAG);
	const own = tags[RUN_URL_TAG];
	const isOurs = own !== undefined && textAt(deployment, 'tags', RUN_URL_TAG) === own;
	const earlier = Number(textAt(deployment, 'tags', ATTEMPT_TAG)) < Number(attempt);
	if (text === undefined || !isOurs || !earlier) return undefined;
	const shares = text.split(' ').map((part) => /^([\w-]+)=(\d{1,3})$/.exec(part));
	const map = Object.fromEntries(shares.map((found) => [found?.[1] ?? '', Number(found?.[2])]));
	return Object.values(map).reduce((sum, share) => sum + share, 0) === 100 ? map : undefined;
}
