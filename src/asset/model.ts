// Registers a model from what a job made, from a path or from a file, and finds versions that exist. What is registered is
// model-source.ts's to say.

import type { Workspace } from '../azure/workspace.ts';
import { ActionError, InputError } from '../errors.ts';
import { at, type Json, listAt, objectAt, textAt } from '../json.ts';
import { RUN_URL_TAG } from '../run-context.ts';
import type { TrainedJob } from './job-content.ts';
import { latestVersion } from './lookup.ts';
import { type ModelDetails, type ModelFile, type ModelType, modelBody } from './model-file.ts';
import { detectedSource, type ModelSource, namedSource, type SourceParts } from './model-source.ts';
import { sameModel, samePlace } from './model-version.ts';
import { byNearness } from './nearness.ts';
import type { Publisher } from './publish.ts';
import { findVersion, putVersion } from './version.ts';

/** A registered version of a model. */
export interface ModelVersion {
	readonly name: string;
	readonly version: string;
	/** ARM id. */
	readonly id: string;
	/** `azureml:<name>:<version>`. */
	readonly assetId: string;
	/** URI of the content. */
	readonly uri: string;
	/** `mlflow_model`, `custom_model`, `triton_model`. */
	readonly type: string;
	/** It was registered before. */
	readonly reused: boolean;
}

/** What is to be registered. */
export interface ModelRequest {
	/** The file's name where absent. */
	readonly name?: string;
	/** The next free one where absent here and in the file. */
	readonly version?: string;
	/** Name of a job's output, path among its artifacts, URI or local path; the file's, or detected, where absent. */
	readonly path?: string;
	readonly file?: ModelDetails;
	readonly tags: Readonly<Record<string, string>>;
	readonly job?: TrainedJob;
}

export interface RegisterParts extends SourceParts {
	readonly publisher: Publisher;
}

/** The property that keeps what a model was registered from; the service may put another URI in its place. */
const SOURCE_PROPERTY = 'registeredFrom';
/** How many versions are looked at for one of the same job. */
const LOOKED_AT = 100;

/**
 * Registers a model. The same content of the same job is not registered twice.
 * @throws ActionError where it is not clear what to register, or there is nothing
 */
export async function registerModel(request: ModelRequest, parts: RegisterParts): Promise<ModelVersion> {
	const { workspace, publisher, signal } = parts;
	const { file } = request;
	const name = request.name ?? file?.name;
	if (name === undefined) throw new InputError([{ message: 'model-name: a model needs a name; none was given.' }]);
	const source = await sourceOf(request, parts);
	if (source.from.need === 'upload') await publisher.publish([source.from]);
	const uri = source.from.need === 'uri' ? source.from.uri : publisher.idOf(source.from);
	const wanted = describe(request, name, source, uri);
	const body = modelBody(wanted, workspace.id, publisher.idOf, false);
	const version = request.version ?? file?.version;
	if (version === undefined) {
		const known = await findRegistered(workspace, { name, body, isOurs: isOursOf(request, source, uri) }, signal);
		if (known !== undefined) return known;
	}
	const same = (existing: Json): boolean => sameModel(existing, body) || isFrom(existing, uri);
	const put = await putVersion(workspace, {
		kind: 'models',
		name,
		version,
		body: () => body,
		same,
		where: file?.at,
		signal,
	});
	const made = textAt(body, 'properties', 'modelUri') ?? uri;
	return { ...put, assetId: `azureml:${put.name}:${put.version}`, uri: made, type: wanted.type };
}

/**
 * A version that exists; `latest` is the newest.
 * @param named the inputs that name it, for the message where there is none
 * @throws ActionError naming what there is, where there is no such version
 */
export async function findModel(
	workspace: Workspace,
	name: string,
	version: string,
	signal?: AbortSignal,
	named = '`model-name` and `model-version`',
): Promise<ModelVersion> {
	const number = version === 'latest' ? await latestVersion('models', name, { workspace, signal }) : version;
	const found =
		number === undefined ? undefined : await findVersion(workspace, { kind: 'models', name, signal }, number);
	if (found === undefined || number === undefined) throw await missing(workspace, { name, version, named }, signal);
	return modelFrom(workspace, name, number, found);
}

function modelFrom(workspace: Workspace, name: string, version: string, resource: Json): ModelVersion {
	const properties = objectAt(resource, 'properties');
	return {
		name,
		version,
		id: `${workspace.id}/models/${name}/versions/${version}`,
		assetId: `azureml:${name}:${version}`,
		uri: textAt(properties, 'modelUri') ?? '',
		type: textAt(properties, 'modelType') ?? 'custom_model',
		reused: true,
	};
}

