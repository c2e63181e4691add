// The workspace we work in: where it is, its default datastore, and its regional services, found by discovery.
import { ServiceError } from '../errors.ts';
import { at, type Json, jsonText, listAt, objectAt, parseJson, textAt } from '../json.ts';
import { withoutEndSlashes } from '../slashes.ts';
import type { Arm } from './arm.ts';
import type { BearerHttp } from './bearer.ts';
import { type Cloud, isFetchable, mayReceiveToken } from './cloud.ts';
import { type Http, hostOf, Unreachable } from './http.ts';
import { serviceError } from './service-error.ts';

/** Which workspace. */
export interface WorkspaceName {
	readonly subscriptionId: string;
	readonly resourceGroup: string;
	readonly workspace: string;
}

/** A datastore of kind Azure Blob, as far as an upload needs to know it. */
export interface Datastore {
	readonly name: string;
	/** `AzureBlob`, `AzureDataLakeGen2`, … */
	readonly type: string;
	/** URL of the blob container, without a slash at its end. */
	readonly containerUrl: string;
	readonly accountName: string;
}

/** The workspace, its control plane and its data plane. */
export interface Workspace extends WorkspaceName {
	/** ARM id: `/subscriptions/…/workspaces/<name>`; also the path of its calls. */
	readonly id: string;
	/** The same without the leading slash, as data-plane paths and long URIs hold it. */
	readonly scope: string;
	readonly location: string;
	/** GUID of the workspace. */
	readonly workspaceId: string | undefined;
	readonly tenantId: string | undefined;
	readonly cloud: Cloud;
	readonly arm: Arm;
	/** `GET` or `POST` at the regional services: `path` starts with `/history/v1.0`, `/metric/v2.0`, …; the scope is put behind it. */
	data(service: string, rest: string, call: DataCall): Promise<Json>;
	/** The same for MLflow's REST interface: `rest` is e.g. `runs/get`. */
	mlflow(rest: string, call: DataCall): Promise<Json>;
	/** Base URL of the regional services, without a slash at its end. */
	serviceAddress(): Promise<string>;
	/** The named datastore, or the workspace's default one. */
	datastore(name?: string): Promise<Datastore>;
}

export interface DataCall {
	readonly doing: string;
	readonly query?: Readonly<Record<string, string>>;
	/** Given: a POST of this body. */
	readonly body?: Json;
	/** False: one attempt only, by a caller who comes again soon. */
	readonly retry?: boolean;
	readonly signal?: AbortSignal | undefined;
}

export interface WorkspaceParts {
	readonly cloud: Cloud;
	readonly arm: Arm;
	/** For addresses that need no token: discovery. */
	readonly http: Http;
	readonly bearer: BearerHttp;
	/** Ends what finds the workspace, its services and its datastores, when the workflow is cancelled. */
	readonly signal?: AbortSignal | undefined;
}

/** The ARM id of a workspace. */
export function workspaceIdOf({ subscriptionId, resourceGroup, workspace }: WorkspaceName): string {
	return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`;
}

/**
 * Finds the workspace.
 * @throws ServiceError when there is none of that name (saying which there are) or it may not be read
 */
export async function connectWorkspace(name: WorkspaceName, parts: WorkspaceParts): Promise<Workspace> {
	const { cloud, arm, bearer, signal } = parts;
	const id = workspaceIdOf(name);
	const doing = `find the workspace "${name.workspace}"`;
	const found = await arm.get(id, { doing, signal }).catch((error) => explainMissing(error, name, parts));
	const api = remembered(() => discover(found, parts));

	const call = async (url: string, { doing, query, body, retry = true, signal }: DataCall): Promise<Json> => {
		const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
		const answer = await bearer
			.send({
				method: body === undefined ? 'GET' : 'POST',
				url: url + search,
				signal,
				// What is posted here are queries.
				repeatable: true,
				retry,
				headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
				...(body === undefined ? {} : { body: jsonText(body) }),
			})
			.catch((error) => explainSilence(error, doing));
		if (answer.status >= 300) throw serviceError(answer, doing);
		return parseJson(answer.body.toString()) ?? null;
	};

	return {
		...name,
		id,
		scope: id.slice(1),
		location: textAt(found, 'location') ?? '',
		workspaceId: textAt(found, 'properties', 'workspaceId'),
		tenantId: textAt(found, 'identity', 'tenantId') ?? textAt(found, 'properties', 'tenantId'),
		cloud,
		arm,
		serviceAddress: () => api(),
		data: async (service, rest, options) => call(`${await api()}${service}${id}${rest}`, options),
		mlflow: async (rest, options) => {
			const base =
				trackingUrl(textAt(found, 'properties', 'mlFlowTrackingUri'), cloud) ?? `${await api()}/mlflow/v1.0${id}`;
			return call(`${base}/api/2.0/mlflow/${rest}`, options);
		},
		datastore: remembered((wanted) => readDatastore(id, wanted, parts)),
	};
}

async function explainMissing(error: unknown, name: WorkspaceName, { arm, signal }: WorkspaceParts): Promise<never> {
	if (!(error instanceof ServiceError) || error.status !== 404 || error.code !== 'ResourceNotFound') throw error;
	const group = workspaceIdOf(name).replace(/\/[^/]+$/, '');
	const names: string[] = [];
	try {
		const workspaces = arm.list(group, { doing: 'list the workspaces', signal });
		for await (const item of workspaces) names.push(textAt(item, 'name') ?? '');
	} catch {
		// The list is a courtesy; the first error is the message.
	}
	throw new ServiceError(
		{
			what: `There is no workspace "${name.workspace}" in the resource group "${name.resourceGroup}".`,
			why: names.length === 0 ? error.why : `The workspaces there: ${names.join(', ')}.`,
			next: 'Check `workspace`, `resource-group` and `subscription-id`.',
			cause: error,
		},
		{ status: 404, code: error.code },
	);
}

function explainSilence(error: unknown, doing: string): never {
	if (!(error instanceof Unreachable)) throw error;
	throw new ServiceError({ what: `Could not ${doing}.`, why: error.message, cause: error }, { status: 0 });
}

/** Base URL of the regional services. The discovery address needs no token and gets none. */
async function discover(workspace: Json, { http, cloud, signal }: WorkspaceParts): Promise<string> {
	const doing = "find the workspace's service addresses";
	const url = textAt(workspace, 'properties', 'discoveryUrl');
	if (url === undefined || !URL.canParse(url)) {
		throw new ServiceError({ what: `Could not ${doing}.`, why: 'The workspace names no discoveryUrl.' }, { status: 0 });
	}
	if (!isFetchable(cloud, url)) {
		const why = `The workspace's discoveryUrl (${hostOf(url)}) is not an https address of a public host.`;
		throw new ServiceError({ what: `Could not ${doing}.`, why }, { status: 0 });
	}
	const answer = await http
		.send({ method: 'GET', url, signal, headers: { accept: 'application/json' } })
		.catch((error) => explainSilence(error, doing));
	if (answer.status !== 200) throw serviceError(answer, doing);
	const services = objectAt(parseJson(answer.body.toString()));
	const base = textAt(services, 'api') ?? textAt(services, 'history');
	if (base === undefined)
		throw new ServiceError({ what: `Could not ${doing}.`, why: 'Discovery names no `api`.' }, { status: 200 });
	return withoutEndSlashes(base);
}

