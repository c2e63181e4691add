// `node scripts/soak.ts [count] [first seed]`: lives through so many virtual days of a job, on every core; see
// __tests__/faults/soak.ts. Seeds that fail are printed, to be kept in __tests__/faults/seeds.ts.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SoakResult } from '../__tests__/faults/soak.ts';

const SOAK = new URL('../__tests__/faults/soak.ts', import.meta.url).href;
const PROGRAM = `
import { parentPort, workerData } from 'node:worker_threads';
const { soakAll } = await import(workerData.soak);
parentPort.postMessage(await soakAll(workerData.seeds));
`;

function soakApart(seeds: readonly number[]): Promise<SoakResult> {
	return new Promise((resolve, reject) => {
		const program = new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`);
		new Worker(program, { workerData: { soak: SOAK, seeds } }).once('message', resolve).once('error', reject);
	});
}

async function main(count: number, first: number): Promise<void> {
	const started = performance.now();
	const cores = availableParallelism();
	const seeds = Array.from({ length: count }, (_, place) => first + place);
	const shares = Array.from({ length: cores }, (_, core) => seeds.filter((_seed, place) => place % cores === core));
	const results = await Promise.all(shares.map(soakApart));
	const failed = results.flatMap((result) => result.failed);
	const mishaps = results.reduce((sum, result) => sum + result.mishaps, 0);
	for (const { seed, broken } of failed) console.error(`seed ${seed}: ${broken.join('; ')}`);
	const took = ((performance.now() - started) / 1_000).toFixed(0);
	console.log(`${count} virtual days with ${mishaps} mishaps in ${took} s on ${cores} cores: ${failed.length} failed`);
	if (failed.length > 0) process.exitCode = 1;
}

const [count = '1000', first = '1'] = process.argv.slice(2);
await main(Number(count), Number(first));
