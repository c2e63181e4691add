// A sweep that really runs: draws values, runs a trial for each as a child run, stops those that promise nothing, and
// notes the best one with the sweep's run.

import { keyOf, makeResource } from '../../arm/call.ts';
import { keptJob } from '../../arm/job-bodies.ts';
import { dataContainerId, isTerminal } from '../../runs.ts';
import { startCommand } from '../command.ts';
import { enterState, isOver, type JobScope, type LiveJob, runOf } from '../live-job.ts';
import { artifactsOutput, defaultOutputUri, type NamedOutput, registerOutput, registerOutputs } from '../outputs.ts';
import { RunLog } from '../run-log.ts';
import { bayesianSampler } from './bayesian.ts';
import { isStopped } from './early-termination.ts';
import type { SweepPlan } from './plan.ts';
import { gridSampler, type Observation, randomSampler, type Sample, type Sampler, seededRandom } from './sampling.ts';
import { sizeOf } from './search-space.ts';
import { fillSearchSpace, valuesAsInputs, valuesAsTag } from './values.ts';

/** Log of the sweep itself, as clients look for it. */
const LOG = 'azureml-logs/hyperdrive.txt';

/** Starts a sweep; its run must exist. */
export function startSweep(scope: JobScope, plan: SweepPlan): LiveJob {
	const life = new SweepLife(scope, plan);
	return { done: life.run(), cancel: () => life.stop('cancel') };
}

interface Trial {
	name: string;
	sample: Sample;
	live: LiveJob;
	/** How many values of the primary metric a policy has seen. */
	judged: number;
}

