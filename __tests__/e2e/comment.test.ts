// The comment on a pull request: one per pull request and job file, updated in place, and never a reason to fail.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobFiles, printing } from './checkout.ts';
import { readable } from './markdown.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site, type SiteRequest } from './site.ts';
import { annotationsOf } from './workflow-log.ts';

const HEAD = 'c0ffee0c0ffee0c0ffee0c0ffee0c0ffee0c0ffe';

let site: Site;

beforeAll(async () => {
	site = await openSite();
	site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:pull_request', event: 'pull_request' });
});

afterAll(() => site?.close());

function onPullRequest(number: number, runId: string, request: SiteRequest = {}): Promise<ActionRun> {
	const head = { sha: HEAD, repo: { full_name: 'octo-org/octo-repo' } };
	return site.run(
		{ 'job-file': 'job.yml', wait: 'false' },
		{
			files: jobFiles(printing(['trained'])),
			githubToken: site.emulator.github.token,
			event: { name: 'pull_request', ref: `refs/pull/${number}/merge`, payload: { pull_request: { number, head } } },
			...request,
			env: { GITHUB_RUN_ID: runId },
		},
	);
}

const commentsOn = (number: number): string[] =>
	site.emulator.gitHubStore.comments
		.filter(({ thread }) => thread === `octo-org/octo-repo/${number}`)
		.map(({ body }) => readable(String(body)));

describe('the comment', () => {
	let first: ActionRun;
	let second: ActionRun;
	let afterFirst: string[];

	beforeAll(async () => {
		// A long discussion: the comment is found on whatever page it is.
		for (let id = 1; id <= 100; id += 1)
			site.emulator.gitHubStore.comments.push({ id, thread: 'octo-org/octo-repo/7', body: `remark ${id}` });
		first = await onPullRequest(7, '501');
		afterFirst = commentsOn(7).slice(100);
		second = await onPullRequest(7, '502');
	});

	test('is made once', () => {
		expect([first.code, second.code]).toEqual([0, 0]);
		expect(afterFirst).toHaveLength(1);
		expect(afterFirst[0]).toContain(first.outputs['job-name']);
		expect(afterFirst[0]).toContain(HEAD.slice(0, 7));
	});

	test('is updated in place by the next run', () => {
		const [only, ...more] = commentsOn(7).slice(100);
		expect(more).toEqual([]);
		expect(only).toContain(second.outputs['job-name']);
		expect(only).not.toContain(first.outputs['job-name']);
		expect(commentsOn(7)[0]).toBe('remark 1');
	});
});

describe('no comment', () => {
	test.each([
		['without a token', { githubToken: '' }, /no `github-token`/],
		['with a token that GitHub does not take', { githubToken: 'ghp_wrong' }, /Bad credentials/],
	])(
		'%s: a notice says so, and the run is green',
		async (_, request, why) => {
			const run = await onPullRequest(8, '601', request);
			expect(run.code).toBe(0);
			const notices = annotationsOf(run.stdout).filter(({ level }) => level === 'notice');
			expect(notices.map(({ message }) => message)).toEqual([expect.stringMatching(why)]);
			expect(commentsOn(8)).toEqual([]);
		},
		30_000,
	);

	test('without permission: the notice names it', async () => {
		const body = { message: 'Resource not accessible by integration', status: '403' };
		const forget = site.emulator.faults.add({
			face: 'github',
			method: 'POST',
			path: /\/comments$/,
			effect: { status: 403, body },
		});
		const run = await onPullRequest(9, '701');
		forget();
		expect(run.code).toBe(0);
		const notices = annotationsOf(run.stdout).filter(({ level }) => level === 'notice');
		expect(notices.map(({ message }) => message)).toEqual([expect.stringMatching(/pull-requests: write/)]);
	});

	test('on a push', async () => {
		const since = site.emulator.requests.length;
		site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:ref:refs/heads/main' });
		const run = await site.run(
			{ 'job-file': 'job.yml', wait: 'false' },
			{ files: jobFiles(printing([])), githubToken: site.emulator.github.token },
		);
		expect(run.code).toBe(0);
		expect(site.requests(since).filter(({ path }) => path.includes('/comments'))).toEqual([]);
	});
});
