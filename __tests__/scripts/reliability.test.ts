import { describe, expect, test } from '@jest/globals';
import { readResults, type TestResult, tableOf, titleFaults, withTable } from '../../scripts/reliability.ts';
import { CASES, type FaultCase } from '../faults/cases.ts';

const cases: readonly FaultCase[] = [
	[1, 'A-one', 'something', 'all'],
	[2, 'B-two', 'more', 'some'],
];
const result = (fullName: string, status = 'passed'): TestResult => ({
	fullName,
	status,
	file: '__tests__/faults/x.test.ts',
});

test('there are eighty cases, each with a number and a name of its own', () => {
	expect(CASES.map(([number]) => number)).toEqual(Array.from({ length: 80 }, (_, place) => place + 1));
	expect(new Set(CASES.map(([, name]) => name)).size).toBe(80);
});

describe('titles', () => {
	test('are those of the cases', () => {
		expect(
			titleFaults([result('case 1 A-one: holds'), result('case 2 B-two in parts'), result('the judge')], cases),
		).toEqual([]);
	});

	test('that are missing, unknown or of another name are told', () => {
		expect(titleFaults([result('case 1 A-one-more: x'), result('case 7 C: y')], cases)).toEqual([
			'case 1 A-one has no test',
			'case 2 B-two has no test',
			'no such case: case 1 A-one-more: x',
			'no such case: case 7 C: y',
		]);
	});
});

test('a row tells whether all tests of its case have passed', () => {
	const table = tableOf([result('case 1 A-one: x'), result('case 1 A-one: y', 'failed')], cases);
	expect(table.split('\n').slice(2)).toEqual([
		'| 1 | A-one | something | all | [x](../__tests__/faults/x.test.ts) | ❌ 1 of 2 failed |',
		'| 2 | B-two | more | some |  | ❌ no test |',
	]);
	expect(tableOf([result('case 1 A-one: x')], cases)).toContain('| ✅ |');
});

test('the table stands between its markers, once, however often it is written', () => {
	const document = '# x\n<!-- cases:start -->\nold\n<!-- cases:end -->\nafter\n';
	const written = withTable(document, '| t |');
	expect(written).toBe('# x\n<!-- cases:start -->\n\n| t |\n\n<!-- cases:end -->\nafter\n');
	expect(withTable(written, '| t |')).toBe(written);
	expect(() => withTable('# x', '')).toThrow('markers');
});

test('results are read as jest writes them', () => {
	const json = {
		testResults: [
			{
				name: '/r/__tests__/a.test.ts',
				assertionResults: [{ fullName: 'a rollout case 1 A-x: y', status: 'passed', title: 'x' }],
			},
		],
	};
	expect(readResults(JSON.stringify(json), '/r')).toEqual([
		{ fullName: 'case 1 A-x: y', status: 'passed', file: '__tests__/a.test.ts' },
	]);
});
