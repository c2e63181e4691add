// Early termination: which running trials a policy stops, judged by what they logged of the primary metric. Pure.
// Each logged value is one interval, as the documentation of the policies says.

import { type Json, textOf } from '../../arm/call.ts';

/** A policy of a sweep. */
export interface Policy {
	type: 'bandit' | 'medianstopping' | 'truncationselection';
	evaluationInterval: number;
	delayEvaluation: number;
	slackFactor: number;
	slackAmount: number;
	truncationPercentage: number;
	excludeFinishedTrials: boolean;
}

/** A trial as a policy sees it: the values it logged, in order. */
export interface TrialSeries {
	name: string;
	values: readonly number[];
	isRunning: boolean;
}

/** Reads a policy as a sweep job (camel case) or a sweep node (snake case) has it; `undefined` when there is none. */
export function readPolicy(given: Json): Policy | undefined {
	const member = (camel: string, snake: string) => given[camel] ?? given[snake];
	const type = textOf(member('policyType', 'type'))?.toLowerCase().replaceAll('_', '');
	if (type !== 'bandit' && type !== 'medianstopping' && type !== 'truncationselection') return undefined;
	const number = (camel: string, snake: string) => Number(member(camel, snake) ?? 0) || 0;
	return {
		type,
		// Zero stands for the default, which is every interval.
		evaluationInterval: number('evaluationInterval', 'evaluation_interval') || 1,
		delayEvaluation: number('delayEvaluation', 'delay_evaluation'),
		slackFactor: number('slackFactor', 'slack_factor'),
		slackAmount: number('slackAmount', 'slack_amount'),
		truncationPercentage: number('truncationPercentage', 'truncation_percentage'),
		excludeFinishedTrials: /^true$/i.test(String(member('excludeFinishedJobs', 'exclude_finished_jobs'))),
	};
}

/**
 * Tells whether the policy stops a trial that has just logged its latest value. `goal` is `maximize` or `minimize`. Only
 * a trial whose number of values falls on an interval of the policy is judged.
 */
export function isStopped(policy: Policy, goal: string, trial: TrialSeries, all: readonly TrialSeries[]): boolean {
	const interval = trial.values.length;
	if (interval === 0 || interval < policy.delayEvaluation || interval % policy.evaluationInterval !== 0) return false;
	// Costs, of which less is better whatever the goal.
	const sign = /^max/i.test(goal) ? -1 : 1;
	const costs = (series: TrialSeries) => series.values.slice(0, interval).map((value) => sign * value);
	const own = Math.min(...costs(trial));
	const peers = all.filter((one) => one.name !== trial.name && one.values.length > 0);
	switch (policy.type) {
		case 'bandit':
			return peers.length > 0 && own > allowed(policy, sign, Math.min(...peers.flatMap(costs)));
		case 'medianstopping':
			return peers.length > 0 && own > median([trial, ...peers].map((one) => average(costs(one))));
		case 'truncationselection':
			return isTruncated(policy, interval, costs(trial).at(-1) ?? own, peers, costs);
	}
}

/** The worst cost within the slack: of a metric to maximize best / (1 + factor), of one to minimize best * (1 + factor). */
function allowed(policy: Policy, sign: number, best: number): number {
	if (policy.slackFactor === 0) return best + policy.slackAmount;
	const metric = sign * best;
	const factor = 1 + policy.slackFactor;
	// A negative metric would turn the slack into its contrary.
	const isGrowing = (sign === 1) === metric >= 0;
	return sign * (isGrowing ? metric * factor : metric / factor);
}

function isTruncated(
	policy: Policy,
	interval: number,
	own: number,
	peers: readonly TrialSeries[],
	costs: (series: TrialSeries) => number[],
): boolean {
	const compared = peers
		.filter((one) => one.values.length >= interval || !one.isRunning)
		.filter((one) => one.isRunning || !policy.excludeFinishedTrials)
		.map((one) => costs(one).at(-1) ?? Number.POSITIVE_INFINITY);
	const worse = compared.filter((cost) => cost > own).length;
	const stopped = Math.floor(((compared.length + 1) * policy.truncationPercentage) / 100);
	return worse < stopped && compared.some((cost) => cost < own);
}

function average(numbers: readonly number[]): number {
	return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function median(numbers: readonly number[]): number {
	const sorted = numbers.toSorted((one, other) => one - other);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] ?? 0;
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
