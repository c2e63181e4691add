// The deploy step, online and batch, and the deletion of an endpoint.
import type { ModelVersion } from '../asset/model.ts';
import type { Connection } from '../azure/connect.ts';
import { deployBatch } from '../endpoint/batch-deploy.ts';
import { findBatchEndpoint, forBatch } from '../endpoint/batch-endpoint.ts';
import { makesDefault } from '../endpoint/batch-plan.ts';
import { deployOnline } from '../endpoint/deploy.ts';
import { deleteEndpoint } from '../endpoint/online-endpoint.ts';
import { JobError } from '../errors.ts';
import type { BatchFiles } from '../files.ts';
import type { DeployInputs } from '../inputs.ts';
import { cancelJob } from '../job/cancel.ts';
import { runTags } from '../job/facts-of-run.ts';
import { followJob } from '../job/follow.ts';
import type { Stage, World } from './stage.ts';

/** Brings the model into service. */
export async function deployStep(stage: Stage, asked: DeployInputs, model: ModelVersion | undefined): Promise<void> {
	const { world, inputs, report, files, connection, publisher } = stage;
	const { log, clock, signal, guardRollout } = world;
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
			attempt: inputs.run.runAttempt,
			tags: runTags(inputs.run),
		},
		{ ...connection, publisher, log, clock, signal, guardRollout },
	);
}

/** The same for a batch endpoint. */
async function deployBatchStep(
	{ world, inputs, report, connection, publisher }: Stage,
	files: BatchFiles,
	asked: DeployInputs,
	model: ModelVersion | undefined,
): Promise<void> {
	const { log, clock, signal, guardRollout } = world;
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
		{
			...connection,
			publisher,
			log,
			clock,
			signal,
			guardRollout,
			followJob: (name) => followScoring(name, world, connection),
		},
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
