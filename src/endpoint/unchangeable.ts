// What Azure never changes of a deployment once it is made (x-ms-mutability `create` in the REST specification, and the
// discriminator of its kind), and what is done about it.
import { ActionError } from '../errors.ts';
import { type Json, type JsonObject, textAt } from '../json.ts';
import { deleteDeployment } from './online-deployment.ts';
import type { OnlineEndpoint } from './online-endpoint.ts';
import type { EndpointParts } from './online-wait.ts';
import { shareOf } from './traffic.ts';

const FIXED = { endpointComputeType: 'compute type', instanceType: 'instance type' } as const;

/** A deployment that is about to be put. */
export interface Placement {
	readonly endpoint: OnlineEndpoint;
	readonly deployment: string;
	readonly body: JsonObject;
	/** As the service has it now; undefined where there is none. */
	readonly found: Json | undefined;
}

/**
 * Makes sure that a deployment can be put: one that is there, and has a property that Azure does not change, is deleted
 * first where it serves nobody.
 * @returns whether the deployment is there still, and will be updated
 * @throws ActionError where it serves
 */
export async function makeWay(placement: Placement, parts: EndpointParts): Promise<boolean> {
	tellKind(placement, parts);
	const { endpoint, deployment, body, found } = placement;
	if (found === undefined) return false;
	const changes = Object.entries(FIXED).flatMap(([key, words]) => {
		const [there, wanted] = [textAt(found, 'properties', key), textAt(body, 'properties', key)];
		const same = there === undefined || wanted === undefined || there.toLowerCase() === wanted.toLowerCase();
		return same ? [] : [`${words} ${there}, not ${wanted}`];
	});
	if (changes.length === 0) return true;
	const name = textAt(found, 'name') ?? deployment;
	const serves = (shareOf(endpoint.traffic, name) ?? 0) > 0 || (shareOf(endpoint.mirrorTraffic, name) ?? 0) > 0;
	if (serves) {
		throw new ActionError({
			what: `The deployment "${name}" on the endpoint "${endpoint.name}" cannot be updated.`,
			why: `It has ${changes.join(' and ')}, and Azure does not change that; it serves, so that it is not replaced.`,
			next: 'Deploy beside it: leave `deployment-name` and the name in the file out, or give another one.',
		});
	}
	parts.log.info(
		`The deployment ${name} has ${changes.join(' and ')}, which Azure does not change. It serves nobody and is deleted first.`,
	);
	await deleteDeployment(endpoint.name, name, parts);
	return false;
}

/**
 * An endpoint on a Kubernetes cluster names its compute, and is for deployments of that kind. That the service refuses others
 * is not confirmed, so what does not fit is told and sent.
 */
function tellKind({ endpoint, deployment, body }: Placement, { log }: EndpointParts): void {
	const kind = textAt(body, 'properties', 'endpointComputeType')?.toLowerCase();
	const onCluster = (textAt(endpoint.resource, 'properties', 'compute') ?? '') !== '';
	if (kind === undefined || (kind === 'kubernetes') === onCluster) return;
	log.warning(
		onCluster
			? `The endpoint ${endpoint.name} is on a Kubernetes cluster, and the deployment ${deployment} is a managed one: give \`type: kubernetes\` in \`deployment-file\` if the service refuses it.`
			: `The deployment ${deployment} is for a Kubernetes cluster, and the endpoint ${endpoint.name} names none: give \`compute\` in \`endpoint-file\` when the endpoint is made if the service refuses it.`,
	);
}
