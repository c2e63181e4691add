// A pipeline that really runs: each node as soon as what it takes is there, and what they give handed on and up.

import type { RunError } from '../../execution.ts';
import type { Run } from '../../runs.ts';
import { enterState, isOver, type JobScope, type LiveJob } from '../live-job.ts';
import { artifactsOutput, noteOutput, registerOutput, registerOutputs } from '../outputs.ts';
import { RunLog } from '../run-log.ts';
import { type PipelineNode, sourcesOf } from './graph.ts';
import type { PipelinePlan } from './plan.ts';
import { type StartedStep, startStep } from './step.ts';

/** Starts a pipeline; its run must exist. */
export function startPipeline(scope: JobScope, plan: PipelinePlan): LiveJob {
	const life = new PipelineLife(scope, plan);
	return { done: life.run(), cancel: () => life.cancel() };
}

class PipelineLife {
	readonly #scope: JobScope;
	readonly #plan: PipelinePlan;
	/** The steps that were started, by node; a node that never will be has none. */
	readonly #steps = new Map<string, StartedStep>();
	readonly #waiting: Set<PipelineNode>;
	readonly #failed: string[] = [];
	readonly #logs: Record<string, RunLog>;
	#isCanceled = false;
	#startedAt = 0;

	constructor(scope: JobScope, plan: PipelinePlan) {
		this.#scope = scope;
		this.#plan = plan;
		this.#waiting = new Set(plan.nodes);
		const names = ['executionlogs', 'stderrlogs', 'stdoutlogs'];
		const logs = names.map((name) => [name, new RunLog(scope, plan.runId, `logs/azureml/${name}.txt`)] as const);
		this.#logs = Object.fromEntries(logs);
	}

