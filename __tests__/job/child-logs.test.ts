// The logs of steps and trials where run history or storage is late with them.
import { describe, expect, test } from '@jest/globals';
import { endedBadly } from '../../src/job/ended-badly.ts';
import { RunService } from './run-service.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

/** A pipeline that runs until `to` and then ends so. */
function pipeline(to: number, status = 'Completed'): RunService {
	const service = new RunService();
	const run = { status: 'Running' };
	service.runs.set('job', run);
	service.clock.at(to, () => {
		run.status = status;
	});
	return service;
}

describe.each([404, 403, 500])('where run history answers %i about a step', (status) => {
	test('for a while, its log is shown once it can be had', async () => {
		const service = pipeline(12 * MINUTE, 'Failed');
		service.child('train', MINUTE, 10 * MINUTE, 'Failed');
		service.child('other', MINUTE, 9 * MINUTE);
		service.detailFaults.set('train', status);
		service.clock.at(11 * MINUTE, () => service.detailFaults.delete('train'));
		const followed = await service.follow();
		expect(followed.lastLines).toEqual(['train begins', 'train breaks']);
		expect(service.log.lines).toContain('> train · user_logs/std_log.txt');
		expect(service.log.lines.filter((line) => line.startsWith('[the log of train cannot be read'))).toHaveLength(1);
		expect(service.busiestHour).toBeLessThanOrEqual(360);
	});

	test('for a moment after the end of the job, its log is waited for', async () => {
		const service = pipeline(MINUTE, 'Failed');
		service.child('train', SECOND, MINUTE - 1, 'Failed');
		service.child('other', SECOND, MINUTE - 1);
		service.detailFaults.set('train', status);
		service.clock.at(MINUTE + 12 * SECOND, () => service.detailFaults.delete('train'));
		const followed = await service.follow();
		expect(followed.lastLines).toEqual(['train begins', 'train breaks']);
	});

	test('for good, a gap is told, not that there is no log', async () => {
		const service = pipeline(2 * MINUTE, 'Failed');
		service.child('train', SECOND, MINUTE, 'Failed');
		service.child('other', SECOND, MINUTE);
		service.detailFaults.set('train', status);
		const followed = await service.follow();
		expect(
			service.log.lines.filter((line) => line.startsWith('[gap: the log of step train could not be read: ')),
		).toHaveLength(1);
		expect(followed.failedChild?.what).toBe('step train failed');
		expect(endedBadly(followed, undefined).next).toBe(
			'Its log could not be read, as the gap line above tells: look at it in Azure ML studio.',
		);
	});
});

describe('what a step writes after its end', () => {
	test('is shown while the pipeline goes on', async () => {
		const service = pipeline(10 * MINUTE);
		service.child('a', SECOND, MINUTE);
		service.child('b', SECOND, 9 * MINUTE);
		service.clock.at(MINUTE + 35 * SECOND, () => service.storage.append('a/user_logs/std_log.txt', 'a is late\n'));
		await service.follow();
		expect(service.log.foreignLines.filter((line) => line.startsWith('a '))).toEqual([
			'a begins',
			'a ends',
			'a is late',
		]);
	});

	test('is shown after the end of the pipeline', async () => {
		const service = pipeline(MINUTE);
		service.child('a', SECOND, MINUTE - 1);
		service.child('b', SECOND, MINUTE - 1);
		for (const late of [3, 5, 7])
			service.clock.at(MINUTE + late * SECOND, () => service.storage.append('a/user_logs/std_log.txt', `a ${late}\n`));
		await service.follow();
		const shown = service.log.foreignLines.filter((line) => line.startsWith('a '));
		expect(shown).toEqual(['a begins', 'a ends', 'a 3', 'a 5', 'a 7']);
	});

	test.each([true, false])('is looked for where there was no log at its end (the only step: %s)', async (only) => {
		const service = pipeline(MINUTE, 'Failed');
		const run = { status: 'Running', parent: 'job', name: 'a' };
		service.runs.set('a', run);
		if (!only) service.child('b', 0, MINUTE - 1);
		service.clock.at(MINUTE - 1, () => {
			run.status = 'Failed';
		});
		service.clock.at(MINUTE + 6 * SECOND, () => service.storage.append('a/user_logs/std_log.txt', 'ValueError: x\n'));
		const followed = await service.follow();
		expect(followed.lastLines).toEqual(['ValueError: x']);
	});

	test('is told as the reason of its failure', async () => {
		const service = pipeline(MINUTE, 'Failed');
		service.child('a', SECOND, MINUTE - 1, 'Failed');
		service.child('b', SECOND, MINUTE - 1);
		service.clock.at(MINUTE + 6 * SECOND, () => service.storage.append('a/user_logs/std_log.txt', '\nValueError: x\n'));
		const followed = await service.follow();
		expect(followed.lastLines.at(-1)).toBe('ValueError: x');
	});
});

test('failed steps that nothing can be had of for hours are not asked about without measure', async () => {
	const service = pipeline(180 * MINUTE, 'Failed');
	for (let step = 0; step < 30; step += 1) {
		service.child(`s${step}`, SECOND, MINUTE, 'Failed');
		service.detailFaults.set(`s${step}`, 403);
	}
	await service.follow();
	expect(service.busiestHour).toBeLessThanOrEqual(360);
	expect(service.log.lines.filter((line) => line.startsWith('[gap: the log of step s'))).toHaveLength(30);
});

test('each log of a trial costs one request of the hour', async () => {
	const service = pipeline(20 * SECOND);
	service.job = { type: 'Sweep' };
	for (let trial = 0; trial < 250; trial += 1) service.child(`t${trial}`, SECOND, 10 * SECOND);
	await service.follow();
	expect(service.log.lines.filter((line) => line.startsWith('[not shown'))).toEqual([]);
	expect(service.busiestHour).toBeLessThanOrEqual(360);
});
