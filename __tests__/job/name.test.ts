import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
	defaultExperiment,
	deriveJobName,
	experimentOfBranch,
	jobNameOfBranch,
	validName,
} from '../../src/job/name.ts';
import { runContext } from '../fixtures/run-context.ts';

/** What Azure ML takes as the name of a job. */
const VALID = /^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$/;

describe('a valid name', () => {
	test.each([
		['feature/new data', 'feature-new-data'],
		['modèle-é', 'modele-e'],
		['__x__', 'x'],
		['-a-', 'a'],
		['a..b', 'a-b'],
		['a_b-C', 'a_b-C'],
		['x'.repeat(300), 'x'.repeat(255)],
		[`a${'_'.repeat(1_000_000)}b_-_`, `a${'_'.repeat(254)}`],
	])('of %j is %j', (text, name) => {
		expect(validName(text)).toBe(name);
	});

	test.each(['', '///', '研究', '---', '__'])('cannot be had from %j', (text) => {
		expect(validName(text)).toBeUndefined();
	});

	test('is valid, whatever it is made from', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
				expect(validName(text) ?? 'a').toMatch(VALID);
			}),
		);
	});
});

describe("a name made from a branch's", () => {
	test.each([
		['train-feature/x', 'train-feature-x'],
		['release-1.2', 'release-1-2'],
		['données', 'donnees'],
		['two words', undefined],
		['what?', undefined],
		['///', undefined],
	])('as a job, %j, is %j', (text, name) => {
		expect(jobNameOfBranch(text)).toBe(name);
	});

	test.each([
		['exp-feature/x', 'main', 'exp-feature-x'],
		['exp-release-1.2', 'release-1.2', 'exp-release-1-2'],
		['my exp of v1.2', 'v1.2', 'my-exp-of-v1-2'],
		['Serverless in Pipeline', 'main', 'Serverless in Pipeline'],
		['of main v1.2', 'main', 'of main v1.2'],
		['v1.2', undefined, 'v1.2'],
		['feature-x_1', 'feature-x_1', 'feature-x_1'],
		['///', 'main', '///'],
	])('as an experiment, %j of the branch %s, is %j', (text, branch, name) => {
		expect(experimentOfBranch(text, runContext({ branch }))).toBe(name);
	});
});

describe('a derived job name', () => {
	const identity = { 'job-file': 'jobs/iris.yml', set: 'inputs.epochs=3' };
	const run = runContext();
	const name = deriveJobName('jobs/iris.yml', identity, run);

	test('says what and where from', () => {
		expect(name).toMatch(/^iris-4711-[0-9a-f]{12}$/);
	});

	test('is the same in every attempt of the run', () => {
		expect(deriveJobName('jobs/iris.yml', { ...identity }, runContext({ runAttempt: '2', sha: 'b' }))).toBe(name);
	});

	test.each([
		['another run', {}, { runId: '4712' }],
		['another job of the workflow', {}, { job: 'other' }],
		['another workflow', {}, { workflow: 'nightly' }],
		['another repository', {}, { repository: 'octo/other' }],
		['other inputs, as in a matrix', { set: 'inputs.epochs=4' }, {}],
		['one input more', { compute: 'gpu' }, {}],
	])('is another for %s', (_, inputs, context) => {
		expect(deriveJobName('jobs/iris.yml', { ...identity, ...inputs }, runContext(context))).not.toBe(name);
	});

	test.each([
		['iris/job.yml', 'iris-job-'],
		['./models/Iris/train.yaml', 'iris-train-'],
		['../job.yml', 'iris-job-'],
		['job.yml', 'iris-job-'],
		['研究.yml', 'job-'],
		[`${'x'.repeat(200)}.yml`, `${'x'.repeat(60)}-4711-`],
	])('of %s begins with %s', (file, beginning) => {
		const derived = deriveJobName(file, identity, run);
		expect(derived.startsWith(beginning)).toBe(true);
		expect(derived).toMatch(VALID);
	});

	test('is new each time where there is no workflow run', () => {
		const local = runContext({ runId: undefined });
		expect(deriveJobName('iris.yml', identity, local)).not.toBe(deriveJobName('iris.yml', identity, local));
	});
});

test('the experiment is called like the repository, else like the folder', () => {
	expect(defaultExperiment(runContext({ repository: 'octo/my.models' }))).toBe('my-models');
	expect(defaultExperiment(runContext({ repository: undefined, checkout: '/work/iris' }))).toBe('iris');
	expect(defaultExperiment(runContext({ repository: undefined, checkout: '/' }))).toBe('Default');
});
