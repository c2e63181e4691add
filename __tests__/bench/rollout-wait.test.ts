// What the row of the benchmark says of a rollout's waits.
import { expect, test } from '@jest/globals';
import { rolloutWait } from '../../bench/rollout-wait.ts';

const SECOND = 1_000;

test('a rollout waits for the service, for its pauses, and for less than five seconds after each change', async () => {
	const wait = await rolloutWait({ deployment: 361 * SECOND, traffic: 20 * SECOND });
	// One deployment, three changes of traffic, two pauses of five minutes.
	expect(wait.needed).toBe((361 + 3 * 20 + 2 * 300) * SECOND);
	expect(wait.scheduled).toBe((365 + 3 * 30 + 2 * 300) * SECOND);
	expect(wait.idle).toHaveLength(4);
	for (const idle of wait.idle) {
		expect(idle).toBeGreaterThanOrEqual(0);
		expect(idle).toBeLessThanOrEqual(5 * SECOND);
	}
	expect(wait.elapsed - wait.needed).toBe(wait.idle.reduce((sum, idle) => sum + idle, 0));
	expect(wait.elapsed).toBeGreaterThan(wait.needed);
});
