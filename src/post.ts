// The post step: finishes what a kill of the main step left undone. It cancels the job that nobody follows any more, and
// undoes the rollout that was cut off.
import { type Connection, connect } from './azure/connect.ts';
import type { Workspace } from './azure/workspace.ts';
import type { Clock } from './clock.ts';
import { undoCutOff } from './endpoint/cut-off.ts';
import { messageOf } from './errors.ts';
import { readInputs } from './inputs.ts';
import { cancelJob } from './job/cancel.ts';
import { findJob, isTerminal, type Job } from './job/job.ts';
import type { World } from './steps/stage.ts';

/** What the main step has kept for this one; empty texts where there is nothing. */
export interface Guarded {
	/** The name of a job. */
	readonly job: string;
	/** The note of a rollout: see cut-off.ts. */
	readonly rollout: string;
}

/** After a cancelled workflow GitHub ends everything within five minutes. */
const ROLLOUT_PATIENCE = 4 * 60_000;

/** Something that is left to do, and what stands in the log where it cannot be done. */
interface Task {
	readonly work: (workspace: Workspace) => Promise<unknown>;
	readonly left: string;
}

/** Finishes what is guarded. Never throws: the main step's result stands. */
export async function post({ log, clock, idToken, ...source }: World, guarded: Guarded): Promise<void> {
	const tasks = tasksOf(guarded, { log, clock });
	if (tasks.length === 0) return;
	let connection: Connection | undefined;
	try {
		const { cloud, auth, target } = readInputs({ ...source, mask: (value) => log.mask(value) });
		if (auth === undefined || target === undefined) return;
		connection = await connect({ cloud, auth, target, idToken, clock, log });
		for (const { work, left } of tasks) {
			await work(connection.workspace).catch((error: unknown) => log.warning(`${left} ${messageOf(error)}`));
		}
	} catch (error) {
		log.warning(`${tasks.map(({ left }) => left).join(' ')} ${messageOf(error)}`);
	} finally {
		await connection?.close();
	}
}

function tasksOf({ job, rollout }: Guarded, { log, clock }: Pick<World, 'log' | 'clock'>): readonly Task[] {
	const cancel: Task = {
		work: (workspace) => cancelGuarded(workspace, job, { log, clock }),
		left: `The job ${job} may still run; cancel it in Azure ML studio.`,
	};
	const undo: Task = {
		work: (workspace) => undoCutOff(rollout, { workspace, log, clock, signal: AbortSignal.timeout(ROLLOUT_PATIENCE) }),
		left: 'The rollout was cut off and may have left traffic or a deployment behind; look at the endpoint in Azure ML studio.',
	};
	return [...(job === '' ? [] : [cancel]), ...(rollout === '' ? [] : [undo])];
}

async function cancelGuarded(workspace: Workspace, name: string, { log, clock }: Pick<World, 'log' | 'clock'>) {
	const job = await awaitJob(workspace, name, clock);
	if (job === undefined || isTerminal(job.status)) return;
	log.info(`The job ${name} was left ${job.status} by the main step.`);
	await cancelJob(workspace, name, log);
}

/** A submission that was under way when the step was killed may take this long to become a job. */
const PATIENCE = 8_000;
const POLL = 300;

async function awaitJob(workspace: Workspace, name: string, clock: Clock): Promise<Job | undefined> {
	const deadline = clock.now() + PATIENCE;
	for (;;) {
		const job = await findJob(workspace, name);
		if (job !== undefined || clock.now() >= deadline) return job;
		await clock.sleep(POLL);
	}
}
