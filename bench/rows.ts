// The rows of the table: what is measured, of whom, and what is aimed at.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { azureCli, type ClientPython, debianClients, newestClients } from '../scripts/client-environments.ts';
import { CHILDREN_COST } from './children-cost.ts';
import { ACTION, bare, type Contender, type Cost, run, sdk, signedInCli } from './contenders.ts';
import { actionHash, bareHash, sdkHash } from './hashing.ts';
import { LOG_COST } from './log-cost.ts';
import { logDelay } from './log-delay.ts';
import { LOG_THROUGHPUT } from './log-throughput.ts';
import { byTurns, median, medianRatio } from './measure.ts';
import { ROLLOUT_WAIT } from './rollout-wait.ts';
import { type BenchServer, type Seen, startServer } from './server.ts';

/** How much is measured. */
export interface Extent {
	readonly turns: number;
	readonly quick: boolean;
}

/** One line of the table. */
export interface Line {
	readonly row: string;
	readonly action: string;
	/** What the others took, each as so many times the action's. */
	readonly others: string;
	readonly goal: string;
	readonly met: boolean;
}

/** A row, by the name that chooses it on the command line. */
export interface Row {
	readonly name: string;
	measure(extent: Extent): Promise<Line[]>;
}

/** The wait before each answer, in milliseconds: a service in the same region. */
const LATENCY = 20;
const KB = 1000;
/** Files that the limit sends side by side. */
const WIDE = 64;
const MIB = 1024 * 1024;

const isArm = ({ path }: Seen): boolean => path.includes('/workspaces/');
const isJob = ({ method, path }: Seen): boolean => method === 'PUT' && path.includes('/jobs/');

/** All rows, in the order of the table. */
export const ROWS: readonly Row[] = [
	{ name: 'start', measure: start },
	{ name: 'submit', measure: (extent) => submission('submit', extent, { files: 20, size: KB }) },
	{ name: 'again', measure: again },
	{ name: 'upload-1000', measure: (extent) => submission('upload-1000', extent, { files: 1_000, size: 10 * KB }) },
	{ name: 'upload-1gib', measure: uploadLarge },
	{ name: 'hash-10000', measure: (extent) => hashing('hash-10000', extent, { files: 10_000, size: 10 * KB }) },
	{
		name: 'hash-1gib',
		measure: (extent) => hashing('hash-1gib', extent, { files: 1, size: extent.quick ? 128 * MIB : 1024 * MIB }),
	},
	{ name: 'log', measure: log },
	LOG_COST,
	LOG_THROUGHPUT,
	CHILDREN_COST,
	ROLLOUT_WAIT,
];

/** Uploads of more and more files by the action alone, for the chart of growth. */
export async function uploadGrowth(sizes: readonly number[], turns: number): Promise<{ size: number; cost: Cost }[]> {
	const points: { size: number; cost: Cost }[] = [];
	for (const files of sizes) {
		await withCheckout({ files, size: KB }, async (checkout) => {
			await withServer(async (server) => {
				const costs: Cost[] = [];
				for (let turn = 0; turn < turns; turn += 1) {
					server.reset(true);
					costs.push(await run(ACTION, server, checkout, { until: isJob, stop: false }));
				}
				const middle = (of: keyof Cost): number => median(costs.map((cost) => cost[of]));
				const cost = {
					wall: middle('wall'),
					cpu: middle('cpu'),
					memory: middle('memory'),
					requests: middle('requests'),
					storage: middle('storage'),
				};
				points.push({ size: files, cost });
			});
		});
	}
	return points;
}

async function start({ turns }: Extent): Promise<Line[]> {
	return withFolder('bench-az-', (home) =>
		withCheckout({ files: 1, size: KB }, (checkout) =>
			withServer(async (server) => {
				const more = [await signedInCli(azureCli(), server, home), bare('limit', WIDE, false)];
				const costs = await contest(server, checkout, turns, { until: isArm, stop: true }, more);
				const memory = median(costs.of('action', 'memory'));
				const [sdkTimes, cliTimes] = [costs.ratio('newest', 'cpu'), costs.ratio('az', 'cpu')];
				return [
					{
						row: 'start (CPU)',
						action: msText(median(costs.of('action', 'cpu'))),
						others: costs.others('cpu'),
						goal: 'newest >= 6x, az >= 3x',
						met: sdkTimes >= 6 && cliTimes >= 3,
					},
					{
						row: 'start (memory)',
						action: mibText(memory),
						others: costs.others('memory'),
						goal: '<= 100 MiB',
						met: memory <= 100 * MIB,
					},
				];
			}),
		),
	);
}

async function submission(row: string, { turns }: Extent, content: Folder): Promise<Line[]> {
	return withCheckout(content, async (checkout) => {
		const how = { until: isJob, stop: false };
		const costs = await withServer((server) => contest(server, checkout, turns, how, [bare('limit', WIDE, false)]));
		return [costs.line(row, 'wall', row === 'submit' ? 4 : 9)];
	});
}

/** One large file: how long storage is busy with it, beside a program that sends it in one request and looks at nothing. */
async function uploadLarge({ turns, quick }: Extent): Promise<Line[]> {
	return withCheckout({ files: 1, size: quick ? 256 * MIB : 1024 * MIB }, async (checkout) => {
		const how = { until: isJob, stop: false };
		const costs = await withServer((server) => contest(server, checkout, turns, how, [bare('limit', 1, false)]));
		const share = costs.ratio('limit', 'storage');
		const memory = median(costs.of('action', 'memory'));
		const name = quick ? 'upload-256mib' : 'upload-1gib';
		return [
			{
				row: `${name} (first to last byte)`,
				action: msText(median(costs.of('action', 'storage'))),
				others: costs.others('storage'),
				goal: '>= 0.9 of the limit',
				met: share >= 0.9,
			},
			{
				row: `${name} (start to accepted job)`,
				action: msText(median(costs.of('action', 'wall'))),
				others: costs.others('wall'),
				goal: '-',
				met: true,
			},
			{
				row: `${name} (memory)`,
				action: mibText(memory),
				others: costs.others('memory'),
				goal: '< 200 MiB',
				met: memory < 200 * MIB,
			},
		];
	});
}

