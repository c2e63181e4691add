import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkScoringHost, invokeOnline } from '../../src/endpoint/invoke.ts';
import { findEndpoint, type OnlineEndpoint } from '../../src/endpoint/online-endpoint.ts';
import { type Bench, startBench } from './online-service.ts';

let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

async function endpoint(properties: Record<string, unknown> = {}): Promise<OnlineEndpoint> {
	bench.service.seed('iris', { blue: 100 }, properties);
	const found = await findEndpoint('iris', bench.parts);
	if (found === undefined) throw new Error('the endpoint was not seeded');
	return found;
}

const call = { deployment: 'blue', body: '{"data":[1]}' };

describe('sign-in', () => {
	test.each([
		['Key', 'Bearer primary-key-1', ['secondary-key-2', 'primary-key-1']],
		['AMLToken', 'Bearer endpoint-token-3', ['endpoint-token-3']],
		['AADToken', 'Bearer token-for-ml/.default', []],
		['aadToken', 'Bearer token-for-ml/.default', []],
	])('%s', async (authMode, authorization, masked) => {
		const found = await endpoint({ authMode });
		expect(await invokeOnline(found, call, bench.parts)).toBe('{"predictions":["setosa"]}');
		const scored = bench.service.requests.at(-1);
		expect(scored).toMatchObject({ method: 'POST', path: '/score/iris', body: { data: [1] } });
		expect(scored?.headers).toMatchObject({
			authorization,
			'azureml-model-deployment': 'blue',
			'content-type': 'application/json',
		});
		expect(bench.masked).toEqual(masked);
	});

	test.each(['Key', 'AMLToken', 'AADToken'])('no %s goes to a host outside the cloud', async (authMode) => {
		const seen: unknown[] = [];
		const foreign = createServer((incoming, outgoing) => {
			seen.push(incoming.headers);
			outgoing.end('{}');
		});
		await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
		const scoringUri = `http://localhost:${(foreign.address() as AddressInfo).port}/score`;
		const found = await endpoint({ authMode, scoringUri });
		await expect(invokeOnline(found, call, bench.parts)).rejects.toThrow(/no key or token is sent to localhost/);
		expect(() => checkScoringHost(found, bench.parts)).toThrow(/cannot be invoked/);
		foreign.closeAllConnections();
		await new Promise((resolve) => foreign.close(resolve));
		expect(seen).toEqual([]);
		expect(bench.service.requests.map(({ path }) => path)).not.toContain('/onlineEndpoints/iris/listKeys');
	});
});

describe('answers', () => {
	test.each([429, 502, 503, 504])('%i is tried again', async (status) => {
		const found = await endpoint();
		const left = [status, status];
		bench.service.score = () => ({ status: left.pop() ?? 200, text: '"fine"' });
		expect(await invokeOnline(found, call, bench.parts)).toBe('"fine"');
		expect(bench.clock.sleeps).toEqual([750, 1500]);
	});

	test('Retry-After is heeded, up to half a minute', async () => {
		const found = await endpoint();
		const waits = ['3', '500'];
		bench.service.score = () => {
			const wait = waits.shift();
			return wait === undefined
				? { status: 201, text: '1' }
				: { status: 503, text: '', headers: { 'retry-after': wait } };
		};
		expect(await invokeOnline(found, call, bench.parts)).toBe('1');
		expect(bench.clock.sleeps).toEqual([3_000, 30_000]);
	});

	test('five repeats and no more', async () => {
		const found = await endpoint();
		bench.service.score = () => ({ status: 503, text: 'overloaded' });
		await expect(invokeOnline(found, call, bench.parts)).rejects.toThrow(
			'Could not invoke the deployment "blue". HTTP 503 (6 attempts): overloaded',
		);
		expect(bench.service.requests.filter(({ path }) => path === '/score/iris')).toHaveLength(6);
	});

	test.each([400, 401, 404, 408, 500, 302])('%i is told at once', async (status) => {
		const found = await endpoint();
		bench.service.score = () => ({ status, text: 'because', headers: { location: 'http://localhost:1/' } });
		await expect(invokeOnline(found, call, bench.parts)).rejects.toMatchObject({
			message: expect.stringContaining(`HTTP ${status}: because`),
			status,
		});
		expect(bench.clock.sleeps).toEqual([]);
	});

	test("424 tells what the model's container answered", async () => {
		const found = await endpoint();
		const headers = { 'ms-azureml-model-error-statuscode': '500', 'ms-azureml-model-error-reason': 'model_error' };
		bench.service.score = () => ({ status: 424, text: 'KeyError', headers });
		await expect(invokeOnline(found, call, bench.parts)).rejects.toThrow(
			"HTTP 424: KeyError The model's container answered 500. Reason: model_error.",
		);
	});

	test('more than 1 MiB is refused', async () => {
		const found = await endpoint();
		bench.service.score = () => ({ status: 200, text: 'x'.repeat(1024 * 1024) });
		expect(await invokeOnline(found, call, bench.parts)).toHaveLength(1024 * 1024);
		bench.service.score = () => ({ status: 200, text: 'x'.repeat(1024 * 1024 + 1) });
		await expect(invokeOnline(found, call, bench.parts)).rejects.toThrow(/larger than 1048576 bytes/);
	});
});

test('a connection that is lost is tried again', async () => {
	let turn = 0;
	const server = createServer((incoming, outgoing) => {
		turn += 1;
		if (turn < 3) incoming.socket.destroy();
		else outgoing.end('"there"');
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	try {
		const { port } = server.address() as AddressInfo;
		const found = await endpoint({ scoringUri: `http://127.0.0.1:${port}/score` });
		expect(await invokeOnline(found, call, bench.parts)).toBe('"there"');
		expect(turn).toBe(3);
	} finally {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
});

test('a host that refuses connections at first is tried again', async () => {
	const late = createServer((_, outgoing) => outgoing.end('"late"'));
	await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
	const { port } = late.address() as AddressInfo;
	await new Promise((resolve) => late.close(resolve));
	const found = await endpoint({ scoringUri: `http://127.0.0.1:${port}/score` });
	bench.clock.onSleep = (ms) => {
		if (ms === 1500) late.listen(port, '127.0.0.1');
	};
	expect(await invokeOnline(found, call, bench.parts)).toBe('"late"');
	expect(bench.clock.sleeps.length).toBeGreaterThanOrEqual(2);
	late.closeAllConnections();
	await new Promise((resolve) => late.close(resolve));
});

test('a silent host is given up after the time limit, and a cancel ends the wait with its own reason', async () => {
	const silent = createServer(() => {});
	await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
	const found = await endpoint({ scoringUri: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/score` });
	await expect(invokeOnline(found, { ...call, timeout: 40 }, bench.parts)).rejects.toThrow(
		/No answer came within 0.04 s|does not answer/,
	);
	const cancel = new AbortController();
	const waiting = invokeOnline(found, call, { ...bench.parts, signal: cancel.signal });
	silent.once('request', () => cancel.abort(new Error('cancelled by the user')));
	await expect(waiting).rejects.toThrow('cancelled by the user');
	silent.closeAllConnections();
	await new Promise((resolve) => silent.close(resolve));
});
