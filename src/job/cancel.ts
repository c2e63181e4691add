// Cancels a job and sees whether the service has taken it.
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { messageOf, ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import { findJob, isTerminal, jobPath } from './job.ts';

/** How a cancel request ended. */
export type CancelOutcome = 'accepted' | 'already-ended' | 'failed';

/** The runner kills the step ten seconds after the cancel; the answer must be in before. */
const LONGEST_REQUEST = 6_000;

/**
 * Asks the service to cancel a job and waits for its answer, not for the job's end. Never throws: a failure is told in the log.
 */
export async function cancelJob(workspace: Workspace, name: string, log: Log): Promise<CancelOutcome> {
	try {
		await workspace.arm.post(`${jobPath(workspace, name)}/cancel`, undefined, {
			doing: `cancel the job "${name}"`,
			signal: AbortSignal.timeout(LONGEST_REQUEST),
		});
		log.info(`Asked Azure ML to cancel the job ${name}.`);
		return 'accepted';
	} catch (error) {
		if (error instanceof ServiceError && error.status === 400 && /terminal/i.test(error.message))
			return 'already-ended';
		log.warning(`The job ${name} could not be cancelled and may still run: ${messageOf(error)}`);
		return 'failed';
	}
}

/** Waits, for at most `patience` milliseconds, until a job that was asked to stop has ended. @returns its last known state */
export async function awaitEnd(workspace: Workspace, name: string, patience: number, clock: Clock): Promise<string> {
	const deadline = clock.now() + patience;
	let status = 'CancelRequested';
	for (;;) {
		try {
			status =
				(await findJob(workspace, name, AbortSignal.timeout(Math.max(1, Math.min(5_000, patience)))))?.status ?? status;
		} catch {
			// The state is a courtesy here: the request itself has been answered.
		}
		if (isTerminal(status) || clock.now() >= deadline) return status;
		await clock.sleep(700);
	}
}
