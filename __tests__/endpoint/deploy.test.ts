import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { deployOnline, endpointUrl } from '../../src/endpoint/deploy.ts';
import type { DeployRequest } from '../../src/endpoint/deploy-plan.ts';
import { RolloutError } from '../../src/errors.ts';
import { type Bench, refuse, startBench } from './online-service.ts';

let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

const asked: DeployRequest = {
	endpoint: { name: 'iris' },
	deployment: {},
	model: { name: 'iris', version: '3', id: 'new', type: 'mlflow_model' },
	traffic: [{ percent: 100, hold: 0 }],
	smokeTest: { body: '{"data":[1]}', file: 'request.json', expect: { predictions: ['setosa'] } },
	onFailure: 'rollback',
	deletePrevious: false,
	tags: { run: '1' },
};
const CANARY = [
	{ percent: 10, hold: 300_000 },
	{ percent: 50, hold: 0 },
	{ percent: 100, hold: 0 },
];
const E = '/onlineEndpoints/iris';

async function failure(request: DeployRequest, signal?: AbortSignal): Promise<RolloutError> {
	try {
		await deployOnline(request, { ...bench.parts, signal });
	} catch (error) {
		if (error instanceof RolloutError) return error;
		throw error;
	}
	throw new Error('the rollout was expected to fail');
}

/** The deployments that were scored, in order, with the traffic that was in force then. */
function recordScores(): string[] {
	const scores: string[] = [];
	const { score } = bench.service;
	bench.service.score = (deployment, body) => {
		scores.push(`${deployment} at ${JSON.stringify(bench.service.traffic('iris'))}`);
		return score(deployment, body);
	};
	return scores;
}

/** Has the new deployment answer wrongly from its nth smoke test on. */
function spoil(from: number): void {
	let turn = 0;
	bench.service.score = () => {
		turn += 1;
		return { status: 200, json: { predictions: [turn >= from ? 'virginica' : 'setosa'] } };
	};
}

