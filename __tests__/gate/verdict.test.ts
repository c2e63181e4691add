import { describe, expect, test } from '@jest/globals';
import { type Gate, parseGate } from '../../src/gate/grammar.ts';
import { type ChampionValue, failureText, judge } from '../../src/gate/verdict.ts';

function gate(line: string): Gate {
	const read = parseGate(line);
	if ('fault' in read) throw new Error(read.fault);
	return read.gate;
}

const passes = (line: string, value: number | undefined, champion?: ChampionValue): boolean =>
	judge(gate(line), value, undefined, champion).passed;

describe('a value', () => {
	test.each<[string, number[], number[]]>([
		['m >= 1', [1, 2], [0.999]],
		['m > 1', [1.001], [1, 0]],
		['m <= 1', [1, -5], [1.001]],
		['m < 1', [0.999], [1, 2]],
		['m == 1', [1], [1.001, 0]],
		['m != 1', [0], [1]],
	])('%s', (line, good, bad) => {
		expect(good.map((value) => passes(line, value))).toEqual(good.map(() => true));
		expect(bad.map((value) => passes(line, value))).toEqual(bad.map(() => false));
	});

	test.each(['m >= 0', 'm <= 0', 'm != 0', 'm >= champion'])('that is none never passes %s', (line) => {
		for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined]) {
			expect(passes(line, value, { label: 'iris:1', value: 0 })).toBe(false);
			expect(passes(line, value, { none: 'There is none.' })).toBe(false);
		}
	});
});

describe('the champion', () => {
	const iris = (value: number): ChampionValue => ({ label: 'iris:3', value });

	test('is what is needed, and said', () => {
		expect(judge(gate('m > champion'), 0.9, undefined, iris(0.9))).toEqual({
			gate: 'm > champion',
			metric: 'm',
			value: 0.9,
			needed: '> 0.9 (champion iris:3 has 0.9)',
			passed: false,
		});
		expect(passes('m >= champion', 0.9, iris(0.9))).toBe(true);
	});

	test('leaves a tolerance, without the noise of the last bit', () => {
		expect(0.3 - 0.1).not.toBe(0.2);
		expect(passes('m >= champion + 0.2', 0.3, iris(0.1))).toBe(true);
		expect(passes('m >= champion - 0.005', 0.895, iris(0.9))).toBe(true);
		expect(passes('m >= champion - 0.005', 0.894, iris(0.9))).toBe(false);
		expect(passes('m <= champion + 1', 4.1, iris(3))).toBe(false);
	});

	test('that is not there yet is beaten by every value, which is said', () => {
		expect(judge(gate('m >= champion - 1'), 0, undefined, { none: 'No version yet.' })).toMatchObject({
			passed: true,
			needed: '>= champion - 1',
			why: 'No version yet.',
		});
	});

	test('without the metric is beaten by none', () => {
		const verdict = judge(gate('m >= champion'), 1, undefined, { label: 'iris:3', missing: 'It has a, b.' });
		expect(verdict).toMatchObject({ passed: false, why: 'It has a, b.' });
		expect(failureText(verdict)).toBe('m is 1, needed >= champion. It has a, b.');
	});
});

test('a missing metric is told with what there is', () => {
	const verdict = judge(gate('m >= 1'), undefined, 'The job has a, b.', undefined);
	expect(failureText(verdict)).toBe('m is missing, needed >= 1. The job has a, b.');
});
