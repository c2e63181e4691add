// Cases 12, 24, 25 and 27 to 29 of the fault table, run as the runner does: uploads and submissions that are cut off,
// refused or doubled, and a job that never ends. All runs of this file go side by side.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jobFiles, printing } from '../e2e/checkout.ts';
import { type FaultSite, openFaultSite } from './site.ts';

let site: FaultSite;
beforeAll(async () => {
	site = await openFaultSite();
});
afterAll(() => site?.close());

const FILES = jobFiles(printing(['trained']));
const job = (name: string) => ({ 'job-file': 'job.yml', 'job-name': name });
const puts = (name: string): number => site.requests().filter(({ line }) => line === `PUT jobs/${name}`).length;
const plant = (
	path: RegExp,
	method: string,
	effect: Parameters<FaultSite['emulator']['faults']['add']>[0]['effect'],
	times = 1,
) => site.emulator.faults.add({ face: 'arm', method, path, nth: 1, times, effect });

test.concurrent('case 12 U-partial-then-die: what a killed upload left is completed, never taken for whole', async () => {
	const data = Object.fromEntries(['a', 'b', 'c'].map((name) => [`data/${name}.csv`, `${name} of case 12\n`]));
	const yaml = 'inputs:\n  data:\n    type: uri_folder\n    path: data\n';
	const files = { ...jobFiles(printing(['case 12']), yaml), ...data };
	const isPut = ({ line }: { line: string }): boolean => /^PUT .*\/c\.csv/.test(line);
	const heal = site.emulator.faults.add({
		face: 'storage',
		method: 'PUT',
		path: /\/c\.csv/,
		effect: { delayMs: 20_000 },
	});
	const killed = await site.run(job('case-12'), {
		files,
		cancel: { when: () => site.requests().some(isPut), signal: 'SIGKILL' },
	});
	heal();
	expect(await killed.broken({ code: null, job: { name: 'case-12', state: 'none' } })).toEqual([]);
	const again = await site.run(job('case-12'), { files });
	expect(await again.broken({ code: 0, job: { name: 'case-12', state: 'Completed' } })).toEqual([]);
	const stored = (await site.emulator.blobs()).filter(({ name }) => /LocalUpload\/[^/]+\/data\//.test(name));
	const texts = await Promise.all(stored.map(({ container, name }) => site.emulator.readBlob(container, name)));
	expect(texts.map(String).sort()).toEqual(Object.values(data).sort());
});

test.concurrent('case 24 S-timeout-after-accept: a submission whose answer is lost is found again by its name', async () => {
	plant(/\/jobs\/case-24\?/, 'PUT', 'lost');
	const run = await site.run(job('case-24'), { files: FILES });
	expect(await run.broken({ code: 0, job: { name: 'case-24', state: 'Completed' } })).toEqual([]);
	expect(puts('case-24')).toBe(2);
});

test.concurrent('case 25 S-409-other: a name that another job has is refused, and that job is left alone', async () => {
	const first = await site.run(job('case-25'), { files: FILES, env: { GITHUB_RUN_ID: '251' } });
	expect(await first.broken({ code: 0, job: { name: 'case-25', state: 'Completed' } })).toEqual([]);
	const other = await site.run(job('case-25'), {
		files: jobFiles(printing(['something else'])),
		env: { GITHUB_RUN_ID: '252' },
	});
	const kept = { name: 'case-25', state: 'Completed' };
	expect(
		await other.broken({ code: 1, says: /"case-25" is taken.*another `job-name`/s, job: kept, log: false }),
	).toEqual([]);
	expect(puts('case-25')).toBe(1);
});

test.concurrent('case 27 S-5xx-forever: a submission that is refused to the end is given up in time, with its name told', async () => {
	const headers = { 'Retry-After': '0' };
	plant(/\/jobs\/case-27\?/, 'PUT', { status: 503, headers }, 1_000);
	const run = await site.run(job('case-27'), { files: FILES });
	expect(await run.broken({ code: 1, says: /case-27.*503/s, job: { name: 'case-27', state: 'none' } })).toEqual([]);
	expect(puts('case-27')).toBe(7);
});

test.concurrent('case 28 S-double-run: an attempt that is run again finds its job, and twins of a matrix differ', async () => {
	const env = (attempt: string) => ({ GITHUB_RUN_ID: '28', GITHUB_RUN_ATTEMPT: attempt });
	const inputs = (epochs: string) => ({ 'job-file': 'job.yml', wait: 'false', set: `description=${epochs}` });
	const endless = jobFiles('import time\ntime.sleep(8)');
	const [first, twin] = await Promise.all([
		site.run(inputs('5'), { files: endless, env: env('1') }),
		site.run(inputs('50'), { files: endless, env: env('1') }),
	]);
	const again = await site.run(inputs('5'), { files: endless, env: env('2') });
	const name = (run: typeof first): string => run.outputs['job-name'] ?? '';
	for (const run of [first, twin, again]) expect(await run.broken({ code: 0, job: { name: name(run) } })).toEqual([]);
	expect(name(again)).toBe(name(first));
	expect(name(twin)).not.toBe(name(first));
	expect([puts(name(first)), puts(name(twin))]).toEqual([1, 1]);
});

test.concurrent('case 29 P-lro-stuck: a job that never ends is left in time with its state and link, and its outputs', async () => {
	const run = await site.run(
		{ ...job('case-29'), 'timeout-minutes': '0.05', 'on-timeout': 'detach' },
		{ files: jobFiles('import time\ntime.sleep(9)') },
	);
	expect(await run.broken({ code: 0, says: /still \w+ after.*job-name: case-29/s, job: { name: 'case-29' } })).toEqual(
		[],
	);
	expect(run.outputs).toMatchObject({ 'job-name': 'case-29', 'job-url': expect.stringContaining('case-29') });
});
