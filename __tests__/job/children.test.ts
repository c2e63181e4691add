// Pipelines and sweeps, followed to their ends in virtual time.
import { describe, expect, test } from '@jest/globals';
import { RunService } from './run-service.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A pipeline that runs until `to` and then ends so. */
function pipeline(to: number, status = 'Completed', chance = 0.5): RunService {
	const service = new RunService(chance);
	const run = { status: 'Running' };
	service.runs.set('job', run);
	service.clock.at(to, () => {
		run.status = status;
	});
	return service;
}

const linesOf = (service: RunService, about: RegExp): string[] => service.log.lines.filter((line) => about.test(line));

describe('the steps of a pipeline', () => {
	test('are told as they change, and the reused ones say so', async () => {
		const service = pipeline(20 * MINUTE);
		service.child('prep', 0, SECOND, 'Completed', {
			properties: { 'azureml.isreused': 'true', 'azureml.reusedrunid': 'old-1' },
		});
		service.child('train', MINUTE, 10 * MINUTE);
		service.child('score', 11 * MINUTE, 19 * MINUTE);
		const { job } = await service.follow();
		expect(linesOf(service, /^ {2}step/)).toEqual([
			'  step prep: reused from run old-1',
			'  step train: Running',
			'  step train: Completed (9 min)',
			'  step score: Running',
			'  step score: Completed (8 min)',
		]);
		expect(job.children?.map(({ name, status, reusedFrom }) => [name, status, reusedFrom])).toEqual([
			['prep', 'Completed', 'old-1'],
			['train', 'Completed', undefined],
			['score', 'Completed', undefined],
		]);
	});

	test('of batch scoring go by the name of their module, and are shown as any other', async () => {
		const service = pipeline(10 * MINUTE, 'Failed');
		const properties = { 'azureml.moduleName': 'batchscoring' };
		service.child('guid', MINUTE, 9 * MINUTE, 'Failed', { name: '', properties, error: 'Too many errors.' });
		const followed = await service.follow();
		expect(linesOf(service, /^ {2}step/)).toEqual([
			'  step batchscoring: Running',
			'  step batchscoring: Failed (8 min): Too many errors.',
		]);
		expect(service.log.foreignLines).toEqual(['guid begins', 'guid breaks ⤶']);
		expect(followed.failedChild?.what).toBe('step batchscoring failed');
		expect(followed.lastLines).toEqual(['guid begins', 'guid breaks']);
	});

	test('show the metrics of the one that runs, with its name', async () => {
		const service = pipeline(HOUR);
		service.child('prep', MINUTE, 5 * MINUTE);
		service.child('train', 6 * MINUTE, 50 * MINUTE);
		const run = service.runs.get('train');
		for (let epoch = 1; epoch <= 8; epoch += 1) {
			service.clock.at((6 + 5 * epoch) * MINUTE, () => {
				if (run) run.metrics = [{ key: 'loss', value: 1 / epoch, step: epoch }];
			});
		}
		await service.follow();
		const shown = linesOf(service, /^ {2}train: step \d+ · loss/);
		expect(shown.at(0)).toBe('  train: step 1 · loss 1');
		expect(shown.at(-1)).toBe('  train: step 8 · loss 0.125');
		expect(new Set(shown).size).toBe(shown.length);
		expect(service.busiestHour).toBeLessThanOrEqual(360);
	});

	test('are shown live while there is one, else in groups, each complete and once', async () => {
		const service = pipeline(20 * MINUTE);
		service.child('a', MINUTE, 10 * MINUTE);
		service.child('b', 3 * MINUTE, 8 * MINUTE);
		service.child('c', 3 * MINUTE, 9 * MINUTE);
		service.clock.at(2 * MINUTE, () => {
			service.storage.append('a/user_logs/std_log.txt', 'a goes on\n');
			// One request for the state, one for the list in between.
			service.clock.at(2 * MINUTE + 3 * SECOND, () =>
				expect(service.log.foreignLines).toEqual(['a begins', 'a goes on']),
			);
		});
		await service.follow();
		expect([...service.log.foreignLines].sort()).toEqual(
			['a begins', 'a ends', 'a goes on', 'b begins', 'b ends', 'c begins', 'c ends'].sort(),
		);
		expect(linesOf(service, /^(──|>)/)).toEqual([
			'── a · user_logs/std_log.txt',
			'> b · user_logs/std_log.txt',
			'> c · user_logs/std_log.txt',
		]);
	});

	test('that have ended before anyone looked are shown all the same', async () => {
		const service = pipeline(0);
		service.child('a', 0, 0);
		service.child('b', 0, 0);
		service.clock.at(HOUR, () => {});
		await service.follow();
		expect(linesOf(service, /^>/)).toEqual(['> a · user_logs/std_log.txt', '> b · user_logs/std_log.txt']);
		expect(service.log.foreignLines).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
	});

	test('name the one that failed, show its last lines, and give its error as the reason', async () => {
		const service = pipeline(12 * MINUTE, 'Failed');
		service.child('prep', 0, 11 * MINUTE);
		service.child('train', MINUTE, 10 * MINUTE, 'Failed', { error: 'Exit code 1.\nSee the log.' });
		const followed = await service.follow();
		expect(followed.failedChild?.what).toBe('step train failed');
		expect(followed.error?.message).toBe('Exit code 1.\nSee the log.');
		expect(followed.lastLines).toEqual(['train begins', 'train breaks']);
		const { lines, foreignLines } = service.log;
		expect(lines).toContain('── step train failed; its last lines:');
		expect(lines).toContain('  step train: Failed (9 min): Exit code 1.');
		expect(foreignLines.filter((line) => line === 'train breaks')).toHaveLength(2);
	});

	test('that failed while it was live is not shown a second time', async () => {
		const service = pipeline(12 * MINUTE, 'Failed');
		service.child('train', MINUTE, 10 * MINUTE, 'Failed');
		const followed = await service.follow();
		expect(followed.lastLines).toEqual(['train begins', 'train breaks']);
		expect(service.log.foreignLines).toEqual(['train begins', 'train breaks ⤶']);
	});

	test('that the list knows to have failed only after the job are waited for', async () => {
		const service = pipeline(5 * MINUTE, 'Failed');
		service.child('train', MINUTE, 5 * MINUTE + 4 * SECOND, 'Failed', { error: 'No.' });
		expect((await service.follow()).failedChild?.what).toBe('step train failed');
	});

	test('may be pipelines themselves', async () => {
		const service = pipeline(10 * MINUTE);
		service.child('outer', MINUTE, 8 * MINUTE, 'Completed', {
			properties: { 'azureml.runsource': 'azureml.PipelineRun' },
		});
		service.child('inner', 2 * MINUTE, 7 * MINUTE, 'Completed', { parent: 'outer' });
		await service.follow();
		expect(linesOf(service, /^[^…].*inner/)).toEqual([
			'  step outer / inner: Running',
			'── outer / inner · user_logs/std_log.txt',
			'  step outer / inner: Completed (5 min)',
		]);
	});

	test('have trials where the file says so, and a log of their own where they have none after all', async () => {
		const service = pipeline(10 * MINUTE);
		service.job = { type: 'Pipeline', more: { jobs: { tune: { type: 'sweep' }, plain: { type: 'automl' } } } };
		service.child('tune', MINUTE, 8 * MINUTE);
		service.child('trial', 2 * MINUTE, 7 * MINUTE, 'Completed', { parent: 'tune' });
		service.child('plain', 3 * MINUTE, 4 * MINUTE);
		await service.follow();
		const shown = linesOf(service, /^(──|>)/);
		expect(shown).toEqual(['── tune / trial · user_logs/std_log.txt', '> plain · user_logs/std_log.txt']);
	});

	test('are listed again after refusals, which are told once', async () => {
		const service = pipeline(20 * MINUTE);
		service.listFaults.push(503, 503, 429, 500);
		service.child('train', MINUTE, 10 * MINUTE);
		await service.follow();
		expect(service.log.annotations).toHaveLength(1);
		expect(linesOf(service, /train: Completed/)).toHaveLength(1);
	});

	test('end their watch with the workflow', async () => {
		const service = pipeline(HOUR);
		service.child('train', MINUTE, HOUR);
		service.clock.at(10 * MINUTE, () => service.stop.abort(new Error('cancelled')));
		await expect(service.follow()).rejects.toThrow('cancelled');
		expect(service.clock.elapsed).toBe(10 * MINUTE);
	});

	test('of the file are known with what they take from each other', async () => {
		const service = pipeline(0);
		const uri = '${{parent.jobs.prep.outputs.data}}';
		service.job = {
			type: 'Pipeline',
			more: { jobs: { prep: { type: 'command' }, train: { inputs: { data: { uri } } } } },
		};
		expect((await service.follow()).job.steps).toEqual([
			{ name: 'prep', type: 'command', after: [] },
			{ name: 'train', type: undefined, after: ['prep'] },
		]);
	});
});

