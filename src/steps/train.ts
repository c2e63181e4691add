// The train step of a run: the job, then what it has measured. What became of it is told to the report as it happens.
import { artifactRun } from '../asset/job-content.ts';
import { messageOf } from '../errors.ts';
import { findChampion } from '../gate/champion.ts';
import { championMetrics } from '../gate/gate.ts';
import type { TrainInputs } from '../inputs.ts';
import { findBaseJob } from '../job/base-job.ts';
import { downloadOutputs } from '../job/download.ts';
import type { Job } from '../job/job.ts';
import { type MetricPoint, readMetricHistory, readMetrics } from '../job/metrics.ts';
import type { SupersededJob } from '../job/supersede.ts';
import { type TrainFacts, train } from '../job/train.ts';
import type { RunReport } from '../report/run-report.ts';
import { championWish } from './gate.ts';
import type { Stage } from './stage.ts';

/** How many metrics get a chart, and how many points of each are read for it. */
const CHARTED_METRICS = 4;
const CHARTED_POINTS = 2_000;

/** Submits or follows the job, then reads its metrics. */
export async function trainStep(stage: Stage, asked: TrainInputs): Promise<Job> {
	const { world, inputs, report, files, connection, publisher } = stage;
	const { workspace, http } = connection;
	const { log, clock, signal, guard } = world;
	const job = await train(
		{ ...asked, file: files.job, identity: inputs.identity },
		{
			workspace,
			publisher,
			http,
			onAnswer: http.onAnswer,
			log,
			clock,
			signal,
			run: inputs.run,
			onFact: (facts) => note(report, facts),
			guard: (name) => guard(asked.onCancel === 'cancel' ? (name ?? '') : ''),
		},
	);
	if (job.status === 'Completed') await readJobMetrics(job, stage);
	if (asked.download.length > 0) await download(job, { world, inputs, report, connection }, asked);
	return job;
}

function note(report: RunReport, facts: Partial<TrainFacts>): void {
	const { intended, job, attached, reused, detached, took, lastLines, superseded } = facts;
	if (intended !== undefined) report.intendedJob = intended;
	if (job !== undefined) report.job = job;
	if (attached !== undefined) report.jobAttached = attached;
	if (reused !== undefined) report.jobReused = reused;
	if (detached !== undefined) report.jobDetached = detached;
	if (took !== undefined) report.jobDuration = took;
	if (lastLines !== undefined) report.lastLines = lastLines;
	if (superseded !== undefined) noteSuperseded(report, superseded);
}

function noteSuperseded({ notes }: RunReport, superseded: readonly SupersededJob[]): void {
	const named = (cancelled: boolean): string =>
		superseded
			.filter((job) => job.cancelled === cancelled)
			.map(({ name }) => `\`${name}\``)
			.join(', ');
	const [cancelled, left] = [named(true), named(false)];
	if (cancelled !== '') notes.push(`Cancelled, because this run supersedes it: ${cancelled}.`);
	if (left !== '') notes.push(`Superseded by this run, but could not be cancelled and may still run: ${left}.`);
}

async function download(
	job: Job,
	{ world, inputs, report, connection }: Pick<Stage, 'world' | 'inputs' | 'report' | 'connection'>,
	asked: TrainInputs,
): Promise<void> {
	if (inputs.dryRun) {
		report.notes.push(
			`A real run downloads ${asked.download.join(', ')} to ${asked.downloadPath} when the job is done.`,
		);
		return;
	}
	if (job.status !== 'Completed') {
		report.notes.push('Nothing was downloaded, because this step did not wait for the job.');
		return;
	}
	const { log, clock, signal } = world;
	const parts = { workspace: connection.workspace, log, clock, signal, checkout: inputs.run.checkout };
	const request = { outputs: asked.download, to: asked.downloadPath };
	report.downloaded = { ...(await downloadOutputs(job, request, parts)), shown: asked.downloadPath };
}

/** Metrics are worth reporting, but a job that trained well is not failed for want of them. */
async function readJobMetrics(job: Job, stage: Stage): Promise<void> {
	const { world, connection, report } = stage;
	const { log, signal } = world;
	try {
		// A sweep's result is its best trial.
		const runId = artifactRun(job);
		const metrics = await readMetrics(connection.workspace, runId, signal);
		report.metrics = metrics;
		const named = Object.entries(metrics).map(([name, value]) => `${name} ${value}`);
		if (named.length === 0) return;
		log.info(`Metrics${runId === job.name ? '' : ` of the best trial ${runId}`}: ${named.join(' · ')}`);
		const charted = Object.keys(metrics).slice(0, CHARTED_METRICS);
		report.history = await historyOf(runId, charted, stage);
		await compare(job, charted, stage);
	} catch (error) {
		signal.throwIfAborted();
		log.warning(`The metrics of the job could not be read: ${messageOf(error)}`);
	}
}

async function historyOf(
	runId: string,
	keys: readonly string[],
	{ world, connection }: Stage,
): Promise<ReadonlyMap<string, readonly MetricPoint[]>> {
	const history = new Map<string, readonly MetricPoint[]>();
	for (const key of keys) {
		const wanted = { runId, key, most: CHARTED_POINTS, signal: world.signal };
		history.set(key, await readMetricHistory(connection.workspace, wanted));
	}
	return history;
}

/** Notes what the metrics are compared with: the base branch's last job, and the champion where a model is registered. */
async function compare(job: Job, charted: readonly string[], stage: Stage): Promise<void> {
	const { world, inputs, report, connection } = stage;
	const { log, clock, signal } = world;
	const { workspace } = connection;
	const base = await findBaseJob(job, inputs.train?.file?.path, { workspace, log, signal, run: inputs.run });
	if (base !== undefined) report.base = base;
	const wish = { ...championWish(stage, inputs.gate), jobName: job.name };
	try {
		if (wish.named !== undefined || wish.modelName !== undefined) {
			const champion = await findChampion(wish, { workspace, log, clock, signal });
			if (!('none' in champion)) report.champion = await championMetrics(champion, Object.keys(report.metrics ?? {}));
		}
		if (base === undefined) return;
		const known = charted.filter((key) => Object.hasOwn(base.metrics, key));
		report.base = { ...base, history: await historyOf(base.runId, known, stage) };
	} catch (error) {
		signal.throwIfAborted();
		// A comparison is no reason to fail, and a gate that needs the champion says so itself.
		log.info(`The metrics are not compared with all there is: ${messageOf(error)}`);
	}
}
