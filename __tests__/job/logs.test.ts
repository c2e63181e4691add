import { describe, expect, test } from '@jest/globals';
import { chooseLogs, JobLogs } from '../../src/job/logs.ts';
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

describe('the files to show', () => {
	test.each<[string, string[], string[]]>([
		['what the training prints', [USER, 'system_logs/lifecycler/execution-wrapper.log'], [USER]],
		[
			'of every process, in order',
			['user_logs/std_log_process_1.txt', 'user_logs/std_log_process_0.txt'],
			['user_logs/std_log_process_0.txt', 'user_logs/std_log_process_1.txt'],
		],
		['not older ones beside it', [USER, 'azureml-logs/70_driver_log.txt'], [USER]],
		[
			'older ones without it',
			['azureml-logs/70_driver_log.txt', 'azureml-logs/20_image_build_log.txt', 'logs/azureml/other.txt'],
			['azureml-logs/20_image_build_log.txt', 'azureml-logs/70_driver_log.txt'],
		],
		[
			"a pipeline's own",
			['logs/azureml/stdoutlogs.txt', 'logs/azureml/executionlogs.txt', 'logs/azureml/executionlogs.txt.bak'],
			['logs/azureml/executionlogs.txt', 'logs/azureml/stdoutlogs.txt'],
		],
		['those of a sweep', ['azureml-logs/hyperdrive.txt'], ['azureml-logs/hyperdrive.txt']],
		['none of none', ['system_logs/x.log', 'user_logs/other.txt'], []],
	])('are %s', (_, paths, chosen) => {
		expect(chooseLogs(paths)).toEqual(chosen);
	});
});

describe('while the job runs', () => {
	test('each file is shown under its name, as it grows', async () => {
		const { storage, log, logs, clock } = watched();
		storage.append('user_logs/std_log_process_0.txt', 'a1\n');
		storage.append('user_logs/std_log_process_1.txt', 'b1\n');
		logs.update(storage.urls());
		expect(await logs.look()).toBe(6);
		clock.advance(5_000);
		storage.append('user_logs/std_log_process_1.txt', 'b2\n');
		await logs.look();
		expect(log.foreignLines).toEqual(['a1', 'b1', 'b2']);
		expect(log.lines).toEqual(['── user_logs/std_log_process_0.txt', '── user_logs/std_log_process_1.txt']);
		expect(logs.lastShown).toBe(clock.now());
		expect(logs.lastLines).toEqual(['a1', 'b1', 'b2']);
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
		expect(log.foreignLines).toEqual(['Continue? ']);
	});

	test('a progress bar shows its state twice a minute', async () => {
		const { storage, log, logs, clock } = watched();
		storage.append(USER, '\r0%');
		logs.update(storage.urls());
		for (let second = 1; second <= 100; second += 1) {
			storage.append(USER, `\r${second}%`);
			await logs.look();
			clock.advance(1_000);
		}
		expect(log.foreignLines.map((line) => line.split('%')[0])).toEqual(['32', '63', '94']);
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
		expect(one.refreshes).toBe(6 + 3);
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
