// Hashing without the network: the action's own pass, Microsoft's, and one SHA-256 over the same bytes as the limit.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientPython } from '../scripts/client-environments.ts';
import { readContent } from '../src/asset/content.ts';
import type { Log } from '../src/log.ts';

const CHUNK = 1024 * 1024;
const nothing = (): void => {};
const SILENT: Log = {
	info: nothing,
	debug: nothing,
	foreign: nothing,
	notice: nothing,
	warning: nothing,
	error: nothing,
	group: nothing,
	endGroup: nothing,
	mask: nothing,
};

/** Milliseconds in which the action walks, hashes and searches a folder for a secret. */
export async function actionHash(folder: string): Promise<number> {
	const started = performance.now();
	const parts = { checkout: folder, runnerPaths: [], log: SILENT, secrets: ['a secret that is in no file'] };
	await readContent(folder, 'src', 'content', parts);
	return performance.now() - started;
}

/** Milliseconds in which Microsoft's client hashes it, without its import. */
export function sdkHash({ python, env }: ClientPython, folder: string): number {
	const program = join(import.meta.dirname, 'hash.py');
	const text = execFileSync(python, [program, folder], { env: { ...process.env, ...env }, encoding: 'utf8' });
	return Number(text) * 1000;
}

/** Milliseconds for one SHA-256 over all files of a flat folder. */
export function bareHash(folder: string): number {
	const started = performance.now();
	const [hash, buffer] = [createHash('sha256'), Buffer.allocUnsafe(CHUNK)];
	for (const name of readdirSync(folder).sort()) {
		const file = openSync(join(folder, name), 'r');
		for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
			hash.update(buffer.subarray(0, read));
		closeSync(file);
	}
	hash.digest();
	return performance.now() - started;
}
