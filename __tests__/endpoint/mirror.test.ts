// Mirrored traffic as the endpoint's file asks for it: set last, never beside live traffic, and taken back on failure.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { deployOnline } from '../../src/endpoint/deploy.ts';
import type { DeployRequest } from '../../src/endpoint/deploy-plan.ts';
import { mirrorTraffic } from '../../src/endpoint/mirror.ts';
import { readOnlineEndpoint } from '../../src/endpoint/online-file.ts';
import { RolloutError } from '../../src/errors.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { type Bench, refuse, startBench } from './online-service.ts';

const E = '/onlineEndpoints/iris';
let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

const asked = (mirror: string, percent: number): DeployRequest => ({
	endpoint: { file: readOnlineEndpoint(loadYaml(`name: iris\nmirror_traffic: ${mirror}\n`, 'endpoint.yml', '/')) },
	deployment: {},
	model: { name: 'iris', version: '3', id: 'new', type: 'mlflow_model' },
	traffic: [{ percent, hold: 0 }],
	onFailure: 'rollback',
	deletePrevious: false,
	tags: { run: '1' },
});

const mirrored = (): object | undefined => bench.service.endpoints.get('iris')?.properties.mirrorTraffic;

describe('a rollout', () => {
	test('that deploys dark mirrors to the new deployment once that is there', async () => {
		bench.service.seed('iris', { blue: 100 });
		const result = await deployOnline(asked('{green: 20}', 0), bench.parts);
		expect(bench.service.changes()).toEqual([`PUT ${E}/deployments/green`, `PUT ${E}`]);
		expect([mirrored(), result.mirrorTraffic, result.traffic]).toEqual([{ green: 20 }, { green: 20 }, { blue: 100 }]);
		expect(bench.warnings).toEqual([]);
	});

	test('takes the place of what was mirrored before', async () => {
		bench.service.seed('iris', { blue: 100 }, { mirrorTraffic: { old: 5 } });
		bench.service.seedDeployment('iris', 'old');
		await deployOnline(asked('{green: 20}', 0), bench.parts);
		expect(mirrored()).toEqual({ green: 20 });
	});

	test('changes nothing where the file asks for nothing', async () => {
		bench.service.seed('iris', { blue: 100 }, { mirrorTraffic: { old: 5 } });
		bench.service.seedDeployment('iris', 'old');
		await deployOnline(asked('{}', 0), bench.parts);
		expect([mirrored(), bench.service.changes()]).toEqual([{ old: 5 }, [`PUT ${E}/deployments/green`]]);
	});

	test('warns of a deployment that is not there or has live traffic, and goes on', async () => {
		bench.service.seed('iris', { blue: 100 });
		const result = await deployOnline(asked('{green: 20}', 100), bench.parts);
		expect([result.traffic, mirrored()]).toEqual([{ green: 100 }, {}]);
		await deployOnline(asked('{shadow: 20}', 0), bench.parts);
		expect(bench.warnings).toEqual([
			'No traffic of iris is mirrored to green, as its file asks: it has 100 % of the live traffic.',
			'No traffic of iris is mirrored to shadow, as its file asks: there is no such deployment.',
		]);
	});

	test('whose mirroring the service refuses is rolled back', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.intercept = ({ method, path }) =>
			method === 'PUT' && path === E ? refuse(400, 'UserError', 'no mirrors here') : undefined;
		const failed = await deployOnline(asked('{green: 20}', 0), bench.parts).catch((error: unknown) => error);
		expect(failed).toBeInstanceOf(RolloutError);
		expect(failed).toMatchObject({
			rolledBack: true,
			what: expect.stringMatching(/mirroring the traffic: green 20 %/),
		});
		expect([bench.service.traffic('iris'), bench.service.deploymentNames('iris')]).toEqual([{ blue: 100 }, ['blue']]);
	});

	test('whose mirroring was done though its answer says otherwise takes it back before the deployment goes', async () => {
		bench.service.seed('iris', { blue: 100 }, { mirrorTraffic: { old: 5 } });
		bench.service.seedDeployment('iris', 'old');
		let puts = 0;
		bench.service.intercept = ({ method, path }) => {
			if (method !== 'PUT' || path !== E) return undefined;
			puts += 1;
			const properties = bench.service.endpoints.get('iris')?.properties;
			if (puts > 1 || properties === undefined) return undefined;
			properties.mirrorTraffic = { green: 20 };
			return refuse(400, 'UserError', 'odd');
		};
		await expect(deployOnline(asked('{green: 20}', 0), bench.parts)).rejects.toThrow(RolloutError);
		expect([mirrored(), bench.service.deploymentNames('iris')]).toEqual([{ old: 5 }, ['blue', 'old']]);
	});
});

test('an endpoint file alone mirrors to a deployment that is there', async () => {
	bench.service.seed('iris', { blue: 100 });
	bench.service.seedDeployment('iris', 'green');
	const { model: _, ...request } = asked('{green: 20}', 100);
	const result = await deployOnline(request, bench.parts);
	expect([bench.service.changes(), mirrored(), result.mirrorTraffic]).toEqual([
		[`PUT ${E}`],
		{ green: 20 },
		{ green: 20 },
	]);
});

test('nothing is mirrored while somebody else changes the live traffic', async () => {
	bench.service.seed('iris', { blue: 100 });
	bench.service.seedDeployment('iris', 'green');
	const change = { wish: { green: 20 }, live: { blue: 90, red: 10 } };
	await expect(mirrorTraffic('iris', change, bench.parts)).rejects.toThrow(/changed by someone else/);
	expect(mirrored()).toEqual({});
});
