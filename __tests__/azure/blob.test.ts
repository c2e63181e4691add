import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BlobContainer, type BlobParts, openContainer } from '../../src/azure/blob.ts';
import { BlobError, withoutQueries } from '../../src/azure/blob-error.ts';
import type { BlobSource } from '../../src/azure/blob-put.ts';
import { BLOB_RETRY } from '../../src/azure/blob-retry.ts';
import { createSlots } from '../../src/azure/slots.ts';
import { type BlobServer, startBlobServer } from './blob-server.ts';

let server: BlobServer;
let slept: number[];
let retries: string[];

beforeEach(async () => {
	server = await startBlobServer();
	slept = [];
	retries = [];
});
afterEach(() => server.close());

const clock = () => {
	let now = 0;
	return {
		now: () => now,
		sleep: async (ms: number) => {
			slept.push(ms);
			now += ms;
		},
		random: () => 0,
	};
};

function container(parts: Partial<BlobParts> = {}): BlobContainer {
	const time = clock();
	const url = `http://storageacct.blob.localhost:${server.port}/container`;
	return openContainer(
		{ url, sas: 'sv=2022-11-02&sr=c&sig=top%2Fsecret%3D' },
		{ clock: time, slots: createSlots(time), onRetry: (line) => retries.push(line), ...parts },
	);
}

