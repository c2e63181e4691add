import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Http, type HttpAnswer, type HttpRequest, Unreachable } from '../../src/azure/http.ts';
import { LogFile } from '../../src/job/log-file.ts';

const URL_ = 'https://acc.blob.core.windows.net/c/user_logs/std_log.txt?sig=x';

/** Storage with one blob, and what is to go wrong next. */
class Storage implements Http {
	bytes = Buffer.alloc(0);
	created: string | undefined = 'Mon, 01 Jan 2026 00:00:00 GMT';
	/** Refusals before the next good answer; `down` is no answer at all. */
	readonly faults: (number | 'down')[] = [];
	ranges = true;
	/** The most bytes that one answer holds. */
	most = Number.POSITIVE_INFINITY;
	readonly asked: HttpRequest[] = [];

	async send(request: HttpRequest): Promise<HttpAnswer> {
		this.asked.push(request);
		const fault = this.faults.shift();
		if (fault === 'down') throw new Unreachable(request.url, Object.assign(new Error('x'), { code: 'ECONNRESET' }));
		if (fault !== undefined) return { status: fault, headers: {}, body: Buffer.from('<Error>no</Error>') };
		const headers: Record<string, string> = this.created === undefined ? {} : { 'x-ms-creation-time': this.created };
		if (!this.ranges) return { status: 200, headers, body: this.bytes };
		const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers?.['range'] ?? '') ?? []).map(Number);
		const size = this.bytes.length;
		if (from >= size)
			return { status: 416, headers: { 'content-range': `bytes */${size}` }, body: Buffer.from('<Error/>') };
		const body = this.bytes.subarray(from, Math.min(to + 1, from + this.most));
		return {
			status: 206,
			headers: { ...headers, 'content-range': `bytes ${from}-${from + body.length - 1}/${size}` },
			body,
		};
	}

	async close(): Promise<void> {}

	append(bytes: string | Uint8Array): void {
		this.bytes = Buffer.concat([this.bytes, Buffer.from(bytes as Uint8Array)]);
	}
}

interface Reading {
	readonly storage: Storage;
	readonly lines: string[];
	readonly file: LogFile;
	look(): ReturnType<LogFile['look']>;
}

function reading(): Reading {
	const storage = new Storage();
	const lines: string[] = [];
	const file = new LogFile('user_logs/std_log.txt', (text) => lines.push(...text.split('\n')));
	return { storage, lines, file, look: () => file.look(URL_, storage) };
}

/** What a file of these lines holds: the shown lines, with pieces of long ones put together again. */
function textOf(lines: readonly string[]): string {
	return lines.map((line) => (line.endsWith(' ⤶') ? line.slice(0, -2) : `${line}\n`)).join('');
}

describe('whatever comes in between', () => {
	const piece = fc.oneof(
		fc.constantFrom('\n', '\n', 'epoch 1\n', 'é', '漢', '😀', '\r\n', 'x'.repeat(300), '::error::x\n'),
		fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/\r/g, '')),
	);
	const event = fc.oneof(
		{ weight: 4, arbitrary: fc.nat({ max: 40 }).map((bytes) => ({ append: bytes })) },
		{ weight: 4, arbitrary: fc.constant({ look: true }) },
		{ weight: 1, arbitrary: fc.constantFrom<number | 'down'>(500, 503, 403, 404, 'down').map((fault) => ({ fault })) },
		{ weight: 1, arbitrary: fc.nat({ max: 9 }).map((most) => ({ most: most + 1 })) },
		{ weight: 1, arbitrary: fc.boolean().map((ranges) => ({ ranges })) },
	);

	test('every byte is shown once, in order', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(piece, { maxLength: 40 }),
				fc.array<{ append?: number; look?: boolean; fault?: number | 'down'; most?: number; ranges?: boolean }>(event, {
					maxLength: 60,
				}),
				async (pieces, events) => {
					const { storage, lines, file, look } = reading();
					const whole = Buffer.from(pieces.join(''));
					let written = 0;
					const write = (bytes: number): void => {
						storage.append(whole.subarray(written, written + bytes));
						written = Math.min(whole.length, written + bytes);
					};
					for (const { append, look: now, fault, most, ranges } of events) {
						if (append !== undefined) write(append);
						if (fault !== undefined) storage.faults.push(fault);
						if (most !== undefined) storage.most = most;
						if (ranges !== undefined) storage.ranges = ranges;
						if (now) await look();
					}
					write(whole.length);
					storage.faults.length = 0;
					while ((await look()).bytes > 0);
					file.end();
					const text = whole.toString().replace(/\r\n/g, '\n');
					expect(textOf(lines)).toBe(text === '' || text.endsWith('\n') ? text : `${text}\n`);
				},
			),
			{ seed: 20_261, numRuns: 300 },
		);
	});

	test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('characters are whole, though answers end after %d bytes', async (most) => {
		const { storage, lines, look } = reading();
		storage.most = most;
		storage.append('aé漢😀\n😀漢éa\n');
		while ((await look()).bytes > 0);
		expect(lines).toEqual(['aé漢😀', '😀漢éa']);
	});
});

