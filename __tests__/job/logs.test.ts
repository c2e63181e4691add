import { describe, expect, test } from '@jest/globals';
import { JobLogs } from '../../src/job/logs.ts';
import { LogStorage } from '../fixtures/log-storage.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { type VirtualClock, virtualClock } from '../fixtures/virtual-clock.ts';

const USER = 'user_logs/std_log.txt';

interface Watched {
	readonly storage: LogStorage;
	readonly log: MemoryLog;
	readonly clock: VirtualClock;
	readonly logs: JobLogs;
	/** How often fresh addresses were asked for. */
	refreshes: number;
	/** Called before each of them. */
	onRefresh: () => void;
}

function watched(): Watched {
	const storage = new LogStorage();
	const log = memoryLog();
	const clock = virtualClock();
	const self: Watched = {
		storage,
		log,
		clock,
		refreshes: 0,
		onRefresh: () => {},
		logs: new JobLogs({
			http: storage,
			log,
			clock,
			refresh: async () => {
				self.refreshes += 1;
				self.onRefresh();
				return storage.urls();
			},
		}),
	};
	return self;
}

describe('while the job runs', () => {
	test('each file is shown under its name, as it grows', async () => {
		const { storage, log, logs, clock } = watched();
		storage.append('logs/azureml/executionlogs.txt', 'a1\n');
		storage.append('logs/azureml/stdoutlogs.txt', 'b1\n');
		logs.update(storage.urls());
		expect(await logs.look()).toBe(6);
		clock.advance(5_000);
		storage.append('logs/azureml/stdoutlogs.txt', 'b2\n');
		await logs.look();
		expect(log.foreignLines).toEqual(['a1', 'b1', 'b2']);
		expect(log.lines).toEqual(['── logs/azureml/executionlogs.txt', '── logs/azureml/stdoutlogs.txt']);
		expect(logs.lastShown).toBe(clock.now());
	});

	test('an image that is built is shown live, until the job runs', async () => {
		const { storage, log, logs } = watched();
		const image = 'azureml-logs/20_image_build_log.txt';
		storage.append(image, 'Step 1/8\n');
		logs.update(storage.urls());
		await logs.look();
		expect([log.foreignLines, logs.buildsImage]).toEqual([['Step 1/8'], true]);
		storage.append(image, 'pushed\n');
		storage.append(USER, 'epoch 1\n');
		logs.update(storage.urls());
		await logs.look();
		expect(log.foreignLines).toEqual(['Step 1/8', 'pushed', 'epoch 1']);
		expect([log.lines, logs.buildsImage]).toEqual([[`── ${image}`, `── ${USER}`], false]);
	});

	test('what gave way to other files is still shown to its end', async () => {
		const { storage, log, logs, clock } = watched();
		const older = 'azureml-logs/70_driver_log.txt';
		const image = 'azureml-logs/20_image_build_log.txt';
		storage.append(image, 'Step 1/8\n');
		storage.append(older, 'begin\n');
		logs.update(storage.urls());
		await logs.look();
		storage.append(USER, 'epoch 1\n');
		logs.update(storage.urls());
		clock.advance(120_000);
		await logs.look();
		storage.append(older, 'end\n');
		storage.append(image, 'pushed\n');
		const asked = storage.asked.length;
		await logs.look();
		// The image was quiet for long: only the training's own log is asked for.
		expect(storage.asked.length - asked).toBe(1);
		await logs.drain();
		expect([...log.foreignLines].sort()).toEqual(['Step 1/8', 'begin', 'end', 'epoch 1', 'pushed']);
	});

	test('an image that was built before is shown in a group', async () => {
		const { storage, log, logs } = watched();
		storage.append('azureml-logs/20_image_build_log.txt', 'Step 1/8\n');
		storage.append(USER, 'epoch 1\n');
		logs.update(storage.urls());
		await logs.look();
		await logs.look();
		expect(log.lines).toEqual(['> azureml-logs/20_image_build_log.txt', `── ${USER}`]);
		expect(log.foreignLines).toEqual(['Step 1/8', 'epoch 1']);
	});

	test('the last forty lines are kept, none of them endless', async () => {
		const { storage, logs } = watched();
		storage.append(USER, `${Array.from({ length: 60 }, (_, n) => `line ${n}`).join('\n')}\n${'x'.repeat(5000)}\n`);
		logs.update(storage.urls());
		await logs.look();
		expect(logs.lastLines).toHaveLength(40);
		expect(logs.lastLines[0]).toBe('line 21');
		expect(logs.lastLines.at(-1)).toHaveLength(2001);
	});

	test('an unfinished line is shown when nothing comes after it', async () => {
		const { storage, log, logs, clock } = watched();
		storage.append(USER, 'Continue? ');
		logs.update(storage.urls());
		await logs.look();
		clock.advance(9_000);
		await logs.look();
		expect(log.foreignLines).toEqual([]);
		clock.advance(2_000);
		await logs.look();
		expect(log.foreignLines).toEqual(['Continue?  ⤶']);
	});

	test('a progress bar shows a whole state every five seconds, and tells how many it has passed over', async () => {
		const { storage, log, logs, clock } = watched();
		storage.append(USER, '\r0%');
		logs.update(storage.urls());
		for (let tenth = 1; tenth <= 200; tenth += 1) {
			storage.append(USER, `\r${tenth / 2}`);
			if (tenth % 10 === 5) await logs.look();
			storage.append(USER, '%');
			clock.advance(100);
		}
		storage.append(USER, '\n');
		await logs.look();
		const { foreignLines } = log;
		expect(foreignLines.map((line) => line.split(' ')[0])).toEqual(['27%', '52%', '77%', '100%']);
		const passed = foreignLines.map((line) => Number(/ (\d+)×/.exec(line)?.[1] ?? 0));
		expect(passed.reduce((sum, count) => sum + count + 1, 0)).toBe(201);
	});

	test('an address that is over is replaced, and nothing is lost or shown twice', async () => {
		const one = watched();
		one.storage.append(USER, 'one\n');
		one.logs.update(one.storage.urls());
		await one.logs.look();
		one.storage.signature += 1;
		one.storage.append(USER, 'two\n');
		expect(await one.logs.look()).toBe(4);
		expect([one.refreshes, one.log.foreignLines]).toEqual([1, ['one', 'two']]);
		expect(one.log.annotations).toEqual([]);
	});

	test('storage that refuses everything is told once, and run history is not stormed', async () => {
		const one = watched();
		one.storage.append(USER, 'one\n');
		one.storage.fault = 403;
		one.logs.update(one.storage.urls());
		for (let second = 0; second < 600; second += 1) {
			expect(await one.logs.look()).toBe(0);
			one.clock.advance(1_000);
		}
		expect(one.refreshes).toBeLessThanOrEqual(600 / 15);
		expect(one.log.annotations).toEqual([
			expect.objectContaining({ kind: 'warning', text: expect.stringMatching(/firewall/) }),
		]);
		expect(one.log.annotations[0]?.text).not.toContain('sig=');
		one.storage.fault = undefined;
		await one.logs.look();
		expect(one.log.foreignLines).toEqual(['one']);
	});

	test('addresses stay known when an answer has none', async () => {
		const { storage, logs, log } = watched();
		storage.append(USER, 'one\n');
		logs.update(storage.urls());
		logs.update(new Map());
		await logs.look();
		expect(log.foreignLines).toEqual(['one']);
	});
});

