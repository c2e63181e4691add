import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { REGISTRY } from '../../emulator/registries.ts';
import { at, Client, type Json, type Reply } from './client.ts';

let emulator: Emulator;
let client: Client;
let source: string;

beforeAll(async () => {
	emulator = await startEmulator();
	client = await Client.signIn(emulator);
	const { body } = await client.arm('GET', '');
	const code = await client.code('files', { 'model.txt': 'weights' });
	const { body: uploaded } = await client.arm('GET', code.slice(code.indexOf('/codes/')));
	const modelUri = at(uploaded, 'properties', 'codeUri');
	const model = { properties: { modelType: 'custom_model', modelUri, tags: { job: 'job-1' } } };
	expect((await client.arm('PUT', '/models/iris/versions/3', model)).status).toBe(201);
	source = `azureml://locations/eastus/workspaces/${at(body, 'properties', 'workspaceId')}/models/iris/versions/3`;
});
afterAll(() => emulator.stop());

function discover(name: string): Promise<Reply> {
	return client.send('GET', `${emulator.arm}/registrymanagement/v1.0/registries/${name}/discovery`);
}

async function address(): Promise<{ arm: string; service: string }> {
	const { body } = await discover(REGISTRY);
	const id = `/subscriptions/${body['subscriptionId']}/resourceGroups/${body['resourceGroup']}/providers/Microsoft.MachineLearningServices/registries/${REGISTRY}`;
	return {
		arm: `${emulator.arm}${id}`,
		service: `${body['primaryRegionResourceProviderUri']}mferp/managementfrontend${id}`,
	};
}

async function importModel(properties: Json, version = '2021-10-01-dataplanepreview'): Promise<Reply> {
	const { service } = await address();
	return client.send('POST', `${service}/import?api-version=${version}`, { properties });
}

async function read(version: string): Promise<Reply> {
	return client.send('GET', `${(await address()).arm}/models/iris/versions/${version}?api-version=2025-09-01`);
}

test('one registry is there, and discovery knows no other', async () => {
	expect((await discover(REGISTRY)).body).toMatchObject({ registryName: REGISTRY, primaryRegion: 'eastus' });
	expect((await discover('other')).status).toBe(404);
});

test('a model is imported by an operation, once', async () => {
	const wish = { referenceType: 'Id', destinationName: 'iris', destinationVersion: '3', sourceAssetId: source };
	expect((await read('3')).status).toBe(404);
	const first = await importModel(wish);
	expect(first.status).toBe(202);
	expect((await client.operation(first)).body['status']).toBe('Succeeded');
	expect((await read('3')).body).toMatchObject({ name: '3', properties: { tags: { job: 'job-1' } } });
	expect((await importModel(wish)).status).toBe(409);
});

test('of two imports to one version that run at the same time, one fails', async () => {
	const wish = { referenceType: 'Id', destinationName: 'race', destinationVersion: '1', sourceAssetId: source };
	const started = await Promise.all([importModel(wish), importModel(wish)]);
	const ends = await Promise.all(
		started.map(async (one) => (one.status === 202 ? (await client.operation(one)).body['status'] : one.status)),
	);
	expect(ends.filter((end) => end === 'Succeeded')).toHaveLength(1);
	expect(['Failed', 409]).toContain(ends.find((end) => end !== 'Succeeded'));
});

test('what was imported is read and listed at the front end too, by the id of a registry', async () => {
	const { service } = await address();
	const at = `${service}/models/%/versions`;
	const id = `azureml://registries/${REGISTRY}/models/iris/versions/3`;
	expect((await client.send('GET', `${at.replace('%', 'iris')}/3`)).body).toMatchObject({ id, name: '3' });
	expect((await client.send('GET', at.replace('%', 'iris'))).body['value']).toMatchObject([{ id }]);
	expect((await client.send('GET', at.replace('%', 'rose'))).body['value']).toEqual([]);
	expect((await client.send('GET', `${at.replace('%', 'iris')}/4`)).status).toBe(404);
});

test('discovery takes a token for Azure ML itself as well', async () => {
	const caller = await Client.signIn(emulator, 'https://ml.azure.com');
	const url = `${emulator.arm}/registrymanagement/v1.0/registries/${REGISTRY}/discovery`;
	expect((await caller.send('GET', url)).status).toBe(200);
});

test('what names no model, or another api-version, is refused', async () => {
	const wish = { referenceType: 'Id', destinationName: 'iris', destinationVersion: '4', sourceAssetId: source };
	for (const change of [
		{ sourceAssetId: source.replace('iris', 'rose') },
		{ sourceAssetId: source.replace(/workspaces\/[^/]+/, 'workspaces/emulated-ws') },
		{ destinationVersion: undefined },
		{ referenceType: 'DataPath' },
	])
		expect((await importModel({ ...wish, ...change })).status).toBe(400);
	expect((await importModel(wish, '2025-09-01')).status).toBe(400);
	expect((await read('4')).status).toBe(404);
});

test('nobody is served without a token', async () => {
	const answer = await fetch(`${emulator.arm}/registrymanagement/v1.0/registries/${REGISTRY}/discovery`);
	expect(answer.status).toBe(401);
});
