import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Champion, type ChampionWish, findChampion } from '../../src/gate/champion.ts';
import { WORKSPACE_ID } from '../fixtures/workspace.ts';
import { GateService } from './service.ts';

let service: GateService;
beforeEach(async () => {
	service = await GateService.open();
});
afterEach(() => service.close());

function find(wish: Partial<ChampionWish>): Promise<Champion> {
	const all = { named: undefined, modelName: 'iris', ownEndpoint: undefined, jobName: 'job-9', ...wish };
	return findChampion(all, service.parts);
}

async function found(wish: Partial<ChampionWish>) {
	const champion = await find(wish);
	if ('none' in champion) throw new Error(champion.none);
	return champion;
}

/** Registers a version. */
function version(name: string, number: string, tags: Record<string, string>, more: object = {}): void {
	service.resources.set(`models/${name}/versions/${number}`, { modelUri: 'x', tags, ...more });
}

describe('without a name', () => {
	test('it is the newest version', async () => {
		version('iris', '1', { 'metric.accuracy': '0.8' });
		version('iris', '2', { 'metric.accuracy': '0.9' });
		const { label, metrics } = await found({});
		expect([label, await metrics.find('accuracy')]).toEqual(['iris:2', 0.9]);
	});

	test('it is not what the judged job itself has become, by its tag or as the service tells', async () => {
		version('iris', '1', { 'metric.accuracy': '0.8' });
		version('iris', '2', { job: 'job-9' });
		version('iris', '3', {}, { jobName: 'job-9' });
		expect((await found({})).label).toBe('iris:1');
		version('rose', '1', { job: 'job-9' });
		expect(await find({ modelName: 'rose' })).toEqual({ none: expect.stringContaining('model rose') });
	});

	test('there is none yet where there is no version', async () => {
		expect(await find({})).toEqual({ none: expect.stringContaining('no other version of the model iris') });
	});
});

describe('by a version', () => {
	test.each(['iris:1', 'azureml:iris:1'])('%s', async (named) => {
		version('iris', '1', {});
		version('iris', '2', {});
		expect((await found({ named })).label).toBe('iris:1');
	});

	test.each(['iris:latest', 'iris@latest'])('%s is the newest', async (named) => {
		version('iris', '1', {});
		version('iris', '2', {});
		expect((await found({ named, modelName: undefined })).label).toBe('iris:2');
	});

	test('it must exist', async () => {
		version('iris', '1', {});
		await expect(find({ named: 'iris:7' })).rejects.toThrow(/no model 'iris:7'.*Its versions: 1.*Check `champion`/);
		await expect(find({ named: 'rose:latest' })).rejects.toThrow(/no model 'rose'.*Check `champion`/);
	});
});

describe('its metrics', () => {
	test('are those of its tags, and for what they lack those of its job', async () => {
		version('iris', '1', { 'metric.accuracy': '0.8', 'metric.train/auc': '0.7', job: 'job-1' });
		service.resources.set('jobs/job-1', { jobType: 'Command', status: 'Completed' });
		service.runs.set('job-1', { metrics: { accuracy: 0.1, rmse: 3 } });
		const { metrics } = await found({ named: 'iris:1' });
		expect(await metrics.find('accuracy')).toBe(0.8);
		expect(await metrics.find('train/auc')).toBe(0.7);
		expect(service.asked).not.toContain('metrics job-1');
		expect(await metrics.find('rmse')).toBe(3);
		expect(await metrics.find('other')).toBeUndefined();
		expect([...(await metrics.names())].sort()).toEqual(['accuracy', 'rmse', 'train/auc']);
	});

	test('are its tags alone where its job is gone', async () => {
		version('iris', '1', { 'metric.broken': 'NaN' }, { jobName: 'deleted' });
		const { metrics } = await found({ named: 'iris:1' });
		expect(await metrics.find('broken')).toBeNaN();
		expect(await metrics.find('accuracy')).toBeUndefined();
		expect(await metrics.names()).toEqual(['broken']);
	});
});

describe('by an endpoint', () => {
	const model = `${WORKSPACE_ID}/models/iris/versions/1`;
	beforeEach(() => version('iris', '1', { 'metric.accuracy': '0.8' }));

	function online(traffic: Record<string, number>, models: Record<string, unknown>): void {
		service.resources.set('onlineEndpoints/flowers', { traffic, provisioningState: 'Succeeded' });
		for (const [name, one] of Object.entries(models))
			service.resources.set(`onlineEndpoints/flowers/deployments/${name}`, { model: one });
	}

	test('it is what has most of the traffic', async () => {
		online({ blue: 30, green: 70 }, { blue: `${WORKSPACE_ID}/models/rose/versions/4`, green: model });
		const { label, metrics } = await found({ named: 'flowers' });
		expect([label, await metrics.find('accuracy')]).toEqual(['iris:1', 0.8]);
		expect(service.log.lines).toContain('The endpoint flowers serves iris:1 (deployment green).');
	});

	test('its traffic may name a deployment in another case', async () => {
		online({ BLUE: 100 }, { blue: model });
		expect((await found({ named: 'flowers' })).label).toBe('iris:1');
	});

	test('a short reference is understood as well', async () => {
		online({ blue: 100 }, { blue: 'azureml:iris:1' });
		expect((await found({ named: 'flowers' })).label).toBe('iris:1');
	});

	test('of batch scoring it is the default deployment', async () => {
		service.resources.set('batchEndpoints/flowers', {
			defaults: { deploymentName: 'nightly' },
			provisioningState: 'Succeeded',
		});
		service.resources.set('batchEndpoints/flowers/deployments/nightly', {
			model: { referenceType: 'Id', assetId: model },
		});
		expect((await found({ named: 'flowers' })).label).toBe('iris:1');
	});

	test('there is none yet where nothing has traffic, or this run is to make the endpoint', async () => {
		expect(await find({ named: 'garden', ownEndpoint: 'garden' })).toEqual({
			none: 'The endpoint garden does not exist yet.',
		});
		online({ blue: 0 }, { blue: model });
		expect(await find({ named: 'flowers' })).toEqual({ none: 'The endpoint flowers serves nothing yet.' });
	});

	test('another endpoint must exist', async () => {
		await expect(find({ named: 'flwoers', ownEndpoint: 'flowers' })).rejects.toThrow(
			/no endpoint "flwoers".*`model-name:version`/,
		);
	});

	test.each([
		['azureml://registries/shared/models/iris/versions/1', /serves azureml:\/\/registries\/shared/],
		[undefined, /names no model/],
	])('what is known of nowhere here cannot be compared with: %s', async (served, message) => {
		online({ blue: 100 }, { blue: served });
		await expect(find({ named: 'flowers' })).rejects.toThrow(message);
	});
});
