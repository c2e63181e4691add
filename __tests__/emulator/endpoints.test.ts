import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { at, Client, type Json, type Reply } from './client.ts';

let emulator: Emulator;
let client: Client;
let draw = 0;

const SCORE = `import os
def init():
    global name
    name = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "weights", "name.txt")).read()
    print("loaded " + name)
def run(data):
    if "divide" in data:
        raise ValueError("cannot divide")
    return {"model": name}
`;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 5, random: () => draw });
	client = await Client.signIn(emulator);
	await client.code('scoring', {
		'score.py': SCORE,
		'broken.py': 'def init():\n    raise RuntimeError("no such weights")\ndef run(data):\n    return 0\n',
	});
	for (const name of ['one', 'two']) {
		await client.job(`make-${name}`, `printf ${name} > ${'$'}{{outputs.weights}}/name.txt`, {
			outputs: {
				weights: {
					jobOutputType: 'uri_folder',
					uri: `azureml://datastores/workspaceblobstore/paths/made/${name}/weights`,
				},
			},
		});
		await client.ended(`make-${name}`);
		const modelUri = `azureml://jobs/make-${name}/outputs/weights/paths/`;
		const put = await client.arm('PUT', `/models/${name}/versions/1`, {
			properties: { modelType: 'custom_model', modelUri },
		});
		expect(put.status).toBe(201);
	}
});
afterAll(() => emulator.stop());

function endpoint(traffic: Record<string, number> = {}, name = 'digits', authMode = 'Key'): Promise<Reply> {
	return client.arm('PUT', `/onlineEndpoints/${name}`, {
		location: 'eastus',
		identity: { type: 'SystemAssigned' },
		properties: { authMode, traffic },
	});
}

async function traffic(shares: Record<string, number>): Promise<void> {
	const put = await endpoint(shares);
	expect(put.status).toBe(200);
	await client.operation(put);
}

function deployment(name: string, model = 'one', more: Json = {}): Promise<Reply> {
	return client.arm('PUT', `/onlineEndpoints/digits/deployments/${name}`, {
		location: 'eastus',
		sku: { name: 'Default', capacity: 1 },
		properties: {
			endpointComputeType: 'Managed',
			instanceType: 'Standard_DS3_v2',
			environmentId: `${client.workspace}/environments/python-stdlib/versions/1`,
			model: `${client.workspace}/models/${model}/versions/1`,
			codeConfiguration: { codeId: `${client.workspace}/codes/scoring/versions/1`, scoringScript: 'score.py' },
			...more,
		},
	});
}

async function score(key: string, headers: Record<string, string> = {}, body: unknown = {}): Promise<Reply> {
	const { body: shown } = await client.arm('GET', '/onlineEndpoints/digits');
	const uri = String(at(shown, 'properties', 'scoringUri'));
	return await client.send('POST', uri, body, { Authorization: `Bearer ${key}`, ...headers });
}

async function primaryKey(): Promise<string> {
	return String((await client.arm('POST', '/onlineEndpoints/digits/listKeys')).body['primaryKey']);
}

describe('an online endpoint', () => {
	test('is created as an operation whose long signed address must be followed as it stands', async () => {
		const put = await endpoint();
		expect(put.status).toBe(201);
		expect(put.body['properties']).toMatchObject({ provisioningState: 'Creating', scoringUri: null });
		expect(put.headers.get('x-ms-async-operation-timeout')).toBe('PT30M');
		expect(put.headers.get('azure-asyncoperation')?.length).toBeGreaterThan(3500);
		expect((await client.operation(put)).body).toMatchObject({ status: 'Succeeded', percentComplete: 100 });
		const made = await client.arm('GET', '/onlineEndpoints/digits');
		expect(at(made.body, 'properties', 'scoringUri')).toBe(`${emulator.arm}/online/digits/score`);
	});

	test('takes traffic only for deployments that it has', async () => {
		const reply = await endpoint({ blue: 100 });
		expect([reply.status, at(reply.body, 'error', 'message')]).toEqual([400, expect.stringContaining('blue')]);
	});

	test('needs a name by its pattern and the region of the workspace', async () => {
		expect((await endpoint({}, '1st')).status).toBe(400);
		const put = await client.arm('PUT', '/onlineEndpoints/faraway', {
			location: 'westus',
			properties: { authMode: 'Key' },
		});
		expect(put.status).toBe(400);
	});

	test('serves no one before it has a deployment', async () => {
		expect((await score(await primaryKey())).status).toBe(404);
	});
});

