import { expect, test } from '@jest/globals';
import { duration } from '../src/duration.ts';

test.each([
	[0, '0 s'],
	[-5, '0 s'],
	[499, '0 s'],
	[500, '1 s'],
	[59_400, '59 s'],
	[59_600, '1 min'],
	[80_000, '1 min 20 s'],
	[3_599_600, '1 h'],
	[3_600_000, '1 h'],
	[7_500_000, '2 h 5 min'],
	[7_505_000, '2 h 5 min'],
	[90_000_000, '25 h'],
])('%d ms is %s', (ms, text) => {
	expect(duration(ms)).toBe(text);
});
