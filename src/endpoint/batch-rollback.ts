// What happens when a rollout on a batch endpoint fails or is cancelled: the default deployment goes back to what it was,
// the new deployment goes or stays, and one error tells all of it.
import { ActionError, RolloutError } from '../errors.ts';
import type { BatchProgress, BatchRollout } from './batch-deploy.ts';
import { findBatchEndpoint, setDefaultDeployment } from './batch-endpoint.ts';
import type { EndpointParts } from './online-wait.ts';
import {
	calmParts,
	type DeploymentOutcome,
	leftOf,
	type Outcome,
	reasonOf,
	settleDeployment,
	whyNot,
} from './rollback.ts';
import { sameName } from './traffic.ts';

/**
 * Undoes a rollout as far as it has come.
 * @returns the error to throw; this function itself does not throw
 */
export async function undoBatch(
	rollout: BatchRollout,
	progress: BatchProgress,
	failure: unknown,
	parts: EndpointParts,
): Promise<RolloutError> {
	const { endpoint, deployment, endpointCreated } = rollout;
	const cancelled = parts.signal?.aborted === true;
	const calm = calmParts(parts);
	const restored = await restoreDefault(rollout, progress, calm);
	const rest = restored.serves ? KEPT_AS_DEFAULT : await settleDeployment(rollout, progress, calm);
	const left = endpointCreated ? ` The endpoint ${endpoint.name}, which this run created, is left.` : '';
	const updatedDefault = progress.sent && sameName(endpoint.defaultDeployment, deployment);
	return new RolloutError(
		{
			what: cancelled
				? `The rollout of the deployment "${deployment}" on the batch endpoint "${endpoint.name}" was cancelled during: ${progress.stage}.`
				: `The deployment "${deployment}" on the batch endpoint "${endpoint.name}" failed: ${progress.stage}.`,
			why: `${reasonOf(failure)} ${restored.said} ${rest.said}${left}`,
			next: cancelled ? undefined : adviceFor(failure, progress),
			cause: failure,
		},
		{ rolledBack: restored.ok && !updatedDefault, left: leftOf(rollout, rest) },
	);
}

const KEPT_AS_DEFAULT: DeploymentOutcome = {
	ok: false,
	isThere: true,
	said: 'The deployment is kept, because it may be the default one.',
};

/** Puts the default deployment back, but only where it is still as this run has set it. `serves`: the new one may be it. */
export async function restoreDefault(
	{
		endpoint,
		deployment,
	}: { readonly endpoint: Pick<BatchRollout['endpoint'], 'name' | 'defaultDeployment'>; readonly deployment: string },
	{ switched }: Pick<BatchProgress, 'switched'>,
	parts: EndpointParts,
): Promise<Outcome & { readonly serves: boolean }> {
	const before = endpoint.defaultDeployment ?? 'none';
	if (!switched) return { ok: true, serves: false, said: `The default deployment was not touched (${before}).` };
	try {
		const now = await findBatchEndpoint(endpoint.name, parts);
		if (now === undefined) {
			return { ok: false, serves: false, said: 'The endpoint is gone: someone has deleted it.' };
		}
		if (sameName(now.defaultDeployment, endpoint.defaultDeployment)) {
			return { ok: true, serves: false, said: `The default deployment is as before (${before}).` };
		}
		if (!sameName(now.defaultDeployment, deployment)) {
			return {
				ok: false,
				serves: false,
				said: `The default deployment was changed by someone else meanwhile and is left as they set it (${now.defaultDeployment ?? 'none'}).`,
			};
		}
		await setDefaultDeployment(endpoint.name, { from: deployment, to: endpoint.defaultDeployment }, parts);
		const done = parts.atOnce ? 'is being put' : 'was put';
		return { ok: true, serves: false, said: `The default deployment ${done} back as before (${before}).` };
	} catch (error) {
		return {
			ok: false,
			serves: true,
			said: `The default deployment could not be put back to ${before}; ${whyNot(error, 'set it by hand', parts)}`,
		};
	}
}

function adviceFor(failure: unknown, { sent, job }: BatchProgress): string | undefined {
	const own = failure instanceof ActionError ? failure.next : undefined;
	if (job !== undefined) {
		const look = `Look at the job ${job} in Azure ML studio; the log of its scoring step has the cause.`;
		return own === undefined ? look : `${look} ${own}`;
	}
	if (own !== undefined || !sent) return own;
	return 'Look at the deployment in Azure ML studio; `on-deploy-failure: keep` leaves it for a look.';
}
