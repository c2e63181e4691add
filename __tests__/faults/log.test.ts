// Cases 34 to 46 of the fault table, in virtual time: the log of a job, whatever happens to its bytes on their way.
import { describe, expect, test } from '@jest/globals';
import type { Http } from '../../src/azure/http.ts';
import { LogFile } from '../../src/job/log-file.ts';
import type { Mishap } from './virtual-azure.ts';
import { JOB, LOG, World, type WorldRun } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

/** A job that runs from the first minute on, is given its log by `write`, and ends at `end`. */
async function logged(
	write: (world: World) => void,
	{ end = 10 * MINUTE, state = 'Completed' } = {},
): Promise<WorldRun> {
	const world = new World();
	world.turn(MINUTE, 'Running');
	write(world);
	world.turn(end, state);
	return world.train();
}

const isLog = (line: string): boolean => line.startsWith('GET log/');

test('case 34 L-utf8-split: characters are whole, wherever an answer ends', async () => {
	const text = Buffer.from('é 漢 😀 loss=0.1\nnaïve 字\u0301\n');
	for (let place = 1; place < text.length; place += 1) {
		const run = await logged(
			(world) => {
				world.print(2 * MINUTE, text.subarray(0, place));
				world.print(2 * MINUTE + 1_500, text.subarray(place));
			},
			{ end: 3 * MINUTE },
		);
		expect(run.broken({ code: 0 })).toEqual([]);
		expect(run.shown.join('')).not.toContain('\ufffd');
	}
	// And by answers of three bytes each.
	const short = await logged((world) => {
		world.print(2 * MINUTE, text);
		world.azure.befall = (line) => (isLog(line) ? 'short' : undefined);
	});
	expect(short.broken({ code: 0 })).toEqual([]);
});

test('case 35 L-partial-line: a line that stands unfinished for minutes is shown in time, and its rest once', async () => {
	const run = await logged((world) => {
		world.print(2 * MINUTE, 'epoch 1: loss=0.1');
		world.print(6 * MINUTE, '2345\n');
		world.print(7 * MINUTE, 'quick');
		world.print(7 * MINUTE + 3_000, 'ly\n');
	});
	expect(run.broken({ code: 0 })).toEqual([]);
	expect(run.shown).toEqual(['epoch 1: loss=0.1 ⤶', '2345', 'quickly']);
});

describe('case 36 L-rotated', () => {
	const NEW = 'new 1\nnew 2\n';
	test.each<[string, string, (world: World) => void]>([
		['truncated', NEW, ({ azure }) => void azure.files.set(LOG, Buffer.from(NEW))],
		[
			'replaced by a longer one',
			`${NEW}${'and more of it\n'.repeat(20)}`,
			({ azure }) => azure.replace(LOG, Buffer.from(`${NEW}${'and more of it\n'.repeat(20)}`)),
		],
		[
			'deleted and made again',
			NEW,
			(world) => {
				world.azure.files.delete(LOG);
				world.clock.at(5 * MINUTE, () => world.azure.replace(LOG, Buffer.from(NEW)));
			},
		],
	])('a log that is %s is told as a gap, and the new one shown from its beginning', async (_, content, change) => {
		const old = `${'old line of the log\n'.repeat(8)}`;
		const run = await logged((world) => {
			world.print(2 * MINUTE, old);
			world.clock.at(4 * MINUTE, () => change(world));
		});
		expect(run.broken({ code: 0 })).toEqual([]);
		const gap = run.shown.findIndex((line) => line.startsWith(`[gap: ${LOG}`));
		expect(run.shown.slice(0, gap).join('\n')).toBe(old.trimEnd());
		expect(run.shown.slice(gap + 1).join('\n')).toBe(content.trimEnd());
	});
});

