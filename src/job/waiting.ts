// Why a job waits: what the compute it is to run on says of its nodes.
import type { Workspace } from '../azure/workspace.ts';
import { at, listAt, numberAt, objectAt, textAt } from '../json.ts';
import type { Job } from './job.ts';

/**
 * What the job's compute says of its nodes, in a few words: `cpu-cluster has 0 of at most 4 nodes, 2 on their way`.
 * Undefined for a job on serverless compute, and for a compute that is no cluster of ours.
 * @throws ServiceError where the compute cannot be read
 */
export async function nodesOf(
	workspace: Workspace,
	{ computeId }: Job,
	signal?: AbortSignal,
): Promise<string | undefined> {
	const name = /\/computes\/([^/]+)$/.exec(computeId ?? '')?.[1];
	if (name === undefined) return undefined;
	const found = await workspace.arm.find(`${workspace.id}/computes/${name}`, {
		doing: `look at the compute "${name}"`,
		signal,
	});
	const compute = objectAt(found, 'properties');
	const settings = objectAt(compute, 'properties');
	if (textAt(compute, 'computeType') === 'ComputeInstance') {
		const state = textAt(settings, 'state');
		return state === undefined ? undefined : `the compute instance ${name} is ${state}`;
	}
	const now = numberAt(settings, 'currentNodeCount');
	if (now === undefined) return undefined;
	const most = numberAt(settings, 'scaleSettings', 'maxNodeCount');
	const wanted = numberAt(settings, 'targetNodeCount') ?? now;
	const counts = at(settings, 'nodeStateCounts');
	const states = ['running', 'preparing', 'idle', 'unusable', 'preempted'].flatMap((state) => {
		const count = numberAt(counts, `${state}NodeCount`) ?? 0;
		return count > 0 ? [`${count} ${state}`] : [];
	});
	const error = textAt(listAt(settings, 'errors')[0], 'error', 'message');
	return [
		`${name} has ${now}${most === undefined ? '' : ` of at most ${most}`} nodes`,
		...(states.length > 0 ? [`(${states.join(', ')})`] : []),
		...(wanted > now ? [`and ${wanted - now} on their way`] : []),
		...(error === undefined ? [] : [`; its error: ${error.split('\n')[0]}`]),
	].join(' ');
}
