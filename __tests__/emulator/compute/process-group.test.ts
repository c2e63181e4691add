import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { startGroup } from '../../../emulator/compute/process-group.ts';

const MODULE = new URL('../../../emulator/compute/process-group.ts', import.meta.url).href;

async function gone(pid: number): Promise<void> {
	for (;;) {
		const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
		if (/\) [ZX]/.test(status)) return;
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

describe('a process group', () => {
	test('dies with its starter, even when that one is killed', async () => {
		const script = `
			import { startGroup } from ${JSON.stringify(MODULE)};
			const start = { file: '/bin/sh', args: ['-c', 'sleep 60 & echo $!; wait'], cwd: '/', environment: process.env };
			startGroup({ ...start, onOutput: (bytes) => process.stdout.write(bytes) });`;
		const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		const [bytes] = (await once(starter.stdout, 'data')) as [Buffer];
		const sleeper = Number(bytes.toString('utf8'));
		expect(sleeper).toBeGreaterThan(1);
		starter.kill('SIGKILL');
		await gone(sleeper);
	});

	test('takes what its leader left behind', async () => {
		let text = '';
		const group = startGroup({
			file: '/bin/sh',
			args: ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!'],
			cwd: '/',
			environment: { PATH: '/usr/bin:/bin' },
			onOutput: (bytes) => {
				text += bytes.toString('utf8');
			},
		});
		expect(await group.ended).toEqual({ code: 0, signal: null });
		await gone(Number(text));
	});

	test('tells that a folder to start in is missing', async () => {
		const start = { file: '/bin/true', args: [], cwd: '/no/such/folder', environment: {}, onOutput: () => {} };
		await expect(startGroup(start).ended).rejects.toThrow('ENOENT');
	});
});