function sourceOf(content: Buffer | string, promised: Buffer | string = content): BlobSource {
	const bytes = Buffer.from(content);
	const md5 = createHash('md5').update(Buffer.from(promised)).digest('base64');
	return { size: bytes.length, md5, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

const stored = (name: string) => server.blobs.get(`/container/${name}`)?.data;
const puts = () => server.requests.filter((request) => request.method === 'PUT');

describe('putting a blob', () => {
	test('sends the bytes once, by the signed URL alone, with their MD5', async () => {
		await expect(container().put('src/train.py', sourceOf('print(1)\n'))).resolves.toBe('written');
		expect(stored('src/train.py')?.toString()).toBe('print(1)\n');
		const [put] = puts();
		expect(put?.query['sig']).toBe('top/secret=');
		expect(put?.headers.authorization).toBeUndefined();
		expect(put?.headers['x-ms-blob-type']).toBe('BlockBlob');
		expect(put?.headers['if-none-match']).toBe('*');
		expect(put?.headers['content-md5']).toBe(createHash('md5').update('print(1)\n').digest('base64'));
		expect(server.requests).toHaveLength(1);
	});

	test('keeps an empty file', async () => {
		await container().put('empty.txt', sourceOf(''));
		expect(stored('empty.txt')).toHaveLength(0);
	});

	test('signs with the account key', async () => {
		const time = clock();
		const url = `http://storageacct.blob.localhost:${server.port}/container`;
		const key = Buffer.from('the account key').toString('base64');
		const parts = { clock: time, slots: createSlots(time) };
		await openContainer({ url, account: 'storageacct', key }, parts).put('a.txt', sourceOf('a'));
		expect(puts()[0]?.headers.authorization).toMatch(/^SharedKey storageacct:/);
		expect(stored('a.txt')?.toString()).toBe('a');
	});

	test.each(['a b.txt', 'ü/é.txt', '100%?#&+=.txt', "it's (1).txt", 'e\u0301.txt'])(
		'keeps the name %s',
		async (name) => {
			await container().put(name, sourceOf('x'));
			expect([...server.blobs.keys()]).toEqual([`/container/${name}`]);
		},
	);

	test('sends a large file in blocks, in order, and tells of each', async () => {
		const content = Buffer.from(Array.from({ length: 1050 }, (_, place) => place % 251));
		const told: number[] = [];
		await container({ block: 100 }).put('big.bin', sourceOf(content), { onBytes: (count) => told.push(count) });
		expect(stored('big.bin')?.equals(content)).toBe(true);
		expect(told.reduce((sum, count) => sum + count, 0)).toBe(1050);
		expect(puts().filter((put) => put.query['comp'] === 'block')).toHaveLength(11);
	});

	test('sends only the block again whose connection broke', async () => {
		let broken = false;
		server.fault = ({ query }) => {
			if (broken || query['blockid'] !== Buffer.from('000000000002').toString('base64')) return undefined;
			broken = true;
			return { status: 0, reset: true };
		};
		const content = Buffer.alloc(500, 'x');
		await container({ block: 100 }).put('big.bin', sourceOf(content));
		expect(stored('big.bin')?.equals(content)).toBe(true);
		expect(puts().filter((put) => put.query['comp'] === 'block')).toHaveLength(6);
		expect(slept).toHaveLength(1);
	});

	test('does not commit a file that changed while it was sent', async () => {
		await expect(container().put('a.txt', sourceOf('new!', 'old!'))).rejects.toThrow('a.txt');
		const large = sourceOf(Buffer.alloc(500, 'n'), Buffer.alloc(500, 'o'));
		await expect(container({ block: 100 }).put('big.bin', large)).rejects.toMatchObject({ name: 'SourceChanged' });
		const shorter = { ...sourceOf('abc'), read: async () => Buffer.from('ab') };
		await expect(container().put('c.txt', shorter)).rejects.toMatchObject({ name: 'SourceChanged' });
		expect(server.blobs.size).toBe(0);
	});

	test('passes on the failure of a file that can no longer be read', async () => {
		const gone = { ...sourceOf(Buffer.alloc(500)), read: async () => Promise.reject(new Error('gone')) };
		await expect(container({ block: 100 }).put('gone.bin', gone)).rejects.toThrow('gone');
		expect(server.requests).toHaveLength(0);
	});

	test('leaves the same bytes alone and writes over others', async () => {
		await container().put('a.txt', sourceOf('same'));
		await expect(container().put('a.txt', sourceOf('same'))).resolves.toBe('there');
		await expect(container().put('a.txt', sourceOf('more'))).resolves.toBe('written');
		expect(stored('a.txt')?.toString()).toBe('more');
	});

	test('looks first where asked to, and sends nothing again', async () => {
		const content = Buffer.alloc(500, 'x');
		await container({ block: 100 }).put('big.bin', sourceOf(content));
		server.requests.length = 0;
		await expect(container({ block: 100 }).put('big.bin', sourceOf(content), { lookFirst: true })).resolves.toBe(
			'there',
		);
		expect(server.requests.map((request) => request.method)).toEqual(['HEAD']);
	});

	test('takes the second answer where the first was lost after the put', async () => {
		let lost = false;
		server.fault = (request) => {
			if (lost || request.method !== 'PUT') return undefined;
			lost = true;
			const md5 = String(request.headers['x-ms-blob-content-md5']);
			server.blobs.set(request.path, { data: request.body, md5, metadata: {} });
			return { status: 0, reset: true };
		};
		await expect(container().put('a.txt', sourceOf('a'))).resolves.toBe('there');
		expect(puts()).toHaveLength(2);
	});
});

describe('a blob that is put', () => {
	const counted = (content: string | Buffer, more: { block?: number; lookFirst?: boolean } = {}) => {
		const told: number[] = [];
		const { block, lookFirst = false } = more;
		const into = container(block === undefined ? {} : { block });
		return { told, done: into.put('a.bin', sourceOf(content), { onBytes: (count) => told.push(count), lookFirst }) };
	};

	test('is told of with its size, also where it was there', async () => {
		for (const lookFirst of [false, true]) {
			const { told, done } = counted('abc', { lookFirst });
			await done;
			expect(told).toEqual([3]);
		}
	});

	test('goes in one piece up to the size of a block', async () => {
		await counted(Buffer.alloc(100), { block: 100 }).done;
		expect(puts()).toHaveLength(1);
	});

	test('is taken for there only with the same size and the same MD5', async () => {
		await container().put('a.txt', sourceOf('first'));
		expect(await container().put('a.txt', sourceOf('other'), { lookFirst: true })).toBe('written');
		expect(stored('a.txt')?.toString()).toBe('other');
		// Another size with the same MD5 is something that was changed meanwhile.
		server.blobs.set('/container/b.txt', { data: Buffer.from('longer'), md5: sourceOf('first').md5, metadata: {} });
		expect(await container().put('b.txt', sourceOf('first'), { lookFirst: true })).toBe('written');
		expect(await container().put('c.txt', sourceOf('new'), { lookFirst: true })).toBe('written');
	});

	test.each([409, 412])('and refused with HTTP %d was there, or is written over', async (status) => {
		server.fault = ({ headers }) => (headers['if-none-match'] === '*' ? { status } : undefined);
		expect(await container().put('a.txt', sourceOf('new'))).toBe('written');
		expect(await container().put('a.txt', sourceOf('new'))).toBe('there');
	});

	test('carries an MD5 with each block, and memory that was sent is used again', async () => {
		const memory: boolean[] = [];
		const content = Buffer.alloc(300, 'x');
		const source: BlobSource = {
			...sourceOf(content),
			read: async (offset, length, kept) => {
				memory.push(kept !== undefined);
				return Buffer.from(content.subarray(offset, offset + length));
			},
		};
		const time = clock();
		await container({ block: 100, clock: time, slots: createSlots(time, 1) }).put('a.bin', source);
		const md5 = createHash('md5').update(content.subarray(0, 100)).digest('base64');
		const blocks = puts().filter(({ query }) => query['comp'] === 'block');
		expect(blocks.map(({ headers }) => headers['content-md5'])).toEqual([md5, md5, md5]);
		expect(memory).toEqual([false, true, true]);
	});

	test('is not committed when a block is refused, which is what is told; no more blocks are sent', async () => {
		server.fault = ({ query }) =>
			query['comp'] === 'block' ? { status: 403, code: 'AuthenticationFailed' } : undefined;
		const time = clock();
		const into = container({ block: 10, clock: time, slots: createSlots(time, 2) });
		const refused = into.put('a.bin', sourceOf(Buffer.alloc(500)));
		await expect(refused).rejects.toMatchObject({ status: 403, signatureRefused: true });
		expect(puts().length).toBeLessThanOrEqual(3);
		expect(server.blobs.size).toBe(0);
	});

	test('is not committed when it becomes shorter between two blocks', async () => {
		const source = sourceOf(Buffer.alloc(300));
		const cut: BlobSource = {
			...source,
			read: async (offset, length) => (await source.read(offset, length)).subarray(offset === 0 ? 0 : 1),
		};
		await expect(container({ block: 100 }).put('a.bin', cut)).rejects.toThrow('a block is shorter than promised');
		expect(server.blobs.size).toBe(0);
	});

	test('is broken off by the signal while storage is silent', async () => {
		const stop = new AbortController();
		const silent = createServer(() => stop.abort(new Error('cancelled meanwhile')));
		await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
		const time = clock();
		const access = { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/container`, sas: 'sig=x' };
		const lost = openContainer(access, { clock: time, slots: createSlots(time), signal: stop.signal });
		await expect(lost.put('a.txt', sourceOf('a'))).rejects.toThrow('cancelled meanwhile');
		silent.closeAllConnections();
		await new Promise((done) => silent.close(done));
	});
});

describe('patience', () => {
	test('waits as long as the service asks, seconds or milliseconds, and halves the number of requests', async () => {
		const answers = [
			{ status: 429, headers: { 'retry-after': '7' } },
			{ status: 503, code: 'ServerBusy', headers: { 'x-ms-retry-after-ms': '1234' } },
		];
		server.fault = () => answers.shift();
		const time = clock();
		const slots = createSlots(time, 16);
		await container({ clock: time, slots }).put('a.txt', sourceOf('a'));
		expect(slept).toEqual([7000, 1234]);
		expect(slots.limit()).toBe(4);
		expect(retries[0]).toContain('HTTP 429');
	});

	test('outlasts a storm in which every second request is refused', async () => {
		let dice = 1;
		server.fault = () => {
			dice = (dice * 48271) % 2147483647;
			return dice % 2 === 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
		};
		const storm = container();
		const names = Array.from({ length: 60 }, (_, place) => `f${place}.txt`);
		await Promise.all(names.map((name) => storm.put(name, sourceOf(name))));
		expect(server.blobs.size).toBe(60);
		const committed = puts().filter((put) => server.blobs.get(put.path)?.data.equals(put.body));
		expect(committed.length).toBeGreaterThanOrEqual(60);
	});

	test('gives up after a bounded number of attempts', async () => {
		server.fault = () => ({ status: 500, code: 'InternalError' });
		await expect(container().put('a.txt', sourceOf('a'))).rejects.toMatchObject({ status: 500, code: 'InternalError' });
		expect(server.requests).toHaveLength(7);
	});

	test.each([408, 429, 500, 502, 503, 504])('tries again after HTTP %d, ever more seldom', async (status) => {
		server.fault = () => (server.requests.length <= 3 ? { status } : undefined);
		await container().put('a.txt', sourceOf('a'));
		expect(slept).toEqual([400, 800, 1600]);
	});

	test.each([400, 401, 403, 404, 501])('takes HTTP %d for an answer', async (status) => {
		server.fault = () => ({ status });
		await expect(container().put('a.txt', sourceOf('a'))).rejects.toMatchObject({ status });
		expect(server.requests).toHaveLength(1);
		expect(slept).toEqual([]);
	});

	test('with a busy account is longer than with a broken one, and ends too', async () => {
		server.fault = () => ({ status: 503, headers: { 'retry-after': '1' } });
		const time = clock();
		const slots = createSlots(time, 16);
		await expect(container({ clock: time, slots }).put('a.txt', sourceOf('a'))).rejects.toMatchObject({ status: 503 });
		expect(server.requests).toHaveLength(40);
		expect(slots.limit()).toBe(1);
	});

	test('is a quarter of an hour for one request, and a longer wait is not begun', async () => {
		server.fault = () => ({ status: 429, headers: { 'retry-after': '300' } });
		await expect(container().put('a.txt', sourceOf('a'))).rejects.toMatchObject({ status: 429 });
		expect(slept).toEqual([300_000, 300_000, 300_000]);
		slept.length = 0;
		server.fault = () => ({ status: 429, headers: { 'retry-after': '901' } });
		await expect(container().put('b.txt', sourceOf('b'))).rejects.toMatchObject({ status: 429 });
		expect(slept).toEqual([]);
	});

	test('waits no longer than a minute by its own choice', async () => {
		server.fault = () => ({ status: 503 });
		await expect(container().put('a.txt', sourceOf('a'))).rejects.toMatchObject({ status: 503 });
		expect(slept.slice(0, 7)).toEqual([400, 800, 1600, 3200, 6400, 12_800, 25_600]);
		expect(Math.max(...slept)).toBe(30_000);
		expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(15 * 60_000);
	});

	test('with silence ends after its own time, which is told', async () => {
		const silent = createServer(() => {});
		await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
		const time = clock();
		const retry = { ...BLOB_RETRY, attempts: 3, timeout: 50 };
		const access = { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/container`, sas: 'sig=x' };
		const lost = openContainer(access, { clock: time, slots: createSlots(time), retry });
		await expect(lost.find('a.txt')).rejects.toMatchObject({
			status: 0,
			message: expect.stringContaining('no answer within 0.05 s'),
		});
		expect(slept).toHaveLength(2);
		silent.closeAllConnections();
		await new Promise((done) => silent.close(done));
	});

	test('is not begun for a signal that is aborted already', async () => {
		const signal = AbortSignal.abort(new Error('cancelled before'));
		await expect(container({ signal }).find('a.txt')).rejects.toThrow('cancelled before');
		expect(server.requests).toEqual([]);
	});

	test('ends with the reason of the signal', async () => {
		const stop = new AbortController();
		server.fault = () => {
			stop.abort(new Error('cancelled by the user'));
			return { status: 503 };
		};
		await expect(container({ signal: stop.signal }).put('a.txt', sourceOf('a'))).rejects.toThrow(
			'cancelled by the user',
		);
		expect(server.requests).toHaveLength(1);
	});
});

describe('refusals', () => {
	test.each([
		['AuthorizationFailure', 'network rules'],
		['AuthenticationFailed', "runner's clock"],
		['AuthorizationPermissionMismatch', 'read, create, write'],
		['KeyBasedAuthenticationNotPermitted', 'shared key'],
	])('explains 403 %s and hides the signature', async (code, hint) => {
		server.fault = () => ({ status: 403, code });
		const failure = await container()
			.put('a.txt', sourceOf('a'))
			.catch((error: Error) => error);
		expect(failure).toMatchObject({ name: 'TransferError', status: 403, code });
		expect((failure as Error).message).toContain(hint);
		expect((failure as Error).message).toContain('upload a.txt');
		expect(everything(failure)).not.toMatch(/secret|sig=/);
		expect(server.requests).toHaveLength(1);
	});

	test('is told with its code and the id to ask support with, where there are any', async () => {
		const body = Buffer.from(
			'<?xml version="1.0"?><Error><Code>Odd</Code><Message>See https://a.b/c?sig=secret\nmore</Message></Error>',
		);
		const headers = { 'content-type': 'application/xml', 'x-ms-request-id': 'r-1' };
		server.fault = () => ({ status: 400, code: 'Odd', headers, body });
		const failure = (await container()
			.find('a.txt')
			.catch((error: Error) => error)) as Error;
		expect(failure.message).toContain('answered HTTP 400 Odd.');
		expect(failure.message).toContain('(request r-1)');
		server.fault = () => ({ status: 400 });
		const bare = (await container()
			.find('a.txt')
			.catch((error: Error) => error)) as Error;
		expect(bare.message).toMatch(/answered HTTP 400\. /);
		expect(bare.message).not.toContain('undefined');
	});

	test('says which host does not answer', async () => {
		const dead = await startBlobServer();
		await dead.close();
		const time = clock();
		const access = { url: `http://acc.blob.localhost:${dead.port}/container`, sas: 'sig=top%2Fsecret' };
		const lost = openContainer(access, { clock: time, slots: createSlots(time) });
		const failure = await lost.find('a.txt').catch((error: Error) => error);
		expect((failure as Error).message).toContain(`acc.blob.localhost:${dead.port} cannot be reached`);
		expect(everything(failure)).not.toContain('secret');
	});

	test('does not follow a redirect', async () => {
		server.fault = () => ({
			status: 302,
			headers: { location: `http://127.0.0.1:${server.port}/container/other.txt` },
		});
		await expect(container().read('a.txt', 0, 10)).rejects.toMatchObject({ status: 302 });
		expect(server.requests).toHaveLength(1);
	});
});

test('a new signature can help where the old one is refused, and not where a firewall refuses', () => {
	const of = (status: number, code: string) => new BlobError({ what: 'x' }, status, code).signatureRefused;
	expect(of(403, 'AuthenticationFailed')).toBe(true);
	expect(of(403, 'AuthorizationFailure')).toBe(false);
	expect(of(401, 'AuthenticationFailed')).toBe(false);
});

test.each([
	['at https://a.b/c?sv=1&sig=abc now', 'at https://a.b/c?*** now'],
	['"HTTP://a.b/c?sig=abc", <https://d.e?x=1>', '"HTTP://a.b/c?***", <https://d.e?***>'],
	['SIG=abc&x=1 and sig=def', 'sig=***&x=1 and sig=***'],
	['design=1, https://a.b/c', 'design=1, https://a.b/c'],
])('a text loses the queries of its addresses: %s', (text, shown) => {
	expect(withoutQueries(text)).toBe(shown);
});

describe('looking and reading', () => {
	test('lists and finds a blob with its size, its MD5 and its marks', async () => {
		const there = container();
		await there.put('p/a.txt', sourceOf('abc'));
		await there.mark('p/a.txt', { version: '1' });
		const facts = { name: 'p/a.txt', size: 3, md5: sourceOf('abc').md5 };
		expect(await there.find('p/a.txt')).toMatchObject({ ...facts, metadata: { version: '1' } });
		const listed: unknown[] = [];
		for await (const blob of there.list('p/')) listed.push(blob);
		expect(listed).toEqual([expect.objectContaining(facts)]);
	});

	test('gives pieces of one and the same blob only, and none of one that is not there', async () => {
		const there = container();
		await there.put('big', sourceOf(Buffer.alloc(9 * 1024 * 1024)));
		for await (const _ of there.pieces('big'));
		const reads = server.requests.filter(({ method }) => method === 'GET');
		const { etag } = (await there.find('big')) ?? {};
		expect(etag).toMatch(/^"/);
		expect(reads.map(({ headers }) => headers['if-match'])).toEqual([etag, etag]);
		await expect(there.pieces('none')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
			status: 404,
			code: 'BlobNotFound',
		});
	});

	test('says so where a blob ends before its end', async () => {
		const there = container();
		await there.put('log', sourceOf('0123456789'));
		server.fault = ({ method }) => (method === 'GET' ? { status: 416, code: 'InvalidRange' } : undefined);
		await expect(there.pieces('log')[Symbol.asyncIterator]().next()).rejects.toThrow('it ended early');
	});

	test('finds a blob and its marks, or nothing', async () => {
		const there = container();
		await there.put('a.txt', sourceOf('abc'));
		await there.mark('a.txt', { upload_status: 'completed', version: '1' });
		const found = await there.find('a.txt');
		expect(found).toMatchObject({ size: 3, metadata: { upload_status: 'completed', version: '1' } });
		await expect(there.find('b.txt')).resolves.toBeUndefined();
	});

	test('lists every page', async () => {
		const there = container();
		for (const name of ['p/1', 'p/2', 'p/3', 'p/<4>&', 'q/5']) await there.put(name, sourceOf(name));
		const names: string[] = [];
		for await (const blob of there.list('p/')) names.push(blob.name);
		expect(names).toEqual(['p/1', 'p/2', 'p/3', 'p/<4>&']);
	});

	test('reads ranges, and nothing where there is nothing', async () => {
		const there = container();
		await there.put('log', sourceOf('0123456789'));
		await there.put('empty', sourceOf(''));
		expect((await there.read('log', 3, 4)).toString()).toBe('3456');
		expect((await there.read('log', 8, 100)).toString()).toBe('89');
		expect(await there.read('log', 10, 5)).toHaveLength(0);
		expect(await there.read('empty', 0, 5)).toHaveLength(0);
	});

	test('takes no more than was asked for', async () => {
		const body = Buffer.alloc(4 * 1024 * 1024);
		const headers = { 'content-length': String(body.length), etag: '"1"' };
		server.fault = ({ method }) => (method === 'GET' ? { status: 206, headers, body } : undefined);
		await expect(container().read('log', 0, 100)).rejects.toThrow('More than the 100 bytes came');
		expect(server.requests).toHaveLength(1);
	});

	test('takes the length of a range from the range itself where the answer comes in pieces', async () => {
		const headers = { 'content-range': 'bytes 3-6/10', 'transfer-encoding': 'chunked', etag: '"1"' };
		server.fault = ({ method }) => (method === 'GET' ? { status: 206, headers, body: Buffer.from('3456') } : undefined);
		expect((await container().read('log', 3, 4)).toString()).toBe('3456');
	});

	test('takes a packed blob as it is: what a job says of its encoding must not fill the memory', async () => {
		const body = gzipSync(Buffer.alloc(4 * 1024 * 1024));
		const headers = { 'content-encoding': 'gzip', 'content-length': String(body.length), etag: '"1"' };
		server.fault = ({ method }) => (method === 'GET' ? { status: 206, headers, body } : undefined);
		expect((await container().read('log', 0, body.length)).equals(body)).toBe(true);
	});

	test('gives a whole blob in pieces, an empty one in none', async () => {
		const there = container();
		const content = Buffer.alloc(9 * 1024 * 1024, 'y');
		await there.put('big', sourceOf(content));
		await there.put('empty', sourceOf(''));
		const pieces: Buffer[] = [];
		for await (const piece of there.pieces('big')) pieces.push(piece);
		expect(pieces.length).toBe(2);
		expect(Buffer.concat(pieces).equals(content)).toBe(true);
		for await (const piece of there.pieces('empty')) throw new Error(`a piece of ${piece.length} bytes`);
	});
});

/** All that could be printed of an error: message, stack, own fields, causes. */
function everything(error: unknown): string {
	const seen: string[] = [];
	for (let here = error; here instanceof Error; here = here.cause) {
		seen.push(here.message, here.stack ?? '', JSON.stringify(here));
	}
	return seen.join('\n');
}
