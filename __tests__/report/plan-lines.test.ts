import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../src/errors.ts';
import type { PlannedLine } from '../../src/plan/plan-report.ts';
import { commentOf, summaryOf } from '../../src/report/markdown.ts';
import { outputsOf } from '../../src/report/outputs.ts';
import { newReport, type RunReport } from '../../src/report/run-report.ts';
import { runContext } from '../fixtures/run-context.ts';

const line = (name: string, open = false): PlannedLine => ({ method: 'PUT', kind: 'job', name, open });

function dry(requests: readonly PlannedLine[], more: Partial<RunReport> = {}): RunReport {
	return { ...newReport(runContext()), dryRun: 'online', plan: { path: '/tmp/plan.json', requests }, ...more };
}

describe('a dry run', () => {
	test.each<[number, string]>([
		[0, 'nothing to send, nothing changed'],
		[1, '1 request planned, nothing changed'],
		[2, '2 requests planned, nothing changed'],
	])('of %i requests says so first', (count, verdict) => {
		const report = dry(Array.from({ length: count }, () => line('j')));
		for (const text of [summaryOf(report), commentOf(report, '').trimStart()])
			expect(text.split('\n')[0]).toBe(`## ✅ Azure ML dry run: ${verdict}`);
	});

	test('lists the requests in their order, in summary and comment', () => {
		const report = dry([line('one'), line('two', true)]);
		for (const text of [summaryOf(report), commentOf(report, '')]) {
			expect(text).toContain('| PUT | job | `one` |\n| PUT | job | `two` \\* |');
			expect(text).toContain('nothing in Azure was changed');
			expect(text).toMatch(/\\\* Something in it only a real run can know/);
		}
	});

	test('explains no mark where there is none', () => {
		expect(summaryOf(dry([line('one')]))).not.toContain('\\*');
	});

	test('without credentials says that nothing was sent', () => {
		expect(summaryOf(dry([line('one')], { dryRun: 'offline' }))).toContain('nothing was sent to Azure');
	});

	test('of many requests shows the first hundred', () => {
		const text = summaryOf(dry(Array.from({ length: 103 }, (_, place) => line(`j-${place}`))));
		expect(text).toContain('`j-99`');
		expect(text).not.toContain('`j-100`');
		expect(text).toContain('3 more requests');
	});

	test('cannot be written to by a name', () => {
		expect(summaryOf(dry([line('a | b <script>')]))).not.toContain('<script>');
	});

	test('that fails is told as a dry run, without a plan', () => {
		const { plan: _, ...report } = dry([]);
		const failure = new ServiceError({ what: 'Could not look.' }, { status: 500 });
		const text = summaryOf({ ...report, failure, steps: [{ step: 'train', outcome: 'failed', took: 1 }] });
		expect(text.split('\n')[0]).toBe('## ❌ Azure ML dry run: train failed');
		expect(text).not.toContain('A real run would send');
	});

	test('sets the one output that it has', () => {
		expect(outputsOf(dry([line('j')]))).toEqual({ 'plan-path': '/tmp/plan.json' });
	});
});
