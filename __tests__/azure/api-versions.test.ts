import { describe, expect, test } from '@jest/globals';
import { apiVersionOf } from '../../src/azure/api-versions.ts';

const GROUP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices';

describe('the api-version', () => {
	test.each([
		`${GROUP}/workspaces`,
		`${GROUP}/workspaces/w`,
		`${GROUP}/workspaces/w/jobs/j`,
		`${GROUP}/workspaces/iris/jobs/j`,
		`${GROUP}/workspaces/w/jobs/j/cancel`,
		`${GROUP}/workspaces/w/onlineEndpoints/e/deployments/d/getLogs`,
		`${GROUP}/workspaces/w/ONLINEENDPOINTS/e`,
		`${GROUP.toLowerCase()}/workspaces/jobs`,
		'/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/westus/usages',
		`${GROUP}/registries/r/models/m/versions/1`,
		`${GROUP}/registries/shared/models/iris/versions/12`,
		// A resource group of a misleading name.
		`${GROUP.replace('/g/', '/workspaces/')}/workspaces/w/models/m/versions/1`,
	])('of %s is decided', (path) => {
		expect(apiVersionOf(path)).toMatch(/^\d{4}-\d{2}-\d{2}$/);
	});

	test("of a registry's import is the front end's own", () => {
		for (const name of ['r', 'shared'])
			expect(apiVersionOf(`${GROUP}/registries/${name}/import`)).toBe('2021-10-01-dataplanepreview');
	});

	test.each([
		`${GROUP}/workspaces/w/schedules/s`,
		`${GROUP}/registries/r/models/m`,
		`${GROUP}/registries/long/models/iris/versions/1/more`,
		`${GROUP}/registries/long/import/more`,
		'/subscriptions/s',
		'',
		'/',
	])('of %j is not: a call of ours that nobody thought about', (path) => {
		expect(() => apiVersionOf(path)).toThrow('no api-version');
	});
});
