// What the metrics of a job are compared with: the last Completed job of the same file on the base branch.
import { artifactRun } from '../asset/job-content.ts';
import type { Workspace } from '../azure/workspace.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RunContext } from '../run-context.ts';
import type { Job } from './job.ts';
import { listJobs } from './job-list.ts';
import { type Metrics, readMetrics } from './metrics.ts';
import { baseTrackOf, trackOf } from './track.ts';

export interface BaseParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly signal: AbortSignal;
	readonly run: RunContext;
}

/** The job that a job is compared with, and what it has measured. */
export interface BaseJob {
	/** Name of the base branch. */
	readonly label: string;
	readonly job: string;
	/** The run that has its metrics: of a sweep the best trial. */
	readonly runId: string;
	readonly metrics: Metrics;
}

/** By this tag a job that is only followed says which file it is of. */
const FILE_TAG = 'github.job_file';

/**
 * Finds the job to compare with and reads its metrics. Undefined where there is none, or none can be looked for: that is told
 * in the log, and a comparison is no reason to fail.
 * @param jobFile as the workflow names it; the job's own tag counts where absent
 */
export async function findBaseJob(
	job: Job,
	jobFile: string | undefined,
	parts: BaseParts,
): Promise<BaseJob | undefined> {
	const { workspace, log, signal, run } = parts;
	const file = jobFile ?? job.tags[FILE_TAG];
	const base = file === undefined ? undefined : baseTrackOf(run, file);
	if (file === undefined || base === undefined) return undefined;
	// A run on the base branch itself is compared with the one before. One of a pull request may have reused the base's job.
	const onBase = trackOf(run, file)?.tag === base.track.tag;
	try {
		const doing = `look for the last job on ${base.branch}`;
		const jobs = await listJobs(workspace, { tag: base.track.tag, doing, signal });
		const last = jobs.find(({ name, status }) => status === 'Completed' && !(onBase && name === job.name));
		if (last === undefined) return undefined;
		const runId = artifactRun(last);
		return { label: base.branch, job: last.name, runId, metrics: await readMetrics(workspace, runId, signal) };
	} catch (error) {
		signal.throwIfAborted();
		log.info(`The metrics are not compared with those of ${base.branch}: ${messageOf(error)}`);
		return undefined;
	}
}
