// The deploy step for batch endpoints, as a whole: publish what the deployment needs, endpoint, deployment, a scoring job
// as its test, the switch of the default deployment. Bodies are batch-plan.ts, the way back is batch-rollback.ts.
import type { Workspace } from '../azure/workspace.ts';
import { messageOf } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { BatchDeploymentFile } from './batch-deployment-file.ts';
import {
	type BatchEndpoint,
	DefaultChanged,
	ensureBatchEndpoint,
	findBatchEndpoint,
	forBatch,
	setDefaultDeployment,
} from './batch-endpoint.ts';
import { invokeBatch } from './batch-invoke.ts';
import {
	type BatchDeployRequest,
	type BatchSmokeTest,
	batchBody,
	batchDependencies,
	batchEndpointWish,
	invocationBody,
} from './batch-plan.ts';
import { undoBatch } from './batch-rollback.ts';
import { batchNote } from './cut-off.ts';
import type { DeployParts } from './deploy.ts';
import { chooseDeployment, endpointNameOf } from './deploy-plan.ts';
import type { EndpointContext } from './deployment-parts.ts';
import { checkScoringHost } from './invoke.ts';
import { deleteDeployment, deploymentNamed, listDeployments, putDeployment } from './online-deployment.ts';
import { checkDeployment, checkNotTaken } from './rollout.ts';
import { sameName } from './traffic.ts';

/** What the deploy step of a batch endpoint works with. */
export interface BatchDeployParts extends DeployParts {
	/** Follows a job to its end. Throws where it ends otherwise than Completed. */
	readonly followJob: (name: string) => Promise<void>;
}

/** A batch deployment that is ready, or an endpoint alone that is ready for one. */
export interface BatchRolloutResult {
	readonly endpointName: string;
	/** Empty where only an endpoint was asked for. */
	readonly deploymentName: string;
	readonly scoringUri: string | undefined;
	/** As it is now. */
	readonly defaultDeployment: string | undefined;
	/** As it was before. */
	readonly previousDefault: string | undefined;
	readonly rolledBack: false;
	/** The job that tested the deployment. */
	readonly smokeJob: string | undefined;
	/** What this run has made, rather than updated. */
	readonly created: { readonly endpoint: boolean; readonly deployment: boolean };
	/** The deployment that was the default one before and was deleted, as asked for. */
	readonly deleted: readonly string[];
	/** The endpoint in Azure ML studio. */
	readonly consoleUrl: string;
}

/** One rollout on a batch endpoint, all names decided. */
export interface BatchRollout {
	/** As it was before. */
	readonly endpoint: BatchEndpoint;
	readonly endpointCreated: boolean;
	readonly deployment: string;
	readonly body: JsonObject;
	/** Whether the deployment existed before this run. */
	readonly existed: boolean;
	readonly makeDefault: boolean;
	readonly smokeTest: BatchSmokeTest | undefined;
	readonly onFailure: 'rollback' | 'keep';
}

/** How far a rollout has come: what batch-rollback.ts needs to know. */
export interface BatchProgress {
	/** What is under way, to stand after "failed:". */
	stage: string;
	/** A PUT of the deployment was sent, or may have been. */
	sent: boolean;
	/** The deployment as it was when it had come up. */
	settled: Json | undefined;
	/** The scoring job that was started. */
	job: string | undefined;
	/** A switch of the default deployment was sent, or may have been. */
	switched: boolean;
}

/**
 * Deploys to a batch endpoint. An endpoint file alone makes the endpoint, or brings it up to date, and no more.
 * @throws RolloutError when the deployment could not be brought into service; what it says about the default deployment and
 * about the new one has been done then. ActionError for a request that cannot be met, and whatever publishing or the
 * endpoint itself fail with: then no deployment has been touched.
 */