describe('a look', () => {
	test('asks for what is new only, by the signed address and without a token', async () => {
		const { storage, look } = reading();
		storage.append('one\n');
		expect(await look()).toEqual({ bytes: 4, outcome: 'read' });
		expect(await look()).toEqual({ bytes: 0, outcome: 'read' });
		expect(storage.asked.map(({ headers }) => headers?.['range']?.split('-')[0])).toEqual(['bytes=0', 'bytes=4']);
		expect(storage.asked[0]).toMatchObject({ url: URL_, retry: false });
		expect(storage.asked[0]?.headers).not.toHaveProperty('authorization');
	});

	test('at an empty file brings nothing', async () => {
		const { lines, look, file } = reading();
		expect(await look()).toEqual({ bytes: 0, outcome: 'read' });
		file.end();
		expect(lines).toEqual([]);
	});

	test.each<[number | 'down', string, string]>([
		[401, 'fresh', 'HTTP 401'],
		[403, 'fresh', 'HTTP 403'],
		[404, 'gone', 'HTTP 404'],
		[409, 'later', 'HTTP 409'],
		[503, 'later', 'HTTP 503'],
		[302, 'later', 'HTTP 302'],
		['down', 'later', 'acc.blob.core.windows.net cannot be reached: the connection was reset'],
	])('that meets %s shows nothing of the refusal, and says: %s', async (fault, outcome, reason) => {
		const { storage, lines, look, file } = reading();
		storage.append('one\n');
		storage.faults.push(fault);
		expect(await look()).toEqual({ bytes: 0, outcome, reason });
		expect(await look()).toEqual({ bytes: 4, outcome: 'read' });
		file.end();
		expect(lines).toEqual(['one']);
	});

	test('that is cancelled throws', async () => {
		const { file } = reading();
		const http: Http = { send: async () => Promise.reject(new Error('cancelled')), close: async () => {} };
		await expect(file.look(URL_, http)).rejects.toThrow('cancelled');
	});

	test('goes on while answers are as large as asked for', async () => {
		const { storage, lines, look } = reading();
		storage.append(Buffer.alloc(9 * 1024 * 1024, `${'x'.repeat(1023)}\n`));
		expect((await look()).bytes).toBe(9 * 1024 * 1024);
		expect(storage.asked).toHaveLength(10);
		expect(lines.every((line) => line.length === 1023)).toBe(true);
	});
});