	cancel(): void {
		if (this.#isCanceled || isOver(this.#scope, this.#plan.runId)) return;
		this.#isCanceled = true;
		enterState(this.#scope, this.#plan.runId, 'CancelRequested');
		this.#cancelSteps();
	}

	async run(): Promise<void> {
		const { platform } = this.#scope;
		try {
			await platform.pause(platform.jobStateDelayMs);
			this.#startedAt = platform.clock();
			enterState(this.#scope, this.#plan.runId, 'Running');
			for (const log of Object.values(this.#logs)) log.write('');
			const live = new Map<PipelineNode, Promise<PipelineNode>>();
			for (;;) {
				for (const [node, step] of this.#startReady())
					live.set(
						node,
						step.live.done.then(() => node),
					);
				if (live.size === 0) break;
				const node = await Promise.race(live.values());
				live.delete(node);
				this.#finish(node);
			}
			await this.#end();
		} catch (error) {
			this.#cancelSteps();
			enterState(this.#scope, this.#plan.runId, 'Failed', { code: 'ServiceError', message: String(error) });
		}
	}

	/** Starts every node whose sources are over, and drops those whose sources gave nothing. */
	#startReady(): [PipelineNode, StartedStep][] {
		const started: [PipelineNode, StartedStep][] = [];
		for (const node of this.#waiting) {
			if (this.#isStopping()) break;
			const sources = sourcesOf(node);
			const isHopeless = sources.some((source) => this.#isLost(source)) && !this.#canDoWithout(node);
			if (isHopeless) this.#waiting.delete(node);
			if (isHopeless || !sources.every((source) => this.#isOver(source) || this.#isLost(source))) continue;
			this.#waiting.delete(node);
			const step = startStep(this.#scope, {
				plan: this.#plan,
				node,
				sources: (job) => this.#completed(job),
				startPipeline,
			});
			this.#steps.set(node.name, step);
			started.push([node, step]);
		}
		const submitted = started.filter(([, step]) => !step.isReused).map(([, step]) => `${step.nodeId}:${step.runId}`);
		if (submitted.length > 0) {
			const first = submitted.slice(0, 5).join(',');
			this.#log(`Submitting ${submitted.length} runs, first five are: ${first}`);
		}
		return started;
	}

	#isStopping(): boolean {
		return this.#isCanceled || (this.#failed.length > 0 && !this.#plan.settings.continueOnStepFailure);
	}

	/**
	 * Tells whether a node may run although a source of it failed. The service goes on after a failed optional input, as
	 * a property of its pipelines says; a step without an input that it needs fails by itself, so none is started here.
	 */
	#canDoWithout(node: PipelineNode): boolean {
		const lost = Object.entries(node.inputs).filter(([, input]) => input.kind === 'output' && this.#isLost(input.job));
		const component = this.#scope.platform.state.resources
			.entries()
			.find(([, resource]) => resource.id === node.componentId)?.[1];
		const spec = component?.properties['componentSpec'] as
			| { inputs?: Record<string, { optional?: unknown }> }
			| undefined;
		return lost.every(([name]) => /^true$/i.test(String(spec?.inputs?.[name]?.optional)));
	}

	#isOver(job: string): boolean {
		const step = this.#steps.get(job);
		return step !== undefined && isOver(this.#scope, step.runId);
	}

	/** Tells whether a node will never give its outputs. */
	#isLost(job: string): boolean {
		const step = this.#steps.get(job);
		if (step) return this.#isOver(job) && this.#completed(job) === undefined;
		return ![...this.#waiting].some((node) => node.name === job);
	}

	#completed(job: string): Run | undefined {
		const run = this.#scope.platform.state.runs.get(this.#steps.get(job)?.runId ?? '');
		return run?.status === 'Completed' ? run : undefined;
	}

	#finish(node: PipelineNode): void {
		const step = this.#steps.get(node.name);
		if (!step) return;
		const run = this.#completed(node.name);
		this.#log(`Completing processing run id ${step.runId}.`);
		if (run) this.#publish(node, run);
		// Those that are cancelled because another one failed are no reason of the failure.
		if (run || this.#isStopping()) return;
		// A step that its own limit cancelled counts as failed; what the service makes of it is not confirmed.
		this.#failed.push(`${this.#plan.path}/${node.name}`);
		if (this.#plan.settings.continueOnStepFailure) return;
		this.#log('Execution of experiment failed, update experiment status and cancel running nodes.');
		this.#cancelSteps();
	}

	/** Registers the outputs of a step that its node names, and hands up those that are outputs of the pipeline. */
	#publish(node: PipelineNode, run: Run): void {
		const { runId, outputs } = this.#plan;
		for (const [name, own] of Object.entries(node.outputs)) {
			const [asset, uri] = [run.outputs[name], run.outputUris?.[name]];
			if (!asset || uri === undefined) continue;
			const jobOutputType = own.type ?? typeOf(asset.type);
			const { assetName, assetVersion, parentOutput } = own;
			if (assetName) registerOutput(this.#scope.call, run.runId, name, { jobOutputType, uri, assetName, assetVersion });
			const parent = parentOutput === undefined ? undefined : outputs[parentOutput];
			if (!parent || parentOutput === undefined) continue;
			const named = parent.assetName
				? registerOutput(this.#scope.call, run.runId, name, { ...parent, jobOutputType, uri })
				: asset;
			noteOutput(this.#scope, runId, parentOutput, named, uri);
		}
	}

	async #end(): Promise<void> {
		const { runId } = this.#plan;
		const state = this.#isCanceled ? 'Canceled' : this.#failed.length > 0 ? 'Failed' : 'Completed';
		if (state !== 'Canceled') this.#log('Finishing experiment: no runs left and nothing to schedule.');
		await Promise.all(Object.values(this.#logs).map((log) => log.written()));
		const { platform } = this.#scope;
		const time = (at: number) => new Date(at).toISOString();
		const Status = { Completed: 'Finished', Failed: 'Failed', Canceled: 'Canceled' }[state];
		const Execution = { StartTime: time(this.#startedAt), EndTime: time(platform.clock()), Status };
		platform.state.runs.update(runId, (run) => {
			run.properties['azureml.pipelines.stages'] = JSON.stringify({ Initialization: null, Execution });
		});
		if (state === 'Completed') registerOutputs(this.#scope, runId, { default: artifactsOutput(runId) });
		enterState(this.#scope, runId, state, state === 'Failed' ? this.#error() : undefined);
	}

	/** In the service's words; the failed steps have errors of their own. */
	#error(): RunError {
		const nodes = this.#failed.join(', ');
		const advice = 'For more details and logs, go to the job detail page and check the child jobs.';
		return { code: 'UserError', message: `Pipeline has failed child jobs. Failed nodes: ${nodes}. ${advice}` };
	}

	#cancelSteps(): void {
		for (const { runId, live } of this.#steps.values()) if (!isOver(this.#scope, runId)) live.cancel();
	}

	#log(text: string): void {
		const time = new Date(this.#scope.platform.clock()).toISOString().slice(0, 19).replace('T', ' ');
		this.#logs['executionlogs']?.write(`[${time}Z] ${text}\n`);
	}
}

/** Turns a type of run history back into one of an asset. */
function typeOf(type: string): string {
	return type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
}
