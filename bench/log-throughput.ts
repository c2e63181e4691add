// How fast a log goes through what makes it harmless to standard output, and what memory that takes as the log grows.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logText } from './log-text.ts';
import { byTurns, median, medianRatio } from './measure.ts';
import type { Extent, Line, Row } from './rows.ts';

const MB = 1_000_000;
const MIB = 1024 * 1024;
/** The text of which a log is made, in bytes. */
const BLOCK = 8 * MIB;
/** More than this in ten times the log is growth, in bytes: what else the machine does moves memory by less. */
const FLAT = 48 * MIB;
const LEAST = 150;

/** What one process took: milliseconds, and bytes of memory at its highest. */
interface Shown {
	readonly wall: number;
	readonly cpu: number;
	readonly memory: number;
}

/** The row `log-throughput`. */
export const LOG_THROUGHPUT: Row = { name: 'log-throughput', measure };

async function measure({ turns, quick }: Extent): Promise<Line[]> {
	const [size, small] = quick ? [100 * MB, 10 * MB] : [1_000 * MB, 100 * MB];
	const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));
	try {
		const block = join(folder, 'block.txt');
		writeFileSync(block, logText(BLOCK));
		const took = await byTurns(['action', 'lines', 'limit', 'small'], turns, (name) =>
			name === 'small' ? show('action', block, small) : show(name, block, size),
		);
		const of = (name: string, what: keyof Shown): number[] => (took.get(name) ?? []).map((shown) => shown[what]);
		const [wall, cpu] = [of('action', 'wall'), of('action', 'cpu')];
		const speed = rateOf(size, median(wall));
		const share = (name: string): string => `${medianRatio(of(name, 'cpu'), cpu).toFixed(2)}x`;
		const [most, least] = [median(of('action', 'memory')), median(of('small', 'memory'))];
		return [
			{
				row: `log-throughput (${size / MB} MB to a pipe)`,
				action: `${Math.round(speed)} MB/s (${Math.round(rateOf(size, median(cpu)))} a second of processor time)`,
				others: `processor time line by line ${share('lines')}, of bare writes ${share('limit')}`,
				goal: `>= ${LEAST} MB/s`,
				met: speed >= LEAST,
			},
			{
				row: 'log-throughput (memory)',
				action: `${Math.round(most / MIB)} MiB`,
				others: `${small / MB} MB: ${(least / most).toFixed(2)}x`,
				goal: 'flat',
				met: most - least <= FLAT,
			},
		];
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Megabytes in a second. */
function rateOf(bytes: number, ms: number): number {
	return bytes / MB / (ms / 1000);
}

/** Runs the process of log-process.ts, whose output goes through a pipe to nowhere, as the runner's goes through one. */
async function show(how: string, block: string, size: number): Promise<Shown> {
	const script = join(import.meta.dirname, 'log-process.ts');
	const reader = spawn('cat', [], { stdio: ['pipe', 'ignore', 'inherit'] });
	const options = ['--disable-warning=ExperimentalWarning', script, how, block, String(size)];
	const writer = spawn(process.execPath, options, { stdio: ['ignore', reader.stdin, 'pipe'] });
	reader.stdin.destroy();
	let told = '';
	writer.stderr?.setEncoding('utf8').on('data', (text: string) => {
		told += text;
	});
	await Promise.all([once(writer, 'close'), once(reader, 'close')]);
	if (!told.startsWith('{')) throw new Error(`the log was not shown: ${told}`);
	return JSON.parse(told) as Shown;
}
