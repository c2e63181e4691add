// The entry of the action as a process: what nobody has caught ends the step, and is told as safely as all else.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

test.each([
	['thrown', 'throw error;'],
	['rejected', 'Promise.reject(error);'],
])('an error that is %s where nobody catches it shows no secret and is no command', (_, fail) => {
	const folder = mkdtempSync(join(tmpdir(), 'index-'));
	try {
		const preload = join(folder, 'preload.mjs');
		const text = 'a ghs_the_token of https://a.example/b?x=1&sig=abcdef\n::set-output name=job-name::forged';
		writeFileSync(
			preload,
			`const error = new Error(${JSON.stringify(text)});
			process.on('newListener', (event) => {
				if (event === 'unhandledRejection') setImmediate(() => { ${fail} });
			});`,
		);
		const { stdout, stderr, status } = spawnSync(
			process.execPath,
			['--import', preload, join(import.meta.dirname, '..', 'src', 'index.ts')],
			{
				encoding: 'utf8',
				env: { 'INPUT_GITHUB-TOKEN': 'ghs_the_token', GITHUB_WORKSPACE: folder, RUNNER_TEMP: folder },
			},
		);
		expect(status).toBe(1);
		expect(stdout).toMatch(/^::error::a \*\*\* of .*sig=\*\*\*%0A::set-output/m);
		expect(stdout.split('\n').filter((line) => line.includes('ghs_the_token'))).toEqual(['::add-mask::ghs_the_token']);
		expect(stdout).not.toMatch(/^::set-output/m);
		expect(stderr).not.toMatch(/ghs_the_token|abcdef|::set-output/);
	} finally {
		rmSync(folder, { recursive: true });
	}
});
