// Deployments that are there already and cannot become what is wanted.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deployOnline } from '../../src/endpoint/deploy.ts';
import type { DeployRequest } from '../../src/endpoint/deploy-plan.ts';
import { readOnlineDeployment } from '../../src/endpoint/online-deployment-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { type Bench, startBench } from './online-service.ts';

let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

const E = '/onlineEndpoints/iris';
const asked = (instanceType: string, name?: string): DeployRequest => ({
	endpoint: { name: 'iris' },
	deployment: { instanceType, name },
	model: { name: 'iris', version: '3', id: 'new', type: 'mlflow_model' },
	traffic: [{ percent: 100, hold: 0 }],
	onFailure: 'rollback',
	deletePrevious: false,
	tags: { run: '1' },
});

async function small(): Promise<void> {
	await deployOnline(asked('Standard_DS3_v2'), bench.parts);
	await deployOnline(asked('Standard_DS3_v2'), bench.parts);
	expect(bench.service.traffic('iris')).toEqual({ green: 100 });
	bench.service.requests.length = 0;
	bench.lines.length = 0;
}

test('of another instance type a deployment that serves nobody is deleted first', async () => {
	await small();
	const result = await deployOnline(asked('Standard_F4s_v2'), bench.parts);
	expect(bench.service.changes()).toEqual([`DELETE ${E}/deployments/blue`, `PUT ${E}/deployments/blue`, `PUT ${E}`]);
	expect([result.traffic, result.created.deployment]).toEqual([{ blue: 100 }, true]);
	expect(bench.lines).toContainEqual(
		expect.stringMatching(/blue has instance type Standard_DS3_v2, not Standard_F4s_v2, which Azure does not change/),
	);
});

test('of another instance type a deployment that serves is left, and nothing is sent', async () => {
	await small();
	await expect(deployOnline(asked('Standard_F4s_v2', 'green'), bench.parts)).rejects.toThrow(
		/"green".*cannot be updated.*instance type Standard_DS3_v2, not Standard_F4s_v2.*Deploy beside it/,
	);
	expect(bench.service.changes()).toEqual([]);
});

test('one that gets mirrored requests serves too', async () => {
	await small();
	const properties = bench.service.endpoints.get('iris')?.properties;
	if (properties !== undefined) properties.mirrorTraffic = { blue: 10 };
	await expect(deployOnline(asked('Standard_F4s_v2', 'blue'), bench.parts)).rejects.toThrow(/it serves/);
});

test('the same type in other letters is the same', async () => {
	await small();
	await deployOnline(asked('STANDARD_DS3_V2'), bench.parts);
	expect(bench.service.changes()).toEqual([`PUT ${E}/deployments/blue`, `PUT ${E}`]);
});

test('what is for a cluster and goes to a managed endpoint is warned of, and the other way round', async () => {
	const file = readOnlineDeployment(
		loadYaml('type: kubernetes\nendpoint_name: iris\nmodel: azureml:iris:3\nenvironment: azureml:e:1\n', 'd.yml', '/'),
	);
	bench.service.seed('iris', { blue: 100 });
	const request = { ...asked('defaultinstancetype'), deployment: { file } };
	expect((await deployOnline(request, bench.parts)).traffic).toEqual({ green: 100 });
	bench.service.seed('iris', { green: 100 }, { compute: '/w/computes/aks' });
	await deployOnline(asked('Standard_DS3_v2', 'red'), bench.parts);
	expect(bench.warnings).toEqual([
		expect.stringMatching(/deployment green is for a Kubernetes cluster, and the endpoint iris names none/),
		expect.stringMatching(/endpoint iris is on a Kubernetes cluster, and the deployment red is a managed one/),
	]);
});
