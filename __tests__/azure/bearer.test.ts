import { beforeEach, describe, expect, test } from '@jest/globals';
import { type BearerHttp, createBearerHttp } from '../../src/azure/bearer.ts';
import { type Cloud, knownCloud } from '../../src/azure/cloud.ts';
import type { Http, HttpRequest } from '../../src/azure/http.ts';
import type { Credential } from '../../src/azure/token-cache.ts';
import { customCloud } from '../fixtures/workspace.ts';

interface Sent {
	readonly url: string;
	readonly authorization: string | undefined;
}

/** A sender that answers with these statuses and headers, one after the other, and remembers. */
function recorder(...answers: { status: number; headers?: Record<string, string> }[]): { http: Http; sent: Sent[] } {
	const sent: Sent[] = [];
	const send = async ({ url, headers }: HttpRequest) => {
		const turn = sent.push({ url, authorization: headers?.['authorization'] }) - 1;
		return { headers: {}, body: Buffer.alloc(0), ...(answers[turn] ?? { status: 200 }) };
	};
	return { sent, http: { send, close: async () => {} } };
}

let asked: { scope: string; claims: string | undefined }[];
const credential: Credential = {
	token: async (scope, { claims } = {}) => `token-${asked.push({ scope, claims })}`,
};
beforeEach(() => {
	asked = [];
});

const AZURE = knownCloud('AzureCloud') as Cloud;

describe('a token', () => {
	test('goes with a request to the resource manager', async () => {
		const { http, sent } = recorder();
		await createBearerHttp(http, AZURE, credential).send({ method: 'GET', url: 'https://management.azure.com/x' });
		expect(sent).toEqual([{ url: 'https://management.azure.com/x', authorization: 'Bearer token-1' }]);
		expect(asked).toEqual([{ scope: 'https://management.azure.com/.default', claims: undefined }]);
	});

	test('is of the scope that is asked for', async () => {
		const bearer = createBearerHttp(recorder().http, AZURE, credential);
		const url = 'https://iris.eastus.inference.ml.azure.com/score';
		await bearer.send({ method: 'POST', url }, AZURE.machineLearningScope);
		expect(asked[0]?.scope).toBe('https://ml.azure.com/.default');
	});

	test('goes with a second one in a header of its own, each of its scope; without one there is no such header', async () => {
		const seen: HttpRequest['headers'][] = [];
		const signals: unknown[] = [];
		const http: Http = {
			send: async ({ headers }) => ({ status: 200 + seen.push(headers), headers: {}, body: Buffer.alloc(0) }),
			close: async () => {},
		};
		const { signal } = new AbortController();
		const bearer = createBearerHttp(http, AZURE, {
			token: async (scope, options) => {
				signals.push(options?.signal);
				return `for ${scope}`;
			},
		});
		const request = { method: 'GET', url: 'https://management.azure.com/x', headers: { a: 'b' }, signal } as const;
		await bearer.send(request, 'one', { header: 'x-second', scope: 'two' });
		await bearer.send(request, 'one');
		expect(seen).toEqual([
			{ a: 'b', 'x-second': 'for two', authorization: 'Bearer for one' },
			{ a: 'b', authorization: 'Bearer for one' },
		]);
		expect(signals).toEqual([signal, signal, signal]);
	});

	test.each([
		'https://evil.example/operations/1',
		'http://management.azure.com/subscriptions/x',
		'https://management.azure.com@evil.example/x',
		'https://management.azure.com.evil.example/x',
		'https://xmanagement.azure.com/x',
		'https://management.azure.com:8443/x',
		'//management.azure.com/x',
		'https:\\\\management.azure.com/x',
		'https://169.254.169.254/metadata',
		'http://127.0.0.1/x',
		'/subscriptions/x',
		'',
	])('is neither asked for nor sent for %j', async (url) => {
		const { http, sent } = recorder();
		const sending = createBearerHttp(http, AZURE, credential).send({ method: 'GET', url });
		await expect(sending).rejects.toThrow('The token was not sent to');
		await expect(sending).rejects.toHaveProperty('status', 0);
		expect([sent, asked]).toEqual([[], []]);
	});

	// An address is read as if such parts were not in it: `onlineEndpoints/..` would be the workspace itself.
	test.each(['workspaces/ws/onlineEndpoints/..', 'jobs/../datastores', 'jobs/%2E%2e/x', 'jobs/.', 'jobs/.%2e?a=/../b'])(
		'is not sent along a path that is not what it says: %s',
		async (path) => {
			const { http, sent } = recorder();
			const url = `https://management.azure.com/subscriptions/s/${path}`;
			const sending = createBearerHttp(http, AZURE, credential).send({ method: 'DELETE', url });
			await expect(sending).rejects.toThrow('is no name that Azure ML knows');
			expect([sent, asked]).toEqual([[], []]);
		},
	);

	test('is sent along a path with dots in its names, and with any query', async () => {
		const { http, sent } = recorder();
		const bearer = createBearerHttp(http, AZURE, credential);
		await bearer.send({ method: 'GET', url: 'https://management.azure.com/a/..b/c../d.e/...?filter=x/../y' });
		expect(sent).toHaveLength(1);
	});

	test('is refused without the query of the address, which may hold a secret', async () => {
		const bearer = createBearerHttp(recorder().http, AZURE, credential);
		const error = await bearer.send({ method: 'GET', url: 'https://evil.example/a?sig=c2VjcmV0' }).catch(String);
		expect(error).toContain('evil.example');
		expect(error).not.toContain('sig');
	});

	test('goes to the hosts that the file of a custom cloud lists, and the way to list one is told', async () => {
		const cloud = customCloud('https://arm.contoso.example', ['ml.contoso.example']);
		const { http, sent } = recorder();
		const bearer = createBearerHttp(http, cloud, credential);
		await bearer.send({ method: 'GET', url: 'https://west.ml.contoso.example/discovery' });
		expect(sent).toHaveLength(1);
		await expect(bearer.send({ method: 'GET', url: 'https://west.contoso.example/' })).rejects.toThrow(
			'suffixes.machineLearning',
		);
	});
});

