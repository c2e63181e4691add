import { describe, expect, test } from '@jest/globals';
import { RolloutError } from '../../src/errors.ts';
import { OUTPUT_NAMES, outputsOf } from '../../src/report/outputs.ts';
import { newReport } from '../../src/report/run-report.ts';
import { runContext } from '../fixtures/run-context.ts';
import { fullReport, JOB, MODEL, ROLLOUT } from '../fixtures/run-report.ts';

describe('outputs', () => {
	test('of a full run hold what came of each step', () => {
		expect(outputsOf(fullReport())).toEqual({
			'job-name': JOB.name,
			'job-status': 'Completed',
			'job-url': JOB.studioUrl,
			metrics: '{"accuracy":0.97,"loss":0.1234567}',
			'model-name': MODEL.name,
			'model-version': MODEL.version,
			'model-id': MODEL.assetId,
			'model-uri': MODEL.uri,
			'endpoint-name': ROLLOUT.endpointName,
			'deployment-name': ROLLOUT.deploymentName,
			'scoring-uri': ROLLOUT.scoringUri,
			'rolled-back': 'false',
		});
	});

	test('of a run that has brought nothing are none', () => {
		expect(outputsOf(newReport(runContext()))).toEqual({});
	});

	test('name a job that was submitted though nobody knows what became of it', () => {
		const report = newReport(runContext());
		expect(outputsOf({ ...report, intendedJob: 'iris-1' })).toEqual({ 'job-name': 'iris-1' });
		expect(outputsOf({ ...report, intendedJob: '' })).toEqual({});
		expect(outputsOf({ ...report, intendedJob: 'x', job: JOB })).toMatchObject({ 'job-name': JOB.name });
	});

	test('are never empty texts, nor the word undefined', () => {
		const job = { ...JOB, studioUrl: undefined };
		const rollout = { ...ROLLOUT, scoringUri: undefined, deploymentName: '' };
		const outputs = outputsOf({ ...fullReport(), job, rollout, model: { ...MODEL, uri: '' } });
		expect(Object.values(outputs).filter((value) => value === '' || value.includes('undefined'))).toEqual([]);
		for (const name of ['job-url', 'scoring-uri', 'deployment-name', 'model-uri'])
			expect(outputs).not.toHaveProperty([name]);
	});

	test('have only names of the contract', () => {
		expect(OUTPUT_NAMES).toEqual(expect.arrayContaining(Object.keys(outputsOf(fullReport()))));
	});

	test('keep numbers that JSON does not have', () => {
		const metrics = { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: 1e-7, d: 0.1 + 0.2 };
		expect(JSON.parse(outputsOf({ ...fullReport(), metrics }).metrics ?? '')).toEqual({
			a: 'NaN',
			b: 'Infinity',
			c: 1e-7,
			d: 0.1 + 0.2,
		});
	});

	test('are an empty object for a job without metrics, and nothing where none were read', () => {
		expect(outputsOf({ ...fullReport(), metrics: {} }).metrics).toBe('{}');
		const { metrics: _, ...unread } = fullReport();
		expect(outputsOf(unread)).not.toHaveProperty('metrics');
	});

	test.each<[string, boolean[]]>([
		['true', [true, true]],
		['false', [true, false]],
	])('say whether all gates passed: %s', (text, verdicts) => {
		const gates = verdicts.map((passed) => ({ gate: 'a > 1', metric: 'a', value: 2, needed: '> 1', passed }));
		expect(outputsOf({ ...fullReport(), gates })['gates-passed']).toBe(text);
	});

	test.each([true, false])('say of a failed rollout whether it was rolled back: %s', (rolledBack) => {
		const { rollout: _, ...report } = fullReport();
		const failure = new RolloutError({ what: 'x' }, { rolledBack });
		expect(outputsOf({ ...report, failure })['rolled-back']).toBe(String(rolledBack));
	});

	test('name what is left of a failed rollout', () => {
		const { rollout: _, ...report } = fullReport();
		const left = { endpointName: 'iris', scoringUri: 'https://iris.example/score', deploymentName: undefined };
		const outputs = (deploymentName?: string) =>
			outputsOf({
				...report,
				failure: new RolloutError({ what: 'x' }, { rolledBack: true, left: { ...left, deploymentName } }),
			});
		expect(outputs()).toMatchObject({ 'endpoint-name': 'iris', 'scoring-uri': 'https://iris.example/score' });
		expect(outputs()).not.toHaveProperty('deployment-name');
		expect(outputs('green')['deployment-name']).toBe('green');
	});

	test('name the endpoint that was deleted', () => {
		expect(outputsOf({ ...newReport(runContext()), deletedEndpoint: 'iris' })).toEqual({ 'endpoint-name': 'iris' });
	});
});