export async function deployBatch(request: BatchDeployRequest, given: BatchDeployParts): Promise<BatchRolloutResult> {
	const parts = forBatch(given);
	const { workspace, publisher } = parts;
	const name = endpointNameOf(request);
	const context: EndpointContext = { workspaceId: workspace.id, location: workspace.location, idOf: publisher.idOf };
	await publisher.publish(batchDependencies(request));
	const { endpoint, created } = await ensureBatchEndpoint(name, batchEndpointWish(request, context), parts);
	tellDefault(request, endpoint, parts);
	const { file } = request.deployment;
	if (file === undefined) return endpointResult(endpoint, created, parts);
	if (request.smokeTest !== undefined) checkScoringHost(endpoint, parts);
	const rollout: BatchRollout = {
		...(await place(request, file, endpoint, parts)),
		endpoint,
		endpointCreated: created,
		body: batchBody(request, file, context),
		makeDefault: request.makeDefault,
		smokeTest: request.smokeTest,
		onFailure: request.onFailure,
	};
	const progress: BatchProgress = { stage: 'start', sent: false, settled: undefined, job: undefined, switched: false };
	parts.guardRollout(batchNote(rollout));
	try {
		await walk(rollout, progress, parts);
	} catch (error) {
		const failure = await undoBatch(rollout, progress, error, parts);
		if (parts.signal?.aborted !== true) parts.guardRollout('');
		throw failure;
	}
	parts.guardRollout('');
	const deleted = request.deletePrevious && progress.switched ? await deletePreviousDefault(rollout, parts) : [];
	return resultOf(rollout, progress, deleted, parts);
}

/** The file's `defaults` do not switch anything, as the `traffic` of an online endpoint's file does not: that is said. */
function tellDefault({ endpoint: { file } }: BatchDeployRequest, endpoint: BatchEndpoint, { log }: DeployParts): void {
	const wished = file?.defaultDeployment;
	if (wished === undefined || sameName(wished, endpoint.defaultDeployment)) return;
	log.warning(
		`The default deployment of ${endpoint.name} is ${endpoint.defaultDeployment ?? 'none'}; \`endpoint-file\` says ${wished}, which changes nothing: a deployment becomes the default one when it is deployed with \`traffic: 100\`.`,
	);
}

/** Which deployment is meant, and whether it is there. */
async function place(
	request: BatchDeployRequest,
	file: BatchDeploymentFile,
	{ name, defaultDeployment }: BatchEndpoint,
	parts: DeployParts,
): Promise<Pick<BatchRollout, 'deployment' | 'existed'>> {
	if (request.model !== undefined && file.type === 'pipeline') {
		parts.log.warning(
			`The model ${request.model.name} is no part of this deployment: a pipeline component brings its own models.`,
		);
	}
	const existing = await listDeployments(name, parts);
	const traffic = defaultDeployment === undefined ? {} : { [defaultDeployment]: 100 };
	const deployment = chooseDeployment(request, { traffic, mirrorTraffic: {} }, existing);
	return { deployment, existed: deploymentNamed(existing, deployment) !== undefined };
}

async function walk(rollout: BatchRollout, progress: BatchProgress, parts: BatchDeployParts): Promise<void> {
	const { endpoint, deployment, existed, body, makeDefault } = rollout;
	const { log } = parts;
	const isDefault = sameName(endpoint.defaultDeployment, deployment);
	progress.stage = 'provisioning';
	if (isDefault) {
		log.warning(
			`The deployment ${deployment} is the default one already and is updated in place: it cannot be tested before it serves. Leave \`deployment-name\` and the file's \`name\` out to deploy beside it.`,
		);
	}
	log.info(`${existed ? 'Updating' : 'Creating'} the deployment ${deployment} on ${endpoint.name}.`);
	const check = async (): Promise<void> => {
		await checkNotTaken(rollout, progress, parts);
		const now = await findBatchEndpoint(endpoint.name, parts);
		if (!sameName(now?.defaultDeployment, endpoint.defaultDeployment)) {
			throw new DefaultChanged(endpoint.name, endpoint.defaultDeployment, now?.defaultDeployment);
		}
		progress.sent = true;
	};
	progress.settled = await putDeployment({ endpoint: endpoint.name, name: deployment, body, check }, parts);
	await smoke(rollout, progress, parts);
	if (!makeDefault || isDefault) return;
	progress.stage = 'making it the default deployment';
	await checkDeployment(rollout, progress, parts);
	progress.switched = true;
	await setDefaultDeployment(endpoint.name, { from: endpoint.defaultDeployment, to: deployment }, parts);
	log.info(
		`The default deployment of ${endpoint.name} is ${deployment} (before: ${endpoint.defaultDeployment ?? 'none'}).`,
	);
}

