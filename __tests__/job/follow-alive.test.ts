// What one sees of a job that takes its time: signs of life with their reasons, metrics, lines as they are written.
import { describe, expect, test } from '@jest/globals';
import { metricLine } from '../../src/job/live-metrics.ts';
import { Pace } from '../../src/job/pace.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';
import { RunService, type ServedRun } from './run-service.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LOG = 'job/user_logs/std_log.txt';

/** A command job with the states it takes on, by the time after the start. */
function command(states: readonly (readonly [number, string])[]): { service: RunService; run: ServedRun } {
	const service = new RunService();
	service.job = { type: 'Command' };
	const run: ServedRun = { status: 'NotStarted' };
	service.runs.set('job', run);
	for (const [at, status] of states) {
		service.clock.at(at, () => {
			run.status = status;
		});
	}
	return { service, run };
}

const signsOf = ({ log }: RunService): string[] => log.lines.filter((line) => line.startsWith('…'));

describe('a sign of life', () => {
	test('of a job in the queue says what its compute does, and where to look', async () => {
		const { service } = command([
			[0, 'Queued'],
			[20 * MINUTE, 'Completed'],
		]);
		const counts = { runningNodeCount: 2, preparingNodeCount: 0 };
		const settings = {
			currentNodeCount: 2,
			targetNodeCount: 4,
			scaleSettings: { maxNodeCount: 4 },
			nodeStateCounts: counts,
		};
		service.compute = { properties: { computeType: 'AmlCompute', properties: settings } };
		await service.follow();
		expect(signsOf(service)[0]).toMatch(
			/^… Queued for 1 min.*: cpu-cluster has 2 of at most 4 nodes \(2 running\) and 2 on their way · https:\/\/studio\.example\/runs\/job/,
		);
	});

	test('names the error of the compute', async () => {
		const { service } = command([
			[0, 'Queued'],
			[5 * MINUTE, 'Canceled'],
		]);
		const errors = [{ error: { code: 'ClusterCoreQuotaReached', message: 'The quota is used up.\nMore.' } }];
		const settings = { currentNodeCount: 0, targetNodeCount: 1, errors };
		service.compute = { properties: { computeType: 'AmlCompute', properties: settings } };
		await service.follow();
		expect(signsOf(service)[0]).toContain('its error: The quota is used up. ·');
	});

	test('does without the compute where that may not be seen, and asks no more', async () => {
		const { service } = command([
			[0, 'Queued'],
			[HOUR, 'Completed'],
		]);
		await service.follow();
		expect(signsOf(service)[0]).toMatch(/^… Queued for 1 min[^:]* · https:/);
		expect(service.asked.filter(({ line }) => line.startsWith('computes/'))).toHaveLength(1);
	});

	test('says that the image is being built', async () => {
		const { service } = command([
			[0, 'Preparing'],
			[20 * MINUTE, 'Completed'],
		]);
		service.clock.at(10 * SECOND, () =>
			service.storage.append('job/azureml-logs/20_image_build_log.txt', 'Step 1/8\n'),
		);
		await service.follow();
		expect(signsOf(service)[0]).toMatch(/^… Preparing for .*: the image of its environment is being built/);
		expect(service.log.foreignLines).toEqual(['Step 1/8']);
	});
});

describe('live metrics', () => {
	test('are shown when they move, within the hour of requests', async () => {
		const { service, run } = command([
			[0, 'Running'],
			[6 * HOUR, 'Completed'],
		]);
		for (let epoch = 1; epoch <= 36; epoch += 1) {
			service.clock.at(epoch * 10 * MINUTE, () => {
				run.metrics = [
					{ key: 'loss', value: 1 / epoch, step: epoch },
					{ key: 'epoch', value: epoch, step: epoch },
				];
			});
		}
		service.storage.append(LOG, 'begin\n');
		await service.follow();
		const shown = service.log.lines.filter((line) => line.startsWith('  epoch'));
		expect(shown[0]).toBe('  epoch 1 · loss 1');
		expect(shown.length).toBeGreaterThan(28);
		expect(new Set(shown).size).toBe(shown.length);
		expect(service.busiestHour).toBeLessThanOrEqual(360);
	});

	test('that are refused are asked for ever more seldom, without a word', async () => {
		const { service } = command([
			[0, 'Running'],
			[6 * HOUR, 'Completed'],
		]);
		await service.follow();
		const asked = service.asked.filter(({ line }) => line.includes('runs/get'));
		expect(asked.length).toBeGreaterThan(15);
		expect(asked.length).toBeLessThan(25);
		expect(service.log.annotations).toEqual([]);
	});

	test.each<[string, [string, number, number][]]>([
		[
			'step 12 · accuracy 0.94 · loss 0.2313',
			[
				['accuracy', 0.94, 12],
				['loss', 0.231_299, 12],
			],
		],
		[
			'epoch 3 · loss NaN',
			[
				['Epoch', 3, 0],
				['loss', Number.NaN, 40],
			],
		],
		[
			'rmse 3.2',
			[
				['rmse', 3.2, 0],
				['system/cpu', 80, 9],
			],
		],
		[
			'a 1 · b 1 · c 1 · d 1 · e 1 · f 1 · and 2 more',
			[...'abcdefgh'].map((key): [string, number, number] => [key, 1, 0]),
		],
		['', []],
		['', [['epoch', 1, 1]]],
	])('read %j', (line, metrics) => {
		expect(metricLine(metrics.map(([key, value, step]) => ({ key, value, step })))).toBe(line);
	});
});

