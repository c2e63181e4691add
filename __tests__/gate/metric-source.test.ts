import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { jobMetrics, type MeasuredJob } from '../../src/gate/metric-source.ts';
import { GateService } from './service.ts';

let service: GateService;
beforeEach(async () => {
	service = await GateService.open();
});
afterEach(() => service.close());

const job = (type: string, properties = {}): MeasuredJob => ({ name: 'job-1', type, properties });
const source = (one: MeasuredJob, known?: Record<string, number>) => jobMetrics(one, { ...service.parts, known });

describe('the metrics of a command', () => {
	test('are its own, slashes and all, asked for once', async () => {
		service.runs.set('job-1', { metrics: { accuracy: 0.9, 'val/auc': 0.8, loss: 'NaN' } });
		const metrics = source(job('Command'));
		expect(await metrics.find('accuracy')).toBe(0.9);
		expect(await metrics.find('val/auc')).toBe(0.8);
		expect(await metrics.find('loss')).toBeNaN();
		expect(await metrics.find('train/accuracy')).toBeUndefined();
		expect(await metrics.find('toString')).toBeUndefined();
		expect(await metrics.names()).toEqual(['accuracy', 'loss', 'val/auc']);
		expect(service.asked).toEqual(['metrics job-1']);
	});

	test('are not asked for when they are known', async () => {
		const metrics = source(job('Command'), { accuracy: 0.7 });
		expect([await metrics.find('accuracy'), await metrics.find('other')]).toEqual([0.7, undefined]);
		expect(service.asked).toEqual([]);
	});

	test('are none where it has no run; that they may not be read is an error', async () => {
		expect(await source(job('Command')).names()).toEqual([]);
		service.refused = 403;
		await expect(source(job('Command')).find('a')).rejects.toThrow('Could not read the metrics');
	});
});

test('the metrics of a sweep are those of its best trial, before its own', async () => {
	service.runs.set('job-1', { metrics: { accuracy: 0.1, trials: 3 } });
	service.runs.set('job-1_2', { metrics: { accuracy: 0.9 } });
	const metrics = source(job('Sweep', { best_child_run_id: 'job-1_2' }));
	expect([await metrics.find('accuracy'), await metrics.find('trials')]).toEqual([0.9, 3]);
});

describe('the metrics of a pipeline', () => {
	beforeEach(() => {
		service.runs.set('job-1', {
			metrics: { total: 7 },
			children: [
				{ runId: 'r-prep', displayName: 'prep' },
				{ runId: 'r-train', displayName: 'train model', properties: { 'azureml.moduleName': 'trainer' } },
				{ runId: 'r-sweep', displayName: 'tune', properties: { best_child_run_id: 'r-sweep_1' } },
				{
					runId: 'r-old',
					displayName: 'reused',
					properties: { 'azureml.isreused': 'true', 'azureml.reusedrunid': 'r-first' },
				},
				{ runId: 'r-inner', displayName: 'inner' },
				{ noRun: true } as never,
			],
		});
		service.runs.set('r-train', { metrics: { accuracy: 0.9, 'val/auc': 0.8 } });
		service.runs.set('r-sweep', {});
		service.runs.set('r-sweep_1', { metrics: { accuracy: 0.93 } });
		service.runs.set('r-old', {});
		service.runs.set('r-first', { metrics: { rows: 12 } });
		service.runs.set('r-inner', { children: [{ runId: 'r-deep', displayName: 'train' }] });
		service.runs.set('r-deep', { metrics: { accuracy: 0.5 } });
		service.resources.set('jobs/job-1', { jobs: { fit: { display_name: 'train model' }, prep: {} } });
	});

	test.each<[string, number | undefined]>([
		['total', 7],
		['train model/accuracy', 0.9],
		['train model/val/auc', 0.8],
		['trainer/accuracy', 0.9],
		['fit/accuracy', 0.9],
		['tune/accuracy', 0.93],
		['reused/rows', 12],
		['inner/train/accuracy', 0.5],
		['prep/accuracy', undefined],
		['nowhere/accuracy', undefined],
		['accuracy', undefined],
	])('%s', async (name, value) => {
		expect(await source(job('Pipeline')).find(name)).toBe(value);
	});

	test('are listed with the names of their steps', async () => {
		expect(await source(job('Pipeline')).names()).toEqual([
			'total',
			'train model/accuracy',
			'train model/val/auc',
			'tune/accuracy',
			'reused/rows',
		]);
	});

	test('are not those of one of two steps of the same name that differ', async () => {
		service.runs.set('job-1', {
			children: [
				{ runId: 'r-1', displayName: 'train' },
				{ runId: 'r-2', displayName: 'train' },
			],
		});
		service.runs.set('r-1', { metrics: { accuracy: 0.9, same: 1 } });
		service.runs.set('r-2', { metrics: { accuracy: 0.8, same: 1 } });
		const metrics = source(job('Pipeline'));
		expect(await metrics.find('train/same')).toBe(1);
		await expect(metrics.find('train/accuracy')).rejects.toThrow(/Several steps .* 0\.9, 0\.8.*`display_name`/);
	});
});
