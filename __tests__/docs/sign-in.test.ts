// The commands of the sign-in guide, run in one shell with stand-ins for `az` and `gh` that write down what they are asked.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readPage } from '../../scripts/markdown-page.ts';

const GUIDE = join(import.meta.dirname, '../../docs/sign-in.md');
const bin = mkdtempSync(join(tmpdir(), 'sign-in-'));
/** Prints what the real ones print of an id, and keeps every argument, zero-terminated, a call a line. */
const STAND_IN = [
	'#!/bin/bash',
	`[ -t 0 ] || input=$(timeout 1 cat)`,
	`printf '%s\\0' "$(basename "$0")" "$@" "\${input:-}" >> '${bin}/calls'`,
	`printf '\\n' >> '${bin}/calls'`,
	`case "$*" in *"--query appId"*) echo the-client ;; *"--query id"*) echo the-object ;; *tenantId*) echo the-tenant ;; esac`,
	'',
].join('\n');

let calls: string[][];

beforeAll(() => {
	for (const name of ['az', 'gh']) {
		writeFileSync(join(bin, name), STAND_IN);
		chmodSync(join(bin, name), 0o755);
	}
	const shown = readPage(readFileSync(GUIDE, 'utf8')).blocks.filter(({ language }) => language === 'sh');
	const script = shown
		.map(({ text }) => text)
		.join('\n')
		.replace(/<(subscription id|resource group|workspace)>/g, (_, name: string) => `the-${name.replace(' ', '-')}`);
	const env = { PATH: `${bin}:${process.env['PATH']}` };
	const run = spawnSync('bash', ['-euo', 'pipefail', '-c', script], { env, encoding: 'utf8', input: '' });
	if (run.status !== 0) throw new Error(`The commands ended with ${run.status}: ${run.stderr}`);
	calls = readFileSync(join(bin, 'calls'), 'utf8')
		.split('\0\n')
		.filter((call) => call !== '')
		.map((call) => call.split('\0'));
});
afterAll(() => rmSync(bin, { recursive: true, force: true }));

const optionOf = (call: readonly string[], option: string): string => call[call.indexOf(option) + 1] ?? '';
const callsOf = (...words: readonly string[]): string[][] =>
	calls.filter((call) => words.every((word, place) => call[place] === word));

describe('the commands of the sign-in guide', () => {
	test('give the new application a role on the workspace, and nothing more', () => {
		const assigned = callsOf('az', 'role', 'assignment', 'create');
		expect(assigned.map((call) => ['--assignee', '--role', '--scope'].map((option) => optionOf(call, option)))).toEqual(
			[
				[
					'the-client',
					'AzureML Data Scientist',
					'/subscriptions/the-subscription-id/resourceGroups/the-resource-group/providers/Microsoft.MachineLearningServices/workspaces/the-workspace',
				],
			],
		);
	});

	test('make a credential for each kind of job', () => {
		const made = callsOf('az', 'ad', 'app', 'federated-credential', 'create').map((call) => {
			expect(optionOf(call, '--id')).toBe('the-client');
			return JSON.parse(optionOf(call, '--parameters'));
		});
		expect(made.map(({ subject }) => subject)).toEqual([
			'repo:octo-org/octo-repo:ref:refs/heads/main',
			'repo:octo-org/octo-repo:pull_request',
			'repo:octo-org/octo-repo:environment:production',
		]);
		for (const { name, issuer, audiences } of made) {
			expect(name).toMatch(/^[A-Za-z0-9][\w-]{2,119}$/);
			expect([issuer, audiences]).toEqual([
				'https://token.actions.githubusercontent.com',
				['api://AzureADTokenExchange'],
			]);
		}
	});

	test('make a flexible one by Microsoft Graph', () => {
		const [call = []] = callsOf('az', 'rest');
		expect(optionOf(call, '--uri')).toContain('/applications/the-object/federatedIdentityCredentials');
		expect(JSON.parse(optionOf(call, '--body'))).toMatchObject({
			claimsMatchingExpression: {
				languageVersion: 1,
				value: "claims['sub'] matches 'repo:octo-org/octo-repo:ref:refs/heads/*'",
			},
		});
	});

	test('opt in to subjects with ids', () => {
		const [call = []] = callsOf('gh', 'api', '--method', 'PUT');
		expect(call[4]).toBe('repos/octo-org/octo-repo/actions/oidc/customization/sub');
		expect(JSON.parse(call.at(-1) ?? '')).toEqual({ use_default: true, use_immutable_subject: true });
	});

	test('set in the repository what the workflow of the guide reads', () => {
		const set = [...callsOf('gh', 'secret', 'set'), ...callsOf('gh', 'variable', 'set')];
		const named = set.map(([, kind, , name]) => `${kind === 'secret' ? 'secrets' : 'vars'}.${name}`);
		const read = [...readFileSync(GUIDE, 'utf8').matchAll(/\$\{\{ ((?:secrets|vars)\.\w+) \}\}/g)].map(
			([, name]) => name,
		);
		expect(named.sort()).toEqual([...new Set(read)].sort());
		expect(set.map((call) => optionOf(call, '--body'))).toContain('the-tenant');
	});
});
