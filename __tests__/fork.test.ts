import { describe, expect, test } from '@jest/globals';
import { InputError } from '../src/errors.ts';
import { refuseForkHead } from '../src/fork.ts';
import { runContext } from './fixtures/run-context.ts';

const pullRequest = (repo: unknown): unknown => ({ pull_request: { number: 7, head: { repo } } });
const workflowRun = (head_repository: unknown): unknown => ({ workflow_run: { head_repository } });
const FORK = { full_name: 'stranger/iris' };
const OWN = { full_name: 'Octo/Iris' };

describe('refused', () => {
	test.each<[string, string, unknown]>([
		["pull_request_target of a fork's head", 'pull_request_target', pullRequest(FORK)],
		['pull_request_target of a deleted fork', 'pull_request_target', pullRequest(null)],
		['workflow_run of a fork', 'workflow_run', workflowRun(FORK)],
		['workflow_run of a deleted fork', 'workflow_run', workflowRun(null)],
		['pull_request_target without a payload', 'pull_request_target', undefined],
		['a head with a name that is no text', 'workflow_run', workflowRun({ full_name: ['octo/iris'] })],
	])('%s', (_, eventName, event) => {
		const run = runContext({ eventName, event });
		expect(() => refuseForkHead(run, false)).toThrow(InputError);
		expect(() => refuseForkHead(run, false)).toThrow('allow-fork-head');
		expect(() => refuseForkHead(run, true)).not.toThrow();
	});

	test('even where the repository’s own name is unknown', () => {
		const run = runContext({ eventName: 'workflow_run', event: workflowRun(FORK), repository: undefined });
		expect(() => refuseForkHead(run, false)).toThrow('stranger/iris');
	});
});

describe('let through', () => {
	test.each<[string, string | undefined, unknown]>([
		['pull_request of a fork, which has no identity', 'pull_request', pullRequest(FORK)],
		['push', 'push', {}],
		['no event at all', undefined, undefined],
		["pull_request_target of the repository's own branch", 'pull_request_target', pullRequest(OWN)],
		["workflow_run of the repository's own push", 'workflow_run', workflowRun(OWN)],
	])('%s', (_, eventName, event) => {
		expect(() => refuseForkHead(runContext({ eventName, event }), false)).not.toThrow();
	});
});
