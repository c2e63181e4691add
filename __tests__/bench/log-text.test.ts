// That the log of the benchmark has in it what costs.
import { expect, test } from '@jest/globals';
import { logText, SECRETS } from '../../bench/log-text.ts';

test('the log holds commands, secrets, colours, bars, long lines and letters of many kinds', () => {
	const log = logText(4_000_000);
	expect(log.length).toBeGreaterThanOrEqual(4_000_000);
	expect(log.equals(logText(4_000_000))).toBe(true);
	const text = log.toString();
	expect(text.endsWith('\n')).toBe(true);
	for (const secret of SECRETS) expect(text).toContain(secret);
	expect(text).toMatch(/^::error /m);
	expect(text).toMatch(/^##\[group\]/m);
	expect(text).toContain('\u001b[32m');
	expect(text).toContain('\r');
	expect(text).toContain('学');
	const lengths = text.split('\n').map((line) => line.length);
	expect(lengths.reduce((most, length) => Math.max(most, length), 0)).toBeGreaterThan(100_000);
});
