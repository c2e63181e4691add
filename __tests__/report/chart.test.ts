import { describe, expect, test } from '@jest/globals';
import type { MetricPoint } from '../../src/job/metrics.ts';
import { charts } from '../../src/report/chart.ts';
import { fullReport } from '../fixtures/run-report.ts';

const points = (...values: readonly (readonly [step: number, value: number])[]): MetricPoint[] =>
	values.map(([step, value], timestamp) => ({ step, value, timestamp }));
const historyOf = (name: string, list: readonly MetricPoint[]) => new Map([[name, list]]);
const linesIn = (text: string | undefined): number[][] =>
	[...(text ?? '').matchAll(/^ {2}line \[(.*)\]$/gm)].map(([, values]) => (values ?? '').split(', ').map(Number));

describe('a chart', () => {
	test('has the place of each value, however far apart the steps are', () => {
		const history = historyOf('loss', points([0, 8], [2, 6], [8, 0]));
		const text = charts({ ...fullReport(), history });
		expect(linesIn(text)).toEqual([[8, 7, 6, 5, 4, 3, 2, 1, 0]]);
		expect(text).toContain('x-axis "step" 0 --> 8');
		expect(text).not.toContain('🟠');
	});

	test('of values without steps has them in their order', () => {
		const text = charts({ ...fullReport(), history: historyOf('loss', points([0, 3], [0, 2], [0, 1])) });
		expect(linesIn(text)).toEqual([[3, 2, 1]]);
	});

	test("has the base branch's job as a second line over the same steps, and says which is which", () => {
		const history = historyOf('loss', points([0, 4], [1, 3], [2, 2], [3, 1]));
		const base = { label: 'main', job: 'iris-1', metrics: {}, history: historyOf('loss', points([0, 9], [2, 5])) };
		const text = charts({ ...fullReport(), history, base });
		expect(text).toContain('plotColorPalette: "#d4680d, #2f81f7"');
		// The shorter one stays where it ended; what was drawn first lies below.
		expect(linesIn(text)).toEqual([
			[9, 7, 5, 5],
			[4, 3, 2, 1],
		]);
		expect(text).toMatch(/^🔵 this job · 🟠 `main` \(job `iris-1`\)\n\n```mermaid/);
	});

	test('has one line where the base has nothing of it', () => {
		const history = historyOf('loss', points([0, 4], [1, 3], [2, 2]));
		const base = { label: 'main', job: 'iris-1', metrics: {}, history: historyOf('other', points([0, 9], [2, 5])) };
		expect(linesIn(charts({ ...fullReport(), history, base }))).toHaveLength(1);
		expect(linesIn(charts({ ...fullReport(), history, base: { label: 'main', job: 'x', metrics: {} } }))).toHaveLength(
			1,
		);
	});

	test('of very many values keeps the first and the last of forty', () => {
		const many = Array.from({ length: 100_000 }, (_, step): [number, number] => [step * 10, step]);
		const [line = []] = linesIn(charts({ ...fullReport(), history: historyOf('loss', points(...many)) }));
		expect([line.length, line[0], line.at(-1)]).toEqual([40, 0, 99_999]);
	});

	test('is none of what has hardly a history', () => {
		expect(charts({ ...fullReport(), history: historyOf('loss', points([0, 1], [1, 2])) })).toBeUndefined();
	});
});
