import { describe, expect, test } from '@jest/globals';
import { CancelledError, JobError } from '../../src/errors.ts';
import { OWNER_PROPERTY } from '../../src/job/facts-of-run.ts';
import { readJobFile } from '../../src/job/file/index.ts';
import type { Job } from '../../src/job/job.ts';
import { deriveJobName } from '../../src/job/name.ts';
import { type TrainFacts, type TrainRequest, train } from '../../src/job/train.ts';
import { textAt } from '../../src/json.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { type EventClock, eventClock } from '../fixtures/event-clock.ts';
import { JobService } from '../fixtures/job-service.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { runContext } from '../fixtures/run-context.ts';

const IDENTITY = { 'job-file': 'iris.yml' };
const RUN = runContext();
/** The name that this run gives its job. */
const OWN = deriveJobName('iris.yml', IDENTITY, RUN);
const SECOND = 1_000;
const MINUTE = 60_000;

function jobFile(more = '') {
	const yaml = `command: python train.py\nenvironment: azureml:sklearn:1\ncompute: azureml:cpu\n${more}`;
	return { path: 'iris.yml', job: readJobFile(loadYaml(yaml, 'iris.yml', '/checkout')) };
}

interface Scene {
	readonly service: JobService;
	readonly clock: EventClock;
	readonly log: MemoryLog;
	readonly stop: AbortController;
	readonly facts: Partial<TrainFacts>;
	/** What happened, in order: `guard x`, `check`, `unneeded`, `publish`, and the requests. */
	readonly story: string[];
	train(request?: Partial<TrainRequest>): Promise<Job>;
	/** Lets the job have this state `ms` after the start. */
	turn(ms: number, status: string, name?: string): void;
}

function scene(): Scene {
	const service = new JobService();
	const clock = eventClock();
	const log = memoryLog();
	const stop = new AbortController();
	const facts: Partial<TrainFacts> = {};
	const story: string[] = [];
	service.onRequest = (line) => {
		story.push(line);
	};
	return {
		service,
		clock,
		log,
		stop,
		facts,
		story,
		turn: (ms, status, name = OWN) =>
			clock.at(ms, () => {
				const job = service.jobs.get(name);
				if (job !== undefined) job.status = status;
			}),
		train: async (request = {}) =>
			train(
				{
					file: jobFile(),
					name: undefined,
					wait: true,
					cancelSuperseded: false,
					reuse: false,
					timeout: undefined,
					onTimeout: 'cancel',
					onCancel: 'cancel',
					identity: IDENTITY,
					...request,
				},
				{
					workspace: await service.workspace(clock),
					publisher: {
						publish: async () => {
							story.push('publish');
						},
						check: async (_, unneeded) => {
							story.push('check');
							unneeded.addEventListener('abort', () => story.push('unneeded'));
							throw new Error('a fault of what the job needs, which `publish` tells');
						},
						idOf: ({ need }) => `/resolved/${need}`,
						made: () => [],
						uploadHashOf: () => undefined,
					},
					http: service,
					log,
					clock,
					signal: stop.signal,
					run: RUN,
					onFact: (more) => Object.assign(facts, more),
					guard: (name) => story.push(`guard ${name}`),
				},
			),
	};
}

const putsIn = ({ story }: Scene): string[] => story.filter((line) => line.startsWith('PUT'));
const cancelsIn = ({ story }: Scene): string[] => story.filter((line) => line.endsWith('/cancel'));
const lastGuard = ({ story }: Scene): string | undefined => story.findLast((line) => line.startsWith('guard'));
const warningsIn = ({ log }: Scene): string[] => log.annotations.map(({ text }) => text);

