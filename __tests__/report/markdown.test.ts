import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FileError, InputError, JobError, RolloutError, ServiceError } from '../../src/errors.ts';
import { commentOf, summaryOf } from '../../src/report/markdown.ts';
import { newReport, type RunReport } from '../../src/report/run-report.ts';
import { runContext } from '../fixtures/run-context.ts';
import { fullReport, JOB, MODEL, ROLLOUT } from '../fixtures/run-report.ts';

const MARKER = '<!-- azure-ml-action: jobs/iris.yml -->';

/** The cells of each table row that begins with this cell. */
function rowOf(markdown: string, first: string): string[] | undefined {
	const row = markdown.split('\n').find((line) => line.startsWith(`| ${first} |`));
	return row
		?.split(/(?<!\\)\|/)
		.slice(1, -1)
		.map((cell) => cell.trim());
}

describe('the summary of a run that went well', () => {
	const summary = summaryOf(fullReport());

	test('says so first', () => {
		expect(summary.split('\n')[0]).toBe('## ✅ Azure ML: trained, model registered, deployed · `jobs/iris.yml`');
	});

	test('shows the job with its links', () => {
		expect(rowOf(summary, 'Job')?.[1]).toBe(`[\`${JOB.name}\`](<${JOB.studioUrl}>)`);
		expect(rowOf(summary, 'State')?.[1]).toBe('✅ Completed');
		expect(rowOf(summary, 'Compute')?.[1]).toBe('`cpu-cluster`');
		expect(rowOf(summary, 'Duration')?.[1]).toBe('1 min 20 s');
		expect(rowOf(summary, 'Commit')?.[1]).toBe(
			`[\`aaaaaaa\`](<https://github.com/octo/iris/commit/${'a'.repeat(40)}>)`,
		);
	});

	test('shows metrics with the digits that matter', () => {
		expect(rowOf(summary, '`accuracy`')).toEqual(['`accuracy`', '0.97']);
		expect(rowOf(summary, '`loss`')).toEqual(['`loss`', '0.123457']);
	});

	test('draws a chart in numbers that mermaid reads', () => {
		expect(summary).toContain('  title "loss"');
		expect(summary).toContain('  x-axis "step" 0 --> 2');
		expect(summary).toContain('  line [1, 0.5, 0.0000001]');
	});

	test('shows model, endpoint and traffic', () => {
		expect(summary).toContain('`azureml:iris:7` (mlflow\\_model) registered.');
		expect(rowOf(summary, '`green`')).toEqual(['`green`', '100 %', '0 %']);
		expect(rowOf(summary, '`blue`')).toEqual(['`blue`', '0 %', '100 %']);
		expect(summary).toContain('```text\n["setosa"]\n```');
		expect(summary).toContain('Deleted: `blue`.');
	});

	test('does not show the log', () => {
		expect(summary).not.toContain('epoch 1');
	});
});

describe('a part that is not there', () => {
	test('is not shown', () => {
		expect(summaryOf(newReport(runContext()))).toBe('## ✅ Azure ML: done\n');
	});

	test('is no broken link and no undefined', () => {
		const { jobDuration: _, ...report } = fullReport({ repository: undefined, sha: undefined, runUrl: undefined });
		const rollout = { ...ROLLOUT, scoringUri: undefined, smokeAnswer: undefined, traffic: {} };
		const job = { ...JOB, studioUrl: undefined, computeId: undefined };
		const texts = [summaryOf, (one: RunReport) => commentOf(one, MARKER)].map((make) =>
			make({ ...report, job, rollout }),
		);
		for (const text of texts) expect(text).not.toMatch(/undefined|null|\(<>\)|(?<!`)``(?!`)/);
	});

	test('of the repository alone leaves the commit without a link', () => {
		expect(rowOf(summaryOf(fullReport({ repository: undefined })), 'Commit')?.[1]).toBe('`aaaaaaa`');
	});
});

describe('a heading', () => {
	test.each<[Partial<RunReport>, string]>([
		[{ jobDetached: true, steps: [{ step: 'train', outcome: 'done', took: 1 }] }, '## ✅ Azure ML: job submitted'],
		[{ steps: [{ step: 'delete endpoint', outcome: 'done', took: 1 }] }, '## ✅ Azure ML: endpoint deleted'],
		[
			{
				failure: new Error('x'),
				steps: [
					{ step: 'train', outcome: 'done', took: 1 },
					{ step: 'deploy', outcome: 'failed', took: 1 },
				],
			},
			'## ❌ Azure ML: deploy failed',
		],
		[{ failure: new Error('x') }, '## ❌ Azure ML: failed'],
	])('%#', (part, heading) => {
		expect(summaryOf({ ...newReport(runContext()), ...part }).split('\n')[0]).toBe(heading);
	});
});

