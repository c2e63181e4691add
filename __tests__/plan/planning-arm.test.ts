import { describe, expect, test } from '@jest/globals';
import type { Arm, ArmCall } from '../../src/azure/arm.ts';
import { workspaceIdOf } from '../../src/azure/workspace.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import { OFFLINE_ARM } from '../../src/plan/offline.ts';
import { Plan } from '../../src/plan/plan.ts';
import { createPlanningArm } from '../../src/plan/planning-arm.ts';

const WS = workspaceIdOf({ subscriptionId: 's', resourceGroup: 'g', workspace: 'w' });
const CALL: ArmCall = { doing: 'try' };

/** A service that holds these things, and says what it was asked. A write of any kind is a failure. */
function service(things: Readonly<Record<string, Json>>) {
	const asked: string[] = [];
	const refuse = async (): Promise<never> => {
		throw new Error('a write reached the service');
	};
	const find = async (path: string): Promise<Json | undefined> => {
		asked.push(`GET ${path.slice(WS.length + 1)}`);
		return things[path.slice(WS.length + 1)];
	};
	const base: Arm = {
		find,
		get: async (path) => {
			const found = await find(path);
			if (found === undefined) throw new ServiceError({ what: 'Not there.' }, { status: 404 });
			return found;
		},
		list: async function* (path) {
			asked.push(`LIST ${path.slice(WS.length + 1)}`);
			const start = `${path.slice(WS.length + 1)}/`;
			for (const [name, thing] of Object.entries(things)) if (name.startsWith(start)) yield thing;
		},
		post: async (path) => {
			asked.push(`POST ${path.slice(WS.length + 1)}`);
			return { status: 200, headers: {}, body: { primaryKey: 'k' } };
		},
		put: refuse,
		delete: refuse,
		settle: refuse,
	};
	const plan = new Plan();
	return { asked, plan, arm: createPlanningArm(base, plan) };
}

async function namesOf(list: AsyncIterable<Json>): Promise<unknown[]> {
	const names: unknown[] = [];
	for await (const item of list) names.push((item as JsonObject)['name']);
	return names;
}

