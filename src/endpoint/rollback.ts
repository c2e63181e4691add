// What happens when a rollout fails or is cancelled: the traffic goes back to what it was, the container's log is kept,
// the deployment goes or stays, and one error tells all of it.
import { ActionError, type LeftOfRollout, messageOf, RolloutError, ServiceError } from '../errors.ts';
import type { InvokeParts } from './invoke.ts';
import { containerLog, deleteDeployment, findDeployment, sameDeployment } from './online-deployment.ts';
import { findEndpoint, type OnlineEndpoint, setTraffic } from './online-endpoint.ts';
import type { EndpointParts } from './online-wait.ts';
import { type Progress, type Rollout, SmokeTestFailed } from './rollout.ts';
import { inPlaceOf, sameTraffic, servingTraffic, shareOf, type TrafficMap, trafficText } from './traffic.ts';

const LOG_LINES = 100;
/** The log is a courtesy: a service that does not give it must not hold up the clean-up. In milliseconds. */
const LOG_BUDGET = 60_000;
/** After a cancel the runner leaves seven and a half seconds; the report wants some of them. */
const CANCEL_BUDGET = 5_000;
const CANCEL_INTERVAL = 500;

/** What became of one part of the endpoint, with a sentence for the error. */
export interface Outcome {
	readonly ok: boolean;
	readonly said: string;
}

/** The same of a deployment, and whether there still is one. */
export interface DeploymentOutcome extends Outcome {
	readonly isThere: boolean;
}

/**
 * Undoes a rollout as far as it has come.
 * @returns the error to throw; this function itself does not throw
 */
export async function undoRollout(
	rollout: Rollout,
	progress: Progress,
	failure: unknown,
	parts: InvokeParts,
): Promise<RolloutError> {
	const cancelled = parts.signal?.aborted === true;
	const calm = calmParts(parts);
	const traffic = await restoreTraffic(rollout, progress, calm);
	const { endpoint, deployment } = rollout;
	const log = progress.sent && !cancelled ? await readLog(rollout, calm) : undefined;
	const rest = await settleDeployment(rollout, progress, calm);
	const left = rollout.endpointCreated ? ` The endpoint ${endpoint.name}, which this run created, is left.` : '';
	return new RolloutError(
		{
			what: cancelled
				? `The rollout of the deployment "${deployment}" on the endpoint "${endpoint.name}" was cancelled during: ${progress.stage}.`
				: `The deployment "${deployment}" on the endpoint "${endpoint.name}" failed: ${progress.stage}.`,
			why: `${reasonOf(failure)} ${traffic.said} ${rest.said}${left}`,
			next: cancelled ? undefined : adviceFor(failure, progress, log !== undefined),
			cause: failure,
		},
		{
			rolledBack: traffic.ok && !servesUpdated(rollout, progress),
			containerLog: log,
			left: leftOf(rollout, rest),
		},
	);
}

/** What the outputs name after a failure. */
export function leftOf(
	{
		endpoint: { name, scoringUri },
		deployment,
	}: {
		readonly endpoint: Pick<OnlineEndpoint, 'name' | 'scoringUri'>;
		readonly deployment: string;
	},
	{ isThere }: Pick<DeploymentOutcome, 'isThere'>,
): LeftOfRollout {
	return { endpointName: name, scoringUri, deploymentName: isThere ? deployment : undefined };
}

/**
 * The parts for a way back. The run's own signal is spent when it was cancelled, and must not stop a restoration half-way
 * in any case.
 */
export function calmParts(parts: EndpointParts): EndpointParts {
	return parts.signal?.aborted === true
		? { ...parts, signal: AbortSignal.timeout(CANCEL_BUDGET), interval: CANCEL_INTERVAL, atOnce: true }
		: { ...parts, signal: undefined };
}

/** Whether live traffic goes to a definition that this run has sent: the map is as before, but what it serves is not. */
function servesUpdated({ endpoint, deployment }: Rollout, { sent }: Progress): boolean {
	return sent && (shareOf(endpoint.traffic, deployment) ?? 0) > 0;
}

function readLog({ endpoint, deployment }: Rollout, calm: EndpointParts): Promise<string | undefined> {
	return containerLog(endpoint.name, deployment, LOG_LINES, { ...calm, signal: AbortSignal.timeout(LOG_BUDGET) });
}

/** The endpoint as it was before a rollout, and what of it the rollout changes. */
type RolloutBefore = Pick<Rollout, 'deployment' | 'mirror'> & {
	readonly endpoint: Pick<OnlineEndpoint, 'name' | 'traffic' | 'mirrorTraffic'>;
};

