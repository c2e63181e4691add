import { describe, expect, test } from '@jest/globals';
import { type FollowedJob, followJob, stateInterval } from '../../src/job/follow.ts';
import { type EventClock, eventClock } from '../fixtures/event-clock.ts';
import { JobService, type ServedJob } from '../fixtures/job-service.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';

const LOG = 'user_logs/std_log.txt';
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Scene {
	readonly service: JobService;
	readonly clock: EventClock;
	readonly log: MemoryLog;
	readonly job: ServedJob;
	readonly stop: AbortController;
	/** Lets the job have this state `ms` after the start. */
	turn(ms: number, status: string, more?: () => void): void;
	follow(timeout?: number): Promise<FollowedJob>;
}

function scene(status = 'Running', chance = 0.5): Scene {
	const clock = eventClock({ chance });
	const service = new JobService();
	const job: ServedJob = { status };
	const log = memoryLog();
	const stop = new AbortController();
	service.jobs.set('iris', job);
	return {
		service,
		clock,
		log,
		job,
		stop,
		turn: (ms, next, more = () => {}) =>
			clock.at(ms, () => {
				job.status = next;
				more();
			}),
		follow: async (timeout) =>
			followJob('iris', {
				workspace: await service.workspace(clock),
				http: service,
				log,
				clock,
				signal: stop.signal,
				timeout,
			}),
	};
}

const statesIn = ({ log }: Scene): string[] => log.lines.flatMap((line) => /^Job iris: (\w+)/.exec(line)?.[1] ?? []);
const warningsIn = ({ log }: Scene): string[] => log.annotations.map(({ text }) => text);

describe('the state', () => {
	test('is told when it changes, once each, and ends the watch', async () => {
		const one = scene('Queued');
		one.turn(10 * SECOND, 'Preparing');
		one.turn(20 * SECOND, 'Running');
		one.turn(2 * MINUTE, 'Finalizing');
		one.turn(3 * MINUTE, 'Completed');
		const followed = await one.follow();
		expect(statesIn(one)).toEqual(['Queued', 'Preparing', 'Running', 'Finalizing', 'Completed']);
		expect(followed).toMatchObject({ end: 'ended', job: { status: 'Completed', name: 'iris' }, error: undefined });
		expect(Math.abs(followed.watched - 3 * MINUTE)).toBeLessThan(20 * SECOND);
		expect(warningsIn(one)).toEqual([]);
	});

	test.each(['Failed', 'Canceled'])('%s ends it, with the reason of run history', async (status) => {
		const one = scene();
		one.job.error = { error: { code: 'UserError', message: 'Exit code 1.' } };
		one.turn(30 * SECOND, status);
		expect(await one.follow()).toMatchObject({ job: { status }, error: { message: 'Exit code 1.' } });
	});

	test('of run history alone does not end it: the resource has the last word', async () => {
		const one = scene();
		one.turn(30 * SECOND, 'Running', () => {
			one.job.historic = 'Completed';
		});
		one.turn(60 * SECOND, 'Completed');
		const followed = await one.follow();
		expect(followed.watched).toBeGreaterThanOrEqual(60 * SECOND);
		expect(statesIn(one)).toEqual(['Running', 'Completed']);
	});

	test.each(['NotResponding', 'Paused', 'CancelRequested'])('%s is passing', async (status) => {
		const one = scene(status);
		one.turn(10 * MINUTE, 'Running');
		one.turn(20 * MINUTE, 'Completed');
		expect((await one.follow()).job.status).toBe('Completed');
		expect(statesIn(one)).toEqual([status, 'Running', 'Completed']);
		expect(warningsIn(one)).toEqual([]);
	});

	test('that is new to us is taken for under way, and told once', async () => {
		const one = scene('Hibernating');
		one.turn(1 * MINUTE, 'Running');
		one.turn(2 * MINUTE, 'Hibernating');
		one.turn(3 * MINUTE, 'Completed');
		expect((await one.follow()).job.status).toBe('Completed');
		expect(warningsIn(one)).toEqual([expect.stringContaining('Hibernating')]);
	});

	test('of a job that is not to be seen yet is waited for', async () => {
		const one = scene();
		one.service.jobs.clear();
		one.clock.at(40 * SECOND, () => one.service.jobs.set('iris', one.job));
		one.turn(60 * SECOND, 'Completed');
		expect((await one.follow()).job.status).toBe('Completed');
	});

	test('of a job that is gone for a minute is an error', async () => {
		const one = scene();
		one.clock.at(2 * HOUR, () => one.service.jobs.clear());
		await expect(one.follow()).rejects.toThrow('The job "iris" is not in the workspace any more.');
		expect(one.clock.elapsed - 2 * HOUR).toBeGreaterThan(60 * SECOND);
	});

	test('survives a moment in which the job seems to be gone', async () => {
		const one = scene();
		one.clock.at(2 * HOUR, () => one.service.jobs.clear());
		one.clock.at(2 * HOUR + 30 * SECOND, () => one.service.jobs.set('iris', one.job));
		one.turn(3 * HOUR, 'Completed');
		expect((await one.follow()).job.status).toBe('Completed');
	});
});