describe('a rollout that goes well', () => {
	test('makes endpoint and deployment, tests it dark, and gives the first deployment everything at once', async () => {
		const scores = recordScores();
		const result = await deployOnline({ ...asked, traffic: CANARY }, bench.parts);
		expect(bench.service.changes()).toEqual([`PUT ${E}`, `PUT ${E}/deployments/blue`, `PUT ${E}`]);
		expect(scores).toEqual(['blue at {}', 'blue at {"blue":100}']);
		expect(result).toEqual({
			endpointName: 'iris',
			deploymentName: 'blue',
			scoringUri: `${bench.service.base}/score/iris`,
			traffic: { blue: 100 },
			previousTraffic: {},
			mirrorTraffic: {},
			rolledBack: false,
			steps: [{ percent: 100, at: expect.stringMatching(/^2025-01-01T00:\d\d/) }],
			smokeAnswer: '{"predictions":["setosa"]}',
			created: { endpoint: true, deployment: true },
			deleted: [],
			consoleUrl: endpointUrl('iris', bench.parts.workspace),
		});
		expect(result.consoleUrl).toBe(
			`https://studio.test/endpoints/realtime/iris/detail?wsid=${bench.parts.workspace.id}&tid=tenant`,
		);
	});

	test('moves traffic step by step, holds, and tests at each step', async () => {
		bench.service.seed('iris', { blue: 100 });
		const scores = recordScores();
		const result = await deployOnline({ ...asked, traffic: CANARY }, bench.parts);
		expect(bench.service.trafficHistory).toEqual([{ blue: 90, green: 10 }, { blue: 50, green: 50 }, { green: 100 }]);
		expect(scores).toEqual([
			'green at {"blue":100}',
			'green at {"blue":90,"green":10}',
			'green at {"blue":90,"green":10}',
			'green at {"blue":50,"green":50}',
			'green at {"green":100}',
		]);
		expect(bench.clock.sleeps).toContain(300_000);
		expect(result.steps.map(({ percent }) => percent)).toEqual([10, 50, 100]);
		expect(result).toMatchObject({ previousTraffic: { blue: 100 }, created: { endpoint: false, deployment: true } });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'green']);
	});

	test('0 deploys dark', async () => {
		bench.service.seed('iris', { blue: 100 });
		const result = await deployOnline({ ...asked, traffic: [{ percent: 0, hold: 0 }] }, bench.parts);
		expect(bench.service.changes()).toEqual([`PUT ${E}/deployments/green`]);
		expect(result).toMatchObject({ traffic: { blue: 100 }, steps: [{ percent: 0 }] });
	});

	test('deletes the previous deployment when asked, but not one that was dark before or mirrors', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.seedDeployment('iris', 'shadow');
		const result = await deployOnline({ ...asked, deletePrevious: true }, bench.parts);
		expect(result.deleted).toEqual(['blue']);
		expect(bench.service.deploymentNames('iris')).toEqual(['shadow', 'green']);
	});

	test('deletes no previous deployment that has a share left', async () => {
		bench.service.seed('iris', { blue: 100 });
		const half = { ...asked, traffic: [{ percent: 50, hold: 0 }], deletePrevious: true };
		expect(await deployOnline(half, bench.parts)).toMatchObject({ traffic: { blue: 50, green: 50 }, deleted: [] });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'green']);
		// The service would refuse it, too; it is not even asked.
		expect(bench.service.changes().filter((line) => line.startsWith('DELETE'))).toEqual([]);
		expect(bench.warnings).toEqual([]);
	});

	test('without a smoke test asks the deployment nothing', async () => {
		const scores = recordScores();
		const result = await deployOnline({ ...asked, smokeTest: undefined }, bench.parts);
		expect([scores, result.traffic, result.smokeAnswer]).toEqual([[], { blue: 100 }, undefined]);
	});

	test('takes any answer where none is expected', async () => {
		bench.service.score = () => ({ status: 200, json: { anything: true } });
		const smokeTest = { body: '{}', file: 'request.json', expect: undefined };
		expect((await deployOnline({ ...asked, smokeTest }, bench.parts)).smokeAnswer).toBe('{"anything":true}');
	});

	test('a deletion that fails is a warning', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.intercept = ({ method }) => (method === 'DELETE' ? refuse(400, 'UserError', 'locked') : undefined);
		const result = await deployOnline({ ...asked, deletePrevious: true }, bench.parts);
		expect(result).toMatchObject({ traffic: { green: 100 }, deleted: [] });
		expect(bench.warnings).toEqual([
			expect.stringMatching(/blue has no traffic left but could not be deleted.*locked/),
		]);
	});

	test('a deployment that serves already is updated in place, with a warning and no change of traffic', async () => {
		bench.service.seed('iris', { blue: 100 });
		const scores = recordScores();
		const request = { ...asked, deployment: { name: 'blue' }, traffic: CANARY, deletePrevious: true };
		const result = await deployOnline(request, bench.parts);
		expect(scores).toEqual(['blue at {"blue":100}']);
		expect(result.deleted).toEqual([]);
		expect(bench.service.changes()).toEqual([`PUT ${E}/deployments/blue`]);
		expect(bench.warnings).toEqual([expect.stringMatching(/blue serves 100 % already and is updated in place/)]);
		expect(result.created).toEqual({ endpoint: false, deployment: false });
	});

	test('a deployment that is there in another case is the same one, under its own name', async () => {
		bench.service.seed('iris', { Blue: 100 });
		const result = await deployOnline({ ...asked, deployment: { name: 'blue' } }, bench.parts);
		expect(result).toMatchObject({ deploymentName: 'Blue', traffic: { Blue: 100 }, created: { deployment: false } });
		expect(bench.service.changes()).toContain(`PUT ${E}/deployments/Blue`);
		expect(bench.service.traffic('iris')).toEqual({ Blue: 100 });
	});

	test('an endpoint file alone makes the endpoint and no more', async () => {
		const at = { file: 'endpoint.yml', line: 1 };
		const none = new Map<string, never>();
		const file = {
			...{
				name: 'iris',
				description: undefined,
				tags: none,
				properties: none,
				authMode: 'key' as const,
				location: undefined,
			},
			...{
				identity: undefined,
				traffic: none,
				mirrorTraffic: none,
				publicNetworkAccess: undefined,
				compute: undefined,
				at,
			},
		};
		const request: DeployRequest = { ...asked, endpoint: { file }, model: undefined, smokeTest: undefined };
		const result = await deployOnline(request, bench.parts);
		expect(bench.service.changes()).toEqual([`PUT ${E}`]);
		expect(result).toMatchObject({
			endpointName: 'iris',
			deploymentName: '',
			created: { endpoint: true, deployment: false },
		});
		await deployOnline(request, bench.parts);
		expect(bench.service.changes()).toEqual([`PUT ${E}`]);
	});

	test('publishes what the deployment needs before anything else', async () => {
		const order: string[] = [];
		bench.service.intercept = ({ method }) => void (method === 'PUT' && order.push('put'));
		const publisher = { ...bench.parts.publisher, publish: async () => void order.push('publish') };
		await deployOnline(asked, { ...bench.parts, publisher });
		expect(order).toEqual(['publish', 'put', 'put', 'put']);
	});
});

