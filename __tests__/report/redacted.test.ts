import { describe, expect, test } from '@jest/globals';
import { FileError, InputError, JobError, RolloutError } from '../../src/errors.ts';
import { readRunContext } from '../../src/read-run-context.ts';
import { summaryOf } from '../../src/report/markdown.ts';
import { redactedReport } from '../../src/report/redacted.ts';
import { newReport, type RunReport } from '../../src/report/run-report.ts';
import { createSecrets } from '../../src/secrets.ts';

/** Holds every mark that Markdown needs escaped. */
const SECRET = 'a~b_c*d.e:f@g#h';
const ESCAPED = /a\\~b|b\\_c|c\\\*d/;

const secrets = createSecrets();
secrets.add(SECRET);

function reportOf(part: Partial<RunReport>): RunReport {
	return { ...newReport(readRunContext({ GITHUB_REPOSITORY: 'octo/iris' })), ...part };
}

describe('a report without secrets', () => {
	test.each<[string, Partial<RunReport>]>([
		['a message', { failure: new JobError({ what: `It said ${SECRET}.`, why: SECRET, next: SECRET }, 'Failed', []) }],
		['a fault of the inputs', { failure: new InputError([{ message: `set: ${SECRET}` }]) }],
		[
			'a fault of a file',
			{ failure: new FileError('job.yml', [{ message: SECRET, where: { file: 'job.yml', line: 3 } }]) },
		],
		['an unforeseen error', { failure: new TypeError(SECRET) }],
		['a note', { notes: [SECRET] }],
		['a container log', { failure: new RolloutError({ what: 'x' }, { rolledBack: true, containerLog: SECRET }) }],
		['the name of a metric', { metrics: { [SECRET]: 1 }, history: new Map([[SECRET, []]]) }],
	])('keeps it out of %s, however it would be escaped', (_, part) => {
		const before = summaryOf(reportOf(part));
		expect(before.includes(SECRET) || ESCAPED.test(before)).toBe(true);
		const after = summaryOf(redactedReport(reportOf(part), secrets.redact));
		expect(after).toMatch(/\*\*\*|\\\*\\\*\\\*/);
		expect(after.includes(SECRET) || ESCAPED.test(after)).toBe(false);
	});

	test('is shown as the other would be where there is none', () => {
		const failure = new JobError({ what: 'The job ended as Failed.', next: 'Look.' }, 'Failed', ['line 1']);
		const steps = [{ step: 'train', outcome: 'failed', took: 12 } as const];
		const report = reportOf({ failure, steps, lastLines: ['line 1'], metrics: { loss: Number.NaN } });
		expect(summaryOf(redactedReport(report, secrets.redact))).toBe(summaryOf(report));
	});
});
