// The story of a dry run: the same steps as in main.ts, done against a plan in the place of the service. With credentials
// everything is looked up and nothing changed; without them nothing is sent at all.
import type { ModelVersion } from './asset/model.ts';
import { createPublisher } from './asset/publish.ts';
import type { Connection } from './azure/connect.ts';
import { duration } from './duration.ts';
import { JobError, RolloutError, ServiceError } from './errors.ts';
import type { RunFiles } from './files.ts';
import type { DeployInputs, Inputs, RegisterInputs, TrainInputs } from './inputs.ts';
import { isTerminal, type Job, jobFrom } from './job/job.ts';
import { objectAt } from './json.ts';
import type { World } from './main.ts';
import { assumeModel } from './plan/assumed-model.ts';
import { plannedCodeName } from './plan/code-name.ts';
import { assumed, assumedTarget, OFFLINE_ARM, offlineConnection } from './plan/offline.ts';
import { Plan } from './plan/plan.ts';
import { writePlan } from './plan/plan-file.ts';
import { lineOf, toldLine } from './plan/plan-report.ts';
import { createPlanningArm, type PlanningArm } from './plan/planning-arm.ts';
import { quietLog } from './plan/quiet-log.ts';
import { machineNeeds, shortages } from './plan/quota.ts';
import { UNKNOWN } from './plan/unknowns.ts';
import { newReport, type RunReport, type StepName } from './report/run-report.ts';
import {
	assetsStep,
	connectStep,
	deleteEndpointStep,
	deployStep,
	registerStep,
	type Stage,
	trainStep,
} from './steps.ts';

/** Runs one step and notes how it went. */
export type RunStep = <T>(name: StepName, work: () => Promise<T>) => Promise<T>;

/** A stage on which nothing is done in earnest. */
interface DryStage extends Stage {
	readonly plan: Plan;
	readonly arm: PlanningArm;
	readonly offline: boolean;
}

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
	const stage = await openStage(world, inputs, report, files, plan, step);
	try {
		await walk(stage, step);
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

async function openStage(
	world: World,
	inputs: Inputs,
	report: RunReport,
	files: RunFiles,
	plan: Plan,
	step: RunStep,
): Promise<DryStage> {
	const quiet: World = { ...world, log: quietLog(world.log), guard: () => {} };
	// What the steps would tell of what they made is not to be told, so they tell it to nobody.
	const draft = newReport(report.run);
	const offline = inputs.auth === undefined;
	let arm = createPlanningArm(OFFLINE_ARM, plan);
	const connection: Connection = offline
		? offlineConnection(inputs.target ?? assumedTarget(inputs.identity), inputs.cloud, arm)
		: await step('sign in', () =>
				connectStep(quiet, inputs, draft, files, (base) => {
					arm = createPlanningArm(base, plan);
					return arm;
				}),
			);
	const { workspace } = connection;
	world.log.info(
		offline
			? 'Dry run without credentials: nothing is sent.'
			: `Dry run in the workspace ${workspace.workspace} (${workspace.location}): nothing is changed.`,
	);
	if (offline) tellOffline(plan, files, inputs.target);
	const publisher = createPublisher({
		workspace,
		log: quiet.log,
		secrets: world.secrets,
		clock: world.clock,
		signal: world.signal,
		checkout: inputs.run.checkout,
		runnerPaths: inputs.run.runnerPaths,
		newName: plannedCodeName,
		lookUp: offline ? assumed : undefined,
		plan: {
			add: (upload, containerUrl) => plan.upload(upload, containerUrl),
			canSee: (datastore) => !offline && !arm.isNew(`${workspace.id}/datastores/${encodeURIComponent(datastore)}`),
		},
	});
	return { world: quiet, inputs, report: draft, files, connection, publisher, plan, arm, offline };
}

function tellOffline(plan: Plan, { assets }: RunFiles, target: Inputs['target']): void {
	plan.note(
		'Without credentials nothing was looked up: what the files refer to was taken to be there, and what they define to be missing. A real run uses what is there already.',
	);
	if (target === undefined)
		plan.note('The inputs do not name the workspace in full: words in braces stand for the rest.');
	if (assets.workspace !== undefined)
		plan.note(
			`The workspace of ${assets.workspace.path} was taken to be there; a real run creates it where it is not.`,
		);
}

async function walk(stage: DryStage, step: RunStep): Promise<void> {
	const { inputs, plan, publisher } = stage;
	const { train, gate, register, deploy, deleteEndpoint } = inputs;
	if (inputs.assetFiles.length > 0) await step('assets', () => assetsStep(stage));
	const job = train && (await step('train', () => tryTrain(stage, train)));
	if (gate !== undefined) {
		const written = gate.gates.map((one) => `\`${one.written}\``).join('; ');
		plan.note(`A real run judges the metrics of the job first: ${written}.`);
	}
	if (train?.wait === false && job?.status !== 'Completed') {
		if (register ?? deploy)
			plan.note('With `wait: false` nothing is registered or deployed, because the step does not wait for the job.');
		return;
	}
	const model = register && (await step('register', () => tryRegister(stage, register, job)));
	if (register?.registry !== undefined)
		plan.note(`A real run shares the version to the registry \`${register.registry}\`, where it is not there already.`);
	if (deploy !== undefined) await step('deploy', () => tryDeploy(stage, deploy, model));
	if (deleteEndpoint !== undefined) await step('delete endpoint', () => deleteEndpointStep(stage, deleteEndpoint));
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
	const job = await trainStep(stage, { ...asked, wait: false });
	if (!report.jobAttached) return job;
	plan.note(`The job ${job.name} is there (${job.status}); a real run follows it.`);
	if (asked.wait && isTerminal(job.status) && job.status !== 'Completed')
		throw new JobError({ what: `The job ${job.name} ended as ${job.status}.` }, job.status, []);
	return job;
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