async function again({ turns }: Extent): Promise<Line[]> {
	return withCheckout({ files: 20, size: KB }, async (checkout) => {
		const how = { until: isJob, stop: false };
		const limit = bare('limit', WIDE, true);
		const costs = await withServer((server) => contest(server, checkout, turns, how, [limit], true));
		const requests = median(costs.of('action', 'requests'));
		const line = { row: 'again (requests)', action: String(requests), others: costs.others('requests') };
		return [costs.line('again', 'wall', 5), { ...line, goal: '<= 8', met: requests <= 8 }];
	});
}

async function hashing(row: string, { turns }: Extent, content: Folder): Promise<Line[]> {
	return withCheckout(content, async (checkout) => {
		const folder = join(checkout, 'src');
		const newest = newestClients();
		const took = await byTurns(['action', 'newest', 'limit'], turns, async (name) => {
			if (name === 'action') return actionHash(folder);
			return name === 'newest' ? sdkHash(newest, folder) : bareHash(folder);
		});
		const of = (name: string): number[] => took.get(name) ?? [];
		const share = medianRatio(of('limit'), of('action'));
		const others = `newest ${times(medianRatio(of('newest'), of('action')))}, bare SHA-256 ${times(share)}`;
		return [{ row, action: msText(median(of('action'))), others, goal: '>= 0.9 of bare SHA-256', met: share >= 0.9 }];
	});
}

/** By the clock, not by turns: nobody else is measured, only the schedule of the other is known. */
async function log({ quick }: Extent): Promise<Line[]> {
	const { mean, longest, lines, scheduled } = await logDelay(quick ? 30 : 240);
	return [
		{
			row: `log (${lines} lines, written to shown)`,
			action: `${msText(mean)}, ${msText(longest)} at most`,
			others: `newest ${times(scheduled / mean)} by its schedule`,
			goal: '< 1500 ms',
			met: mean < 1500,
		},
	];
}

/** Has all contenders do the same by turns; `repeated`: what is measured is the second of two equal runs. */
async function contest(
	server: BenchServer,
	checkout: string,
	turns: number,
	how: Parameters<typeof run>[3],
	more: readonly Contender[],
	repeated = false,
) {
	const contenders = new Map([ACTION, ...clients(), ...more].map((one) => [one.name, one]));
	const costs = await byTurns([...contenders.keys()], turns, async (name) => {
		const contender = contenders.get(name);
		if (contender === undefined) throw new Error(`there is no contender ${name}`);
		server.reset(true);
		if (repeated) {
			await run(contender, server, checkout, how);
			server.reset(false);
		}
		return run(contender, server, checkout, how);
	});
	const of = (name: string, what: keyof Cost): number[] => (costs.get(name) ?? []).map((cost) => cost[what]);
	const ratio = (name: string, what: keyof Cost): number => medianRatio(of(name, what), of('action', what));
	const rivals = [...contenders.keys()].filter((name) => name !== 'action');
	const others = (what: keyof Cost): string => rivals.map((name) => `${name} ${times(ratio(name, what))}`).join(', ');
	const line = (row: string, what: 'wall' | 'cpu', goal: number): Line => ({
		row,
		action: msText(median(of('action', what))),
		others: others(what),
		goal: `newest >= ${goal}x`,
		met: ratio('newest', what) >= goal,
	});
	return { of, ratio, others, line };
}

function clients(): Contender[] {
	const old: ClientPython | string = debianClients();
	return [sdk('newest', newestClients()), ...(typeof old === 'string' ? [] : [sdk('1.4.0', old)])];
}

interface Folder {
	readonly files: number;
	/** Of each file, in bytes. */
	readonly size: number;
}

/** Makes a checkout with a job whose code is these files. */
async function withCheckout<T>({ files, size }: Folder, work: (checkout: string) => Promise<T>): Promise<T> {
	return withFolder('bench-checkout-', async (checkout) => {
		mkdirSync(join(checkout, 'src'));
		const job = ['type: command', 'code: src', 'command: python f0.py', 'environment: azureml:bench:1'];
		writeFileSync(join(checkout, 'job.yml'), [...job, 'compute: azureml:cpu-cluster', ''].join('\n'));
		for (let index = 0; index < files; index += 1) fill(join(checkout, 'src', `f${index}.py`), size, index);
		return work(checkout);
	});
}

/** Makes a folder that is gone afterwards. */
async function withFolder<T>(prefix: string, work: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), prefix));
	try {
		return await work(folder);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

function fill(path: string, size: number, seed: number): void {
	const file = openSync(path, 'w');
	const piece = Buffer.alloc(Math.min(size, MIB), `${seed} of these bytes\n`);
	for (let left = size; left > 0; left -= piece.length) writeSync(file, piece, 0, Math.min(left, piece.length));
	closeSync(file);
}

async function withServer<T>(work: (server: BenchServer) => Promise<T>): Promise<T> {
	const server = await startServer(LATENCY);
	try {
		return await work(server);
	} finally {
		await server.close();
	}
}

function times(ratio: number): string {
	return `${ratio.toFixed(ratio < 10 ? 2 : 1)}x`;
}

function msText(ms: number): string {
	return `${Math.round(ms)} ms`;
}

function mibText(bytes: number): string {
	return `${Math.round(bytes / MIB)} MiB`;
}
