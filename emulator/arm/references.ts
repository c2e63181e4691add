// Reads ids and URIs of Azure ML: what they name in the workspace, and where in storage that is.

import type { Platform } from '../platform.ts';
import { dataContainerId } from '../runs.ts';
import type { Resource } from '../state.ts';
import { PUBLIC_STORAGE } from '../storage.ts';
import { objectOf, textOf } from './call.ts';

/** A place in storage; an empty path is the whole container. */
export interface Place {
	container: string;
	path: string;
	/** The job that made it, where the URI says so. */
	jobName?: string;
}

/** A version of an asset, as an ARM id or a short reference names it. */
export interface AssetReference {
	kind: string;
	name: string;
	version: string;
}

const ARM_ID =
	/^(?:azureml:)?\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.MachineLearningServices\/workspaces\/([^/]+)\/(.+)$/i;
const ASSET_PATH = /^(codes|environments|data|models|components)\/([^/]+)\/versions\/([^/]+)$/i;
const ASSET_ID =
	/^azureml:\/\/locations\/[^/]+\/workspaces\/[^/]+\/(data|models|environments|components|codes)\/([^/]+)\/versions\/([^/]+)$/i;
const REGISTRY_ID = /^azureml:\/\/registries\/([^/]+)\/models\/([^/]+)\/versions\/([^/]+)$/i;
const SHORT_STORE = /^azureml:\/\/datastores\/([^/]+)\/(?:paths\/?)?(.*)$/i;
const LONG_STORE =
	/^azureml:\/\/subscriptions\/[^/]+\/resourcegroups\/[^/]+\/(?:providers\/Microsoft\.MachineLearningServices\/)?workspaces\/([^/]+)\/datastores\/([^/]+)\/paths\/?(.*)$/i;
const JOB_OUTPUT = /^azureml:\/\/jobs\/([^/]+)\/outputs\/([^/]+)(?:\/paths\/?(.*))?$/i;
const RUN_ARTIFACT = /^runs:\/+([^/]+)\/?(.*)$/i;

/** Splits the ARM id of something below a workspace into its path there, e.g. `computes/cpu-cluster`. */
export function pathInWorkspace(id: string): string | undefined {
	return ARM_ID.exec(id)?.[2];
}

/** Reads the id of an asset version, in any of its forms. */
export function assetReference(id: string): AssetReference | undefined {
	const match = ASSET_PATH.exec(pathInWorkspace(id) ?? '') ?? ASSET_ID.exec(id);
	const [, kind, name, version] = match ?? [];
	if (kind === undefined || name === undefined || version === undefined) return undefined;
	return { kind: kind.toLowerCase(), name: decodeURIComponent(name), version: decodeURIComponent(version) };
}

/** Where the store of resources keeps a registry's version of a model: it begins with what no workspace is called. */
export function registryModelKey(registry: string, name: string, version: string): string {
	return ['~registries', registry.toLowerCase(), 'models', name, 'versions', version].map(encodeURIComponent).join('/');
}

/** Finds what lies in storage behind the ids and URIs of one workspace. */
export class References {
	readonly #platform: Platform;
	readonly #workspace: string;

	/** `workspace` is its name. */
	constructor(platform: Platform, workspace: string) {
		this.#platform = platform;
		this.#workspace = workspace.toLowerCase();
	}

	/** Gets a resource by its path below the workspace. */
	resource(...path: string[]): Resource | undefined {
		return this.#platform.state.resources.get([this.#workspace, ...path.map(encodeURIComponent)].join('/'));
	}