/** `azureml://host/mlflow/v1.0/…` as the https (loopback: http) URL it stands for. */
function trackingUrl(uri: string | undefined, cloud: Cloud): string | undefined {
	const rest = /^azureml:\/\/([^?#]+)/.exec(uri ?? '')?.[1];
	if (rest === undefined) return undefined;
	// The URI has no scheme of its own; a custom cloud that is reached over http has its services there too.
	const scheme = cloud.custom && cloud.resourceManager.startsWith('http:') ? 'http' : 'https';
	const url = `${scheme}://${withoutEndSlashes(rest)}`;
	// Discovery says the same; an address that would get no token is of no use.
	return mayReceiveToken(cloud, url) ? url : undefined;
}

async function readDatastore(
	id: string,
	name: string | undefined,
	{ arm, cloud, signal }: WorkspaceParts,
): Promise<Datastore> {
	const doing = name === undefined ? "find the workspace's default datastore" : `find the datastore "${name}"`;
	const found =
		name === undefined
			? defaultAmong(
					listAt(await arm.get(`${id}/datastores`, { doing, query: { isDefault: 'true' }, signal }), 'value'),
				)
			: await arm.find(`${id}/datastores/${encodeURIComponent(name)}`, { doing, signal });
	if (found === undefined) {
		const names: string[] = [];
		for await (const item of arm.list(`${id}/datastores`, { doing: 'list the datastores', signal }))
			names.push(textAt(item, 'name') ?? '');
		throw new ServiceError(
			{ what: `Could not ${doing}.`, why: `The datastores of the workspace: ${names.join(', ') || 'none'}.` },
			{ status: 404 },
		);
	}
	const properties = objectAt(found, 'properties');
	const account = textAt(properties, 'accountName') ?? '';
	const container = textAt(properties, 'containerName') ?? textAt(properties, 'filesystem') ?? '';
	const protocol = textAt(properties, 'protocol') ?? 'https';
	const endpoint = textAt(properties, 'endpoint') || cloud.storageSuffix;
	return {
		name: textAt(found, 'name') ?? name ?? '',
		type: textAt(properties, 'datastoreType') ?? '',
		accountName: account,
		containerUrl: `${protocol}://${accountAt(endpoint, account)}/${container}`,
	};
}

function defaultAmong(datastores: readonly Json[]): Json | undefined {
	return datastores.find((item) => at(item, 'properties', 'isDefault') === true) ?? datastores[0];
}

/** No name can stand before an IP address; Microsoft's clients put the account into the path there, as for Azurite. */
function accountAt(endpoint: string, account: string): string {
	return /^(\d{1,3}(\.\d{1,3}){3}|\[[\da-f:]+\])(:\d+)?$/i.test(endpoint)
		? `${endpoint}/${account}`
		: `${account}.blob.${endpoint}`;
}

/** Asks once for each key, however many want the answer. A failure is not remembered: the next one asks again. */
function remembered<T>(ask: (key?: string) => Promise<T>): (key?: string) => Promise<T> {
	const answers = new Map<string | undefined, Promise<T>>();
	return (key) => {
		const known = answers.get(key);
		if (known !== undefined) return known;
		const answer = ask(key);
		answers.set(key, answer);
		answer.catch(() => answers.delete(key));
		return answer;
	};
}