describe('a refusal as unauthorised', () => {
	const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
	const challenge = {
		status: 401,
		headers: {
			'www-authenticate': `Bearer realm="", error="insufficient_claims", claims="${Buffer.from(CLAIMS).toString('base64')}"`,
		},
	};
	const send = (bearer: BearerHttp) => bearer.send({ method: 'GET', url: 'https://management.azure.com/x' });

	test('with a claims challenge leads to one token with these claims', async () => {
		const { http, sent } = recorder(challenge, { status: 200 });
		expect((await send(createBearerHttp(http, AZURE, credential))).status).toBe(200);
		expect(asked.map(({ claims }) => claims)).toEqual([undefined, CLAIMS]);
		expect(sent.map(({ authorization }) => authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
	});

	test('is an answer the second time', async () => {
		const { http, sent } = recorder(challenge, challenge, { status: 200 });
		expect((await send(createBearerHttp(http, AZURE, credential))).status).toBe(401);
		expect(sent).toHaveLength(2);
	});

	test('is told by its status alone: a challenge in another answer is none', async () => {
		const { http, sent } = recorder({ ...challenge, status: 403 });
		expect((await send(createBearerHttp(http, AZURE, credential))).status).toBe(403);
		expect(sent).toHaveLength(1);
	});

	const refusal = { status: 401, headers: { 'www-authenticate': 'Bearer authorization_uri="x"' } };

	test('without a challenge is an answer at once', async () => {
		const { http, sent } = recorder(refusal);
		expect((await send(createBearerHttp(http, AZURE, credential))).status).toBe(401);
		expect(sent).toHaveLength(1);
	});

	describe('without a challenge, of a token that was good before,', () => {
		/** Gives one token until that is refused. */
		function keeping(): { credential: Credential; refused: (string | undefined)[] } {
			const refused: (string | undefined)[] = [];
			const token: Credential['token'] = async (_scope, options = {}) => {
				if (options.refused !== undefined) refused.push(options.refused);
				return `token-${refused.length}`;
			};
			return { credential: { token }, refused };
		}

		test('leads to another token, once', async () => {
			const { http, sent } = recorder({ status: 404 }, refusal, { status: 200 }, refusal, refusal);
			const { credential, refused } = keeping();
			const bearer = createBearerHttp(http, AZURE, credential);
			expect((await send(bearer)).status).toBe(404);
			expect((await send(bearer)).status).toBe(200);
			expect((await send(bearer)).status).toBe(401);
			expect(sent.map(({ authorization }) => authorization?.slice(-1))).toEqual(['0', '0', '1', '1', '2']);
			expect(refused).toEqual(['token-0', 'token-1']);
		});

		test('is an answer from a host that has not taken it', async () => {
			const { http, sent } = recorder({ status: 200 }, refusal);
			const { credential } = keeping();
			const bearer = createBearerHttp(http, AZURE, credential);
			await send(bearer);
			const url = 'https://eastus.api.azureml.ms/history/v1.0/x';
			expect((await bearer.send({ method: 'GET', url })).status).toBe(401);
			expect(sent).toHaveLength(2);
		});
	});
});
