// Rollouts end to end: what the emulated endpoint holds after a good one, a bad one, a cancelled one, and its deletion.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endpointFiles, SCORE_42 } from './checkout.ts';
import { openSite, type Site } from './site.ts';

const TIME = 90_000;
const NAME = 'answers';
const score = (answer: number): string => SCORE_42.replace('42', String(answer));

let site: Site;

beforeAll(async () => {
	site = await openSite();
}, TIME);
afterAll(() => site?.close());

const files = (answer: number): Record<string, string> => ({
	...endpointFiles(NAME, score(answer)),
	'model/weights.txt': String(answer),
});

const INPUTS = {
	'model-name': 'answers',
	'model-path': 'model',
	'endpoint-file': 'endpoint.yml',
	'deployment-file': 'deployment.yml',
	'smoke-test-file': 'request.json',
	'smoke-test-expect': '{"answer": 42}',
};

function endpoint(): ReturnType<Site['emulator']['endpoints']>[number] | undefined {
	return site.emulator.endpoints().find(({ name }) => name === NAME);
}

const traffic = (): object | undefined => endpoint()?.trafficHistory.at(-1)?.traffic;

const deployments = (): string[] => (endpoint()?.deployments ?? []).map(({ name }) => name).sort();

describe('a rollout', () => {
	test(
		'of a model in the checkout serves it as the first deployment',
		async () => {
			const run = await site.run(INPUTS, { files: files(42) });
			expect([run.code, run.outputs['model-id'], run.outputs['deployment-name']]).toEqual([
				0,
				'azureml:answers:1',
				'blue',
			]);
			expect(traffic()).toEqual({ blue: 100 });
		},
		TIME,
	);

	test(
		'whose answer is not the expected one leaves the traffic and removes its deployment',
		async () => {
			const before = endpoint()?.trafficHistory.length;
			const run = await site.run(INPUTS, { files: files(41) });
			expect([run.code, run.outputs['rolled-back']]).toEqual([1, 'true']);
			expect(run.stdout).toMatch(/::error::.*answer: expected 42, got 41/);
			expect(traffic()).toEqual({ blue: 100 });
			expect(endpoint()?.trafficHistory.length).toBe(before);
			expect(deployments()).toEqual(['blue']);
		},
		TIME,
	);

	test(
		'that fails keeps its deployment for a look when asked to',
		async () => {
			const run = await site.run({ ...INPUTS, 'on-deploy-failure': 'keep' }, { files: files(41) });
			expect(run.code).toBe(1);
			expect(traffic()).toEqual({ blue: 100 });
			expect(deployments()).toEqual(['blue', 'green']);
		},
		TIME,
	);

	test(
		'in steps moves the traffic step by step and deletes what served before',
		async () => {
			const before = endpoint()?.trafficHistory.length ?? 0;
			const run = await site.run(
				{ ...INPUTS, traffic: '10 for 1s, 50, 100', 'delete-previous': 'true' },
				{ files: files(42) },
			);
			expect([run.code, run.outputs['rolled-back']]).toEqual([0, 'false']);
			const history = endpoint()
				?.trafficHistory.slice(before)
				.map(({ traffic }) => traffic);
			expect(history).toEqual([{ blue: 90, green: 10 }, { blue: 50, green: 50 }, { green: 100 }]);
			expect(deployments()).toEqual(['green']);
		},
		TIME,
	);

	test(
		'that is cancelled while it holds puts the traffic back',
		async () => {
			const run = await site.run(
				{ ...INPUTS, traffic: '10 for 10m, 100' },
				{ files: files(42), cancel: { when: (shown) => shown.includes('Holding 10 %') } },
			);
			expect(run.code).toBe(1);
			expect(run.tookToStop).toBeLessThan(7_000);
			await site.emulator.settled();
			expect(traffic()).toEqual({ green: 100 });
			expect(deployments()).toEqual(['green']);
		},
		TIME,
	);

	test(
		'takes a registered version when there is nothing to register',
		async () => {
			const { 'model-path': _, ...rest } = INPUTS;
			const run = await site.run({ ...rest, 'model-version': 'latest', traffic: '0' }, { files: files(42) });
			expect(run.code).toBe(0);
			expect(traffic()).toEqual({ green: 100 });
			expect(deployments()).toEqual(['blue', 'green']);
		},
		TIME,
	);

	test(
		'is over when the endpoint is deleted; deleting it again is no failure',
		async () => {
			const inputs = { 'endpoint-name': NAME, 'delete-endpoint': 'true' };
			expect((await site.run(inputs)).code).toBe(0);
			expect(endpoint()).toBeUndefined();
			expect((await site.run(inputs)).code).toBe(0);
		},
		TIME,
	);
});
