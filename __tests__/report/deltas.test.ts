import { describe, expect, test } from '@jest/globals';
import { changesOf, deltaText } from '../../src/report/deltas.ts';
import { commentOf, summaryOf } from '../../src/report/markdown.ts';
import { fullReport } from '../fixtures/run-report.ts';

describe('a change', () => {
	test.each([
		[0.94, 0.928, '+0.012'],
		[0.928, 0.94, '-0.012'],
		[10, 7, '+3'],
		[12345, 345, '+12000'],
		[1e-7, 3e-7, '-2e-7'],
		[0.1 + 0.2, 0.3, '±0'],
		[5, 5, '±0'],
		[0, 0, '±0'],
		[1 / 3, 0, '+0.333'],
	])('from %d, compared with %d, is %s', (value, base, expected) => {
		expect(deltaText(value, base)).toBe(expected);
	});

	test.each([
		[1, undefined],
		[Number.NaN, 1],
		[1, Number.NaN],
		[Number.POSITIVE_INFINITY, 1],
	])('from %d to %s cannot be told', (value, base) => {
		expect(deltaText(value, base)).toBeUndefined();
	});

	test('names the branch', () => {
		const base = { label: 'main', job: 'j', metrics: { accuracy: 0.928 } };
		expect(changesOf('accuracy', 0.94, [base])).toBe('+0.012 vs main');
		expect(changesOf('toString', 0.94, [base])).toBe('');
		expect(changesOf('accuracy', 0.94, [undefined])).toBe('');
		const champion = { label: 'iris:3', metrics: { accuracy: 0.95 } };
		expect(changesOf('accuracy', 0.94, [base, champion])).toBe('+0.012 vs main, -0.01 vs iris:3');
	});
});

describe('the table of metrics', () => {
	const base = { label: 'main', job: 'j', metrics: { accuracy: 0.958, gone: 1 } };

	test.each([
		['summary', summaryOf],
		['comment', (report: ReturnType<typeof fullReport>) => commentOf(report, '<!-- x -->')],
	])('of the %s has the change of each metric that the base has', (_, render) => {
		const text = render({ ...fullReport(), base });
		expect(text).toContain('| `accuracy` | 0.97 (\\+0.012 vs main) |');
		expect(text).toContain('| `loss` | 0.123457 |');
		expect(text).not.toContain('gone');
	});

	test('is inert, whatever the branch is called', () => {
		const text = summaryOf({ ...fullReport(), base: { ...base, label: 'x|<img src=//e>@octo' } });
		expect(text).not.toMatch(/<img|@octo/);
	});
});

test('the comment is short: the verdict, then the job in one line', () => {
	const lines = commentOf(fullReport(), '<!-- x -->').split('\n').filter(Boolean);
	expect(lines[1]).toMatch(/^## ✅/);
	expect(lines[2]).toMatch(/^Job \[`iris-4711-abc`\]\(<.*>\) · ✅ Completed · .* · `cpu-cluster`$/);
	const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`m${at}`, at]));
	expect(commentOf({ ...fullReport(), metrics: many }, '')).toContain('30 more metrics are in the output `metrics`.');
});