describe('deployments', () => {
	test('are really served, by header before they have traffic', async () => {
		const put = await deployment('blue');
		expect([put.status, at(put.body, 'properties', 'provisioningState')]).toEqual([201, 'Updating']);
		// Starting Python takes longer than a request: the endpoint is still being changed.
		expect((await endpoint()).status).toBe(409);
		expect((await client.operation(put)).body['status']).toBe('Succeeded');
		const key = await primaryKey();
		const reply = await score(key, { 'azureml-model-deployment': 'blue' });
		expect([reply.status, reply.body]).toEqual([200, { model: 'one' }]);
		expect(reply.headers.get('azureml-model-deployment')).toBe('blue');
		expect(reply.headers.get('x-ms-request-id')).not.toBeNull();
		expect((await score(key, { 'azureml-model-deployment': 'red' })).status).toBe(404);
		expect((await score('wrong')).status).toBe(401);
	});

	test('get requests by their share of the traffic', async () => {
		await client.operation(await deployment('green', 'two'));
		expect((await endpoint({ blue: 60, green: 30 })).status).toBe(400);
		await traffic({ blue: 90, green: 10 });
		const key = await primaryKey();
		draw = 0.89;
		expect((await score(key)).body).toEqual({ model: 'one' });
		draw = 0.91;
		expect((await score(key)).body).toEqual({ model: 'two' });
		expect(emulator.endpoints()[0]?.trafficHistory.map((one) => one.traffic)).toEqual([{ blue: 90, green: 10 }]);
	});

	test('answer 424 when the script fails, with its status in a header', async () => {
		const reply = await score(await primaryKey(), {}, { divide: 0 });
		expect(reply.status).toBe(424);
		expect(reply.headers.get('ms-azureml-model-error-statuscode')).toBe('500');
	});

	test('show the log of their container', async () => {
		const logs = await client.arm('POST', '/onlineEndpoints/digits/deployments/blue/getLogs', {
			containerType: 'InferenceServer',
			tail: 100,
		});
		expect(logs.body['content']).toContain('loaded one');
	});

	test('that crash make their operation fail and keep their log', async () => {
		const codeConfiguration = { codeId: `${client.workspace}/codes/scoring/versions/1`, scoringScript: 'broken.py' };
		const ended = await client.operation(await deployment('bad', 'one', { codeConfiguration }));
		expect(ended.body).toMatchObject({ status: 'Failed', error: { code: 'ResourceNotReady' } });
		const shown = await client.arm('GET', '/onlineEndpoints/digits/deployments/bad');
		expect(at(shown.body, 'properties', 'provisioningState')).toBe('Failed');
		const logs = await client.arm('POST', '/onlineEndpoints/digits/deployments/bad/getLogs', { tail: 50 });
		expect(logs.body['content']).toContain('no such weights');
	});

	test('that shadow others get copies of live requests, by their share, and answer nobody', async () => {
		const mirror = (shares: Record<string, number>): Promise<Reply> =>
			client.arm('PUT', '/onlineEndpoints/digits', {
				location: 'eastus',
				identity: { type: 'SystemAssigned' },
				properties: { authMode: 'Key', traffic: { blue: 100 }, mirrorTraffic: shares },
			});
		expect((await mirror({ blue: 10 })).status).toBe(400);
		expect((await mirror({ green: 60 })).status).toBe(400);
		await client.operation(await mirror({ green: 20 }));
		const log = () =>
			client.arm('POST', '/onlineEndpoints/digits/deployments/green/getLogs', { containerType: 'InferenceServer' });
		const scores = ({ body }: Reply): number => String(body['content']).split('POST /score 200').length - 1;
		const before = scores(await log());
		const key = await primaryKey();
		draw = 0.3;
		expect((await score(key)).body).toEqual({ model: 'one' });
		draw = 0.19;
		expect((await score(key, { 'azureml-model-deployment': 'blue' })).body).toEqual({ model: 'one' });
		expect((await score(key)).body).toEqual({ model: 'one' });
		const after = await client.until(log, (reply) => scores(reply) > before);
		expect(scores(after)).toBe(before + 1);
		await traffic({ blue: 90, green: 10 });
	});

	test.each([
		['image', 'ImageBuildFailure', ''],
		['quota', 'OutOfQuota', ''],
		['probe', 'ResourceNotReady', 'loaded one'],
	] as const)('fail for want of %s when a test asks for it, as often as it asks', async (failure, code, log) => {
		emulator.failDeployments({ deployment: /^digits\/doomed$/, failure, times: 1 });
		const ended = await client.operation(await deployment('doomed'));
		expect(ended.body).toMatchObject({ status: 'Failed', error: { code } });
		const path = '/onlineEndpoints/digits/deployments/doomed';
		expect(at((await client.arm('GET', path)).body, 'properties', 'provisioningState')).toBe('Failed');
		expect((await client.arm('POST', `${path}/getLogs`, { tail: 50 })).body['content']).toContain(log);
		expect((await client.operation(await deployment('doomed'))).body['status']).toBe('Succeeded');
		await client.operation(await client.arm('DELETE', path));
	});

	test('with traffic are not deleted; without they are, and once more is 204', async () => {
		const path = '/onlineEndpoints/digits/deployments/green';
		expect((await client.arm('DELETE', path)).status).toBe(400);
		await traffic({ blue: 100, green: 0 });
		const deleted = await client.arm('DELETE', path);
		expect([deleted.status, deleted.text]).toEqual([202, 'null']);
		const ended = await client.until(
			() => client.send('GET', deleted.headers.get('location') ?? ''),
			({ status }) => status !== 202,
		);
		expect(ended.status).toBe(200);
		expect((await client.arm('DELETE', path)).status).toBe(204);
		const shown = await client.arm('GET', '/onlineEndpoints/digits');
		expect(at(shown.body, 'properties', 'traffic')).toEqual({ blue: 100 });
	});

	test('take no model that its registry does not have', async () => {
		const model = 'azureml://registries/emulated-registry/models/one/versions/7';
		const put = await deployment('shared', 'one', { model });
		expect([put.status, JSON.stringify(put.body)]).toEqual([400, expect.stringContaining(model)]);
	});

	test('need what their schema says, and models that exist', async () => {
		expect((await deployment('next', 'none')).status).toBe(404);
		const reply = await client.arm('PUT', '/onlineEndpoints/digits/deployments/next', {
			location: 'eastus',
			properties: {},
		});
		expect(reply.status).toBe(400);
	});
});

