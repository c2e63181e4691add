// What the row of the benchmark says of an hour of following.
import { expect, test } from '@jest/globals';
import { logCost } from '../../bench/log-cost.ts';

test('an hour of a log is shown within a second or so, fetched once, and asks the service seldom', async () => {
	const cost = await logCost(1);
	expect(cost.lines).toBeGreaterThan(1_500);
	expect(cost.delay).toBeGreaterThan(100);
	expect(cost.delay).toBeLessThan(1_500);
	expect(cost.fetched).toBeGreaterThanOrEqual(1);
	expect(cost.fetched).toBeLessThanOrEqual(1.05);
	// Once a second.
	expect(cost.looks).toBeGreaterThan(3_000);
	expect(cost.looks).toBeLessThan(3_700);
	expect(cost.requests).toBeGreaterThan(100);
	expect(cost.requests).toBeLessThanOrEqual(360);
	// About sixty looks, each at half of the log on average.
	expect(cost.scheduledRequests).toBeGreaterThan(60);
	expect(cost.scheduledFetched).toBeGreaterThan(25);
	expect(cost.scheduledFetched).toBeLessThan(35);
	expect(cost.scheduledDelay).toBeGreaterThan(25_000);
});