/** Puts the traffic back, but only where it is still as this run has set it. */
export async function restoreTraffic(
	rollout: RolloutBefore,
	progress: Pick<Progress, 'maps' | 'mirrored'>,
	parts: EndpointParts,
): Promise<Outcome> {
	const { endpoint } = rollout;
	const before = trafficText(endpoint.traffic);
	if (progress.maps.length === 0) return { ok: true, said: `The traffic was not touched (${before}).` };
	try {
		const now = await findEndpoint(endpoint.name, parts);
		if (now === undefined) return { ok: false, said: 'The endpoint is gone: someone has deleted it.' };
		if (sameTraffic(now.traffic, endpoint.traffic) && !progress.mirrored) {
			return { ok: true, said: `The traffic is as before (${before}).` };
		}
		if (!progress.maps.some((map) => sameTraffic(map, now.traffic))) {
			return {
				ok: false,
				said: `The traffic was changed by someone else meanwhile and is left as they set it (${trafficText(now.traffic)}).`,
			};
		}
		await putBack(endpoint, { from: now.traffic, mirror: mirrorBefore(rollout, progress) }, parts);
		parts.log.info(`Traffic of ${endpoint.name}: ${before}, as before.`);
		return { ok: true, said: `The traffic ${parts.atOnce ? 'is being put' : 'was put'} back as before (${before}).` };
	} catch (error) {
		return {
			ok: false,
			said: `The traffic could not be put back to ${before}; ${whyNot(error, 'set it by hand', parts)}`,
		};
	}
}

async function putBack(
	endpoint: RolloutBefore['endpoint'],
	{ from, mirror }: { readonly from: TrafficMap; readonly mirror: TrafficMap },
	parts: EndpointParts,
): Promise<void> {
	try {
		await setTraffic(endpoint.name, { from, to: endpoint.traffic, mirror }, parts);
	} catch (error) {
		if (!(error instanceof ServiceError) || error.status !== 400) throw error;
		// The map may name a deployment with a share of 0 that has been deleted since.
		await setTraffic(endpoint.name, { from, to: servingTraffic(endpoint.traffic) }, parts);
	}
}

/** The mirrored shares to put back: the one that the deployment lost to a live one, or all where this run set them. */
function mirrorBefore(
	{ endpoint, deployment, mirror }: RolloutBefore,
	{ mirrored }: Pick<Progress, 'mirrored'>,
): TrafficMap {
	const before = endpoint.mirrorTraffic;
	if (mirrored) return inPlaceOf(mirror, before);
	const share = shareOf(before, deployment);
	return share === undefined ? {} : { [deployment]: share };
}

/** Deletes a deployment that failed, or leaves it, as was asked for. Does not throw. */
export async function settleDeployment(
	rollout: Pick<Rollout, 'deployment' | 'existed' | 'onFailure'> & { readonly endpoint: { readonly name: string } },
	progress: Pick<Progress, 'sent' | 'settled'>,
	parts: EndpointParts,
): Promise<DeploymentOutcome> {
	const { endpoint, deployment, existed, onFailure } = rollout;
	if (!progress.sent) return { ok: true, isThere: existed, said: 'The deployment was not touched.' };
	if (existed) return left(false, 'The deployment existed before and is kept, as this run has updated it.');
	try {
		const found = await findDeployment(endpoint.name, deployment, parts);
		if (found === undefined) return { ok: true, isThere: false, said: 'The deployment does not exist.' };
		if (onFailure === 'keep') return left(true, 'The deployment is kept for a look.');
		if (progress.settled !== undefined && !sameDeployment(found, progress.settled)) {
			return left(false, 'The deployment was changed by someone else meanwhile and is kept.');
		}
		await deleteDeployment(endpoint.name, deployment, parts);
		return { ok: true, isThere: false, said: `The deployment ${parts.atOnce ? 'is being' : 'was'} deleted.` };
	} catch (error) {
		if (onFailure === 'keep') return left(true, 'The deployment is kept for a look.');
		return left(false, `The deployment could not be deleted and is left; ${whyNot(error, 'it costs on', parts)}`);
	}
}

function left(ok: boolean, said: string): DeploymentOutcome {
	return { ok, isThere: true, said };
}

/** Why a part was not undone, and what that means. A cancelled run has little time, and the post step after it. */
export function whyNot(error: unknown, meaning: string, { atOnce }: Pick<EndpointParts, 'atOnce'>): string {
	const late = error instanceof Error && /^(Timeout|Abort)Error$/.test(error.name);
	if (atOnce === true && late) return 'the time of a cancelled run was over, and the post step tries again.';
	return `${meaning}. ${ending(error instanceof ActionError ? (error.why ?? error.what) : messageOf(error))}`;
}

/** Why something failed, as whole sentences. */
export function reasonOf(failure: unknown): string {
	const text =
		failure instanceof ActionError ? [failure.what, failure.why].filter(Boolean).join(' ') : messageOf(failure);
	return ending(text);
}

function ending(text: string): string {
	return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function adviceFor(failure: unknown, { stage, sent }: Progress, hasLog: boolean): string | undefined {
	if (failure instanceof SmokeTestFailed) return 'Correct the model, or `smoke-test-expect` if the answer is right.';
	const own = failure instanceof ActionError ? failure.next : undefined;
	if (!sent) return own;
	if (hasLog) return `Read the end of the container's log for the cause.${own === undefined ? '' : ` ${own}`}`;
	if (own !== undefined) return own;
	return stage === 'provisioning'
		? 'The container has no log yet, so look at the image, the quota of the instance type, and access to the model; `on-deploy-failure: keep` leaves the deployment for a look.'
		: "Look at the deployment's logs in Azure ML studio; `on-deploy-failure: keep` leaves the deployment for a look.";
}
