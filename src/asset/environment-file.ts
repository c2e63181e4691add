// An environment as CLI v2 writes it, in a file of its own or inline, and its REST body. Pure but for reading the conda
// file that it names; uploading a build context is publish's.
import { createHash } from 'node:crypto';
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { type MapReader, mapping, type Reader, Reading, type Warn, warnLeftOut } from '../yaml/checks.ts';
import type { YamlFile } from '../yaml/node.ts';
import { filledText, integer, stringMap, text, version, word } from '../yaml/values.ts';
import { condaText } from './conda.ts';
import type { Dependency, IdOf } from './dependency.ts';
import { localPath } from './local-path.ts';
import { isUri } from './reference.ts';

/** Where the inference server of an environment answers. */
export interface Route {
	readonly port: number;
	readonly path: string;
}

/** The routes of an environment that brings its own inference server. */
export interface InferenceConfig {
	readonly livenessRoute: Route;
	readonly readinessRoute: Route;
	readonly scoringRoute: Route;
	readonly startupRoute: Route | undefined;
}

/** A Docker build context: a local folder to upload, or a URL. */
export interface BuildContext {
	readonly context: Extract<Dependency, { need: 'build-context' }> | { readonly need: 'url'; readonly url: string };
	readonly dockerfilePath: string | undefined;
}

/** An environment as the user wrote it, checked. */
export interface EnvironmentFile {
	readonly name: string | undefined;
	readonly version: string | undefined;
	readonly image: string | undefined;
	/** The conda file as the body holds it: parsed and written again with sorted keys. */
	readonly conda: string | undefined;
	readonly build: BuildContext | undefined;
	readonly inferenceConfig: InferenceConfig | undefined;
	readonly osType: 'linux' | 'windows' | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	readonly properties: ReadonlyMap<string, string> | undefined;
	readonly dependencies: readonly Dependency[];
	readonly at: Place;
}

/** The name under which environments without a name of their own are kept. */
export const ANONYMOUS_ENVIRONMENT = 'CliV2AnonymousEnvironment';

const route: Reader<Route> = mapping('a route', (map) => ({
	port: map.required('port', integer),
	path: map.required('path', text),
}));

const inferenceConfig: Reader<InferenceConfig> = mapping('inference_config', (map) => ({
	livenessRoute: map.required('liveness_route', route),
	readinessRoute: map.required('readiness_route', route),
	scoringRoute: map.required('scoring_route', route),
	startupRoute: map.optional('startup_route', route),
}));

const buildContext: Reader<BuildContext> = mapping('build', (map) => ({
	context: map.required('path', (node, reading) => {
		const written = filledText(node, reading);
		return isUri(written)
			? ({ need: 'url', url: written } as const)
			: ({ need: 'build-context', ...localPath(written, node.at, reading, 'folder') } as const);
	}),
	dockerfilePath: map.optional('dockerfile_path', text),
}));

/** A reader of an environment, inline or as a file's root. */
export const environment: Reader<EnvironmentFile> = mapping('an environment', (map) => {
	const build = map.optional('build', buildContext);
	const image = map.optional('image', filledText);
	checkSource(map, image, build);
	return {
		name: map.optional('name', filledText),
		version: map.optional('version', version),
		image,
		conda: map.optional('conda_file', condaText),
		build,
		inferenceConfig: map.optional('inference_config', inferenceConfig),
		osType: map.optional('os_type', word('linux', 'windows')),
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap),
		properties: map.optional('properties', stringMap),
		dependencies: build?.context.need === 'build-context' ? [build.context] : [],
		at: map.at,
	};
});

function checkSource(map: MapReader, image: string | undefined, build: BuildContext | undefined): void {
	map.ignore('$schema', 'id', 'creation_context', 'latest_version');
	warnLeftOut(map, 'auto_delete_setting', 'intellectual_property');
	map.ignore('datastore', 'type');
	if (image === undefined && build === undefined) {
		map.reading.fault(map.at, "An environment needs 'image' or 'build'.");
	} else if (image !== undefined && build !== undefined) {
		map.reading.fault(map.at, "An environment has either 'image' or 'build', not both.");
	}
	if (build !== undefined && map.has('conda_file')) {
		map.reading.fault(map.at, "'conda_file' goes with 'image'; with 'build' the Dockerfile installs the packages.");
	}
}

/** Reads an environment file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readEnvironmentFile(file: YamlFile, warn?: Warn): EnvironmentFile {
	const reading = new Reading(file);
	const read = environment(file.root, reading);
	if (read.name === undefined) {
		reading.fault(file.root.at, "An environment file needs the key 'name'.");
	}
	reading.finish(warn);
	return read;
}

/**
 * The body of `PUT environments/{name}/versions/{version}`. `anonymous` is true for the inline environments of jobs and
 * deployments, whatever name they carry.
 */
export function environmentBody(file: EnvironmentFile, idOf: IdOf, anonymous: boolean): JsonObject {
	const { build, inferenceConfig: routes } = file;
	return {
		properties: jsonObject({
			description: file.description,
			tags: file.tags && mapValues(file.tags, (tag) => tag),
			properties: file.properties && mapValues(file.properties, (property) => property),
			isAnonymous: anonymous,
			image: file.image,
			condaFile: file.conda,
			build:
				build &&
				jsonObject({
					contextUri: build.context.need === 'url' ? build.context.url : idOf(build.context),
					dockerfilePath: build.dockerfilePath,
				}),
			inferenceConfig:
				routes &&
				jsonObject({
					livenessRoute: { ...routes.livenessRoute },
					readinessRoute: { ...routes.readinessRoute },
					scoringRoute: { ...routes.scoringRoute },
					startupRoute: routes.startupRoute && { ...routes.startupRoute },
				}),
			osType: file.osType === undefined ? undefined : file.osType === 'linux' ? 'Linux' : 'Windows',
		}),
	};
}

/**
 * The version of an anonymous environment: a hash of its content, the same that the newest CLI computes (1.4.0 took MD5), so
 * that both share one built image. With a build context the two differ, since that is kept under another hash. `contextHash` is the upload hash of a local build context, or its URL. With an `inference_config` the hash
 * is our own: the CLI's changes with the version of its generated classes.
 */
export function anonymousEnvironmentVersion(file: EnvironmentFile, contextHash?: string): string {
	const pieces: string[] = [];
	if (file.image !== undefined) {
		pieces.push(file.image);
	}
	if (file.build !== undefined) {
		pieces.push(contextHash ?? '');
		if (file.build.dockerfilePath !== undefined) {
			pieces.push(file.build.dockerfilePath);
		}
	}
	if (file.inferenceConfig !== undefined) {
		pieces.push(JSON.stringify(file.inferenceConfig));
	}
	if (file.conda !== undefined) {
		pieces.push(file.conda);
	}
	return sha256(pieces.map(sha256).reduce(joined));
}

// The CLI joins the characters of the later hash with the earlier one between them; what looks odd here is its quirk.
function joined(separator: string, later: string): string {
	return [...later].join(separator);
}

function sha256(content: string): string {
	return createHash('sha256').update(content).digest('hex');
}