describe('credentials', () => {
	test('of keys can be renewed', async () => {
		const before = await primaryKey();
		const renewed = await client.arm('POST', '/onlineEndpoints/digits/regenerateKeys', { keyType: 'Primary' });
		expect(renewed.status).toBe(200);
		expect(await primaryKey()).not.toBe(before);
		expect((await score(before)).status).toBe(401);
		expect((await client.arm('POST', '/onlineEndpoints/digits/token')).status).toBe(400);
	});

	test('of an AMLToken endpoint are tokens of its own', async () => {
		await client.operation(await endpoint({}, 'tokens', 'AMLToken'));
		const { body } = await client.arm('POST', '/onlineEndpoints/tokens/token');
		expect(body).toMatchObject({ tokenType: 'Bearer', expiryTimeUtc: expect.any(Number) });
		const uri = `${emulator.arm}/online/tokens/score`;
		const ask = (token: unknown) => client.send('POST', uri, {}, { Authorization: `Bearer ${token}` });
		expect([(await ask(body['accessToken'])).status, (await ask(client.token)).status]).toEqual([404, 401]);
	});
});

describe('an AADToken endpoint', () => {
	test('wants a token for Azure ML, not for Resource Manager', async () => {
		await client.operation(await endpoint({}, 'signed-in', 'AADToken'));
		const ml = await Client.signIn(emulator, 'https://ml.azure.com');
		const ask = (token: string) =>
			client.send('POST', `${emulator.arm}/online/signed-in/score`, {}, { Authorization: `Bearer ${token}` });
		expect([(await ask(client.token)).status, (await ask(ml.token)).status]).toEqual([401, 404]);
	});
});

describe('deleting an endpoint', () => {
	test('takes its deployments along', async () => {
		const deleted = await client.arm('DELETE', '/onlineEndpoints/digits');
		expect(deleted.status).toBe(202);
		expect((await client.operation(deleted)).body['status']).toBe('Succeeded');
		expect((await client.arm('GET', '/onlineEndpoints/digits/deployments')).status).toBe(404);
		expect((await client.arm('DELETE', '/onlineEndpoints/digits')).status).toBe(204);
	});
});
