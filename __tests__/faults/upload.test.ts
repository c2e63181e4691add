// Cases 9 to 23 of the fault table: uploads that break, wait, change under way, or would take along what must stay home.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readContent } from '../../src/asset/content.ts';
import { walk } from '../../src/asset/walk.ts';
import { type BlobParts, openContainer } from '../../src/azure/blob.ts';
import type { BlobSource } from '../../src/azure/blob-put.ts';
import { createSlots } from '../../src/azure/slots.ts';
import { type BlobServer, startBlobServer } from '../azure/blob-server.ts';
import { memoryLog } from '../fixtures/memory-log.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';
import { chanceOf } from '../job/log-scene.ts';
import { openWire, UploadScene } from './upload-scene.ts';

let scene: UploadScene | undefined;
let server: BlobServer | undefined;
afterEach(async () => {
	await scene?.close();
	await server?.close();
	[scene, server] = [undefined, undefined];
});

const open = async (files: Parameters<typeof UploadScene.open>[0]): Promise<UploadScene> => {
	scene = await UploadScene.open(files);
	return scene;
};
const SAMPLE = { 'src/train.py': 'print("a")\n', 'src/lib/b.py': 'b\n', 'src/empty.txt': '' };

/** A container on loopback, at this port or at the server's own, with time that passes by itself. */
async function container(parts: Partial<BlobParts> = {}, port?: number) {
	server ??= await startBlobServer();
	const clock = virtualClock();
	const slots = createSlots(clock, 16);
	const url = `http://storageacct.blob.localhost:${port ?? server.port}/container`;
	return { clock, slots, blobs: openContainer({ url, sas: 'sr=c&sig=s' }, { clock, slots, ...parts }), server };
}

const sourceOf = (bytes: Buffer): BlobSource => ({
	size: bytes.length,
	md5: createHash('md5').update(bytes).digest('base64'),
	read: async (offset, length) => bytes.subarray(offset, offset + length),
});

test('case 9 U-reset: a connection that breaks after any number of bytes costs that block only', async () => {
	const bytes = Buffer.from(Array.from({ length: 60 }, (_, place) => place));
	// A request is some seven hundred bytes of head, then a block of twenty: every byte of three blocks, and of heads.
	const places = Array.from({ length: 2_600 }, (_, place) => place).filter(
		(place) => place % 37 === 0 || place % 760 > 735,
	);
	const own = await startBlobServer();
	server = own;
	for (const place of places) {
		const wire = await openWire(own.port, place);
		own.requests.length = 0;
		own.blobs.clear();
		const { blobs } = await container({ block: 20, slots: createSlots(virtualClock(), 1) }, wire.port);
		await blobs.put('a.bin', sourceOf(bytes));
		expect(own.blobs.get('/container/a.bin')?.data.equals(bytes)).toBe(true);
		const blocks = own.requests.filter(({ query }) => query['comp'] === 'block').map(({ query }) => query['blockid']);
		// The one that broke may have arrived or not; none of the others is sent again.
		expect(blocks.length - new Set(blocks).size).toBeLessThanOrEqual(1);
		await wire.close();
	}
});

test('case 10 U-429-storm: half of all requests refused, with waits of 1 to 30 s, and each file is committed once', async () => {
	const chance = chanceOf(10);
	const { blobs, slots, clock, server: storage } = await container();
	let least = 16;
	storage.fault = () => {
		least = Math.min(least, slots.limit());
		return chance() < 0.5
			? { status: 429, headers: { 'retry-after': String(1 + Math.floor(chance() * 30)) } }
			: undefined;
	};
	const names = Array.from({ length: 60 }, (_, place) => `f${place}.txt`);
	await Promise.all(names.map((name) => blobs.put(name, sourceOf(Buffer.from(name)))));
	expect([...storage.blobs].map(([name, { data }]) => [name, data.toString()]).sort()).toEqual(
		names.map((name) => [`/container/${name}`, name]).sort(),
	);
	expect(least).toBeLessThan(8);
	expect(Math.max(...clock.slept)).toBeLessThanOrEqual(30_000);
});