class SweepLife {
	readonly #scope: JobScope;
	readonly #plan: SweepPlan;
	readonly #sampler: Sampler;
	readonly #trials: Trial[] = [];
	readonly #file: RunLog;
	#isExhausted = false;
	#stopped: 'cancel' | 'timeout' | undefined;
	#wake: () => void = () => {};
	#woken = new Promise<void>((resolve) => {
		this.#wake = resolve;
	});

	constructor(scope: JobScope, plan: SweepPlan) {
		this.#scope = scope;
		this.#plan = plan;
		this.#file = new RunLog(scope, plan.runId, LOG);
		this.#sampler = samplerOf(plan, scope.platform.random);
	}

	stop(reason: 'cancel' | 'timeout'): void {
		if (this.#stopped || isOver(this.#scope, this.#plan.runId)) return;
		this.#stopped = reason;
		enterState(this.#scope, this.#plan.runId, 'CancelRequested');
		this.#note({ _aml_system_cancellation_requested: 'true' });
		for (const trial of this.#trials) trial.live.cancel();
		this.#wake();
	}

	async run(): Promise<void> {
		const { runs } = this.#scope.platform.state;
		const limit = timer(this.#plan.timeout, () => this.stop('timeout'));
		const unwatch = runs.watchMetrics((runId, key) => {
			if (key === this.#plan.primaryMetric && this.#trials.some((trial) => trial.name === runId)) this.#wake();
		});
		try {
			await this.#scope.platform.pause(this.#scope.platform.jobStateDelayMs);
			enterState(this.#scope, this.#plan.runId, 'Running');
			this.#log('API', 'Experiment created');
			const size = sizeOf(this.#plan.space);
			this.#setProperties({ space_size: Number.isFinite(size) ? String(size) : 'infinite_space_size' });
			while (this.#fill() || this.#live().length > 0) await this.#next();
			await this.#end();
		} catch (error) {
			for (const trial of this.#trials) trial.live.cancel();
			enterState(this.#scope, this.#plan.runId, 'Failed', { code: 'ServiceError', message: String(error) });
		} finally {
			clearTimeout(limit);
			unwatch();
		}
	}

	/** Waits until a trial has ended or logged, or the sweep is to stop; then judges the trials. */
	async #next(): Promise<void> {
		await this.#woken;
		this.#woken = new Promise<void>((resolve) => {
			this.#wake = resolve;
		});
		this.#judge();
		this.#noteBest();
	}

	/** Starts as many trials as there may be; tells whether it started any. */
	#fill(): boolean {
		const { maxTotalTrials, maxConcurrentTrials } = this.#plan;
		const room = Math.min(maxConcurrentTrials - this.#live().length, maxTotalTrials - this.#trials.length);
		if (this.#stopped || this.#isExhausted || room <= 0) return false;
		this.#log('GENERATOR', `Trying to sample '${room}' jobs from the hyperparameter space`);
		const samples: Sample[] = [];
		while (samples.length < room) {
			const sample = this.#sampler.next(this.#observations());
			if (!sample) break;
			samples.push(sample);
		}
		if (samples.length > 0) {
			const many = `'${samples.length}' jobs`;
			this.#log('GENERATOR', `Successfully sampled ${many}, they will soon be submitted to the execution target.`);
		}
		for (const sample of samples) this.#start(sample);
		const isFull = this.#trials.length >= maxTotalTrials;
		if (isFull || samples.length < room) {
			this.#isExhausted = true;
			if (isFull) this.#log('GENERATOR', `Max number of jobs '${maxTotalTrials}' reached for experiment.`);
			this.#log('GENERATOR', 'All jobs generated.');
			this.#note({ _aml_system_all_jobs_generated: 'true' });
		}
		return samples.length > 0;
	}

	#start(sample: Sample): void {
		const { runId, trialJob } = this.#plan;
		const name = `${runId}_${this.#trials.length}`;
		this.#log('SCHEDULER', `Scheduling job, id='${name}'`);
		this.#note({ [`_aml_system_${name}`]: valuesAsTag(sample.values) });
		this.#scope.platform.state.runs.create({
			runId: name,
			experimentName: runOf(this.#scope, runId).experimentName,
			displayName: name,
			status: 'NotStarted',
			// As the older SDK knows the children of a sweep; for this API it is not confirmed.
			runType: 'azureml.scriptrun',
			parentRunId: runId,
			properties: { '_azureml.ComputeTargetType': 'amlctrain' },
		});
		const command = fillSearchSpace(this.#plan.command, sample.values);
		const outputs = this.#outputs(name);
		if (trialJob) this.#keepJob(name, { ...trialJob, command, outputs });
		const live = startCommand(this.#scope, {
			name,
			command,
			...(this.#plan.codeUri === undefined ? {} : { codeUri: this.#plan.codeUri }),
			inputs: { ...this.#plan.inputs, ...(trialJob ? {} : valuesAsInputs(sample.values)) },
			outputs: { ...outputs, default: artifactsOutput(name) },
			environmentVariables: this.#plan.environmentVariables,
			...(this.#plan.distribution === undefined ? {} : { distribution: this.#plan.distribution }),
			...(this.#plan.mayBeEmpty ? { mayBeEmpty: this.#plan.mayBeEmpty } : {}),
			...(this.#plan.trialTimeout === undefined ? {} : { timeout: `PT${this.#plan.trialTimeout / 1000}S` }),
		});
		void live.done.then(() => this.#wake());
		this.#trials.push({ name, sample, live, judged: 0 });
		this.#log('SCHEDULER', `Successfully scheduled a job. Id='${name}'`);
	}

	/** Keeps the ARM job of a trial; it is got by name, and left out of lists. */
	#keepJob(name: string, given: Record<string, unknown>): void {
		const { call } = this.#scope;
		const job = makeResource(call, ['jobs', name], keptJob(call, name, given));
		job.secret = { parent: this.#plan.runId };
		call.platform.state.resources.put(keyOf(call, 'jobs', name), job);
	}

	#outputs(trial: string): Record<string, NamedOutput> {
		const entries = Object.entries(this.#plan.outputs).map(([name, output]): [string, NamedOutput] => {
			const type = output.jobOutputType;
			const uri = output.uri?.replace(/\$\{\{\s*name\s*\}\}/g, trial);
			const place = uri ?? defaultOutputUri(trial, name, type, this.#plan.datastore);
			// One asset for the sweep, not one for each trial: see the end of the sweep.
			return [name, { ...output, assetName: null, assetVersion: null, uri: place }];
		});
		return Object.fromEntries(entries);
	}

	#judge(): void {
		const { policy, goal } = this.#plan;
		if (!policy) return;
		for (const trial of this.#live()) {
			const all = this.#trials.map((one) => this.#series(one));
			const series = this.#series(trial);
			while (trial.judged < series.values.length) {
				trial.judged += 1;
				const seen = { ...series, values: series.values.slice(0, trial.judged) };
				if (!isStopped(policy, goal, seen, all)) continue;
				this.#log('CONTROLLER', `Cancelling job, id='${trial.name}' by the early termination policy.`);
				trial.live.cancel();
				break;
			}
		}
	}

	#series(trial: Trial) {
		const run = this.#scope.platform.state.runs.get(trial.name);
		const values = (run?.metrics[this.#plan.primaryMetric] ?? []).map((point) => point.value);
		return { name: trial.name, values, isRunning: run !== undefined && !isTerminal(run.status) };
	}

	#live(): Trial[] {
		return this.#trials.filter((trial) => !isOver(this.#scope, trial.name));
	}

	/** The best cost of each trial that is over and has one. */
	#observations(): Observation[] {
		return this.#ended().map(({ trial, cost }) => ({ point: trial.sample.point, cost }));
	}

	#ended(): { trial: Trial; cost: number }[] {
		const sign = this.#plan.goal.startsWith('max') ? -1 : 1;
		return this.#trials
			.filter((trial) => /^(Completed|Canceled)$/.test(this.#status(trial)))
			.map((trial) => {
				const values = this.#series(trial).values.filter((value) => Number.isFinite(value));
				return { trial, cost: Math.min(...values.map((value) => sign * value)) };
			})
			.filter(({ cost }) => Number.isFinite(cost));
	}

	#status(trial: Trial): string {
		return this.#scope.platform.state.runs.get(trial.name)?.status ?? 'Canceled';
	}

	#noteBest(): void {
		const first = this.#ended().toSorted((one, other) => one.cost - other.cost)[0];
		if (!first) return;
		const { name } = first.trial;
		const sign = this.#plan.goal.startsWith('max') ? -1 : 1;
		this.#setProperties({
			best_child_run_id: name,
			score: String(sign * first.cost),
			best_metric_status: 'Succeeded',
			best_data_container_id: dataContainerId(name),
		});
	}

	/** Registers the outputs that are to be assets from the best trial; what the service does is not confirmed. */
	#registerNamed(): void {
		const best = this.#scope.platform.state.runs.get(
			runOf(this.#scope, this.#plan.runId).properties['best_child_run_id'] ?? '',
		);
		for (const [name, output] of Object.entries(this.#plan.outputs)) {
			const uri = best?.outputUris?.[name];
			if (best && uri !== undefined && output.assetName) {
				registerOutput(this.#scope.call, best.runId, name, { ...output, uri });
			}
		}
	}

	/** What the service calls a sweep some of whose trials failed is not confirmed; here it fails when none completed. */
	async #end(): Promise<void> {
		const { runId } = this.#plan;
		this.#noteBest();
		const failed = this.#trials.filter((trial) => this.#status(trial) === 'Failed').map((trial) => trial.name);
		const isFailed = failed.length > 0 && !this.#trials.some((trial) => this.#status(trial) === 'Completed');
		const state = this.#stopped ? 'Canceled' : isFailed ? 'Failed' : 'Completed';
		const reason = this.#stopped === 'timeout' ? 'The sweep reached its timeout. ' : '';
		this.#log('CONTROLLER', `${reason}Changing Run Status from Running to ${state}`);
		await this.#file.written();
		const which = `Failed trials: ${failed.slice(0, 10).join(', ')}. See their logs.`;
		if (failed.length > 0 && state === 'Completed') runOf(this.#scope, runId).warnings.push(which);
		const message = `User errors were found in at least one of the child runs. ${which}`;
		if (state === 'Completed') this.#registerNamed();
		if (state === 'Completed') registerOutputs(this.#scope, runId, { default: artifactsOutput(runId) });
		enterState(this.#scope, runId, state, state === 'Failed' ? { code: 'UserError', message } : undefined);
	}

	#note(tags: Record<string, string>): void {
		this.#scope.platform.state.runs.update(this.#plan.runId, (run) => void Object.assign(run.tags, tags));
	}

	#setProperties(properties: Record<string, string>): void {
		this.#scope.platform.state.runs.update(this.#plan.runId, (run) => void Object.assign(run.properties, properties));
	}

	#log(who: string, text: string): void {
		const time = new Date(this.#scope.platform.clock()).toISOString().replace('Z', '');
		this.#file.write(`[${time}][${who}][INFO]${text}\n`);
	}
}

function samplerOf(plan: SweepPlan, random: () => number): Sampler {
	const { type, seed, rule } = plan.sampling;
	if (type === 'grid') return gridSampler(plan.space);
	const seeded = seededRandom(seed ?? Math.floor(random() * 2 ** 32));
	return type === 'bayesian' ? bayesianSampler(plan.space, seeded) : randomSampler(plan.space, seeded, rule);
}

function timer(milliseconds: number | undefined, reached: () => void): NodeJS.Timeout | undefined {
	if (milliseconds === undefined || milliseconds > 2 ** 31 - 1) return undefined;
	return setTimeout(reached, milliseconds);
}
