import { expect, test } from '@jest/globals';
import { sdkDelay, sdkLooks, sdkWait } from '../../bench/sdk-schedule.ts';

test('a log is looked at every two seconds at first and once a minute from the third minute on', () => {
	const looks = sdkLooks(3_600);
	expect(looks.slice(0, 4)).toEqual([2, 4, 6, 8]);
	const intervals = looks.slice(1).map((look, index) => ({ look, interval: look - (looks[index] ?? 0) }));
	const late = intervals.filter(({ look }) => look > 300);
	expect(late.length).toBeGreaterThan(50);
	expect(late.every(({ interval }) => interval === 59 || interval === 60)).toBe(true);
	expect(looks.at(-1)).toBeGreaterThanOrEqual(3_600);
});

test('a line waits for the next look', () => {
	expect(sdkDelay(3, [2, 4, 6])).toBe(1);
	expect(sdkDelay(4, [2, 4, 6])).toBe(0);
	expect(sdkDelay(7, [2, 4, 6])).toBeNaN();
});

test.each([
	['deployment', 361, 365],
	['deployment', 360, 360],
	['endpoint', 20, 30],
	['endpoint', 30.5, 60],
	['endpoint', 0, 30],
] as const)('a change of a %s of %d seconds is waited for %d', (what, takes, waited) => {
	expect(sdkWait(what, takes)).toBe(waited);
});
