import { describe, expect, test } from '@jest/globals';
import { bayesianSampler, fitSurrogate } from '../../../emulator/jobs/sweep/bayesian.ts';
import {
	dimensionsOf,
	gridSampler,
	normalQuantile,
	type Observation,
	randomSampler,
	type Sampler,
	seededRandom,
	valuesAt,
} from '../../../emulator/jobs/sweep/sampling.ts';
import { readSearchSpace, SearchSpaceError, sizeOf, type Values } from '../../../emulator/jobs/sweep/search-space.ts';
import { fillSearchSpace, valuesAsTag } from '../../../emulator/jobs/sweep/values.ts';

const EVERY = {
	c: ['choice', [[0.1, 1, 'a', 'true']]],
	ri: ['randint', [100]],
	u: ['uniform', [0, 1.5]],
	qu: ['quniform', [1, 100, 5]],
	lu: ['loguniform', [-6, -1]],
	qlu: ['qloguniform', [1, 3, 1]],
	n: ['normal', [0, 1]],
	qn: ['qnormal', [10, 2.5, 1]],
	ln: ['lognormal', [0.5, 1]],
	qln: ['qlognormal', [1, 1, 2]],
};

function all(sampler: Sampler, most = 1000): Values[] {
	const samples: Values[] = [];
	for (let sample = sampler.next([]); sample && samples.length < most; sample = sampler.next([])) {
		samples.push(sample.values);
	}
	return samples;
}

const numbers = (samples: Values[], name: string) => samples.map((values) => Number(values[name]));

describe('the search space', () => {
	test('is the same in the form of a job and in that of a pipeline node', () => {
		const ofNode = {
			lr: { type: 'loguniform', min_value: -6, max_value: '-1' },
			q: { type: 'qnormal', mu: 1, sigma: 2, q: 0.5 },
			k: { type: 'choice', values: ['rbf', 3] },
			r: { type: 'randint', upper: 7 },
		};
		const ofJob = {
			lr: ['loguniform', [-6, -1]],
			q: ['qnormal', [1, 2, 0.5]],
			k: ['choice', [['rbf', 3]]],
			r: ['randint', [7]],
		};
		expect(readSearchSpace(ofNode)).toEqual(readSearchSpace(ofJob));
		expect(sizeOf(readSearchSpace({ k: ofJob.k, r: ofJob.r }))).toBe(14);
		expect(sizeOf(readSearchSpace(ofJob))).toBe(Number.POSITIVE_INFINITY);
	});

	test.each([
		[{ x: ['beta', [1, 2]] }, /hyperparameter x .* choice, randint/],
		[{ x: ['uniform', [1]] }, /uniform distribution of x lacks the number max_value/],
		[{ x: ['uniform', [2, 1]] }, /bounds of x are the wrong way round/],
		[{ x: ['choice', [[]]] }, /choice of x has no values/],
		[{ x: ['choice', [[null]]] }, /value of x/],
	])('that cannot be is refused: %j', (given, message) => {
		expect(() => readSearchSpace(given)).toThrow(SearchSpaceError);
		expect(() => readSearchSpace(given)).toThrow(message);
	});
});