describe('a write', () => {
	test('is planned with its api-version and query, and not sent', async () => {
		const { arm, plan } = service({});
		const body = { properties: { datastoreType: 'AzureBlob' } };
		await arm.put(`${WS}/datastores/store`, body, { ...CALL, query: { skipValidation: 'true' } });
		await arm.post(`${WS}/jobs/j/cancel`, undefined, CALL);
		await arm.delete(`${WS}/onlineEndpoints/e`, CALL);
		expect(plan.requests).toEqual([
			{
				method: 'PUT',
				path: `${WS}/datastores/store?api-version=2025-09-01&skipValidation=true`,
				body,
				undecided: [],
			},
			{ method: 'POST', path: `${WS}/jobs/j/cancel?api-version=2025-09-01`, body: null, undecided: [] },
			{ method: 'DELETE', path: `${WS}/onlineEndpoints/e?api-version=2025-09-01`, body: null, undecided: [] },
		]);
	});

	test('is there for the reads after it, as the service would give it', async () => {
		const { arm } = service({});
		const path = `${WS}/computes/cpu`;
		const answer = await arm.put(path, { location: 'westus', properties: { computeType: 'AmlCompute' } }, CALL);
		const expected = {
			id: path,
			name: 'cpu',
			location: 'westus',
			properties: { computeType: 'AmlCompute', provisioningState: 'Succeeded' },
		};
		expect(await arm.settle(path, answer, CALL)).toEqual(expected);
		expect(await arm.find(`${WS}/computes/CPU`, CALL)).toEqual(expected);
		expect(await arm.get(path, CALL)).toEqual(expected);
		expect(await namesOf(arm.list(`${WS}/computes`, CALL))).toEqual(['cpu']);
	});

	test('to what is there keeps what only the service writes', async () => {
		const endpoint = { tags: { a: '1' }, properties: { scoringUri: 'https://score', traffic: { blue: 100 } } };
		const { arm } = service({ 'onlineEndpoints/e': endpoint });
		const path = `${WS}/onlineEndpoints/e`;
		await arm.find(path, CALL);
		await arm.put(path, { tags: { b: '2' }, properties: { traffic: { green: 100 } } }, CALL);
		expect(await arm.find(path, CALL)).toMatchObject({
			tags: { b: '2' },
			properties: { scoringUri: 'https://score', traffic: { green: 100 } },
		});
	});

	test('to what an earlier one makes is marked: the service adds to it', async () => {
		const { arm, plan } = service({ 'onlineEndpoints/old': { properties: {} } });
		for (const name of ['new', 'old']) {
			const path = `${WS}/onlineEndpoints/${name}`;
			await arm.find(path, CALL);
			for (const traffic of [{}, { blue: 100 }]) await arm.put(path, { properties: { traffic } }, CALL);
		}
		expect(plan.requests.map(({ undecided }) => undecided.length)).toEqual([0, 1, 0, 0]);
	});

	test('of nothing leaves nothing to be read, and the service is not asked again', async () => {
		const { arm, asked } = service({ 'models/m/versions/1': { name: '1' } });
		expect((await arm.delete(`${WS}/models/m/versions/1`, CALL)).status).toBe(200);
		const before = asked.length;
		expect(await arm.find(`${WS}/models/m/versions/1`, CALL)).toBeUndefined();
		expect(asked.length).toBe(before);
		expect(await namesOf(arm.list(`${WS}/models/m/versions`, CALL))).toEqual([]);
	});

	test('that deletes what is not there says so', async () => {
		const { arm, plan } = service({});
		expect((await arm.delete(`${WS}/onlineEndpoints/e`, CALL)).status).toBe(204);
		expect(plan.notes).toEqual(['There is nothing to delete at onlineEndpoints/e.']);
	});

	test('that begins an upload is answered with a place that nobody can reach', async () => {
		const { arm, plan } = service({});
		const { body } = await arm.post(`${WS}/codes/c/versions/1/startPendingUpload`, { pendingUploadId: 'x' }, CALL);
		expect(body).toMatchObject({
			blobReferenceForConsumption: {
				blobUri: '{blobUri}',
				credential: { sasUri: expect.stringMatching(/\.invalid\//) },
			},
		});
		expect(plan.requests[0]?.undecided).toEqual([expect.stringContaining('each run draws one')]);
	});
});

describe('a read', () => {
	test('goes to the service, also one that is a POST', async () => {
		const { arm, asked, plan } = service({ 'computes/cpu': { name: 'cpu' } });
		expect(await arm.find(`${WS}/computes/cpu`, CALL)).toEqual({ name: 'cpu' });
		expect(await arm.find(`${WS}/computes/gpu`, CALL)).toBeUndefined();
		expect((await arm.post(`${WS}/datastores/d/listSecrets`, undefined, CALL)).body).toEqual({ primaryKey: 'k' });
		expect(asked).toEqual(['GET computes/cpu', 'GET computes/gpu', 'POST datastores/d/listSecrets']);
		expect(plan.requests).toEqual([]);
	});

	test('below what is only planned does not: the service would not know it', async () => {
		const { arm, asked } = service({});
		await arm.put(`${WS}/onlineEndpoints/e`, { properties: {} }, CALL);
		expect(await namesOf(arm.list(`${WS}/onlineEndpoints/e/deployments`, CALL))).toEqual([]);
		expect(await arm.find(`${WS}/onlineEndpoints/e/deployments/blue`, CALL)).toBeUndefined();
		expect((await arm.post(`${WS}/onlineEndpoints/e/listKeys`, undefined, CALL)).body).toBeUndefined();
		expect(asked).toEqual([]);
		expect([arm.isNew(`${WS}/onlineEndpoints/e/deployments/blue`), arm.isNew(`${WS}/onlineEndpoints`)]).toEqual([
			true,
			false,
		]);
	});

	test('of the datastores of a planned workspace finds the one that each has', async () => {
		const { arm } = service({});
		await arm.put(WS, { location: 'westus', properties: {} }, CALL);
		expect(await arm.get(`${WS}/datastores`, { ...CALL, query: { isDefault: 'true' } })).toMatchObject({
			value: [{ name: 'workspaceblobstore' }],
		});
		await expect(arm.get(`${WS}/computes/c`, CALL)).rejects.toMatchObject({ status: 404 });
	});

	test('does not wait for the end of a change: it says that a real run does', async () => {
		const busy = { name: 'cpu', properties: { provisioningState: 'Creating', vmSize: 'x' } };
		const { arm, plan } = service({ 'computes/cpu': busy });
		const found = await arm.find(`${WS}/computes/cpu`, CALL);
		expect(found).toMatchObject({ properties: { provisioningState: 'Succeeded', vmSize: 'x' } });
		expect(await arm.settle(`${WS}/computes/cpu`, { status: 200, headers: {}, body: found }, CALL)).toBe(found);
		expect(plan.notes).toEqual(['computes/cpu is in the state Creating; a real run waits for the end of that.']);
	});
});

describe('versions', () => {
	test('that are planned count: the next number, the newest, and the list', async () => {
		const models = { 'models/m': { properties: { latestVersion: '4', nextVersion: '5' } } };
		const { arm } = service({ ...models, 'models/m/versions': { value: [{ name: '4' }] } });
		await arm.put(`${WS}/models/m/versions/5`, { properties: {} }, CALL);
		expect(await arm.find(`${WS}/models/m`, CALL)).toMatchObject({
			properties: { latestVersion: '5', nextVersion: '6' },
		});
		expect(await arm.find(`${WS}/models/m/versions`, CALL)).toMatchObject({ value: [{ name: '5' }, { name: '4' }] });
	});

	test('of an asset that is only planned are told too', async () => {
		const { arm } = service({});
		await arm.put(`${WS}/environments/e/versions/blue`, { properties: {} }, CALL);
		expect(await arm.find(`${WS}/environments/e`, CALL)).toMatchObject({
			properties: { latestVersion: 'blue', nextVersion: '1' },
		});
	});

	test('without a service are words, each another one', async () => {
		const plan = new Plan();
		const arm = createPlanningArm(OFFLINE_ARM, plan);
		const next = async (): Promise<string> => {
			const found = (await arm.find(`${WS}/models/m`, CALL)) as { properties: { nextVersion: string } };
			return found.properties.nextVersion;
		};
		const first = await next();
		await arm.put(`${WS}/models/m/versions/${encodeURIComponent(first)}`, { properties: {} }, CALL);
		const second = await next();
		await arm.put(`${WS}/models/m/versions/${encodeURIComponent(second)}`, { properties: {} }, CALL);
		expect([first, second, await next()]).toEqual(['{next}', '{next+1}', '{next+2}']);
		expect(plan.requests.map(({ path }) => path.split('/').at(-1)?.split('?')[0])).toEqual(['{next}', '{next+1}']);
		expect(plan.requests[0]?.undecided).toEqual([expect.stringContaining('next free version')]);
	});
});