describe('an answer that is not what was asked for', () => {
	/** Storage that gives these answers one after the other, and the last one again and again. */
	function answers(...given: { range?: string; body: string; created?: string; status?: number }[]) {
		const asked: string[] = [];
		const send = async ({ headers }: HttpRequest): Promise<HttpAnswer> => {
			const one = given[Math.min(asked.length, given.length - 1)] ?? { body: '' };
			asked.push(headers?.['range']?.split('-')[0] ?? '');
			const more = one.range === undefined ? {} : { 'content-range': one.range };
			const status = one.status ?? 206;
			return { status, headers: { 'x-ms-creation-time': one.created ?? 'a', ...more }, body: Buffer.from(one.body) };
		};
		const lines: string[] = [];
		const file = new LogFile('user_logs/std_log.txt', (text) => lines.push(...text.split('\n')));
		return { asked, lines, file, look: () => file.look(URL_, { send, close: async () => {} }) };
	}

	test('because it begins later shows nothing: what is between would be lost', async () => {
		const { asked, lines, file, look } = answers(
			{ range: 'bytes 0-3/4', body: 'one\n' },
			{ range: 'bytes 8-11/12', body: 'two\n' },
		);
		await look();
		expect(await look()).toEqual({ bytes: 0, outcome: 'later', reason: 'it is written anew all the time' });
		expect([asked.length, lines, file.offset]).toEqual([1 + 4, ['one'], 4]);
	});

	test('because it begins earlier shows what is new of it', async () => {
		const { lines, look } = answers(
			{ range: 'bytes 0-3/4', body: 'one\n' },
			{ range: 'bytes 2-7/8', body: 'e\ntwo\n' },
		);
		await look();
		expect(await look()).toEqual({ bytes: 4, outcome: 'read' });
		expect(lines).toEqual(['one', 'two']);
	});

	test.each(['', 'bytes x-y/z', 'Bytes 9-12/13 or so', 'items 0-3/4'])(
		'or says nothing of its range (%j) is taken for it',
		async (range) => {
			const { lines, look } = answers({ range, body: 'one\n' }, { range, body: 'two\n' });
			await look();
			await look();
			expect(lines).toEqual(['one', 'two']);
		},
	);

	test.each([
		['bytes */4', 0],
		['bytes */40', 0],
		['bytes */*', 0],
		['', 0],
		['bytes */3', 1],
	])('as there is nothing more (%j) is no shorter file unless it says so', async (range, gaps) => {
		const { lines, look } = answers(
			{ range: 'bytes 0-3/4', body: 'one\n' },
			{ status: 416, range, body: '<Error/>' },
			{ status: 416, body: '' },
		);
		await look();
		await look();
		expect(lines.filter((line) => line.startsWith('[gap: '))).toHaveLength(gaps);
		expect(lines[0]).toBe('one');
	});

	test('and too short to tell whether the file is the same is asked for again', async () => {
		const { asked, lines, look } = answers(
			{ range: 'bytes 0-7/8', body: 'one\ntwo\n' },
			{ range: 'bytes 0-2/12', body: 'one', created: 'b' },
			{ range: 'bytes 0-11/12', body: 'one\ntwo\nmore', created: 'b' },
			{ range: 'bytes 12-14/15', body: '...', created: 'b' },
		);
		await look();
		expect(await look()).toEqual({ bytes: 4, outcome: 'read' });
		await look();
		expect(asked).toEqual(['bytes=0', 'bytes=8', 'bytes=0', 'bytes=12']);
		expect(lines).toEqual(['one', 'two']);
	});

	test('and no UTF-8 is counted', async () => {
		const { storage, look, file } = reading();
		storage.append(Buffer.from([0xff, 0x61, 0xfe, 0x0a]));
		await look();
		expect(file.invalid).toBe(2);
	});
});

describe('a file that is not the one it was', () => {
	const GAP = /^\[gap: user_logs\/std_log\.txt .* after 8 bytes; shown again from its beginning\]$/;

	test.each([true, false])('but is shorter is shown from its beginning, with a mark (ranges: %s)', async (ranges) => {
		const { storage, lines, look } = reading();
		storage.append('one\ntwo\n');
		await look();
		storage.ranges = ranges;
		storage.bytes = Buffer.from('new\n');
		await look();
		await look();
		expect(lines).toEqual(['one', 'two', expect.stringMatching(GAP), 'new']);
	});

	test.each([true, false])('but was made anew is recognised, though it is longer (ranges: %s)', async (ranges) => {
		const { storage, lines, look } = reading();
		storage.append('one\ntwo\n');
		await look();
		storage.ranges = ranges;
		storage.bytes = Buffer.from('entirely\nother\n');
		storage.created = 'Mon, 01 Jan 2026 09:00:00 GMT';
		await look();
		await look();
		expect(lines).toEqual(['one', 'two', expect.stringMatching(GAP), 'entirely', 'other']);
	});

	test('a 404 in between loses nothing and repeats nothing', async () => {
		const { storage, lines, look } = reading();
		storage.append('one\nhalf');
		await look();
		storage.faults.push(404, 404);
		await look();
		await look();
		storage.append(' a line\n');
		await look();
		expect(lines).toEqual(['one', 'half a line']);
	});
});

