// The champion that a gate compares with: a version of a model, or what an endpoint serves now; and its recorded metrics.
import { findModel } from '../asset/model.ts';
import { findVersion } from '../asset/version.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { findBatchEndpoint, forBatch } from '../endpoint/batch-endpoint.ts';
import { deploymentNamed, findDeployment, listDeployments } from '../endpoint/online-deployment.ts';
import { findEndpoint } from '../endpoint/online-endpoint.ts';
import type { EndpointParts } from '../endpoint/online-wait.ts';
import { servingTraffic } from '../endpoint/traffic.ts';
import { ActionError, ServiceError } from '../errors.ts';
import { findJob } from '../job/job.ts';
import { at, type Json, numberAt, objectAt, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import { jobMetrics, type MetricSource } from './metric-source.ts';

/** Which champion is meant. */
export interface ChampionWish {
	/** `model-name:version` or the name of an endpoint; the newest version of `modelName` where absent. */
	readonly named: string | undefined;
	readonly modelName: string | undefined;
	/** The endpoint that this run deploys to: only this one may not be there yet. */
	readonly ownEndpoint: string | undefined;
	/** The job that is judged: a version that it has itself become is not its champion. */
	readonly jobName: string;
}

export interface ChampionParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
}

/** The champion, or that there is none yet, in a sentence. */
export type Champion = { readonly label: string; readonly metrics: MetricSource } | { readonly none: string };

/** Tags of this form are written with a model's version when it is registered. */
const METRIC_TAG = 'metric.';
/** How many versions are looked at for the newest of another job. */
const LOOKED_AT = 50;

/**
 * Finds the champion.
 * @throws ActionError where the one that is named does not exist, or nothing can be known of its metrics
 */
export async function findChampion(wish: ChampionWish, parts: ChampionParts): Promise<Champion> {
	const { named, modelName } = wish;
	if (named === undefined) return newestVersion(modelName ?? '', wish, parts);
	const [, name, version] = /^(?:azureml:)?([^:@]+)[:@](.+)$/.exec(named) ?? [];
	if (name === undefined || version === undefined) return served(named, wish, parts);
	return version === 'latest' ? newestVersion(name, wish, parts) : modelVersion(name, version, parts);
}

/** The newest version of the model that another job has made. */
async function newestVersion(name: string, wish: ChampionWish, parts: ChampionParts): Promise<Champion> {
	const { workspace, signal } = parts;
	const versions = workspace.arm.list(`${workspace.id}/models/${encodeURIComponent(name)}/versions`, {
		doing: `find the newest version of the model "${name}"`,
		query: { $orderBy: 'createdtime desc', $top: String(LOOKED_AT) },
		signal,
	});
	let seen = 0;
	try {
		for await (const version of versions) {
			seen += 1;
			if (jobOf(version) !== wish.jobName) return champion(name, textAt(version, 'name') ?? '', version, parts);
			if (seen >= LOOKED_AT) break;
		}
	} catch (error) {
		// A model that nobody has registered yet.
		if (!(error instanceof ServiceError) || error.status !== 404) throw error;
	}
	if (name === wish.modelName || seen > 0)
		return { none: `There is no other version of the model ${name} yet to compare with.` };
	// Says what there is instead.
	await findModel(workspace, name, 'latest', signal, '`champion`');
	return { none: `There is no version of the model ${name} yet.` };
}

async function modelVersion(name: string, version: string, parts: ChampionParts): Promise<Champion> {
	const { workspace, signal } = parts;
	const found = await findVersion(workspace, { kind: 'models', name, signal }, version);
	if (found !== undefined) return champion(name, version, found, parts);
	await findModel(workspace, name, version, signal, '`champion`');
	throw new ActionError({ what: `The champion ${name}:${version} has just been made; run again.` });
}

