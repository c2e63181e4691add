// Fetches what a job has left behind: its named outputs and its artifacts. How files are made is download-folder.ts's.
import { bytesText, filesText } from '../asset/amount.ts';
import { type DatastorePlace, datastorePath, outputPlace } from '../asset/job-content.ts';
import { NoCredential, withDatastore } from '../asset/storage.ts';
import type { BlobContainer } from '../azure/blob.ts';
import { createSlots } from '../azure/slots.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { ActionError, type Fault, TransferError } from '../errors.ts';
import type { Log } from '../log.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { type DownloadFolder, openDownloadFolder } from './download-folder.ts';
import { nameFault } from './download-name.ts';
import { findJob, type Job } from './job.ts';

export interface DownloadRequest {
	/** Names of outputs; `all` for all of them and the artifacts. */
	readonly outputs: readonly string[];
	/** The folder, as the workflow names it. */
	readonly to: string;
}

export interface DownloadParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	/** Absolute path of the checkout. */
	readonly checkout: string;
}

/** What is in the folder now. */
export interface Downloaded {
	/** Absolute. */
	readonly path: string;
	readonly files: number;
	readonly bytes: number;
	/** How many of the files were there already. */
	readonly left: number;
}

/** One output, found in storage. */
interface Source {
	/** `output model`, for messages. */
	readonly shown: string;
	/** Below the download folder. */
	readonly folder: string;
	readonly place: DatastorePlace;
	readonly files: readonly RemoteFile[];
}

interface RemoteFile {
	readonly blob: string;
	/** Below the download folder. */
	readonly path: string;
	readonly size: number;
	readonly md5: string | undefined;
}

/** The word for everything. */
const ALL = 'all';
/** The output that every job has: its artifacts and logs. */
const ARTIFACTS = 'default';
/** Files that are under way at once; each holds a few megabytes in memory. */
const FILES_AT_ONCE = 8;
/** Above this many, something else than a model was meant. */
const MOST_FILES = 200_000;
const SHOWN_FAULTS = 5;

/** Faults of the input `download` that show before there is a job: names that no output of the job's file has. */
export function downloadFaults(wanted: readonly string[], outputs: Iterable<string>): readonly Fault[] {
	const known = new Set([...outputs, ALL, ARTIFACTS]);
	return wanted
		.filter((name) => !known.has(name))
		.map((name) => ({ message: `download: ${noSuchOutput(name, [...known])}` }));
}

/**
 * Downloads outputs of a finished job to `named-outputs/<name>` and `artifacts`, as `az ml job download` lays them out.
 * Files that are there with the same size and MD5 are left.
 * @throws ActionError before anything is written where an output is not known or holds names that are not safe
 */
export async function downloadOutputs(job: Job, request: DownloadRequest, parts: DownloadParts): Promise<Downloaded> {
	const source = await sourceOf(job, parts);
	const names = wantedNames(request.outputs, source);
	const sources: Source[] = [];
	for (const name of names) sources.push(await findOutput(source, name, parts));
	refuseUnsafe(sources);
	const folder = await openDownloadFolder(request.to, parts.checkout);
	let left = 0;
	for (const one of sources) {
		const kept = await fetchSource(one, folder, parts);
		left += kept;
		const rest = kept === 0 ? '' : `, ${kept} of them left as they were`;
		parts.log.info(`Downloaded ${one.shown}: ${amount(one.files)}${rest} (${one.folder}).`);
	}
	const files = sources.flatMap((one) => one.files);
	return { path: folder.path, files: files.length, bytes: total(files), left };
}

/** Whose outputs they are: a step that was reused has those of the job it repeats, and a sweep those of its best trial. */
async function sourceOf(job: Job, { workspace, log, signal }: DownloadParts): Promise<Job> {
	const { properties } = job;
	const reused = /^true$/i.test(properties['azureml.isreused'] ?? '') ? properties['azureml.reusedrunid'] : undefined;
	const id = reused ?? properties['best_child_run_id'];
	if (id === undefined || id === job.name) return job;
	const source = await findJob(workspace, id, signal);
	if (source === undefined) return job;
	log.info(`The outputs are those of ${id}, ${reused === undefined ? 'the best trial' : 'which was reused'}.`);
	// The artifacts are the run's own: the job's would be taken for them where the run does not say where they are.
	const { [ARTIFACTS]: _, ...named } = job.outputs;
	return { ...source, outputs: { ...named, ...source.outputs } };
}

function wantedNames(wanted: readonly string[], { name, outputs }: Job): readonly string[] {
	const known = Object.keys(outputs);
	const unknown = wanted.find((one) => one !== ALL && one !== ARTIFACTS && !known.includes(one));
	if (unknown !== undefined) {
		throw new ActionError({
			what: `Nothing was downloaded from the job ${name}: ${noSuchOutput(unknown, [...known, ALL])}`,
		});
	}
	return [...new Set(wanted.includes(ALL) ? [...known, ARTIFACTS] : wanted)];
}

function noSuchOutput(name: string, known: readonly string[]): string {
	return `there is no output "${name}"; there are ${[...new Set(known)].join(', ')}.`;
}

