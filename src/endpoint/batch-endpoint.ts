// Batch endpoints as they exist, and the one thing about them that online endpoints do not have: the default deployment.
// Creating, updating, waiting and deleting are the same for both kinds and live in online-endpoint.ts and online-wait.ts.
import { ActionError } from '../errors.ts';
import { type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { type EndpointWish, endpointBody, ensureEndpoint, findEndpoint, gone, putEndpoint } from './online-endpoint.ts';
import { type EndpointParts, whenIdle } from './online-wait.ts';
import { sameName } from './traffic.ts';

/** A batch endpoint as the service tells it. */
export interface BatchEndpoint {
	readonly name: string;
	/** Where jobs are started; absent until the endpoint is ready. */
	readonly scoringUri: string | undefined;
	/** The deployment that scores when a request names none. */
	readonly defaultDeployment: string | undefined;
	/** The whole resource. */
	readonly resource: JsonObject;
}

/** The default deployment is not what this run last saw or set: another run or a person has changed it. */
export class DefaultChanged extends ActionError {
	override readonly name = 'DefaultChanged';

	constructor(endpoint: string, expected: string | undefined, found: string | undefined) {
		super({
			what: `The default deployment of the endpoint "${endpoint}" was changed by someone else meanwhile, and is left as they set it.`,
			why: `Expected ${expected ?? 'none'}, found ${found ?? 'none'}.`,
			next: 'Run one rollout of an endpoint at a time (a `concurrency` group in the workflow sees to that), then run again.',
		});
	}
}

/** The parts of a call, meant for batch endpoints. */
export function forBatch<T extends Omit<EndpointParts, 'workspace'>>(parts: T): T {
	return { ...parts, collection: 'batchEndpoints' };
}

function batchEndpointFrom({ name, scoringUri, resource }: Omit<BatchEndpoint, 'defaultDeployment'>): BatchEndpoint {
	const defaultDeployment = textAt(resource, 'properties', 'defaults', 'deploymentName') || undefined;
	return { name, scoringUri, defaultDeployment, resource };
}

/** The batch endpoint once no change of it is under way; undefined where there is none of that name. */
export async function findBatchEndpoint(name: string, parts: EndpointParts): Promise<BatchEndpoint | undefined> {
	const found = await findEndpoint(name, forBatch(parts));
	return found === undefined ? undefined : batchEndpointFrom(found);
}

/**
 * Creates the batch endpoint if it is missing. One that exists keeps its default deployment; its tags, description and
 * identity are brought up to the wish, and nothing is sent where they are so already.
 */
export async function ensureBatchEndpoint(
	name: string,
	wish: EndpointWish,
	parts: EndpointParts,
): Promise<{ readonly endpoint: BatchEndpoint; readonly created: boolean }> {
	const { endpoint, created } = await ensureEndpoint(name, wish, forBatch(parts));
	return { endpoint: batchEndpointFrom(endpoint), created };
}

/** A change of the default deployment, from the one that is expected to be there. */
export interface DefaultChange {
	readonly from: string | undefined;
	readonly to: string | undefined;
}

/**
 * Sets the default deployment by a PUT of the whole endpoint: a PATCH takes only tags and identity.
 * @throws DefaultChanged when the default is not `from` before, or not `to` after
 */
export async function setDefaultDeployment(
	name: string,
	{ from, to }: DefaultChange,
	given: EndpointParts,
): Promise<BatchEndpoint> {
	const parts = forBatch(given);
	const after = await whenIdle(name, parts, async () => {
		const now = await findBatchEndpoint(name, parts);
		if (now === undefined) throw gone(name);
		// Also after a PUT of ours whose answer was lost.
		if (sameName(now.defaultDeployment, to)) return now;
		if (!sameName(now.defaultDeployment, from)) throw new DefaultChanged(name, from, now.defaultDeployment);
		const doing = `make ${to ?? 'none'} the default deployment of the endpoint "${name}"`;
		return batchEndpointFrom(await putEndpoint(name, defaultBody(now, to), doing, parts));
	});
	if (!sameName(after.defaultDeployment, to)) throw new DefaultChanged(name, to, after.defaultDeployment);
	return after;
}

/** The body that makes this deployment the default one, or none, and leaves all else as it is. */
export function defaultBody({ resource }: BatchEndpoint, to: string | undefined): JsonObject {
	const body = endpointBody(resource);
	// Null is what the service itself shows for none.
	const deploymentName: Json = to ?? null;
	const defaults = { ...objectAt(body, 'properties', 'defaults'), deploymentName };
	return { ...body, properties: { ...objectAt(body, 'properties'), defaults } };
}
