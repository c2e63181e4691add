// The walk of one rollout: bring the deployment up, test it dark, move traffic step by step, and tidy up. What happens
// when a step fails is rollback.ts; which names and bodies are meant is deploy.ts.

import { messageOf } from '../errors.ts';
import { type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { type InvokeParts, invokeOnline } from './invoke.ts';
import { mirrorTraffic } from './mirror.ts';
import {
	deleteDeployment,
	deploymentNamed,
	findDeployment,
	listDeployments,
	putDeployment,
	sameDeployment,
} from './online-deployment.ts';
import { findEndpoint, type OnlineEndpoint, setTraffic, TrafficChanged } from './online-endpoint.ts';
import type { EndpointParts } from './online-wait.ts';
import { answerContains } from './smoke-test.ts';
import {
	planTraffic,
	sameName,
	sameTraffic,
	servingTraffic,
	shareOf,
	type TrafficMap,
	type TrafficStep,
	trafficText,
} from './traffic.ts';

/** A request to the new deployment that must be answered well at each step. */
export interface SmokeTest {
	/** JSON text. */
	readonly body: string;
	/** How messages name where the text comes from. */
	readonly file: string;
	/** What the answer must contain; any answer of 200 will do where absent. */
	readonly expect?: Json | undefined;
}

/** One rollout, all names decided. */
export interface Rollout {
	/** As it was before. */
	readonly endpoint: OnlineEndpoint;
	readonly deployment: string;
	readonly body: JsonObject;
	/** Whether the deployment existed before this run. */
	readonly existed: boolean;
	readonly endpointCreated: boolean;
	readonly steps: readonly TrafficStep[];
	/** Shares to mirror once the steps are taken, by deployment; what is mirrored stays where this is empty. */
	readonly mirror: TrafficMap;
	readonly smokeTest: SmokeTest | undefined;
	readonly onFailure: 'rollback' | 'keep';
}

/** A step of traffic as it was taken. */
export interface StepTaken {
	/** The share that the deployment has since then. */
	readonly percent: number;
	/** ISO 8601. */
	readonly at: string;
}

/** How far a rollout has come: what rollback.ts needs to know. */
export interface Progress {
	/** What is under way, to stand after "failed:". */
	stage: string;
	/** A PUT of the deployment was sent, or may have been. */
	sent: boolean;
	/** The deployment as it was when it had come up. */
	settled: Json | undefined;
	/** Every traffic map that this run has tried to set. */
	readonly maps: TrafficMap[];
	/** The mirrored traffic was changed, or may have been. */
	mirrored: boolean;
	readonly taken: StepTaken[];
	smokeAnswer: string | undefined;
}

/** Nothing has happened yet. */
export function startProgress(): Progress {
	return {
		stage: 'start',
		sent: false,
		settled: undefined,
		maps: [],
		mirrored: false,
		taken: [],
		smokeAnswer: undefined,
	};
}

/** The answer of a deployment is not what the user expects. */
export class SmokeTestFailed extends Error {
	override readonly name = 'SmokeTestFailed';
}

/** A step with the map that it makes. */
export interface PlannedStep {
	readonly map: TrafficMap;
	readonly hold: number;
}

/** The maps to set one after the other. Steps that change nothing after the one before them are taken together. */
export function planSteps(
	before: TrafficMap,
	deployment: string,
	steps: readonly TrafficStep[],
): readonly PlannedStep[] {
	const planned: PlannedStep[] = [];
	for (const { percent, hold } of steps) {
		const map = planTraffic(before, deployment, percent);
		const last = planned.at(-1);
		// The first deployment of an endpoint has 100 at once: there is nothing to hold a lower step for.
		if (last !== undefined && sameTraffic(last.map, map)) planned.pop();
		planned.push({ map, hold });
	}
	return planned;
}

/**
 * Walks the rollout up to its last step. `progress` is kept up to date for whoever has to undo it.
 * @throws whatever went wrong; nothing is undone here
 */
export async function walkRollout(rollout: Rollout, progress: Progress, parts: InvokeParts): Promise<void> {
	const { deployment, endpoint } = rollout;
	progress.stage = 'provisioning';
	const share = shareOf(endpoint.traffic, deployment) ?? 0;
	if (share > 0) {
		parts.log.warning(
			`The deployment ${deployment} serves ${share} % already and is updated in place: it cannot be tested before it has traffic. Leave \`deployment-name\` out to deploy beside it.`,
		);
	}
	parts.log.info(`${rollout.existed ? 'Updating' : 'Creating'} the deployment ${deployment} on ${endpoint.name}.`);
	progress.settled = await putDeployment(
		{
			endpoint: endpoint.name,
			name: deployment,
			body: rollout.body,
			check: () => checkBeforePut(rollout, progress, parts),
		},
		parts,
	);
	await smoke(rollout, progress, share > 0 ? 'after the update' : 'before any traffic', parts);
	let now: TrafficMap = endpoint.traffic;
	for (const step of planSteps(endpoint.traffic, deployment, rollout.steps)) {
		await takeStep(rollout, progress, now, step, parts);
		now = step.map;
	}
	await mirror(rollout, progress, now, parts);
}

/** Mirrors traffic as the endpoint's file asks, now that the deployment is there and tested. */
async function mirror(
	{ endpoint, mirror: wish }: Rollout,
	progress: Progress,
	live: TrafficMap,
	parts: InvokeParts,
): Promise<void> {
	if (Object.keys(wish).length === 0) return;
	progress.stage = `mirroring the traffic: ${trafficText(wish)}`;
	const onChange = (): void => {
		progress.mirrored = true;
		progress.maps.push(live);
	};
	await mirrorTraffic(endpoint.name, { wish, live, onChange }, parts);
}

/** Another run may have chosen the same deployment, or given it traffic, while this one waited. */
async function checkBeforePut(rollout: Rollout, progress: Progress, parts: InvokeParts): Promise<void> {
	const { endpoint } = rollout;
	await checkNotTaken(rollout, progress, parts);
	const now = (await findEndpoint(endpoint.name, parts))?.traffic ?? {};
	if (!sameTraffic(now, endpoint.traffic)) throw new TrafficChanged(endpoint.name, endpoint.traffic, now);
	progress.sent = true;
}

/**
 * Checks, right before its PUT, that nobody else has made the deployment meanwhile.
 * @throws Error when somebody has; `progress.sent` is false then, so that it is left alone
 */
export async function checkNotTaken(
	rollout: Pick<Rollout, 'deployment' | 'existed' | 'body'> & { readonly endpoint: { readonly name: string } },
	progress: Pick<Progress, 'sent'>,
	parts: EndpointParts,
): Promise<void> {
	const { endpoint, deployment, existed, body } = rollout;
	const found = existed ? undefined : await findDeployment(endpoint.name, deployment, parts);
	// After a PUT whose answer was lost, what is found may be our own: the tags tell, as they name the run.
	if (found !== undefined && !(progress.sent && hasTags(found, objectAt(body, 'tags')))) {
		progress.sent = false;
		throw new Error(`The deployment "${deployment}" was created by someone else meanwhile.`);
	}
}

/** Whether a resource is there and carries all of these tags. */
export function hasTags(resource: Json | undefined, tags: JsonObject): boolean {
	const all = Object.entries(tags).every(([key, value]) => textAt(resource, 'tags', key) === value);
	return resource !== undefined && all;
}

async function takeStep(
	rollout: Rollout,
	progress: Progress,
	now: TrafficMap,
	{ map, hold }: PlannedStep,
	parts: InvokeParts,
): Promise<void> {
	const { endpoint, deployment } = rollout;
	const { log, clock, signal } = parts;
	const percent = shareOf(map, deployment) ?? 0;
	if (!sameTraffic(now, map)) {
		progress.stage = `setting the traffic to ${trafficText(map)}`;
		await checkDeployment(rollout, progress, parts);
		progress.maps.push(map);
		await setTraffic(endpoint.name, { from: now, to: map }, parts);
		log.info(`Traffic of ${endpoint.name}: ${trafficText(map)}`);
	}
	progress.taken.push({ percent, at: new Date(clock.now()).toISOString() });
	if (!sameTraffic(now, map)) await smoke(rollout, progress, `at ${percent} %`, parts);
	if (hold === 0) return;
	progress.stage = `holding ${percent} %`;
	log.info(`Holding ${percent} % for ${Math.round(hold / 1000)} s.`);
	await clock.sleep(hold, signal);
	await smoke(rollout, progress, `after holding ${percent} %`, parts);
}

/**
 * Checks that the deployment is still what this run has brought up: nothing serves that it has not tested.
 * @throws Error when somebody else has changed or deleted it
 */
export async function checkDeployment(
	{ endpoint, deployment }: Pick<Rollout, 'deployment'> & { readonly endpoint: { readonly name: string } },
	progress: Pick<Progress, 'settled'>,
	parts: EndpointParts,
): Promise<void> {
	const found = await findDeployment(endpoint.name, deployment, parts);
	if (sameDeployment(found, progress.settled)) return;
	throw new Error(
		`The deployment was ${found === undefined ? 'deleted' : 'changed'} by someone else after this run had brought it up.`,
	);
}

async function smoke(rollout: Rollout, progress: Progress, when: string, parts: InvokeParts): Promise<void> {
	const { smokeTest, deployment, endpoint } = rollout;
	if (smokeTest === undefined) return;
	progress.stage = `smoke test ${when}`;
	// Read anew: a new endpoint has its scoring URI only now.
	const now = (await findEndpoint(endpoint.name, parts)) ?? endpoint;
	const answer = await invokeOnline(now, { deployment, body: smokeTest.body }, parts);
	progress.smokeAnswer = answer;
	const difference = smokeTest.expect === undefined ? undefined : answerContains(answer, smokeTest.expect);
	if (difference !== undefined)
		throw new SmokeTestFailed(`The answer to ${smokeTest.file} is not what was expected: ${difference}.`);
	parts.log.info(`Smoke test ${when}: passed.`);
}

/**
 * Deletes the deployments that served before and serve no more. A failure is a warning: the rollout itself has succeeded.
 * @returns the names of those that are deleted
 */
export async function deletePrevious(
	{ endpoint, deployment }: Rollout,
	parts: InvokeParts,
): Promise<readonly string[]> {
	const deleted: string[] = [];
	const now = await findEndpoint(endpoint.name, parts).catch(() => undefined);
	if (now === undefined) return deleted;
	const there = await listDeployments(endpoint.name, parts).catch(() => []);
	for (const served of Object.keys(servingTraffic(endpoint.traffic))) {
		// Traffic may name a deployment in another case than it has.
		const name = textAt(deploymentNamed(there, served), 'name') ?? served;
		const mirrored = shareOf(now.mirrorTraffic, name) ?? 0;
		if (sameName(name, deployment) || mirrored > 0 || (shareOf(now.traffic, name) ?? 0) > 0) continue;
		try {
			await deleteDeployment(endpoint.name, name, parts);
			deleted.push(name);
			parts.log.info(`Deleted the deployment ${name}, which had no traffic left.`);
		} catch (error) {
			parts.log.warning(
				`The deployment ${name} has no traffic left but could not be deleted; it costs on. ${messageOf(error)}`,
			);
		}
	}
	return deleted;
}
