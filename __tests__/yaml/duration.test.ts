import { expect, test } from '@jest/globals';
import { isoDuration } from '../../src/yaml/duration.ts';

test.each([
	[0, 'PT0S'],
	[0.5, 'PT0.5S'],
	[1.234, 'PT1.234S'],
	[60, 'PT1M'],
	[100, 'PT1M40S'],
	[3700, 'PT1H1M40S'],
	[7200, 'PT2H'],
	[86_400, 'P1D'],
	[90_061, 'P1DT1H1M1S'],
])('%d seconds are %s', (seconds, expected) => {
	expect(isoDuration(seconds)).toBe(expected);
});