describe('what served before', () => {
	test('is deleted by its own name, whatever case the traffic writes it in', async () => {
		bench.service.seed('iris', { blue: 100 });
		const { properties } = bench.service.endpoints.get('iris') ?? {};
		if (properties !== undefined) properties.traffic = { BLUE: 100 };
		const result = await deployOnline({ ...asked, deletePrevious: true }, bench.parts);
		expect([result.deleted, bench.service.deploymentNames('iris')]).toEqual([['blue'], ['green']]);
	});
});

describe('a rollout that fails', () => {
	test('an image that cannot be built: traffic untouched, log shown, deployment deleted', async () => {
		bench.service.seed('iris', { blue: 100, old: 0 });
		bench.service.provisioning.set('green', { code: 'ImageBuildFailure', message: 'pip failed' });
		bench.service.logs.set('green/InferenceServer', 'ERROR: no matching distribution');
		const error = await failure(asked);
		expect(error).toMatchObject({ rolledBack: true, containerLog: 'ERROR: no matching distribution' });
		expect(error.left).toEqual({
			endpointName: 'iris',
			scoringUri: expect.stringMatching(/^http/),
			deploymentName: undefined,
		});
		expect(error.message).toMatch(
			/^The deployment "green" on the endpoint "iris" failed: provisioning\. .*ImageBuildFailure.*pip failed.* The traffic was not touched \(blue 100 %\)\. The deployment was deleted\. Read the end of the container's log/,
		);
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'old']);
		expect(bench.service.trafficHistory).toEqual([]);
		expect(bench.service.requests.some(({ path }) => path.startsWith('/score'))).toBe(false);
	});

	test.each([
		[1, 'smoke test before any traffic', []],
		[
			2,
			'smoke test at 10 %',
			[
				{ blue: 90, green: 10 },
				{ blue: 100, old: 0 },
			],
		],
		[
			3,
			'smoke test after holding 10 %',
			[
				{ blue: 90, green: 10 },
				{ blue: 100, old: 0 },
			],
		],
		[
			5,
			'smoke test at 100 %',
			[{ blue: 90, green: 10 }, { blue: 50, green: 50 }, { green: 100 }, { blue: 100, old: 0 }],
		],
	])('a wrong answer to smoke test %i: %s', async (turn, stage, history) => {
		bench.service.seed('iris', { blue: 100, old: 0 });
		spoil(turn);
		const error = await failure({ ...asked, traffic: CANARY });
		expect(error.rolledBack).toBe(true);
		expect(error.what).toBe(`The deployment "green" on the endpoint "iris" failed: ${stage}.`);
		expect(error.why).toContain(
			'request.json is not what was expected: predictions[0]: expected "setosa", got "virginica".',
		);
		expect(error.next).toContain('`smoke-test-expect`');
		expect(bench.service.trafficHistory).toEqual(history);
		expect(bench.service.traffic('iris')).toEqual({ blue: 100, old: 0 });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'old']);
	});

	test.each([500, 424, 503])('a smoke test that is answered %i', async (status) => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.score = () => ({ status, text: 'KeyError: petal' });
		const error = await failure({ ...asked, smokeTest: { body: '{}', file: 'request.json' } });
		expect(error.why).toMatch(new RegExp(`HTTP ${status}.*KeyError: petal`));
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue']);
	});

	test('the first deployment of a new endpoint: the endpoint is left and named', async () => {
		spoil(2);
		const error = await failure(asked);
		expect(error.why).toMatch(
			/put back as before \(none\)\. The deployment was deleted\. The endpoint iris, which this run created, is left\.$/,
		);
		expect(bench.service.traffic('iris')).toEqual({});
		expect(bench.service.deploymentNames('iris')).toEqual([]);
	});

	test('`keep` puts the traffic back and leaves the deployment', async () => {
		bench.service.seed('iris', { blue: 100 });
		spoil(2);
		const error = await failure({ ...asked, onFailure: 'keep' });
		expect(error.why).toMatch(/put back as before \(blue 100 %\)\. The deployment is kept for a look\.$/);
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'green']);
	});

	test('a deployment that existed before is kept, and said so', async () => {
		bench.service.seed('iris', { blue: 100, green: 0 });
		spoil(2);
		const error = await failure(asked);
		expect(error.rolledBack).toBe(true);
		expect(error.why).toMatch(/The deployment existed before and is kept, as this run has updated it\.$/);
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'green']);
	});

	test('one that was updated in place under live traffic is not called rolled back', async () => {
		bench.service.seed('iris', { blue: 100 });
		spoil(1);
		const error = await failure({ ...asked, deployment: { name: 'blue' } });
		expect(error).toMatchObject({ rolledBack: false, what: expect.stringContaining('smoke test after the update') });
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
	});

	test('the mirrored share that a live one displaced comes back', async () => {
		bench.service.seed('iris', { blue: 100, green: 0 }, { mirrorTraffic: { green: 20 } });
		spoil(2);
		await failure(asked);
		expect(bench.service.endpoints.get('iris')?.properties).toMatchObject({
			traffic: { blue: 100 },
			mirrorTraffic: { green: 20 },
		});
	});

	test('a dark deployment that was deleted meanwhile does not keep the traffic from going back', async () => {
		bench.service.seed('iris', { blue: 100, old: 0 });
		spoil(2);
		bench.clock.onSleep = () => void bench.service.deployments.delete('iris/old');
		const error = await failure(asked);
		expect(error.rolledBack).toBe(true);
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
	});

	test('a body that the service refuses leaves nothing to clean up', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.intercept = ({ method, path }) =>
			method === 'PUT' && path.includes('/deployments/')
				? refuse(400, 'BadArgument', 'unknown instance type')
				: undefined;
		const error = await failure(asked);
		expect(error.why).toMatch(
			/HTTP 400 BadArgument\. unknown instance type.*not touched.*The deployment does not exist\.$/,
		);
	});

	test('a deployment that cannot be deleted is named with the reason', async () => {
		bench.service.seed('iris', { blue: 100 });
		spoil(1);
		bench.service.intercept = ({ method }) =>
			method === 'DELETE' ? refuse(403, 'AuthorizationFailed', 'no right') : undefined;
		const error = await failure(asked);
		expect(error.rolledBack).toBe(true);
		expect(error.why).toMatch(/could not be deleted and is left; it costs on\. no right\.$/);
	});

	test('traffic that cannot be put back is said, with the map to set', async () => {
		bench.service.seed('iris', { blue: 100 });
		spoil(2);
		let puts = 0;
		bench.service.intercept = ({ method, path }) => {
			if (method !== 'PUT' || path !== E) return undefined;
			puts += 1;
			return puts === 1 ? undefined : refuse(403, 'AuthorizationFailed', 'no right any more');
		};
		const error = await failure(asked);
		expect(error.rolledBack).toBe(false);
		expect(error.why).toMatch(/could not be put back to blue 100 %; set it by hand\. .*no right any more/);
		expect(bench.service.deploymentNames('iris')).toContain('green');
	});
});

