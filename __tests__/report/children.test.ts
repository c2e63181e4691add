import { describe, expect, test } from '@jest/globals';
import type { ChildRun } from '../../src/job/child-runs.ts';
import type { Job } from '../../src/job/job.ts';
import { childrenLines } from '../../src/report/children.ts';
import { summaryOf } from '../../src/report/markdown.ts';
import { fullReport, JOB } from '../fixtures/run-report.ts';

function run(name: string, more: Partial<ChildRun> = {}): ChildRun {
	const times = { startedAt: 0, endedAt: 123_000 };
	return {
		id: name,
		name,
		moduleName: undefined,
		status: 'Completed',
		reusedFrom: undefined,
		isParent: false,
		error: undefined,
		...times,
		...more,
	};
}

const PIPELINE: Job = {
	...JOB,
	type: 'Pipeline',
	steps: [
		{ name: 'prep', type: 'command', after: [] },
		{ name: 'train', type: 'command', after: ['prep'] },
		{ name: 'score', type: 'command', after: ['train', 'prep'] },
	],
	children: [
		run('prep', { reusedFrom: 'old-1' }),
		run('Train the model', { moduleName: 'train', status: 'Failed' }),
		run('score', { status: 'NotStarted', startedAt: undefined, endedAt: undefined }),
	],
};

describe('a pipeline', () => {
	test('is a graph of its steps, with state and time, and a table', () => {
		const shown = childrenLines(PIPELINE) ?? '';
		expect(shown.split('\n').filter((line) => /^ {2}s\d/.test(line))).toEqual([
			'  s0["prep<br/>reused"]:::reused',
			'  s1["train<br/>Failed · 2 min 3 s"]:::failed',
			'  s2["score<br/>NotStarted"]:::waiting',
			'  s0 --> s1',
			'  s1 --> s2',
			'  s0 --> s2',
		]);
		expect(shown).toContain('```mermaid\nflowchart LR');
		expect(shown).toContain('| `prep` | ♻️ reused from `old-1` |  |');
		expect(shown).toContain('| `Train the model` | ❌ Failed | 2 min 3 s |');
	});

	test('stands in the summary', () => {
		expect(summaryOf({ ...fullReport(), job: PIPELINE })).toContain('### Steps');
	});

	test('of very many steps has no graph, and its failures come first in the table', () => {
		const names = Array.from({ length: 500 }, (_, step) => `s${step}`);
		const steps = names.map((name, step) => ({ name, type: 'command', after: step > 0 ? [`s${step - 1}`] : [] }));
		const children = names.map((name, step) => run(name, { status: step === 400 ? 'Failed' : 'Completed' }));
		const shown = childrenLines({ ...PIPELINE, steps, children }) ?? '';
		expect(shown).not.toContain('mermaid');
		expect(shown.split('\n')[4]).toBe('| `s400` | ❌ Failed | 2 min 3 s |');
		expect(shown).toContain('And 440 more.');
	});

	test('is inert, whatever its steps are called', () => {
		const evil = 'x"]; click s0 href "https://evil.example" | `#quot;<img src=x>\n```\n# y';
		const steps = [
			{ name: evil, type: 'command', after: [] },
			{ name: '1. list', type: 'command', after: [evil] },
		];
		const children = [run(evil, { status: '<b>"]' }), run('1. list', { reusedFrom: '@octocat' })];
		const shown = childrenLines({ ...PIPELINE, steps, children }) ?? '';
		const graph = shown.split('```')[1] ?? '';
		const nodes = graph.split('\n').filter((line) => /^ {2}s\d\[/.test(line));
		expect(nodes).toHaveLength(2);
		for (const node of nodes) expect(node).toMatch(/^ {2}s\d\["[^"<>#`|[\]]*<br\/>[^"<>#`|[\]]*"\]:::\w+$/);
		expect(graph.split('\n').filter((line) => /click|href/.test(line) && !line.startsWith('  s0["'))).toEqual([]);
		expect(graph).toContain('1.\u00a0list');
		expect(shown).not.toContain('<img');
		expect(shown.split('\n').filter((line) => line.startsWith('| '))).toHaveLength(4);
	});
});

test('a sweep is a table of trials; a job without children is nothing', () => {
	const shown = childrenLines({ ...JOB, type: 'Sweep', children: [run('job_0'), run('job_1', { status: 'Running' })] });
	expect(shown).toContain('### Trials');
	expect(shown).toContain('| `job_1` | 🏃 Running | 2 min 3 s |');
	expect(childrenLines(JOB)).toBeUndefined();
	expect(childrenLines(undefined)).toBeUndefined();
});

describe('the best trial of a sweep', () => {
	const trials = (count: number): Job => ({
		...JOB,
		type: 'Sweep',
		properties: { best_child_run_id: 'trial_70' },
		children: Array.from({ length: count }, (_, place) =>
			run(`trial_${place}`, place === 3 ? { status: 'Failed' } : {}),
		),
	});

	test('is marked', () => {
		const shown = childrenLines({ ...trials(5), properties: { best_child_run_id: 'trial_2' } }) ?? '';
		expect(shown.split('\n').filter((line) => line.includes('best'))).toEqual([
			'| `trial_2` | ✅ Completed · **best** | 2 min 3 s |',
		]);
	});

	test('stands first where there is not room for all, before those that failed', () => {
		const rows = (childrenLines(trials(80)) ?? '').split('\n').filter((line) => line.startsWith('| `trial'));
		expect(rows.slice(0, 3).map((row) => row.split('`')[1])).toEqual(['trial_70', 'trial_3', 'trial_0']);
		expect(rows).toHaveLength(60);
	});
});
