import { describe, expect, test } from '@jest/globals';
import { InputError } from '../src/errors.ts';
import { refuseForkHead } from '../src/fork.ts';
import type { AskHead } from '../src/report/pull-request.ts';
import { runContext } from './fixtures/run-context.ts';

const FORK = { full_name: 'stranger/iris' };
const OWN = { full_name: 'Octo/Iris' };

const pullRequest = (repo: unknown): unknown => ({ pull_request: { number: 7, head: { repo } } });
const workflowRun = (head_repository: unknown): unknown => ({ workflow_run: { head_repository } });
const dispatch = (repo: unknown): unknown => ({ client_payload: pullRequest(repo) });
const comment = { issue: { number: 7, pull_request: {} } };

const nobody: AskHead = async () => {
	throw new Error('GitHub was asked, though the event tells');
};
/** GitHub, which knows that pull request 7 comes from this repository. */
const from =
	(repository: string | undefined): AskHead =>
	async (number) =>
		number === 7 ? { repository } : { unknown: `there is no pull request ${number}` };

async function refusal(eventName: string | undefined, event: unknown, ask = nobody) {
	const run = runContext({ eventName, event });
	await expect(refuseForkHead(run, true, nobody)).resolves.toBeUndefined();
	return refuseForkHead(run, false, ask).then(
		() => undefined,
		(error) => {
			expect(error).toBeInstanceOf(InputError);
			return String(error.message);
		},
	);
}

describe('refused', () => {
	test.each<[string, string, unknown]>([
		["pull_request_target of a fork's head", 'pull_request_target', pullRequest(FORK)],
		['pull_request_target of a deleted fork', 'pull_request_target', pullRequest(null)],
		['workflow_run of a fork', 'workflow_run', workflowRun(FORK)],
		['workflow_run of a deleted fork', 'workflow_run', workflowRun(null)],
		['pull_request_target without a payload', 'pull_request_target', undefined],
		['a head with a name that is no text', 'workflow_run', workflowRun({ full_name: ['octo/iris'] })],
		['repository_dispatch that hands on the pull request of a fork', 'repository_dispatch', dispatch(FORK)],
		['repository_dispatch that hands on that of a deleted fork', 'repository_dispatch', dispatch(null)],
		['issue_comment without a payload', 'issue_comment', undefined],
	])('%s', async (_, eventName, event) => {
		expect(await refusal(eventName, event)).toMatch(/allow-fork-head: .*cloud identity.*`allow-fork-head: true`/);
	});

	test.each<[string, AskHead, RegExp]>([
		['a fork', from('stranger/iris'), /the fork stranger\/iris/],
		['a deleted fork', from(undefined), /an unknown repository/],
	])('issue_comment on the pull request of %s', async (_, ask, told) => {
		expect(await refusal('issue_comment', comment, ask)).toMatch(told);
	});

	test('issue_comment where GitHub does not say, with the reason', async () => {
		const ask: AskHead = async () => ({ unknown: 'HTTP 403: add `permissions: pull-requests: read`' });
		expect(await refusal('issue_comment', comment, ask)).toMatch(
			/pull request comes from is not known: HTTP 403: add `permissions/,
		);
	});

	test('even where the repository’s own name is unknown', async () => {
		const run = runContext({ eventName: 'workflow_run', event: workflowRun(FORK), repository: undefined });
		await expect(refuseForkHead(run, false, nobody)).rejects.toThrow('stranger/iris');
		const empty = runContext({ eventName: 'workflow_run', event: workflowRun({}), repository: undefined });
		await expect(refuseForkHead(empty, false, nobody)).rejects.toThrow('allow-fork-head');
	});
});

describe('let through', () => {
	test.each<[string, string | undefined, unknown]>([
		['pull_request of a fork, which has no identity', 'pull_request', pullRequest(FORK)],
		['push', 'push', {}],
		['no event at all', undefined, undefined],
		["pull_request_target of the repository's own branch", 'pull_request_target', pullRequest(OWN)],
		["workflow_run of the repository's own push", 'workflow_run', workflowRun(OWN)],
		['workflow_dispatch, started by somebody who may write', 'workflow_dispatch', { inputs: { pull: '7' } }],
		['repository_dispatch with a payload of its own', 'repository_dispatch', { client_payload: { epochs: 3 } }],
		['repository_dispatch without a payload', 'repository_dispatch', { client_payload: null }],
		["repository_dispatch that hands on a branch's pull request", 'repository_dispatch', dispatch(OWN)],
		['issue_comment on an issue', 'issue_comment', { issue: { number: 7 } }],
	])('%s', async (_, eventName, event) => {
		expect(await refusal(eventName, event)).toBeUndefined();
	});

	test("issue_comment on a pull request of the repository's own branch", async () => {
		expect(await refusal('issue_comment', comment, from('octo/iris'))).toBeUndefined();
	});
});
