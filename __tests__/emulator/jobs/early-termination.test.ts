import { describe, expect, test } from '@jest/globals';
import { isStopped, readPolicy, type TrialSeries } from '../../../emulator/jobs/sweep/early-termination.ts';

const series = (name: string, values: number[], isRunning = true): TrialSeries => ({ name, values, isRunning });

/** Names the trials that a policy stops when each has just logged its last value. */
function stopped(given: Record<string, unknown>, goal: string, all: TrialSeries[]): string[] {
	const policy = readPolicy(given);
	if (!policy) throw new Error('no policy');
	return all.filter((trial) => isStopped(policy, goal, trial, all)).map((trial) => trial.name);
}

describe('the bandit policy', () => {
	const at = (...values: number[]) => values.map((value, index) => series('abcdef'[index] ?? '', [value]));

	test('stops what is out of the slack factor: below 0.8 / 1.2 of the best 0.8', () => {
		const policy = { policyType: 'Bandit', slackFactor: 0.2, slackAmount: 0, evaluationInterval: 1 };
		expect(stopped(policy, 'Maximize', at(0.8, 0.67, 0.66))).toEqual(['c']);
		expect(stopped(policy, 'minimize', at(1, 1.19, 1.21))).toEqual(['c']);
	});

	test('stops what is out of the slack amount, also of negative metrics', () => {
		const policy = { type: 'bandit', slack_amount: 0.1, slack_factor: 0 };
		expect(stopped(policy, 'maximize', at(-1, -1.05, -1.2))).toEqual(['c']);
		expect(stopped({ type: 'bandit', slack_factor: 0.1 }, 'maximize', at(-1, -1.05, -1.2))).toEqual(['c']);
	});

	test('judges by the best value so far, at the intervals after the delay', () => {
		const policy = { policyType: 'Bandit', slackFactor: 0.1, evaluationInterval: 2, delayEvaluation: 4 };
		const best = series('best', [0.9, 0.9, 0.9, 0.9, 0.9, 0.9]);
		for (const [values, isOut] of [
			[[0.1, 0.1, 0.1], false],
			[[0.1, 0.1, 0.1, 0.1], true],
			[[0.1, 0.1, 0.1, 0.1, 0.1], false],
			[[0.9, 0.1, 0.1, 0.1], false],
		] as const) {
			expect(stopped(policy, 'maximize', [best, series('one', [...values])])).toEqual(isOut ? ['one'] : []);
		}
	});
});

test('median stopping compares the best value with the median of the running averages', () => {
	const policy = { policyType: 'MedianStopping', evaluationInterval: 1, delayEvaluation: 2 };
	const all = [series('a', [0.5, 0.9]), series('b', [0.4, 0.6]), series('c', [0.1, 0.2]), series('young', [0.1])];
	// The averages are 0.7, 0.5, 0.15 and 0.1, so that the median is 0.325.
	expect(stopped(policy, 'maximize', all)).toEqual(['c']);
});

test('truncation selection stops the lowest percentage at an interval', () => {
	const policy = { policyType: 'TruncationSelection', truncationPercentage: 40, evaluationInterval: 1 };
	const all = [5, 4, 3, 2, 1].map((value) => series(`t${value}`, [value]));
	expect(stopped(policy, 'maximize', all)).toEqual(['t2', 't1']);
	expect(stopped({ ...policy, truncationPercentage: 10 }, 'maximize', all)).toEqual([]);
	const finished = [series('good', [9], false), ...[2, 1].map((value) => series(`t${value}`, [value]))];
	expect(stopped({ ...policy, truncationPercentage: 50 }, 'maximize', finished)).toEqual(['t1']);
	expect(
		stopped(
			{ type: 'truncation_selection', truncation_percentage: 34, exclude_finished_jobs: true },
			'maximize',
			finished,
		),
	).toEqual([]);
});

test('a sweep without a policy has none', () => {
	expect(readPolicy({})).toBeUndefined();
	expect(readPolicy({ policyType: 'Default' })).toBeUndefined();
});
