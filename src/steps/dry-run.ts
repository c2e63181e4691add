// The story of a dry run: the same steps as in main.ts, done against a plan in the place of the service. With credentials
// everything is looked up and nothing changed; without them nothing is sent at all.
import type { ModelVersion } from '../asset/model.ts';
import { duration } from '../duration.ts';
import { JobError, RolloutError, ServiceError } from '../errors.ts';
import type { RunFiles } from '../files.ts';
import { findChampion } from '../gate/champion.ts';
import type { GateInputs } from '../inputs/gate.ts';
import type { DeployInputs, Inputs, RegisterInputs, TrainInputs } from '../inputs.ts';
import { isTerminal, type Job, jobFrom } from '../job/job.ts';
import { objectAt } from '../json.ts';
import { assumeModel } from '../plan/assumed-model.ts';
import { Plan } from '../plan/plan.ts';
import { writePlan } from '../plan/plan-file.ts';
import { lineOf, toldLine } from '../plan/plan-report.ts';
import { machineNeeds, shortages } from '../plan/quota.ts';
import { UNKNOWN } from '../plan/unknowns.ts';
import type { RunReport } from '../report/run-report.ts';
import { assetsStep } from './assets.ts';
import { deleteEndpointStep, deployStep } from './deploy.ts';
import { type DryStage, openDryStage, type RunStep } from './dry-stage.ts';
import { championWish, gateStep, shareStep } from './gate.ts';
import { registerStep } from './register.ts';
import type { World } from './stage.ts';
import { trainStep } from './train.ts';

/**
 * Plans what the inputs ask for, and writes the plan file.
 * @throws what a real run would throw before it changes anything; there is no plan then
 */
export async function dryRun(
	world: World,
	inputs: Inputs,
	report: RunReport,
	files: RunFiles,
	step: RunStep,
): Promise<void> {
	const { log, secrets } = world;
	const plan = new Plan((request) => log.info(toldLine(lineOf(request))));
	const stage = await openDryStage(world, inputs, report, files, plan, step);
	try {
		await walk(stage, step);
		tellWhatIsThere(stage);
		if (!stage.offline) await tellShortages(stage, log);
	} finally {
		await stage.connection.close();
	}
	report.studio = stage.report.studio;
	report.notes.push(...stage.report.notes, ...plan.notes);
	const path = writePlan(plan.requests, inputs.run.temp, (text) => secrets.redact(text));
	report.plan = { path, requests: plan.requests.map(lineOf) };
	log.info(`Dry run: nothing was changed. A real run would send ${plan.requests.length} requests; they are in ${path}`);
}

async function walk(stage: DryStage, step: RunStep): Promise<void> {
	const { inputs, plan } = stage;
	const { train, gate, register, deploy, deleteEndpoint } = inputs;
	if (inputs.assetFiles.length > 0) await step('assets', () => assetsStep(stage));
	const job = train && (await step('train', () => tryTrain(stage, train)));
	if (train?.wait === false && job?.status !== 'Completed') {
		if (gate ?? register ?? deploy)
			plan.note('With `wait: false` nothing is judged, registered or deployed: the step does not wait for the job.');
		return;
	}
	if (gate !== undefined && job !== undefined) {
		if (!(await step('gate', () => tryGate(stage, gate, job)))) return;
	}
	const model = register && (await step('register', () => tryRegister(stage, register, job)));
	const registry = register?.registry;
	if (registry !== undefined && model !== undefined) await step('share', () => tryShare(stage, registry, model));
	if (deploy !== undefined) await step('deploy', () => tryDeploy(stage, deploy, model));
	if (deleteEndpoint !== undefined) await step('delete endpoint', () => deleteEndpointStep(stage, deleteEndpoint));
}

function tellWhatIsThere({ plan, publisher }: DryStage): void {
	const there = publisher.made().filter(({ reused }) => reused);
	const named = there.map(({ kind, name, version }) => `${kind} ${name}${version === undefined ? '' : `:${version}`}`);
	if (named.length > 0) plan.note(`There already, and used as they are: ${named.join(', ')}.`);
}

/** Plans the submission, or looks at the job that is to be followed. */
async function tryTrain(stage: DryStage, asked: TrainInputs): Promise<Job> {
	const { plan, report, offline, connection } = stage;
	if (asked.file === undefined && offline) {
		plan.note(`The job ${asked.name} was taken to be there.`);
		return jobFrom(null, connection.workspace, asked.name ?? '');
	}
	if (asked.download.length > 0) plan.note(`A real run downloads: ${asked.download.join(', ')}.`);
	const job = await trainStep(stage, { ...asked, wait: false, download: [] });
	if (report.jobReused) plan.note(`The Completed job ${job.name} has done the same; a real run trains no other.`);
	if (!report.jobAttached) return job;
	plan.note(`The job ${job.name} is there (${job.status}); a real run follows it.`);
	if (asked.wait && isTerminal(job.status) && job.status !== 'Completed')
		throw new JobError({ what: `The job ${job.name} ended as ${job.status}.` }, job.status, []);
	return job;
}

