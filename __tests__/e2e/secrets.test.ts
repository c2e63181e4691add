// No secret leaves the step: not in its log (debug lines included), its summary, its outputs, its state, or its comment,
// although the training itself and the services print them.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endpointFiles, jobFiles, printing, SCORE_42 } from './checkout.ts';
import { everySecret } from './every-secret.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { masksOf, withoutMasks } from './workflow-log.ts';

let site: Site;
let runs: Record<'oidc' | 'secret' | 'failing', ActionRun>;
let secrets: ReadonlyMap<string, string>;

/** A signed URL as services and libraries print them. */
const SIGNED =
	'https://account.blob.core.windows.net/c/b?sv=2022-11-02&se=2030-01-01&sr=b&sp=r&sig=Zm9yZ2VkL3NpZ25hdHVyZQ%3D%3D';

const DEPLOY = {
	'endpoint-file': 'endpoint.yml',
	'deployment-file': 'deployment.yml',
	'smoke-test-file': 'request.json',
	'smoke-test-expect': '{"answer": 42}',
};

beforeAll(async () => {
	site = await openSite();
	const { clientId, tenantId, clientSecret, github } = site.emulator;
	const principal = { 'client-id': clientId, 'tenant-id': tenantId, 'client-secret': clientSecret };
	// Code that holds the secret itself would not be uploaded; training may have it from elsewhere all the same.
	const spelled = `''.join(map(chr, ${JSON.stringify([...clientSecret].map((letter) => letter.charCodeAt(0)))}))`;
	const program = [
		'from urllib.parse import quote',
		`secret = ${spelled}`,
		"print('the secret is', secret, 'or, quoted,', quote(secret, safe=''))",
		`print('see ${SIGNED}')`,
	].join('\n');
	const files = { ...jobFiles(`${program}\n${printing(['trained'])}`), ...endpointFiles('secretive', SCORE_42) };
	const inputs = { 'job-file': 'job.yml', 'model-name': 'secretive', ...DEPLOY };
	const env = { RUNNER_DEBUG: '1' };
	const payload = {
		pull_request: { number: 7, head: { sha: 'f'.repeat(40), repo: { full_name: 'octo-org/octo-repo' } } },
	};
	const event = { name: 'pull_request', payload };
	const [oidc, secret, failing] = await Promise.all([
		site.run(inputs, { files, event, githubToken: github.token, env }),
		site.run({ 'job-file': 'job.yml' }, { files, signIn: principal, env: { ...env, GITHUB_RUN_ID: '2' } }),
		site.run(
			{ 'job-file': 'job.yml' },
			{
				files: jobFiles(`${program}\nraise SystemExit(secret + ' ${SIGNED}')`),
				signIn: principal,
				env: { ...env, GITHUB_RUN_ID: '3' },
			},
		),
	]);
	runs = { oidc, secret, failing };
	secrets = new Map([...(await everySecret(site.emulator)), ['Zm9yZ2VkL3NpZ25hdHVyZQ', 'signature of a signed URL']]);
});

afterAll(() => site?.close());

test('the runs did what they should, and had secrets of every kind', () => {
	expect([runs.oidc.code, runs.secret.code, runs.failing.code]).toEqual([0, 0, 1]);
	const kinds = new Set(secrets.values());
	for (const kind of ['arm token', 'ID token', 'SAS signature', 'endpoint key']) expect(kinds).toContain(kind);
	expect(runs.oidc.stdout).toContain('::debug::');
	for (const { stdout } of [runs.secret, runs.failing]) {
		expect(stdout).toMatch(/^the secret is \*\*\* or, quoted, \*\*\*$/m);
		expect(stdout).toMatch(/^see https:.*&sig=\*\*\*/m);
	}
	expect(runs.failing.summary).toContain('the secret is ***');
});

describe.each(['oidc', 'secret', 'failing'] as const)('of the run "%s"', (name) => {
	const places: [string, (run: ActionRun) => string][] = [
		['the log', ({ stdout }) => withoutMasks(stdout)],
		['the error stream', ({ stderr }) => stderr],
		['the summary', ({ summary, summaryMarkdown }) => summary + summaryMarkdown],
		['the outputs', ({ outputs }) => JSON.stringify(outputs)],
		['the state', ({ state }) => JSON.stringify(state)],
		['the log of the post step', ({ post }) => withoutMasks(post.stdout) + post.stderr],
	];
	test.each(places)('%s shows none', (_, textOf) => {
		const { clientSecret } = site.emulator;
		const text = textOf(runs[name]);
		// A run that was not given the client secret cannot know that the training must not print it.
		const known = [...secrets].filter(([secret]) => name !== 'oidc' || !secret.includes(clientSecret.slice(0, 8)));
		expect(known.filter(([secret]) => text.includes(secret)).map(([, kind]) => kind)).toEqual([]);
	});
});

test('the comment shows none', () => {
	const [comment, ...more] = site.emulator.gitHubStore.comments;
	expect(more).toEqual([]);
	const text = String(comment?.['body']);
	expect(text).toContain('secretive');
	expect([...secrets].filter(([secret]) => text.includes(secret)).map(([, kind]) => kind)).toEqual([]);
});

test('the runner is told each secret, so that it masks it in later steps too', () => {
	const { clientSecret } = site.emulator;
	expect(masksOf(runs.secret.stdout)).toContain(clientSecret);
	for (const kind of ['arm token', 'endpoint key']) {
		const tokens = [...secrets].filter(([, one]) => one === kind).map(([token]) => token);
		const masked = new Set(Object.values(runs).flatMap(({ stdout, post }) => masksOf(stdout + post.stdout)));
		// The test's own client has tokens and asks with the key, too.
		expect(tokens.some((token) => masked.has(token))).toBe(true);
	}
});