describe('a job that is submitted', () => {
	test('is kept for the post step before it is sent, and let go when it has ended', async () => {
		const one = scene();
		one.turn(MINUTE, 'Completed');
		const job = await one.train();
		expect(job).toMatchObject({ name: OWN, status: 'Completed' });
		const begin = ['check', `GET jobs/${OWN}`, 'publish', `guard ${OWN}`, `PUT jobs/${OWN}`];
		expect(one.story.slice(0, 5)).toEqual(begin);
		expect(one.story).not.toContain('unneeded');
		expect(lastGuard(one)).toBe('guard undefined');
		expect(one.facts).toMatchObject({ job: { status: 'Completed' }, lastLines: [] });
		expect(one.facts.attached).toBeUndefined();
		expect(one.log.lines).toContain(`Studio: https://studio.example/runs/${OWN}`);
	});

	test('carries the facts of the run and its owner', async () => {
		const one = scene();
		await one.train({ wait: false });
		const [body] = one.service.bodies;
		expect(textAt(body, 'properties', 'properties', OWNER_PROPERTY)).toBe(OWN);
		expect(textAt(body, 'properties', 'tags', 'github.run_url')).toBe(RUN.runUrl);
		expect(textAt(body, 'properties', 'experimentName')).toBe('iris');
	});

	test('is not waited for where that is not wanted', async () => {
		const one = scene();
		expect((await one.train({ wait: false })).status).toBe('Starting');
		expect(one.facts).toMatchObject({ detached: true });
		expect(lastGuard(one)).toBe('guard undefined');
		expect(one.clock.elapsed).toBe(0);
	});

	test.each([
		['Failed', 'Exit code 1.', 'ended as Failed. Exit code 1.'],
		['Canceled', undefined, 'cancelled in Azure ML, or ran into its own `limits.timeout`'],
		['Failed', undefined, 'Run history gives no reason.'],
	])('that ends as %s (%s) fails the step, with the end of its log', async (status, message, reason) => {
		const one = scene();
		one.service.storage.append('user_logs/std_log.txt', 'loading\nTraceback\n');
		one.turn(MINUTE, status);
		one.clock.at(MINUTE, () => {
			const job = one.service.jobs.get(OWN);
			if (job !== undefined && message !== undefined) job.error = { error: { code: 'UserError', message } };
		});
		const error = await one.train().catch((e) => e);
		expect(error).toBeInstanceOf(JobError);
		expect(error).toMatchObject({ status, lastLines: ['loading', 'Traceback'] });
		expect(error.message).toContain(reason);
		expect(one.facts).toMatchObject({ job: { status }, lastLines: ['loading', 'Traceback'] });
		expect(lastGuard(one)).toBe('guard undefined');
	});

	test.each([
		['Failed', 'ValueError: no rows. It exited with 1.'],
		['Canceled', 'ended as Canceled. It exited with 1.'],
	])('and prints a traceback, ends as %s, with the exception where that is the reason', async (status, told) => {
		const one = scene();
		const frame = '  File "/mnt/exe/wd/train.py", line 2, in load';
		const lines = ['Traceback (most recent call last):', frame, 'ValueError: no rows', ''];
		one.service.storage.append('user_logs/std_log.txt', lines.join('\n'));
		one.turn(MINUTE, status);
		one.clock.at(MINUTE, () => {
			const job = one.service.jobs.get(OWN);
			if (job !== undefined) job.error = { error: { code: 'UserError', message: 'It exited with 1.' } };
		});
		const error = await one.train().catch((e) => e);
		expect(error.message).toContain(told);
		// This job uploads no code, so that nothing of the checkout can be at fault.
		expect(error.where).toBeUndefined();
	});

	test.each([
		[400, 'guard undefined'],
		[403, 'guard undefined'],
		[503, `guard ${OWN}`],
	])('but answered with %d leaves: %s', async (status, guard) => {
		const one = scene();
		one.service.onRequest = (line) => {
			one.story.push(line);
			if (line.startsWith('PUT')) one.service.managerFault = status;
		};
		await expect(one.train()).rejects.toMatchObject({ status });
		// Nobody knows after a 503 whether there is a job all the same.
		expect(lastGuard(one)).toBe(guard);
		expect(one.facts.intended).toBe(status === 503 ? OWN : '');
	});
});

describe('a run that is run again', () => {
	test('follows its own job that is alive, and sends nothing', async () => {
		const one = scene();
		one.service.jobs.set(OWN, { status: 'Running' });
		one.turn(MINUTE, 'Completed');
		expect((await one.train()).name).toBe(OWN);
		expect([putsIn(one), one.story.includes('publish'), one.facts.attached]).toEqual([[], false, true]);
		expect(one.story).toContain(`guard ${OWN}`);
		// What a new job would have needed is looked at no longer, and what is wrong with it is nobody's business.
		expect(one.story).toContain('unneeded');
	});

	test('takes the next name where its job has ended', async () => {
		const one = scene();
		one.service.jobs.set(OWN, { status: 'Failed' });
		one.service.jobs.set(`${OWN}-2`, { status: 'Canceled' });
		await one.train({ wait: false });
		expect(putsIn(one)).toEqual([`PUT jobs/${OWN}-3`]);
		// The owner stays the run, whatever the name.
		expect(textAt(one.service.bodies[0], 'properties', 'properties', OWNER_PROPERTY)).toBe(OWN);
	});

	test('follows the second of its jobs, if that is the one alive', async () => {
		const one = scene();
		one.service.jobs.set(OWN, { status: 'Failed' });
		one.service.jobs.set(`${OWN}-2`, { status: 'Queued' });
		expect((await one.train({ wait: false })).name).toBe(`${OWN}-2`);
		expect(putsIn(one)).toEqual([]);
	});
});

