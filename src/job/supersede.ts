// Cancels the jobs that this run's job replaces: live ones that earlier runs started on the same track.

import { createSlots } from '../azure/slots.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { RUN_URL_TAG, type RunContext } from '../run-context.ts';
import { cancelJob } from './cancel.ts';
import { isTerminal, type Job } from './job.ts';
import { listJobs } from './job-list.ts';
import type { Track } from './track.ts';

export interface SupersedeParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly run: RunContext;
}

/** A job that was told to stop, or could not be told. */
export interface SupersededJob {
	readonly name: string;
	readonly cancelled: boolean;
}

/** Cancel requests that are under way at once. */
const REQUESTS = 4;

/**
 * Cancels the live jobs of earlier workflow runs on this track. A later run's jobs, and those of other steps of this run,
 * are let be. A failure is told in the log and changes nothing else.
 */
export async function cancelSuperseded(
	track: Track | undefined,
	parts: SupersedeParts,
): Promise<readonly SupersededJob[]> {
	const { workspace, log, clock, signal, run } = parts;
	if (track === undefined || run.runId === undefined) {
		log.warning(
			'Nothing was looked for by `cancel-superseded`: it needs a workflow run, and a pull request or branch that the run is about.',
		);
		return [];
	}
	const live = await liveJobs(track, parts).catch((error: unknown) => {
		signal.throwIfAborted();
		log.warning(`Jobs of earlier runs for ${track.subject} may go on: ${messageOf(error)}`);
		return [];
	});
	const earlier = live.filter((job) => isOfEarlierRun(job, run));
	const slots = createSlots(clock, REQUESTS);
	return Promise.all(
		earlier.map(({ name, status }) =>
			slots.run(async () => {
				signal.throwIfAborted();
				log.info(`The job ${name} (${status}) of an earlier run for ${track.subject} is superseded.`);
				return { name, cancelled: (await cancelJob(workspace, name, log)) !== 'failed' };
			}),
		),
	);
}

async function liveJobs(track: Track, { workspace, signal }: SupersedeParts): Promise<readonly Job[]> {
	const doing = 'look for jobs of earlier runs';
	const jobs = await listJobs(workspace, { tag: track.tag, doing, signal });
	// A job that was told to stop already needs no second request.
	return jobs.filter(({ status }) => !isTerminal(status) && status !== 'CancelRequested');
}

/** The numbers of workflow runs grow. A job that does not say which run it is of is nobody's to cancel. */
function isOfEarlierRun({ tags }: Job, { runId, repository }: RunContext): boolean {
	const [, number] = /\/actions\/runs\/(\d+)$/.exec(tags[RUN_URL_TAG] ?? '') ?? [];
	const known = number !== undefined && runId !== undefined && /^\d+$/.test(runId);
	return known && tags['github.repository'] === repository && BigInt(number) < BigInt(runId);
}
