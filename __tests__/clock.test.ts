import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../src/clock.ts';

describe('the machine’s clock', () => {
	test('sleeps no shorter than asked', async () => {
		const started = systemClock.now();
		await systemClock.sleep(5);
		// A timer may fire a fraction of a millisecond early by the clock of the day.
		expect(systemClock.now() - started).toBeGreaterThanOrEqual(4);
	});

	test('is woken by a signal, with its own reason', async () => {
		const stop = new AbortController();
		const reason = new Error('cancelled');
		const sleeping = systemClock.sleep(60_000, stop.signal);
		stop.abort(reason);
		await expect(sleeping).rejects.toBe(reason);
		await expect(systemClock.sleep(60_000, stop.signal)).rejects.toBe(reason);
	});

	test('gives chance from 0 to 1', () => {
		const random = systemClock.random();
		expect(random >= 0 && random < 1).toBe(true);
	});
});