test('case 11 U-503-busy: the service is given the time that it asks for, not less', async () => {
	const waits = [1_234, 50, 7_000, 1_234, 20_000];
	const { blobs, clock, server: storage } = await container();
	const left = [...waits];
	storage.fault = () => {
		const wait = left.shift();
		return wait === undefined
			? undefined
			: { status: 503, code: 'ServerBusy', headers: { 'x-ms-retry-after-ms': String(wait) } };
	};
	await blobs.put('a.txt', sourceOf(Buffer.from('a')));
	expect(clock.slept).toEqual(waits);
	expect(storage.blobs.size).toBe(1);
});

test('case 13 U-file-changed: a file that is written between the hash and the upload is noticed and named', async () => {
	const one = await open(SAMPLE);
	one.site.answer = (_, below) => {
		if (below.endsWith('/startPendingUpload')) writeFileSync(one.at('src/train.py'), 'print("b")\n');
		return undefined;
	};
	const run = await one.upload();
	expect(run.broken({ code: 1, says: /src: train\.py.*changed while it was being uploaded/s })).toEqual([]);
});

test('case 14 U-file-vanished / unreadable: all that cannot be read is told before a job is', async () => {
	const one = await open({ ...SAMPLE, 'src/gone': { to: 'nowhere' }, 'src/lost.csv': { to: '../no/where.csv' } });
	const both = await one.upload();
	expect(
		both.broken({ code: 1, says: /gone is a link that leads nowhere.*lost\.csv is a link that leads nowhere/s }),
	).toEqual([]);
	expect(one.site.server.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
	for (const link of ['gone', 'lost.csv']) rmSync(one.at(`src/${link}`));
	one.site.answer = (_, below) => {
		if (below.endsWith('/startPendingUpload')) rmSync(one.at('src/lib/b.py'));
		return undefined;
	};
	expect((await one.upload()).broken({ code: 1, says: /src: lib\/b\.py.*ENOENT|src: lib\/b\.py/s })).toEqual([]);
});

test('case 15 U-missing-folder: nothing there, or nothing in it, is told by its path; a file is taken as one', async () => {
	const one = await open({ 'src/': '', 'train.py': 'x' });
	expect((await one.upload('code')).broken({ code: 1, says: /'code'.*Nothing is at .*\/code/s })).toEqual([]);
	expect((await one.upload('src')).broken({ code: 1, says: /'src'.*src holds no file/s })).toEqual([]);
	expect(one.site.server.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
	expect((await one.upload('train.py')).broken({ code: 0 })).toEqual([]);
});

test('case 16 U-link-loop: links to themselves, to each other and to a parent end, each file once a way', async () => {
	const one = await open({
		'src/a.py': 'a',
		'src/self': { to: 'self' },
		'src/parent': { to: '..' },
		'src/x/to-y': { to: '../y' },
		'src/y/to-x': { to: '../x' },
		'src/y/b.py': 'b',
	});
	expect((await one.upload()).broken({ code: 0 })).toEqual([]);
	const names = [...one.stored().keys()].sort();
	expect(names.filter((name) => name.endsWith('a.py'))).toContain('a.py');
	expect(names.length).toBeLessThan(12);
	expect(names.every((name) => name.split('/').length < 6)).toBe(true);
});

describe('case 17 U-link-escape: no way leads out of the checkout', () => {
	const CANARY = 'canary-outside-of-the-checkout';
	test.each<[string, Record<string, { to: string }>]>([
		['to a file', { 'src/out': { to: 'OUT/x.txt' } }],
		['to a folder', { 'src/out': { to: 'OUT' } }],
		['by another link', { 'src/out': { to: '../hop' }, hop: { to: 'OUT' } }],
		['by `..`', { 'src/out': { to: '../../NAME/x.txt' } }],
	])('%s', async (_, links) => {
		const one = await open({ 'src/a.py': 'a' });
		one.canaries.set(CANARY, 'a file outside');
		const outside = await one.site.folders.make({ 'x.txt': CANARY });
		const real = Object.entries(links).map(([name, { to }]) => [
			name,
			{ to: to.replace('OUT', outside).replace('NAME', path.basename(outside)) },
		]);
		await one.site.folders.add(one.site.checkout, Object.fromEntries(real));
		const run = await one.upload();
		expect(run.broken({ code: 1, says: /out is a link that leads out of the checkout/ })).toEqual([]);
		expect(one.stored().size).toBe(0);
	});

	test('but the path that the job file itself names', async () => {
		const one = await open({ 'a.py': '' });
		const outside = await one.site.folders.make({ 'x.txt': 'wanted' });
		const run = await one.upload(path.join('..', path.basename(outside)));
		expect(run.broken({ code: 0 })).toEqual([]);
		expect([...one.site.server.blobs.values()].map(({ data }) => data.toString())).toEqual(['wanted']);
	});
});

test('case 18 U-secret-files: files that hold credentials stay home and are listed; .amlignore can ask for one', async () => {
	const CANARY = 'canary-of-a-secret-file';
	const names = ['.env', '.git/config', 'key.pem', 'sub/id_rsa', '.azure/token.json', '.netrc', 'azureauth.json'];
	const secret = Object.fromEntries(names.map((name) => [`src/${name}`, CANARY]));
	const one = await open({ 'src/train.py': 'x', ...secret });
	one.canaries.set(CANARY, 'a secret file');
	expect((await one.upload()).broken({ code: 0 })).toEqual([]);
	expect([...one.stored().keys()]).toEqual(['train.py']);
	const told = one.site.log.lines.join('\n') + one.site.log.annotations.map(({ text }) => text).join('\n');
	expect(told).toContain('.env');
	one.canaries.clear();
	writeFileSync(one.at('src/.amlignore'), '!.env\n');
	expect((await one.upload()).broken({ code: 0 })).toEqual([]);
	expect([...one.stored().keys()].sort()).toEqual(['.amlignore', '.env', 'train.py']);
});

test('case 19 U-secret-value: a secret in a file stops the upload with file and line, and without the secret', async () => {
	const one = await open({ 'src/train.py': 'import os\n\npassword = "hunter2-hunter2"\n' });
	one.site.secrets.add('hunter2-hunter2');
	one.canaries.set('hunter2-hunter2', 'a secret of the run');
	expect((await one.upload()).broken({ code: 1, says: /src\/train\.py.*3|3.*src\/train\.py/s })).toEqual([]);
	expect(one.site.server.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('case 20 U-names: a name goes to storage exactly as it is, or is refused by name', async () => {
	const names = [
		'\u00e9.txt',
		'e\u0301.txt',
		'a b.txt',
		'100%?#&+=.txt',
		'A.txt',
		'a.txt',
		'漢字/😀.py',
		`${'d/'.repeat(400)}x`,
	];
	const one = await open(Object.fromEntries(names.map((name) => [`src/${name}`, name])));
	expect((await one.upload()).broken({ code: 0 })).toEqual([]);
	expect([...one.stored()].map(([name, bytes]) => [name, bytes.toString()]).sort()).toEqual(
		names.map((name) => [name, name]).sort(),
	);
	for (const bad of ['back\\slash', 'new\nline', `${'e'.repeat(200)}/`.repeat(5).concat('x')]) {
		await one.site.folders.add(one.site.checkout, { [`other/${bad}`]: '' });
		expect((await one.upload('other')).broken({ code: 1, says: /storage cannot keep it/ })).toEqual([]);
		rmSync(one.at('other'), { recursive: true });
	}
});

describe('case 21 U-huge: memory does not grow with what is uploaded', () => {
	const MIB = 1024 * 1024;

	test('a sparse file of 256 MiB goes in blocks', async () => {
		const folder = path.join(tmpdir(), `huge-${process.pid}`);
		mkdirSync(folder, { recursive: true });
		const file = openSync(path.join(folder, 'huge.bin'), 'w');
		ftruncateSync(file, 256 * MIB);
		closeSync(file);
		let highest = 0;
		let taken = 0;
		// Storage that only counts: it must not keep what the sender may not.
		const sink = createHttpServer((request, response) => {
			const block = request.url?.includes('comp=block&') ?? false;
			request.on('data', (piece: Buffer) => {
				taken += block ? piece.length : 0;
				highest = Math.max(highest, process.memoryUsage.rss());
			});
			request.on('end', () => response.writeHead(201).end());
		});
		await new Promise<void>((done) => sink.listen(0, '127.0.0.1', done));
		const before = process.memoryUsage.rss();
		const content = await readContent(folder, 'huge', 'content', {
			checkout: folder,
			log: memoryLog(),
			secrets: ['a secret'],
		});
		const { blobs } = await container({}, (sink.address() as AddressInfo).port);
		const [one] = content.files;
		if (one === undefined) throw new Error('there is no file');
		const bytes = await one.open();
		await blobs.put('huge.bin', { size: one.size, md5: one.md5, read: bytes.read });
		await bytes.close();
		sink.closeAllConnections();
		await new Promise((done) => sink.close(done));
		rmSync(folder, { recursive: true });
		expect(taken).toBe(256 * MIB);
		expect((highest - before) / MIB).toBeLessThan(192);
	});

	test('five thousand small files are walked and hashed', async () => {
		const files = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`src/${n % 100}/${n}.txt`, String(n)]));
		const one = await open(files);
		const before = process.memoryUsage.rss();
		const content = await readContent(one.at('src'), 'src', 'content', {
			checkout: one.site.checkout,
			log: memoryLog(),
			secrets: [],
		});
		expect(content.files).toHaveLength(5_000);
		expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(256);
	});
});

test('case 22 U-zero-and-odd: an empty file is kept; a pipe and a socket are refused without being opened', async () => {
	const one = await open({ 'src/empty.txt': '' });
	expect((await one.upload()).broken({ code: 0 })).toEqual([]);
	expect([...one.stored()].map(([name, bytes]) => [name, bytes.length])).toEqual([['empty.txt', 0]]);
	execFileSync('mkfifo', [one.at('src/pipe')]);
	const socket = createServer();
	await new Promise<void>((ready) => socket.listen(one.at('src/sock'), ready));
	// Opening the pipe would block for ever: nobody writes to it.
	const tree = await walk(one.at('src'), { checkout: one.site.checkout });
	const run = await one.upload();
	await new Promise((closed) => socket.close(closed));
	expect(tree.problems).toEqual([
		'pipe is a named pipe; only files and folders can be uploaded.',
		'sock is a socket; only files and folders can be uploaded.',
	]);
	expect(run.said).toMatch(/pipe is a named pipe.*sock is a socket/s);
});

test('case 23 U-sas-expiry: a signature that is over half-way is asked for anew, and there is one version', async () => {
	const one = await open(SAMPLE);
	let left = 1;
	one.site.server.fault = ({ method, path: where }) => {
		if (method !== 'PUT' || !where.startsWith('/code-1/')) return undefined;
		left -= 1;
		return left < 0 ? { status: 403, code: 'AuthenticationFailed' } : undefined;
	};
	expect((await one.upload()).broken({ code: 0 })).toEqual([]);
	expect([...one.stored()].map(([name, bytes]) => [`src/${name}`, bytes.toString()]).sort()).toEqual(
		Object.entries(SAMPLE).sort(),
	);
	expect(one.changes()).toHaveLength(1);
});
