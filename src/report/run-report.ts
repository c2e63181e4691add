// What a run has to tell, gathered on the way: facts only. How they look is markdown.ts's, where they go github.ts's.

import type { ModelVersion } from '../asset/model.ts';
import type { MadeAsset } from '../asset/publish.ts';
import type { SharedModel } from '../asset/registry.ts';
import type { BatchRolloutResult } from '../endpoint/batch-deploy.ts';
import type { RolloutResult } from '../endpoint/deploy.ts';
import type { Verdict } from '../gate/verdict.ts';
import type { Downloaded } from '../job/download.ts';
import type { Job } from '../job/job.ts';
import type { MetricPoint, Metrics } from '../job/metrics.ts';
import type { PlanReport } from '../plan/plan-report.ts';
import type { RunContext } from '../run-context.ts';
import type { Compared, ComparedJob } from './deltas.ts';

/** The steps of a run, by the names of the contract. */
export type StepName = 'sign in' | 'assets' | 'train' | 'gate' | 'register' | 'share' | 'deploy' | 'delete endpoint';

/** One step that was begun. */
export interface StepReport {
	readonly step: StepName;
	outcome: 'done' | 'failed';
	/** Milliseconds. */
	took: number;
}

/** Gathered by main.ts while the run goes on; every field is there as soon as its step has brought it. */
export interface RunReport {
	readonly run: RunContext;
	/** Addresses below this one may be linked to. */
	studio: string;
	readonly steps: StepReport[];
	/** Path of the job's file, as the workflow names it. */
	jobFile?: string | undefined;
	assets: readonly MadeAsset[];
	/** The name that a job was submitted under: there may be one of it though its answer never came. */
	intendedJob?: string;
	job?: Job;
	/** Milliseconds from the submission (or the first look) to the end of the watch. */
	jobDuration?: number;
	/** The job was alive already: this run followed it. */
	jobAttached?: boolean;
	/** A Completed job of identical content was taken; undefined where that was not asked for. */
	jobReused?: boolean;
	/** The wait ended before the job. */
	jobDetached?: boolean;
	lastLines: readonly string[];
	/** What was downloaded; `shown` is the folder as the workflow names it. */
	downloaded?: Downloaded & { readonly shown: string };
	metrics?: Metrics;
	/** The last job on the base branch, to compare metrics with. */
	base?: ComparedJob;
	/** The version of the model that this run's is to better, with its metrics. */
	champion?: Compared;
	history: ReadonlyMap<string, readonly MetricPoint[]>;
	/** How each gate was judged, in the order of the input. */
	gates?: readonly Verdict[];
	model?: ModelVersion;
	/** The registry's copy of the model. */
	shared?: SharedModel;
	rollout?: RolloutResult;
	batchRollout?: BatchRolloutResult;
	deletedEndpoint?: string;
	/** The inputs ask for a deployment, whether or not there comes to be one. */
	deployWanted?: boolean;
	/** Nothing was done, only planned: `offline` without any credentials. */
	dryRun?: 'online' | 'offline';
	/** What a real run would send. */
	plan?: PlanReport;
	/** What was asked for but not needed, in a sentence each. */
	readonly notes: string[];
	/** What ended the run, if anything did. */
	failure?: Error;
}

/** The report of a run that has not begun. */
export function newReport(run: RunContext): RunReport {
	return { run, studio: '', steps: [], assets: [], lastLines: [], history: new Map(), notes: [] };
}