	/** Gets the version of an asset that an id names. */
	asset(id: string): Resource | undefined {
		const [, registry, model = '', shared = ''] = REGISTRY_ID.exec(id) ?? [];
		if (registry !== undefined)
			return this.#platform.state.resources.get(
				registryModelKey(registry, decodeURIComponent(model), decodeURIComponent(shared)),
			);
		const reference = assetReference(id);
		return reference && this.resource(reference.kind, reference.name, 'versions', reference.version);
	}

	/** Gives the place in storage that a URI or an asset's id names. Throws a sentence a user can act on. */
	place(uri: string): Place {
		const reference = assetReference(uri);
		if (reference) return this.#assetPlace(reference, uri);
		const [, workspace, far, farPath = ''] = LONG_STORE.exec(uri) ?? [];
		if (workspace !== undefined && far !== undefined)
			// A model of a registry may lie in the storage of another workspace.
			return new References(this.#platform, decodeURIComponent(workspace)).#storePlace(far, farPath, uri);
		const [, store, storePath] = SHORT_STORE.exec(uri) ?? [];
		if (store !== undefined) return this.#storePlace(store, storePath ?? '', uri);
		const [, job, output, outputPath] = JOB_OUTPUT.exec(uri) ?? [];
		if (job !== undefined && output !== undefined) return this.#outputPlace(job, output, outputPath ?? '', uri);
		const [, run, artifact] = RUN_ARTIFACT.exec(uri) ?? [];
		if (run !== undefined) return this.#outputPlace(run, 'artifacts', artifact ?? '', uri);
		return this.#blobPlace(uri);
	}

	#assetPlace(reference: AssetReference, id: string): Place {
		const { kind, name, version } = reference;
		const asset = this.resource(kind, name, 'versions', version);
		if (!asset)
			throw new Error(`${kind} ${name}:${version} does not exist (${id}). Register it, or correct the reference.`);
		const { codeUri, dataUri, modelUri } = asset.properties;
		const uri = textOf(codeUri) ?? textOf(dataUri) ?? textOf(modelUri);
		if (uri === undefined) throw new Error(`${kind} ${name}:${version} has no content in storage.`);
		return this.place(uri);
	}

	#storePlace(store: string, path: string, uri: string): Place {
		const datastore = this.resource('datastores', decodeURIComponent(store));
		if (!datastore) {
			throw new Error(`The datastore ${store} of ${uri} does not exist. Create it, or name one that does.`);
		}
		return { container: String(datastore.properties['containerName']), path: decoded(path) };
	}

	#outputPlace(job: string, output: string, path: string, uri: string): Place {
		const jobName = decodeURIComponent(job);
		const outputs = objectOf(this.resource('jobs', jobName)?.properties['outputs']);
		const run = this.#platform.state.runs.get(jobName);
		// The outputs of a pipeline lie where its steps wrote them; their job shows no URI.
		const own = textOf(objectOf(outputs[output])['uri']) ?? run?.outputUris?.[output];
		// `artifacts` is the name under which the files that a run logged are reached.
		const base = own ?? (/^(artifacts|default)$/.test(output) ? run?.artifactsUri : undefined);
		if (base === undefined) {
			const best = run?.properties['best_child_run_id'];
			const known = Object.keys({ ...outputs, ...run?.outputUris }).join(', ') || 'none';
			// What the service does for a sweep is not confirmed; the documentation takes the outputs of the best trial.
			const advice = best === undefined ? '' : ` It is a sweep: take the outputs of its best trial, ${best}.`;
			throw new Error(`${uri} names an output that job ${jobName} does not have. Its outputs: ${known}.${advice}`);
		}
		const below = this.place(base);
		return { container: below.container, path: joined(below.path, decoded(path)), jobName };
	}

	#blobPlace(uri: string): Place {
		const url = URL.canParse(uri) ? new URL(uri) : undefined;
		if (url === undefined || !/^https?:$/.test(url.protocol)) {
			throw new Error(`The emulator cannot read ${uri}. Use a datastore URI, a blob URL or the id of an asset.`);
		}
		const segments = url.pathname.split('/').filter(Boolean).map(decoded);
		const isPathStyle = /^(127\.0\.0\.1|localhost)$/.test(url.hostname);
		if (!isPathStyle && !url.hostname.endsWith('localhost') && url.hostname !== PUBLIC_STORAGE) {
			throw new Error(`${uri} is outside the emulator, which fetches nothing from other machines.`);
		}
		const [container = '', ...path] = isPathStyle ? segments.slice(1) : segments;
		return { container, path: path.join('/') };
	}
}

/** Names the artifacts of a run as the workspace's long URI does. */
export function artifactsPath(runId: string): string {
	return `ExperimentRun/${dataContainerId(runId)}`;
}

function joined(base: string, path: string): string {
	return [base.replace(/\/+$/, ''), path].filter(Boolean).join('/');
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
