import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, test } from '@jest/globals';
import { startEmulator } from '../../emulator/emulator.ts';
import { at, Client } from './client.ts';
import { command, node, putPipeline } from './jobs/pipeline-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'emulator-restart-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SCORE = 'def init():\n    pass\ndef run(data):\n    return {"alive": True}\n';

async function deploy(client: Client): Promise<void> {
	const endpoint = { location: 'eastus', properties: { authMode: 'Key', traffic: {} as Record<string, number> } };
	await client.operation(await client.arm('PUT', '/onlineEndpoints/kept', endpoint));
	const codeId = await client.code('scoring', { 'score.py': SCORE });
	const put = await client.arm('PUT', '/onlineEndpoints/kept/deployments/blue', {
		location: 'eastus',
		sku: { name: 'Default', capacity: 1 },
		properties: {
			endpointComputeType: 'Managed',
			instanceType: 'Standard_DS3_v2',
			environmentId: `${client.workspace}/environments/python-stdlib/versions/1`,
			codeConfiguration: { codeId, scoringScript: 'score.py' },
		},
	});
	expect((await client.operation(put)).body['status']).toBe('Succeeded');
	endpoint.properties.traffic = { blue: 100 };
	await client.operation(await client.arm('PUT', '/onlineEndpoints/kept', endpoint));
}

describe('a second start with the same folder', () => {
	test('finds jobs, blobs, code and deployments again, and fails what was running', async () => {
		const first = await startEmulator({ dataFolder: folder, jobStateDelayMs: 5 });
		const before = await Client.signIn(first);
		const codeId = await before.code('train', { 'a.sh': 'echo kept\n' });
		await before.job('done', 'sh a.sh', { codeId, experimentName: 'digits' });
		expect(await before.ended('done')).toBe('Completed');
		await deploy(before);
		await before.job('alive', 'sleep 60');
		const wait = await command(before, 'sleep 60');
		await putPipeline(before, 'piped', { wait: node(wait) });
		const isRunning = (runId: string) => first.runs().find((run) => run.runId === runId)?.status === 'Running';
		const step = () => first.runs().find((run) => run.parentRunId === 'piped')?.runId ?? '';
		while (![isRunning('alive'), isRunning('piped'), isRunning(step())].every(Boolean)) await pause(20);
		// A crash leaves the file as it was while the job ran.
		await pause(100);
		const state = join(folder, 'state.json');
		const crashed = join(folder, 'crashed', 'state.json');
		mkdirSync(dirname(crashed));
		copyFileSync(state, crashed);
		await first.stop();
		copyFileSync(crashed, state);

		const second = await startEmulator({ dataFolder: folder, jobStateDelayMs: 5 });
		try {
			const client = await Client.signIn(second);
			const job = await client.arm('GET', '/jobs/done');
			expect(at(job.body, 'properties', 'status')).toBe('Completed');
			expect(at(job.body, 'properties', 'services', 'Studio', 'endpoint')).toContain(second.arm);
			const details = await client.data('GET', 'history/v1.0', '/runs/done/details');
			const log = await fetch(String(at(details.body, 'logFiles', 'user_logs/std_log.txt')), {
				headers: { Connection: 'close' },
			});
			expect(await log.text()).toBe('kept\n');
			await client.job('again', 'sh a.sh', { codeId: `${client.workspace}/codes/train/versions/1` });
			expect(await client.ended('again')).toBe('Completed');
			const lostRuns = second.runs().filter((run) => run.runId === 'alive' || run.rootRunId === 'piped');
			expect(lostRuns.map((run) => run.status)).toEqual(['Failed', 'Failed', 'Failed']);
			const lost = await client.data('GET', 'history/v1.0', '/runs/alive/details');
			expect(at(lost.body, 'error', 'error', 'message')).toContain('stopped while the job was running');
			const { body: keys } = await client.arm('POST', '/onlineEndpoints/kept/listKeys');
			const score = await client.send(
				'POST',
				`${second.arm}/online/kept/score`,
				{},
				{
					Authorization: `Bearer ${keys['primaryKey']}`,
				},
			);
			expect([score.status, score.body]).toEqual([200, { alive: true }]);
		} finally {
			await second.stop();
		}
	});

	test('left no storage process behind', () => {
		expect(isAnyProcess(`--location ${join(folder, 'storage')}`)).toBe(false);
	});
});

describe('npm run emulator', () => {
	test('says how to point the action at it, and takes its storage along when it is killed', async () => {
		const data = join(folder, 'started');
		const script = new URL('../../emulator/start.ts', import.meta.url).pathname;
		const child = spawn(process.execPath, [script, '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
		let said = '';
		for await (const part of child.stdout) {
			said += String(part);
			if (said.includes('Ctrl-C')) break;
		}
		for (const name of [
			'client-id',
			'tenant-id',
			'subscription-id',
			'resource-group',
			'workspace',
			'NODE_EXTRA_CA_CERTS',
		]) {
			expect(said).toContain(name);
		}
		expect(JSON.parse(readFileSync(join(data, 'cloud.json'), 'utf8'))).toMatchObject({ name: 'EmulatedCloud' });
		child.kill('SIGKILL');
		const mark = `--location ${join(data, 'storage')}`;
		while (isAnyProcess(mark)) await pause(50);
		expect(existsSync(data)).toBe(true);
	});
});

/** Whether a process runs with this in its command line. Read from /proc: a small machine has no `ps`. */
function isAnyProcess(mark: string): boolean {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.some((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(mark);
			} catch {
				// It ended between the listing and the reading.
				return false;
			}
		});
}