describe('case 37 L-416 / 304 / 206-short', () => {
	test.each<[string, Mishap]>([
		['416', { status: 416, headers: { 'content-range': 'bytes */0' } }],
		['304', { status: 304 }],
		['short', 'short'],
		['the whole file for a range', 'whole'],
		['an empty 206', { status: 206, body: '' }],
	])('an answer that is %s costs nothing and repeats nothing', async (what, mishap) => {
		let turn = 0;
		const run = await logged((world) => {
			for (let second = 0; second < 60; second += 5) world.print(2 * MINUTE + second * SECOND, `second ${second} é\n`);
			// Every third answer is odd while the job runs.
			world.azure.befall = (line) =>
				isLog(line) && world.clock.elapsed < 9 * MINUTE && turn++ % 3 === 1 ? mishap : undefined;
		});
		// A 416 that says that the file is empty says that it has shrunk: that is told, and nothing is missing.
		expect(run.broken({ code: 0, log: what !== '416' })).toEqual([]);
		for (let second = 0; second < 60; second += 5) expect(run.shown).toContain(`second ${second} é`);
	});
});

test('case 38 L-sas-expired: an address that is over half-way is replaced, at the same place', async () => {
	const run = await logged((world) => {
		for (let second = 0; second < 300; second += 7) world.print(2 * MINUTE + second * SECOND, `second ${second}\n`);
		for (const minute of [3, 4, 6])
			world.clock.at(minute * MINUTE, () => {
				world.azure.signature += 1;
			});
	});
	expect(run.broken({ code: 0 })).toEqual([]);
	expect(run.said).not.toContain('gap');
});

describe('case 39 L-10MB-line', () => {
	test('is shown in marked pieces', async () => {
		const line = `${'0123456789abcdef'.repeat(655_360)}\n`;
		const run = await logged((world) => world.print(2 * MINUTE, line));
		expect(run.broken({ code: 0 })).toEqual([]);
		expect(Math.max(...run.shown.map((piece) => piece.length))).toBeLessThan(70_000);
	});

	test('and a log that is long is read in little memory', async () => {
		const SIZE = 256 * 1024 * 1024;
		const block = Buffer.alloc(8 * 1024 * 1024, `${'0123456789abcde'.repeat(8)}\n`);
		const http: Http = {
			send: async ({ headers }) => {
				const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(headers?.['range'] ?? '') ?? []).map(Number);
				const body = block.subarray(from % block.length, (from % block.length) + Math.min(to + 1, SIZE) - from);
				const range = { 'content-range': `bytes ${from}-${from + body.length - 1}/${SIZE}` };
				return { status: from >= SIZE ? 416 : 206, headers: range, body };
			},
			close: async () => {},
		};
		let [shown, highest] = [0, 0];
		const before = process.memoryUsage.rss();
		const file = new LogFile(LOG, (text) => {
			shown += text.length + 1;
		});
		const ready = async (): Promise<void> => {
			highest = Math.max(highest, process.memoryUsage.rss() - before);
		};
		expect((await file.look('https://acc.blob.core.windows.net/c/x', http, { ready })).bytes).toBe(SIZE);
		file.end();
		expect(shown).toBe(SIZE + 1);
		expect(highest).toBeLessThan(192 * 1024 * 1024);
	});
});

test('case 40 L-cr-progress: of a storm of states the last of each interval is shown, and the final one', async () => {
	const states = Array.from({ length: 20_000 }, (_, n) => `${n}/20000`);
	const run = await logged((world) => {
		for (let second = 0; second < 20; second += 1) {
			const part = states.slice(second * 1_000, (second + 1) * 1_000).map((state) => `\r${state}`);
			world.print(2 * MINUTE + second * SECOND, part.join(''));
		}
		world.print(3 * MINUTE, '\ndone\n');
	});
	expect(run.broken({ code: 0, log: false })).toEqual([]);
	expect(run.shown.length).toBeLessThan(12);
	expect(run.shown.slice(-2)[0]).toMatch(/^19999\/20000/);
	const told = run.shown
		.slice(0, -1)
		.reduce((sum, line) => sum + 1 + Number(/\[overwritten (\d+)×\]/.exec(line)?.[1] ?? 0), 0);
	expect(told).toBe(states.length);
});

test('case 41 L-ansi / OSC: colours stay, and what moves the cursor, sets titles or links goes', async () => {
	const run = await logged((world) =>
		world.print(
			2 * MINUTE,
			'\u001b[31mred\u001b[0m\u0007 \u001b[2J\u001b[1;1Hhome \u001b]0;title\u0007t \u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\\n',
		),
	);
	expect(run.broken({ code: 0, log: false })).toEqual([]);
	expect(run.shown).toEqual(['\u001b[31mred\u001b[0m home t link']);
});

