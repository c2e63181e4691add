import { describe, expect, test } from '@jest/globals';
import { readArguments } from '../../scripts/golden.ts';
import { improvements, regressions, updated } from '../../scripts/golden-baseline.ts';

const result = (kind: string, name: string, passed: boolean) => ({ kind, case: name, passed });

describe('readArguments', () => {
	test('keeps its own and passes the rest on, in order', () => {
		expect(readArguments(['--kind', 'job', '--baseline', 'b.json', '--update', '--verbose'])).toEqual({
			baseline: 'b.json',
			update: true,
			passedOn: ['--kind', 'job', '--verbose'],
		});
		expect(readArguments(['--kind', 'job'])).toEqual({
			baseline: undefined,
			update: false,
			passedOn: ['--kind', 'job'],
		});
	});

	test.each([[['--baseline']], [['--baseline', '--kind', 'job']]])('asks for the file in %j', (args) => {
		expect(() => readArguments(args)).toThrow(/needs the name of a file/);
	});
});

describe('the baseline', () => {
	const baseline = { 'job:command': ['a', 'b'], model: ['m'] };

	test('is lost by a case that fails or is not there any more, but not by a kind that was not run', () => {
		expect(regressions(baseline, [result('job:command', 'a', true), result('job:command', 'b', true)])).toEqual([]);
		expect(regressions(baseline, [result('job:command', 'a', false), result('job:command', 'b', true)])).toEqual(['a']);
		expect(regressions(baseline, [result('job:command', 'a', true)])).toEqual(['b']);
	});

	test('counts what passes beyond it', () => {
		const results = [result('job:command', 'a', true), result('job:command', 'c', true), result('data', 'd', true)];
		expect(improvements(baseline, results)).toBe(2);
		expect(improvements(baseline, [result('data', 'd', false)])).toBe(0);
	});

	test('is replaced for the kinds that were run, sorted, and kept for the others', () => {
		const results = [
			result('job:command', 'z', true),
			result('job:command', 'c', true),
			result('job:command', 'a', false),
		];
		expect(updated(baseline, results)).toEqual({ 'job:command': ['c', 'z'], model: ['m'] });
	});
});
