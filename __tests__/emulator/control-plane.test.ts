import { request } from 'node:http';
import {
	ContainerClient,
	ContainerSASPermissions,
	generateBlobSASQueryParameters,
	StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { at, Client, type Json, type Reply } from './client.ts';

let emulator: Emulator;
let client: Client;

beforeAll(async () => {
	emulator = await startEmulator({ jobStateDelayMs: 5 });
	client = await Client.signIn(emulator);
});
afterAll(() => emulator.stop());

const errorOf = ({ status, body }: Reply) => ({
	status,
	code: at(body, 'error', 'code'),
	message: at(body, 'error', 'message'),
});
/** The codes of the InnerError of an answer, from the outermost to the innermost. */
function innerCodes(reply: Reply): unknown[] {
	const all = (at(reply.body, 'error', 'additionalInfo') ?? []) as Json[];
	const codes: unknown[] = [];
	let inner = at(
		all.find((one) => one['type'] === 'InnerError'),
		'info',
		'value',
	);
	for (; inner; inner = at(inner, 'innerError')) codes.push(at(inner, 'code'));
	return codes;
}

describe('Resource Manager', () => {
	test('wants an api-version that it knows', async () => {
		const url = `${emulator.arm}${client.workspace}`;
		expect(errorOf(await client.send('GET', url))).toMatchObject({ status: 400, code: 'MissingApiVersionParameter' });
		const old = await client.send('GET', `${url}?api-version=2019-05-01`);
		expect(errorOf(old)).toMatchObject({ status: 400, code: 'InvalidResourceType' });
	});

	test('knows its subscription, group and workspace by name, whatever the letter case of the rest', async () => {
		const path = client.workspace;
		const ask = (changed: string) => client.send('GET', `${emulator.arm}${changed}?api-version=2025-09-01`);
		expect((await ask(path.replace('resourceGroups', 'RESOURCEGROUPS').replace('Microsoft', 'microsoft'))).status).toBe(
			200,
		);
		expect(errorOf(await ask(path.replace(emulator.subscriptionId, '0'))).code).toBe('SubscriptionNotFound');
		expect(errorOf(await ask(path.replace(emulator.resourceGroup, 'g'))).code).toBe('ResourceGroupNotFound');
		expect(errorOf(await ask(path.replace(emulator.workspace, 'other')))).toMatchObject({
			status: 404,
			code: 'ResourceNotFound',
			message: expect.stringContaining("under resource group 'emulated-rg' was not found"),
		});
	});

	test.each([
		['/jobs/none', 'UserError', 'Job none not found.', ['NotFound', 'JobNotFound']],
		['/datastores/none', 'UserError', 'Could not find datastore: none.', ['NotFoundError']],
		['/environments/none', 'UserError', 'No environment exists for name: none, version: , label: ', ['NotFoundError']],
		['/data/none/versions', 'UserError', 'none container was not found.', ['NotFoundError']],
		[
			'/data/none/versions/2',
			'UserError',
			'Data version none:2 (dataContainerName:version) not found.',
			['NotFoundError'],
		],
		['/components/none', 'UserError', 'Not found component none.', ['NotFound', 'ComponentNotFound']],
	])('answers 404 for %s as the service words it', async (path, code, message, inner) => {
		const reply = await client.arm('GET', path);
		expect(errorOf(reply)).toEqual({ status: 404, code, message });
		expect(reply.headers.get('x-ms-response-type')).toBe('error');
		expect(innerCodes(reply)).toEqual(inner);
	});

	test('answers 404 for models and endpoints with the useful code in the details', async () => {
		const details = async (path: string) => at((await client.arm('GET', path)).body, 'error', 'details', 0, 'code');
		expect(await details('/models/none')).toBe('ModelNotFound');
		expect(await details('/models/none/versions/1')).toBe('NoSuchModelRegistered');
		expect(await details('/onlineEndpoints/none')).toBe('NoSuchEndpoint');
		expect(await details('/batchEndpoints/none')).toBe('NoSuchEndpoint');
	});

	test('says of what it does not emulate that it is not there, whatever the api-version', async () => {
		const path = '/subscriptions/x/resourcegroups/y/providers/Microsoft.Resources/deployments/z';
		const reply = await client.send('PUT', `${emulator.arm}${path}?api-version=2020-06-01`, {});
		expect(errorOf(reply)).toMatchObject({ status: 404, message: expect.stringContaining('The emulator has no') });
	});

	test('answers 404 for a compute without any body', async () => {
		const reply = await client.arm('GET', '/computes/none');
		expect([reply.status, reply.text]).toEqual([404, '']);
	});
});

describe('bodies', () => {
	const job = (properties: Json) => client.arm('PUT', '/jobs/refused', { properties });

	test('that break the schema are refused with the path of each fault', async () => {
		const reply = await job({
			jobType: 'Command',
			command: 'true',
			environmentId: 'azureml:AzureML-Minimal:1',
			inputs: { epochs: { jobInputType: 'literal', value: 3 } },
			limits: { timeout: 'PT1M' },
		});
		expect(errorOf(reply)).toMatchObject({ status: 400, code: 'ValidationError' });
		const targets = (at(reply.body, 'error', 'details') as Json[]).map((one) => one['target']);
		expect(targets).toEqual(
			expect.arrayContaining(['properties.inputs.epochs.value', 'properties.limits.jobLimitsType']),
		);
		expect((await client.arm('GET', '/jobs/refused')).status).toBe(404);
	});

	test('without properties are refused', async () => {
		expect((await client.arm('PUT', '/jobs/refused', {})).status).toBe(400);
	});

	test('that name what does not exist are refused', async () => {
		const good = { jobType: 'Command', command: 'true', environmentId: 'azureml:AzureML-Minimal:1' };
		const id = (path: string) => `${client.workspace}/${path}`;
		const refused = [
			{ ...good, environmentId: id('environments/none/versions/1') },
			{ ...good, computeId: id('computes/none') },
			{ ...good, codeId: id('codes/none/versions/1') },
			{ ...good, inputs: { a: { jobInputType: 'uri_file', uri: id('data/none/versions/1') } } },
		];
		for (const properties of refused) expect((await job(properties)).status).toBe(404);
	});

	test('with a name that Azure ML does not take are refused', async () => {
		const reply = await client.job('-bad', 'true');
		expect(errorOf(reply)).toMatchObject({ status: 400, message: expect.stringContaining("'-bad'") });
	});
});

describe('code', () => {
	test('is uploaded by the storage SDK to a container of its own and found by its hash', async () => {
		const query = '/codes/any/versions?hash=0a1b&hashVersion=202208';
		expect((await client.arm('GET', query)).body).toEqual({ value: [] });
		const upload = await client.arm('POST', '/codes/fresh/versions/1/startPendingUpload', {
			pendingUploadType: 'TemporaryBlobReference',
		});
		expect(upload.body['pendingUploadType']).toBe('None');
		const reference = at(upload.body, 'blobReferenceForConsumption');
		const container = new ContainerClient(String(at(reference, 'credential', 'sasUri')));
		const blob = container.getBlockBlobClient('src/a folder/naïve.py');
		await blob.upload('print(1)', 8, { conditions: { ifNoneMatch: '*' } });
		await blob.setMetadata({ upload_status: 'completed' });
		const properties = {
			codeUri: `${at(reference, 'blobUri')}/src`,
			isAnonymous: true,
			properties: { hash_sha256: '0a1b', hash_version: '202208' },
		};
		const put = await client.arm('PUT', '/codes/fresh/versions/1', { properties });
		expect([put.status, at(put.body, 'properties', 'isAnonymous')]).toEqual([201, false]);
		expect(put.headers.get('location')).toContain('/codes/fresh/versions/1?');
		expect((await client.arm('PUT', '/codes/fresh/versions/1', { properties })).status).toBe(200);
		const found = await client.arm('GET', query);
		expect(at(found.body, 'value', 0, 'id')).toBe(put.body['id']);
		const stored = (await emulator.blobs()).find((one) => one.name === 'src/a folder/naïve.py');
		expect(stored?.metadata).toEqual({ upload_status: 'completed' });
		const moved = { properties: { ...properties, codeUri: `${at(reference, 'blobUri')}/elsewhere` } };
		const refused = await client.arm('PUT', '/codes/fresh/versions/1', moved);
		expect(errorOf(refused)).toMatchObject({ status: 400, message: 'Asset paths cannot be updated.' });
	});

	test('travels without a token, and blobs need a signature', async () => {
		const uploads = emulator.requests.filter((request) => request.face === 'storage' && request.method === 'PUT');
		expect(uploads.length).toBeGreaterThan(0);
		expect(uploads.filter((request) => 'authorization' in request.headers)).toEqual([]);
		const blob = (await emulator.blobs())[0];
		const host = emulator.requests.find((request) => request.face === 'storage')?.headers['host'];
		const open = await fetch(`http://${host}/emulatorstore/${blob?.container}/${blob?.name}`);
		expect(open.status).toBe(403);
		await open.text();
	});
});

describe('the default datastore', () => {
	test('is reached by its product-style address with the listed secret', async () => {
		const listed = await client.arm('GET', '/datastores?isDefault=true');
		const { accountName, containerName, endpoint, protocol } = at(listed.body, 'value', 0, 'properties') as Json;
		expect(at(listed.body, 'value', 0, 'name')).toBe('workspaceblobstore');
		const secrets = await client.arm('POST', '/datastores/workspaceblobstore/listSecrets', { expirableSecret: true });
		expect(secrets.body['secretsType']).toBe('AccountKey');
		const signed = generateBlobSASQueryParameters(
			{
				containerName: String(containerName),
				permissions: ContainerSASPermissions.parse('cw'),
				expiresOn: new Date(Date.now() + 600_000),
			},
			new StorageSharedKeyCredential(String(accountName), String(secrets.body['key'])),
		);
		const host = `${accountName}.blob.${endpoint}`;
		const [, port = ''] = String(endpoint).split(':');
		// The name resolves to loopback by RFC 6761; the resolver of this machine may not know that.
		const target = `${protocol}://127.0.0.1:${port}/${containerName}/LocalUpload/x?${signed}`;
		const status = await new Promise<number>((resolve, reject) => {
			const headers = { Host: host, 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2022-11-02', 'Content-Length': 2 };
			const sent = request(target, { method: 'PUT', headers, agent: false }, (answer) => {
				answer.resume();
				resolve(answer.statusCode ?? 0);
			});
			sent.on('error', reject);
			sent.end('hi');
		});
		expect(status).toBe(201);
		expect((await emulator.readBlob(String(containerName), 'LocalUpload/x'))?.toString()).toBe('hi');
	});
});

describe('assets', () => {
	test('get versions in the order of their creation, and the container knows the next one', async () => {
		const put = (version: string) =>
			client.arm('PUT', `/environments/mine/versions/${version}`, {
				properties: { image: `image:${version}`, condaFile: 'name: x\n' },
			});
		expect((await put('7')).status).toBe(201);
		expect((await put('2')).status).toBe(201);
		const again = await put('2');
		expect([again.status, at(again.body, 'properties', 'condaFile')]).toEqual([200, '{\n  "name": "x"\n}']);
		const container = await client.arm('GET', '/environments/mine');
		expect(container.body['properties']).toMatchObject({ latestVersion: '2', nextVersion: '8' });
		const latest = await client.arm('GET', '/environments/mine/versions?$orderBy=createdtime%20desc&$top=1');
		expect((latest.body['value'] as Json[]).map((one) => one['name'])).toEqual(['2']);
		expect(latest.body['nextLink']).toBeUndefined();
	});

	test('of anonymous components with the same content are one, under the version of the service', async () => {
		const put = (version: string) =>
			client.arm('PUT', `/components/azureml_anonymous/versions/${version}`, {
				properties: {
					isAnonymous: true,
					componentSpec: { type: 'command', command: 'x', is_deterministic: true, version },
				},
			});
		const [one, other] = [
			await put('11111111-1111-1111-1111-111111111111'),
			await put('22222222-2222-2222-2222-222222222222'),
		];
		expect([one.status, other.status]).toEqual([201, 200]);
		expect(one.body['id']).toBe(other.body['id']);
		expect(at(one.body, 'properties', 'componentSpec', 'is_deterministic')).toBe('True');
	});

	test('keep their paths, and can be archived', async () => {
		const data = (dataUri: string, more: Json = {}) =>
			client.arm('PUT', '/data/rows/versions/1', { properties: { dataType: 'uri_file', dataUri, ...more } });
		const put = await data('azureml://datastores/workspaceblobstore/paths/a.csv');
		expect(at(put.body, 'properties', 'dataUri')).toMatch(/^azureml:\/\/subscriptions\/.*\/paths\/a\.csv$/);
		expect(errorOf(await data('azureml://datastores/workspaceblobstore/paths/b.csv')).message).toBe(
			'Asset paths cannot be updated.',
		);
		await data('azureml://datastores/workspaceblobstore/paths/a.csv', { isArchived: true });
		const names = async (view: string) => {
			const { body } = await client.arm('GET', `/data/rows/versions?listViewType=${view}`);
			return (body['value'] as Json[]).map((one) => one['name']);
		};
		expect([await names('ActiveOnly'), await names('ArchivedOnly')]).toEqual([[], ['1']]);
	});

	test('of models need content in storage', async () => {
		const reply = await client.arm('PUT', '/models/ghost/versions/1', {
			properties: { modelType: 'custom_model', modelUri: 'azureml://datastores/workspaceblobstore/paths/nothing/here' },
		});
		expect(errorOf(reply)).toMatchObject({ status: 404, message: expect.stringContaining('nothing is stored at') });
	});

	test('of models are made once, by whoever comes first, when several ask for one version at the same time', async () => {
		const files = Object.fromEntries(Array.from({ length: 8 }, (_, number) => [`${number}/model.txt`, `${number}`]));
		const code = await client.code('race', files);
		const folder = String(
			at((await client.arm('GET', code.slice(code.indexOf('/codes/')))).body, 'properties', 'codeUri'),
		);
		const uris = Array.from({ length: 8 }, (_, number) => `${folder}/${number}`);
		const replies = await Promise.all(
			uris.map((modelUri) =>
				client.arm('PUT', '/models/race/versions/1', { properties: { modelType: 'custom_model', modelUri } }),
			),
		);
		const made = replies.filter(({ status }) => status === 201);
		const refused = replies.filter(({ status }) => status === 400).map((reply) => errorOf(reply).message);
		expect([made.length, refused]).toEqual([1, Array(7).fill('Asset paths cannot be updated.')]);
		const { body } = await client.arm('GET', '/models/race/versions/1');
		expect(at(body, 'properties', 'modelUri')).toBe(at(made[0]?.body ?? {}, 'properties', 'modelUri'));
	});
});

describe('computes', () => {
	test('are created and deleted as operations', async () => {
		const body = {
			location: 'eastus',
			properties: {
				computeType: 'AmlCompute',
				properties: { vmSize: 'Standard_DS2_v2', scaleSettings: { maxNodeCount: 2 } },
			},
		};
		const put = await client.arm('PUT', '/computes/small', body);
		expect([put.status, at(put.body, 'properties', 'provisioningState')]).toEqual([201, 'Creating']);
		expect((await client.operation(put)).body).toEqual({ status: 'Succeeded', percentComplete: 100 });
		const made = await client.arm('GET', '/computes/small');
		expect(at(made.body, 'properties', 'provisioningState')).toBe('Succeeded');
		expect((await client.arm('DELETE', '/computes/small')).status).toBe(400);
		const deleted = await client.arm('DELETE', '/computes/small?underlyingResourceAction=Delete');
		expect(deleted.status).toBe(202);
		await client.operation(deleted);
		expect((await client.arm('GET', '/computes/small')).status).toBe(404);
	});
});

describe('workspaces', () => {
	test('are listed, and created as an operation that is polled by Location too', async () => {
		const path = client.workspace.replace(emulator.workspace, 'second-ws');
		const url = `${emulator.arm}${path}?api-version=2025-09-01`;
		const put = await client.send('PUT', url, {
			location: 'eastus',
			properties: { storageAccount: 's', keyVault: 'k', applicationInsights: 'a' },
		});
		expect(put.status).toBe(202);
		await client.until(
			() => client.send('GET', put.headers.get('location') ?? ''),
			({ status }) => status === 200,
		);
		const list = await client.send('GET', `${emulator.arm}${path.replace('/second-ws', '')}?api-version=2025-09-01`);
		expect((list.body['value'] as Json[]).map((one) => one['name'])).toEqual(['emulated-ws', 'second-ws']);
		const stores = await client.send('GET', `${emulator.arm}${path}/datastores?api-version=2025-09-01`);
		expect((stores.body['value'] as Json[]).length).toBe(2);
	});
});
