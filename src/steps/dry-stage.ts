// The stage of a dry run: a connection, a publisher and a log with which the steps of a run change nothing.
import { createPublisher } from '../asset/publish.ts';
import type { Connection } from '../azure/connect.ts';
import type { RunFiles } from '../files.ts';
import type { Inputs } from '../inputs.ts';
import { plannedCodeName } from '../plan/code-name.ts';
import { assumed, assumedTarget, OFFLINE_ARM, offlineConnection } from '../plan/offline.ts';
import type { Plan } from '../plan/plan.ts';
import { createPlanningArm, type PlanningArm } from '../plan/planning-arm.ts';
import { createPlanningBearer } from '../plan/planning-bearer.ts';
import { quietLog } from '../plan/quiet-log.ts';
import { newReport, type RunReport, type StepName } from '../report/run-report.ts';
import { connectStep } from './connect.ts';
import type { Stage, World } from './stage.ts';

/** Runs one step and notes how it went. */
export type RunStep = <T>(name: StepName, work: () => Promise<T>) => Promise<T>;

/** A stage on which nothing is done in earnest. */
export interface DryStage extends Stage {
	readonly plan: Plan;
	readonly arm: PlanningArm;
	readonly offline: boolean;
}

/**
 * Signs in and finds the workspace, or without credentials makes believe.
 * @throws SignInError, ServiceError
 */
export async function openDryStage(
	world: World,
	inputs: Inputs,
	report: RunReport,
	files: RunFiles,
	plan: Plan,
	step: RunStep,
): Promise<DryStage> {
	const quiet: World = { ...world, log: quietLog(world.log), guard: () => {}, guardRollout: () => {} };
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
	const guarded = { ...connection, bearer: createPlanningBearer(connection.bearer, plan, arm) };
	return { world: quiet, inputs, report: draft, files, connection: guarded, publisher, plan, arm, offline };
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