describe('requests', () => {
	test('of a pipeline of 500 steps over six hours stay below 360 an hour, even when chance makes us quick', async () => {
		const service = pipeline(6 * HOUR, 'Completed', 0);
		service.page = 1_000;
		for (let step = 0; step < 500; step += 1) {
			service.child(`s${step}`, step * 40 * SECOND, (step + 3) * 40 * SECOND, step === 250 ? 'Failed' : 'Completed');
		}
		await service.follow();
		expect(service.busiestHour).toBeLessThanOrEqual(360);
		expect(service.log.lines).toContain('── step s250 failed; its last lines:');
		expect(linesOf(service, /^\[not shown: the logs of \d+ more steps/)).toHaveLength(1);
		expect(linesOf(service, /^ {2}step s250: Failed/)).toHaveLength(1);
	});

	test('of a sweep of a thousand trials grow by the pages of the list alone', async () => {
		const count = async (trials: number, page: number): Promise<RunService> => {
			const service = pipeline(6 * HOUR);
			service.job = { type: 'Sweep' };
			service.page = page;
			for (let trial = 0; trial < trials; trial += 1) {
				const from = (Math.floor(trial / 50) * (5 * HOUR)) / 20;
				service.child(`job_${trial}`, from, from + 10 * MINUTE);
			}
			await service.follow();
			return service;
		};
		const one = await count(1_000, 1_000);
		expect(one.busiestHour).toBeLessThanOrEqual(360);
		const paged = await count(1_000, 100);
		const pages = paged.asked.filter(({ line }) => line.includes('/children')).length;
		expect(paged.asked.length - pages).toBeLessThanOrEqual(one.asked.length);
		expect(paged.busiestHour).toBeLessThanOrEqual(360);
		// Fifty at once are told in one line.
		expect(linesOf(one, /^ {2}trials: /).length).toBeGreaterThan(20);
		expect(linesOf(one, /^ {2}trial /).length).toBeLessThan(100);
	});
});

describe('a long silence', () => {
	test('says how far the steps are', async () => {
		const service = pipeline(30 * MINUTE);
		service.child('train', MINUTE, 29 * MINUTE);
		service.child('score', 29 * MINUTE, 30 * MINUTE);
		await service.follow();
		expect(linesOf(service, /^…/)[1]).toMatch(
			/^… Running for \d+ min.*: 0 of 2 steps done, 1 running: train, 1 waiting · https:\/\/studio\.example\/runs\/job/,
		);
	});
});
