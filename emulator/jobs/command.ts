// A command as a run of the workspace: queued, executed by a process of this machine, its outputs made into assets.
// Command jobs, the trials of sweeps and the steps of pipelines all are such runs.

import { mkdir } from 'node:fs/promises';
import { artifactsPath, References } from '../arm/references.ts';
import { startCommandJob } from '../compute/command-job.ts';
import type { CommandRun, JobSite, JobState, RunError, RunningJob } from '../execution.ts';
import { blobsAt, fetchPlace, storeAt } from '../files.ts';
import { isTerminal } from '../runs.ts';
import { ARTIFACT_CONTAINER } from '../storage.ts';
import { trackingVariables } from '../tracking-address.ts';
import { enterState, isOver, type JobScope, type LiveJob, runOf } from './live-job.ts';
import { type NamedOutput, registerOutputs } from './outputs.ts';

/** A command that is to run under the name of a run that exists already. */
export interface CommandPlan extends Omit<CommandRun, 'outputs'> {
	outputs: Record<string, NamedOutput>;
	/** URIs that may hold nothing: outputs of earlier steps, which are folders even when those wrote no file. */
	mayBeEmpty?: ReadonlySet<string>;
}

/** Starts a command; its run must exist. */
export function startCommand(scope: JobScope, plan: CommandPlan): LiveJob {
	const life = new CommandLife(scope, plan);
	return { done: life.run(), cancel: () => life.cancel() };
}

class CommandLife {
	readonly #scope: JobScope;
	readonly #plan: CommandPlan;
	#isCanceled = false;
	#wakeCanceled: () => void = () => {};
	readonly #canceled = new Promise<void>((resolve) => {
		this.#wakeCanceled = resolve;
	});
	#process: RunningJob | undefined;

	constructor(scope: JobScope, plan: CommandPlan) {
		this.#scope = scope;
		this.#plan = plan;
	}

	cancel(): void {
		if (isOver(this.#scope, this.#plan.name)) return;
		enterState(this.#scope, this.#plan.name, 'CancelRequested');
		this.#isCanceled = true;
		this.#wakeCanceled();
		this.#process?.cancel().catch(() => {});
	}

	async run(): Promise<void> {
		const { platform, keys, nodes } = this.#scope;
		const { name } = this.#plan;
		try {
			for (const state of ['Preparing', 'Queued', undefined]) {
				await platform.pause(platform.jobStateDelayMs);
				if (this.#isCanceled) return this.#end('Canceled');
				if (state) enterState(this.#scope, name, state);
			}
			const release = await nodes.take(this.#canceled);
			await this.#execute().finally(release);
		} catch (error) {
			this.#end('Failed', { code: 'ServiceError', message: String(error) });
		}
		keys.revoke(name);
		if (!isOver(this.#scope, name)) this.#end('Canceled');
	}

	async #execute(): Promise<void> {
		if (this.#isCanceled) return this.#end('Canceled');
		const { platform, keys, call } = this.#scope;
		const tracking = await trackingVariables(platform, keys, { call, runId: this.#plan.name });
		if (this.#isCanceled) return this.#end('Canceled');
		const host = { environment: platform.processEnvironment };
		this.#process = startCommandJob(this.#plan, this.#site(tracking), host);
		await this.#process.done;
	}

	#end(state: JobState, error?: RunError): void {
		enterState(this.#scope, this.#plan.name, state, error);
	}

	#site(tracking: Record<string, string>): JobSite {
		const { platform, call } = this.#scope;
		const { storage } = platform;
		const { name, mayBeEmpty } = this.#plan;
		const { experimentName } = runOf(this.#scope, name);
		const references = new References(platform, call.names['workspace'] ?? '');
		return {
			fetch: async (uri, to) => {
				const place = references.place(uri);
				const isEmpty = mayBeEmpty?.has(uri) && (await blobsAt(storage, place)).blobs.length === 0;
				if (isEmpty) await mkdir(to, { recursive: true });
				else await fetchPlace(storage, place, to);
			},
			store: async (from, uri) => storeAt(storage, from, references.place(uri)),
			appendLog: (path, bytes) => storage.append(ARTIFACT_CONTAINER, `${artifactsPath(name)}/${path}`, bytes),
			trackingEnvironment: () => ({
				...tracking,
				MLFLOW_RUN_ID: name,
				MLFLOW_EXPERIMENT_NAME: experimentName,
				AZUREML_ARM_SUBSCRIPTION: call.names['subscription'] ?? '',
				AZUREML_ARM_RESOURCEGROUP: call.names['group'] ?? '',
				AZUREML_ARM_WORKSPACE_NAME: call.names['workspace'] ?? '',
				AZUREML_EXPERIMENT_NAME: experimentName,
			}),
			changeState: (state, error) => this.#changeState(state, error),
		};
	}

	#changeState(state: JobState, error?: RunError): void {
		const { name, outputs } = this.#plan;
		const before = this.#scope.platform.state.runs.get(name)?.status;
		// One that is queued does not go back to being prepared.
		if (before === undefined || (before === 'Queued' && state === 'Preparing')) return;
		if (state === 'Completed' && !isTerminal(before)) registerOutputs(this.#scope, name, outputs);
		enterState(this.#scope, name, state, error);
	}
}
