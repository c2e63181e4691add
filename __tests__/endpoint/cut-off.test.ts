// Rollouts whose process was killed, and what another process makes of the note and the tags that it has left.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { undoCutOff } from '../../src/endpoint/cut-off.ts';
import { deployOnline } from '../../src/endpoint/deploy.ts';
import type { DeployRequest } from '../../src/endpoint/deploy-plan.ts';
import { type Bench, startBench } from './online-service.ts';

const HOLD = 300_000;
const URL_OF_RUN = 'https://github.com/o/r/actions/runs/7';
let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
	bench.service.seed('iris', { blue: 100 });
});
afterEach(() => bench.stop());

const asked = (attempt: string): DeployRequest => ({
	endpoint: { name: 'iris' },
	deployment: {},
	model: { name: 'iris', version: '3', id: 'new', type: 'mlflow_model' },
	traffic: [
		{ percent: 10, hold: HOLD },
		{ percent: 100, hold: 0 },
	],
	onFailure: 'rollback',
	deletePrevious: false,
	attempt,
	tags: { 'github.run_url': URL_OF_RUN },
});

/** Starts a rollout and leaves it for ever where it holds 10 %, as a killed process does. Gives the note it has left. */
async function killedAtHold(request: DeployRequest = asked('1')): Promise<string> {
	await new Promise<void>((reached, failed) => {
		const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
			if (ms !== HOLD) return bench.clock.sleep(ms, signal);
			reached();
			return new Promise(() => {});
		};
		const clock = { now: () => bench.clock.now(), random: () => 0.5, sleep };
		deployOnline(request, { ...bench.parts, clock }).catch(failed);
	});
	return bench.notes.at(-1) ?? '';
}

describe('the post step', () => {
	test('puts the traffic back and deletes the deployment', async () => {
		const note = await killedAtHold();
		expect(await undoCutOff(note, bench.parts)).toBe(true);
		expect([bench.service.traffic('iris'), bench.service.deploymentNames('iris')]).toEqual([{ blue: 100 }, ['blue']]);
		expect(bench.lines.at(-1)).toMatch(
			/was cut off\. The traffic was put back as before \(blue 100 %\)\. .*was deleted/,
		);
		expect(bench.warnings).toEqual([]);
	});

	test('keeps the deployment where that was asked for', async () => {
		const note = await killedAtHold({ ...asked('1'), onFailure: 'keep' });
		expect(await undoCutOff(note, bench.parts)).toBe(true);
		expect([bench.service.traffic('iris'), bench.service.deploymentNames('iris')]).toEqual([
			{ blue: 100 },
			['blue', 'green'],
		]);
	});

	test('leaves what somebody else has set meanwhile, and says so', async () => {
		const note = await killedAtHold();
		bench.service.seedDeployment('iris', 'red');
		const properties = bench.service.endpoints.get('iris')?.properties;
		if (properties !== undefined) properties.traffic = { red: 50, green: 50 };
		expect(await undoCutOff(note, bench.parts)).toBe(false);
		expect(bench.service.traffic('iris')).toEqual({ red: 50, green: 50 });
		expect(bench.service.deploymentNames('iris')).toContain('green');
		expect(bench.warnings).toEqual([expect.stringMatching(/left as they set it \(red 50 %, green 50 %\)/)]);
	});

	test('leaves a deployment of the same name that is not this run’s', async () => {
		const note = await killedAtHold();
		const green = bench.service.deployments.get('iris/green');
		if (green !== undefined) green.tags = { 'github.run_url': `${URL_OF_RUN}1` };
		const before = bench.service.changes().length;
		expect(await undoCutOff(note, bench.parts)).toBe(true);
		expect(bench.service.changes()).toHaveLength(before);
	});

	test('waits a little for a deployment whose PUT was under way, and does nothing without one', async () => {
		const note = await killedAtHold();
		const green = bench.service.deployments.get('iris/green');
		const properties = bench.service.endpoints.get('iris')?.properties;
		if (green === undefined || properties === undefined) throw new Error('the rollout has not come so far');
		properties.traffic = { blue: 100 };
		bench.service.deployments.delete('iris/green');
		let turns = 0;
		bench.clock.onSleep = () => {
			turns += 1;
			if (turns === 3) bench.service.deployments.set('iris/green', green);
		};
		expect(await undoCutOff(note, bench.parts)).toBe(true);
		expect(bench.service.deploymentNames('iris')).toEqual(['blue']);
		bench.clock.onSleep = () => {};
		const before = bench.service.changes().length;
		expect(await undoCutOff(note, bench.parts)).toBe(true);
		expect(bench.service.changes()).toHaveLength(before);
	});

	test.each(['', 'no JSON', '{}', '{"kind":"online","endpoint":"iris"}'])(
		'makes nothing of the note %j',
		async (note) => {
			expect(await undoCutOff(note, bench.parts)).toBe(true);
			expect(bench.service.requests).toEqual([]);
		},
	);

	test('has nothing to do after a rollout that ended by itself', async () => {
		const { traffic: _, ...rest } = asked('1');
		await deployOnline({ ...rest, traffic: [{ percent: 100, hold: 0 }] }, bench.parts);
		expect(bench.notes).toEqual([expect.stringContaining('"deployment":"green"'), '']);
	});
});

describe('a later attempt of the same workflow run', () => {
	test('puts the traffic back first, then rolls out again over its own deployment', async () => {
		await killedAtHold();
		const before = bench.service.trafficHistory.length;
		const result = await deployOnline({ ...asked('2'), traffic: asked('2').traffic }, bench.parts);
		expect(bench.service.trafficHistory.slice(before)).toEqual([
			{ blue: 100 },
			{ blue: 90, green: 10 },
			{ green: 100 },
		]);
		expect([result.deploymentName, result.previousTraffic]).toEqual(['green', { blue: 100 }]);
		expect(bench.warnings).toEqual([
			expect.stringMatching(/cut off while green had 10 %.*put back to blue 100 % first/),
		]);
	});

	test.each([
		['the same attempt', asked('1')],
		['another run', { ...asked('2'), tags: { 'github.run_url': `${URL_OF_RUN}1` } }],
	])('but not %s: that rollout may be alive', async (_, request) => {
		await killedAtHold();
		await expect(deployOnline(request, bench.parts)).rejects.toThrow(/neither blue nor green is free/);
		expect(bench.service.traffic('iris')).toEqual({ blue: 90, green: 10 });
	});

	test('leaves a rollout that has reached its last step', async () => {
		await deployOnline(asked('1'), bench.parts);
		const before = bench.service.trafficHistory.length;
		await deployOnline(asked('2'), bench.parts);
		expect(bench.service.trafficHistory.slice(before)).toEqual([{ green: 90, blue: 10 }, { blue: 100 }]);
	});
});