async function findOutput(job: Job, name: string, parts: DownloadParts): Promise<Source> {
	const artifacts = name === ARTIFACTS;
	const shown = artifacts ? 'the artifacts' : `output ${name}`;
	const folder = artifacts ? 'artifacts' : `named-outputs/${name}`;
	const place = artifacts ? artifactPlace(job) : await outputPlace(job, name, parts);
	if (place === undefined) {
		throw new TransferError({
			what: `Could not download ${shown} of the job ${job.name}.`,
			why: `It is at ${job.outputs[name]?.uri ?? 'a place that the service does not tell'}, which is no path in a datastore.`,
			next: 'Leave it out of `download`.',
		});
	}
	const files = await inDatastore(place, shown, parts, (container) => listFiles(container, place, folder));
	return { shown, folder, place, files };
}

/** Where the service keeps the artifacts of a run, if the job itself does not say. */
function artifactPlace({ name, outputs }: Job): DatastorePlace {
	const convention = { datastore: 'workspaceartifactstore', path: `ExperimentRun/dcid.${name}/` };
	return datastorePath(outputs[ARTIFACTS]?.uri) ?? convention;
}

async function listFiles(container: BlobContainer, { path }: DatastorePlace, folder: string): Promise<RemoteFile[]> {
	const files: RemoteFile[] = [];
	const whole = withoutEndSlashes(path);
	for await (const { name, size, md5, metadata } of container.list(whole)) {
		const marksFolder = metadata['hdi_isfolder'] === 'true' || (name.endsWith('/') && size === 0);
		// The output `model` is not the output `model-2`.
		if (marksFolder || (name !== whole && !name.startsWith(`${whole}/`))) continue;
		const below = name === whole ? (whole.split('/').pop() ?? '') : name.slice(whole.length + 1);
		files.push({ blob: name, path: `${folder}/${below}`, size, md5 });
		if (files.length > MOST_FILES) {
			throw new ActionError({ what: `Nothing was downloaded: there are more than ${MOST_FILES} files in ${path}.` });
		}
	}
	return files;
}

/** All names are looked at before the first file is made. */
function refuseUnsafe(sources: readonly Source[]): void {
	const faults = sources.flatMap(({ shown, files }) =>
		files.flatMap(({ path }) => {
			const fault = nameFault(path);
			return fault === undefined ? [] : [`${JSON.stringify(path)} (${shown}) ${fault}`];
		}),
	);
	if (faults.length === 0) return;
	const more = faults.length > SHOWN_FAULTS ? `; and ${faults.length - SHOWN_FAULTS} more` : '';
	throw new ActionError({
		what: 'Nothing was downloaded, because the job has left names that are not safe to write to disk.',
		why: `${faults.slice(0, SHOWN_FAULTS).join('; ')}${more}.`,
		next: 'Name in `download` the other outputs only, or have the job write other names.',
	});
}

/** @returns how many files were there already */
async function fetchSource(source: Source, folder: DownloadFolder, parts: DownloadParts): Promise<number> {
	const done = new Set<string>();
	let left = 0;
	await inDatastore(source.place, source.shown, parts, async (container, signal) => {
		await eachFile(source.files, parts.clock, async (file) => {
			// With a new credential the work begins anew.
			if (done.has(file.path)) return;
			signal.throwIfAborted();
			const { size, md5, blob, path } = file;
			if (await folder.holds(path, file)) left += 1;
			else await folder.write(path, { size, md5, pieces: () => container.pieces(blob) });
			done.add(path);
		});
	});
	return left;
}

/** Side by side, but bounded. After the first failure no further file is begun, and those under way are waited for. */
async function eachFile(
	files: readonly RemoteFile[],
	clock: Clock,
	work: (file: RemoteFile) => Promise<void>,
): Promise<void> {
	const slots = createSlots(clock, FILES_AT_ONCE);
	let failed: { readonly error: unknown } | undefined;
	const one = async (file: RemoteFile): Promise<void> => {
		if (failed === undefined) await work(file);
	};
	const all = files.map((file) =>
		slots
			.run(() => one(file))
			.catch((error: unknown) => {
				failed ??= { error };
			}),
	);
	await Promise.all(all);
	if (failed !== undefined) throw (failed as { readonly error: unknown }).error;
}

async function inDatastore<T>(
	{ datastore: name }: DatastorePlace,
	shown: string,
	{ workspace, log, clock, signal }: DownloadParts,
	work: (container: BlobContainer, signal: AbortSignal) => Promise<T>,
): Promise<T> {
	try {
		const datastore = await workspace.datastore(name);
		const storage = { workspace, log, clock, signal, slots: createSlots(clock) };
		return await withDatastore(datastore, storage, (container) => work(container, signal));
	} catch (error) {
		if (!(error instanceof NoCredential)) throw error;
		throw new TransferError({
			what: `Could not download ${shown}: the datastore "${name}" gives out neither an account key nor a SAS.`,
			why: error.why,
			next: 'Give the datastore an account key or a SAS, or leave the output out of `download`.',
			cause: error,
		});
	}
}

function amount(files: readonly RemoteFile[]): string {
	return `${filesText(files.length)}, ${bytesText(total(files))}`;
}

function total(files: readonly RemoteFile[]): number {
	return files.reduce((sum, { size }) => sum + size, 0);
}
