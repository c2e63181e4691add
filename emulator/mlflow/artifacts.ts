// Artifacts of runs over HTTP: what a client of a tracking server with `mlflow-artifacts:` URIs reads and writes.

import type { Run } from '../runs.ts';
import { type ArtifactRoot, type Fields, invalid, MlflowError, withoutEmpty } from './wire.ts';

/** A file or folder directly in a folder of artifacts; `path` is its name. */
export interface StoredArtifact {
	path: string;
	isFolder: boolean;
	/** Bytes, of a file. */
	size?: number;
}

/** Where the artifacts are kept; URIs are `azureml://datastores/…/paths/…` as in `Run.artifactsUri`. */
export interface ArtifactStore {
	/** The content of one file; undefined when there is none. */
	read(uri: string): Promise<Buffer | undefined>;
	write(uri: string, bytes: Buffer): Promise<void>;
	/** What is directly in a folder; empty when nothing is. */
	list(uri: string): Promise<StoredArtifact[]>;
}

/** Answers `artifacts/list`: paths relative to the root of the run. */
export async function listArtifacts(
	store: ArtifactStore,
	run: Run,
	asked: { path: string | undefined; root: ArtifactRoot },
): Promise<Fields> {
	const folder = safePath(asked.path ?? '');
	const files = (await store.list(artifactUri(run, folder))).map((one) => wireFile(one, folder));
	return withoutEmpty({ root_uri: asked.root(run), files });
}

/** Answers the list of the artifact proxy: paths relative to the folder asked for. */
export async function listProxied(store: ArtifactStore, run: Run, folder: string): Promise<Fields> {
	return withoutEmpty({ files: (await store.list(artifactUri(run, folder))).map((one) => wireFile(one, '')) });
}

/** Reads one artifact; an MLflow error when there is none. */
export async function readArtifact(store: ArtifactStore, run: Run, path: string): Promise<Buffer> {
	const bytes = await store.read(artifactUri(run, path));
	if (bytes === undefined) {
		throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `Run ${run.runId} has no artifact ${path}.`);
	}
	return bytes;
}

/** The run id and the path in its artifacts that a path of the proxy stands for: `{run}/artifacts/{path}`. */
export function proxiedPath(path: string): { runId: string; path: string } {
	const [runId, artifacts, ...rest] = safePath(path).split('/');
	if (!runId || artifacts !== 'artifacts') {
		throw invalid(`Invalid artifact path '${path}'. Use the artifact_uri of the run.`);
	}
	return { runId, path: rest.join('/') };
}

/** Where an artifact of a run is kept. */
export function artifactUri(run: Run, path: string): string {
	return `${run.artifactsUri.replace(/\/*$/, '/')}${path}`;
}

function safePath(path: string): string {
	const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
	if (segments.some((segment) => segment === '..' || segment.includes('\\') || segment.includes('\0'))) {
		throw invalid(`Invalid artifact path '${path}': it must stay below the run.`);
	}
	return segments.join('/');
}

function wireFile(one: StoredArtifact, folder: string): Fields {
	const path = folder === '' ? one.path : `${folder}/${one.path}`;
	return { path, is_dir: one.isFolder, ...(one.isFolder ? {} : { file_size: one.size ?? 0 }) };
}
