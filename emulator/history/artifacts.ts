// Artifacts of runs, by run (history) and by data container (artifact service): lists, and signed addresses of content.

import { dataPlaneError } from '../errors.ts';
import type { Router } from '../router.ts';
import { dataContainerId } from '../runs.ts';
import { ARTIFACT_CONTAINER, type StoredBlob } from '../storage.ts';
import { type HistoryCall, type HistoryHandler, listPage, ok, runOf, SCOPE } from './call.ts';

const ORIGIN = 'ExperimentRun';
const PAGE = 500;

/** Adds the routes of artifacts. */
export function routeArtifacts(router: Router<HistoryHandler>): void {
	for (const experiment of ['experiments', 'experimentids']) {
		const base = `/history/v1.0${SCOPE}/${experiment}/{experiment}/runs/{run}/artifacts`;
		router
			.on('GET', base, (call) => list(call, dataContainerId(runOf(call).runId), ''))
			.on('GET', `${base}/path`, (call) => list(call, dataContainerId(runOf(call).runId), path(call)))
			.on('GET', `${base}/metadata`, (call) => metadata(call, dataContainerId(runOf(call).runId)))
			.on('GET', `${base}/contentinfo`, (call) => contentInfo(call, dataContainerId(runOf(call).runId)))
			.on('GET', `${base}/prefix/contentinfo`, (call) => prefixInfo(call, dataContainerId(runOf(call).runId)))
			.on('POST', `${base}/batch/metadata`, announce);
	}
	const base = `/artifact/v2.0${SCOPE}/artifacts`;
	router
		.on('GET', `${base}/contentinfo/${ORIGIN}/{container}/{path*}`, (call) => contentInfo(call, container(call)))
		.on('GET', `${base}/content/${ORIGIN}/{container}/{path*}`, content)
		.on('GET', `${base}/prefix/contentinfo/${ORIGIN}/{container}`, (call) => prefixInfo(call, container(call)))
		.on('GET', `${base}/${ORIGIN}/{container}`, (call) => list(call, container(call), path(call)))
		.on('GET', `${base}/${ORIGIN}/{container}/contentinfo`, (call) => contentInfo(call, container(call)))
		.on('GET', `${base}/${ORIGIN}/{container}/prefix/contentinfo`, (call) => prefixInfo(call, container(call)))
		.on('GET', `${base}/${ORIGIN}/{container}/content`, content);
}

function container(call: HistoryCall): string {
	return call.names['container'] ?? '';
}

function path(call: HistoryCall): string {
	return (call.names['path'] ?? call.query.get('path') ?? '').replace(/^\/+/, '');
}

async function blobs(call: HistoryCall, dataContainer: string, prefix: string): Promise<[string, StoredBlob][]> {
	const folder = `${ORIGIN}/${dataContainer}/`;
	const found = await call.platform.storage.list(ARTIFACT_CONTAINER, folder + prefix);
	const below = found.map((blob): [string, StoredBlob] => [blob.name.slice(folder.length), blob]);
	const base = prefix.replace(/\/+$/, '');
	// A prefix is a folder or a file: `model` does not reach into `model-old`.
	return below.filter(([name]) => base === '' || name === base || name.startsWith(`${base}/`));
}

async function list(call: HistoryCall, dataContainer: string, prefix: string) {
	const found = await blobs(call, dataContainer, prefix);
	return listPage(
		call,
		found.map(([name]) => artifact(dataContainer, name)),
		PAGE,
	);
}

async function metadata(call: HistoryCall, dataContainer: string) {
	return ok(artifact(dataContainer, await one(call, dataContainer)));
}

async function contentInfo(call: HistoryCall, dataContainer: string) {
	return ok(info(call, dataContainer, await one(call, dataContainer)));
}

async function prefixInfo(call: HistoryCall, dataContainer: string) {
	const found = await blobs(call, dataContainer, path(call));
	return listPage(
		call,
		found.map(([name]) => info(call, dataContainer, name)),
		PAGE,
	);
}

async function content(call: HistoryCall) {
	const name = await one(call, container(call));
	const bytes = await call.platform.storage.read(ARTIFACT_CONTAINER, `${ORIGIN}/${container(call)}/${name}`);
	return { status: 200, headers: { 'Content-Type': 'application/octet-stream' }, bytes: bytes ?? Buffer.alloc(0) };
}

/** Answers where the content of new artifacts is to be written. They are listed once it is. */
function announce(call: HistoryCall) {
	const dataContainer = dataContainerId(runOf(call).runId);
	const asked = Array.isArray(call.body['paths']) ? (call.body['paths'] as { path?: unknown }[]) : [];
	const paths = asked.map(({ path: given }) => String(given ?? '').replace(/^\/+/, '')).filter(Boolean);
	const addresses = paths.map((name) => {
		const contentUri = call.platform.storage.writeUrl(ARTIFACT_CONTAINER, `${ORIGIN}/${dataContainer}/${name}`);
		return [name, { contentUri, origin: ORIGIN, container: dataContainer, path: name, tags: {} }] as const;
	});
	return ok({
		artifacts: Object.fromEntries(paths.map((name) => [name, artifact(dataContainer, name)])),
		artifactContentInformation: Object.fromEntries(addresses),
		errors: {},
	});
}

async function one(call: HistoryCall, dataContainer: string): Promise<string> {
	const wanted = path(call);
	const found = await blobs(call, dataContainer, wanted);
	if (wanted !== '' && found.some(([name]) => name === wanted)) return wanted;
	throw dataPlaneError(404, `The artifact ${wanted} of ${dataContainer} was not found.`, [
		'NotFound',
		'ArtifactNotFound',
	]);
}

function artifact(dataContainer: string, name: string): object {
	return {
		artifactId: `${ORIGIN}/${dataContainer}/${name}`,
		origin: ORIGIN,
		container: dataContainer,
		path: name,
		etag: null,
		createdTime: null,
		dataPath: null,
		tags: {},
	};
}

function info(call: HistoryCall, dataContainer: string, name: string): object {
	const contentUri = call.platform.storage.accountReadUrl(ARTIFACT_CONTAINER, `${ORIGIN}/${dataContainer}/${name}`);
	return { contentUri, origin: ORIGIN, container: dataContainer, path: name, tags: {} };
}
