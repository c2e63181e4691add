import { afterEach, describe, expect, test } from '@jest/globals';
import { knownCloud, mayReceiveToken } from '../../src/azure/cloud.ts';
import { OperationFailed } from '../../src/azure/operation.ts';
import type { Json } from '../../src/json.ts';
import type { Reply } from '../fixtures/loopback.ts';
import { closeAll, open, PATH, play } from './operation-scene.ts';

afterEach(closeAll);

const OPERATION = { 'azure-asyncoperation': 'BASE/operation' };
const LOCATION = { location: 'BASE/location' };
const there = (provisioningState?: string): Reply => ({ body: { name: 'iris', properties: { provisioningState } } });
const READY = { name: 'iris', properties: { provisioningState: 'Succeeded' } };
const state = (status: string, more: object = {}): Reply => ({ body: { status, ...more } });

describe('Azure-AsyncOperation', () => {
	test('goes before Location; the resource is read at the end', async () => {
		const played = await play({
			first: { status: 201, headers: { ...OPERATION, ...LOCATION }, ...there('Creating') },
			operation: [state('Updating'), state('Running'), state('Succeeded')],
			resource: [there('Succeeded')],
		});
		expect(played).toMatchObject({
			result: READY,
			states: ['Updating', 'Running'],
			looks: ['/operation', '/operation', '/operation', 'resource'],
		});
	});

	test('is the same by its newer name', async () => {
		const played = await play({
			first: { status: 202, headers: { 'operation-location': 'BASE/operation' } },
			operation: [state('succeeded')],
			resource: [there('Succeeded')],
		});
		expect(played.looks).toEqual(['/operation', 'resource']);
	});

	test.each<[string, Reply]>([
		['200 with no state', { body: {} }],
		['200 with an empty body', {}],
		['204', { status: 204 }],
		['the state of a resource', there('Succeeded')],
	])('answered with %s has succeeded', async (_, reply) => {
		const played = await play({
			first: { status: 201, headers: OPERATION, body: {} },
			operation: [{ status: 202 }, reply],
			resource: [there('Succeeded')],
		});
		expect([played.result, played.states]).toEqual([READY, ['InProgress']]);
	});

	test('that ends badly is told with its innermost error', async () => {
		const error = {
			code: 'UserError',
			message: 'The deployment failed.',
			details: [{ code: 'OutOfQuota', message: 'Not enough quota for Standard_DS3_v2.' }],
		};
		const failed = play({
			first: { status: 201, headers: OPERATION, body: {} },
			operation: [state('Failed', { error })],
		});
		await expect(failed).rejects.toBeInstanceOf(OperationFailed);
		await expect(failed).rejects.toMatchObject({
			code: 'OutOfQuota',
			message:
				'Could not create the endpoint "iris": the operation ended as Failed (OutOfQuota). The deployment failed. Not enough quota for Standard_DS3_v2.',
		});
	});

	test('that is cancelled, or gives no reason, has failed too', async () => {
		const canceled = play({ first: { status: 201, headers: OPERATION, body: {} }, operation: [state('Canceled')] });
		await expect(canceled).rejects.toThrow('ended as Canceled. The service gave no reason.');
	});

	test('that may not be looked at is no failure of the operation', async () => {
		const refused = play({
			first: { status: 201, headers: OPERATION, body: {} },
			operation: [{ status: 403, body: { error: { code: 'AuthorizationFailed', message: 'No role.' } } }],
		});
		await expect(refused).rejects.toMatchObject({ name: 'ServiceError', status: 403 });
		await expect(refused).rejects.toThrow('Could not watch the operation that is to create the endpoint "iris"');
	});

	test('whose address is gone is decided by the resource', async () => {
		const made = await play({
			first: { status: 201, headers: OPERATION, body: {} },
			operation: [{ status: 404 }],
			resource: [there('Updating'), there('Succeeded')],
		});
		expect(made).toMatchObject({ result: READY, states: ['Updating'], looks: ['/operation', 'resource', 'resource'] });
		const deleted = await play({
			first: { status: 202, headers: OPERATION },
			operation: [state('InProgress'), { status: 404 }],
			resource: [{ status: 404 }],
		});
		expect(deleted.result).toBeUndefined();
	});

	test('on another host gets no token', async () => {
		const first = { status: 201, headers: { 'azure-asyncoperation': 'https://evil.example/operation' }, body: {} };
		await expect(play({ first })).rejects.toThrow('The token was not sent to evil.example');
	});

	test('of four thousand characters is followed as it is', async () => {
		const long = 'x'.repeat(4096);
		await play({
			first: { status: 201, headers: { 'azure-asyncoperation': `BASE/operation?t=1&c=${long}` }, body: {} },
			operation: [state('Succeeded')],
			resource: [there('Succeeded')],
		});
		expect(open[0]?.server.asked[1]?.path).toBe(`/operation?t=1&c=${long}`);
	});
});

