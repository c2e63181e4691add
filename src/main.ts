// The story of one run: the steps that the inputs ask for, in order; then the report, whatever happened.
import { createPublisher } from './asset/publish.ts';
import { messageOf } from './errors.ts';
import { readFiles } from './files.ts';
import { refuseForkHead } from './fork.ts';
import { type Inputs, readInputs } from './inputs.ts';
import { readRunContext } from './read-run-context.ts';
import { type DeploymentRecord, openDeployment } from './report/deployment.ts';
import { publishReport } from './report/github.ts';
import { askGitHub } from './report/pull-request.ts';
import { newReport, type RunReport, type StepName } from './report/run-report.ts';
import { assetsStep } from './steps/assets.ts';
import { connectStep } from './steps/connect.ts';
import { deleteEndpointStep, deployStep } from './steps/deploy.ts';
import { dryRun } from './steps/dry-run.ts';
import { gateStep, shareStep } from './steps/gate.ts';
import { registerStep } from './steps/register.ts';
import type { Stage, World } from './steps/stage.ts';
import { trainStep } from './steps/train.ts';

/** Does all that the inputs ask for and reports it. @returns whether every step succeeded */
export async function main(world: World): Promise<boolean> {
	const report = newReport(readRunContext(world.env));
	let inputs: Inputs | undefined;
	let deployment: DeploymentRecord | undefined;
	try {
		inputs = readInputs({ ...world, mask: (value) => world.log.mask(value) });
		if (inputs.dryRun) report.dryRun = inputs.auth === undefined ? 'offline' : 'online';
		// A dry run that does not sign in gives nobody's identity to anybody.
		if (inputs.auth !== undefined) {
			const ask = askGitHub(inputs.run, inputs.report.githubToken, world);
			await refuseForkHead(inputs.run, inputs.allowForkHead, ask);
		}
		deployment = await deploymentOf(inputs, world);
		await walk(world, inputs, report, deployment);
	} catch (error) {
		report.failure = error instanceof Error ? error : new Error(messageOf(error));
	}
	await publishReport(report, {
		...world,
		githubToken: inputs?.report.githubToken,
		comment: inputs?.report.comment ?? 'never',
		deployment,
	});
	return report.failure === undefined;
}

/** Begins the record of the run as a GitHub deployment, where one is asked for and something will be done. */
async function deploymentOf(inputs: Inputs, { log, clock, signal }: World): Promise<DeploymentRecord | undefined> {
	const { run, dryRun, train, deploy, deleteEndpoint } = inputs;
	const { environment, githubToken } = inputs.report;
	if (environment === undefined || dryRun) return undefined;
	const about = [train?.file?.path, deploy?.deploymentFile?.path ?? deploy?.endpointName].filter(Boolean).join(' · ');
	const description = `Azure ML${about === '' ? '' : `: ${about}`}`;
	const request = { environment, description, deploys: deleteEndpoint === undefined };
	return openDeployment(request, { run, githubToken, log, clock, signal });
}

async function walk(
	world: World,
	inputs: Inputs,
	report: RunReport,
	deployment: DeploymentRecord | undefined,
): Promise<void> {
	const { log, secrets, clock, signal } = world;
	const files = readFiles(inputs, log);
	report.jobFile = files.job?.path;
	if (inputs.dryRun) {
		return dryRun(world, inputs, report, files, (name, work) => step(world, report, name, work));
	}
	const connection = await step(world, report, 'sign in', () => connectStep(world, inputs, report, files));
	const { workspace } = connection;
	const { checkout, runnerPaths } = inputs.run;
	const publisher = createPublisher({ workspace, log, secrets, clock, signal, checkout, runnerPaths });
	const stage: Stage = { world, inputs, report, files, connection, publisher };
	try {
		if (inputs.assetFiles.length > 0) await step(world, report, 'assets', () => assetsStep(stage));
		const { train, gate, register, deploy, deleteEndpoint } = inputs;
		report.deployWanted = deploy !== undefined;
		// What is trained first waits in the queue; the environment changes when the deployment does.
		if (deploy === undefined) await deployment?.start();
		const job = train && (await step(world, report, 'train', () => trainStep(stage, train)));
		if (job !== undefined && job.status !== 'Completed') {
			if (gate ?? register ?? deploy)
				report.notes.push('Nothing was judged, registered or deployed, because this step did not wait for the job.');
			return;
		}
		if (gate !== undefined && job !== undefined) {
			const passed = await step(world, report, 'gate', () => gateStep(stage, gate, job));
			if (!passed) return;
		}
		const model = register && (await step(world, report, 'register', () => registerStep(stage, register, job)));
		const registry = register?.registry;
		if (registry !== undefined && model !== undefined)
			await step(world, report, 'share', () => shareStep(stage, registry, model));
		if (deploy !== undefined) {
			await deployment?.start();
			await step(world, report, 'deploy', () => deployStep(stage, deploy, model));
		}
		if (deleteEndpoint !== undefined)
			await step(world, report, 'delete endpoint', () => deleteEndpointStep(stage, deleteEndpoint));
	} finally {
		report.assets = [...report.assets, ...publisher.made()];
		await connection.close();
	}
}

/** Runs one step and notes how it went. None is begun after the workflow was cancelled. */
async function step<T>(
	{ clock, signal }: World,
	report: RunReport,
	name: StepName,
	work: () => Promise<T>,
): Promise<T> {
	signal.throwIfAborted();
	const started = clock.now();
	const entry: RunReport['steps'][number] = { step: name, outcome: 'failed', took: 0 };
	report.steps.push(entry);
	try {
		const result = await work();
		entry.outcome = 'done';
		return result;
	} finally {
		entry.took = clock.now() - started;
	}
}