/** Has the new deployment do a scoring job. */
async function smoke(
	{ smokeTest, endpoint, deployment }: BatchRollout,
	progress: BatchProgress,
	parts: BatchDeployParts,
): Promise<void> {
	const body = smokeTest && invocationBody(smokeTest.body);
	if (body === undefined) return;
	progress.stage = 'starting the scoring job';
	// Read anew: a new endpoint has its scoring URI only now.
	const now = (await findBatchEndpoint(endpoint.name, parts)) ?? endpoint;
	const job = await invokeBatch(now, { deployment, body }, parts);
	progress.job = job;
	progress.stage = `the scoring job ${job}`;
	parts.log.info(`Smoke test: following the scoring job ${job}.`);
	await parts.followJob(job);
	parts.log.info('Smoke test: passed.');
}

/** Deletes the deployment that was the default one. A failure is a warning: the rollout itself has succeeded. */
async function deletePreviousDefault(
	{ endpoint, deployment }: BatchRollout,
	parts: DeployParts,
): Promise<readonly string[]> {
	const previous = endpoint.defaultDeployment;
	if (previous === undefined || sameName(previous, deployment)) return [];
	try {
		const now = await findBatchEndpoint(endpoint.name, parts);
		if (!sameName(now?.defaultDeployment, deployment)) return [];
		await deleteDeployment(endpoint.name, previous, parts);
		parts.log.info(`Deleted the deployment ${previous}, which was the default one before.`);
		return [previous];
	} catch (error) {
		parts.log.warning(
			`The deployment ${previous} was the default one before and could not be deleted. ${messageOf(error)}`,
		);
		return [];
	}
}

function endpointResult(
	endpoint: BatchEndpoint,
	created: boolean,
	{ workspace, log }: DeployParts,
): BatchRolloutResult {
	log.info(`The batch endpoint ${endpoint.name} is ready; nothing is asked to be deployed to it.`);
	return {
		endpointName: endpoint.name,
		deploymentName: '',
		scoringUri: endpoint.scoringUri,
		defaultDeployment: endpoint.defaultDeployment,
		previousDefault: endpoint.defaultDeployment,
		rolledBack: false,
		smokeJob: undefined,
		created: { endpoint: created, deployment: false },
		deleted: [],
		consoleUrl: batchEndpointUrl(endpoint.name, workspace),
	};
}

async function resultOf(
	{ endpoint, deployment, existed, endpointCreated }: BatchRollout,
	progress: BatchProgress,
	deleted: readonly string[],
	parts: DeployParts,
): Promise<BatchRolloutResult> {
	// The rollout has succeeded; a failure to read it once more does not change that.
	const now = await findBatchEndpoint(endpoint.name, parts).catch(() => undefined);
	const switched = progress.switched ? deployment : endpoint.defaultDeployment;
	return {
		endpointName: endpoint.name,
		deploymentName: deployment,
		scoringUri: (now ?? endpoint).scoringUri,
		defaultDeployment: now === undefined ? switched : now.defaultDeployment,
		previousDefault: endpoint.defaultDeployment,
		rolledBack: false,
		smokeJob: progress.job,
		created: { endpoint: endpointCreated, deployment: !existed },
		deleted,
		consoleUrl: batchEndpointUrl(endpoint.name, parts.workspace),
	};
}

/** The address of a batch endpoint in Azure ML studio; made after that of an online one, as none is documented. */
export function batchEndpointUrl(name: string, { cloud, id, tenantId }: Workspace): string {
	const tenant = tenantId === undefined ? '' : `&tid=${encodeURIComponent(tenantId)}`;
	return `${cloud.studio}/endpoints/batch/${encodeURIComponent(name)}/detail?wsid=${id}${tenant}`;
}