describe('beside other runs', () => {
	test('a map that someone else sets during a hold stays theirs', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.seedDeployment('iris', 'red');
		bench.clock.onSleep = (ms) => {
			const properties = bench.service.endpoints.get('iris')?.properties;
			if (ms === 300_000 && properties !== undefined) properties.traffic = { red: 100 };
		};
		const error = await failure({ ...asked, traffic: CANARY });
		expect(error.rolledBack).toBe(false);
		expect(error.message).toMatch(/changed by someone else meanwhile and is left as they set it \(red 100 %\)/);
		expect(bench.service.traffic('iris')).toEqual({ red: 100 });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'red']);
	});

	test('a deployment to which they gave traffic is not deleted', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.clock.onSleep = (ms) => {
			const properties = bench.service.endpoints.get('iris')?.properties;
			if (ms === 300_000 && properties !== undefined) properties.traffic = { blue: 30, green: 70 };
		};
		const error = await failure({ ...asked, traffic: CANARY });
		expect(error.why).toMatch(/could not be deleted and is left.*serves 70 %/);
		expect(bench.service.traffic('iris')).toEqual({ blue: 30, green: 70 });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'green']);
	});

	test('two runs that choose the same new deployment: the second leaves the first alone', async () => {
		bench.service.seed('iris', { blue: 100 });
		let first = true;
		bench.service.intercept = ({ method, path }) => {
			if (method !== 'PUT' || !path.endsWith('/deployments/green') || !first) return undefined;
			first = false;
			bench.service.seedDeployment('iris', 'green');
			return refuse(409, 'Conflict', 'being created');
		};
		const error = await failure(asked);
		expect(error.why).toMatch(/"green" was created by someone else meanwhile\. .*The deployment was not touched\.$/);
		expect(bench.service.deployments.get('iris/green')?.properties['model']).toBe('old');
	});

	test('a deployment that was given traffic while this run waited is not updated', async () => {
		bench.service.seed('iris', { blue: 100, green: 0 });
		let first = true;
		bench.service.intercept = ({ method, path }) => {
			if (method !== 'PUT' || !path.endsWith('/deployments/green') || !first) return undefined;
			first = false;
			bench.service.seed('iris', { green: 100 });
			return refuse(409, 'Conflict', 'busy');
		};
		const error = await failure(asked);
		expect(error.why).toMatch(/traffic of the endpoint "iris" was changed by someone else/);
		expect(bench.service.changes()).toEqual([`PUT ${E}/deployments/green`]);
	});

	test('a previous deployment that someone mirrors traffic to is not deleted', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.clock.onSleep = (ms) => {
			const properties = bench.service.endpoints.get('iris')?.properties;
			if (ms === 300_000 && properties !== undefined) properties.mirrorTraffic = { blue: 10 };
		};
		const traffic = [
			{ percent: 10, hold: 300_000 },
			{ percent: 100, hold: 0 },
		];
		const result = await deployOnline({ ...asked, traffic, deletePrevious: true }, bench.parts);
		expect(result).toMatchObject({ traffic: { green: 100 }, deleted: [] });
		expect(bench.service.deploymentNames('iris')).toContain('blue');
	});

	test('no traffic for a deployment that another run has overwritten after its test, and it is not deleted', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.score = () => {
			bench.service.seedDeployment('iris', 'green');
			return { status: 200, json: { predictions: ['setosa'] } };
		};
		const error = await failure(asked);
		expect(error.why).toMatch(
			/changed by someone else after this run had brought it up\. .*changed by someone else meanwhile and is kept\.$/,
		);
		expect(bench.service.trafficHistory).toEqual([]);
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'green']);
	});

	test('no traffic for a deployment that somebody has deleted after its test', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.score = () => {
			bench.service.deployments.delete('iris/green');
			return { status: 200, json: { predictions: ['setosa'] } };
		};
		const error = await failure(asked);
		expect(error.why).toMatch(/deleted by someone else after this run had brought it up\./);
		expect(bench.service.trafficHistory).toEqual([]);
	});

	test.each([
		['all of its tags', { run: '1', commit: 'abc' }, undefined],
		['some of its tags', { run: '2', commit: 'abc' }, /was created by someone else meanwhile/],
	])('after a lost answer a deployment with %s is told from a stranger’s', async (_, tags, why) => {
		bench.service.seed('iris', { blue: 100 });
		let first = true;
		bench.service.intercept = ({ method, path, body }) => {
			if (method !== 'PUT' || !path.endsWith('/deployments/green') || !first) return undefined;
			first = false;
			const other = { ...(structuredClone(body) as { properties: Record<string, unknown> }), name: 'green', tags };
			bench.service.deployments.set('iris/green', other);
			return refuse(409, 'Conflict', 'being created');
		};
		const request = { ...asked, tags: { run: '1', commit: 'abc' } };
		if (why === undefined) expect((await deployOnline(request, bench.parts)).traffic).toEqual({ green: 100 });
		else expect((await failure(request)).why).toMatch(why);
	});

	test('the PUT of a deployment whose answer was lost is recognised by its tags', async () => {
		bench.service.seed('iris', { blue: 100 });
		let first = true;
		bench.service.intercept = ({ method, path, body }) => {
			if (method !== 'PUT' || !path.endsWith('/deployments/green') || !first) return undefined;
			first = false;
			const own = structuredClone(body) as { properties: Record<string, unknown> };
			bench.service.deployments.set('iris/green', { ...own, name: 'green' });
			return refuse(409, 'Conflict', 'being created');
		};
		expect((await deployOnline(asked, bench.parts)).traffic).toEqual({ green: 100 });
	});
});