/** Judges a job that has ended; of one that has not it can only be seen whether the champion is there. */
async function tryGate(stage: DryStage, asked: GateInputs, job: Job): Promise<boolean> {
	const { plan, world, connection, offline } = stage;
	const written = asked.gates.map((gate) => `\`${gate.written}\``).join('; ');
	if (job.status === 'Completed') {
		const passed = await gateStep(stage, asked, job);
		if (passed) plan.note(`The job passes: ${written}.`);
		return passed;
	}
	plan.note(`A real run judges the metrics of the job first: ${written}.`);
	const compares = asked.gates.some(({ threshold }) => threshold.kind === 'champion');
	if (offline || !compares) return true;
	const wish = { ...championWish(stage, asked), jobName: job.name };
	const { log, clock, signal } = world;
	const champion = await findChampion(wish, { workspace: connection.workspace, log, clock, signal });
	plan.note('none' in champion ? champion.none : `The champion to compare with is ${champion.label}.`);
	return true;
}

async function tryShare(stage: DryStage, registry: string, model: ModelVersion): Promise<void> {
	// Without credentials it is not known where the registry is, and of a workspace that is still to be made not its own id.
	if (stage.connection.workspace.workspaceId === undefined) {
		stage.plan.note(`A real run shares the version to the registry ${registry}, where it is not there already.`);
		return;
	}
	await shareStep(stage, registry, model);
	if (stage.report.shared?.reused) stage.plan.note(`The registry ${registry} has ${model.assetId} already.`);
}

async function tryRegister(stage: DryStage, asked: RegisterInputs, job: Job | undefined): Promise<ModelVersion> {
	const { plan, files, inputs, offline, connection } = stage;
	const { workspace } = connection;
	const mlflow = inputs.deploy !== undefined && files.deployment === undefined && files.batch === undefined;
	if (asked.existing && offline) return existingModel(workspace.id, asked, mlflow);
	if (job === undefined || job.status === 'Completed') return registerStep(stage, asked, job);
	const outputs = Object.fromEntries(Object.entries(job.outputs).map(([name, { type }]) => [name, { type }]));
	const { checkout } = inputs.run;
	const model = await assumeModel({ path: asked.path, file: files.model, checkout, mlflow }, { ...job, outputs });
	// What an unfinished job has written so far says nothing of what it will have written.
	const unseen = { ...connection, workspace: { ...workspace, data: absent } };
	const start = plan.requests.length;
	const trying = { ...stage, connection: unseen, files: { ...files, model: model.file } };
	const made = await registerStep(trying, { ...asked, path: model.path }, { ...job, outputs });
	plan.mark(start, /\/models\//, model.undecided);
	return made;
}

async function absent(): Promise<never> {
	throw new ServiceError({ what: 'The job has not ended.' }, { status: 404 });
}

/** A version that is taken to be there. */
function existingModel(workspaceId: string, { name = '', version }: RegisterInputs, mlflow: boolean): ModelVersion {
	const newest = version === undefined || version === 'latest';
	const number = newest ? UNKNOWN.latest : version;
	return {
		name,
		version: number,
		id: newest ? `azureml:${name}@latest` : `${workspaceId}/models/${name}/versions/${number}`,
		assetId: `azureml:${name}:${number}`,
		uri: '',
		type: mlflow ? 'mlflow_model' : 'custom_model',
		reused: true,
	};
}

async function tryDeploy(stage: DryStage, asked: DeployInputs, model: ModelVersion | undefined): Promise<void> {
	const { plan } = stage;
	const { smokeTest, traffic } = asked;
	const start = plan.requests.length;
	const atOnce = traffic.map((one) => ({ ...one, hold: 0 }));
	try {
		await deployStep(stage, { ...asked, smokeTest: undefined, traffic: atOnce }, model);
	} catch (error) {
		// There was no rollout that could be undone: what went wrong is what there is to tell.
		if (error instanceof RolloutError && error.cause instanceof Error) throw error.cause;
		throw error;
	}
	if (smokeTest !== undefined)
		plan.note(`The smoke test ${smokeTest.file.path} is sent to the new deployment in a real run only.`);
	const shares = plan.requests
		.slice(start)
		.flatMap(({ body }) => Object.values(objectAt(body, 'properties', 'traffic')));
	for (const { percent, hold } of traffic) {
		// The first deployment of an endpoint has all of the traffic at once, whatever the steps.
		if (hold > 0 && shares.includes(percent)) plan.note(`A real run holds ${percent} % for ${duration(hold)}.`);
	}
}

async function tellShortages({ plan, connection, arm, world }: DryStage, log: World['log']): Promise<void> {
	const { subscriptionId, location } = connection.workspace;
	const { signal } = world;
	for (const shortage of await shortages(machineNeeds(plan.requests), { arm, subscriptionId, location, signal })) {
		log.warning(shortage);
		plan.note(shortage);
	}
}
