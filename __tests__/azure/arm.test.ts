import { afterEach, describe, expect, test } from '@jest/globals';
import { createArm } from '../../src/azure/arm.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Json } from '../../src/json.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
import { type Layers, layers, WORKSPACE_ID } from '../fixtures/workspace.ts';

const open: Layers[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

async function answering(answer: (asked: Asked, turn: number) => Reply): Promise<Layers> {
	const one = await layers(answer);
	open.push(one);
	return one;
}

const JOB = `${WORKSPACE_ID}/jobs/iris`;
const call = { doing: 'do it' };

async function all(items: AsyncIterable<Json>): Promise<Json[]> {
	const found: Json[] = [];
	for await (const item of items) found.push(item);
	return found;
}

describe('a call', () => {
	test('carries the token, the api-version and its query', async () => {
		const { arm, server } = await answering(() => ({ body: { name: 'iris' } }));
		expect(await arm.get(JOB, { ...call, query: { $filter: "a eq 'b c'" } })).toEqual({ name: 'iris' });
		const [asked] = server.asked;
		expect(asked?.headers.authorization).toBe('Bearer the-token');
		const url = new URL(asked?.path ?? '', server.url);
		expect([url.pathname, url.searchParams.get('$filter')]).toEqual([JOB, "a eq 'b c'"]);
		expect(url.searchParams.get('api-version')).toMatch(/^\d{4}-/);
		expect(asked?.path).not.toContain('+');
	});

	test('sends its body as JSON, and none where there is none', async () => {
		const { arm, server } = await answering(() => ({ status: 201, body: {} }));
		await arm.put(JOB, { properties: { big: 9_007_199_254_740_993n } }, call);
		await arm.post(`${JOB}/cancel`, undefined, call);
		const [put, post] = server.asked;
		expect([put?.method, put?.body]).toEqual(['PUT', '{"properties":{"big":9007199254740993}}']);
		expect(put?.headers['content-type']).toBe('application/json');
		expect([post?.method, post?.body, post?.headers['content-type']]).toEqual(['POST', '', undefined]);
	});

	test('made as the user carries a token for Azure ML in a header of its own; others do not', async () => {
		const { arm, server } = await answering(() => ({ status: 201, body: {} }));
		await arm.put(JOB, {}, { ...call, asUser: true });
		await arm.put(JOB, {}, call);
		expect(server.asked.map(({ headers }) => headers['x-azureml-token'])).toEqual(['the-token', undefined]);
	});

	test('that is refused is an error with status, code and what was tried', async () => {
		const { arm } = await answering(() => ({ status: 409, body: { error: { code: 'Conflict', message: 'Busy.' } } }));
		const error = await arm.delete(JOB, { doing: 'delete the job "iris"' }).catch((e) => e);
		expect(error).toBeInstanceOf(ServiceError);
		expect(error).toMatchObject({ status: 409, code: 'Conflict', what: expect.stringContaining('delete the job') });
	});

	test('finds nothing where there is nothing, even with an empty body', async () => {
		const { arm } = await answering(() => ({ status: 404 }));
		expect(await arm.find(JOB, call)).toBeUndefined();
		await expect(arm.get(JOB, call)).rejects.toMatchObject({ status: 404 });
	});

	test('that is redirected is an error', async () => {
		const { arm, server } = await answering(() => ({ status: 302, headers: { location: 'https://evil.example/' } }));
		await expect(arm.get(JOB, call)).rejects.toThrow('redirect, which is not followed');
		expect(server.asked).toHaveLength(1);
	});

	test('that is answered by the page of some gateway is an error, not an empty success', async () => {
		const { arm } = await answering(() => ({ body: '<html>Please sign in to the proxy</html>' }));
		await expect(arm.get(JOB, call)).rejects.toThrow('something else than JSON');
	});

	test('that nobody answers is an error of the same family', async () => {
		const { arm, server } = await answering(() => ({}));
		await server.close();
		const error = await arm.get(JOB, call).catch((e) => e);
		expect(error).toMatchObject({ name: 'ServiceError', status: 0, what: 'Could not do it.' });
		expect(error.message).toContain('refuses the connection');
	});
});

describe('a paged list', () => {
	test('is read to its end, by addresses taken as they are', async () => {
		const { arm, server } = await answering((_, turn) => ({
			body: {
				value: [{ n: turn }],
				nextLink: turn < 2 ? `${server.url}${WORKSPACE_ID}/jobs?$skip=a%2Bb${turn}` : null,
			},
		}));
		expect(await all(arm.list(`${WORKSPACE_ID}/jobs`, call))).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
		expect(server.asked.map(({ path }) => path).slice(1)).toEqual([
			`${WORKSPACE_ID}/jobs?$skip=a%2Bb0`,
			`${WORKSPACE_ID}/jobs?$skip=a%2Bb1`,
		]);
	});

	test.each<[string, object]>([
		['no nextLink', { value: [1] }],
		['null', { value: [1], nextLink: null }],
		['an empty one', { value: [1], nextLink: '' }],
	])('ends at %s', async (_, body) => {
		const { arm, server } = await answering(() => ({ body }));
		expect(await all(arm.list(`${WORKSPACE_ID}/jobs`, call))).toEqual([1]);
		expect(server.asked).toHaveLength(1);
	});

	test('ends where it leads back to a page that was read', async () => {
		const { arm, server } = await answering((_, turn) => ({
			body: { value: [turn], nextLink: `${server.url}${WORKSPACE_ID}/jobs?page=${turn % 2}` },
		}));
		expect(await all(arm.list(`${WORKSPACE_ID}/jobs`, call))).toEqual([0, 1, 2]);
	});

	test('without an end is an error', async () => {
		const { cloud, clock } = await answering(() => ({}));
		let turn = 0;
		const page = () => Buffer.from(JSON.stringify({ value: [], nextLink: `${cloud.resourceManager}/x?${turn++}` }));
		const arm = createArm({ send: async () => ({ status: 200, headers: {}, body: page() }) }, cloud, clock);
		await expect(all(arm.list(`${WORKSPACE_ID}/jobs`, call))).rejects.toThrow('goes on after 2000 pages');
		expect(turn).toBe(2000);
	});

	test('that leads to another host is refused, and the token stays here', async () => {
		const evil = await answering(() => ({ body: { value: [] } }));
		const next = evil.server.url.replace('127.0.0.1', 'localhost');
		const { arm } = await answering(() => ({ body: { value: [1], nextLink: `${next}/x` } }));
		await expect(all(arm.list(`${WORKSPACE_ID}/jobs`, call))).rejects.toThrow('The token was not sent to localhost');
		expect(evil.server.asked).toEqual([]);
	});

	test('without a list of values has no items', async () => {
		const { arm } = await answering(() => ({}));
		expect(await all(arm.list(`${WORKSPACE_ID}/jobs`, call))).toEqual([]);
	});
});
