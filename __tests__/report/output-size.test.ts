import { describe, expect, test } from '@jest/globals';
import { fitOutputs } from '../../src/report/output-size.ts';
import { OUTPUT_NAMES } from '../../src/report/outputs.ts';

/** 1 MB, in units of two bytes. */
const LIMIT = (1024 * 1024) / 2;

describe('outputs', () => {
	test('that fit are left exactly as they are', () => {
		const outputs = { 'job-name': 'iris', metrics: '{"a":1}', 'model-uri': 'x\r\ny<<EOF\n::set-output name=a::b' };
		expect(fitOutputs(outputs)).toEqual({ values: outputs, cuts: [] });
	});

	test('that are too long are cut, never in the middle of a character', () => {
		const { values, cuts } = fitOutputs({ 'model-uri': `x${'😀'.repeat(10_000)}` });
		expect(values['model-uri']).toMatch(/^x(😀)+$/u);
		expect(cuts).toEqual([
			expect.stringMatching(/^The output `model-uri` is cut: it has 20001 characters, of which 7999/),
		]);
	});

	test('of metrics stay JSON, with as many as fit, exactly', () => {
		const metrics = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`metric/number "${at}"`, at / 7]));
		const { values, cuts } = fitOutputs({ metrics: JSON.stringify(metrics) });
		const kept = Object.entries(JSON.parse(values.metrics ?? '') as Record<string, number>);
		expect(kept.length).toBeGreaterThan(5_000);
		expect(kept.every(([name, value]) => metrics[name] === value)).toBe(true);
		expect(cuts).toEqual([expect.stringContaining(`${kept.length} of 50000 metrics are in it`)]);
	});

	test('that all are too long fit together', () => {
		const huge = Object.fromEntries(OUTPUT_NAMES.map((name) => [name, 'x'.repeat(2_000_000)]));
		const { values } = fitOutputs({ ...huge, metrics: JSON.stringify({ ['m'.repeat(399_000)]: 1, b: 2 }) });
		const total = Object.entries(values).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
		expect(total).toBeLessThan(LIMIT);
	});

	test('of one metric that is too long by itself are none', () => {
		expect(fitOutputs({ metrics: JSON.stringify({ ['m'.repeat(900_000)]: 1 }) }).values.metrics).toBe('{}');
	});
});
