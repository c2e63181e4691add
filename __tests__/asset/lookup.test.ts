import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Found, lookUp } from '../../src/asset/lookup.ts';
import type { Reference } from '../../src/asset/reference.ts';
import { createSlots } from '../../src/azure/slots.ts';
import { AssetSite, WORKSPACE_ID } from './site.ts';

let site: AssetSite;
beforeEach(async () => {
	site = await AssetSite.open();
});
afterEach(() => site.close());

const at = { file: 'job.yml', line: 4, column: 15 };
const find = (reference: Reference): Promise<Found> =>
	lookUp(reference, { workspace: site.workspace, slots: createSlots(site.clock, 8) });
const version = (kind: 'environments' | 'models' | 'data', name: string, number: string): Reference => ({
	form: 'version',
	kind,
	name,
	version: number,
	at,
});
const latest = (kind: 'environments' | 'models', name: string): Reference => ({
	form: 'label',
	kind,
	name,
	label: 'latest',
	at,
});

async function faultOf(reference: Reference): Promise<string> {
	const found = await find(reference);
	if (!('fault' in found)) throw new Error(`found ${found.id}`);
	expect(found.fault.where).toEqual(at);
	return found.fault.message;
}

test('ids, URIs, registries and curated environments pass unasked', async () => {
	const id =
		'/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/models/m/versions/1';
	await expect(find({ form: 'id', kind: 'models', id, at })).resolves.toEqual({ id });
	for (const uri of ['azureml://registries/azureml/models/gpt2/versions/1', 'azureml:AzureML-sklearn-1.5@latest']) {
		await expect(find({ form: 'uri', kind: 'environments', uri, at })).resolves.toEqual({ id: uri });
	}
	expect(site.server.requests).toEqual([]);
});

test('a version that is there gives its id', async () => {
	site.add('models/iris/versions/3');
	await expect(find(version('models', 'iris', '3'))).resolves.toEqual({ id: `${WORKSPACE_ID}/models/iris/versions/3` });
	expect(site.lines()).toEqual(['GET models/iris/versions/3']);
});

describe('@latest', () => {
	test('of an environment is the version created last', async () => {
		site.add('environments/train/versions/9');
		site.add('environments/train/versions/2');
		const found = await find(latest('environments', 'train'));
		expect(found).toEqual({ id: `${WORKSPACE_ID}/environments/train/versions/2` });
		expect(site.server.requests[0]?.query).toMatchObject({ $orderBy: 'createdtime desc', $top: '1' });
	});

	test('of a model is what its container says', async () => {
		site.add('models/iris', { latestVersion: '12' });
		await expect(find(latest('models', 'iris'))).resolves.toEqual({ id: `${WORKSPACE_ID}/models/iris/versions/12` });
		expect(site.lines()).toEqual(['GET models/iris']);
	});

	test('of a model whose container says nothing is the version created last', async () => {
		site.add('models/iris', {});
		site.add('models/iris/versions/4');
		await expect(find(latest('models', 'iris'))).resolves.toEqual({ id: `${WORKSPACE_ID}/models/iris/versions/4` });
	});

	test('of nothing is a fault, and so is another label', async () => {
		site.add('models/iris-classifier/versions/1');
		await expect(faultOf(latest('models', 'iris'))).resolves.toBe(
			"There is no model 'iris' in the workspace ws-1. There are: iris-classifier.",
		);
		await expect(faultOf({ form: 'label', kind: 'models', name: 'iris', label: 'prod', at })).resolves.toContain(
			'@prod',
		);
	});
});

describe('what is missing', () => {
	test('is told with the names that exist, the nearest first, twenty at most', async () => {
		for (let number = 10; number < 40; number += 1) site.add(`computes/node-${number}`);
		site.add('computes/cpu-cluster');
		const message = await faultOf({ form: 'name', kind: 'computes', name: 'cpucluster', at });
		expect(message).toMatch(/^There is no compute 'cpucluster' in the workspace ws-1\. There are: cpu-cluster, node-/);
		expect(message).toMatch(/ and 11 more\.$/);
	});

	test('is told with the versions that exist', async () => {
		site.add('environments/train/versions/1');
		site.add('environments/train/versions/2');
		await expect(faultOf(version('environments', 'train', '22'))).resolves.toBe(
			"The environment 'train' has no version '22'. Its versions: 2, 1.",
		);
	});

	test('is told where there is nothing at all, and where the list may not be read', async () => {
		await expect(faultOf(version('data', 'iris', '1'))).resolves.toBe(
			"There is no data asset 'iris' in the workspace ws-1. It has none at all.",
		);
		site.answer = (_, below) =>
			below === 'data' ? { status: 403, body: { error: { code: 'AuthorizationFailed', message: 'no' } } } : undefined;
		await expect(faultOf(version('data', 'iris', '1'))).resolves.toContain("There is no data asset 'iris'");
	});
});

test('what may not be looked at is left to the service to judge', async () => {
	site.answer = () => ({ status: 403, body: { error: { code: 'AuthorizationFailed', message: 'no' } } });
	await expect(find({ form: 'name', kind: 'computes', name: 'gpu', at })).resolves.toEqual({
		id: `${WORKSPACE_ID}/computes/gpu`,
	});
});

test('a failure of the service is no missing thing', async () => {
	site.answer = () => ({ status: 400, body: { error: { code: 'UserError', message: 'broken' } } });
	await expect(find({ form: 'name', kind: 'computes', name: 'gpu', at })).rejects.toMatchObject({ status: 400 });
});
