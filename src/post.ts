// The post step: finishes what a kill of the main step left undone. It cancels the job that nobody follows any more.
import { connect } from './azure/connect.ts';
import type { Workspace } from './azure/workspace.ts';
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import { readInputs } from './inputs.ts';
import { cancelJob } from './job/cancel.ts';
import { findJob, isTerminal, type Job } from './job/job.ts';
import type { World } from './steps/stage.ts';

/** Cancels the guarded job if it is still alive. Never throws: the main step's result stands. */
export async function post({ log, clock, idToken, ...source }: World, jobName: string): Promise<void> {
	if (jobName === '') return;
	try {
		const { cloud, auth, target } = readInputs({ ...source, mask: (value) => log.mask(value) });
		if (auth === undefined || target === undefined) return;
		const connection = await connect({ cloud, auth, target, idToken, clock, log });
		try {
			const job = await awaitJob(connection.workspace, jobName, clock);
			if (job === undefined || isTerminal(job.status)) return;
			log.info(`The job ${jobName} was left ${job.status} by the main step.`);
			await cancelJob(connection.workspace, jobName, log);
		} finally {
			await connection.close();
		}
	} catch (error) {
		log.warning(`The job ${jobName} may still run; cancel it in Azure ML studio. ${messageOf(error)}`);
	}
}

/** A submission that was under way when the step was killed may take this long to become a job. */
const PATIENCE = 8_000;

async function awaitJob(workspace: Workspace, name: string, clock: Clock): Promise<Job | undefined> {
	const deadline = clock.now() + PATIENCE;
	for (;;) {
		const job = await findJob(workspace, name);
		if (job !== undefined || clock.now() >= deadline) return job;
		await clock.sleep(1_000);
	}
}
