// The train step: a job file becomes a job that is submitted, followed and judged by its end; or a job that runs is followed.
import type { Publisher } from '../asset/publish.ts';
import type { Http } from '../azure/http.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { duration } from '../duration.ts';
import { ActionError, CancelledError, JobError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RunContext } from '../run-context.ts';
import { awaitEnd, cancelJob } from './cancel.ts';
import { endedBadly } from './ended-badly.ts';
import { withRunFacts } from './facts-of-run.ts';
import type { JobBody } from './file/context.ts';
import type { JobFile } from './file/index.ts';
import { jobBody, jobComputes } from './file/index.ts';
import { type FollowedJob, type FollowParts, followJob } from './follow.ts';
import { findJob, isTerminal, type Job } from './job.ts';
import { defaultExperiment, deriveJobName } from './name.ts';
import { contentOf, findReusable, inputsByPlace } from './reuse.ts';
import { freeName, ownName, submitJob } from './submit.ts';
import { cancelSuperseded, type SupersededJob } from './supersede.ts';
import { TracebackReader } from './traceback.ts';
import { faultOf, uploadedCode } from './traceback-place.ts';
import { trackOf } from './track.ts';

export interface TrainRequest {
	/** The job to submit; without it the job `name` is followed. */
	readonly file: { readonly path: string; readonly job: JobFile } | undefined;
	readonly name: string | undefined;
	/** What the name was made from, where it was no valid one. */
	readonly writtenName?: string | undefined;
	readonly wait: boolean;
	/** Cancel what earlier runs of the same track have left running, before the job is submitted. */
	readonly cancelSuperseded: boolean;
	/** Take a Completed job of identical content instead of submitting one. */
	readonly reuse: boolean;
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
	/** How following hears what the services say of their limits. */
	readonly onAnswer?: FollowParts['onAnswer'];
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
	/** The name of a job that is submitted, whether or not there comes to be one; empty once it is certain that there is none. */
	readonly intended: string;
	readonly job: Job;
	/** The job was there already. */
	readonly attached: boolean;
	/** Whether a Completed job of identical content was taken; told only where that was asked for. */
	readonly reused: boolean;
	/** Jobs of earlier runs that were to be cancelled before this one was submitted. */
	readonly superseded: readonly SupersededJob[];
	/** The step ended before the job. */
	readonly detached: boolean;
	/** Milliseconds. */
	readonly took: number;
	readonly lastLines: readonly string[];
}

/** How long the end of a cancelled job is waited for: the runner kills the step ten seconds after its signal. */
const CANCEL_PATIENCE = 3_500;

/** The job that the step goes on with. */
interface Taken {
	readonly job: Job;
	/** It had done the same before this run, so that there is nothing to follow. */
	readonly reused?: true;
}

/**
 * Trains.
 * @returns the job: Completed, or still running where the step was not to wait for it
 * @throws JobError when the job ends otherwise than Completed
 */
