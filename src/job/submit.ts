// Submits a job under a name that is its own: which names are free, and the one PUT.
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { ActionError, ServiceError } from '../errors.ts';
import { textAt } from '../json.ts';
import { OWNER_PROPERTY } from './facts-of-run.ts';
import type { JobBody } from './file/context.ts';
import { findJob, isTerminal, type Job, jobFrom, jobPath } from './job.ts';

/** What a submission needs. */
export interface SubmitParts {
	readonly workspace: Workspace;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	/** Told `undefined` once it is certain that there is no job. */
	readonly guard: (jobName: string | undefined) => void;
}

/** A name for the job of this run. */
export interface JobPlace {
	readonly name: string;
	/** The job of this very run that has the name and is alive. */
	readonly live?: Job;
	/** Why no job can be submitted under the name. */
	readonly fault?: ActionError;
}

/** How long the answer to a submission is still waited for after a cancel. */
const SUBMIT_PATIENCE = 2_000;

/**
 * Sends the body. A cancel of the workflow does not stop it at once: only a job that exists can be cancelled.
 * @throws ServiceError where the service refuses it
 */
export async function submitJob(name: string, body: JobBody, parts: SubmitParts): Promise<Job> {
	const { workspace, signal, clock, guard } = parts;
	signal.throwIfAborted();
	const late = new AbortController();
	const giveUp = (): void => void clock.sleep(SUBMIT_PATIENCE).then(() => late.abort(signal.reason));
	signal.addEventListener('abort', giveUp, { once: true });
	try {
		const asUser = textAt(body.properties, 'identity', 'identityType') === 'UserIdentity';
		const call = { doing: `submit the job "${name}"`, signal: late.signal, asUser };
		const answer = await workspace.arm.put(jobPath(workspace, name), { properties: body.properties }, call);
		return jobFrom(answer.body ?? null, workspace, name);
	} catch (error) {
		// A refusal is certain; after anything else there may be a job for the post step to find.
		if (error instanceof ServiceError && [400, 401, 403, 404].includes(error.status)) guard(undefined);
		throw error;
	} finally {
		signal.removeEventListener('abort', giveUp);
	}
}

/** The first of `owner`, `owner-2`, … that is free, or that a live job of this very run has. */
export async function freeName(
	owner: string,
	{ workspace, signal }: Pick<SubmitParts, 'workspace' | 'signal'>,
): Promise<JobPlace> {
	for (let turn = 1; ; turn += 1) {
		const name = turn === 1 ? owner : `${owner}-${turn}`;
		const job = await findJob(workspace, name, signal);
		if (job === undefined) return { name };
		if (!isTerminal(job.status)) return { name, live: job };
	}
}

/** A name that was given is used once; only this workflow run may find its own job there. */
export async function ownName(
	name: string,
	owner: string,
	{ workspace, signal }: Pick<SubmitParts, 'workspace' | 'signal'>,
): Promise<JobPlace> {
	const job = await findJob(workspace, name, signal);
	if (job === undefined) return { name };
	if (job.properties[OWNER_PROPERTY] === owner && !isTerminal(job.status)) return { name, live: job };
	const fault = new ActionError({
		what: `The name "${name}" is taken: the workspace has a job of that name (${job.status}).`,
		why: 'A job name can be used once; a second submission would only change the tags of the first job.',
		next: 'Give another `job-name`, e.g. one that holds `github.run_id`, or none, so that one is derived; to follow the existing job give `job-name` without `job-file`.',
	});
	return { name, fault };
}
