import { expect, test } from '@jest/globals';
import { growthChart } from '../../bench/chart.ts';

test('a chart has its points in order and the power of the growth in its title', () => {
	const chart = growthChart(
		[
			{ size: 10, cost: 1 },
			{ size: 1_000, cost: 100 },
		],
		{ title: 'Requests grow to the power of', cost: (cost) => `${cost} r`, things: 'trials' },
	);
	expect(chart).toContain('aria-label="Requests grow to the power of 1.00"');
	expect(chart).toContain('>100 r</text>');
	expect(chart).toContain('>1,000 trials</text>');
	const places = [...chart.matchAll(/cx="(\d+)" cy="(\d+)"/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
	expect(places).toHaveLength(2);
	expect(places[0]?.[0]).toBeLessThan(places[1]?.[0] ?? 0);
	expect(places[0]?.[1]).toBeGreaterThan(places[1]?.[1] ?? 0);
});