describe('numbers', () => {
	test.each([
		[Number.NaN, 'NaN'],
		[Number.NEGATIVE_INFINITY, '-Infinity'],
		[0, '0'],
		[12_345_678, '12345678'],
		[0.000_012_345_678, '0.0000123457'],
		[1 / 3, '0.333333'],
	])('%d is shown as %s', (value, text) => {
		expect(rowOf(summaryOf({ ...fullReport(), metrics: { m: value } }), '`m`')?.[1]).toBe(text);
	});

	test('of many metrics are shown for sixty of them', () => {
		const metrics = Object.fromEntries(Array.from({ length: 75 }, (_, n) => [`m${n}`, n]));
		const summary = summaryOf({ ...fullReport(), metrics });
		expect(summary.match(/^\| `m\d+` \|/gm)).toHaveLength(60);
		expect(summary).toContain('15 more metrics are in the output `metrics`.');
	});

	test('of a long history are thinned, first and last kept', () => {
		const points = Array.from({ length: 5000 }, (_, step) => ({ step, value: step, timestamp: step }));
		const line = /line \[(.*)\]/.exec(summaryOf({ ...fullReport(), history: new Map([['m', points]]) }))?.[1];
		const drawn = line?.split(', ').map(Number) ?? [];
		expect(drawn.length).toBeLessThanOrEqual(42);
		expect([drawn[0], drawn.at(-1)]).toEqual([0, 4999]);
	});

	test('that are not numbers are not drawn', () => {
		const points = [1, Number.NaN, Number.POSITIVE_INFINITY, 1e21, -1e-9].map((value, step) => ({
			step,
			value,
			timestamp: 0,
		}));
		const summary = summaryOf({ ...fullReport(), history: new Map([['m', points]]) });
		expect(summary).toMatch(/line \[1, [\d, ]*, 1000000000000000000000, -0\.000000001\]/);
		const none = points.slice(1, 3).concat(points.slice(1, 3));
		expect(summaryOf({ ...fullReport(), history: new Map([['m', none]]) })).not.toContain('xychart');
	});
});

describe('a failure', () => {
	const failed = (failure: Error, more: Partial<RunReport> = {}): string =>
		summaryOf({ ...newReport(runContext()), failure, ...more });

	test('says what, why and what to do', () => {
		const text = failed(
			new ServiceError({ what: 'Could not x.', why: 'Because.', next: 'Set `a_b`.' }, { status: 400 }),
		);
		expect(text).toBe('## ❌ Azure ML: failed\n\n**Could not x.**\n\nBecause.\n\n➡️ Set `a_b`.\n');
	});

	test('of the inputs lists each fault', () => {
		const text = failed(new InputError([{ message: 'wait: expected `true`.' }, { message: 'set: no <b>.' }]));
		expect(text).toContain('**2 inputs are wrong.**');
		expect(text).toContain('\n- wait&#58; expected `true`.\n- set&#58; no &lt;b&gt;.\n');
	});

	test('of files names file and line of each fault', () => {
		const faults = [
			{ message: 'Unknown key.', where: { file: 'job.yml', line: 3 } },
			{ message: 'No name.', where: { file: 'endpoint.yml', line: 1 } },
		];
		const text = failed(new FileError('job.yml', faults));
		expect(text).toContain('- `job.yml:3` Unknown key.\n- `endpoint.yml:1` No name.');
	});

	test('of the job shows the end of its log', () => {
		const lastLines = Array.from({ length: 60 }, (_, n) => `line ${n}`);
		const text = failed(new JobError({ what: 'Failed.' }, 'Failed', lastLines), { lastLines });
		expect(text).toContain('<details open><summary>Last lines of the log</summary>\n\n```text\nline 20\n');
		expect(text).not.toContain('line 19\n');
	});

	test('of the rollout shows the log of the container', () => {
		const text = failed(new RolloutError({ what: 'Failed.' }, { rolledBack: true, containerLog: 'no\nmodule `x`' }));
		expect(text).toContain('<summary>Container log</summary>\n\n```text\nno\nmodule `x`\n```');
	});

	test('leaves what was made before it in view', () => {
		const text = summaryOf({ ...fullReport(), failure: new Error('late') });
		expect(text).toMatch(/<details open><summary>Made in the workspace<\/summary>[\s\S]*`c-1:1`/);
		expect(text).toContain(JOB.name);
	});
});

describe('gates', () => {
	const gate = { gate: 'acc|uracy >= 0.9', metric: 'acc|uracy', value: 0.95123456, needed: '>= 0.9', passed: true };
	const missed = {
		gate: 'auc >= champion',
		metric: 'auc',
		value: undefined,
		needed: '>= champion',
		passed: false,
		why: 'It has <b>.',
	};
	const step = { step: 'gate', outcome: 'done', took: 1 } as const;

	test('are a table of what was needed and what was there, in summary and comment', () => {
		const report = { ...fullReport(), gates: [gate, missed] };
		for (const text of [summaryOf(report), commentOf(report, MARKER)]) {
			const [head, , first, second] = text.slice(text.indexOf('### Gates')).split('\n').slice(2);
			expect(head).toBe('| Gate | Value | Needed | Verdict |');
			expect(first).toMatch(/\| 0\.951235 \| &gt;= 0\.9 \| ✅ passed \|$/);
			expect(second).toBe('| `auc >= champion` | missing | &gt;= champion | ❌ failed: It has &lt;b&gt;. |');
		}
	});

	test('that passed are in the heading', () => {
		const [heading] = summaryOf({ ...newReport(runContext()), steps: [step], gates: [gate] }).split('\n');
		expect(heading).toBe('## ✅ Azure ML: gates passed');
	});

	test('that did not pass are too, though the run is green', () => {
		const [heading] = summaryOf({ ...newReport(runContext()), steps: [step], gates: [gate, missed] }).split('\n');
		expect(heading).toBe('## ✅ Azure ML: gates not passed, so nothing registered or deployed');
	});
});

