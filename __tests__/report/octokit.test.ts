import { afterEach, expect, test } from '@jest/globals';
import { isRateLimited, openGitHub, statusOf } from '../../src/report/octokit.ts';
import { type Loopback, type Reply, serve } from '../fixtures/loopback.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';

const open: Loopback[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

async function gitHub(answer: (turn: number) => Reply | Promise<Reply>, patience = 60_000) {
	const server = await serve((_, turn) => answer(turn));
	open.push(server);
	const clock = virtualClock();
	const stop = new AbortController();
	const rest = await openGitHub({ token: 'ghs_token', apiUrl: server.url, clock, signal: stop.signal, patience });
	const list = () => rest.issues.listComments({ owner: 'octo', repo: 'iris', issue_number: 7 });
	return { rest, clock, server, list, stop };
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
	work.then(
		() => undefined,
		(error: unknown) => error,
	);

test('an answer that does not come is not waited for without end', async () => {
	let answered = (): void => {};
	const never = new Promise<Reply>((done) => {
		answered = () => done({ body: [] });
	});
	const { list, clock } = await gitHub(() => never, 50);
	expect(statusOf(await failureOf(list()))).toBe(500);
	expect(clock.slept).toEqual([1_000, 4_000]);
	answered();
});

test('a call whose own signal is aborted ends with it', async () => {
	let answered = (): void => {};
	const never = new Promise<Reply>((done) => {
		answered = () => done({ body: {} });
	});
	const { rest, server, stop } = await gitHub(() => never);
	const request = { signal: stop.signal };
	const asking = failureOf(rest.pulls.get({ owner: 'octo', repo: 'iris', pull_number: 7, request }));
	stop.abort(new Error('cancelled'));
	expect(await asking).toBeInstanceOf(Error);
	expect(server.asked.length).toBeLessThanOrEqual(1);
	answered();
});

test.each<[string, Record<string, string>, number[]]>([
	['as GitHub asks', { 'retry-after': '7' }, [7_000]],
	['for a while where it asks for less', { 'retry-after': '0' }, [1_000]],
	['not at all where it asks for more than it is worth', { 'retry-after': '3600' }, []],
])('waits %s', async (_, headers, slept) => {
	const { list, clock } = await gitHub((turn) => (turn === 0 ? { status: 429, headers, body: {} } : { body: [] }));
	await failureOf(list());
	expect(clock.slept).toEqual(slept);
});

test('what may have been done is not done again, but for the status of a deployment', async () => {
	const { rest, server } = await gitHub(() => ({ status: 502, body: {} }));
	const place = { owner: 'octo', repo: 'iris' };
	await failureOf(rest.issues.createComment({ ...place, issue_number: 7, body: 'x' }));
	expect(server.asked).toHaveLength(1);
	await failureOf(rest.repos.createDeploymentStatus({ ...place, deployment_id: 1, state: 'success' }));
	expect(server.asked).toHaveLength(1 + 3);
});

test.each<[boolean, Reply]>([
	[true, { status: 429 }],
	[true, { status: 403, headers: { 'retry-after': '100' } }],
	[true, { status: 403, headers: { 'x-ratelimit-remaining': '0' } }],
	[false, { status: 403, headers: { 'x-ratelimit-remaining': '10' } }],
	[false, { status: 404 }],
])('a limit on requests (%s) is told from a want of rights: %j', async (limited, reply) => {
	const { list } = await gitHub(() => ({ ...reply, body: {} }));
	expect(isRateLimited(await failureOf(list()))).toBe(limited);
});