describe('random sampling', () => {
	const space = readSearchSpace(EVERY);
	const samples = all(randomSampler(space, seededRandom(1), 'random'), 400);

	test('gives the same values for the same seed only', () => {
		expect(all(randomSampler(space, seededRandom(1), 'random'), 400)).toEqual(samples);
		expect(all(randomSampler(space, seededRandom(2), 'random'), 3)).not.toEqual(samples.slice(0, 3));
	});

	test('stays in the bounds of each distribution, and fills them', () => {
		const spans = (name: string) => [Math.min(...numbers(samples, name)), Math.max(...numbers(samples, name))];
		const within = (name: string, low: number, high: number) => {
			const [least = 0, most = 0] = spans(name);
			expect(least).toBeGreaterThanOrEqual(low);
			expect(most).toBeLessThanOrEqual(high);
			expect(most - least).toBeGreaterThan((high - low) * 0.8);
		};
		within('u', 0, 1.5);
		within('ri', 0, 99);
		within('qu', 0, 100);
		within('lu', Math.exp(-6), Math.exp(-1));
		within('qlu', 3, 20);
		expect(new Set(samples.map((values) => values['c']))).toEqual(new Set([0.1, 1, 'a', 'true']));
		expect(numbers(samples, 'ri').every(Number.isInteger)).toBe(true);
		expect(numbers(samples, 'qu').every((value) => value % 5 === 0)).toBe(true);
		expect(numbers(samples, 'qln').every((value) => value % 2 === 0 && value >= 0)).toBe(true);
	});

	test('is normal where it says so', () => {
		const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
		const deviation = (values: number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
		expect(mean(numbers(samples, 'qn'))).toBeCloseTo(10, 0);
		expect(deviation(numbers(samples, 'qn'))).toBeCloseTo(2.5, 0);
		const logs = numbers(samples, 'ln').map(Math.log);
		expect([mean(logs), deviation(logs)].map((value) => Math.round(value * 2) / 2)).toEqual([0.5, 1]);
		// From a table of the standard normal distribution.
		for (const [p, z] of [
			[0.5, 0],
			[0.975, 1.959964],
			[0.01, -2.326348],
			[0.999, 3.090232],
		] as const) {
			expect(normalQuantile(p)).toBeCloseTo(z, 5);
		}
	});

	test('gives each combination of a finite space once, then no more', () => {
		const finite = readSearchSpace({ a: ['choice', [[1, 2, 3]]], b: ['choice', [['x', 'y']]] });
		const drawn = all(randomSampler(finite, seededRandom(3), 'random'));
		expect(new Set(drawn.map((values) => JSON.stringify(values))).size).toBe(6);
		expect(drawn).toHaveLength(6);
	});

	test('by the rule sobol spreads the points evenly', () => {
		const line = readSearchSpace({ u: ['uniform', [0, 16]] });
		const cells = new Set(numbers(all(randomSampler(line, seededRandom(9), 'sobol'), 26), 'u').map(Math.floor));
		expect(cells.size).toBe(16);
	});
});

describe('a nested choice', () => {
	const given = {
		lr: ['uniform', [0, 1]],
		model: [
			'choice',
			[
				[
					{ kind: 'svm', c: ['uniform', [0.1, 10]] },
					{ kind: 'tree', depth: ['choice', [[2, 4]]] },
				],
			],
		],
	};

	test('has dimensions of its own for each option, and only the members of the chosen one', () => {
		const space = readSearchSpace(given);
		expect(dimensionsOf(space)).toBe(6);
		expect(valuesAt(space, [0.5, 0.1, 0, 1, 0, 0])['model']).toEqual({ kind: 'svm', c: expect.closeTo(10) });
		expect(valuesAt(space, [0.5, 0.9, 0, 1, 0, 0.6])['model']).toEqual({ kind: 'tree', depth: 4 });
	});

	test('of choices is a grid', () => {
		const space = readSearchSpace({
			m: ['choice', [[{ k: 'a', d: ['choice', [[2, 4]]] }, 'plain']]],
			z: ['choice', [[0, 1]]],
		});
		expect(sizeOf(space)).toBe(6);
		expect(all(gridSampler(space)).map((values) => valuesAsTag(values))).toEqual([
			'{"m": {"d": 2, "k": "a"}, "z": 0}',
			'{"m": {"d": 2, "k": "a"}, "z": 1}',
			'{"m": {"d": 4, "k": "a"}, "z": 0}',
			'{"m": {"d": 4, "k": "a"}, "z": 1}',
			'{"m": "plain", "z": 0}',
			'{"m": "plain", "z": 1}',
		]);
	});

	test('is written into a command whole or by its members', () => {
		const filled = fillSearchSpace(
			"t '${{search_space.m}}' ${{ search_space.m.k }} ${{search_space.lr}} ${{inputs.x}}",
			{
				m: { k: 'a', d: 2 },
				lr: 0.001,
			},
		);
		expect(filled).toBe(`t '{"d": 2, "k": "a"}' a 0.001 \${{inputs.x}}`);
	});
});

describe('Bayesian sampling', () => {
	const space = readSearchSpace({ x: ['uniform', [0, 1]], y: ['uniform', [0, 1]] });
	const cost = (values: Values) => (Number(values['x']) - 0.3) ** 2 + (Number(values['y']) - 0.7) ** 2;

	/** The best cost after so many trials. */
	function search(sampler: Sampler, trials: number): number {
		const known: Observation[] = [];
		for (let trial = 0; trial < trials; trial++) {
			const sample = sampler.next(known);
			if (sample) known.push({ point: sample.point, cost: cost(sample.values) });
		}
		return Math.min(...known.map((one) => one.cost));
	}

	test('comes nearer to the optimum than chance does', () => {
		const seeds = [1, 2, 3, 4, 5, 6];
		const bayesian = seeds.map((seed) => search(bayesianSampler(space, seededRandom(seed)), 25));
		const random = seeds.map((seed) => search(randomSampler(space, seededRandom(seed), 'random'), 25));
		const middle = (costs: number[]) => costs.toSorted((one, other) => one - other)[3] ?? 1;
		expect(middle(bayesian)).toBeLessThan(middle(random) / 4);
	});

	test('knows what it has seen, and is unsure elsewhere', () => {
		const model = fitSurrogate([
			{ point: [0.1, 0.1], cost: 4 },
			{ point: [0.9, 0.9], cost: 2 },
		]);
		expect(model.predict([0.1, 0.1]).mean).toBeCloseTo(4, 2);
		expect(model.predict([0.9, 0.9]).deviation).toBeLessThan(0.05);
		expect(model.predict([0.1, 0.9]).deviation).toBeGreaterThan(0.5);
		expect(model.expectedImprovement([0.1, 0.1])).toBeLessThan(model.expectedImprovement([0.8, 0.9]));
	});

	test('gives each combination of a finite space once', () => {
		const finite = readSearchSpace({ a: ['choice', [[1, 2, 3, 4]]], b: ['choice', [['x', 'y']]] });
		const sampler = bayesianSampler(finite, seededRandom(5));
		const known: Observation[] = [];
		const seen: string[] = [];
		for (let sample = sampler.next(known); sample; sample = sampler.next(known)) {
			seen.push(JSON.stringify(sample.values));
			known.push({ point: sample.point, cost: Number(sample.values['a']) });
		}
		expect([seen.length, new Set(seen).size]).toEqual([8, 8]);
	});
});
