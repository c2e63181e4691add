// `node scripts/soak.ts [count] [first seed]`: lives through so many virtual days of a job, on every core; see
// __tests__/faults/soak.ts. Seeds that fail are printed, to be kept in __tests__/faults/seeds.ts.
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SoakResult } from '../__tests__/faults/soak.ts';

const SOAK = new URL('../__tests__/faults/soak.ts', import.meta.url).href;
/** Seeds that are handed out at once. */
const PORTION = 20;
const PROGRAM = `
import { parentPort, workerData } from 'node:worker_threads';
const { soakAll } = await import(workerData);
parentPort.on('message', async (seeds) => parentPort.postMessage(await soakAll(seeds)));
`;

/** Has one worker live through portions until there are none left. */
async function work(portions: number[][], onResult: (seeds: number, result: SoakResult) => void): Promise<void> {
	const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`), { workerData: SOAK });
	for (let seeds = portions.shift(); seeds !== undefined; seeds = portions.shift()) {
		worker.postMessage(seeds);
		// Rejects when the worker fails.
		const [result] = (await once(worker, 'message')) as [SoakResult];
		onResult(seeds.length, result);
	}
	await worker.terminate();
}

async function main(count: number, first: number): Promise<void> {
	const started = performance.now();
	const cores = availableParallelism();
	const portions = Array.from({ length: Math.ceil(count / PORTION) }, (_, place) =>
		Array.from({ length: Math.min(PORTION, count - place * PORTION) }, (_seed, more) => first + place * PORTION + more),
	);
	let [days, mishaps, failed] = [0, 0, 0];
	const told = (): string =>
		`${days} virtual days with ${mishaps} mishaps in ${((performance.now() - started) / 1_000).toFixed(0)} s on ${cores} cores: ${failed} failed`;
	const onResult = (seeds: number, result: SoakResult): void => {
		for (const { seed, broken } of result.failed) console.error(`seed ${seed}: ${broken.join('; ')}`);
		days += seeds;
		mishaps += result.mishaps;
		failed += result.failed.length;
		if (days % (10 * PORTION) === 0 && days < count) console.log(told());
	};
	await Promise.all(Array.from({ length: cores }, () => work(portions, onResult)));
	console.log(told());
	if (failed > 0) process.exitCode = 1;
}

const [count = '1000', first = '1'] = process.argv.slice(2);
await main(Number(count), Number(first));