describe('a name that is given', () => {
	test('is taken: by the input, before that of the file', async () => {
		const one = scene();
		await one.train({ name: 'by-input', file: jobFile('name: by-file\n'), wait: false });
		const two = scene();
		await two.train({ file: jobFile('name: by-file\n'), wait: false });
		expect([...putsIn(one), ...putsIn(two)]).toEqual(['PUT jobs/by-input', 'PUT jobs/by-file']);
	});

	test.each(['Running', 'Completed', 'Failed'])('is refused where another job (%s) has it', async (status) => {
		const one = scene();
		one.service.jobs.set('mine', { status, properties: { [OWNER_PROPERTY]: 'other' } });
		await expect(one.train({ name: 'mine' })).rejects.toThrow('The name "mine" is taken');
		expect([putsIn(one), cancelsIn(one), lastGuard(one)]).toEqual([[], [], undefined]);
		expect(one.story).toContain('unneeded');
	});

	test("leads to this run's own job, if that is alive", async () => {
		const one = scene();
		one.service.jobs.set('mine', { status: 'Running', properties: { [OWNER_PROPERTY]: OWN } });
		expect((await one.train({ name: 'mine', wait: false })).status).toBe('Running');
		expect(putsIn(one)).toEqual([]);
		const two = scene();
		two.service.jobs.set('mine', { status: 'Failed', properties: { [OWNER_PROPERTY]: OWN } });
		await expect(two.train({ name: 'mine' })).rejects.toThrow('is taken');
	});
});

describe('a job that is followed by its name', () => {
	const follow = { file: undefined, name: 'theirs' };

	test('is told of, followed and guarded', async () => {
		const one = scene();
		one.service.jobs.set('theirs', { status: 'Queued' });
		one.turn(MINUTE, 'Completed', 'theirs');
		expect((await one.train(follow)).status).toBe('Completed');
		expect(one.log.lines[0]).toBe('Following the job theirs, which is Queued.');
		expect([one.facts.attached, one.story.includes('guard theirs'), putsIn(one)]).toEqual([true, true, []]);
	});

	test('that has ended needs no guard', async () => {
		const one = scene();
		one.service.jobs.set('theirs', { status: 'Completed' });
		await one.train(follow);
		expect(one.story).not.toContain('guard theirs');
	});

	test('that is not there is an error', async () => {
		await expect(scene().train(follow)).rejects.toThrow('There is no job "theirs" in the workspace ws-1.');
	});
});

describe('when the time is over', () => {
	test('the job is cancelled, its end awaited, and the step fails', async () => {
		const one = scene();
		const error = await one.train({ timeout: 5 * MINUTE }).catch((e) => e);
		expect(error).toBeInstanceOf(JobError);
		expect(error).toMatchObject({ status: 'Canceled', message: expect.stringContaining('`timeout-minutes`') });
		expect([cancelsIn(one), lastGuard(one)]).toEqual([[`POST jobs/${OWN}/cancel`], 'guard undefined']);
		expect(one.facts.job?.status).toBe('Canceled');
	});

	test('and it cannot be cancelled, the post step tries again', async () => {
		const one = scene();
		one.service.cancelFault = 403;
		await expect(one.train({ timeout: MINUTE })).rejects.toBeInstanceOf(JobError);
		expect(lastGuard(one)).toBe(`guard ${OWN}`);
	});

	test('with on-timeout: detach it goes on, and the way back to it is told', async () => {
		const one = scene();
		expect((await one.train({ timeout: MINUTE, onTimeout: 'detach' })).status).toBe('Starting');
		expect([cancelsIn(one), lastGuard(one), one.facts.detached]).toEqual([[], 'guard undefined', true]);
		expect(warningsIn(one)).toEqual([expect.stringContaining(`\`job-name: ${OWN}\``)]);
	});
});

