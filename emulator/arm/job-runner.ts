// Starts, cancels and removes the jobs of one emulator, each by its type. What a job does is in the folder jobs/.

import type { JobInput } from '../execution.ts';
import { type CommandPlan, startCommand } from '../jobs/command.ts';
import { distributionOf } from '../jobs/distribution.ts';
import { enterState, type JobScope, type LiveJob } from '../jobs/live-job.ts';
import { Nodes } from '../jobs/nodes.ts';
import type { NamedOutput } from '../jobs/outputs.ts';
import { startPipeline } from '../jobs/pipeline/pipeline.ts';
import { pipelineJobPlan } from '../jobs/pipeline/plan.ts';
import { sweepJobPlan } from '../jobs/sweep/plan.ts';
import { startSweep } from '../jobs/sweep/sweep.ts';
import { MLFLOW_RUN_TYPE, type TrackingKeys } from '../mlflow.ts';
import type { Platform } from '../platform.ts';
import { isTerminal } from '../runs.ts';
import type { Resource } from '../state.ts';
import { ARTIFACT_CONTAINER } from '../storage.ts';
import { type ArmCall, keyOf, objectOf, textOf } from './call.ts';
import { artifactsPath } from './references.ts';

const LONG_AGO = {
	code: 'ServiceError',
	message: 'The emulator stopped while the job was running. Submit the job again.',
};

/** How many commands run at the same time; a real cluster has a limit, too. */
const NODES = 16;

/** `runType` of a job's run, by its `jobType`. Those of sweeps and AutoML jobs are known from the older SDK only. */
const RUN_TYPES: Record<string, string> = {
	Command: 'azureml.commandjob',
	Pipeline: 'azureml.PipelineRun',
	Sweep: 'hyperdrive',
	AutoML: 'automl',
};

/** Starts, follows and cancels the jobs of one emulator. */
export class JobRunner {
	readonly #platform: Platform;
	readonly #keys: TrackingKeys;
	readonly #nodes = new Nodes(NODES);
	readonly #running = new Map<string, LiveJob>();

	/** `keys` let a job's process reach the tracking server. */
	constructor(platform: Platform, keys: TrackingKeys) {
		this.#platform = platform;
		this.#keys = keys;
	}

	/** Ends what an earlier start of the emulator left alive: its processes are gone. */
	failOrphans(): void {
		for (const run of this.#platform.state.runs.list()) {
			if (run.runType === MLFLOW_RUN_TYPE || isTerminal(run.status)) continue;
			this.#platform.state.runs.changeState(run.runId, 'Failed', LONG_AGO);
		}
	}

	/** Makes the run of a new job and starts it. Kinds that cannot run here fail and say so. */
	start(call: ArmCall, job: Resource): void {
		const { properties } = job;
		const { runs } = this.#platform.state;
		if (runs.get(job.name)) runs.remove(job.name);
		const jobType = String(properties['jobType']);
		runs.create({
			runId: job.name,
			experimentName: String(properties['experimentName']),
			displayName: String(properties['displayName']),
			status: String(properties['status']),
			runType: RUN_TYPES[jobType] ?? `azureml.${jobType}`,
			tags: objectOf(properties['tags']) as Record<string, string>,
			properties: objectOf(properties['properties']) as Record<string, string>,
		});
		const live = this.#begin({ platform: this.#platform, keys: this.#keys, nodes: this.#nodes, call }, job);
		const done = live.done.then(() => {
			this.#running.delete(job.name);
			job.properties['status'] = runs.get(job.name)?.status ?? 'Canceled';
		});
		this.#running.set(job.name, { done, cancel: live.cancel });
	}

	/** Asks a job to end. Does nothing when it has. */
	cancel(name: string): void {
		const running = this.#running.get(name);
		if (!running) {
			this.#platform.state.runs.changeState(name, 'Canceled');
			return;
		}
		this.#platform.state.runs.changeState(name, 'CancelRequested');
		running.cancel();
	}

	/** Ends a job that is to be deleted, and forgets its run and those below it with their logs. */
	async remove(call: ArmCall, name: string): Promise<void> {
		const running = this.#running.get(name);
		running?.cancel();
		await running?.done;
		const { runs, resources } = this.#platform.state;
		for (const run of runs.list().filter((one) => one.rootRunId === name || one.runId === name)) {
			runs.remove(run.runId);
			resources.remove(keyOf(call, 'jobs', run.runId));
			// A job of the same name later on must not write on in these logs.
			await this.#platform.storage.removeBelow(ARTIFACT_CONTAINER, `${artifactsPath(run.runId)}/`);
		}
	}

	/** Cancels every job and waits for their ends. */
	async stop(): Promise<void> {
		const all = [...this.#running.values()];
		for (const job of all) job.cancel();
		await Promise.all(all.map((job) => job.done));
	}

	#begin(scope: JobScope, job: Resource): LiveJob {
		switch (job.properties['jobType']) {
			case 'Command':
				return startCommand(scope, commandJobPlan(job));
			case 'Sweep':
				return startSweep(scope, sweepJobPlan(job));
			case 'Pipeline':
				return startPipeline(scope, pipelineJobPlan(scope.call, job));
			default:
				return refuse(scope, job);
		}
	}
}

function commandJobPlan({ name, properties }: Resource): CommandPlan {
	const codeUri = textOf(properties['codeId']);
	const timeout = textOf(objectOf(properties['limits'])['timeout']);
	const distribution = distributionOf(properties['distribution'], properties['resources']);
	return {
		name,
		command: String(properties['command']),
		...(codeUri === undefined ? {} : { codeUri }),
		inputs: objectOf(properties['inputs']) as Record<string, JobInput>,
		outputs: objectOf(properties['outputs']) as Record<string, NamedOutput>,
		environmentVariables: objectOf(properties['environmentVariables']) as Record<string, string>,
		...(timeout === undefined ? {} : { timeout }),
		...(distribution === undefined ? {} : { distribution }),
	};
}

/** A job of a kind that nothing here can run: it ends as failed, never as a pretended success. */
function refuse(scope: JobScope, job: Resource): LiveJob {
	const { platform } = scope;
	const message = `Jobs of type ${job.properties['jobType']} are not emulated: the emulator runs command, sweep and pipeline jobs.`;
	const done = platform.pause(platform.jobStateDelayMs).then(() => {
		const isCanceled = platform.state.runs.get(job.name)?.status === 'CancelRequested';
		if (isCanceled) enterState(scope, job.name, 'Canceled');
		else enterState(scope, job.name, 'Failed', { code: 'ServiceError', message });
	});
	return { done, cancel: () => {} };
}