describe('Location alone', () => {
	test('is asked until it is not 202 any more, and may move', async () => {
		const played = await play({
			first: { status: 202, headers: LOCATION },
			location: [{ status: 202, headers: { location: 'BASE/location/2' } }, { status: 202 }, { status: 200 }],
			resource: [there('Succeeded')],
		});
		expect(played).toMatchObject({
			result: READY,
			looks: ['/location', '/location/2', '/location/2', 'resource'],
		});
	});

	test('of a 201 is the resource, not an operation', async () => {
		const location = `BASE${PATH.toLowerCase()}?api-version=2025-09-01`;
		const played = await play({
			first: { status: 201, headers: { location }, ...there('Creating') },
			resource: [there('Updating'), there('Succeeded')],
		});
		expect(played).toMatchObject({ result: READY, states: ['Creating', 'Updating'], looks: ['resource', 'resource'] });
	});

	test('of a 201 is an operation where it is another address than that of the resource under way', async () => {
		const played = await play({
			first: { status: 201, headers: LOCATION, ...there('Creating') },
			location: [{ status: 202 }, { status: 200 }],
			resource: [there('Succeeded')],
		});
		expect(played).toMatchObject({ result: READY, looks: ['/location', '/location', 'resource'] });
	});

	test('of a 201 is not asked where nothing is under way', async () => {
		for (const state of [undefined, 'Succeeded']) {
			const played = await play({ first: { status: 201, headers: LOCATION, ...there(state) } });
			expect([played.looks, played.slept]).toEqual([[], []]);
		}
	});

	test('that is gone with what it deleted has succeeded', async () => {
		const played = await play({
			first: { status: 202, headers: LOCATION },
			location: [{ status: 404 }],
			resource: [{ status: 404 }],
		});
		expect(played.result).toBeUndefined();
	});

	test('that is done while the resource failed is a failure', async () => {
		const played = play({
			first: { status: 202, headers: LOCATION },
			location: [{ status: 200 }],
			resource: [there('Failed')],
		});
		await expect(played).rejects.toThrow('ended as Failed');
	});

	test('on another host gets no token', async () => {
		const first = { status: 202, headers: { location: 'http://127.0.0.2/operation' } };
		await expect(play({ first })).rejects.toThrow('The token was not sent to 127.0.0.2');
	});
});

describe('without an address', () => {
	test.each<[string, Reply, Json | undefined]>([
		['200 with no state', { body: { name: 'iris' } }, { name: 'iris' }],
		['200 that is ready', there('Succeeded'), READY],
		['204', { status: 204 }, undefined],
	])('%s is done at once', async (_, first, result) => {
		expect(await play({ first })).toEqual({ result, states: [], looks: [], slept: [] });
	});

	test('the state of the resource decides', async () => {
		const played = await play({
			first: { status: 200, ...there('Creating') },
			resource: [there('Updating'), there('Succeeded')],
		});
		expect(played).toMatchObject({ result: READY, states: ['Creating', 'Updating'], looks: ['resource', 'resource'] });
	});

	test('a 202 says nothing yet', async () => {
		const deleted = await play({ first: { status: 202 }, resource: [there('Deleting'), { status: 404 }] });
		expect(deleted).toMatchObject({ result: undefined, states: ['Deleting'] });
	});

	test('a 202 with a resource that has no state yet, and a 200 without one, say nothing either', async () => {
		for (const reply of [{ status: 202, body: { name: 'iris' } }, { status: 200 }]) {
			const played = await play({ first: reply, resource: [there('Succeeded')] });
			expect(played).toMatchObject({ result: READY, looks: ['resource'] });
		}
	});

	test('a 202 with a resource that is ready says so', async () => {
		const played = await play({ first: { status: 202, ...there('Succeeded') } });
		expect(played).toMatchObject({ result: READY, looks: [] });
	});

	test('a resource that failed says why', async () => {
		const failed = play({
			first: { body: { properties: { provisioningState: 'Failed', error: { code: 'X', message: 'Because.' } } } },
		});
		await expect(failed).rejects.toThrow('ended as Failed (X). Because.');
	});
});