describe('when the workflow is cancelled', () => {
	const reason = new CancelledError({ what: 'The workflow was cancelled (SIGINT).' });

	test('the job is cancelled at once, within the seconds there are', async () => {
		const one = scene();
		one.clock.at(MINUTE, () => one.stop.abort(reason));
		const error = await one.train().catch((e) => e);
		expect(error).toBeInstanceOf(CancelledError);
		expect(error.message).toContain('was told to stop (Canceled)');
		expect([cancelsIn(one), lastGuard(one)]).toEqual([[`POST jobs/${OWN}/cancel`], 'guard undefined']);
		expect(one.clock.elapsed - MINUTE).toBeLessThan(5 * SECOND);
	});

	test('while the log of a job that has ended is read to its end, nothing is left to cancel', async () => {
		const one = scene();
		one.turn(MINUTE, 'Completed');
		const { info } = one.log;
		Object.assign(one.log, {
			info: (line: string) => (line.includes(': Completed') ? one.stop.abort(reason) : info(line)),
		});
		await expect(one.train()).rejects.toBe(reason);
		expect([cancelsIn(one), lastGuard(one), one.facts.job?.status]).toEqual([[], 'guard undefined', 'Completed']);
	});

	test('and the request fails, the post step tries again', async () => {
		const one = scene();
		one.service.cancelFault = 403;
		one.clock.at(MINUTE, () => one.stop.abort(reason));
		await expect(one.train()).rejects.toThrow('could not be cancelled yet');
		expect(lastGuard(one)).toBe(`guard ${OWN}`);
	});

	/** Cancels as soon as the submission has reached the service, whose answer comes when `answered` is kept. */
	function cancelledWhileSubmitting(answered: (signal: AbortSignal | undefined, one: Scene) => Promise<void>): Scene {
		const one = scene();
		one.service.onRequest = async (line, signal) => {
			one.story.push(line);
			if (!line.startsWith('PUT')) return;
			one.stop.abort(reason);
			await answered(signal, one);
		};
		return one;
	}
	const never = (signal: AbortSignal | undefined): Promise<void> =>
		new Promise((_, fail) => signal?.addEventListener('abort', () => fail(signal.reason)));

	test('while the submission is under way, its answer is waited for, then the job cancelled', async () => {
		const one = cancelledWhileSubmitting((_, { clock }) => clock.sleep(SECOND));
		await expect(one.train()).rejects.toBeInstanceOf(CancelledError);
		expect([cancelsIn(one), one.service.jobs.get(OWN)?.status]).toEqual([[`POST jobs/${OWN}/cancel`], 'Canceled']);
		expect(lastGuard(one)).toBe('guard undefined');
	});

	test('and the service took the job, but never says so, it is cancelled all the same', async () => {
		const one = cancelledWhileSubmitting((signal, { service }) => {
			service.jobs.set(OWN, { status: 'Starting' });
			return never(signal);
		});
		await expect(one.train()).rejects.toBeInstanceOf(CancelledError);
		expect([one.service.jobs.get(OWN)?.status, lastGuard(one)]).toEqual(['Canceled', 'guard undefined']);
		expect(one.clock.elapsed).toBeLessThan(7 * SECOND);
	});

	test('and nobody can say whether there is a job, the post step looks again', async () => {
		const one = cancelledWhileSubmitting(never);
		await expect(one.train()).rejects.toThrow('could not be cancelled yet');
		expect([cancelsIn(one).length, lastGuard(one)]).toEqual([1, `guard ${OWN}`]);
	});

	test('before anything is sent, nothing is', async () => {
		const one = scene();
		one.stop.abort(reason);
		const service = one.service;
		await expect(one.train()).rejects.toThrow('cancelled');
		expect([putsIn(one), service.jobs.size]).toEqual([[], 0]);
	});

	test.each(['cancel', 'detach'] as const)(
		'with on-cancel: %s a job that ended meanwhile is left alone',
		async (onCancel) => {
			const one = scene();
			one.turn(MINUTE, 'Completed');
			one.clock.at(MINUTE + 20 * SECOND, () => one.stop.abort(reason));
			expect((await one.train({ onCancel })).status).toBe('Completed');
			expect(cancelsIn(one)).toEqual([]);
		},
	);

	test('with on-cancel: detach it goes on', async () => {
		const one = scene();
		one.clock.at(MINUTE, () => one.stop.abort(reason));
		await expect(one.train({ onCancel: 'detach' })).rejects.toMatchObject({
			cause: reason,
			message: expect.stringMatching(/goes on in Azure ML.*`on-cancel: detach`.*Follow it later/),
		});
		expect([cancelsIn(one), lastGuard(one)]).toEqual([[], 'guard undefined']);
	});
});
