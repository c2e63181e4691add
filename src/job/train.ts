// The train step: a job file becomes a job that is submitted, followed and judged by its end; or a job that runs is followed.
import type { Publisher } from '../asset/publish.ts';
import type { Http } from '../azure/http.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { duration } from '../duration.ts';
import { ActionError, CancelledError, JobError, ServiceError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Log } from '../log.ts';
import type { RunContext } from '../run-context.ts';
import { awaitEnd, cancelJob } from './cancel.ts';
import { OWNER_PROPERTY, withRunFacts } from './facts-of-run.ts';
import type { JobBody } from './file/context.ts';
import type { JobFile } from './file/index.ts';
import { jobBody, jobComputes } from './file/index.ts';
import { type FollowedJob, followJob } from './follow.ts';
import { findJob, isTerminal, type Job, jobFrom, jobPath } from './job.ts';
import { defaultExperiment, deriveJobName } from './name.ts';
import { cancelSuperseded, type SupersededJob } from './supersede.ts';
import { trackOf } from './track.ts';

export interface TrainRequest {
	/** The job to submit; without it the job `name` is followed. */
	readonly file: { readonly path: string; readonly job: JobFile } | undefined;
	readonly name: string | undefined;
	readonly wait: boolean;
	/** Cancel what earlier runs of the same track have left running, before the job is submitted. */
	readonly cancelSuperseded: boolean;
	/** Milliseconds. */
	readonly timeout: number | undefined;
	readonly onTimeout: 'cancel' | 'detach';
	readonly onCancel: 'cancel' | 'detach';
	/** What makes this step's job another than that of other steps of the same workflow run. */
	readonly identity: Readonly<Record<string, string>>;
}

export interface TrainParts {
	readonly workspace: Workspace;
	readonly publisher: Publisher;
	readonly http: Http;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly run: RunContext;
	/** Told of each fact as soon as it is one, so that the report has it whatever comes later. */
	readonly onFact: (facts: Partial<TrainFacts>) => void;
	/** Keeps the name of a job that must not be left running; undefined once nothing more is to be done about it. */
	readonly guard: (jobName: string | undefined) => void;
}

export interface TrainFacts {
	readonly job: Job;
	/** The job was there already. */
	readonly attached: boolean;
	/** Jobs of earlier runs that were to be cancelled before this one was submitted. */
	readonly superseded: readonly SupersededJob[];
	/** The step ended before the job. */
	readonly detached: boolean;
	/** Milliseconds. */
	readonly took: number;
	readonly lastLines: readonly string[];
}

/** How long the answer to a submission is still waited for after a cancel. */
const SUBMIT_PATIENCE = 2_000;
/** How long the end of a cancelled job is waited for: the runner kills the step ten seconds after its signal. */
const CANCEL_PATIENCE = 3_500;

/**
 * Trains.
 * @returns the job: Completed, or still running where the step was not to wait for it
 * @throws JobError when the job ends otherwise than Completed
 */
export async function train(request: TrainRequest, parts: TrainParts): Promise<Job> {
	const job =
		request.file === undefined ? await attach(request.name ?? '', parts) : await submit(request.file, request, parts);
	parts.onFact({ job });
	if (job.studioUrl !== undefined) parts.log.info(`Studio: ${job.studioUrl}`);
	if (!request.wait) {
		parts.guard(undefined);
		parts.onFact({ detached: true });
		return job;
	}
	return guarded(job.name, request, parts, () => followToEnd(job, request, parts));
}

async function attach(name: string, { workspace, log, guard, onFact, signal }: TrainParts): Promise<Job> {
	const job = await findJob(workspace, name, signal);
	if (job === undefined) {
		throw new ActionError({
			what: `There is no job "${name}" in the workspace ${workspace.workspace}.`,
			next: 'Check `job-name` and `workspace`; to submit a new job give `job-file`.',
		});
	}
	log.info(`Following the job ${name}, which is ${job.status}.`);
	onFact({ attached: true });
	if (!isTerminal(job.status)) guard(name);
	return job;
}

async function submit(file: NonNullable<TrainRequest['file']>, request: TrainRequest, parts: TrainParts): Promise<Job> {
	const { workspace, publisher, log, run, guard, signal } = parts;
	const owner = deriveJobName(file.path, request.identity, run);
	const wanted = request.name ?? file.job.name;
	const { name, live } = wanted === undefined ? await freeName(owner, parts) : await ownName(wanted, owner, parts);
	if (live !== undefined) {
		log.info(
			`The job ${name} of this workflow run is alive already (${live.status}): following it instead of training twice.`,
		);
		parts.onFact({ attached: true });
		guard(name);
		return live;
	}
	const computes = jobComputes(file.job).map((reference) => ({ need: 'reference' as const, reference }));
	await publisher.publish([...computes, ...file.job.dependencies]);
	const body = withRunFacts(
		jobBody(file.job, {
			workspaceId: workspace.id,
			idOf: publisher.idOf,
			name,
			experimentName: defaultExperiment(run),
		}),
		run,
		{ owner, jobFile: file.path },
	);
	if (request.cancelSuperseded) {
		parts.onFact({ superseded: await cancelSuperseded(trackOf(run, file.path), parts) });
	}
	// Kept before the request: should the step be killed while it is under way, the post step knows what to look for.
	guard(name);
	return guarded(name, request, parts, async () => {
		const answer = await putJob(name, body, parts);
		signal.throwIfAborted();
		const job = jobFrom(answer ?? null, workspace, name);
		log.info(`Submitted the job ${job.name} (experiment ${job.experimentName}).`);
		return job;
	});
}

