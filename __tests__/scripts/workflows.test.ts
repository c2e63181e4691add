// What every workflow of this repository promises beyond syntax.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { lintProject } from '../../scripts/lint-workflows.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, '.github', 'workflows');

interface Step {
	readonly uses?: string;
	readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
	readonly uses?: string;
	readonly permissions?: unknown;
	readonly needs?: readonly string[];
	readonly 'timeout-minutes'?: number;
	readonly steps?: readonly Step[];
}

interface Workflow {
	readonly on: Readonly<Record<string, unknown>>;
	readonly permissions: unknown;
	readonly concurrency: unknown;
	readonly jobs: Readonly<Record<string, Job>>;
}

function readWorkflow(file: string): Workflow {
	return parse(readFileSync(join(FOLDER, file), 'utf8')) as Workflow;
}

describe.each(readdirSync(FOLDER))('%s', (file) => {
	const workflow = readWorkflow(file);
	const jobs = Object.entries(workflow.jobs);

	test('grants nothing at the top, and something to each job by name', () => {
		expect(workflow.permissions).toEqual({});
		expect(jobs.filter(([, job]) => job.permissions === undefined).map(([name]) => name)).toEqual([]);
	});

	test('bounds each job in time and number', () => {
		expect(workflow.concurrency).toBeDefined();
		const unbounded = jobs.filter(([, job]) => job.uses === undefined && job['timeout-minutes'] === undefined);
		expect(unbounded.map(([name]) => name)).toEqual([]);
	});

	test('never runs a stranger’s code with secrets', () => {
		expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
		expect(Object.keys(workflow.on)).not.toContain('workflow_run');
	});

	test('leaves no credentials behind after a check-out', () => {
		const checkouts = jobs
			.flatMap(([, job]) => job.steps ?? [])
			.filter((step) => /actions\/checkout@/.test(step.uses ?? ''));
		expect(checkouts.filter((step) => step.with?.['persist-credentials'] !== false)).toEqual([]);
	});
});

test('CI OK waits for every other job of the tests', () => {
	const { jobs } = readWorkflow('test.yml');
	expect(jobs['ci-ok']?.needs).toEqual(Object.keys(jobs).filter((name) => name !== 'ci-ok'));
});

test('nothing is to be mended in the workflows and snippets of this repository', async () => {
	expect(await lintProject(ROOT)).toEqual([]);
});