export async function train(request: TrainRequest, parts: TrainParts): Promise<Job> {
	const { name, writtenName } = request;
	if (writtenName !== undefined) parts.log.info(`\`job-name\` "${writtenName}" is no valid name; made valid: ${name}.`);
	const { job, reused } =
		request.file === undefined
			? { job: await attach(request.name ?? '', parts), reused: undefined }
			: await submit(request.file, request, parts);
	parts.onFact({ job });
	if (job.studioUrl !== undefined) parts.log.info(`Studio: ${job.studioUrl}`);
	if (reused) return job;
	if (!request.wait) {
		parts.guard(undefined);
		parts.onFact({ detached: true });
		return job;
	}
	const target = { name: job.name, job };
	return guarded(target, request, parts, () => followToEnd(target, request, parts));
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

async function submit(
	file: NonNullable<TrainRequest['file']>,
	request: TrainRequest,
	parts: TrainParts,
): Promise<Taken> {
	const { publisher, log, run, guard, signal } = parts;
	const owner = deriveJobName(file.path, request.identity, run);
	const wanted = request.name ?? file.job.name;
	const computes = jobComputes(file.job).map((reference) => ({ need: 'reference' as const, reference }));
	const needed = [...computes, ...file.job.dependencies];
	const unneeded = new AbortController();
	// Beside the look for the name. What it finds fault with is told by `publish`, and only if something is submitted at all.
	publisher.check(needed, unneeded.signal).catch(() => {});
	const place = await (wanted === undefined ? freeName(owner, parts) : ownName(wanted, owner, parts)).catch((error) => {
		unneeded.abort();
		throw error;
	});
	const { name, live } = place;
	if (live !== undefined) {
		unneeded.abort();
		log.info(
			`The job ${name} of this workflow run is alive already (${live.status}): following it instead of training twice.`,
		);
		parts.onFact({ attached: true });
		guard(name);
		return { job: live };
	}
	// A name that is taken need not be free for a job that is not submitted.
	if (place.fault !== undefined && !request.reuse) {
		unneeded.abort();
		throw place.fault;
	}
	await publisher.publish(needed);
	const body = bodyOf(file, { owner, name, writtenName: request.writtenName }, parts);
	if (request.cancelSuperseded) {
		parts.onFact({ superseded: await cancelSuperseded(trackOf(run, file.path), parts) });
	}
	const done = request.reuse ? await reuse(body, parts) : undefined;
	if (done !== undefined) return { job: done, reused: true };
	if (place.fault !== undefined) throw place.fault;
	// Kept before the request: should the step be killed while it is under way, the post step knows what to look for.
	const keep = (kept: string | undefined): void => {
		guard(kept);
		parts.onFact({ intended: kept ?? '' });
	};
	keep(name);
	return guarded({ name }, request, parts, async () => {
		const job = await submitJob(name, body, { ...parts, guard: keep });
		signal.throwIfAborted();
		log.info(`Submitted the job ${job.name} (experiment ${job.experimentName}).`);
		return { job };
	});
}

function bodyOf(
	file: NonNullable<TrainRequest['file']>,
	{ owner, name, writtenName }: { owner: string; name: string; writtenName: string | undefined },
	{ workspace, publisher, run }: TrainParts,
): JobBody {
	const { idOf } = publisher;
	const body = jobBody(file.job, { workspaceId: workspace.id, idOf, name, experimentName: defaultExperiment(run) });
	const content = contentOf(body, publisher.made());
	return withRunFacts(body, run, { owner, jobFile: file.path, content, writtenName });
}

/** The job that has done the same before, told as taken. */
async function reuse(body: JobBody, parts: TrainParts): Promise<Job | undefined> {
	const { log, publisher, onFact } = parts;
	const job = await findReusable(body, parts);
	onFact({ reused: job !== undefined });
	if (job === undefined) {
		log.info('No Completed job of identical content was found: training.');
		return undefined;
	}
	log.info(`Took the job ${job.name}, Completed with identical content, instead of training again (\`reuse\`).`);
	const byPlace = inputsByPlace(body, publisher.made());
	if (byPlace.length > 0)
		log.info(`What lies at the inputs ${byPlace.join(', ')} was taken to be unchanged: they name a place in storage.`);
	return job;
}

/** A job that is not to be left running, as far as it is known. */
interface Guarded {
	readonly name: string;
	job?: Job;
}

/** Does the work; when the workflow is cancelled meanwhile, deals with the job before it passes that on. */
async function guarded<T>(
	target: Guarded,
	{ onCancel }: TrainRequest,
	parts: TrainParts,
	work: () => Promise<T>,
): Promise<T> {
	const { signal, log, workspace, clock, guard, onFact } = parts;
	const { name } = target;
	try {
		return await work();
	} catch (error) {
		if (!signal.aborted) throw error;
		if (target.job !== undefined && isTerminal(target.job.status)) throw signal.reason;
		if (onCancel === 'detach') {
			guard(undefined);
			throw new CancelledError({
				what: 'The workflow was cancelled.',
				why: `The job ${name} goes on in Azure ML, as \`on-cancel: detach\` asks for.`,
				next: `Follow it later with \`job-name: ${name}\`.`,
				cause: signal.reason,
			});
		}
		const outcome = await cancelJob(workspace, name, log);
		const status = outcome === 'failed' ? undefined : await awaitEnd(workspace, name, CANCEL_PATIENCE, clock);
		// An accepted request needs no second one; where it failed the post step tries again.
		if (outcome !== 'failed') guard(undefined);
		if (target.job !== undefined && status !== undefined) onFact({ job: { ...target.job, status } });
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

async function followToEnd(target: Guarded & { job: Job }, request: TrainRequest, parts: TrainParts): Promise<Job> {
	const { log, onFact, guard } = parts;
	const { job } = target;
	const onState = (status: string): void => {
		target.job = { ...job, status };
		onFact({ job: target.job });
		// Its log is still to be read, but there is nothing to cancel any more.
		if (isTerminal(status)) guard(undefined);
	};
	const tracebacks = new TracebackReader();
	const watched: Log = {
		...log,
		foreign: (line) => {
			tracebacks.see(line);
			log.foreign(line);
		},
	};
	const { timeout } = request;
	const followed = await followJob(job.name, { ...parts, log: watched, timeout, onState });
	onFact({ job: followed.job, took: followed.watched, lastLines: followed.lastLines });
	if (followed.end === 'timeout') return timedOut(followed, request, parts);
	guard(undefined);
	if (followed.job.status !== 'Completed') {
		const code = uploadedCode(request.file?.job.dependencies ?? []);
		throw endedBadly(followed, faultOf(tracebacks.found, code, parts.run.checkout));
	}
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
