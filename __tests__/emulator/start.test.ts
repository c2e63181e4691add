import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const START = join(import.meta.dirname, '..', '..', 'emulator', 'start.ts');

test('the program writes what a client needs, whole, once it is up', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'emulator-start-'));
	const file = join(folder, 'client.env');
	const appeared = new Promise<void>((resolve) => {
		const watcher = watch(folder, (_event, name) => {
			if (name !== 'client.env') return;
			watcher.close();
			resolve();
		});
	});
	// The two dashes keep node from taking the option for its own.
	const child = spawn(process.execPath, ['--', START, '--data', join(folder, 'data'), '--env-file', file], {
		stdio: 'ignore',
	});
	try {
		await Promise.race([appeared, once(child, 'exit').then(() => Promise.reject(new Error('it ended')))]);
		const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
		const variables = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
		expect(Object.keys(variables)).toEqual([
			'client-id',
			'tenant-id',
			'subscription-id',
			'resource-group',
			'workspace',
			'cloud',
			'client-secret',
			'github-token',
			'NODE_EXTRA_CA_CERTS',
			'ACTIONS_ID_TOKEN_REQUEST_URL',
			'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
			'GITHUB_API_URL',
		]);
		const cloud = JSON.parse(readFileSync(variables['cloud'] ?? '', 'utf8'));
		const answer = await fetch(`${cloud.endpoints.resourceManager}/discovery`, { headers: { Connection: 'close' } });
		expect(answer.status).toBe(200);
		await answer.text();
	} finally {
		const ended = once(child, 'exit');
		if (child.exitCode === null && child.kill('SIGTERM')) await ended;
		rmSync(folder, { recursive: true, force: true });
	}
});