/** The model of the deployment that has most of the endpoint's traffic, or is the default of a batch endpoint. */
async function served(name: string, { ownEndpoint }: ChampionWish, parts: ChampionParts): Promise<Champion> {
	const online = await findEndpoint(name, parts);
	const batch = online === undefined ? await findBatchEndpoint(name, parts) : undefined;
	if (online === undefined && batch === undefined) {
		if (name === ownEndpoint) return { none: `The endpoint ${name} does not exist yet.` };
		throw new ActionError({
			what: `There is no endpoint "${name}" in the workspace ${parts.workspace.workspace} to find the champion by.`,
			next: 'Check `champion`; a version of a model is written `model-name:version`.',
		});
	}
	const busiest = Object.entries(servingTraffic(online?.traffic ?? {})).sort(([, a], [, b]) => b - a)[0]?.[0];
	const deployment = busiest ?? batch?.defaultDeployment;
	if (deployment === undefined) return { none: `The endpoint ${name} serves nothing yet.` };
	const resource = await findServing(name, deployment, online === undefined ? forBatch(parts) : parts);
	const properties = at(resource, 'properties');
	const model = textAt(properties, 'model') ?? textAt(properties, 'model', 'assetId') ?? '';
	const found = modelIn(model);
	if (found === undefined) throw unknownModel(name, deployment, model);
	parts.log.info(`The endpoint ${name} serves ${found.name}:${found.version} (deployment ${deployment}).`);
	return modelVersion(found.name, found.version, parts);
}

/** The deployment that traffic or a default names, in whatever case it does. */
async function findServing(endpoint: string, name: string, parts: EndpointParts): Promise<Json | undefined> {
	const found = await findDeployment(endpoint, name, parts);
	if (found !== undefined) return found;
	return deploymentNamed(await listDeployments(endpoint, parts), name);
}

/** The version of this workspace that a deployment names; the metrics of a registry's model are not known here. */
function modelIn(reference: string): { readonly name: string; readonly version: string } | undefined {
	if (/\/registries\//i.test(reference)) return undefined;
	const parts =
		/\/models\/([^/]+)\/versions\/([^/]+)$/i.exec(reference) ?? /^azureml:(?!\/\/)([^:/]+):([^/]+)$/.exec(reference);
	const [, name, version] = parts ?? [];
	return name === undefined || version === undefined ? undefined : { name, version };
}

function unknownModel(endpoint: string, deployment: string, model: string): ActionError {
	return new ActionError({
		what: `The metrics of what the endpoint "${endpoint}" serves are not known.`,
		why:
			model === ''
				? `Its deployment "${deployment}" names no model.`
				: `Its deployment "${deployment}" serves ${model}, which is not a version of a model in this workspace.`,
		next: 'Give `champion` as `model-name:version`.',
	});
}

function champion(name: string, version: string, resource: Json, parts: ChampionParts): Champion {
	return { label: `${name}:${version}`, metrics: recordedMetrics(resource, parts) };
}

/** What was recorded with the version when it was registered; for what is not there, the metrics of its job. */
function recordedMetrics(resource: Json, { workspace, signal }: ChampionParts): MetricSource {
	const tags = objectAt(resource, 'properties', 'tags');
	let ofJob: Promise<MetricSource | undefined> | undefined;
	const jobSource = async (): Promise<MetricSource | undefined> => {
		const name = jobOf(resource);
		const job = name === undefined ? undefined : await findJob(workspace, name, signal);
		return job && jobMetrics(job, { workspace, signal });
	};
	const job = (): Promise<MetricSource | undefined> => {
		ofJob ??= jobSource();
		return ofJob;
	};
	return {
		find: async (name) => numberAt(tags, `${METRIC_TAG}${name}`) ?? (await job())?.find(name),
		names: async () => {
			const tagged = Object.keys(tags).filter((tag) => tag.startsWith(METRIC_TAG));
			const names = tagged.map((tag) => tag.slice(METRIC_TAG.length));
			return [...new Set([...names, ...((await (await job())?.names()) ?? [])])];
		},
	};
}

/** The job that a version was made by, as the service or our own tag says. */
function jobOf(version: Json): string | undefined {
	return textAt(version, 'properties', 'jobName') || textAt(version, 'properties', 'tags', 'job') || undefined;
}
