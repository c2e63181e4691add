// Each step of a run: takes from the inputs and the steps before what its room needs, and tells the report what came of it.
import { applyAssets } from './asset/apply.ts';
import { applyWorkspace } from './asset/apply-named.ts';
import { findModel, type ModelVersion, registerModel } from './asset/model.ts';
import type { Publisher } from './asset/publish.ts';
import { type Connection, type ConnectParts, connect } from './azure/connect.ts';
import { deployBatch } from './endpoint/batch-deploy.ts';
import { findBatchEndpoint, forBatch } from './endpoint/batch-endpoint.ts';
import { makesDefault } from './endpoint/batch-plan.ts';
import { deployOnline } from './endpoint/deploy.ts';
import { deleteEndpoint } from './endpoint/online-endpoint.ts';
import { JobError } from './errors.ts';
import type { BatchFiles, RunFiles } from './files.ts';
import type { DeployInputs, Inputs, RegisterInputs } from './inputs.ts';
import { cancelJob } from './job/cancel.ts';
import { runTags } from './job/facts-of-run.ts';
import { followJob } from './job/follow.ts';
import type { Job } from './job/job.ts';
import type { World } from './main.ts';
import type { RunReport } from './report/run-report.ts';

export { trainStep } from './train-step.ts';

/** What the steps after sign-in share. */
export interface Stage {
	readonly world: World;
	readonly inputs: Inputs;
	readonly report: RunReport;
	readonly files: RunFiles;
	readonly connection: Connection;
	readonly publisher: Publisher;
}

/** Signs in and finds the workspace, after creating it where a file of it is given and there is none. */
export async function connectStep(
	{ idToken, clock, log, signal }: World,
	{ cloud, auth, target }: Inputs,
	report: RunReport,
	{ assets }: RunFiles,
	wrapArm?: ConnectParts['wrapArm'],
): Promise<Connection> {
	if (auth === undefined || target === undefined) throw new Error('sign-in was reached without credentials');
	const { workspace: file } = assets;
	const prepare: ConnectParts['prepare'] =
		file &&
		(async (arm) => {
			report.assets = [await applyWorkspace(file, target, { arm, log, signal })];
		});
	const connection = await connect({ cloud, auth, target, idToken, clock, log, prepare, wrapArm });
	const { workspace } = connection;
	report.studio = cloud.studio;
	log.info(`Signed in (${auth.kind}); workspace ${workspace.workspace} in ${workspace.location}.`);
	return connection;
}

/** Brings the files of `asset-files` into the workspace. */
export async function assetsStep({ world, report, files, connection, publisher }: Stage): Promise<void> {
	const { log, signal } = world;
	await applyAssets(files.assets.assets, {
		workspace: connection.workspace,
		publisher,
		log,
		signal,
		onMade: (made) => {
			report.assets = [...report.assets, made];
		},
	});
	const left = report.assets.filter(({ reused }) => reused);
	if (left.length > 0) {
		const named = left.map(({ kind, name, version }) => `${kind} ${name}${version === undefined ? '' : `:${version}`}`);
		report.notes.push(`In the workspace already and left as they are: ${named.join(', ')}.`);
	}
}

/** Registers the model, or finds the version that is to be deployed. */
export async function registerStep(
	{ world, inputs, report, files, connection, publisher }: Stage,
	asked: RegisterInputs,
	job: Job | undefined,
): Promise<ModelVersion> {
	const { workspace } = connection;
	const { log, clock, signal } = world;
	const model = asked.existing
		? await findModel(workspace, asked.name ?? '', asked.version ?? 'latest', signal)
		: await registerModel(
				{
					...(asked.name === undefined ? {} : { name: asked.name }),
					...(asked.version === undefined ? {} : { version: asked.version }),
					...(asked.path === undefined ? {} : { path: asked.path }),
					...(files.model === undefined ? {} : { file: files.model }),
					...(job === undefined ? {} : { job }),
					tags: {
						...runTags(inputs.run),
						...(job === undefined ? {} : { job: job.name }),
						...metricTags(report),
						...asked.tags,
					},
				},
				{ workspace, publisher, log, clock, signal, checkout: inputs.run.checkout },
			);
	report.model = model;
	log.info(`Model ${model.assetId} (${model.type})${model.reused ? ', registered before' : ' registered'}.`);
	return model;
}

