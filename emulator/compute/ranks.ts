// The processes of a distributed job: how many there are, what each is told of the others, and where it logs.

import { createServer } from 'node:net';
import type { Distribution } from '../execution.ts';

/** One process of a job. */
export interface Rank {
	/** Path of what it prints. */
	log: string;
	/** What it is told of itself and the others. */
	environment: Record<string, string>;
}

const HOST = '127.0.0.1';

/** The processes of a job, the first one first; a job that is not distributed has one. */
export async function ranksOf(distribution: Distribution | undefined): Promise<Rank[]> {
	if (distribution === undefined) return [{ log: 'user_logs/std_log.txt', environment: {} }];
	const { type, instances, processesPerInstance, workers, parameterServers } = distribution;
	if (type === 'TensorFlow') return tensorFlow(workers, parameterServers);
	const [port = 0] = await freePorts(1);
	return Array.from({ length: instances * processesPerInstance }, (_, rank) => ({
		log: `user_logs/std_log_process_${twoDigits(rank)}.txt`,
		environment: (type === 'PyTorch' ? pyTorch : openMpi)(rank, distribution, port),
	}));
}

/** As the guide to distributed training names them. */
function pyTorch(
	rank: number,
	{ instances, processesPerInstance }: Distribution,
	port: number,
): Record<string, string> {
	return {
		MASTER_ADDR: HOST,
		MASTER_PORT: String(port),
		WORLD_SIZE: String(instances * processesPerInstance),
		NODE_RANK: String(Math.floor(rank / processesPerInstance)),
		RANK: String(rank),
		LOCAL_RANK: String(rank % processesPerInstance),
	};
}

/** Those of Open MPI that the guide names. No `mpirun` is started: what a program asks of MPI itself is not there. */
function openMpi(
	rank: number,
	{ instances, processesPerInstance }: Distribution,
	port: number,
): Record<string, string> {
	return {
		OMPI_COMM_WORLD_RANK: String(rank),
		OMPI_COMM_WORLD_SIZE: String(instances * processesPerInstance),
		OMPI_COMM_WORLD_LOCAL_RANK: String(rank % processesPerInstance),
		OMPI_COMM_WORLD_LOCAL_SIZE: String(processesPerInstance),
		AZ_BATCH_MASTER_NODE: `${HOST}:${port}`,
	};
}

async function tensorFlow(workers: number, parameterServers: number): Promise<Rank[]> {
	const addresses = (await freePorts(workers + parameterServers)).map((port) => `${HOST}:${port}`);
	const cluster = {
		worker: addresses.slice(0, workers),
		...(parameterServers === 0 ? {} : { ps: addresses.slice(workers) }),
	};
	const rank = (type: string, index: number): Rank => ({
		log: `user_logs/std_log_node_${twoDigits(index)}_${type}.txt`,
		environment: { TF_CONFIG: JSON.stringify({ cluster, task: { type, index }, environment: 'cloud' }) },
	});
	return [
		...Array.from({ length: workers }, (_, index) => rank('worker', index)),
		...Array.from({ length: parameterServers }, (_, index) => rank('ps', index)),
	];
}

/** As in the tests of Microsoft's client; elsewhere one digit is seen, so that the width is not to be relied on. */
function twoDigits(number: number): string {
	return String(number).padStart(2, '0');
}

/** Ports that nobody listens on now. The processes are told of them before any listens, as they are on a cluster. */
async function freePorts(count: number): Promise<number[]> {
	const servers = await Promise.all(Array.from({ length: count }, listening));
	const ports = servers.map((server) => {
		const address = server.address();
		return typeof address === 'object' && address !== null ? address.port : 0;
	});
	await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
	return ports;
}

function listening(): Promise<ReturnType<typeof createServer>> {
	const server = createServer();
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(0, HOST, () => resolve(server));
	});
}
