import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTraffic, planTraffic, sameTraffic, type TrafficMap, trafficText } from '../../src/endpoint/traffic.ts';

describe('parseTraffic', () => {
	test.each([
		['100', [[100, 0]]],
		['0', [[0, 0]]],
		[
			' 10, 50 ,100 ',
			[
				[10, 0],
				[50, 0],
				[100, 0],
			],
		],
		[
			'10 for 5m, 50 for 10m, 100',
			[
				[10, 300_000],
				[50, 600_000],
				[100, 0],
			],
		],
		[
			'10% for 90s,100 FOR 1.5h',
			[
				[10, 90_000],
				[100, 5_400_000],
			],
		],
		[
			'0 for 1 m, 100',
			[
				[0, 60_000],
				[100, 0],
			],
		],
	])('reads %p', (text, expected) => {
		expect(parseTraffic(text)).toEqual({ steps: expected.map(([percent, hold]) => ({ percent, hold })) });
	});

	test.each([
		['', /an empty step/],
		['10,', /an empty step/],
		['ten', /got "ten"/],
		['10.5', /got "10.5"/],
		['-5', /got "-5"/],
		['101', /from 0 to 100, got 101/],
		['50,10', /rise, got 10 after 50/],
		['10,10', /rise, got 10 after 10/],
		['10 for 5', /units s, m, h/],
		['10 for 5d', /units s, m, h/],
		['10 for 25h', /at most 24h/],
		['10 50 100', /got "10 50 100"/],
	])('refuses %p', (text, message) => {
		expect(parseTraffic(text)).toEqual({ fault: expect.stringMatching(message) });
	});
});

describe('planTraffic', () => {
	test.each<[TrafficMap, string, number, TrafficMap]>([
		[{}, 'blue', 10, { blue: 100 }],
		[{}, 'blue', 0, {}],
		[{ blue: 0 }, 'green', 10, { green: 100 }],
		[{ blue: 100 }, 'green', 10, { blue: 90, green: 10 }],
		[{ blue: 100 }, 'green', 100, { green: 100 }],
		[{ blue: 100 }, 'green', 0, { blue: 100 }],
		[{ blue: 100 }, 'blue', 0, { blue: 100 }],
		[{ blue: 90, green: 10 }, 'green', 50, { blue: 50, green: 50 }],
		[{ blue: 60, green: 40 }, 'red', 10, { blue: 54, green: 36, red: 10 }],
		[{ a: 34, b: 33, c: 33 }, 'd', 50, { a: 17, b: 17, c: 16, d: 50 }],
		[{ a: 50, b: 50 }, 'c', 99, { a: 1, c: 99 }],
		[{ Blue: 100 }, 'blue', 0, { Blue: 100 }],
		[{ Blue: 90, green: 10 }, 'GREEN', 50, { Blue: 50, green: 50 }],
	])('%p, %s to %i', (before, deployment, percent, expected) => {
		expect(planTraffic(before, deployment, percent)).toEqual(expected);
	});

	const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
	// Maps as the service holds them: whole shares that add up to 100, or nothing.
	const map = fc
		.tuple(
			fc.uniqueArray(name, { minLength: 1 }),
			fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 4, maxLength: 4 }),
		)
		.map(([names, cuts]) => {
			const borders = [0, ...cuts.slice(0, names.length - 1).sort((x, y) => x - y), 100];
			return Object.fromEntries(names.map((it, place) => [it, (borders[place + 1] ?? 100) - (borders[place] ?? 0)]));
		});
	const before = fc.oneof(map, fc.constant({} as Record<string, number>));

	test('always makes a map the service takes, with whole positive shares', () => {
		fc.assert(
			fc.property(before, name, fc.integer({ min: 0, max: 100 }), (old, deployment, percent) => {
				const shares = Object.values(planTraffic(old, deployment, percent));
				const sum = shares.reduce((all, share) => all + share, 0);
				expect(shares.every((share) => Number.isInteger(share) && share > 0)).toBe(true);
				expect(sum).toBe(Object.keys(old).length === 0 && percent === 0 ? 0 : 100);
			}),
		);
	});

	test('gives the deployment its share and leaves the others within one percent of their proportions', () => {
		fc.assert(
			fc.property(map, name, fc.integer({ min: 0, max: 100 }), (old, deployment, percent) => {
				const others = Object.entries(old).filter(([it, share]) => it !== deployment && share > 0);
				fc.pre(others.length > 0);
				const plan = planTraffic(old, deployment, percent);
				const sum = others.reduce((all, [, share]) => all + share, 0);
				expect(plan[deployment] ?? 0).toBe(percent);
				for (const [it, share] of others) {
					expect(Math.abs((plan[it] ?? 0) - (share * (100 - percent)) / sum)).toBeLessThan(1);
				}
			}),
		);
	});

	test('does not turn the order of the others round, and planned at the same share changes nothing', () => {
		fc.assert(
			fc.property(map, name, fc.integer({ min: 0, max: 100 }), (old, deployment, percent) => {
				const plan = planTraffic(old, deployment, percent);
				const others = Object.keys(old).filter((it) => it !== deployment);
				for (const one of others) {
					for (const other of others) {
						if ((old[one] ?? 0) > (old[other] ?? 0)) expect(plan[one] ?? 0).toBeGreaterThanOrEqual(plan[other] ?? 0);
					}
				}
				expect(sameTraffic(planTraffic(plan, deployment, plan[deployment] ?? 0), plan)).toBe(true);
			}),
		);
	});
});

test('a share of 0 is the same as none', () => {
	expect(sameTraffic({ blue: 100, green: 0 }, { blue: 100 })).toBe(true);
	expect(sameTraffic({ blue: 100 }, { green: 100 })).toBe(false);
	expect(sameTraffic({ Blue: 100 }, { blue: 100 })).toBe(true);
	expect(trafficText({ blue: 90, green: 10, red: 0 })).toBe('blue 90 %, green 10 %');
	expect(trafficText({})).toBe('none');
});