describe('after the end of the job', () => {
	test('late bytes and late files are shown, until nothing comes any more', async () => {
		const one = watched();
		let late = 0;
		one.onRefresh = () => {
			late += 1;
			if (late <= 5) one.storage.append(USER, `late ${late}\n`);
			if (late === 6) one.storage.append('user_logs/std_log_1.txt', 'later');
		};
		await one.logs.drain();
		expect(one.log.foreignLines).toEqual(['late 1', 'late 2', 'late 3', 'late 4', 'late 5', 'later']);
		expect(one.refreshes).toBe(5 + 3);
	});

	test('storage that is down comes back', async () => {
		const one = watched();
		one.storage.append(USER, 'one\n');
		one.storage.fault = 'down';
		one.onRefresh = () => {
			if (one.refreshes === 10) one.storage.fault = undefined;
		};
		await one.logs.drain();
		expect(one.log.foreignLines).toEqual(['one']);
	});

	test.each<['down' | number, RegExp]>([
		['down', /^\[gap: user_logs\/std_log\.txt could not be read beyond 4 bytes: .*reset\]$/],
		[503, /beyond 4 bytes: HTTP 503\]$/],
		[403, /beyond 4 bytes: HTTP 403\]$/],
		[404, /beyond 4 bytes: HTTP 404\]$/],
	])('storage that stays away (%s) is waited for a while, then the gap is told', async (fault, gap) => {
		const one = watched();
		one.storage.append(USER, 'one\n');
		one.logs.update(one.storage.urls());
		await one.logs.look();
		one.storage.append(USER, 'two\n');
		one.storage.fault = fault;
		const started = one.clock.now();
		await one.logs.drain();
		expect(one.clock.now() - started).toBeLessThan(30_000);
		expect(one.log.foreignLines).toEqual(['one']);
		expect(one.log.lines.at(-1)).toMatch(gap);
	});

	test('a file that was announced but never written is no gap', async () => {
		const one = watched();
		one.storage.append(USER, '');
		one.logs.update(one.storage.urls());
		one.storage.files.clear();
		await one.logs.drain();
		expect([one.log.lines, one.log.foreignLines]).toEqual([[], []]);
	});

	test('an unfinished last line is shown', async () => {
		const one = watched();
		one.storage.append(USER, 'one\nno end');
		await one.logs.drain();
		expect(one.log.foreignLines).toEqual(['one', 'no end']);
	});
});