describe('the log', () => {
	test('is shown as it grows, up to its last byte after the end', async () => {
		const one = scene();
		const written = Array.from({ length: 200 }, (_, n) => `line ${n}`);
		for (const [n, line] of written.entries())
			one.clock.at(n * 700, () => one.service.storage.append(LOG, `${line}\n`));
		one.turn(150 * SECOND, 'Completed');
		for (let late = 0; late < 5; late += 1) {
			one.clock.at((151 + late * 2) * SECOND, () => one.service.storage.append(LOG, `late ${late}\n`));
		}
		const followed = await one.follow();
		expect(one.log.foreignLines).toEqual([...written, ...[0, 1, 2, 3, 4].map((late) => `late ${late}`)]);
		expect(followed.lastLines.at(-1)).toBe('late 4');
	});

	test('of a job that has ended already is shown in full', async () => {
		const one = scene('Completed');
		one.service.storage.append(LOG, 'one\ntwo\n');
		await one.follow();
		expect(one.log.foreignLines).toEqual(['one', 'two']);
		expect(one.clock.elapsed).toBeLessThan(5 * SECOND);
	});

	test('of hours is read by addresses that are signed anew', async () => {
		const one = scene();
		for (let hour = 0; hour < 10; hour += 1) {
			one.clock.at(hour * HOUR, () => {
				one.service.storage.signature += 1;
				one.service.storage.append(LOG, `hour ${hour}\n`);
			});
		}
		one.turn(10 * HOUR, 'Completed');
		await one.follow();
		expect(one.log.foreignLines).toEqual(Array.from({ length: 10 }, (_, hour) => `hour ${hour}`));
		expect(warningsIn(one)).toEqual([]);
	});
});

describe('a service that fails', () => {
	test('in run history leaves the state to the resource, and the log to its return', async () => {
		const one = scene();
		one.service.historyFault = 503;
		one.service.storage.append(LOG, 'one\n');
		one.clock.at(20 * MINUTE, () => {
			one.service.historyFault = undefined;
		});
		one.clock.at(21 * MINUTE, () => one.service.storage.append(LOG, 'two\n'));
		one.turn(30 * MINUTE, 'Completed');
		expect((await one.follow()).job.status).toBe('Completed');
		expect(one.log.foreignLines).toEqual(['one', 'two']);
		expect(warningsIn(one)).toEqual([expect.stringMatching(/^The log of the job cannot be read for now: .*503/)]);
	});

	test('in run history to the end still ends with the job', async () => {
		const one = scene();
		one.service.historyFault = 'down';
		one.turn(HOUR, 'Failed');
		expect(await one.follow()).toMatchObject({ job: { status: 'Failed' }, error: undefined });
	});

	test.each<['down' | number]>([['down'], [503], [429]])(
		'in everything (%s) is waited for: the job runs on',
		async (fault) => {
			const one = scene();
			one.clock.at(HOUR, () => {
				one.service.historyFault = fault;
				one.service.managerFault = fault;
			});
			one.clock.at(HOUR + 25 * MINUTE, () => {
				one.service.historyFault = undefined;
				one.service.managerFault = undefined;
			});
			one.turn(2 * HOUR, 'Completed');
			expect((await one.follow()).job.status).toBe('Completed');
			expect(warningsIn(one)).toHaveLength(2);
		},
	);

	test('with a page of a gateway is waited for', async () => {
		const one = scene();
		one.turn(20 * SECOND, 'Running', () => {
			one.service.page = true;
		});
		one.turn(90 * SECOND, 'Running', () => {
			one.service.page = false;
		});
		one.turn(200 * SECOND, 'Completed');
		expect((await one.follow()).job.status).toBe('Completed');
	});

	test.each(['page', 404])('at the very end (%s) costs nothing: the job was seen to end', async (what) => {
		const one = scene('Completed');
		let looks = 0;
		one.service.onRequest = (line) => {
			if (line === 'GET jobs/iris') looks += 1;
			const last = line === 'GET jobs/iris' && looks > 1;
			one.service.page = last && what === 'page';
			one.service.managerFault = last && what === 404 ? 404 : undefined;
		};
		expect((await one.follow()).job).toMatchObject({ name: 'iris', status: 'Completed' });
		expect(looks).toBe(2);
	});

	test('for half an hour is given up', async () => {
		const one = scene();
		one.clock.at(HOUR, () => {
			one.service.historyFault = 503;
			one.service.managerFault = 503;
		});
		await expect(one.follow()).rejects.toMatchObject({ status: 503 });
		expect(one.clock.elapsed).toBeGreaterThan(HOUR + 30 * MINUTE);
	});

	test.each([401, 403])('with %d has answered: that is an error at once', async (status) => {
		const one = scene();
		one.clock.at(MINUTE, () => {
			one.service.historyFault = status;
			one.service.managerFault = status;
		});
		await expect(one.follow()).rejects.toMatchObject({ status });
		expect(one.clock.elapsed).toBeLessThan(2 * MINUTE);
	});

	test('with warnings about the run has them told once', async () => {
		const one = scene();
		one.job.warnings = [{ source: 'x', message: 'The quota is nearly used up.' }];
		one.turn(10 * MINUTE, 'Completed');
		await one.follow();
		expect(warningsIn(one)).toEqual(['The quota is nearly used up.']);
	});
});