describe('when the workflow is cancelled', () => {
	test('during a hold the traffic goes back and the deployment goes, without waiting', async () => {
		bench.service.seed('iris', { blue: 100 });
		const cancel = new AbortController();
		let before = 0;
		bench.clock.onSleep = (ms) => {
			if (ms === 300_000) {
				cancel.abort(new Error('The workflow was cancelled.'));
				before = bench.service.requests.length;
			}
			// Another change is refused while the one before it runs.
			if (ms === 500) bench.service.finishAll();
		};
		const error = await failure({ ...asked, traffic: CANARY }, cancel.signal);
		expect(error.message).toMatch(
			/^The rollout of the deployment "green" on the endpoint "iris" was cancelled during: holding 10 %\. The workflow was cancelled\. The traffic is being put back as before \(blue 100 %\)\. The deployment is being deleted\.$/,
		);
		expect(error.rolledBack).toBe(true);
		bench.service.finishAll();
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue']);
		const afterwards = bench.service.requests.slice(before).map(({ path }) => path);
		expect(afterwards.filter((path) => path.startsWith('/operations/') || path.endsWith('/getLogs'))).toEqual([]);
	});

	test('while traffic is being set, that is waited out first and then undone', async () => {
		bench.service.seed('iris', { blue: 100 });
		const cancel = new AbortController();
		bench.service.intercept = ({ method, path }) => {
			if (method !== 'PUT' || path !== E || bench.service.looks === 1000) return undefined;
			bench.service.looks = 1000;
			bench.clock.onSleep = (ms) => {
				if (ms === 5_000) cancel.abort(new Error('The workflow was cancelled.'));
				if (ms === 500) bench.service.finishAll();
			};
			return undefined;
		};
		const error = await failure(asked, cancel.signal);
		expect(error.message).toMatch(
			/cancelled during: setting the traffic to green 100 %\. .*is being put back as before \(blue 100 %\)/,
		);
		bench.service.finishAll();
		expect(bench.service.trafficHistory).toEqual([{ green: 100 }, { blue: 100 }]);
	});

	test('while the deployment is made, the traffic is as it was and the deployment is given up', async () => {
		bench.service.seed('iris', { blue: 100 });
		bench.service.looks = 1000;
		const cancel = new AbortController();
		bench.clock.onSleep = (ms) => {
			if (ms === 5_000) cancel.abort(new Error('The workflow was cancelled.'));
			if (ms === 500) bench.service.finishAll();
		};
		const error = await failure(asked, cancel.signal);
		expect(error.message).toMatch(
			/cancelled during: provisioning\. .*not touched \(blue 100 %\)\. The deployment is being deleted\.$/,
		);
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
	});
});

describe('a request that cannot be met sends nothing', () => {
	test('a custom model without a deployment file', async () => {
		const model = { name: 'iris', version: '3', id: 'new', type: 'custom_model' };
		await expect(deployOnline({ ...asked, model }, bench.parts)).rejects.toThrow(/Give `deployment-file`/);
		expect(bench.service.requests).toEqual([]);
	});

	test('a smoke test of an endpoint that answers outside the cloud', async () => {
		bench.service.seed('iris', { blue: 100 }, { scoringUri: 'http://10.0.0.4/score' });
		await expect(deployOnline(asked, bench.parts)).rejects.toThrow(/no key or token is sent to 10\.0\.0\.4/);
		expect(bench.service.changes()).toEqual([]);
	});
});
