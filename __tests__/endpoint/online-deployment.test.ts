import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
	containerLog,
	deleteDeployment,
	listDeployments,
	putDeployment,
	sameDeployment,
} from '../../src/endpoint/online-deployment.ts';
import { type Bench, refuse, startBench } from './online-service.ts';

let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
	bench.service.seed('iris', { blue: 100, green: 0 });
});
afterEach(() => bench.stop());

const body = { location: 'westeurope', tags: {}, properties: { endpointComputeType: 'Managed', model: 'm' } };

test('puts a deployment and tells its states: each once, then at most once a minute', async () => {
	bench.service.looks = 40;
	const made = await putDeployment({ endpoint: 'iris', name: 'red', body, check: async () => {} }, bench.parts);
	expect(made).toMatchObject({ name: 'red', properties: { provisioningState: 'Succeeded', model: 'm' } });
	expect(bench.lines).toEqual([
		'Deployment red: Updating',
		'Deployment red: Updating for 1 min',
		'Deployment red: Updating for 2 min',
		'Deployment red: Updating for 3 min',
	]);
});

test('asks its check before each attempt at a busy endpoint', async () => {
	let checks = 0;
	let busy = 2;
	bench.service.intercept = ({ method }) => {
		if (method !== 'PUT' || busy === 0) return undefined;
		busy -= 1;
		return refuse(409, 'Conflict', 'busy');
	};
	const check = async (): Promise<void> => {
		checks += 1;
	};
	await putDeployment({ endpoint: 'iris', name: 'red', body, check }, bench.parts);
	expect(checks).toBe(3);
});

test('waits as long as another deployment of the endpoint is being changed', async () => {
	const other = bench.service.deployments.get('iris/blue');
	if (other !== undefined) other.properties.provisioningState = 'Scaling';
	bench.service.intercept = ({ method }) =>
		method === 'PUT' && bench.clock.sleeps.length < 20 ? refuse(409, 'Conflict', 'busy') : undefined;
	await putDeployment({ endpoint: 'iris', name: 'red', body, check: async () => {} }, bench.parts);
	expect(bench.service.changes()).toHaveLength(21);
});

test('says why a deployment does not come up', async () => {
	bench.service.provisioning.set('red', { code: 'ImageBuildFailure', message: 'pip could not find scikit-lern' });
	await expect(
		putDeployment({ endpoint: 'iris', name: 'red', body, check: async () => {} }, bench.parts),
	).rejects.toThrow(
		/Could not bring up the deployment "red": the operation ended as Failed \(ImageBuildFailure\)\. pip could not find/,
	);
});

test('lists the deployments', async () => {
	expect((await listDeployments('iris', bench.parts)).map((item) => (item as { name: string }).name)).toEqual([
		'blue',
		'green',
	]);
});

describe('containerLog', () => {
	test("gives the end of the inference server's log", async () => {
		const lines = Array.from({ length: 120 }, (_, place) => `line ${place}`);
		bench.service.logs.set('green/InferenceServer', `${lines.join('\n')}\n`);
		expect(await containerLog('iris', 'green', 100, bench.parts)).toBe(lines.slice(20).join('\n'));
		expect(bench.service.requests.at(-1)?.body).toEqual({ containerType: 'InferenceServer', tail: 100 });
	});

	test("gives the storage initializer's where that is empty", async () => {
		bench.service.logs.set('green/StorageInitializer', 'no access to the model');
		expect(await containerLog('iris', 'green', 100, bench.parts)).toBe('no access to the model');
	});

	test('an error is no log', async () => {
		bench.service.intercept = ({ path }) =>
			path.endsWith('/getLogs') ? refuse(400, 'UserError', 'not ready') : undefined;
		expect(await containerLog('iris', 'green', 100, bench.parts)).toBeUndefined();
	});
});

describe('deleteDeployment', () => {
	test('deletes one without traffic and waits', async () => {
		await deleteDeployment('iris', 'green', bench.parts);
		expect(bench.service.deploymentNames('iris')).toEqual(['blue']);
	});

	test('does not delete one that serves', async () => {
		await expect(deleteDeployment('iris', 'blue', bench.parts)).rejects.toThrow(/serves 100 %/);
		expect(bench.service.changes()).toEqual([]);
	});

	test('one that is not there is no failure', async () => {
		await deleteDeployment('iris', 'red', bench.parts);
		expect(bench.service.changes()).toEqual(['DELETE /onlineEndpoints/iris/deployments/red']);
	});
});

test('two looks at a deployment are of the same definition whatever its state, but not with another model or maker', () => {
	const one = { tags: { run: '1', commit: 'c' }, properties: { model: 'm', provisioningState: 'Updating' } };
	const later = {
		tags: { commit: 'c', run: '1' },
		properties: { model: 'm', provisioningState: 'Succeeded', environmentId: null },
	};
	expect(sameDeployment(one, later)).toBe(true);
	expect(sameDeployment(one, { ...later, properties: { model: 'n' } })).toBe(false);
	expect(sameDeployment(one, { ...later, tags: { run: '2', commit: 'c' } })).toBe(false);
	expect(sameDeployment(one, undefined)).toBe(false);
});
