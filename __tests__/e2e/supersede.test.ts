// `cancel-superseded`: a new push to a pull request ends the training of the one before, and of nothing else.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDLESS, jobFiles, printing } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';

let site: Site;

beforeAll(async () => {
	site = await openSite();
	site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:pull_request', event: 'pull_request' });
});

afterAll(() => site?.close());

function submit(
	{
		number,
		runId,
		file = 'job.yml',
		program = ENDLESS,
	}: { number: number; runId: string; file?: string; program?: string },
	inputs: Record<string, string> = {},
): Promise<ActionRun> {
	const { 'job.yml': yaml = '', ...files } = jobFiles(program);
	return site.run(
		{ 'job-file': file, wait: 'false', ...inputs },
		{
			files: { ...files, [file]: yaml },
			event: { name: 'pull_request', ref: `refs/pull/${number}/merge`, payload: { pull_request: { number } } },
			env: { GITHUB_RUN_ID: runId },
		},
	);
}

const cancels = (since: number): string[] =>
	site.requests(since).flatMap(({ line }) => /^POST jobs\/(.+)\/cancel$/.exec(line)?.[1] ?? []);

describe('a second push to a pull request', () => {
	let [old, other, file, later, next]: ActionRun[] = [];
	let since = 0;

	beforeAll(async () => {
		[old, other, file, later] = await Promise.all([
			submit({ number: 7, runId: '900' }),
			submit({ number: 8, runId: '901' }),
			submit({ number: 7, runId: '902', file: 'other.yml' }),
			submit({ number: 7, runId: '10000' }),
		]);
		since = site.emulator.requests.length;
		next = await submit(
			{ number: 7, runId: '903', program: printing(['trained']) },
			{ 'cancel-superseded': 'true', wait: 'true' },
		);
	});

	test('succeeds', () => {
		expect([old, other, file, later, next].map((run) => run?.code)).toEqual([0, 0, 0, 0, 0]);
		expect(next?.outputs['job-status']).toBe('Completed');
	});

	test('cancels the one live job of the earlier run of the same job file, before it submits its own', () => {
		expect(cancels(since)).toEqual([old?.outputs['job-name']]);
		const lines = site.requests(since).map(({ line }) => line);
		expect(lines.indexOf(`POST jobs/${old?.outputs['job-name']}/cancel`)).toBeLessThan(
			lines.indexOf(`PUT jobs/${next?.outputs['job-name']}`),
		);
	});

	test('tells it in the log and in the summary', () => {
		expect(next?.stdout).toContain(`The job ${old?.outputs['job-name']}`);
		expect(next?.summary).toContain('this run supersedes it');
		expect(next?.summary).toContain(old?.outputs['job-name']);
	});

	test('is not done unasked', async () => {
		const from = site.emulator.requests.length;
		await submit({ number: 8, runId: '904', program: printing([]) });
		expect(cancels(from)).toEqual([]);
	});
});
