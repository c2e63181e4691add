import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startCommandJob } from '../../../emulator/compute/command-job.ts';
import { ranksOf } from '../../../emulator/compute/ranks.ts';
import type { Distribution } from '../../../emulator/execution.ts';
import { distributionOf } from '../../../emulator/jobs/distribution.ts';
import { commandRun, FolderSite } from './site.ts';

const SIX: Distribution = {
	type: 'PyTorch',
	instances: 2,
	processesPerInstance: 3,
	workers: 2,
	parameterServers: 1,
};

describe('the processes', () => {
	test('of a job that is not distributed are one, without a place', async () => {
		expect(await ranksOf(undefined)).toEqual([{ log: 'user_logs/std_log.txt', environment: {} }]);
	});

	test('of PyTorch know their rank, their node and the first of them', async () => {
		const ranks = await ranksOf(SIX);
		expect(ranks.map(({ log }) => log)).toEqual([0, 1, 2, 3, 4, 5].map((n) => `user_logs/std_log_process_0${n}.txt`));
		const places = ranks.map(
			({ environment: { RANK, NODE_RANK, LOCAL_RANK } }) => `${RANK} ${NODE_RANK} ${LOCAL_RANK}`,
		);
		expect(places).toEqual(['0 0 0', '1 0 1', '2 0 2', '3 1 0', '4 1 1', '5 1 2']);
		const ports = new Set(ranks.map(({ environment }) => environment['MASTER_PORT']));
		expect(ports.size).toBe(1);
		expect(ranks[4]?.environment).toMatchObject({ MASTER_ADDR: '127.0.0.1', WORLD_SIZE: '6' });
	});

	test('of MPI have the variables of Open MPI', async () => {
		const ranks = await ranksOf({ ...SIX, type: 'Mpi' });
		expect(ranks).toHaveLength(6);
		expect(ranks[4]).toEqual({
			log: 'user_logs/std_log_process_04.txt',
			environment: {
				OMPI_COMM_WORLD_RANK: '4',
				OMPI_COMM_WORLD_SIZE: '6',
				OMPI_COMM_WORLD_LOCAL_RANK: '1',
				OMPI_COMM_WORLD_LOCAL_SIZE: '3',
				AZ_BATCH_MASTER_NODE: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
			},
		});
	});

	test('of TensorFlow are workers and parameter servers, each with an address of its own that is free', async () => {
		const ranks = await ranksOf({ ...SIX, type: 'TensorFlow' });
		expect(ranks.map(({ log }) => log)).toEqual([
			'user_logs/std_log_node_00_worker.txt',
			'user_logs/std_log_node_01_worker.txt',
			'user_logs/std_log_node_00_ps.txt',
		]);
		const configs = ranks.map(({ environment }) => JSON.parse(environment['TF_CONFIG'] ?? ''));
		expect(configs.map(({ task }) => task)).toEqual([
			{ type: 'worker', index: 0 },
			{ type: 'worker', index: 1 },
			{ type: 'ps', index: 0 },
		]);
		const [{ cluster, environment }] = configs;
		expect(environment).toBe('cloud');
		const addresses = [...cluster.worker, ...cluster.ps];
		expect(new Set(addresses).size).toBe(3);
		for (const address of addresses) {
			const server = createServer().listen(Number(address.split(':')[1]), '127.0.0.1');
			await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
			server.close();
		}
	});
});

describe('a body says', () => {
	test.each<[string, unknown, unknown, Partial<Distribution> | undefined]>([
		['nothing', null, { instanceCount: 2 }, undefined],
		['a kind that is not emulated', { distributionType: 'Ray' }, {}, undefined],
		[
			'camel case',
			{ distributionType: 'Mpi', processCountPerInstance: 2 },
			{ instanceCount: 3 },
			{ instances: 3, processesPerInstance: 2 },
		],
		[
			'the case of a step',
			{ distribution_type: 'PyTorch', process_count_per_instance: 2 },
			{ instance_count: '2' },
			{ instances: 2 },
		],
		[
			'what a component says',
			{ type: 'pytorch', process_count_per_instance: '1' },
			null,
			{ type: 'PyTorch', instances: 1 },
		],
		[
			'TensorFlow with the default of workers',
			{ distributionType: 'TensorFlow', parameterServerCount: 0, workerCount: null },
			{ instanceCount: 4 },
			{ workers: 4, parameterServers: 0 },
		],
	])('%s', (_, distribution, resources, expected) => {
		const read = distributionOf(distribution, resources);
		if (expected === undefined) expect(read).toBeUndefined();
		else expect(read).toMatchObject(expected);
	});
});

describe('a distributed job', () => {
	async function run(command: string, timeout?: string) {
		const site = new FolderSite(await mkdtemp(join(tmpdir(), 'site-')));
		await startCommandJob(commandRun(command, { distribution: SIX, ...(timeout && { timeout }) }), site).done;
		await rm(site.root, { recursive: true, force: true });
		return site;
	}

	test('runs every process, each with its own log', async () => {
		const site = await run('echo "$RANK of $WORLD_SIZE"');
		expect(site.states.at(-1)).toBe('Completed');
		for (let rank = 0; rank < 6; rank += 1)
			expect(site.log(`user_logs/std_log_process_0${rank}.txt`)).toBe(`${rank} of 6\n`);
		expect(site.log()).toBe('');
	});

	test('fails with the first process that does, and stops the others', async () => {
		const site = await run('if [ "$RANK" = 4 ]; then echo broken; exit 7; fi; sleep 60');
		expect(site.states.at(-1)).toBe('Failed');
		expect(site.error).toMatchObject({ code: 'UserError', exitCode: 7 });
		expect(site.error?.message).toContain("log file 'user_logs/std_log_process_04.txt'");
		expect(site.error?.message).toContain('broken');
	});

	test('reaches its limit as a whole', async () => {
		const site = await run('sleep 60', 'PT0.5S');
		expect(site.states.at(-1)).toBe('Canceled');
	});
});
