// examples/dev-to-prod: trained in one workspace, shared to a registry, deployed in another.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { REGISTRY } from '../../emulator/registries.ts';
import { openStage, type Stage } from './scene.ts';
import { only } from './workflow.ts';

jest.setTimeout(300_000);

const PROD = 'emulated-prod';
let stage: Stage;

beforeAll(async () => {
	stage = await openStage('dev-to-prod', {
		vars: { AZURE_DEV_WORKSPACE: 'emulated-ws', AZURE_PROD_WORKSPACE: PROD, AZURE_ML_REGISTRY: REGISTRY },
	});
	const { properties } = await stage.client.get('');
	const { storageAccount, keyVault, applicationInsights } = properties as Record<string, string>;
	const body = {
		location: 'eastus',
		identity: { type: 'SystemAssigned' },
		properties: { storageAccount, keyVault, applicationInsights },
	};
	await stage.client.put(`/../${PROD}`, body);
	await stage.scene.emulator.settled();
});
afterAll(() => stage?.close());

test('prod serves what dev has trained, from the registry', async () => {
	const { dev, prod } = await stage.run('release.yml', { event: 'push' });
	expect(only(dev)).toMatchObject({ result: 'success', outputs: { version: '1' } });
	expect(only(prod).result).toBe('success');
	const [endpoint, ...others] = stage.scene.emulator.endpoints();
	expect(others).toEqual([]);
	expect(endpoint?.deployments.map(({ properties }) => properties['model'])).toEqual([
		`azureml://registries/${REGISTRY}/models/iris/versions/1`,
	]);
	const made = stage.scene.emulator.requests.filter(
		({ method, path }) => method === 'PUT' && /onlineEndpoints/.test(path),
	);
	expect(made.filter(({ path }) => !path.includes(`/workspaces/${PROD}/`))).toEqual([]);
	// The file in the repository stays as it is; the workflow fills in its own check-out.
	expect(readFileSync(`${stage.scene.repository}/deployment.yml`, 'utf8')).toContain('versions/VERSION');
});

test('what does not pass the gate in dev never reaches prod', async () => {
	stage.edit('job.yml', 'neighbours: 5', 'neighbours: 105');
	const { dev, prod } = await stage.run('release.yml', { event: 'push', runId: '2' });
	expect([only(dev).result, only(prod).result]).toEqual(['failure', 'skipped']);
});
