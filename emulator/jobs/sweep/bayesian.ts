// Bayesian sampling: a Gaussian process over the trials so far, and the most promising of many random points as the next.
// A simple surrogate with one fixed length scale; the service's own is not published.

import { cube, dimensionsOf, type Observation, randomSampler, type Sampler, valuesAt } from './sampling.ts';
import { type SearchSpace, sizeOf } from './search-space.ts';

/** Trials at random before the surrogate is asked. */
const FIRST = 5;
const CANDIDATES = 256;
const LENGTH_SCALE = 0.25;
const NOISE = 1e-4;

/** Samples where the expected improvement over the best trial so far is greatest. */
export function bayesianSampler(space: SearchSpace, random: () => number): Sampler {
	const atRandom = randomSampler(space, random, 'random');
	const dimensions = dimensionsOf(space);
	const isCountable = Number.isFinite(sizeOf(space));
	const seen = new Set<string>();
	return {
		next: (known) => {
			const usable = known.filter((one) => Number.isFinite(one.cost) && one.point.length === dimensions);
			if (usable.length < FIRST) {
				const sample = atRandom.next(known);
				if (sample) seen.add(JSON.stringify(sample.values));
				return sample;
			}
			const model = fitSurrogate(usable);
			const candidates = Array.from({ length: CANDIDATES }, () => cube(dimensions, random))
				.map((point) => ({ point, values: valuesAt(space, point), gain: model.expectedImprovement(point) }))
				.filter((one) => !isCountable || !seen.has(JSON.stringify(one.values)));
			const best = candidates.reduce<(typeof candidates)[number] | undefined>(
				(better, one) => (better === undefined || one.gain > better.gain ? one : better),
				undefined,
			);
			if (best) seen.add(JSON.stringify(best.values));
			return best && { point: best.point, values: best.values };
		},
	};
}

/** A Gaussian process that knows the observations. */
export interface Surrogate {
	/** The cost to expect at a point, and how uncertain that is, as a standard deviation. */
	predict(point: readonly number[]): { mean: number; deviation: number };
	/** How much less than the best cost so far a point promises; never negative. */
	expectedImprovement(point: readonly number[]): number;
}

/** Fits a Gaussian process with a squared exponential kernel to at least one observation. */
export function fitSurrogate(known: readonly Observation[]): Surrogate {
	const costs = known.map((one) => one.cost);
	const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
	const spread = Math.sqrt(costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / costs.length) || 1;
	const targets = costs.map((cost) => (cost - mean) / spread);
	const points = known.map((one) => one.point);
	const covariance = points.map((one, row) =>
		points.map((other, column) => kernel(one, other) + (row === column ? NOISE : 0)),
	);
	const factor = cholesky(covariance);
	const weights = solveTransposed(factor, solve(factor, targets));
	const predict = (point: readonly number[]) => {
		const near = points.map((other) => kernel(point, other));
		const explained = solve(factor, near);
		const variance = Math.max(1 - dot(explained, explained), 1e-12);
		return { mean: mean + spread * dot(near, weights), deviation: spread * Math.sqrt(variance) };
	};
	const best = Math.min(...costs);
	return {
		predict,
		expectedImprovement: (point) => {
			const expected = predict(point);
			const z = (best - expected.mean) / expected.deviation;
			const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
			return Math.max(0, (best - expected.mean) * normalCumulative(z) + expected.deviation * density);
		},
	};
}

function kernel(one: readonly number[], other: readonly number[]): number {
	const distance = one.reduce((sum, part, index) => sum + (part - (other[index] ?? 0)) ** 2, 0);
	return Math.exp(-distance / (2 * LENGTH_SCALE ** 2));
}

/** The lower triangle whose product with its transpose is the matrix, row by row. */
function cholesky(matrix: number[][]): number[][] {
	const lower: number[][] = [];
	for (const [row, values] of matrix.entries()) {
		const line: number[] = [];
		for (let column = 0; column <= row; column++) {
			const above = lower[column] ?? line;
			const rest = (values[column] ?? 0) - dot(line.slice(0, column), above.slice(0, column));
			line.push(column === row ? Math.sqrt(Math.max(rest, 1e-12)) : rest / (above[column] ?? 1));
		}
		lower.push(line);
	}
	return lower;
}

function solve(lower: number[][], right: readonly number[]): number[] {
	const solution: number[] = [];
	for (const [row, line] of lower.entries()) {
		solution.push(((right[row] ?? 0) - dot(line.slice(0, row), solution)) / (line[row] ?? 1));
	}
	return solution;
}

function solveTransposed(lower: number[][], right: readonly number[]): number[] {
	const solution = new Array<number>(right.length).fill(0);
	for (let row = right.length - 1; row >= 0; row--) {
		let rest = right[row] ?? 0;
		for (let below = row + 1; below < right.length; below++)
			rest -= (lower[below]?.[row] ?? 0) * (solution[below] ?? 0);
		solution[row] = rest / (lower[row]?.[row] ?? 1);
	}
	return solution;
}

function dot(one: readonly number[], other: readonly number[]): number {
	return one.reduce((sum, part, index) => sum + part * (other[index] ?? 0), 0);
}

/** How likely a standard normal variable is below `z` (Zelen and Severo's approximation, good to 1e-7). */
function normalCumulative(z: number): number {
	const t = 1 / (1 + 0.2316419 * Math.abs(z));
	const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
	const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
	return z >= 0 ? 1 - tail : tail;
}
