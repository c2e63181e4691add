// What Microsoft's clients send to Resource Manager otherwise than the specification has it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { at, Client, type Json } from '../client.ts';

let emulator: Emulator;
let client: Client;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 5 });
	client = await Client.signIn(emulator);
});
afterAll(() => emulator.stop());

test('numbers among properties and tags become texts, but for computes, whose settings they are', async () => {
	const code = {
		codeUri: `${emulator.storage}/emulatorstore/azureml-blobstore/x`,
		properties: { hash_sha256: 'abc', hash_version: 202208 },
		tags: { count: 3, kept: 'text' },
	};
	const put = await client.arm('PUT', '/codes/numbers/versions/1', { properties: code });
	expect(put.status).toBe(201);
	expect(at(put.body, 'properties', 'properties')).toEqual({ hash_sha256: 'abc', hash_version: '202208' });
	expect(at(put.body, 'properties', 'tags')).toEqual({ count: '3', kept: 'text' });
	const found = await client.arm('GET', '/codes/any/versions?hash=abc&hashVersion=202208');
	expect((found.body['value'] as Json[]).length).toBe(1);
	const compute = { computeType: 'AmlCompute', properties: { vmSize: 'STANDARD_DS3_V2', enableNodePublicIp: true } };
	const made = await client.arm('PUT', '/computes/numbers', { location: 'eastus', properties: compute });
	expect(made.status).toBe(201);
	expect(at(made.body, 'properties', 'properties', 'enableNodePublicIp')).toBe(true);
	await client.operation(made);
});

test("the same routes are at the data plane's address, for tokens of either resource and older versions", async () => {
	const path = `/mferp/managementfrontend${client.workspace}/datastores?api-version=2020-09-01-dataplanepreview`;
	const ml = await Client.signIn(emulator, 'https://ml.azure.com');
	for (const one of [client, ml]) expect((await one.send('GET', `${emulator.arm}${path}`)).status).toBe(200);
	// At Resource Manager's own address neither is taken.
	const own = `${emulator.arm}${client.workspace}/datastores?api-version=`;
	expect((await ml.send('GET', `${own}2025-09-01`)).status).toBe(401);
	expect((await client.send('GET', `${own}2020-09-01-dataplanepreview`)).status).toBe(400);
});

test('the jobs of a batch endpoint are listed', async () => {
	const path = '/batchEndpoints/listed/jobs';
	expect((await client.arm('GET', path)).status).toBe(404);
	const endpoint = { location: 'eastus', properties: { authMode: 'AADToken' } };
	await client.operation(await client.arm('PUT', '/batchEndpoints/listed', endpoint));
	expect((await client.arm('GET', path)).body).toEqual({ value: [], nextLink: null });
});

test('addresses that were saved without TLS are found again with it', async () => {
	const dataFolder = mkdtempSync(join(tmpdir(), 'emulator-then-tls-'));
	let emulator = await startEmulator({ dataFolder, jobStateDelayMs: 5 });
	try {
		const first = await Client.signIn(emulator);
		const endpoint = { location: 'eastus', properties: { authMode: 'Key' } };
		await first.operation(await first.arm('PUT', '/onlineEndpoints/kept', endpoint));
		await emulator.stop();
		emulator = await startEmulator({ dataFolder, jobStateDelayMs: 5, tls: true });
		const kept = emulator.endpoints().find(({ name }) => name === 'kept');
		expect(kept?.properties['scoringUri']).toBe(`${emulator.arm}/online/kept/score`);
		expect(emulator.arm).toMatch(/^https:/);
	} finally {
		await emulator.stop();
		rmSync(dataFolder, { recursive: true, force: true });
	}
});