/** Sends the body. A cancel of the workflow does not stop it at once: only a job that exists can be cancelled. */
async function putJob(name: string, body: JobBody, parts: TrainParts): Promise<Json | undefined> {
	const { workspace, signal, clock, guard } = parts;
	signal.throwIfAborted();
	const late = new AbortController();
	const giveUp = (): void => void clock.sleep(SUBMIT_PATIENCE).then(() => late.abort(signal.reason));
	signal.addEventListener('abort', giveUp, { once: true });
	try {
		const call = { doing: `submit the job "${name}"`, signal: late.signal };
		return (await workspace.arm.put(jobPath(workspace, name), { properties: body.properties }, call)).body;
	} catch (error) {
		// A refusal is certain; after anything else there may be a job for the post step to find.
		if (error instanceof ServiceError && [400, 401, 403, 404].includes(error.status)) guard(undefined);
		throw error;
	} finally {
		signal.removeEventListener('abort', giveUp);
	}
}

/** The first of `owner`, `owner-2`, … that is free, or that a live job of this very run has. */
async function freeName(owner: string, { workspace, signal }: TrainParts): Promise<{ name: string; live?: Job }> {
	for (let turn = 1; ; turn += 1) {
		const name = turn === 1 ? owner : `${owner}-${turn}`;
		const job = await findJob(workspace, name, signal);
		if (job === undefined) return { name };
		if (!isTerminal(job.status)) return { name, live: job };
	}
}

/** A name that was given is used once; only this workflow run may find its own job there. */
async function ownName(
	name: string,
	owner: string,
	{ workspace, signal }: TrainParts,
): Promise<{ name: string; live?: Job }> {
	const job = await findJob(workspace, name, signal);
	if (job === undefined) return { name };
	if (job.properties[OWNER_PROPERTY] === owner && !isTerminal(job.status)) return { name, live: job };
	throw new ActionError({
		what: `The name "${name}" is taken: the workspace has a job of that name (${job.status}).`,
		why: 'A job name can be used once; a second submission would only change the tags of the first job.',
		next: 'Give another `job-name`, e.g. one that holds `github.run_id`, or none, so that one is derived; to follow the existing job give `job-name` without `job-file`.',
	});
}

/** Does the work; when the workflow is cancelled meanwhile, deals with the job before it passes that on. */
async function guarded<T>(
	name: string,
	{ onCancel }: TrainRequest,
	parts: TrainParts,
	work: () => Promise<T>,
): Promise<T> {
	const { signal, log, workspace, clock, guard } = parts;
	try {
		return await work();
	} catch (error) {
		if (!signal.aborted) throw error;
		if (onCancel === 'detach') {
			guard(undefined);
			log.warning(`The job ${name} goes on in Azure ML, as \`on-cancel: detach\` asks for.`);
			throw signal.reason;
		}
		const outcome = await cancelJob(workspace, name, log);
		const status = outcome === 'failed' ? undefined : await awaitEnd(workspace, name, CANCEL_PATIENCE, clock);
		// An accepted request needs no second one; where it failed the post step tries again.
		if (outcome !== 'failed') guard(undefined);
		throw new CancelledError({
			what: 'The workflow was cancelled.',
			why:
				outcome === 'failed'
					? `The job ${name} could not be cancelled yet.`
					: `The job ${name} was told to stop (${status}).`,
			cause: signal.reason,
		});
	}
}

async function followToEnd(job: Job, request: TrainRequest, parts: TrainParts): Promise<Job> {
	const { workspace, http, log, clock, signal, onFact, guard } = parts;
	const followed = await followJob(job.name, { workspace, http, log, clock, signal, timeout: request.timeout });
	onFact({ job: followed.job, took: followed.watched, lastLines: followed.lastLines });
	if (followed.end === 'timeout') return timedOut(followed, request, parts);
	guard(undefined);
	if (followed.job.status !== 'Completed') throw endedBadly(followed);
	log.info(`The job ${job.name} is Completed after ${duration(followed.watched)}.`);
	return followed.job;
}

async function timedOut(followed: FollowedJob, { onTimeout }: TrainRequest, parts: TrainParts): Promise<Job> {
	const { workspace, log, clock, onFact, guard } = parts;
	const { job, watched, lastLines } = followed;
	if (onTimeout === 'detach') {
		guard(undefined);
		onFact({ detached: true });
		log.warning(
			`The job ${job.name} is still ${job.status} after ${duration(watched)} (\`timeout-minutes\`) and goes on in Azure ML. Follow it later with \`job-name: ${job.name}\`.`,
		);
		return job;
	}
	const outcome = await cancelJob(workspace, job.name, log);
	const status = await awaitEnd(workspace, job.name, 60_000, clock);
	if (outcome !== 'failed') guard(undefined);
	onFact({ job: { ...job, status } });
	throw new JobError(
		{
			what: `The job ${job.name} was not done after ${duration(watched)}, the time that \`timeout-minutes\` gives it, and was cancelled (${status}).`,
			next: 'Give it more time, or set `on-timeout: detach` to let it go on without this step.',
		},
		status,
		lastLines,
	);
}

function endedBadly({ job, error, lastLines }: FollowedJob): JobError {
	const canceled = job.status === 'Canceled';
	return new JobError(
		{
			what: `The job ${job.name} ended as ${job.status}.`,
			why:
				error?.message ??
				(canceled
					? 'It was cancelled in Azure ML, or ran into its own `limits.timeout`.'
					: 'Run history gives no reason.'),
			next: canceled
				? undefined
				: `${lastLines.length > 0 ? 'The last lines of its log are above and in the summary.' : 'It has no log: look at its system logs in Azure ML studio.'}`,
		},
		job.status,
		lastLines,
	);
}
