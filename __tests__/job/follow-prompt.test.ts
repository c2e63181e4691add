// How soon a line is shown after it was written, and how much is asked for that: in virtual time, at any age of a job.
import { describe, expect, test } from '@jest/globals';
import { sdkDelay, sdkLooks } from '../../bench/sdk-schedule.ts';
import { longJob, writeLines } from './long-job.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LONG = 6 * HOUR;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a line', () => {
	test('is shown less than 1.5 seconds after it was written, on average, in each hour of a job of six', async () => {
		const service = longJob('Command');
		const lines = writeLines(service, { path: () => 'job/user_logs/std_log.txt' });
		await service.follow();
		for (let hour = 0; hour < 6; hour += 1) {
			const some = lines.filter(({ at }) => at >= hour * HOUR && at < (hour + 1) * HOUR);
			expect(some.length).toBeGreaterThan(80);
			expect(mean(some.map(({ delay }) => delay))).toBeLessThan(1.5 * SECOND);
		}
		const ours = mean(lines.map(({ delay }) => delay));
		expect(ours).toBeLessThan(SECOND);
		// The schedule of Microsoft's client comes to half a minute.
		const looks = sdkLooks(LONG / SECOND);
		const theirs = SECOND * mean(lines.map(({ at }) => sdkDelay(at / SECOND, looks)));
		expect(theirs).toBeGreaterThan(25 * SECOND);
		expect(theirs / ours).toBeGreaterThan(20);
	});

	test('of a job that was followed only when it was hours old is shown as soon', async () => {
		const service = longJob('Command');
		service.storage.append('job/user_logs/std_log.txt', 'of the hours before\n'.repeat(50_000));
		const lines = writeLines(service, { path: () => 'job/user_logs/std_log.txt' });
		await service.follow();
		expect(mean(lines.map(({ delay }) => delay))).toBeLessThan(SECOND);
		expect(service.log.foreignLines).toHaveLength(50_000 + lines.length);
	});

	test('of the step that runs is shown as soon', async () => {
		const service = longJob('Pipeline');
		for (let step = 0; step < 12; step += 1) {
			service.child(`s${step}`, step * 30 * MINUTE + SECOND, (step + 1) * 30 * MINUTE - SECOND);
		}
		const lines = writeLines(service, {
			path: (at) => `s${Math.min(11, Math.floor(at / 30 / MINUTE))}/user_logs/std_log.txt`,
		});
		await service.follow();
		// A step is found by the list of steps; from then on its log is read as any other.
		const settled = lines.filter(({ at }) => at % (30 * MINUTE) > 2 * MINUTE && at % (30 * MINUTE) < 29 * MINUTE);
		expect(settled.length).toBeGreaterThan(500);
		expect(mean(settled.map(({ delay }) => delay))).toBeLessThan(1.5 * SECOND);
	});
});

describe('in no hour of a job of six are more than 360 requests sent', () => {
	/** Chance makes us as quick as may be, usual, and slow. */
	const CHANCES = [0, 0.5, 0.999];

	test.each(CHANCES)('for a command that logs lines and metrics (chance %d)', async (chance) => {
		const service = longJob('Command', chance);
		writeLines(service, { path: () => 'job/user_logs/std_log.txt' });
		const run = service.runs.get('job');
		for (let at = 0; at < LONG; at += 30 * SECOND) {
			service.clock.at(at, () => {
				if (run) run.metrics = [{ key: 'loss', value: 1 / (1 + at), step: at }];
			});
		}
		await service.follow();
		expect(service.busiestHour).toBeLessThanOrEqual(360);
	});

	test.each(CHANCES)('for one that waits in the queue, whose compute is looked at (chance %d)', async (chance) => {
		const service = longJob('Command', chance);
		const run = service.runs.get('job');
		if (run) run.status = 'Queued';
		service.compute = { properties: { computeType: 'AmlCompute', properties: { currentNodeCount: 0 } } };
		await service.follow();
		expect(service.busiestHour).toBeLessThanOrEqual(360);
	});

	test.each(CHANCES)('for a pipeline whose steps are pipelines and sweeps themselves (chance %d)', async (chance) => {
		const service = longJob('Pipeline', chance);
		for (let step = 0; step < 30; step += 1) {
			const from = step * 10 * MINUTE;
			const properties = { 'azureml.runsource': step % 2 === 0 ? 'azureml.PipelineRun' : 'hyperdrive' };
			service.child(`p${step}`, from, from + 60 * MINUTE, 'Completed', { properties });
			for (let below = 0; below < 8; below += 1)
				service.child(`p${step}-${below}`, from, from + (below + 1) * 5 * MINUTE, 'Completed', { parent: `p${step}` });
		}
		await service.follow();
		expect(service.busiestHour).toBeLessThanOrEqual(360);
	});
});