describe('requests', () => {
	test.each([0, 0.5, 0.999])('stay below 360 in every hour of a job of three hours (chance %d)', async (chance) => {
		const one = scene('Running', chance);
		const times: number[] = [];
		one.service.onRequest = () => {
			times.push(one.clock.elapsed);
		};
		one.turn(3 * HOUR, 'Completed');
		await one.follow();
		for (const from of times) {
			expect(times.filter((time) => time >= from && time < from + HOUR).length).toBeLessThanOrEqual(360);
		}
	});

	test('hardly grow while run history is down', async () => {
		const one = scene();
		one.service.historyFault = 503;
		one.turn(HOUR, 'Completed');
		await one.follow();
		expect(one.service.asked.length).toBeLessThanOrEqual(390);
	});

	test('are spread by chance, so that a matrix does not ask in step', () => {
		expect(stateInterval(0, 0)).toBeLessThan(stateInterval(0, 0.9));
		expect(stateInterval(HOUR, 0)).toBeGreaterThan(10 * SECOND);
		expect(stateInterval(0, 0.5)).toBe(2 * SECOND);
	});
});

describe('a long silence', () => {
	test('is broken by a sign of life, ever more rarely', async () => {
		const one = scene();
		one.turn(3 * HOUR, 'Completed');
		await one.follow();
		const signs = one.log.lines.filter((line) => line.startsWith('…'));
		expect(signs[0]).toMatch(/^… Running for 1 min/);
		expect(signs.length).toBeGreaterThan(8);
		expect(signs.length).toBeLessThan(20);
	});

	test('is none while the log goes on', async () => {
		const one = scene();
		for (let n = 0; n < 360; n += 1) one.clock.at(n * 20 * SECOND, () => one.service.storage.append(LOG, `${n}\n`));
		one.turn(2 * HOUR, 'Completed');
		await one.follow();
		expect(one.log.lines.filter((line) => line.startsWith('…'))).toEqual([]);
	});
});

describe('the watch ends without the job', () => {
	test('when its time is over, to the second', async () => {
		const one = scene();
		one.service.storage.append(LOG, 'one\nunfinished');
		const followed = await one.follow(90 * SECOND);
		expect(followed).toMatchObject({ end: 'timeout', job: { status: 'Running' } });
		expect(followed.watched).toBe(90 * SECOND);
		expect(one.log.foreignLines).toEqual(['one', 'unfinished ⤶']);
	});

	test('not when the job ends in the same moment', async () => {
		const one = scene();
		one.turn(30 * SECOND, 'Completed');
		expect((await one.follow(30 * SECOND)).end).toBe('ended');
	});

	test('when the workflow is cancelled, with its reason', async () => {
		const one = scene();
		const reason = new Error('cancelled');
		one.service.storage.append(LOG, 'one\nunfinished');
		one.clock.at(MINUTE, () => one.stop.abort(reason));
		await expect(one.follow()).rejects.toBe(reason);
		expect(one.clock.elapsed).toBe(MINUTE);
		expect(one.log.foreignLines).toEqual(['one', 'unfinished ⤶']);
	});

	test('when it is cancelled while the last of the log is read', async () => {
		const one = scene('Completed');
		one.service.storage.append(LOG, 'one\n');
		one.clock.at(SECOND, () => one.stop.abort(new Error('cancelled')));
		await expect(one.follow()).rejects.toThrow('cancelled');
	});
});