/** Azure ML takes fifty tags at the most; the facts of the run and the author's own go first. */
const TAGGED_METRICS = 20;

/** What gates have judged goes first: the next run's gates look for it here. */
function metricTags({ metrics = {}, gates = [] }: RunReport): Record<string, string> {
	const judged = gates.flatMap(({ metric, value }) => (value === undefined ? [] : [[metric, value] as const]));
	const all = new Map([...judged, ...Object.entries(metrics)]);
	return Object.fromEntries(
		[...all].slice(0, TAGGED_METRICS).map(([name, value]) => [`metric.${name}`, String(value)]),
	);
}

/** Brings the model into service. */
export async function deployStep(stage: Stage, asked: DeployInputs, model: ModelVersion | undefined): Promise<void> {
	const { world, inputs, report, files, connection, publisher } = stage;
	const { log, clock, signal } = world;
	if (files.batch !== undefined) return deployBatchStep(stage, files.batch, asked, model);
	report.rollout = await deployOnline(
		{
			endpoint: {
				...(files.endpoint && { file: files.endpoint }),
				...(asked.endpointName && { name: asked.endpointName }),
			},
			deployment: {
				...(files.deployment && { file: files.deployment }),
				...(asked.deploymentName && { name: asked.deploymentName }),
				...(asked.instanceType && { instanceType: asked.instanceType }),
				...(asked.instanceCount && { instanceCount: asked.instanceCount }),
			},
			...(model && { model }),
			traffic: asked.traffic,
			...(asked.smokeTest && {
				smokeTest: {
					body: asked.smokeTest.body,
					file: asked.smokeTest.file.path,
					...(asked.smokeTest.expect === undefined ? {} : { expect: asked.smokeTest.expect }),
				},
			}),
			onFailure: asked.onFailure,
			deletePrevious: asked.deletePrevious,
			tags: runTags(inputs.run),
		},
		{ ...connection, publisher, log, clock, signal },
	);
}

/** The same for a batch endpoint. */
async function deployBatchStep(
	{ world, inputs, report, connection, publisher }: Stage,
	files: BatchFiles,
	asked: DeployInputs,
	model: ModelVersion | undefined,
): Promise<void> {
	const { log, clock, signal } = world;
	report.batchRollout = await deployBatch(
		{
			endpoint: { file: files.endpoint, name: asked.endpointName },
			deployment: { file: files.deployment, name: asked.deploymentName, instanceCount: asked.instanceCount },
			model,
			makeDefault: makesDefault(asked.traffic) === true,
			smokeTest: asked.smokeTest,
			onFailure: asked.onFailure,
			deletePrevious: asked.deletePrevious,
			tags: runTags(inputs.run),
		},
		{ ...connection, publisher, log, clock, signal, followJob: (name) => followScoring(name, world, connection) },
	);
}

/** Follows the job that tests a batch deployment. It is no use to anybody when the workflow is cancelled, so it is too. */
async function followScoring(
	name: string,
	{ log, clock, signal, guard }: World,
	{ workspace, http }: Connection,
): Promise<void> {
	guard(name);
	try {
		const { job, error, lastLines } = await followJob(name, {
			workspace,
			http,
			onAnswer: http.onAnswer,
			log,
			clock,
			signal,
			timeout: undefined,
		});
		guard('');
		if (job.status === 'Completed') return;
		const why = error?.message ?? 'Run history gives no reason.';
		throw new JobError({ what: `The job ${name} ended as ${job.status}.`, why }, job.status, lastLines);
	} catch (error) {
		// Where it could not be cancelled the post step tries again.
		if (signal.aborted && (await cancelJob(workspace, name, log)) !== 'failed') guard('');
		throw error;
	}
}

/** Deletes the endpoint, of whichever kind it is. */
export async function deleteEndpointStep({ world, report, connection }: Stage, name: string): Promise<void> {
	const { log, clock, signal } = world;
	const parts = { log, clock, signal };
	if (!(await deleteEndpoint(connection.workspace, name, parts))) {
		const batch = await findBatchEndpoint(name, { ...parts, workspace: connection.workspace });
		if (batch !== undefined) await deleteEndpoint(connection.workspace, name, forBatch(parts));
	}
	report.deletedEndpoint = name;
}
