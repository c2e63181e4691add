// Cases 71 to 78 of the fault table: registering and deploying while others do the same, and while things fail.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { deployOnline } from '../../src/endpoint/deploy.ts';
import type { DeployRequest } from '../../src/endpoint/deploy-plan.ts';
import { parseTraffic } from '../../src/endpoint/traffic.ts';
import { messageOf, RolloutError } from '../../src/errors.ts';
import { openClient } from '../e2e/azure-client.ts';
import { endpointFiles, jobFiles, SCORE_42 } from '../e2e/checkout.ts';
import { versionsOf } from '../e2e/measured.ts';
import { type Bench, refuse, startBench } from '../endpoint/online-service.ts';
import { judge } from './judge.ts';
import { type FaultSite, openFaultSite } from './site.ts';

let site: FaultSite;
beforeAll(async () => {
	site = await openFaultSite();
});
afterAll(() => site?.close());

const DEPLOY = { 'endpoint-file': 'endpoint.yml', 'deployment-file': 'deployment.yml' };

test.concurrent('case 71 M-race: two runs that register under one name each get a version of their own', async () => {
	const register = (number: string) =>
		site.run(
			{ 'model-name': 'case-71', 'model-path': 'model' },
			{ files: { 'model/weights.txt': number }, env: { GITHUB_RUN_ID: `71${number}` } },
		);
	const runs = await Promise.all([register('1'), register('2')]);
	for (const run of runs) expect(await run.broken({ code: 0 })).toEqual([]);
	expect(runs.map(({ outputs }) => outputs['model-version']).sort()).toEqual(['1', '2']);
	const versions = await versionsOf(await openClient(site.emulator), 'case-71');
	expect(new Set(versions.map(({ uri }) => uri)).size).toBe(2);
});

test.concurrent('case 72 M-output-missing: an output that holds nothing is told by its path, and no model is made of it', async () => {
	const name = 'case-72';
	const run = await site.run(
		{ 'job-file': 'job.yml', 'job-name': name, 'model-name': name },
		{ files: jobFiles("print('trained nothing')") },
	);
	expect(
		await run.broken({ code: 1, says: /holds nothing|is empty|no file/i, job: { name, state: 'Completed' } }),
	).toEqual([]);
	expect(run.outputs).toMatchObject({ 'job-name': name, 'job-status': 'Completed' });
	expect(await versionsOf(await openClient(site.emulator), name)).toEqual([]);
});

test.concurrent("case 73 D-image-fail: a deployment that does not start shows its container's log, and the traffic stays", async () => {
	const name = 'case-73';
	const good = await site.run(DEPLOY, { files: endpointFiles(name, SCORE_42) });
	const shares = { endpoint: name, shares: { blue: 100 } };
	expect(await good.broken({ code: 0, traffic: shares })).toEqual([]);
	const script =
		'def init():\n    print("looking for the weights")\n    raise RuntimeError("no weights")\ndef run(raw_data):\n    return {}';
	const bad = await site.run(DEPLOY, { files: endpointFiles(name, script) });
	expect(await bad.broken({ code: 1, says: /deployment "green".*failed/s, traffic: shares })).toEqual([]);
	expect(bad.summary).toContain('RuntimeError: no weights');
	const failures = { image: 'ImageBuildFailure', quota: 'OutOfQuota', probe: 'ResourceNotReady' } as const;
	for (const failure of ['image', 'quota', 'probe'] as const) {
		site.emulator.failDeployments({ deployment: /^case-73\/green$/, failure, times: 1 });
		const run = await site.run(DEPLOY, { files: endpointFiles(name, SCORE_42) });
		expect(await run.broken({ code: 1, says: new RegExp(failures[failure]), traffic: shares })).toEqual([]);
	}
	expect(
		site.emulator
			.endpoints()
			.find((one) => one.name === name)
			?.trafficHistory.filter(({ traffic }) => 'green' in traffic),
	).toEqual([]);
});

test.concurrent.each<[string, string]>([
	['a wrong answer', '{"answer": 41}'],
	['an error', 'raise'],
])('case 77 D-smoke: %s to the smoke test moves no traffic', async (_, expected) => {
	const name = expected === 'raise' ? 'case-77-error' : 'case-77-wrong';
	const smoke = { 'smoke-test-file': 'request.json', 'smoke-test-expect': '{"answer": 42}' };
	const good = await site.run({ ...DEPLOY, ...smoke }, { files: endpointFiles(name, SCORE_42) });
	const traffic = { endpoint: name, shares: { blue: 100 } };
	expect(await good.broken({ code: 0, traffic })).toEqual([]);
	const script =
		expected === 'raise'
			? SCORE_42.replace("return {'answer': 42}", "raise RuntimeError('x')")
			: SCORE_42.replace('42', '41');
	const bad = await site.run({ ...DEPLOY, ...smoke }, { files: endpointFiles(name, script) });
	expect(await bad.broken({ code: 1, says: /smoke test|expected 42, got 41|HTTP 5\d\d/i, traffic })).toEqual([]);
	expect(bad.outputs['rolled-back']).toBe('true');
});

