// Runs command jobs: hands them to the process that executes them, keeps their state, registers what they leave behind.

import { startCommandJob } from '../compute/command-job.ts';
import type { CommandRun, JobInput, JobOutput, JobSite, JobState, RunError, RunningJob } from '../execution.ts';
import { fetchPlace, storeAt } from '../files.ts';
import type { TrackingKeys } from '../mlflow.ts';
import type { Platform } from '../platform.ts';
import { isTerminal } from '../runs.ts';
import type { Resource } from '../state.ts';
import { ARTIFACT_CONTAINER } from '../storage.ts';
import { longUri } from './asset-kinds.ts';
import { nextVersion, registerVersion } from './assets.ts';
import { type ArmCall, type Json, keyOf, objectOf, textOf } from './call.ts';
import { artifactsPath, References } from './references.ts';

const LONG_AGO: RunError = {
	code: 'ServiceError',
	message: 'The emulator stopped while the job was running. Submit the job again.',
};

/** Starts, follows and cancels the jobs of one emulator. */
export class JobRunner {
	readonly #platform: Platform;
	readonly #keys: TrackingKeys;
	readonly #running = new Map<string, { cancel: () => void; done: Promise<void> }>();

	/** `keys` let a job's process reach the tracking server. */
	constructor(platform: Platform, keys: TrackingKeys) {
		this.#platform = platform;
		this.#keys = keys;
	}

	/** Ends what an earlier start of the emulator left alive: its processes are gone. */
	failOrphans(): void {
		for (const run of this.#platform.state.runs.list()) {
			if (run.runType === 'azureml.commandjob' && !isTerminal(run.status)) {
				this.#platform.state.runs.changeState(run.runId, 'Failed', LONG_AGO);
			}
		}
	}

	/** Makes the run of a new job and starts it. Kinds that cannot run here fail and say so. */
	start(call: ArmCall, job: Resource): void {
		const { properties } = job;
		const { runs } = this.#platform.state;
		if (runs.get(job.name)) runs.remove(job.name);
		runs.create({
			runId: job.name,
			experimentName: String(properties['experimentName']),
			displayName: String(properties['displayName']),
			status: String(properties['status']),
			runType: properties['jobType'] === 'Command' ? 'azureml.commandjob' : `azureml.${properties['jobType']}`,
			tags: objectOf(properties['tags']) as Record<string, string>,
			properties: objectOf(properties['properties']) as Record<string, string>,
		});
		const life = { isCanceled: false, process: undefined as RunningJob | undefined };
		const cancel = () => {
			life.isCanceled = true;
			life.process?.cancel().catch(() => {});
		};
		const done = this.#live(call, job, life).finally(() => this.#running.delete(job.name));
		this.#running.set(job.name, { cancel, done });
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

	/** Ends a job that is to be deleted, and forgets its run. */
	async remove(name: string): Promise<void> {
		const running = this.#running.get(name);
		running?.cancel();
		await running?.done;
		this.#platform.state.runs.remove(name);
	}

	/** Cancels every job and waits for their ends. */
	async stop(): Promise<void> {
		const all = [...this.#running.values()];
		for (const job of all) job.cancel();
		await Promise.all(all.map((job) => job.done));
	}

	async #live(
		call: ArmCall,
		job: Resource,
		life: { isCanceled: boolean; process: RunningJob | undefined },
	): Promise<void> {
		const { runs } = this.#platform.state;
		const jobType = String(job.properties['jobType']);
		const isCommand = jobType === 'Command';
		for (const state of isCommand ? ['Preparing', 'Queued', undefined] : [undefined]) {
			await this.#platform.pause(this.#platform.jobStateDelayMs);
			if (life.isCanceled) return this.#end(job.name, 'Canceled');
			if (state) runs.changeState(job.name, state);
		}
		if (!isCommand) {
			const message = `Jobs of type ${jobType} are not emulated: the emulator runs command jobs only.`;
			return this.#end(job.name, 'Failed', { code: 'ServiceError', message });
		}
		try {
			life.process = startCommandJob(this.#commandRun(job), this.#site(call, job));
			await life.process.done;
		} catch (error) {
			this.#end(job.name, 'Failed', { code: 'ServiceError', message: String(error) });
		}
		this.#keys.revoke(job.name);
		if (!isTerminal(runs.get(job.name)?.status ?? 'Failed')) this.#end(job.name, 'Canceled');
	}

	#end(name: string, state: JobState, error?: RunError): void {
		this.#platform.state.runs.changeState(name, state, error);
	}

	#commandRun(job: Resource): CommandRun {
		const { properties } = job;
		const codeUri = textOf(properties['codeId']);
		const timeout = textOf(objectOf(properties['limits'])['timeout']);
		return {
			name: job.name,
			command: String(properties['command']),
			...(codeUri === undefined ? {} : { codeUri }),
			inputs: objectOf(properties['inputs']) as Record<string, JobInput>,
			outputs: objectOf(properties['outputs']) as unknown as Record<string, JobOutput>,
			environmentVariables: objectOf(properties['environmentVariables']) as Record<string, string>,
			...(timeout === undefined ? {} : { timeout }),
		};
	}

