// What the row of the benchmark says of many runs below one job.
import { expect, test } from '@jest/globals';
import { childrenCost, childrenGrowth } from '../../bench/children-cost.ts';

test('the list of runs is asked for by its pages, and nothing else grows with their number', async () => {
	const costs = [await childrenCost('Sweep', 10), await childrenCost('Sweep', 100), await childrenCost('Sweep', 101)];
	expect(costs.map(({ perLook }) => perLook)).toEqual([1, 1, 2]);
	expect(costs.map(({ pages }) => pages)).toEqual([1, 1, 2]);
	expect(new Set(costs.map(({ othersAnHour }) => Math.round(othersAnHour / 2))).size).toBe(1);
	// Twice the pages half as often.
	expect((costs[2]?.interval ?? 0) / (costs[0]?.interval ?? 1)).toBeCloseTo(2, 1);
	expect(Math.max(...costs.map(({ busiestHour }) => busiestHour))).toBeLessThanOrEqual(360);
});

test('steps are listed by their pages too', async () => {
	const cost = await childrenCost('Pipeline', 201);
	expect(cost).toMatchObject({ size: 201, pages: 3, perLook: 3 });
	expect(cost.busiestHour).toBeLessThanOrEqual(360);
});

test('growth is the power of the number of runs', () => {
	const like = { pages: 1, interval: 1, othersAnHour: 1, busiestHour: 1 };
	const grown = [100, 1_000].map((size) => ({ ...like, size, perLook: size / 100 }));
	expect(childrenGrowth(grown)).toBeCloseTo(1);
	expect(childrenGrowth(grown.map((one) => ({ ...one, perLook: 1 })))).toBeCloseTo(0);
});