describe('a line', () => {
	/** A character of which one half is missing. */
	const HALF = /\p{Surrogate}/u;

	test('without an end is shown at the end', async () => {
		const { storage, lines, look, file } = reading();
		storage.append('one\nloss=0.1');
		await look();
		expect([lines, file.unfinished]).toEqual([['one'], true]);
		storage.append('2345');
		await look();
		file.end();
		expect(lines).toEqual(['one', 'loss=0.12345']);
	});

	test('that was shown before its end is not shown again, nor its end as an empty one', async () => {
		const { storage, lines, look, file } = reading();
		storage.append('waiting …');
		await look();
		file.flush();
		storage.append('\n\nmore');
		await look();
		file.flush();
		storage.append(' of it\r\n');
		await look();
		expect(lines).toEqual(['waiting … ⤶', '', '', 'more ⤶', ' of it']);
	});

	test('of ten megabytes is shown in marked pieces, never in half a character', async () => {
		const { storage, lines, look, file } = reading();
		const long = `a${'😀'.repeat(2_500_000)}`;
		const bytes = Buffer.from(long);
		for (let place = 0; place < bytes.length; place += 1_000_001) {
			storage.append(bytes.subarray(place, place + 1_000_001));
			await look();
		}
		file.end();
		expect(textOf(lines) === `${long}\n`).toBe(true);
		expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(64 * 1024 + 2);
		expect(lines.some((line) => HALF.test(line))).toBe(false);
	});

	test('that is complete is cut as well', async () => {
		const { storage, lines, look } = reading();
		const long = `a${'😀'.repeat(50_000)}`;
		storage.append(`${long}\nnext\n`);
		await look();
		expect(textOf(lines)).toBe(`${long}\nnext\n`);
		expect(lines.some((line) => HALF.test(line))).toBe(false);
	});

	test('that a progress bar overwrites is shown in its last state', async () => {
		const { storage, lines, look, file } = reading();
		for (let percent = 0; percent <= 100; percent += 1) {
			storage.append(`\r${percent}%|${'#'.repeat(percent)}`);
			if (percent % 7 === 0) await look();
		}
		storage.append('\ndone\r\n');
		await look();
		file.end();
		expect(lines).toEqual([`100%|${'#'.repeat(100)} [overwritten 100×]`, 'done']);
	});

	test('of a progress bar can be shown on the way', async () => {
		const { storage, lines, look, file } = reading();
		storage.append('\r1%\r2%');
		await look();
		file.flush();
		storage.append('\r3%\r4%\n');
		await look();
		expect(lines).toEqual(['2% [overwritten 1×]', '4% [overwritten 1×]']);
	});

	test('of carriage returns alone is none at the end of a file, however its bytes arrive', async () => {
		for (const slices of [['one\n\r\r'], ['one\n', '\r', '\r'], ['one\n\r', '\r']]) {
			const { storage, lines, look, file } = reading();
			for (const slice of slices) {
				storage.append(slice);
				await look();
			}
			file.end();
			expect(lines).toEqual(['one']);
		}
	});

	test('that is binary shows as far as it is text', async () => {
		const { storage, lines, look, file } = reading();
		storage.append(Buffer.from([0x61, 0xff, 0xfe, 0x00, 0x62, 0x0a, 0xe6, 0xbc]));
		await look();
		file.end();
		expect(lines).toEqual(['a\ufffd\ufffd\u0000b', '\ufffd']);
	});
});