describe('the pace', () => {
	const first = (headers: Record<string, string> = {}): Reply => ({
		status: 201,
		headers: { ...OPERATION, ...headers },
		body: {},
	});
	const resource = [there('Succeeded')];

	test('is our own where the service asks for none: soon, then every five seconds', async () => {
		const played = await play({
			first: first(),
			operation: [state('x'), state('x'), state('Succeeded')],
			resource,
		});
		expect(played.slept).toEqual([1000, 5000, 5000]);
	});

	test("is the service's where it asks, also when it asks once only", async () => {
		const played = await play({
			first: first({ 'retry-after': '10' }),
			operation: [state('x'), { ...state('x'), headers: { 'retry-after': '2' } }, state('Succeeded')],
			resource,
		});
		expect(played.slept).toEqual([10_000, 10_000, 2000]);
	});

	test('never becomes a storm', async () => {
		const headers = { 'retry-after': '0' };
		const played = await play({
			first: first(headers),
			operation: [{ ...state('x'), headers }, state('Succeeded')],
			resource,
		});
		expect(Math.min(...played.slept)).toBeGreaterThanOrEqual(500);
	});

	test("ends: after the time given, or the service's own", async () => {
		const stuck = { operation: [state('InProgress')] };
		const error = await play({ first: first(), ...stuck }, { timeout: 60_000 }).catch((e) => e);
		expect(error).toBeInstanceOf(OperationFailed);
		expect(error.message).toContain('onlineEndpoints/iris');
		expect(sum(open.at(-1)?.clock.slept)).toBe(60_000);
		await play({ first: first({ 'x-ms-async-operation-timeout': 'PT1M30S' }), ...stuck }).catch(() => {});
		expect(sum(open.at(-1)?.clock.slept)).toBe(90_000);
		// A timer that is given more than 24 days rings at once, again and again.
		const forEver = { 'x-ms-async-operation-timeout': 'P99999999D', 'retry-after': '9999999999' };
		await play({ first: first(forEver), ...stuck }).catch(() => {});
		expect(Math.max(...(open.at(-1)?.clock.slept ?? []))).toBeLessThan(2 ** 31);
	});

	test.each([
		['PT90S', 90_000],
		['PT2M', 120_000],
		['PT1H', 3_600_000],
		['PT1H10M', 4_200_000],
		['P1D', 86_400_000],
		['P1DT1H', 90_000_000],
		['P10DT12H', 5 * 86_400_000],
		['PT12.25S', 12_250],
		// What is no duration is not heeded: two hours are ours.
		['xPT90S', 7_200_000],
		['PT90Sx', 7_200_000],
		['PTxH', 7_200_000],
	])('ends after what the service says: %s', async (announced, ms) => {
		const headers = { 'x-ms-async-operation-timeout': announced, 'retry-after': '600' };
		const stuck = play({ first: first(headers), operation: [state('InProgress')] });
		await expect(stuck).rejects.toMatchObject({ name: 'OperationFailed', status: 0 });
		await expect(stuck).rejects.toThrow('Look at onlineEndpoints/iris in');
		expect(sum(open.at(-1)?.clock.slept)).toBe(ms);
	});

	test('ends at once for a signal', async () => {
		const stop = new AbortController();
		stop.abort(new Error('cancelled'));
		await expect(play({ first: first() }, { signal: stop.signal })).rejects.toThrow('cancelled');
	});
});

const sum = (numbers: readonly number[] = []): number => numbers.reduce((all, one) => all + one, 0);

test('an explicit :443 is the same host', () => {
	// Only of https can this be seen, so that no server is asked here.
	const cloud = knownCloud('AzureCloud');
	if (cloud === undefined) throw new Error('no AzureCloud');
	expect(mayReceiveToken(cloud, 'https://management.azure.com:443/operations/1')).toBe(true);
	expect(mayReceiveToken(cloud, 'https://management.azure.com:444/operations/1')).toBe(false);
});
