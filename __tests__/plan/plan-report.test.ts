import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import type { PlannedMethod } from '../../src/plan/plan.ts';
import { lineOf } from '../../src/plan/plan-report.ts';

const WS = '/subscriptions/s/resourceGroups/workspaces/providers/Microsoft.MachineLearningServices/workspaces/w';

test.each<[PlannedMethod, string, JsonObject | null, string, string]>([
	['PUT', '', null, 'workspace', 'w'],
	['PUT', '/jobs/iris-1', null, 'job', 'iris-1'],
	['POST', '/jobs/iris-1/cancel', null, 'job', 'iris-1 (cancel)'],
	['PUT', '/environments/e/versions/2', null, 'environment', 'e:2'],
	['PUT', '/models/m/versions/a%20b', null, 'model', 'm:a b'],
	['PUT', '/models/m/versions/{next}', null, 'model', 'm:{next}'],
	['POST', '/codes/c/versions/1/startPendingUpload', null, 'code', 'c:1 (startPendingUpload)'],
	['PUT', '/onlineEndpoints/e', { properties: { traffic: {} } }, 'online endpoint', 'e'],
	[
		'PUT',
		'/onlineEndpoints/e',
		{ properties: { traffic: { blue: 90, green: 10 } } },
		'online endpoint',
		'e (traffic blue 90 %, green 10 %)',
	],
	[
		'PUT',
		'/batchEndpoints/b',
		{ properties: { defaults: { deploymentName: 'd' } } },
		'batch endpoint',
		'b (default deployment d)',
	],
	['DELETE', '/onlineEndpoints/e/deployments/blue', null, 'deployment of the online endpoint e', 'blue'],
	['PUT', '/schedules/s', null, 'schedules', 's'],
])('%s %s is told by kind and name', (method, path, body, kind, name) => {
	const request = { method, path: `${WS}${path}?api-version=1`, body, undecided: [] };
	expect(lineOf(request)).toEqual({ method, kind, name, open: false });
});

test('an upload is told by what it sends', () => {
	const body = { from: 'src', files: 2, bytes: 1500, hash: 'abc' };
	const request = { method: 'UPLOAD', path: '{blobUri}/src', body, undecided: ['x'] } as const;
	expect(lineOf(request)).toEqual({ method: 'UPLOAD', kind: 'files', name: 'src (2 files, 1.5 kB)', open: true });
});
