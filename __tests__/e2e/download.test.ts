// `download`: what a job has left behind is brought to the runner, byte for byte, and only to where it belongs.
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobFiles, makeCheckout } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { errorsOf } from './workflow-log.ts';

const PROGRAM = [
	'import os, pathlib, sys',
	'folder = pathlib.Path(sys.argv[1])',
	"(folder / 'deep' / 'er').mkdir(parents=True, exist_ok=True)",
	"(folder / 'model.bin').write_bytes(bytes(range(256)) * 100)",
	"(folder / 'deep' / 'er' / 'empty.txt').write_text('')",
	"os.makedirs('outputs', exist_ok=True)",
	"open('outputs/note.txt', 'w').write('an artifact')",
	"print('trained')",
].join('\n');

let site: Site;
const checkouts: string[] = [];

beforeAll(async () => {
	site = await openSite();
});

afterAll(async () => {
	await site?.close();
	for (const folder of checkouts) rmSync(folder, { recursive: true, force: true });
});

function checkoutOf(program: string): string {
	const folder = makeCheckout(jobFiles(program));
	checkouts.push(folder);
	return folder;
}

const filesBelow = (folder: string): string[] =>
	readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
		.sort();

const reads = (since: number): number =>
	site
		.requests(since)
		.filter(({ face, method, path }) => face === 'storage' && method === 'GET' && /model\.bin/.test(path)).length;

describe('everything', () => {
	let checkout: string;
	let first: ActionRun;

	beforeAll(async () => {
		checkout = checkoutOf(PROGRAM);
		first = await site.run({ 'job-file': 'job.yml', 'job-name': 'whole', download: 'all' }, { checkout });
	});

	test('is there, byte for byte, outputs beside artifacts', () => {
		expect([first.code, errorsOf(first.stdout), first.stderr]).toEqual([0, [], '']);
		const folder = join(checkout, 'azureml');
		expect(first.outputs['download-path']).toBe(folder);
		const found = filesBelow(folder);
		expect(found).toEqual(
			expect.arrayContaining([
				'artifacts/outputs/note.txt',
				'artifacts/user_logs/std_log.txt',
				'named-outputs/model/deep/er/empty.txt',
				'named-outputs/model/model.bin',
			]),
		);
		expect(found.filter((path) => path.endsWith('.part'))).toEqual([]);
		const bytes = readFileSync(join(folder, 'named-outputs/model/model.bin'));
		expect(
			bytes.equals(
				Buffer.concat(Array.from({ length: 100 }, () => Buffer.from(Array.from({ length: 256 }, (_, i) => i)))),
			),
		).toBe(true);
		expect(readFileSync(join(folder, 'artifacts/user_logs/std_log.txt'), 'utf8')).toContain('trained');
	});

	test('is told in the log and in the summary', () => {
		expect(first.stdout).toContain('Downloaded output model: 2 files, 25.6 kB');
		expect(first.summary).toMatch(/Downloaded to `?\.\/azureml`?: 5 files, [\d.]+ kB/);
	});

	test('is not fetched again where it is there already', async () => {
		const since = site.emulator.requests.length;
		const again = await site.run({ 'job-name': 'whole', download: 'model' }, { checkout });
		expect(again.code).toBe(0);
		expect(reads(since)).toBe(0);
		expect(again.stdout).toContain('2 of them left as they were');
	});

	test('is fetched again where it was changed', async () => {
		const path = join(checkout, 'azureml/named-outputs/model/model.bin');
		writeFileSync(path, Buffer.alloc(25_600));
		const again = await site.run({ 'job-name': 'whole', download: 'model' }, { checkout });
		expect(again.code).toBe(0);
		expect(readFileSync(path)[1]).toBe(1);
	});

	test('goes to the folder that the workflow names, one output alone', async () => {
		const elsewhere = checkoutOf(PROGRAM);
		const run = await site.run(
			{ 'job-name': 'whole', download: 'model', 'download-path': 'out/here' },
			{ checkout: elsewhere },
		);
		expect(run.outputs['download-path']).toBe(join(elsewhere, 'out/here'));
		expect(filesBelow(join(elsewhere, 'out'))).toEqual([
			'here/named-outputs/model/deep/er/empty.txt',
			'here/named-outputs/model/model.bin',
		]);
	});

	test('is not written through a link that the checkout has in its place', async () => {
		const target = makeCheckout({});
		checkouts.push(target);
		const linked = checkoutOf(PROGRAM);
		symlinkSync(target, join(linked, 'azureml'));
		const run = await site.run({ 'job-name': 'whole', download: 'all' }, { checkout: linked });
		expect(run.code).toBe(1);
		expect(errorsOf(run.stdout).join()).toContain('it is a link');
		expect(readdirSync(target)).toEqual([]);
	});
});

describe('an output that is not there', () => {
	test('is told before anything is sent where a job file says which there are', async () => {
		const since = site.emulator.requests.length;
		const run = await site.run({ 'job-file': 'job.yml', download: 'modle' }, { checkout: checkoutOf(PROGRAM) });
		expect(run.code).toBe(1);
		expect(errorsOf(run.stdout).join()).toContain('there is no output "modle"; there are model, all, default');
		expect(site.requests(since)).toEqual([]);
	});

	test('of a job that is followed is told with those that there are', async () => {
		const run = await site.run({ 'job-name': 'whole', download: 'modle' }, { checkout: checkoutOf(PROGRAM) });
		expect(run.code).toBe(1);
		expect(errorsOf(run.stdout).join()).toMatch(/no output "modle"; there are .*model/);
	});
});

test('names that are not safe are refused, all of the download with them', async () => {
	const program = `${PROGRAM}\n(folder / 'CON').write_text('x')`;
	const checkout = checkoutOf(program);
	const run = await site.run({ 'job-file': 'job.yml', download: 'model' }, { checkout });
	expect(run.code).toBe(1);
	expect(errorsOf(run.stdout).join()).toContain("has the reserved name 'CON' in it");
	expect(existsSync(join(checkout, 'azureml'))).toBe(false);
	expect(run.outputs['download-path']).toBeUndefined();
});
