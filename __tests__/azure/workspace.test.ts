import { afterEach, describe, expect, test } from '@jest/globals';
import { type Cloud, knownCloud } from '../../src/azure/cloud.ts';
import { connectWorkspace, type Workspace } from '../../src/azure/workspace.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
import { connected, type Layers, layers, TARGET, WORKSPACE_ID } from '../fixtures/workspace.ts';

const open: Layers[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

async function fresh(answer: (asked: Asked, turn: number) => Reply): Promise<Layers> {
	const one = await layers(answer);
	open.push(one);
	return one;
}

async function workspaceOf(answer: (asked: Asked, turn: number) => Reply): Promise<Layers & { workspace: Workspace }> {
	const one = await connected(answer);
	open.push(one);
	return one;
}

const pathsOf = (one: Layers): string[] => one.server.asked.map(({ path }) => path.split('?')[0] ?? '');

describe('connecting', () => {
	test('reads where the workspace is', async () => {
		const { workspace } = await workspaceOf(() => ({}));
		expect(workspace).toMatchObject({
			id: WORKSPACE_ID,
			scope: WORKSPACE_ID.slice(1),
			location: 'westus',
			workspaceId: 'guid-1',
			tenantId: 'tenant-1',
		});
	});

	test('to a workspace that is not there names those that are', async () => {
		const missing = { status: 404, body: { error: { code: 'ResourceNotFound', message: 'Not found.' } } };
		const one = await fresh(({ path }) =>
			path.startsWith(`${WORKSPACE_ID}?`) ? missing : { body: { value: [{ name: 'ws-one' }, { name: 'ws-two' }] } },
		);
		const error = await connectWorkspace(TARGET, one).catch((e) => e);
		expect(error).toMatchObject({
			status: 404,
			what: 'There is no workspace "ws-1" in the resource group "rg-1".',
			why: 'The workspaces there: ws-one, ws-two.',
		});
	});

	test('ends with the workflow', async () => {
		const stop = new AbortController();
		const reason = new Error('cancelled');
		const one = await fresh(() => {
			stop.abort(reason);
			return {};
		});
		await expect(connectWorkspace(TARGET, { ...one, signal: stop.signal })).rejects.toBe(reason);
	});

	test('says what the service said where there is no list', async () => {
		const missing = { status: 404, body: { error: { code: 'ResourceNotFound', message: 'It was not found.' } } };
		const none = await fresh(({ path }) => (path.startsWith(`${WORKSPACE_ID}?`) ? missing : { body: { value: [] } }));
		await expect(connectWorkspace(TARGET, none)).rejects.toThrow('It was not found.');
		const refused = await fresh(({ path }) => (path.startsWith(`${WORKSPACE_ID}?`) ? missing : { status: 403 }));
		await expect(connectWorkspace(TARGET, refused)).rejects.toThrow('It was not found.');
	});

	test.each([
		['ResourceGroupNotFound', 404, '`resource-group`'],
		['AuthorizationFailed', 403, 'AzureML Data Scientist'],
	])('that fails with %s is told as such', async (code, status, advice) => {
		const one = await fresh(() => ({ status, body: { error: { code, message: 'No.' } } }));
		await expect(connectWorkspace(TARGET, one)).rejects.toThrow(advice);
		expect(one.server.asked).toHaveLength(1);
	});
});

describe('the regional services', () => {
	const details = { doing: 'read the run' };

	test('are found by discovery, once and without a token', async () => {
		const one = await workspaceOf(() => ({ body: { status: 'Running' } }));
		await one.workspace.data('/history/v1.0', '/runs/iris/details', details);
		await one.workspace.data('/history/v1.0', '/runs/iris/details', details);
		expect(pathsOf(one).slice(1)).toEqual([
			'/discovery',
			`/history/v1.0${WORKSPACE_ID}/runs/iris/details`,
			`/history/v1.0${WORKSPACE_ID}/runs/iris/details`,
		]);
		expect(one.server.asked.map(({ headers }) => headers.authorization)).toEqual([
			'Bearer the-token',
			undefined,
			'Bearer the-token',
			'Bearer the-token',
		]);
	});

	test('are looked for again after discovery failed', async () => {
		let broken = true;
		const one: Layers = await fresh(({ path }) => {
			if (path === '/discovery') return broken ? { status: 404 } : { body: { api: `${one.server.url}/` } };
			return { body: { properties: { discoveryUrl: `${one.server.url}/discovery` } } };
		});
		const workspace = await connectWorkspace(TARGET, one);
		await expect(workspace.data('/history/v1.0', '/x', details)).rejects.toThrow('service addresses');
		broken = false;
		await workspace.data('/history/v1.0', '/x', details);
		expect(pathsOf(one).at(-1)).toBe(`/history/v1.0${WORKSPACE_ID}/x`);
	});

	test.each<[string, object, string]>([
		['no discoveryUrl', {}, 'names no discoveryUrl'],
		['one that is no URL', { discoveryUrl: 'discovery' }, 'names no discoveryUrl'],
	])('with %s cannot be found', async (_, properties, reason) => {
		const one = await fresh(() => ({ body: { properties } }));
		const workspace = await connectWorkspace(TARGET, one);
		await expect(workspace.data('/x', '', details)).rejects.toThrow(reason);
	});

	/** A workspace whose discovery answers so. */
	const discovering = async (
		reply: Reply,
		{ discoveryUrl, cloud }: { discoveryUrl?: string; cloud?: Cloud | undefined } = {},
	): Promise<Layers & { workspace: Workspace }> => {
		const one: Layers = await fresh(({ path }) =>
			path === '/discovery'
				? reply
				: path.startsWith(`${WORKSPACE_ID}?`)
					? { body: { properties: { discoveryUrl: discoveryUrl ?? `${one.server.url}/discovery` } } }
					: {},
		);
		return { ...one, workspace: await connectWorkspace(TARGET, { ...one, cloud: cloud ?? one.cloud }) };
	};

	test.each([
		'http://eastus.api.evil.example/discovery',
		'https://169.254.169.254/discovery',
		'https://10.0.0.1/discovery',
		'https://user:word@eastus.api.azureml.ms/discovery',
		'http://localhost/discovery',
		'file:///etc/passwd',
	])('are not looked for at %s', async (url) => {
		const one = await discovering({}, { discoveryUrl: url, cloud: knownCloud('AzureCloud') });
		const asking = one.workspace.data('/x', '', details);
		await expect(asking).rejects.toThrow('is not an https address of a public host');
		await expect(asking).rejects.toHaveProperty('status', 0);
	});

	test.each<[string, Reply, object, string]>([
		['refuses', { status: 403, body: { error: { code: 'Denied', message: 'm' } } }, { status: 403 }, 'Denied'],
		['names none', { body: { other: 'x' } }, { status: 200 }, 'Discovery names no `api`'],
		['says what is no JSON', { body: '<html>' }, { status: 200 }, 'Discovery names no `api`'],
		['is silent', { reset: true }, { name: 'ServiceError', status: 0 }, 'cannot be reached'],
	])('are not found where discovery %s', async (_, reply, facts, reason) => {
		const { workspace } = await discovering(reply);
		const asking = workspace.data('/x', '', details);
		await expect(asking).rejects.toMatchObject(facts);
		await expect(asking).rejects.toThrow(reason);
	});

	test('are at the address of run history where discovery names no other, its slashes taken away', async () => {
		const one: Layers = await fresh(({ path }) =>
			path === '/discovery'
				? { body: { history: `${one.server.url}///` } }
				: { body: { properties: { discoveryUrl: `${one.server.url}/discovery` } } },
		);
		const workspace = await connectWorkspace(TARGET, one);
		expect(await workspace.serviceAddress()).toBe(one.server.url);
	});

	test('are told the kind of a body where there is one; an empty answer is nothing', async () => {
		const one = await workspaceOf(() => ({ status: 204 }));
		expect(await one.workspace.data('/x', '', details)).toBeNull();
		await one.workspace.data('/x', '', { ...details, body: { a: 1 } });
		const [get, post] = one.server.asked.slice(-2);
		expect([get?.method, get?.headers['content-type'], get?.headers.accept]).toEqual([
			'GET',
			undefined,
			'application/json',
		]);
		expect([post?.method, post?.headers['content-type'], post?.body]).toEqual(['POST', 'application/json', '{"a":1}']);
	});

	test('that discovery puts on a foreign host get no token', async () => {
		const one: Layers = await fresh(({ path }) =>
			path === '/discovery'
				? { body: { api: 'https://eastus.api.evil.example' } }
				: { body: { properties: { discoveryUrl: `${one.server.url}/discovery` } } },
		);
		const workspace = await connectWorkspace(TARGET, one);
		await expect(workspace.data('/history/v1.0', '/x', details)).rejects.toThrow(
			'The token was not sent to eastus.api.evil.example',
		);
	});

	test('that refuse are told with their own code', async () => {
		const body = { error: { code: 'UserError', message: 'No run.', innerError: { code: 'NotFound' } } };
		const { workspace } = await workspaceOf(() => ({ status: 404, body }));
		await expect(workspace.data('/history/v1.0', '/x', details)).rejects.toMatchObject({
			status: 404,
			code: 'NotFound',
		});
	});

	test('are asked once where the caller comes again soon', async () => {
		const one = await workspaceOf(() => ({ status: 503 }));
		await expect(one.workspace.data('/x', '', { ...details, retry: false })).rejects.toMatchObject({ status: 503 });
		expect(one.clock.slept).toEqual([]);
		await expect(one.workspace.data('/x', '', details)).rejects.toMatchObject({ status: 503 });
		expect(one.clock.slept).toHaveLength(6);
	});
});

describe("MLflow's interface", () => {
	const withTracking = async (uri: string | undefined): Promise<{ one: Layers; workspace: Workspace }> => {
		const one: Layers = await fresh(({ path }) => {
			if (path === '/discovery') return { body: { api: one.server.url } };
			if (path.includes('/mlflow/')) return { body: { run: {} } };
			const mlFlowTrackingUri = uri?.replace('HOST', new URL(one.server.url).host);
			return { body: { properties: { discoveryUrl: `${one.server.url}/discovery`, mlFlowTrackingUri } } };
		});
		return { one, workspace: await connectWorkspace(TARGET, one) };
	};

	test("is at the workspace's tracking URI, without its query", async () => {
		const { one, workspace } = await withTracking(`azureml://HOST/mlflow/v1.0${WORKSPACE_ID}?x=1`);
		await workspace.mlflow('runs/get', { doing: 'x', query: { run_id: 'iris' } });
		expect(one.server.asked.at(-1)?.path).toBe(`/mlflow/v1.0${WORKSPACE_ID}/api/2.0/mlflow/runs/get?run_id=iris`);
		expect(pathsOf(one)).not.toContain('/discovery');
	});

	test('is found by discovery where there is none', async () => {
		const { one, workspace } = await withTracking(undefined);
		await workspace.mlflow('runs/search', { doing: 'x', body: { filter: '' } });
		expect(one.server.asked.at(-1)).toMatchObject({
			method: 'POST',
			path: `/mlflow/v1.0${WORKSPACE_ID}/api/2.0/mlflow/runs/search`,
			body: '{"filter":""}',
		});
	});

	test('is found by discovery where the workspace says a foreign host, which gets no token', async () => {
		const { one, workspace } = await withTracking('azureml://evil.example/mlflow/v1.0/x');
		await workspace.mlflow('runs/get', { doing: 'x' });
		expect(one.server.asked.at(-1)?.path).toBe(`/mlflow/v1.0${WORKSPACE_ID}/api/2.0/mlflow/runs/get`);
	});
});

describe('a datastore', () => {
	const blob = { datastoreType: 'AzureBlob', accountName: 'acc', containerName: 'box' };

	test('by default is the one that the workspace says, asked for once', async () => {
		const one = await workspaceOf(() => ({ body: { value: [{ name: 'workspaceblobstore', properties: blob }] } }));
		const [store] = await Promise.all([one.workspace.datastore(), one.workspace.datastore()]);
		expect(store).toEqual({
			name: 'workspaceblobstore',
			type: 'AzureBlob',
			accountName: 'acc',
			containerUrl: 'https://acc.blob.storage.example/box',
		});
		expect(one.server.asked).toHaveLength(2);
		expect(one.server.asked[1]?.path).toContain('isDefault=true');
	});

	test('has the host that its own record says', async () => {
		const properties = { ...blob, endpoint: 'core.other.example', protocol: 'http', filesystem: 'fs' };
		const one = await workspaceOf(() => ({ body: { name: 'mine', properties } }));
		expect((await one.workspace.datastore('mine')).containerUrl).toBe('http://acc.blob.core.other.example/box');
		expect(pathsOf(one).at(-1)).toBe(`${WORKSPACE_ID}/datastores/mine`);
	});

	test.each([
		['127.0.0.1:10000', 'http://127.0.0.1:10000/acc/box'],
		['[::1]:10000', 'http://[::1]:10000/acc/box'],
		['core.localhost:10000', 'http://acc.blob.core.localhost:10000/box'],
	])('at %s is %s', async (endpoint, url) => {
		const one = await workspaceOf(() => ({
			body: { name: 'mine', properties: { ...blob, endpoint, protocol: 'http' } },
		}));
		expect((await one.workspace.datastore('mine')).containerUrl).toBe(url);
	});

	test('by default is the one that says so, also where the service lists others before it', async () => {
		const others = { name: 'others', properties: { ...blob, isDefault: false } };
		const value = [others, { name: 'ours', properties: { ...blob, isDefault: true } }];
		const one = await workspaceOf(() => ({ body: { value } }));
		expect((await one.workspace.datastore()).name).toBe('ours');
	});

	test('that is not there leads to those that are, and is looked for again', async () => {
		let made = false;
		const one = await workspaceOf(({ path }) => {
			if (path.startsWith(`${WORKSPACE_ID}/datastores?`)) return { body: { value: [{ name: 'a' }, { name: 'b' }] } };
			return made ? { body: { name: 'mine', properties: blob } } : { status: 404 };
		});
		await expect(one.workspace.datastore('mine')).rejects.toThrow('The datastores of the workspace: a, b.');
		made = true;
		expect((await one.workspace.datastore('mine')).name).toBe('mine');
	});
});
