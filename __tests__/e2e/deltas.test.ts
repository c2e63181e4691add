// Metrics on a pull request, with their change against the base branch's last job of the same job file.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jobFiles } from './checkout.ts';
import { readable } from './markdown.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site, type SiteRequest } from './site.ts';

let site: Site;
let onMain: ActionRun;
let proposed: ActionRun;

/** A program that logs these values. */
function measuring(metrics: Readonly<Record<string, number>>): string {
	return [
		'import json, os, sys, urllib.request',
		"base, run = os.environ['MLFLOW_TRACKING_URI'], os.environ['MLFLOW_RUN_ID']",
		`for key, value in json.loads('${JSON.stringify(metrics)}').items():`,
		'    for step in range(3):',
		"        body = json.dumps({'run_id': run, 'key': key, 'value': value if step == 2 else value / 2, 'timestamp': step, 'step': step}).encode()",
		"        headers = {'content-type': 'application/json'}",
		"        urllib.request.urlopen(urllib.request.Request(base + '/api/2.0/mlflow/runs/log-metric', body, headers))",
		"open(sys.argv[1] + '/model.txt', 'w').write('42')",
	].join('\n');
}

const train = (runId: string, metrics: Record<string, number>, request: SiteRequest = {}): Promise<ActionRun> =>
	site.run(
		{ 'job-file': 'job.yml', 'model-name': 'compared' },
		{ files: jobFiles(measuring(metrics)), env: { GITHUB_RUN_ID: runId }, ...request },
	);

beforeAll(async () => {
	site = await openSite();
	onMain = await train('600', { accuracy: 0.928, loss: 0.5 });
	site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:pull_request', event: 'pull_request' });
	proposed = await train(
		'601',
		{ accuracy: 0.94, loss: 0.5, added: 3 },
		{
			githubToken: site.emulator.github.token,
			event: {
				name: 'pull_request',
				ref: 'refs/pull/7/merge',
				payload: { pull_request: { number: 7, base: { ref: 'main' }, head: { sha: 'c'.repeat(40) } } },
			},
		},
	);
});

afterAll(() => site?.close());

test('the first run has nothing to compare with', () => {
	expect(onMain.code).toBe(0);
	expect(onMain.summary).not.toContain(' vs ');
});

test('a pull request shows the change of each metric, in the summary and in the comment', () => {
	expect(proposed.code).toBe(0);
	const comment = readable(String(site.emulator.gitHubStore.comments.at(-1)?.body));
	for (const text of [proposed.summary, comment]) {
		expect(text).toMatch(/`accuracy` \| 0\.94 \(\\?\+0\.012 vs main, \+0\.012 vs compared:1\)/);
		expect(text).toMatch(/`loss` \| 0\.5 \(±0 vs main, ±0 vs compared:1\)/);
		expect(text).toMatch(/`added` \| 3 \|/);
	}
	expect(comment.split('\n')[2]).toMatch(/^## ✅ Azure ML: trained/);
});

test("a pull request draws the base branch's job beside its own", () => {
	expect(onMain.summaryMarkdown).not.toContain('🟠');
	expect(proposed.summaryMarkdown).toMatch(/🔵 this job · 🟠 `main` \(job `[\w-]+`\)/);
	const [chart = ''] = /```mermaid[\s\S]*?title "accuracy"[\s\S]*?```/.exec(proposed.summaryMarkdown) ?? [];
	expect(chart).toContain('  line [0.464, 0.464, 0.928]\n  line [0.47, 0.47, 0.94]');
});

test('the output has the plain values', () => {
	expect(JSON.parse(proposed.outputs['metrics'] ?? '')).toEqual({ accuracy: 0.94, added: 3, loss: 0.5 });
});