test('the first lines of a job that waited for long are shown soon after it runs', async () => {
	const { service } = command([
		[0, 'Queued'],
		[HOUR, 'Running'],
		[2 * HOUR, 'Completed'],
	]);
	service.clock.at(HOUR + 20 * SECOND, () => service.storage.append(LOG, 'begin\n'));
	let shown = Number.NaN;
	Object.assign(service.log, { foreign: () => (shown = service.clock.elapsed) });
	await service.follow();
	expect(shown - (HOUR + 20 * SECOND)).toBeLessThanOrEqual(7 * SECOND);
});

describe('the pace', () => {
	test('keeps what could be done without below the room of an hour', () => {
		const clock = virtualClock();
		const pace = new Pace(clock);
		let sent = 0;
		for (let second = 0; second < 3_600; second += 1) {
			if (pace.spare()) sent += 1;
			clock.advance(SECOND);
		}
		expect(sent).toBeGreaterThan(40);
		expect(sent).toBeLessThanOrEqual(60);
		expect(pace.left).toBeLessThanOrEqual(360 - sent + 1);
		clock.advance(HOUR);
		expect(pace.left).toBe(360);
	});

	test('slackens for a while when the service has had enough, more each time', () => {
		const clock = virtualClock();
		const pace = new Pace(clock);
		expect(pace.slowness).toBe(1);
		pace.throttled();
		pace.throttled();
		expect([pace.slowness, pace.spare()]).toEqual([4, false]);
		for (let time = 0; time < 9; time += 1) pace.throttled();
		expect(pace.slowness).toBe(8);
		clock.advance(5 * MINUTE);
		expect(pace.slowness).toBe(1);
	});

	test.each<[string, string, number]>([
		['x-ms-ratelimit-remaining-subscription-reads', '11998', 1],
		['x-ms-ratelimit-remaining-subscription-reads', '900', 2],
		['x-ms-ratelimit-remaining-subscription-global-reads', '12', 8],
		['x-ms-ratelimit-remaining-subscription-reads', 'none', 1],
		['x-ms-ratelimit-remaining-subscription-writes', '1', 1],
	])('with %s: %s is %d times as slow', (name, value, slowness) => {
		const pace = new Pace(virtualClock());
		pace.heard({ [name]: value });
		expect(pace.slowness).toBe(slowness);
	});

	test('of a job follows what the answers say is left to the subscription', async () => {
		const looks = async (left: string): Promise<number> => {
			const { service } = command([
				[0, 'Running'],
				[HOUR, 'Completed'],
			]);
			let listener: (headers: Record<string, string>) => void = () => {};
			const send = service.send.bind(service);
			service.send = async (request) => {
				listener({ 'x-ms-ratelimit-remaining-subscription-reads': left });
				return send(request);
			};
			let ended = false;
			await service.follow(undefined, (given) => {
				listener = given;
				return () => {
					ended = true;
				};
			});
			expect(ended).toBe(true);
			return service.asked.length;
		};
		expect(await looks('5')).toBeLessThan((await looks('11000')) / 2);
	});

	test('of a job follows: fewer looks after a 429', async () => {
		const looks = async (throttled: boolean): Promise<number> => {
			const { service } = command([
				[0, 'Running'],
				[HOUR, 'Completed'],
			]);
			service.job = { type: 'Pipeline' };
			if (throttled) service.listFaults.push(...Array.from({ length: 40 }, () => 429));
			await service.follow();
			return service.asked.length;
		};
		expect(await looks(true)).toBeLessThan((await looks(false)) / 2);
	});
});
