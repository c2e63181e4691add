// The search space of a sweep: what a client sends, read into distributions. How values are drawn is in sampling.ts.

import { isObject, type Json, textOf } from '../../arm/call.ts';

/** One value of a hyperparameter; a nested choice gives an object of them. */
export type Value = number | string | boolean | { [name: string]: Value };

/** The values of one trial by the names of the hyperparameters. */
export type Values = Record<string, Value>;

/** A list of values, each as likely as the others; an object among them is a search space of its own. */
export interface Choice {
	kind: 'choice';
	options: (Value | SearchSpace)[];
}

/** A whole number from 0 up to, and without, `upper`. */
export interface RandInt {
	kind: 'randint';
	upper: number;
}

/** Numbers between two bounds; the bounds of `log` ones are exponents of e. `q` is the step that values are rounded to. */
export interface Uniform {
	kind: 'uniform';
	log: boolean;
	min: number;
	max: number;
	q?: number;
}

/** Normally distributed numbers; of `log` ones the logarithm is. */
export interface Normal {
	kind: 'normal';
	log: boolean;
	mu: number;
	sigma: number;
	q?: number;
}

/** How the values of one hyperparameter are distributed. */
export type Distribution = Choice | RandInt | Uniform | Normal;

/** The hyperparameters of a sweep, or of one option of a choice. A class, so that it differs from an object of values. */
export class SearchSpace {
	readonly parameters: ReadonlyMap<string, Distribution>;

	/** `parameters` are in the order in which the client wrote them. */
	constructor(parameters: ReadonlyMap<string, Distribution>) {
		this.parameters = parameters;
	}
}

/** A search space that cannot be read; the message names the hyperparameter. */
export class SearchSpaceError extends Error {}

/** The arguments of each distribution, by position in a sweep job and by name in a pipeline's sweep node. */
const ARGUMENTS: Record<string, string[]> = {
	choice: ['values'],
	randint: ['upper'],
	uniform: ['min_value', 'max_value'],
	quniform: ['min_value', 'max_value', 'q'],
	loguniform: ['min_value', 'max_value'],
	qloguniform: ['min_value', 'max_value', 'q'],
	normal: ['mu', 'sigma'],
	qnormal: ['mu', 'sigma', 'q'],
	lognormal: ['mu', 'sigma'],
	qlognormal: ['mu', 'sigma', 'q'],
};

/** Reads a search space in either of its forms. Throws `SearchSpaceError` for what is none. */
export function readSearchSpace(given: unknown): SearchSpace {
	if (!isObject(given)) throw new SearchSpaceError('The search space is not an object of hyperparameters.');
	return new SearchSpace(new Map(Object.entries(given).map(([name, one]) => [name, readDistribution(name, one)])));
}

/** Tells how many different combinations a space holds; `Infinity` when a number of it is continuous or unbounded. */
export function sizeOf(space: SearchSpace): number {
	let size = 1;
	for (const distribution of space.parameters.values()) size *= countOf(distribution);
	return size;
}

function countOf(distribution: Distribution): number {
	if (distribution.kind === 'randint') return distribution.upper;
	if (distribution.kind !== 'choice') return Number.POSITIVE_INFINITY;
	return distribution.options.reduce<number>(
		(sum, option) => sum + (option instanceof SearchSpace ? sizeOf(option) : 1),
		0,
	);
}

function readDistribution(name: string, given: unknown): Distribution {
	const [kind, parts] = partsOf(given);
	const names = kind === undefined ? undefined : ARGUMENTS[kind];
	if (kind === undefined || names === undefined) {
		throw new SearchSpaceError(
			`The hyperparameter ${name} has no distribution that is known. Use one of ${Object.keys(ARGUMENTS).join(', ')}.`,
		);
	}
	if (kind === 'choice') return { kind, options: readOptions(name, parts.get('values')) };
	const numbers = names.map((argument) => numberOf(name, kind, argument, parts.get(argument)));
	if (kind === 'randint') return { kind, upper: numbers[0] ?? 1 };
	const [first = 0, second = 0, q] = numbers;
	const rounded = q === undefined ? {} : { q };
	const log = kind.includes('log');
	if (kind.endsWith('normal')) return { kind: 'normal', log, mu: first, sigma: second, ...rounded };
	if (first > second)
		throw new SearchSpaceError(`The bounds of ${name} are the wrong way round: ${first} > ${second}.`);
	return { kind: 'uniform', log, min: first, max: second, ...rounded };
}

/** Takes both forms apart: `["uniform",[0,1]]`, and `{"type":"uniform","min_value":0,"max_value":1}`. */
function partsOf(given: unknown): [string | undefined, Map<string, unknown>] {
	if (Array.isArray(given)) {
		const kind = textOf(given[0])?.toLowerCase();
		const values = Array.isArray(given[1]) ? given[1] : [];
		return [kind, new Map((ARGUMENTS[kind ?? ''] ?? []).map((argument, index) => [argument, values[index]]))];
	}
	if (!isObject(given)) return [undefined, new Map()];
	const { type, ...rest } = given;
	return [textOf(type)?.toLowerCase(), new Map(Object.entries(rest))];
}

function readOptions(name: string, given: unknown): Choice['options'] {
	if (!Array.isArray(given) || given.length === 0) {
		throw new SearchSpaceError(`The choice of ${name} has no values. Give at least one.`);
	}
	return given.map((option: unknown) => (isObject(option) ? readOption(name, option) : plain(name, option)));
}

/** An object among the values of a choice: a nested search space whose plain members are constants. */
function readOption(name: string, option: Json): SearchSpace {
	const members = Object.entries(option).map(([member, value]): [string, Distribution] => {
		const isNested = Array.isArray(value) || isObject(value);
		const path = `${name}.${member}`;
		return [member, isNested ? readDistribution(path, value) : { kind: 'choice', options: [plain(path, value)] }];
	});
	return new SearchSpace(new Map(members));
}

function plain(name: string, value: unknown): Value {
	if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
	throw new SearchSpaceError(`A value of ${name} is neither a number, a text nor a truth value.`);
}

function numberOf(name: string, kind: string, argument: string, given: unknown): number {
	const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
	if (typeof number === 'number' && Number.isFinite(number)) return number;
	throw new SearchSpaceError(`The ${kind} distribution of ${name} lacks the number ${argument}.`);
}