describe('a shared model', () => {
	const id = 'azureml://registries/shared/models/iris/versions/7';

	test.each([
		[false, `registered. Shared to the registry as \`${id}\`.`],
		[true, `registered. The registry has it already as \`${id}\`.`],
	])('is named by its id there (there before: %s)', (reused, text) => {
		expect(summaryOf({ ...fullReport(), shared: { registry: 'shared', id, reused } })).toContain(text);
	});
});

describe('the comment', () => {
	test('begins with its marker, and ends with run and commit', () => {
		const comment = commentOf(fullReport({ headSha: 'b'.repeat(40) }), MARKER);
		expect(comment.startsWith(`${MARKER}\n\n## ✅`)).toBe(true);
		expect(comment).toMatch(/<sub>\[workflow run\]\(<https:\/\/github\.com\/.*>\) · commit `bbbbbbb`<\/sub>\n$/);
	});

	test('shows neither log nor chart', () => {
		const comment = commentOf(
			{ ...fullReport(), failure: new JobError({ what: 'x' }, 'Failed', ['secret line']) },
			MARKER,
		);
		expect(comment).not.toMatch(/mermaid|secret line/);
	});
});

describe('text from outside', () => {
	const EVIL = [
		'<img src=https://evil.example/x.png>',
		'![x](https://evil.example/x.png)',
		'[x](javascript:alert(1))',
		'\n\n# Forged\n\n',
		'a|b\\|c',
		'``` \n```',
		'</details>',
		'<!-- azure-ml-action: other -->',
		'https://evil.example',
		'www.evil.example',
		'@octocat',
	];
	const evil = fc
		.array(fc.constantFrom(...EVIL, ' ', 'x', '`', '\\', '\n'), { maxLength: 6 })
		.map((parts) => `e${parts.join('')}`);

	/** The Markdown with all code and all escapes taken out: what is left is read as markup. */
	function markupOf(markdown: string): string {
		return markdown
			.replace(/^(`{3,})\w+\n[\s\S]*?\n\1$/gm, 'BLOCK')
			.replace(/\\[!-/:-@[-`{-~]|(`+)(?!`)(?:.*?[^`])\1(?!`)|`+/g, (_, fence) => (fence === undefined ? 'x' : 'CODE'));
	}

	test('is shown, and does nothing, wherever it comes from', () => {
		fc.assert(
			fc.property(evil, (text) => {
				const report: RunReport = {
					...fullReport({ branch: text }),
					jobFile: text,
					job: {
						...JOB,
						name: text,
						status: text,
						experimentName: text,
						computeId: `/x/${text.replaceAll('/', '')}`,
						studioUrl: `https://evil.example/${text}`,
					},
					metrics: { [text]: 1 },
					history: new Map([[text, [1, 2, 3].map((value, step) => ({ step, value, timestamp: 0 }))]]),
					model: { ...MODEL, assetId: text, type: text },
					rollout: {
						...ROLLOUT,
						endpointName: text,
						deploymentName: text,
						scoringUri: text,
						traffic: { [text]: 100 },
						smokeAnswer: text,
						consoleUrl: 'https://evil.example',
					},
					assets: [{ kind: text, name: text, id: text, reused: false }],
					notes: [text],
					lastLines: [text],
					failure: new RolloutError({ what: text, why: text, next: text }, { rolledBack: false, containerLog: text }),
				};
				for (const markdown of [summaryOf(report), commentOf(report, MARKER)]) {
					const markup = markupOf(markdown).replace(MARKER, '');
					expect(markup).not.toMatch(/<(?!\/?(details|summary|sub|code)\b|https:\/\/github\.com\/)/);
					expect(markup.match(/<\/details>/g)?.length).toBe(markup.match(/<details/g)?.length);
					expect(markup).not.toMatch(/!\[|\]\((?!<https:\/\/github\.com\/)/);
					expect(markup).not.toMatch(/https?:\/\/(?!github\.com\/)|www\./);
					expect(markup).not.toMatch(/^# /m);
					// Each row of each table has as many cells as its head.
					for (const table of markup.match(/(?:^\|.*\|\n?)+/gm) ?? []) {
						const widths = table
							.trim()
							.split('\n')
							.map((row) => row.split('|').length);
						expect(new Set(widths).size).toBe(1);
					}
				}
			}),
			{ seed: 11, numRuns: 150 },
		);
	});
});
