import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttp, type Http, type HttpAnswer, retryAfter, Unreachable } from '../../src/azure/http.ts';
import type { Clock } from '../../src/clock.ts';
import { type Loopback, type Reply, serve } from '../fixtures/loopback.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';

const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

async function answering(...replies: Reply[]): Promise<Loopback> {
	const server = await serve((_, turn) => replies[Math.min(turn, replies.length - 1)] ?? {});
	open.push(server);
	return server;
}

function sender(clock: Clock = virtualClock(), more: Partial<Parameters<typeof createHttp>[0]> = {}): Http {
	const http = createHttp({ clock, userAgent: 'test/1', ...more });
	open.push(http);
	return http;
}

const failureOf = (promise: Promise<HttpAnswer>): Promise<unknown> => promise.then(() => undefined).catch((e) => e);

describe('retries', () => {
	test.each([408, 429, 500, 502, 503, 504])('HTTP %d is asked again', async (status) => {
		const server = await answering({ status }, { status }, { body: 'there' });
		const answer = await sender().send({ method: 'GET', url: server.url });
		expect([answer.status, answer.body.toString(), server.asked.length]).toEqual([200, 'there', 3]);
	});

	test.each([400, 401, 403, 404, 409, 412, 501, 505])('HTTP %d is an answer', async (status) => {
		const server = await answering({ status });
		expect((await sender().send({ method: 'GET', url: server.url })).status).toBe(status);
		expect(server.asked).toHaveLength(1);
	});

	test('a connection that is reset is tried again', async () => {
		const server = await answering({ reset: true }, { reset: true }, { body: 'there' });
		expect((await sender().send({ method: 'PUT', url: server.url, body: '{}' })).status).toBe(200);
		expect(server.asked).toHaveLength(3);
	});

	test('a refused connection is tried seven times, then told with its host alone', async () => {
		const port = await closedPort();
		const clock = virtualClock();
		const url = `http://127.0.0.1:${port}/c/log.txt?sv=1&sig=c2VjcmV0`;
		const error = await failureOf(sender(clock).send({ method: 'GET', url }));
		expect(error).toBeInstanceOf(Unreachable);
		expect(error).toMatchObject({
			message: `127.0.0.1:${port} cannot be reached: it refuses the connection`,
			code: 'ECONNREFUSED',
		});
		expect(clock.slept).toHaveLength(6);
	});

	test('an unknown name is not tried again', async () => {
		const clock = virtualClock();
		const error = await failureOf(sender(clock).send({ method: 'GET', url: 'http://nowhere.invalid/?sig=x' }));
		expect(error).toBeInstanceOf(Unreachable);
		expect(String(error)).not.toContain('sig');
	});

	test('waits double, half of each left to chance, up to the longest', async () => {
		const server = await answering({ status: 503 });
		const least = virtualClock({ chance: 0 });
		await sender(least).send({ method: 'GET', url: server.url });
		expect(least.slept).toEqual([400, 800, 1600, 3200, 6400, 12_800]);
		const most = virtualClock({ chance: 0.999_999 });
		await sender(most, { retry: { attempts: 5, firstWait: 1000, longestWait: 3000, budget: 60_000 } }).send({
			method: 'GET',
			url: server.url,
		});
		expect(most.slept.map(Math.round)).toEqual([1000, 2000, 3000, 3000]);
	});

	test('the budget ends the waiting, and the last answer is given', async () => {
		const server = await answering({ status: 429, headers: { 'retry-after': '100' }, body: 'slow down' });
		const clock = virtualClock();
		const answer = await sender(clock).send({ method: 'GET', url: server.url });
		expect([answer.status, answer.body.toString()]).toEqual([429, 'slow down']);
		expect(clock.slept).toEqual([100_000, 100_000]);
	});

	test('a wait that the budget just holds is begun', async () => {
		const server = await answering({ status: 429, headers: { 'retry-after': '240' } }, {});
		const clock = virtualClock();
		expect((await sender(clock).send({ method: 'GET', url: server.url })).status).toBe(200);
		expect(clock.slept).toEqual([240_000]);
	});

	test('a wait that the budget does not hold is not begun', async () => {
		const server = await answering({ status: 429, headers: { 'retry-after': '3600' } });
		const clock = virtualClock();
		expect((await sender(clock).send({ method: 'GET', url: server.url })).status).toBe(429);
		expect(clock.slept).toEqual([]);
	});

	test('a POST is sent once, unless it may be repeated', async () => {
		for (const broken of [{ status: 503 }, { reset: true }] satisfies Reply[]) {
			const server = await answering(broken, {});
			await failureOf(sender().send({ method: 'POST', url: server.url, body: '{}' }));
			expect(server.asked).toHaveLength(1);
			const again = await answering(broken, {});
			expect((await sender().send({ method: 'POST', url: again.url, body: '{}', repeatable: true })).status).toBe(200);
			expect(again.asked).toHaveLength(2);
		}
	});

	test('`retry: false` makes one attempt', async () => {
		const server = await answering({ status: 503 }, {});
		expect((await sender().send({ method: 'GET', url: server.url, retry: false })).status).toBe(503);
	});

	test('each is told in a line that holds no query', async () => {
		const server = await answering({ status: 500 }, {});
		const told: string[] = [];
		const http = sender(virtualClock(), { onRetry: (line) => told.push(line) });
		await http.send({ method: 'GET', url: `${server.url}/x?sig=abc` });
		expect(told).toEqual([`GET ${new URL(server.url).host}: HTTP 500; again in 0.6 s (attempt 2 of 7)`]);
	});
});