describe('a rollout, in virtual time,', () => {
	let bench: Bench;
	beforeEach(async () => {
		bench = await startBench();
	});
	afterEach(() => bench.stop());

	const asked: DeployRequest = {
		endpoint: { name: 'iris' },
		deployment: {},
		model: { name: 'iris', version: '3', id: 'new', type: 'mlflow_model' },
		traffic: [{ percent: 100, hold: 300_000 }],
		smokeTest: { body: '{"data":[1]}', file: 'request.json', expect: { predictions: ['setosa'] } },
		onFailure: 'rollback',
		deletePrevious: false,
		tags: {},
	};

	/** Makes `blue` serve, then deploys again. */
	async function second(
		change: Partial<DeployRequest>,
		before: () => void,
	): Promise<{ code: 0 | 1; said: string; rolledBack: boolean }> {
		await deployOnline({ ...asked, traffic: [{ percent: 100, hold: 0 }] }, bench.parts);
		before();
		try {
			await deployOnline({ ...asked, ...change }, bench.parts);
			return { code: 0, said: '', rolledBack: false };
		} catch (error) {
			return { code: 1, said: messageOf(error), rolledBack: error instanceof RolloutError && error.rolledBack };
		}
	}

	function broken(
		{ code, said }: { code: 0 | 1; said: string },
		expected: { code: 0 | 1; says?: RegExp; shares: object },
	): string[] {
		return judge({
			sinks: { error: said },
			canaries: new Map(),
			traffic: { is: bench.service.traffic('iris') ?? {}, shouldBe: expected.shares },
			exit: { code, expected: expected.code, said, shouldSay: expected.says },
		});
	}

	test('case 77 D-smoke: a time-out of the smoke test moves no traffic', async () => {
		const { http } = bench.parts;
		const limits: unknown[] = [];
		// A host that takes the request and says nothing; the wait for it is cut short here.
		bench.parts = {
			...bench.parts,
			http: {
				...http,
				send: (request) => {
					if (!request.url.includes('/score/')) return http.send(request);
					limits.push(request.timeout);
					return http.send({ ...request, timeout: 100 });
				},
			},
		};
		const run = await second({}, () => {
			bench.service.silent = true;
			limits.length = 0;
		});
		expect(broken(run, { code: 1, says: /smoke test.*does not answer/is, shares: { blue: 100 } })).toEqual([]);
		expect(run.rolledBack).toBe(true);
		expect(bench.service.trafficHistory.filter((map) => (map['green'] ?? 0) > 0)).toEqual([]);
		// Azure lets a model take three minutes; a silent one is asked once, not again and again.
		expect(limits).toEqual([190_000]);
	});

	test('case 74 D-fail-after-shift: a deployment that turns bad with all the traffic is taken out again', async () => {
		let turn = 0;
		const run = await second({}, () => {
			// Good while it is dark, bad once it has the traffic.
			bench.service.score = () => {
				turn += 1;
				return { status: 200, json: { predictions: [turn > 1 ? 'virginica' : 'setosa'] } };
			};
		});
		expect(broken(run, { code: 1, says: /virginica|smoke/i, shares: { blue: 100 } })).toEqual([]);
		expect(run.rolledBack).toBe(true);
		expect([...bench.service.deployments.keys()].some((path) => path.endsWith('/blue'))).toBe(true);
	});

	test('case 75 D-concurrent: traffic that somebody else has moved meanwhile is not written over', async () => {
		const theirs = { blue: 40, theirs: 60 };
		const run = await second(
			{
				traffic: [
					{ percent: 10, hold: 300_000 },
					{ percent: 100, hold: 0 },
				],
			},
			() => {
				let moved = false;
				bench.service.score = () => {
					const endpoint = bench.service.endpoints.get('iris');
					// Once the first step is in force.
					if (!moved && endpoint !== undefined && bench.service.traffic('iris')?.['green'] === 10) {
						moved = true;
						endpoint.properties.traffic = { ...theirs };
					}
					return { status: 200, json: { predictions: ['setosa'] } };
				};
			},
		);
		expect(broken(run, { code: 1, says: /traffic.*(else|meanwhile|changed)/is, shares: theirs })).toEqual([]);
	});

	test('case 76 D-delete-old: an old deployment that cannot be deleted is a warning', async () => {
		const run = await second({ deletePrevious: true }, () => {
			bench.service.intercept = ({ method, path }) =>
				method === 'DELETE' && path.endsWith('/blue') ? refuse(409, 'Conflict', 'It is in use.') : undefined;
		});
		expect(broken(run, { code: 0, shares: { green: 100 } })).toEqual([]);
		expect(bench.warnings.join()).toMatch(/blue/);
	});
});

describe('case 78 D-sum', () => {
	test.each(['101', '-1', '50,40', '10,10,100', '100,50', 'half', '10 for ever', '50 50', ''])(
		'the traffic %j is refused',
		(text) => {
			expect(parseTraffic(text)).toHaveProperty('fault');
		},
	);

	test('before anything is sent', async () => {
		const since = site.emulator.requests.length;
		const run = await site.run({ ...DEPLOY, traffic: '50,40,200' }, { files: endpointFiles('case-78', SCORE_42) });
		expect(await run.broken({ code: 1, says: /traffic/ })).toEqual([]);
		expect(site.requests(since).filter(({ line }) => line.includes('case-78'))).toEqual([]);
	});
});