describe('the processes of a distributed job', () => {
	const path = (rank: number): string => `user_logs/std_log_process_${rank}.txt`;

	test('follow the first one in groups at the end, each complete', async () => {
		const { storage, log, logs } = watched();
		for (let rank = 0; rank < 64; rank += 1) storage.append(path(rank), `rank ${rank} begins\n`);
		logs.update(storage.urls());
		await logs.look();
		expect(log.foreignLines).toEqual(['rank 0 begins']);
		for (let rank = 0; rank < 64; rank += 1) storage.append(path(rank), `rank ${rank} ends`);
		await logs.drain();
		const all = Array.from({ length: 64 }, (_, rank) => [`rank ${rank} begins`, `rank ${rank} ends`]);
		expect(log.foreignLines).toEqual(all.flat());
		expect(log.lines).toEqual([`── ${path(0)}`, ...all.slice(1).map((_, rank) => `> ${path(rank + 1)}`)]);
	});

	test('follow it also where another was live before it, which is not shown again', async () => {
		const { storage, log, logs } = watched();
		storage.append('user_logs/std_log_process_01.txt', 'second\n');
		logs.update(storage.urls());
		await logs.look();
		storage.append('user_logs/std_log_process_00.txt', 'first\n');
		storage.append('user_logs/std_log_process_01.txt', 'second again\n');
		storage.append('user_logs/std_log_process_02.txt', 'third\n');
		logs.update(storage.urls());
		await logs.look();
		await logs.drain();
		expect([...log.foreignLines].sort()).toEqual(['first', 'second', 'second again', 'third']);
		expect(log.lines.filter((line) => line.startsWith('> '))).toEqual(['> user_logs/std_log_process_02.txt']);
	});

	test('are named by the one that failed in what is kept for the report', async () => {
		const { storage, logs } = watched();
		storage.append(path(0), 'waiting for others\n');
		storage.append(path(1), 'Traceback (most recent call last):\nValueError: no\n');
		await logs.drain(true);
		expect(logs.lastLines).toEqual(['Traceback (most recent call last):', 'ValueError: no']);
	});

	test('that will not be shown are counted where the watch ends early', async () => {
		const { storage, log, logs } = watched();
		for (const rank of [0, 1, 2]) storage.append(path(rank), 'x\n');
		logs.update(storage.urls());
		await logs.look();
		logs.end();
		expect(log.lines.at(-1)).toBe(`[not shown: 2 more log files, from ${path(1)} on]`);
	});
});

test('of a parallel step that failed what its script has raised is shown, beside what it printed', async () => {
	const { storage, log, logs } = watched();
	storage.append('user_logs/std_log_0.txt', 'begin\n');
	storage.append('logs/user/error.txt', 'ValueError: no good\n');
	storage.append('logs/user/stdout/processes000.txt', 'not shown\n');
	logs.update(storage.urls());
	await logs.drain(true);
	expect(log.foreignLines).toEqual(['begin', 'ValueError: no good']);
	expect(log.lines).toContain('> logs/user/error.txt');
	expect(logs.lastLines).toEqual(['ValueError: no good']);
});

test("of a job that failed before its first line the machine's own logs are shown", async () => {
	const { storage, log, logs } = watched();
	storage.append('system_logs/lifecycler/execution-wrapper.log', 'mount failed\n');
	await logs.drain(true);
	expect(log.lines).toEqual(['> system_logs/lifecycler/execution-wrapper.log']);
	expect(log.foreignLines).toEqual(['mount failed']);
});
