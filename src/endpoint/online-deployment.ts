// Deployments of an online endpoint as they exist: list, create or update, container logs, delete. Their traffic is the
// endpoint's and lives in online-endpoint.ts.
import { ActionError, ServiceError } from '../errors.ts';
import { at, type Json, type JsonObject, textAt } from '../json.ts';
import { findEndpoint } from './online-endpoint.ts';
import { deploymentPath, type EndpointParts, endpointPath, settling, whenIdle } from './online-wait.ts';
import { sameName, shareOf } from './traffic.ts';

/** Every deployment of the endpoint, as the service holds it. */
export async function listDeployments(endpoint: string, parts: EndpointParts): Promise<readonly Json[]> {
	const found: Json[] = [];
	const call = { doing: `list the deployments of the endpoint "${endpoint}"`, signal: parts.signal };
	for await (const item of parts.workspace.arm.list(`${endpointPath(parts, endpoint)}/deployments`, call)) {
		found.push(item);
	}
	return found;
}

/** The one of this name among those of an endpoint, in whatever case either writes it. */
export function deploymentNamed(deployments: readonly Json[], name: string): Json | undefined {
	return deployments.find((item) => sameName(textAt(item, 'name'), name));
}

/** The deployment as it is now; undefined where there is none of that name. */
export function findDeployment(endpoint: string, name: string, parts: EndpointParts): Promise<Json | undefined> {
	const call = { doing: `read the deployment "${name}"`, signal: parts.signal };
	return parts.workspace.arm.find(deploymentPath(parts, endpoint, name), call);
}

/** A deployment to create or update. */
export interface DeploymentPut {
	readonly endpoint: string;
	readonly name: string;
	readonly body: JsonObject;
	/** Asked right before each attempt, because a busy endpoint may be another one when it is idle again. */
	readonly check: () => Promise<void>;
}

/**
 * Creates or updates a deployment and waits until the service has brought it up.
 * @returns the deployment as the service then holds it
 * @throws OperationFailed when it does not come up
 */
export async function putDeployment(put: DeploymentPut, parts: EndpointParts): Promise<Json> {
	const { arm } = parts.workspace;
	const path = deploymentPath(parts, put.endpoint, put.name);
	const doing = `bring up the deployment "${put.name}"`;
	const answer = await whenIdle(put.endpoint, parts, async () => {
		await put.check();
		return arm.put(path, put.body, { doing, signal: parts.signal });
	});
	const settled = await arm.settle(path, answer, settling(doing, parts, `Deployment ${put.name}`));
	if (settled === undefined) {
		throw new ServiceError({ what: `Could not ${doing}.`, why: 'It was deleted while it was made.' }, { status: 404 });
	}
	return settled;
}

/** Whether two looks at a deployment show the same definition: model, code, environment and the tags of its maker. */
export function sameDeployment(one: Json | undefined, other: Json | undefined): boolean {
	return definitionOf(one) === definitionOf(other);
}

function definitionOf(deployment: Json | undefined): string {
	const properties = ['model', 'environmentId', 'codeConfiguration', 'instanceType', 'deploymentConfiguration'];
	const tags = Object.entries(at(deployment, 'tags') ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
	return JSON.stringify([tags, ...properties.map((key) => at(deployment, 'properties', key) ?? null)]);
}

/**
 * The last lines of the container's log: the inference server's, or where that said nothing, those of the container that
 * fetches the model. Undefined where there is none, or none can be had.
 */
export async function containerLog(
	endpoint: string,
	name: string,
	lines: number,
	parts: EndpointParts,
): Promise<string | undefined> {
	const path = `${deploymentPath(parts, endpoint, name)}/getLogs`;
	for (const containerType of ['InferenceServer', 'StorageInitializer']) {
		try {
			const call = { doing: `read the container log of the deployment "${name}"`, signal: parts.signal };
			const { body } = await parts.workspace.arm.post(path, { containerType, tail: lines }, call);
			const text = (textAt(body, 'content') ?? '').trimEnd();
			// The service need not heed `tail`.
			if (text.trim() !== '') return text.split('\n').slice(-lines).join('\n');
		} catch (error) {
			// Whether a failed deployment has a log at all is not documented: no log then, and the failure itself is told.
			parts.log.debug(`No ${containerType} log of ${name}: ${error instanceof Error ? error.message : error}`);
		}
	}
	return undefined;
}

/**
 * Deletes a deployment that has no live traffic, and waits until it is gone. One that is not there is no failure.
 * @throws ActionError when it serves live traffic
 */
export async function deleteDeployment(endpoint: string, name: string, parts: EndpointParts): Promise<void> {
	const { arm } = parts.workspace;
	const path = deploymentPath(parts, endpoint, name);
	const doing = `delete the deployment "${name}"`;
	const answer = await whenIdle(endpoint, parts, async () => {
		const share = shareOf((await findEndpoint(endpoint, parts))?.traffic ?? {}, name) ?? 0;
		if (share > 0) {
			throw new ActionError({
				what: `Could not ${doing}.`,
				why: `It serves ${share} % of the endpoint's live traffic.`,
				next: 'Give its traffic to another deployment first.',
			});
		}
		try {
			return await arm.delete(path, { doing, signal: parts.signal });
		} catch (error) {
			if (error instanceof ServiceError && error.status === 404) return undefined;
			throw error;
		}
	});
	if (answer !== undefined && !parts.atOnce) await arm.settle(path, answer, settling(doing, parts));
}
