// Runs of the emulated workspace: what run history, MLflow and the metric service all read and write.
// Jobs own their ARM bodies elsewhere (jobs.ts); a job's run has the job's name.

import { randomUUID } from 'node:crypto';
import type { RunError } from './execution.ts';

/** One logged value of a metric; `timestamp` in milliseconds since 1970. */
export interface MetricPoint {
	value: number;
	timestamp: number;
	step: number;
}

/** A run as the workspace keeps it. Times are milliseconds since 1970. */
export interface Run {
	runId: string;
	experimentName: string;
	experimentId: string;
	displayName: string;
	/** As a job spells it: `NotStarted` … `Running`, `Completed`, `Failed`, `Canceled`. */
	status: string;
	/** `azureml.StepRun`, `azureml.commandjob`, …: what made the run. */
	runType: string;
	parentRunId?: string;
	rootRunId: string;
	createdAt: number;
	startedAt?: number;
	endedAt?: number;
	params: Record<string, string>;
	tags: Record<string, string>;
	properties: Record<string, string>;
	/** Every logged point of each metric, in the order of arrival. */
	metrics: Record<string, MetricPoint[]>;
	/** Where logged artifacts are kept: `azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{runId}/`. */
	artifactsUri: string;
	/** What the job registered or stored, by output name. */
	outputs: Record<string, { assetId: string; type: string }>;
	/** Where the outputs are, by output name; the service shows assets only. */
	outputUris?: Record<string, string>;
	/** Sums up what a step of a pipeline does; a later step with the same sum may take its outputs. */
	contentHash?: string;
	error?: RunError;
	warnings: string[];
	/** True after an MLflow `runs/delete`. */
	deleted?: boolean;
}

/** An experiment; MLflow knows it by `experimentId`, jobs by `experimentName`. */
export interface Experiment {
	experimentId: string;
	experimentName: string;
	createdAt: number;
}

/** What a new run starts from; everything else gets its usual first value. */
export interface NewRun {
	runId?: string;
	experimentName: string;
	displayName?: string;
	status?: string;
	runType?: string;
	parentRunId?: string;
	startedAt?: number;
	tags?: Record<string, string>;
	properties?: Record<string, string>;
}

/** The runs and experiments of a saved workspace. */
export interface SavedRuns {
	experiments: Experiment[];
	runs: Run[];
}

/** Is told which run logged which metric. */
export type MetricWatcher = (runId: string, key: string) => void;

const TERMINAL = new Set(['Completed', 'Failed', 'Canceled']);

/** Tells whether a job or run in this state will never change its state again. */
export function isTerminal(status: string): boolean {
	return TERMINAL.has(status);
}

/** Names the container of a run's artifacts in the artifact service. */
export function dataContainerId(runId: string): string {
	return `dcid.${runId}`;
}

/** Keeps runs and experiments in memory and tells its owner about each change, which saves them. */
export class RunStore {
	readonly #runs = new Map<string, Run>();
	readonly #experiments = new Map<string, Experiment>();
	readonly #clock: () => number;
	readonly #changed: () => void;
	readonly #metricWatchers = new Set<MetricWatcher>();

	/** `clock` gives milliseconds since 1970; `changed` is called after each change. */
	constructor(clock: () => number = Date.now, changed: () => void = () => {}) {
		this.#clock = clock;
		this.#changed = changed;
	}

	/** Gives the experiment of this name, which is made when there is none. */
	experiment(experimentName: string): Experiment {
		const known = this.findExperiment(experimentName);
		if (known) return known;
		const made = { experimentId: randomUUID(), experimentName, createdAt: this.#clock() };
		this.#experiments.set(made.experimentId, made);
		this.#changed();
		return made;
	}

	/** Finds an experiment by its name or its id. */
	findExperiment(nameOrId: string): Experiment | undefined {
		return this.#experiments.get(nameOrId) ?? this.experiments().find((one) => one.experimentName === nameOrId);
	}

	/** Lists the experiments in the order in which they were made. */
	experiments(): Experiment[] {
		return [...this.#experiments.values()];
	}

	/** Makes a run; without `runId` it gets a random one. Throws when a run of that id exists. */
	create(start: NewRun): Run {
		const runId = start.runId ?? randomUUID();
		if (this.#runs.has(runId)) throw new Error(`Run ${runId} exists already. Give the new run another id.`);
		const parent = start.parentRunId === undefined ? undefined : this.#runs.get(start.parentRunId);
		const run: Run = {
			runId,
			experimentName: start.experimentName,
			experimentId: this.experiment(start.experimentName).experimentId,
			displayName: start.displayName ?? runId,
			status: start.status ?? 'NotStarted',
			runType: start.runType ?? 'azureml.commandjob',
			...(start.parentRunId === undefined ? {} : { parentRunId: start.parentRunId }),
			rootRunId: parent?.rootRunId ?? start.parentRunId ?? runId,
			createdAt: this.#clock(),
			...(start.startedAt === undefined ? {} : { startedAt: start.startedAt }),
			params: {},
			tags: { ...start.tags },
			properties: { ...start.properties },
			metrics: {},
			artifactsUri: `azureml://datastores/workspaceartifactstore/paths/ExperimentRun/${dataContainerId(runId)}/`,
			outputs: {},
			warnings: [],
		};
		this.#runs.set(runId, run);
		this.#changed();
		return run;
	}

	/** Gives a run, or `undefined` when there is none of this id. Change it through `update` only. */
	get(runId: string): Run | undefined {
		return this.#runs.get(runId);
	}

	/** Lists all runs in the order in which they were made. */
	list(): Run[] {
		return [...this.#runs.values()];
	}

	/** Lists the direct children of a run. */
	children(runId: string): Run[] {
		return this.list().filter((run) => run.parentRunId === runId);
	}

	/** Changes a run in place and has it saved. Throws when there is none of this id. */
	update(runId: string, change: (run: Run) => void): Run {
		const run = this.#runs.get(runId);
		if (!run) throw new Error(`There is no run ${runId} in the workspace. Create it first.`);
		change(run);
		this.#changed();
		return run;
	}

	/** Moves a run to a state and sets its start and end times as they fall due. */
	changeState(runId: string, status: string, error?: RunError): Run {
		return this.update(runId, (run) => {
			if (isTerminal(run.status)) return;
			run.status = status;
			if (status === 'Running') run.startedAt ??= this.#clock();
			if (isTerminal(status)) run.endedAt = this.#clock();
			if (error) run.error = error;
		});
	}

	/** Appends one point to a metric of a run. */
	logMetric(runId: string, key: string, point: MetricPoint): void {
		this.update(runId, (run) => {
			const points = run.metrics[key] ?? [];
			points.push(point);
			run.metrics[key] = points;
		});
		for (const watcher of this.#metricWatchers) watcher(runId, key);
	}

	/** Calls the watcher after each logged value of any run, until the function is called that this gives. */
	watchMetrics(watcher: MetricWatcher): () => void {
		this.#metricWatchers.add(watcher);
		return () => void this.#metricWatchers.delete(watcher);
	}

	/** Forgets a run altogether, as deleting its job does. */
	remove(runId: string): void {
		if (this.#runs.delete(runId)) this.#changed();
	}

	/** Gives everything that must survive a restart. */
	save(): SavedRuns {
		return { experiments: this.experiments(), runs: this.list() };
	}

	/** Takes back what `save` gave. */
	load(saved: SavedRuns): void {
		for (const experiment of saved.experiments) this.#experiments.set(experiment.experimentId, experiment);
		for (const run of saved.runs) this.#runs.set(run.runId, run);
	}
}
