// Finds an Azure ML registry by its name: where in Azure it is, and at which address it takes imports.
import type { BearerHttp } from '../azure/bearer.ts';
import { type Cloud, mayReceiveToken } from '../azure/cloud.ts';
import { hostOf, Unreachable } from '../azure/http.ts';
import { serviceError } from '../azure/service-error.ts';
import type { Workspace } from '../azure/workspace.ts';
import { ActionError, ServiceError } from '../errors.ts';
import { type Json, parseJson, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import { withoutEndSlashes } from '../slashes.ts';

/** A registry. */
export interface Registry {
	readonly name: string;
	/** ARM id, which is also the path of its calls. */
	readonly id: string;
	/** Base URL of the service that takes imports, without a slash at its end. A token may go there. */
	readonly service: string;
}

export interface DiscoveryParts {
	readonly workspace: Workspace;
	readonly bearer: BearerHttp;
	readonly log: Log;
	readonly signal?: AbortSignal | undefined;
}

/** Regional services of Microsoft's clouds that know every registry of their cloud. */
const DISCOVERY: Readonly<Record<string, string>> = {
	AzureCloud: 'https://eastus.api.azureml.ms',
	AzureUSGovernment: 'https://usgovarizona.api.ml.azure.us',
	AzureChinaCloud: 'https://chinaeast2.api.ml.azure.cn',
};
/** What stands between the address of a service and a resource's path, as in recorded requests. */
const FRONT_END = 'mferp/managementfrontend';

/**
 * Asks where a registry is.
 * @throws ServiceError where there is none of that name, or this identity may not know of it
 */
export async function findRegistry(name: string, parts: DiscoveryParts): Promise<Registry> {
	const { workspace, signal, bearer } = parts;
	const doing = `find the registry "${name}"`;
	const { cloud } = workspace;
	const base = (cloud.custom ? undefined : DISCOVERY[cloud.name]) ?? (await workspace.serviceAddress());
	const url = `${base}/registrymanagement/v1.0/registries/${encodeURIComponent(name)}/discovery`;
	const answer = await bearer
		.send({ method: 'GET', url, signal, headers: { accept: 'application/json' } })
		.catch((error: unknown) => {
			if (!(error instanceof Unreachable)) throw error;
			throw new ServiceError({ what: `Could not ${doing}.`, why: error.message, cause: error }, { status: 0 });
		});
	if (answer.status === 404) throw unknown(name, cloud);
	if (answer.status >= 300) throw serviceError(answer, doing);
	return registryFrom(name, parseJson(answer.body.toString()) ?? null, parts);
}

function registryFrom(name: string, answer: Json, { workspace, log }: DiscoveryParts): Registry {
	const resource = ['subscriptionId', 'resourceGroup', 'registryName'].map((key) => textAt(answer, key) ?? '');
	// They become parts of a path, so that nothing may stand in them which means something there.
	if (!resource.every((part) => /^(?!\.+$)[\p{L}\p{N}_.()-]+$/u.test(part))) throw incomplete(name);
	const [subscription, group, registry] = resource.map(encodeURIComponent);
	const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/registries/${registry}`;
	return { name, id, service: `${addressIn(name, answer, workspace.cloud, log)}/${FRONT_END}` };
}

/**
 * The address that the registry names, if a token may go there; else that of its region's services, whose front end is the
 * same kind of service. That it takes imports there is not confirmed.
 */
function addressIn(name: string, answer: Json, cloud: Cloud, log: Log): string {
	const told = textAt(answer, 'primaryRegionResourceProviderUri');
	const named = told && withoutEndSlashes(told);
	if (named !== undefined && mayReceiveToken(cloud, named)) return named;
	const region = textAt(answer, 'primaryRegion') ?? '';
	const [suffix] = cloud.machineLearningSuffixes;
	const regional = `https://${region}.${suffix}`;
	const known = !cloud.custom && /^[a-z0-9-]+$/i.test(region) && mayReceiveToken(cloud, regional);
	if (known) {
		log.debug(`The registry ${name} is at ${named}, which may see no token; its region is asked instead: ${regional}`);
		return regional;
	}
	throw new ActionError({
		what: `The registry "${name}" names an address that no token is sent to${named === undefined ? '' : `: ${URL.canParse(named) ? hostOf(named) : named}`}.`,
		why: `It belongs neither to the resource manager of ${cloud.name} nor to its machine-learning services.`,
		next: cloud.custom
			? "If the host is right, list its suffix under suffixes.machineLearning in the cloud's JSON file."
			: undefined,
	});
}

function unknown(name: string, cloud: Cloud): ServiceError {
	return new ServiceError(
		{
			what: `There is no Azure ML registry "${name}" in ${cloud.name} that this identity may see.`,
			next: 'Check `registry`, and that the identity has a role on the registry (AzureML Registry User).',
		},
		{ status: 404 },
	);
}

function incomplete(name: string): ServiceError {
	return new ServiceError(
		{
			what: `Could not find the registry "${name}".`,
			why: 'Discovery does not tell its subscription, resource group and name.',
		},
		{ status: 200 },
	);
}
