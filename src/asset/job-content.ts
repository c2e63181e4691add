// What a job has left behind: the paths among its logged artifacts, and what its named outputs hold.
import { createSlots } from '../azure/slots.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { ServiceError, TransferError } from '../errors.ts';
import { at, listAt, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { withDatastore } from './storage.ts';

/** A finished job, as far as its models matter. */
export interface TrainedJob {
	readonly name: string;
	readonly experimentName: string;
	readonly outputs: Readonly<Record<string, { readonly type: string; readonly uri?: string; readonly mode?: string }>>;
	/** A sweep names its best trial here, whose artifacts and outputs count as its own. */
	readonly properties?: Readonly<Record<string, string>>;
}

export interface JobContentParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
}

/** How many artifacts and blobs are looked at. */
const MOST_PATHS = 20_000;

/** The run whose artifacts and outputs are the job's: its own, or that of a sweep's best trial. */
export function artifactRun(job: TrainedJob): string {
	return job.properties?.['best_child_run_id'] ?? job.name;
}

/** Paths of all artifacts that a job has logged; none where it has no run. */
export async function listArtifacts(
	job: TrainedJob,
	{ workspace, signal }: JobContentParts,
): Promise<readonly string[]> {
	const experiment = encodeURIComponent(job.experimentName);
	const rest = `/experiments/${experiment}/runs/${encodeURIComponent(artifactRun(job))}/artifacts`;
	const doing = `list the artifacts of the job "${job.name}"`;
	const paths: string[] = [];
	let token: string | undefined;
	do {
		const query = token === undefined ? {} : { continuationToken: token };
		const page = await workspace.data('/history/v1.0', rest, { doing, query, signal }).catch((error) => {
			if (error instanceof ServiceError && error.status === 404) return null;
			throw error;
		});
		const found = listAt(page, 'value').flatMap((item) => textAt(item, 'path') ?? []);
		paths.push(...found);
		const next = textAt(page, 'continuationToken');
		token = next === token || found.length === 0 ? undefined : next;
	} while (token !== undefined && token !== '' && paths.length < MOST_PATHS);
	return paths;
}

/**
 * Paths of all files in a named output, relative to it. Undefined where that cannot be told: the service does not say where
 * the output is, or its storage may not be read from here.
 */
export async function listOutput(
	job: TrainedJob,
	output: string,
	parts: JobContentParts,
): Promise<readonly string[] | undefined> {
	const { workspace, log, clock, signal } = parts;
	try {
		const place = await outputPlace(job, output, parts);
		if (place === undefined) return undefined;
		const datastore = await workspace.datastore(place.datastore);
		const storage = { workspace, log, clock, signal, slots: createSlots(clock) };
		return await withDatastore(datastore, storage, async (container) => {
			const paths: string[] = [];
			const whole = withoutEndSlashes(place.path);
			for await (const blob of container.list(whole)) {
				// The output `model` is not the output `model-2`; and folders are no files.
				if (blob.name !== whole && !blob.name.startsWith(`${whole}/`)) continue;
				if (blob.metadata['hdi_isfolder'] !== 'true') paths.push(blob.name.slice(whole.length + 1));
				if (paths.length === MOST_PATHS) break;
			}
			return paths;
		});
	} catch (error) {
		if (!(error instanceof ServiceError) && !(error instanceof TransferError)) throw error;
		log.debug(`What the output ${output} of ${job.name} holds cannot be told: ${error.message}`);
		return undefined;
	}
}

/** Where a named output lies; undefined where that is not known, or is no place in a datastore. */
export async function outputPlace(
	job: TrainedJob,
	output: string,
	parts: Pick<JobContentParts, 'workspace' | 'signal'>,
): Promise<DatastorePlace | undefined> {
	return datastorePath((await resolvedUri(job, output, parts)) ?? job.outputs[output]?.uri);
}

/** Where the service says that an output is; undefined where it does not say. */
async function resolvedUri(
	job: TrainedJob,
	output: string,
	{ workspace, signal }: Pick<JobContentParts, 'workspace' | 'signal'>,
): Promise<string | undefined> {
	const body = {
		runId: artifactRun(job),
		selectRunMetadata: true,
		selectRunDefinition: false,
		selectJobSpecification: false,
	};
	const doing = `find the outputs of the job "${job.name}"`;
	const run = await workspace.data('/history/v1.0', '/rundata', { doing, body, signal }).catch(absent);
	const assetId = textAt(run, 'runMetadata', 'outputs', output, 'assetId');
	if (assetId === undefined) return undefined;
	const model = /model$/i.test(textAt(run, 'runMetadata', 'outputs', output, 'type') ?? '');
	const [service, rest] = model
		? ['/modelregistry/v1.0', '/models/batchGetResolvedUris']
		: ['/data/v1.0', '/dataversion/batchGetResolvedUris'];
	const resolved = await workspace.data(service, rest, { doing, body: { values: [assetId] }, signal }).catch(absent);
	const found = at(resolved, 'values', assetId);
	return textAt(found, 'uri') ?? textAt(found, 'path');
}

function absent(error: unknown): null {
	if (error instanceof ServiceError && error.status >= 400 && error.status < 500) return null;
	throw error;
}

/** A file or a folder in a datastore. */
export interface DatastorePlace {
	readonly datastore: string;
	readonly path: string;
}

/** The parts of `azureml://[…/]datastores/<store>/[paths/]<path>`, where nothing in it is still to be filled in. */
export function datastorePath(uri: string | undefined): DatastorePlace | undefined {
	const parts = /^azureml:\/\/(?:subscriptions\/.+?\/)?datastores\/([^/]+)\/(?:paths\/)?(.+)$/i.exec(uri ?? '');
	if (parts?.[1] === undefined || parts[2] === undefined || uri?.includes('${{')) return undefined;
	return { datastore: parts[1], path: parts[2] };
}
