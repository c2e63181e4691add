// The fuzzer finds what is there to be found, the same for the same seed; and what it tries holds for the inputs it begins with.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mutate, shrink } from '../../scripts/fuzz/mutate.ts';
import { TARGETS, type Target, textsOf } from '../../scripts/fuzz/targets.ts';
import { faultOf, fuzz } from '../../scripts/fuzz.ts';
import { chanceOf } from '../job/log-scene.ts';

/** A parser with a fault that no short text by chance would hit. */
const planted: Target = {
	name: 'planted',
	corpus: ['aaaa'],
	words: ['b'],
	check: (input) => {
		if (/ab{3}a*b/.test(input.toString())) throw new Error('three in a row');
	},
};

describe('the fuzzer', () => {
	test('finds a fault, and gives the smallest input that has it', () => {
		const { find } = fuzz(planted, 20_000, 1);
		expect(find).toMatchObject({ target: 'planted', why: 'Error: three in a row' });
		expect(find?.input.toString()).toBe('abbbb');
	});

	test('finds by bytes what no text can hold', () => {
		const check = (input: Buffer): void => {
			if (input.includes(0xff)) throw new Error('no UTF-8');
		};
		expect(fuzz({ ...planted, check }, 20_000, 1).find?.input).toEqual(Buffer.from([0xff]));
	});

	test('finds nothing where nothing is', () => {
		const tried = fuzz({ ...planted, check: () => {} }, 200, 1);
		expect(tried.find).toBeUndefined();
		expect(tried.texts).toBeGreaterThan(0);
		expect(tried.bytes).toBeGreaterThan(0);
	});

	test('makes the same inputs of the same seed, and small enough ones', () => {
		const inputsOf = (seed: number): string[] => {
			const chance = chanceOf(seed);
			const some = [Buffer.from('one'), Buffer.from('two: [3]')];
			return Array.from({ length: 200 }, () => mutate(some[0] as Buffer, some, some, chance).toString('hex'));
		};
		expect(inputsOf(7)).toEqual(inputsOf(7));
		expect(inputsOf(7)).not.toEqual(inputsOf(8));
		expect(Math.max(...inputsOf(7).map((hex) => hex.length / 2))).toBeLessThanOrEqual(4 * 1024);
	});

	test('leaves out whatever does not matter', () => {
		const fails = (bytes: Buffer): boolean => bytes.includes('x') && bytes.includes('y');
		expect(shrink(Buffer.from('aaxbbbbbbycc'), fails).toString()).toBe('xy');
		expect(shrink(Buffer.alloc(0), () => true)).toHaveLength(0);
	});
});

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (_, target) => {
	test('holds for what the fuzzer begins with', () => {
		expect(target.corpus.length).toBeGreaterThan(0);
		const faults = target.corpus.map((text) => faultOf(target, Buffer.from(text)));
		expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
	});

	test('holds for texts of its kind', () => {
		fc.assert(
			fc.property(textsOf(target), (text) => expect(faultOf(target, Buffer.from(text))).toBeUndefined()),
			{ numRuns: 300 },
		);
	});
});
