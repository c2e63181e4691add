import { describe, expect, test } from '@jest/globals';
import type { Arm } from '../../src/azure/arm.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import { OFFLINE_ARM } from '../../src/plan/offline.ts';
import type { PlannedRequest } from '../../src/plan/plan.ts';
import { type MachineNeed, machineNeeds, shortages } from '../../src/plan/quota.ts';

function put(path: string, body: JsonObject): PlannedRequest {
	return { method: 'PUT', path: `/w/${path}?api-version=1`, body, undecided: [] };
}
function cluster(own: JsonObject): PlannedRequest {
	return put('computes/c', { properties: { computeType: 'AmlCompute', properties: own } });
}

describe('the machines of a plan', () => {
	test('are those of computes, of deployments, and of jobs without a compute', () => {
		const resources = { instanceType: 'NC6', instanceCount: 2 };
		const needs = machineNeeds([
			cluster({ vmSize: 'DS3', scaleSettings: { minNodeCount: 0, maxNodeCount: 4 } }),
			put('onlineEndpoints/e/deployments/d', { sku: { capacity: 3 }, properties: { instanceType: 'F4' } }),
			put('jobs/j', { properties: { resources } }),
		]);
		expect(needs).toEqual([
			{ what: 'The compute c with 4 nodes', size: 'DS3', count: 4 },
			{ what: 'The deployment d with 3 instances', size: 'F4', count: 3 },
			{ what: 'The job j on 2 instances', size: 'NC6', count: 2 },
		]);
	});

	test('are none where a compute is there, the machines are spare ones, or no size is given', () => {
		const spare = { vmSize: 'DS3', vmPriority: 'LowPriority' };
		const onCompute = { computeId: '/c', resources: { instanceType: 'NC6' } };
		const spot = { queueSettings: { jobTier: 'Spot' }, resources: { instanceType: 'NC6' } };
		const plan = [
			cluster(spare),
			put('jobs/j', { properties: onCompute }),
			put('jobs/k', { properties: spot }),
			put('jobs/l', { properties: {} }),
			put('models/m/versions/1', { properties: { instanceType: 'x' } }),
		];
		expect(machineNeeds(plan)).toEqual([]);
	});
});

describe('a shortage', () => {
	const NEED: MachineNeed = { what: 'The compute c with 4 nodes', size: 'standard_ds3_v2', count: 4 };
	const SIZES = [{ name: 'Standard_DS3_v2', family: 'standardDSv2Family', vCPUs: 4 }];
	const usage = (value: string, used: number, limit: number, type = 'vmFamily/usages'): Json => {
		return { type: `Microsoft.MachineLearningServices/${type}`, name: { value }, currentValue: used, limit };
	};
	const LONG = 'Standard DSv2 Family Cluster Dedicated vCPUs';
	const asked: string[] = [];
	const told = (usages: readonly Json[], need = NEED): Promise<readonly string[]> => {
		const arm: Arm = {
			...OFFLINE_ARM,
			list: async function* (path) {
				asked.push(path);
				yield* path.endsWith('/vmSizes') ? SIZES : usages;
			},
		};
		return shortages([need], { arm, subscriptionId: 's', location: 'westus' });
	};

	test.each(['standardDSv2Family', LONG])('is told where the region has too few cores left of %s', async (name) => {
		expect(await told([usage(name, 14, 24)])).toEqual([
			expect.stringContaining('takes 16 cores of standardDSv2Family, of which westus has 10 left (14 of 24 in use)'),
		]);
		expect(asked.at(-1)).toBe('/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/westus/usages');
	});

	test.each<[string, Json[]]>([
		['there is enough', [usage(LONG, 8, 24)]],
		['there is no limit', [usage(LONG, 8, -1)]],
		['nothing is said of the family', [usage('Standard D Family Cluster Dedicated vCPUs', 0, 0)]],
		['it is said of one workspace only', [usage(LONG, 24, 24, 'workspaces/usages')]],
		['nothing is said at all', []],
	])('is not told where %s', async (_, usages) => {
		expect(await told(usages)).toEqual([]);
	});

	test('is not told of a size that the list does not know', async () => {
		expect(await told([usage(LONG, 24, 24)], { ...NEED, size: 'Standard_New' })).toEqual([]);
	});

	test('is not told where the region may not be looked at', async () => {
		const arm: Arm = {
			...OFFLINE_ARM,
			// biome-ignore lint/correctness/useYield: the service refuses before the first item
			list: async function* () {
				throw new ServiceError({ what: 'Forbidden.' }, { status: 403 });
			},
		};
		expect(await shortages([NEED], { arm, subscriptionId: 's', location: 'westus' })).toEqual([]);
	});
});
