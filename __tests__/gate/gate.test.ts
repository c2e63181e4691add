import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GateError } from '../../src/errors.ts';
import { gateFailure, judgeGates } from '../../src/gate/gate.ts';
import { type Gate, parseGate } from '../../src/gate/grammar.ts';
import { GateService } from './service.ts';

let service: GateService;
beforeEach(async () => {
	service = await GateService.open();
	service.runs.set('job-1', { metrics: { accuracy: 0.9, rmse: 3 } });
});
afterEach(() => service.close());

function judgeLines(...lines: string[]) {
	const gates = lines.map((line): Gate => {
		const read = parseGate(line);
		if ('fault' in read) throw new Error(read.fault);
		return read.gate;
	});
	const job = { name: 'job-1', type: 'Command', properties: {} };
	const champion = { named: undefined, modelName: 'iris', ownEndpoint: undefined };
	return judgeGates({ gates, job, metrics: undefined, champion }, service.parts);
}

test('gates are judged in their order, each told to the log', async () => {
	const verdicts = await judgeLines('accuracy >= 0.8', 'rmse < 2');
	expect(verdicts.map(({ passed }) => passed)).toEqual([true, false]);
	expect(service.log.lines).toEqual([
		'Gate passed: accuracy is 0.9, needed >= 0.8.',
		'Gate failed: rmse is 3, needed < 2.',
	]);
});

test('no champion is looked for where no gate asks for one', async () => {
	await judgeLines('accuracy >= 0.8');
	expect(service.asked).toEqual(['metrics job-1']);
});

describe('with a champion', () => {
	test('that is not there yet they pass, which is said once', async () => {
		const verdicts = await judgeLines('accuracy >= champion', 'rmse <= champion');
		expect(verdicts.map(({ passed }) => passed)).toEqual([true, true]);
		expect(service.log.annotations).toEqual([
			{ kind: 'notice', text: expect.stringContaining('compare with the champion pass'), where: undefined },
		]);
	});

	test('they do not without the metric, even so', async () => {
		expect((await judgeLines('auc >= champion')).map(({ passed }) => passed)).toEqual([false]);
	});

	test('that lacks the metric, or has none that is a number, they fail', async () => {
		service.resources.set('models/iris/versions/1', { tags: { 'metric.rmse': 'NaN', 'metric.auc': '1' } });
		const verdicts = await judgeLines('accuracy >= champion', 'rmse <= champion');
		expect(verdicts.map(({ passed }) => passed)).toEqual([false, false]);
		expect(verdicts.map(({ why }) => why)).toEqual([
			"The champion iris:1 has no such metric 'accuracy'; it has auc, rmse.",
			'The metric of the champion iris:1 is NaN.',
		]);
	});
});

describe('the failure', () => {
	test('is none where all pass', async () => {
		expect(gateFailure(await judgeLines('accuracy > 0'))).toBeUndefined();
	});

	test('names every gate that failed, what there is, and what to do', async () => {
		const failure = gateFailure(await judgeLines('accuracy > 0', 'rmse < 2', 'auc > 0.5'));
		expect(failure).toBeInstanceOf(GateError);
		expect(failure?.message).toMatch(
			/^2 of 3 gates did not pass\. rmse is 3, needed < 2\. auc is missing, needed > 0\.5\. The job job-1 has no such metric; it has accuracy, rmse\. Nothing was registered or deployed;/,
		);
	});
});