async function sourceOf({ path, file, job }: ModelRequest, parts: RegisterParts): Promise<ModelSource> {
	if (path !== undefined) return namedSource(path, job, parts);
	if (file?.source !== undefined)
		return { from: file.source, type: file.type ?? 'custom_model', ofJob: isOfJob(file.source, job) };
	if (job !== undefined) return detectedSource(job, parts);
	throw new InputError([
		{ message: 'model-path: there is neither a job nor a path nor a file to register a model from.' },
	]);
}

function isOfJob(source: ModelFile['source'], job: TrainedJob | undefined): boolean {
	return job !== undefined && source.need === 'uri' && source.uri.startsWith(`azureml://jobs/${job.name}/`);
}

/** The request as a file would put it: inputs go before the file. */
function describe({ file, tags, version }: ModelRequest, name: string, source: ModelSource, uri: string): ModelFile {
	const type = file?.type ?? ((source.type ?? 'custom_model') as ModelType);
	return {
		name,
		version: version ?? file?.version,
		type,
		source: source.from,
		flavors: file?.flavors,
		stage: file?.stage,
		description: file?.description,
		tags: new Map([...(file?.tags ?? []), ...Object.entries(tags)]),
		properties: new Map([...(file?.properties ?? []), [SOURCE_PROPERTY, uri]]),
		dependencies: source.from.need === 'upload' ? [source.from] : [],
		at: file?.at ?? { file: name },
	};
}

/** Tells a version of the same place that need not be registered again; undefined where every registration is a new one. */
type IsOurs = ((item: Json, samePlace: boolean) => boolean) | undefined;

/**
 * What a job made is registered once, whoever does so. What was uploaded, whose place tells its content, is registered
 * once by each workflow run, so that a re-run takes the version of its earlier attempt.
 */
function isOursOf({ job, tags }: ModelRequest, source: ModelSource, uri: string): IsOurs {
	if (job !== undefined && source.ofJob) {
		const ofJob = (item: Json): boolean =>
			textAt(item, 'properties', 'jobName') === job.name || textAt(item, 'properties', 'tags', 'job') === job.name;
		return (item, there) => isFrom(item, uri) || (ofJob(item) && there);
	}
	const run = tags[RUN_URL_TAG];
	if (run === undefined || source.from.need !== 'upload') return undefined;
	return (item, there) => there && textAt(item, 'properties', 'tags', RUN_URL_TAG) === run;
}

/** A version that was registered before from the same place, of the same type. */
async function findRegistered(
	workspace: Workspace,
	{ name, body, isOurs }: { readonly name: string; readonly body: Json; readonly isOurs: IsOurs },
	signal: AbortSignal | undefined,
): Promise<ModelVersion | undefined> {
	if (isOurs === undefined) return undefined;
	const versions = await workspace.arm.find(`${workspace.id}/models/${encodeURIComponent(name)}/versions`, {
		doing: `look for a version of the model "${name}" that is registered already`,
		query: { $orderBy: 'createdtime desc', $top: String(LOOKED_AT) },
		signal,
	});
	const known = listAt(versions, 'value').find((item) => {
		const [there, wanted] = [at(item, 'properties'), at(body, 'properties')];
		const sameType = textAt(there, 'modelType') === textAt(wanted, 'modelType');
		return sameType && isOurs(item, samePlace(textAt(there, 'modelUri'), textAt(wanted, 'modelUri')));
	});
	const version = textAt(known, 'name');
	return known === undefined || version === undefined ? undefined : modelFrom(workspace, name, version, known);
}

function isFrom(existing: Json, uri: string): boolean {
	return textAt(existing, 'properties', 'properties', SOURCE_PROPERTY) === uri;
}

async function missing(
	workspace: Workspace,
	{ name, version, named }: { readonly name: string; readonly version: string; readonly named: string },
	signal: AbortSignal | undefined,
): Promise<ActionError> {
	const path = `${workspace.id}/models/${encodeURIComponent(name)}/versions`;
	const call = { doing: `list the versions of the model "${name}"`, query: { $top: '20' }, signal };
	const versions = listAt(await workspace.arm.find(path, call), 'value').flatMap((item) => textAt(item, 'name') ?? []);
	const there = versions.length === 0 ? '' : `Its versions: ${byNearness(version, versions).join(', ')}.`;
	return new ActionError({
		what: `There is no model '${name}${version === 'latest' ? '' : `:${version}`}' in the workspace ${workspace.workspace}.`,
		why: there,
		next: `Check ${named}.`,
	});
}