test('case 42 L-binary: what is no text is shown as such and counted, and what is text around it stays', async () => {
	const run = await logged((world) =>
		world.print(2 * MINUTE, Buffer.from([0x61, 0xff, 0xfe, 0x00, 0x62, 0xed, 0xa0, 0x80, 0x0a, 0x63, 0x0a])),
	);
	expect(run.broken({ code: 0, log: false, says: /5 characters were no UTF-8/ })).toEqual([]);
	expect(run.shown).toEqual([`a\ufffd\ufffdb${'\ufffd'.repeat(3)}`, 'c']);
});

test('case 43 L-late-bytes: what arrives after the end, for a minute, is shown', async () => {
	const end = 10 * MINUTE;
	const run = await logged((world) => {
		world.print(2 * MINUTE, 'in time\n');
		for (let second = 1; second <= 60; second += 2) world.print(end + second * SECOND, `late by ${second} s\n`);
	});
	expect(run.broken({ code: 0 })).toEqual([]);
});

test('case 44 L-finished-first: of a job that has ended already the whole log is shown', async () => {
	const world = new World();
	world.azure.jobs.set(JOB, { status: 'Completed' });
	world.azure.append(LOG, Buffer.from('first\nsecond\nlast, without an end'));
	const run = await world.train({ file: undefined, name: JOB });
	expect(run.broken({ code: 0 })).toEqual([]);
	expect(run.shown).toHaveLength(3);
});

describe('case 45 L-many-files', () => {
	const lines = (path: string): string => Array.from({ length: 5 }, (_, n) => `${path} line ${n}\n`).join('');

	test('sixty-four processes, one of them late: each named, each whole and in order', async () => {
		const path = (rank: number): string => `user_logs/std_log_process_${String(rank).padStart(2, '0')}.txt`;
		const run = await logged((world) => {
			for (let rank = 0; rank < 64; rank += 1)
				world.print((rank === 40 ? 8 : 2) * MINUTE, lines(path(rank)), path(rank));
		});
		expect(run.broken({ code: 0, log: 'lines' })).toEqual([]);
		for (let rank = 0; rank < 64; rank += 1) expect(run.said).toContain(path(rank));
	});

	test('the layout of older runtimes, whose first file gives way to the next', async () => {
		const paths = [
			'azureml-logs/55_azureml-execution.txt',
			'azureml-logs/70_driver_log.txt',
			'azureml-logs/75_job_post.txt',
		];
		const run = await logged((world) => {
			for (const [turn, path] of paths.entries()) world.print((2 + turn) * MINUTE, lines(path), path);
		});
		expect(run.broken({ code: 0, log: 'lines' })).toEqual([]);
		for (const path of paths) expect(run.said).toContain(path);
	});

	test('a folder that is renamed on the way: the new one is shown, and what is missing of the old one told', async () => {
		const run = await logged((world) => {
			world.print(2 * MINUTE, 'of the old name 1\n', 'user_logs/std_log_0.txt');
			world.clock.at(5 * MINUTE, () => world.azure.files.delete('user_logs/std_log_0.txt'));
			world.print(5 * MINUTE, 'of the new name\n', 'user_logs/std_log.txt');
		});
		expect(run.broken({ code: 0, log: 'lines' })).toEqual([]);
		expect(run.shown).toEqual(['of the old name 1', 'of the new name']);
		expect(run.said).toContain('[gap: user_logs/std_log_0.txt could not be read beyond');
	});
});

test('case 46 L-slow-consumer: while nobody takes what is shown no more is read, and then the rest is', async () => {
	const world = new World();
	world.turn(MINUTE, 'Running');
	const text = `${'x'.repeat(99)}\n`.repeat(50_000);
	world.print(2 * MINUTE, text);
	world.turn(5 * MINUTE, 'Completed');
	let [blocked, asked] = [0, 0];
	world.azure.befall = (line) => {
		if (isLog(line)) asked += 1;
		return undefined;
	};
	world.ready = async () => {
		if (blocked > 0 || world.shown.length < 1_000) return;
		blocked = world.shown.length;
		const before = asked;
		await world.clock.sleep(MINUTE);
		expect([asked, world.shown.length]).toEqual([before, blocked]);
	};
	const run = await world.train();
	expect(run.broken({ code: 0 })).toEqual([]);
	expect(blocked).toBeLessThan(3_000);
});
