// What the log of a job promises: every byte once, soon, and in little memory.
import { describe, expect, test } from '@jest/globals';
import type { Http } from '../../src/azure/http.ts';
import { LogFile } from '../../src/job/log-file.ts';
import { JobLogs } from '../../src/job/logs.ts';
import { createGitHubLog, type Log } from '../../src/log.ts';
import { createSecrets } from '../../src/secrets.ts';
import { memoryLog } from '../fixtures/memory-log.ts';
import { commandsAnyhow } from '../fixtures/runner-commands.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';
import { chanceOf, FaultyStorage, linesToText, logOf, withoutEscapes } from './log-scene.ts';

const PATH = 'user_logs/std_log.txt';

/** The log as the runner gets it, with what comes from the job kept apart. */
function runnerLog(): { readonly log: Log; readonly shown: string[] } {
	const shown: string[] = [];
	const log = createGitHubLog(createSecrets(), (text) => shown.push(...text.slice(0, -1).split('\n')));
	const quiet = memoryLog();
	return { shown, log: { ...quiet, foreign: log.foreign } };
}

/** Writes a log in slices by chance while it is read, with faults, and gives what was shown. */
async function shownOf(seed: number): Promise<{ readonly written: Buffer; readonly shown: string[] }> {
	const chance = chanceOf(seed);
	const written = logOf(chance);
	const storage = new FaultyStorage(chance);
	const { log, shown } = runnerLog();
	const clock = virtualClock();
	const logs = new JobLogs({ http: storage, log, clock, refresh: async () => storage.urls(PATH) });
	logs.update(storage.urls(PATH));
	let length = 0;
	while (length < written.length) {
		length += Math.floor(chance() ** 4 * written.length) + Math.floor(chance() * 12);
		storage.bytes = written.subarray(0, length);
		await logs.look();
		clock.advance(chance() < 0.05 ? 12_000 : 1_000);
	}
	// The rest may be written after the job's end, and storage comes back in time.
	let turns = 0;
	const done = logs.drain();
	for (; turns < 2; turns += 1) await new Promise((next) => setImmediate(next));
	storage.healed = true;
	await done;
	return { written, shown };
}

describe('the shown lines', () => {
	test('are the bytes of the file, whatever went wrong, for a thousand seeds', async () => {
		for (let seed = 1; seed <= 1_000; seed += 1) {
			const { written, shown } = await shownOf(seed);
			const text = written.toString().replace(/\r\n/g, '\n');
			const expected = text === '' || text.endsWith('\n') ? text : `${text}\n`;
			const back = linesToText(shown.map(withoutEscapes));
			// A last line without an end may be shown with the mark that it might go on.
			if (back === expected || `${back}\n` === expected) continue;
			const place = [...back].findIndex((character, at) => character !== expected[at]);
			const around = (from: string): string => from.slice(Math.max(0, place - 40), place + 40);
			expect({ seed, shown: around(back) }).toEqual({ seed, shown: around(expected) });
		}
	});

	test('are none that the runner takes for a command', async () => {
		for (let seed = 1; seed <= 1_000; seed += 1) {
			expect(commandsAnyhow((await shownOf(seed)).shown.join('\n'))).toEqual([]);
		}
	});

	test('of progress bars are whole states in order, each told or counted, and the last one', async () => {
		for (let seed = 1; seed <= 200; seed += 1) {
			const chance = chanceOf(seed);
			const states = Array.from(
				{ length: 50 + Math.floor(chance() * 2_000) },
				(_, n) => `<${n}|${'#'.repeat(n % 30)}>`,
			);
			const written = Buffer.from(`${states.map((state) => `\r${state}`).join('')}\n`);
			const storage = new FaultyStorage(chance);
			storage.healed = true;
			const { log, shown } = runnerLog();
			const clock = virtualClock();
			const logs = new JobLogs({ http: storage, log, clock, refresh: async () => storage.urls(PATH) });
			logs.update(storage.urls(PATH));
			for (let length = 0; length < written.length; length += 1 + Math.floor(chance() * 400)) {
				storage.bytes = written.subarray(0, length);
				await logs.look();
				clock.advance(1_000);
			}
			storage.bytes = written;
			await logs.drain();
			const told = shown.map((line) => line.replace(/ \[overwritten \d+×\]$/, ''));
			const places = told.map((state) => states.indexOf(state));
			expect(places).not.toContain(-1);
			expect(places).toEqual([...places].sort((a, b) => a - b));
			expect(told.at(-1)).toBe(states.at(-1));
			const counted = shown.reduce((sum, line) => sum + 1 + Number(/ \[overwritten (\d+)×\]$/.exec(line)?.[1] ?? 0), 0);
			expect(counted).toBe(states.length);
		}
	});
});

describe('a log of a gigabyte', () => {
	const SIZE = 1024 ** 3;
	const BLOCK = Buffer.alloc(8 * 1024 * 1024, `${'0123456789abcde'.repeat(8)} ::error::x\n`);

	/** Storage that holds the block again and again. */
	const endless: Http = {
		send: async ({ headers }) => {
			const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(headers?.['range'] ?? '') ?? []).map(Number);
			const place = from % BLOCK.length;
			const body = BLOCK.subarray(place, place + Math.min(to + 1, SIZE) - from);
			const range = { 'content-range': `bytes ${from}-${from + body.length - 1}/${SIZE}` };
			return { status: from >= SIZE ? 416 : 206, headers: range, body };
		},
		close: async () => {},
	};

	test('is read to its end in less than 200 MiB', async () => {
		let lines = 0;
		let bytes = 0;
		let highest = 0;
		const file = new LogFile(PATH, (text) => {
			lines += text.split('\n').length;
			bytes += text.length + 1;
		});
		const before = process.memoryUsage.rss();
		const ready = async (): Promise<void> => {
			highest = Math.max(highest, process.memoryUsage.rss() - before);
		};
		expect((await file.look('https://acc.blob.core.windows.net/c/x', endless, { ready })).bytes).toBe(SIZE);
		expect(bytes).toBeGreaterThan(SIZE - 200);
		expect(lines).toBeGreaterThan(SIZE / 200);
		expect(highest).toBeLessThan(200 * 1024 * 1024);
	});

	test('is not read faster than it is taken', async () => {
		let asked = 0;
		let taken = 0;
		const http: Http = {
			...endless,
			send: async (request) => {
				request.signal?.throwIfAborted();
				asked += 1;
				// Thirty-two bites make an answer.
				expect(taken).toBeGreaterThanOrEqual((asked - 1) * 32);
				return endless.send(request);
			},
		};
		const ready = async (): Promise<void> => {
			await new Promise((done) => setImmediate(done));
			taken += 1;
		};
		const stop = new AbortController();
		const file = new LogFile(PATH, () => {
			if (file.offset > 64 * 1024 * 1024) stop.abort(new Error('enough'));
		});
		const look = file.look('https://acc.blob.core.windows.net/c/x', http, { ready, signal: stop.signal });
		await expect(look).rejects.toThrow('enough');
		expect(asked).toBeGreaterThanOrEqual(16);
	});
});