	#site(call: ArmCall, job: Resource): JobSite {
		const { storage, origins } = this.#platform;
		const references = new References(this.#platform, call.names['workspace'] ?? '');
		return {
			fetch: async (uri, to) => fetchPlace(storage, references.place(uri), to),
			store: async (from, uri) => storeAt(storage, from, references.place(uri)),
			appendLog: (path, bytes) => storage.append(ARTIFACT_CONTAINER, `${artifactsPath(job.name)}/${path}`, bytes),
			trackingEnvironment: () => ({
				MLFLOW_TRACKING_URI: `${origins.arm}${this.#keys.issue(job.name)}`,
				MLFLOW_RUN_ID: job.name,
				MLFLOW_EXPERIMENT_NAME: String(job.properties['experimentName']),
				AZUREML_ARM_SUBSCRIPTION: call.names['subscription'] ?? '',
				AZUREML_ARM_RESOURCEGROUP: call.names['group'] ?? '',
				AZUREML_ARM_WORKSPACE_NAME: call.names['workspace'] ?? '',
				AZUREML_EXPERIMENT_NAME: String(job.properties['experimentName']),
			}),
			changeState: (state, error) => this.#changeState(call, job, state, error),
		};
	}

	#changeState(call: ArmCall, job: Resource, state: JobState, error?: RunError): void {
		const { runs } = this.#platform.state;
		const before = runs.get(job.name)?.status;
		// A job that was asked to end shows that until it has; one that is queued does not go back to being prepared.
		if (before === 'CancelRequested' && !isTerminal(state)) return;
		if (before === 'Queued' && state === 'Preparing') return;
		if (state === 'Completed') this.#registerOutputs(call, job);
		runs.changeState(job.name, state, error);
		if (isTerminal(state)) job.properties['status'] = state;
	}

	/** Makes data assets of the outputs, as the service does, and models or data of those that name an asset. */
	#registerOutputs(call: ArmCall, job: Resource): void {
		for (const [name, value] of Object.entries(objectOf(job.properties['outputs']))) {
			const output = objectOf(value);
			const uri = String(output['uri']).replace(/^(azureml:\/\/datastores\/[^/]+\/)(?!paths\/)/, '$1paths/');
			const asset = this.#register(call, job, name, output, longUri(call, uri));
			this.#platform.state.runs.update(job.name, (run) => {
				run.outputs[name] = asset;
			});
		}
	}

	#register(call: ArmCall, job: Resource, name: string, output: Json, uri: string): { assetId: string; type: string } {
		const type = String(output['jobOutputType']);
		const isModel = type.endsWith('_model');
		const kind = isModel ? 'models' : 'data';
		const assetName = textOf(output['assetName']) ?? `azureml_${job.name}_output_data_${name}`;
		const existing = this.#platform.state.resources.list(`${keyOf(call, kind, assetName)}/versions`);
		const version = textOf(output['assetVersion']) ?? nextVersion(existing);
		const common = { description: null, tags: {}, properties: {}, isArchived: false, isAnonymous: false };
		const content = isModel
			? { flavors: {}, modelType: type, modelUri: uri, jobName: job.name }
			: { dataType: type, dataUri: uri };
		if (!existing.some((one) => one.name === version)) {
			registerVersion(call, kind, assetName, version, { ...common, ...content });
		}
		const workspaceGuid = this.#platform.state.resources.get((call.names['workspace'] ?? '').toLowerCase())?.properties[
			'workspaceId'
		];
		const assetId = `azureml://locations/eastus/workspaces/${workspaceGuid}/${kind}/${assetName}/versions/${version}`;
		return { assetId, type: RUN_TYPES[type] ?? 'UriFolder' };
	}
}

/** Types as run history spells them. */
const RUN_TYPES: Record<string, string> = {
	uri_file: 'UriFile',
	uri_folder: 'UriFolder',
	mltable: 'MLTable',
	custom_model: 'CustomModel',
	mlflow_model: 'MLFlowModel',
	triton_model: 'TritonModel',
};
