import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { askGitHub } from '../../src/report/pull-request.ts';
import { type Asked, type Loopback, type Reply, serve } from '../fixtures/loopback.ts';
import { runContext } from '../fixtures/run-context.ts';
import { type VirtualClock, virtualClock } from '../fixtures/virtual-clock.ts';

let asked: Asked[];
let replies: Reply[];
let server: Loopback;
let clock: VirtualClock;

beforeEach(async () => {
	asked = [];
	replies = [];
	clock = virtualClock();
	server = await serve((one) => {
		asked.push(one);
		return replies.shift() ?? { status: 503, body: { message: 'Unicorn' } };
	});
});
afterEach(() => server.close());

const headIn = (repo: unknown): Reply => ({ body: { number: 7, head: { sha: 'f'.repeat(40), repo } } });

function ask() {
	return askGitHub(runContext({ apiUrl: server.url }), 'ghs_token', { clock, signal: AbortSignal.timeout(60_000) })(7);
}

test("tells the repository of a pull request's head", async () => {
	replies.push(headIn({ full_name: 'stranger/iris' }));
	expect(await ask()).toEqual({ repository: 'stranger/iris' });
	expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /repos/octo/iris/pulls/7']);
	expect(asked[0]?.headers['authorization']).toBe('token ghs_token');
});

test('tells that the repository of the head is deleted', async () => {
	replies.push(headIn(null));
	expect(await ask()).toEqual({ repository: undefined });
});

test('asks again where GitHub has a bad moment, and in the end tells what it said', async () => {
	replies.push({ status: 502, body: {} }, headIn({ full_name: 'octo/iris' }));
	expect(await ask()).toEqual({ repository: 'octo/iris' });
	expect(clock.slept).toEqual([1_000]);
	expect(await ask()).toEqual({ unknown: expect.stringContaining('Unicorn') });
	expect(asked).toHaveLength(2 + 3);
});

test.each([
	[403, /permissions: pull-requests: read/],
	[404, /permissions: pull-requests: read/],
	[401, /Bad credentials/],
])('does not ask again after %i, and tells why', async (status, why) => {
	replies.push({ status, body: { message: 'Bad credentials' } });
	expect(await ask()).toEqual({ unknown: expect.stringMatching(why) });
	expect(asked).toHaveLength(1);
});

test('does not ask without a token, nor for a repository without a name', async () => {
	const run = runContext({ apiUrl: server.url });
	const parts = { clock, signal: AbortSignal.timeout(60_000) };
	expect(await askGitHub(run, undefined, parts)(7)).toEqual({ unknown: expect.stringContaining('github-token') });
	expect(await askGitHub({ ...run, repository: undefined }, 'ghs_token', parts)(7)).toEqual({
		unknown: expect.stringContaining('GITHUB_REPOSITORY'),
	});
	expect(asked).toEqual([]);
});

test('stops with the reason of a cancelled workflow', async () => {
	const cancelled = AbortSignal.abort(new Error('The workflow was cancelled.'));
	const asking = askGitHub(runContext({ apiUrl: server.url }), 'ghs_token', { clock, signal: cancelled })(7);
	await expect(asking).rejects.toThrow('The workflow was cancelled.');
});
