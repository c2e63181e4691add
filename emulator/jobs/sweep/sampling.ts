// How the trials of a sweep get their values: at random, by a low-discrepancy sequence, or all combinations in turn.
// A space is mapped from the unit cube, so that every way of choosing points serves every distribution.

import { type Distribution, SearchSpace, sizeOf, type Value, type Values } from './search-space.ts';

/** A trial that has ended with a value of the primary metric; `cost` is smaller for better ones. */
export interface Observation {
	point: number[];
	cost: number;
}

/** A point of the unit cube and the values it stands for. */
export interface Sample {
	point: number[];
	values: Values;
}

/** Gives the next trials of a sweep, one at a time; `undefined` when there are no others. */
export interface Sampler {
	next(known: readonly Observation[]): Sample | undefined;
}

/** Gives numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** Tells how many numbers from 0 to 1 choose a point of the space: one for each distribution, nested ones included. */
export function dimensionsOf(space: SearchSpace): number {
	let count = 0;
	for (const distribution of space.parameters.values()) {
		count += 1;
		if (distribution.kind !== 'choice') continue;
		for (const option of distribution.options) if (option instanceof SearchSpace) count += dimensionsOf(option);
	}
	return count;
}

/** Gives the values that a point of the unit cube stands for. */
export function valuesAt(space: SearchSpace, point: readonly number[]): Values {
	let at = 0;
	const next = () => Math.min(Math.max(point[at++] ?? 0.5, 0), 1 - 1e-12);
	const skip = (count: number) => {
		at += count;
	};
	return walk(space, next, skip);
}

function walk(space: SearchSpace, next: () => number, skip: (count: number) => void): Values {
	const values: Values = {};
	for (const [name, distribution] of space.parameters) values[name] = drawn(distribution, next, skip);
	return values;
}

function drawn(distribution: Distribution, next: () => number, skip: (count: number) => void): Value {
	const part = next();
	if (distribution.kind === 'randint') return Math.floor(part * distribution.upper);
	if (distribution.kind === 'choice') {
		const chosen = Math.floor(part * distribution.options.length);
		let value: Value = 0;
		// Each option has its own dimensions, so that a point means the same whatever is chosen.
		for (const [index, option] of distribution.options.entries()) {
			if (!(option instanceof SearchSpace)) value = index === chosen ? option : value;
			else if (index === chosen) value = walk(option, next, skip);
			else skip(dimensionsOf(option));
		}
		return value;
	}
	const number =
		distribution.kind === 'uniform'
			? distribution.min + part * (distribution.max - distribution.min)
			: distribution.mu + distribution.sigma * normalQuantile(part);
	const scaled = distribution.log ? Math.exp(number) : number;
	if (distribution.q === undefined) return scaled;
	// The product of a step such as 0.1 has digits that nobody asked for.
	return Number((Math.round(scaled / distribution.q) * distribution.q).toPrecision(12));
}

/** The value below which a standard normal variable falls with this probability (Acklam's approximation). */
export function normalQuantile(probability: number): number {
	const p = Math.min(Math.max(probability, 1e-12), 1 - 1e-12);
	if (p > 0.5) return -normalQuantile(1 - p);
	if (p < 0.02425) {
		const t = Math.sqrt(-2 * Math.log(p));
		return polynomial(TAIL_TOP, t) / polynomial(TAIL_BOTTOM, t);
	}
	const t = p - 0.5;
	return (polynomial(CENTRE_TOP, t * t) * t) / polynomial(CENTRE_BOTTOM, t * t);
}

const CENTRE_TOP = [
	-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const CENTRE_BOTTOM = [
	-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
];
const TAIL_TOP = [
	-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
	2.938163982698783,
];
const TAIL_BOTTOM = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];

function polynomial(coefficients: readonly number[], at: number): number {
	return coefficients.reduce((sum, coefficient) => sum * at + coefficient, 0);
}

/**
 * Samples at random. `rule` `sobol` spreads the points evenly, here by an additive sequence in place of Sobol's. A
 * finite space gives each combination once; whether the service repeats some is not confirmed.
 */
export function randomSampler(space: SearchSpace, random: () => number, rule: string): Sampler {
	const dimensions = dimensionsOf(space);
	const draw = rule.toLowerCase() === 'sobol' ? evenPoints(dimensions, random) : () => cube(dimensions, random);
	const seen = new Set<string>();
	const size = sizeOf(space);
	return {
		next: () => {
			if (seen.size >= size) return undefined;
			for (;;) {
				const point = draw();
				const values = valuesAt(space, point);
				const key = JSON.stringify(values);
				if (seen.has(key) && Number.isFinite(size)) continue;
				seen.add(key);
				return { point, values };
			}
		},
	};
}

/** Gives a point of the unit cube. */
export function cube(dimensions: number, random: () => number): number[] {
	return Array.from({ length: dimensions }, () => random());
}

/** Points of Roberts' additive recurrence, begun at a random place. */
function evenPoints(dimensions: number, random: () => number): () => number[] {
	let root = 1.5;
	for (let turn = 0; turn < 40; turn++) root = (1 + root) ** (1 / (dimensions + 1));
	let point = cube(dimensions, random);
	return () => {
		point = point.map((part, index) => (part + root ** -(index + 1)) % 1);
		return point;
	};
}

/** Gives every combination of a space of choices, the last hyperparameter changing fastest. */
export function gridSampler(space: SearchSpace): Sampler {
	const combinations = combine(space);
	return {
		next: () => {
			const { value, done } = combinations.next();
			return done ? undefined : { point: [], values: value };
		},
	};
}

function* combine(space: SearchSpace): Generator<Values, void> {
	const [first, ...rest] = space.parameters;
	if (first === undefined) {
		yield {};
		return;
	}
	const [name, distribution] = first;
	for (const option of distribution.kind === 'choice' ? distribution.options : []) {
		const values = option instanceof SearchSpace ? combine(option) : [option];
		for (const value of values) {
			for (const others of combine(new SearchSpace(new Map(rest)))) yield { [name]: value, ...others };
		}
	}
}