describe('Retry-After', () => {
	const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
	test.each<[Record<string, string>, number | undefined]>([
		[{}, undefined],
		[{ 'retry-after': '20' }, 20_000],
		[{ 'retry-after': '0' }, 0],
		[{ 'retry-after': '-5' }, 0],
		[{ 'retry-after': '1.5' }, 1500],
		[{ 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }, 30_000],
		[{ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
		[{ 'retry-after': 'soon' }, undefined],
		[{ 'retry-after': '' }, undefined],
		[{ 'retry-after': '  ' }, undefined],
		[{ 'retry-after-ms': '250', 'retry-after': '20' }, 250],
		[{ 'x-ms-retry-after-ms': '100', 'retry-after-ms': '250', 'retry-after': '20' }, 100],
		[{ 'x-ms-retry-after-ms': '', 'retry-after': '20' }, 20_000],
		[{ 'x-ms-retry-after-ms': 'NaN', 'retry-after': '20' }, 20_000],
		// The runner's clock is an hour behind the service's.
		[{ 'retry-after': 'Wed, 21 Oct 2026 08:28:10 GMT', date: 'Wed, 21 Oct 2026 08:28:00 GMT' }, 10_000],
	])('%j is %s ms', (headers, wait) => {
		expect(retryAfter(headers, now)).toBe(wait);
	});

	test('is waited for instead of our own interval', async () => {
		const server = await answering({ status: 503, headers: { 'x-ms-retry-after-ms': '1234' } }, {});
		const clock = virtualClock();
		await sender(clock).send({ method: 'GET', url: server.url });
		expect(clock.slept).toEqual([1234]);
	});
});

describe('a signal', () => {
	const stop = new Error('the workflow was cancelled');

	test('ends a request under way, with its own reason', async () => {
		const controller = new AbortController();
		const server = await serve(async () => {
			controller.abort(stop);
			return new Promise(() => {});
		});
		open.push(server);
		expect(await failureOf(sender().send({ method: 'GET', url: server.url, signal: controller.signal }))).toBe(stop);
		expect(server.asked).toHaveLength(1);
	});

	test('ends a wait between attempts', async () => {
		const controller = new AbortController();
		const server = await answering({ status: 503 });
		const clock: Clock = {
			...virtualClock(),
			sleep: async (_, signal) => {
				controller.abort(stop);
				signal?.throwIfAborted();
			},
		};
		expect(await failureOf(sender(clock).send({ method: 'GET', url: server.url, signal: controller.signal }))).toBe(
			stop,
		);
		expect(server.asked).toHaveLength(1);
	});

	test('that is aborted already sends nothing', async () => {
		const server = await answering({});
		expect(await failureOf(sender().send({ method: 'GET', url: server.url, signal: AbortSignal.abort(stop) }))).toBe(
			stop,
		);
		expect(server.asked).toEqual([]);
	});
});

test('a request carries its body, its headers and who sends it', async () => {
	const server = await answering({});
	const http = sender();
	await http.send({ method: 'PUT', url: server.url, body: '{"a":1}', headers: { 'x-own': 'yes' } });
	await http.send({ method: 'POST', url: server.url, body: Buffer.from('bytes') });
	await http.send({ method: 'GET', url: server.url });
	expect(server.asked.map(({ body }) => body)).toEqual(['{"a":1}', 'bytes', '']);
	expect(server.asked[0]?.headers).toMatchObject({ 'user-agent': 'test/1', 'x-own': 'yes' });
});

test('nothing is sent any more once it is closed', async () => {
	const server = await answering({});
	const http = createHttp({ clock: virtualClock(), userAgent: 'test/1' });
	await http.send({ method: 'GET', url: server.url });
	await http.close();
	expect(await failureOf(http.send({ method: 'GET', url: server.url }))).toBeInstanceOf(Unreachable);
	expect(server.asked).toHaveLength(1);
});

describe('an answer', () => {
	test('that redirects is given, not followed', async () => {
		for (const status of [301, 302, 303, 307, 308]) {
			const other = await answering({});
			const server = await answering({ status, headers: { location: `${other.url}/stolen` } });
			const answer = await sender().send({ method: 'GET', url: server.url, headers: { authorization: 'Bearer x' } });
			expect([answer.status, other.asked.length]).toEqual([status, 0]);
		}
	});

	test('that is larger than asked for is refused, and not asked for again', async () => {
		const server = await answering({ body: Buffer.alloc(2000) });
		const http = sender();
		expect(await failureOf(http.send({ method: 'GET', url: server.url, largest: 1999 }))).toMatchObject({
			name: 'Unreachable',
			message: expect.stringContaining('larger than 1999 bytes'),
		});
		expect(server.asked).toHaveLength(1);
		expect((await http.send({ method: 'GET', url: server.url, largest: 2000 })).body).toHaveLength(2000);
	});

	test('that drips in for ever is cut off', async () => {
		const server = createServer((_, response) => {
			response.writeHead(200);
			const drip = setInterval(() => response.write('.'), 5);
			response.on('close', () => clearInterval(drip));
		});
		const url = await listen(server);
		const http = sender(virtualClock(), { longestAttempt: 60 });
		expect(await failureOf(http.send({ method: 'GET', url }))).toBeInstanceOf(Unreachable);
	});

	test('has header names in lower case', async () => {
		const server = await answering({ headers: { 'Azure-AsyncOperation': 'https://x' } });
		expect((await sender().send({ method: 'GET', url: server.url })).headers['azure-asyncoperation']).toBe('https://x');
	});
});

test('names below localhost reach this machine, whatever DNS knows', async () => {
	const server = await answering({ body: 'here' });
	const { port } = new URL(server.url);
	const answer = await sender().send({ method: 'GET', url: `http://storage.azureml.localhost:${port}/` });
	expect(answer.body.toString()).toBe('here');
	expect(server.asked[0]?.headers.host).toBe(`storage.azureml.localhost:${port}`);
});

describe('proxies', () => {
	const NAMES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];
	const before = NAMES.map((name) => [name, process.env[name]] as const);

	beforeEach(() => {
		for (const name of NAMES) delete process.env[name];
	});
	afterEach(() => {
		for (const [name, value] of before) {
			if (value === undefined) delete process.env[name];
			else process.env[name] = value;
		}
	});

	/** A proxy that refuses every tunnel; what was asked of it is all that is looked at. */
	async function refusingProxy(): Promise<{
		url: string;
		asked: { target: string; credentials: string | undefined }[];
	}> {
		const asked: { target: string; credentials: string | undefined }[] = [];
		const server = createServer();
		server.on('connect', (request, socket) => {
			asked.push({ target: request.url ?? '', credentials: request.headers['proxy-authorization'] });
			socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
		});
		return { url: await listen(server), asked };
	}

	test('HTTPS_PROXY is asked for a tunnel; its password is in no message', async () => {
		const proxy = await refusingProxy();
		process.env['HTTPS_PROXY'] = proxy.url.replace('http://', 'http://runner:open-sesame@');
		const error = await failureOf(
			sender().send({ method: 'GET', url: 'https://management.azure.example/x?sig=abc', retry: false }),
		);
		expect(proxy.asked).toEqual([
			{ target: 'management.azure.example:443', credentials: `Basic ${btoa('runner:open-sesame')}` },
		]);
		expect(String(error)).toMatch(/management\.azure\.example cannot be reached: .*407/);
		expect(String(error)).not.toMatch(/open-sesame|sig=/);
	});

	test('NO_PROXY keeps hosts away from it', async () => {
		const proxy = await refusingProxy();
		process.env['HTTPS_PROXY'] = proxy.url;
		process.env['NO_PROXY'] = '.azure.invalid';
		await failureOf(sender().send({ method: 'GET', url: 'https://management.azure.invalid/', retry: false }));
		expect(proxy.asked).toEqual([]);
	});

	test('this machine is never reached through one', async () => {
		const proxy = await answering({ body: 'the proxy' });
		process.env['HTTP_PROXY'] = proxy.url;
		const server = await answering({ body: 'the service' });
		const { port } = new URL(server.url);
		const http = sender();
		for (const host of ['127.0.0.1', 'localhost', 'x.localhost']) {
			expect((await http.send({ method: 'GET', url: `http://${host}:${port}/` })).body.toString()).toBe('the service');
		}
		expect(proxy.asked).toEqual([]);
	});
});

async function listen(server: Server): Promise<string> {
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	open.push({
		close: async () => {
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<number> {
	const server = createTcpServer();
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	const { port } = server.address() as AddressInfo;
	await new Promise((done) => server.close(done));
	return port;
}

describe('whoever listens', () => {
	test('hears the headers of every answer, refusals that are tried again too, until it stops', async () => {
		const server = await serve((_, turn) => ({
			status: turn === 0 ? 503 : 200,
			headers: { 'X-Ms-Left': String(turn) },
		}));
		const http = createHttp({ clock: virtualClock(), userAgent: 'test' });
		const heard: (string | undefined)[] = [];
		const stop = http.onAnswer((headers) => heard.push(headers['x-ms-left']));
		await http.send({ method: 'GET', url: server.url });
		stop();
		await http.send({ method: 'GET', url: server.url });
		expect(heard).toEqual(['0', '1']);
		await http.close();
		await server.close();
	});
});
