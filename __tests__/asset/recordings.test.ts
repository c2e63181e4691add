// Registering models and finding a registry against what the service really answered: the recorded answers are played
// back, and what is asked for is compared, in order, with what Microsoft's client asked.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { registerModel } from '../../src/asset/model.ts';
import { readModelFile } from '../../src/asset/model-file.ts';
import { findRegistry } from '../../src/asset/registry-discovery.ts';
import type { BearerHttp } from '../../src/azure/bearer.ts';
import { knownCloud } from '../../src/azure/cloud.ts';
import { openYaml } from '../../src/yaml/load.ts';
import { memoryLog } from '../fixtures/memory-log.ts';
import { connected } from '../fixtures/workspace.ts';
import { AssetSite } from './site.ts';

const RECORDINGS = join(import.meta.dirname, '../../../shared/recordings');
const replay = existsSync(RECORDINGS) ? describe : describe.skip;

interface Exchange {
	readonly method: string;
	readonly url: string;
	readonly requestBody: { readonly properties: Record<string, unknown> } | null;
	readonly status: number;
	readonly responseBody: object | null;
}

function recorded(file: string): Exchange[] {
	return JSON.parse(readFileSync(join(RECORDINGS, `${file}.json`), 'utf8')) as Exchange[];
}

const below = (url: string): string => new URL(url).pathname.replace(/^.*\/workspaces\/[^/]+\//, '');

/**
 * Requests to Resource Manager as `METHOD path`, as the client made them, in the words of the action where those differ on
 * purpose:
 * - The client takes the datastore `workspaceblobstore`, or later the default one of a list; the action asks for the
 *   workspace's default one, once a run.
 * - The client puts a version unseen; the action looks whether somebody has made that version meanwhile, since a PUT of one
 *   that exists would change it.
 */
function expectedLines(exchanges: readonly Exchange[]): string[] {
	const lines = exchanges
		.filter(({ url }) => url.includes('/workspaces/'))
		.map(({ method, url }) => `${method} ${below(url)}`)
		.map((line) => line.replace(/^GET datastores(\/workspaceblobstore)?$/, 'GET datastores'))
		.flatMap((line) => (line.startsWith('PUT models/') ? [line.replace('PUT', 'GET'), line] : [line]));
	return lines.filter((line, place) => line !== 'GET datastores' || lines.indexOf(line) === place);
}

let site: AssetSite;

/** Answers as recorded, each answer to the same request once, the last again and again; and gives the requests. */
async function play(exchanges: readonly Exchange[]): Promise<void> {
	site = await AssetSite.open();
	const queues = new Map<string, Exchange[]>();
	for (const exchange of exchanges.filter(({ url }) => /\/models\//.test(url))) {
		const key = `${exchange.method} ${below(exchange.url)}`;
		queues.set(key, [...(queues.get(key) ?? []), exchange]);
	}
	site.answer = ({ method }, path) => {
		const queue = queues.get(`${method} ${path}`);
		const found = queue !== undefined && queue.length > 1 ? queue.shift() : queue?.[0];
		return found === undefined ? undefined : { status: found.status, body: found.responseBody };
	};
}

function register(yaml: string, name: string) {
	const { workspace, log, clock, checkout } = site;
	const file = readModelFile(openYaml(join(RECORDINGS, 'configs/model', yaml), yaml));
	return registerModel({ name, file, tags: {} }, { workspace, publisher: site.publisher(), log, clock, checkout });
}

/** The properties that the client put. The action leaves `isArchived: false` out, as that is what a new version is. */
function asked(exchanges: readonly Exchange[], version: string): Record<string, unknown> {
	const put = exchanges.find(({ method, url }) => method === 'PUT' && below(url).endsWith(`/versions/${version}`));
	return put?.requestBody?.properties ?? {};
}

replay('the recorded service', () => {
	afterEach(() => site.close());

	test('takes a model twice as the next version, asked in the recorded order', async () => {
		const exchanges = recorded('model/create-autoincrement');
		await play(exchanges);
		const name = /models\/([^/?]+)/.exec(exchanges.find(({ method }) => method === 'PUT')?.url ?? '')?.[1] ?? '';
		const first = await register('model_no_version.yml', name);
		const second = await register('model_no_version.yml', name);
		expect([first.version, second.version]).toEqual(['1', '2']);
		expect(site.lines()).toEqual(expectedLines(exchanges));
		for (const version of ['1', '2']) {
			const { properties, ...rest } = site.body(`models/${name}/versions/${version}`);
			const { properties: none, modelUri, ...plain } = asked(exchanges, version);
			expect([none, { isArchived: false, ...rest }]).toEqual([
				{},
				{ ...plain, modelUri: expect.stringMatching(/LocalUpload\/[0-9a-f]{32}\/model\.pkl$/) },
			]);
			expect(String(modelUri)).toMatch(/LocalUpload\/[0-9a-f]{32}\/model\.pkl$/);
			// By this a later run knows what a version was registered from.
			expect(Object.keys(properties as object)).toEqual(['registeredFrom']);
		}
	});

	test('takes a model with its version, flavors and tags', async () => {
		const exchanges = recorded('model/crud-file');
		await play(exchanges.slice(0, 5));
		const name = /models\/([^/?]+)/.exec(exchanges.find(({ method }) => method === 'PUT')?.url ?? '')?.[1] ?? '';
		expect(await register('model_full.yml', name)).toMatchObject({ version: '3', type: 'mlflow_model', reused: false });
		// After its PUT the client reads the version and the list of versions for its test only.
		expect(site.lines()).toEqual(expectedLines(exchanges.slice(0, 5)));
		const { properties, ...rest } = site.body(`models/${name}/versions/3`);
		const { properties: none, modelUri, ...plain } = asked(exchanges, '3');
		expect([none, { isArchived: false, ...rest }]).toEqual([
			{},
			{ ...plain, modelUri: expect.stringMatching(/LocalUpload\/[0-9a-f]{32}\/lightgbm_mlflow_model$/) },
		]);
		expect([String(modelUri).split('/').at(-1), Object.keys(properties as object)]).toEqual([
			'lightgbm_mlflow_model',
			['registeredFrom'],
		]);
	});
});

replay('the recorded discovery', () => {
	test('tells where a registry is, asked as the client asks, and leads to the resource that the client then writes to', async () => {
		const [discovery, put] = recorded('registry/component-create-get-list');
		const { workspace, bearer, server, close } = await connected(({ path }) =>
			path === new URL(discovery?.url ?? '').pathname ? { body: discovery?.responseBody ?? {} } : { status: 404 },
		);
		try {
			const log = memoryLog();
			const parts = { workspace: { ...workspace, cloud: knownCloud('AzureCloud') ?? workspace.cloud }, log };
			const there = { ...parts, bearer: { ...bearer, send: viaLoopback(bearer, server.url) } };
			const { id, service } = await findRegistry('sdk-test', there);
			const path = new URL(put?.url ?? '').pathname;
			expect(path.startsWith(`${new URL(service).pathname}${id}/`)).toBe(true);
			// The address that it names belongs to no suffix of the cloud, so no token goes there: its region is asked instead.
			expect(service).toBe('https://eastus2euap.api.azureml.ms/mferp/managementfrontend');
		} finally {
			await close();
		}
	});
});

/** Sends to loopback what is meant for the public cloud, once it has been seen to be the recorded address. */
function viaLoopback({ send }: BearerHttp, loopback: string): BearerHttp['send'] {
	return (request, ...rest) => {
		expect(request.url).toMatch(/^https:\/\/eastus\.api\.azureml\.ms\/registrymanagement\/v1\.0\//);
		return send({ ...request, url: request.url.replace(/^https:\/\/[^/]+/, loopback) }, ...rest);
	};
}
