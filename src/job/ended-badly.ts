// What is said of a job that ended otherwise than Completed.
import { JobError } from '../errors.ts';
import type { FollowedJob } from './follow.ts';
import type { Fault } from './traceback-place.ts';

function faultText({ exception, where, within }: Fault): string {
	if (where === undefined) return `${exception}.`;
	return `${exception} (${where.file}:${where.line}${within === undefined ? '' : `, in ${within}`}).`;
}

/** @param fault what its program died of, as far as its log tells */
export function endedBadly({ job, error, failedChild, lastLines }: FollowedJob, fault: Fault | undefined): JobError {
	const canceled = job.status === 'Canceled';
	// What a job prints while it is being stopped is not why it ended.
	const raised = canceled || fault === undefined ? undefined : fault;
	return new JobError(
		{
			what: `The job ${job.name} ended as ${job.status}${failedChild === undefined ? '' : `: ${failedChild.what}`}.`,
			why: [
				raised && faultText(raised),
				error?.message ??
					(canceled
						? 'It was cancelled in Azure ML, or ran into its own `limits.timeout`.'
						: raised === undefined && 'Run history gives no reason.'),
			]
				.filter(Boolean)
				.join(' '),
			where: raised?.where,
			next: canceled ? undefined : whereToLook(lastLines, failedChild?.unread),
		},
		job.status,
		lastLines,
	);
}

function whereToLook(lastLines: readonly string[], unread: string | undefined): string {
	if (lastLines.length > 0) return 'The last lines of its log are above and in the summary.';
	if (unread !== undefined)
		return 'Its log could not be read, as the gap line above tells: look at it in Azure ML studio.';
	return 'It has no log: look at its system logs in Azure ML studio.';
}
