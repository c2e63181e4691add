// Cases 62 to 69 of the fault table: workflows that are cancelled or killed, and what GitHub takes, cuts or refuses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createGitHubLog } from '../../src/log.ts';
import { publishReport } from '../../src/report/github.ts';
import { createSecrets } from '../../src/secrets.ts';
import { ENDLESS, endpointFiles, jobFiles, printing, SCORE_42 } from '../e2e/checkout.ts';
import type { Cancel } from '../e2e/runner.ts';
import { annotationsOf } from '../e2e/workflow-log.ts';
import { memoryLog } from '../fixtures/memory-log.ts';
import { fullReport, JOB } from '../fixtures/run-report.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';
import { type Expected, type FaultSite, openFaultSite } from './site.ts';

let site: FaultSite;
beforeAll(async () => {
	site = await openFaultSite();
});
afterAll(() => site?.close());

const PID = /^pid \d+$/m;
const seen = (pattern: RegExp) => (): boolean => site.requests().some(({ line }) => pattern.test(line));
const delay = (method: string, path: RegExp, delayMs = 4_000): void => {
	site.emulator.faults.add({ method, path, effect: { delayMs } });
};
const job = (name: string) => ({ 'job-file': 'job.yml', 'job-name': name });

describe('case 62 W-cancel-U/S/P/L/M/D', () => {
	interface Point {
		readonly inputs: Readonly<Record<string, string>>;
		readonly files: Readonly<Record<string, string>>;
		readonly when: Cancel['when'];
		readonly before?: () => void;
		readonly expected: Omit<Expected, 'code'>;
	}
	const slow = { ...jobFiles(printing(['x'])), 'src/slow-u.py': '# case 62 U\n' };
	const points: Readonly<Record<string, Point>> = {
		U: {
			before: () => delay('PUT', /slow-u\.py/),
			inputs: job('case-62-u'),
			files: slow,
			when: seen(/^PUT .*slow-u\.py/),
			expected: { job: { name: 'case-62-u', state: 'none' } },
		},
		S: {
			before: () => delay('PUT', /\/jobs\/case-62-s/, 1_200),
			inputs: job('case-62-s'),
			files: jobFiles(ENDLESS),
			when: seen(/^PUT jobs\/case-62-s$/),
			expected: { job: { name: 'case-62-s', state: 'Canceled' }, log: false },
		},
		P: {
			before: () => delay('GET', /\/runs\/case-62-p\/details/, 3_000),
			inputs: job('case-62-p'),
			files: jobFiles(ENDLESS),
			when: seen(/^GET runs\/case-62-p\/details/),
			expected: { job: { name: 'case-62-p', state: 'Canceled' }, log: false },
		},
		L: {
			inputs: job('case-62-l'),
			files: jobFiles(ENDLESS),
			when: (stdout) => PID.test(stdout),
			expected: { job: { name: 'case-62-l', state: 'Canceled' }, log: false },
		},
		M: {
			before: () => delay('PUT', /\/models\/case-62-m\//),
			inputs: { ...job('case-62-m'), 'model-name': 'case-62-m' },
			files: jobFiles(printing(['x'])),
			when: seen(/^PUT models\/case-62-m\//),
			expected: { job: { name: 'case-62-m', state: 'Completed' } },
		},
		D: {
			before: () => delay('PUT', /\/onlineEndpoints\/case-62-d\/deployments\//, 3_000),
			inputs: { 'endpoint-file': 'endpoint.yml', 'deployment-file': 'deployment.yml' },
			files: endpointFiles('case-62-d', SCORE_42),
			when: seen(/^PUT onlineEndpoints\/case-62-d\/deployments\//),
			expected: { traffic: { endpoint: 'case-62-d', shares: {} } },
		},
	};

	test.concurrent.each(Object.entries(points))(
		'SIGINT at %s: ends in time, and leaves nothing running',
		async (_, { before, inputs, files, when, expected }) => {
			before?.();
			const run = await site.run(inputs, { files, cancel: { when } });
			expect(await run.broken({ code: 1, says: /cancelled/, ...expected })).toEqual([]);
			expect(run.tookToStop).toBeLessThan(7_000);
		},
	);

	test.concurrent('SIGKILL: the post step finishes what the main step could not', async () => {
		const run = await site.run(job('case-62-kill'), {
			files: jobFiles(ENDLESS),
			cancel: { when: (stdout) => PID.test(stdout), signal: 'SIGKILL' },
		});
		const killed = { name: 'case-62-kill', state: 'Canceled' };
		expect(await run.broken({ code: null, job: killed, log: false })).toEqual([]);
		expect(run.post.stdout).toContain('Asked Azure ML to cancel the job case-62-kill');
	});
});

test.concurrent('case 63 W-cancel-during-put: a job whose submission was not answered is found and cancelled by the post step', async () => {
	delay('PUT', /\/jobs\/case-63/, 1_500);
	const run = await site.run(job('case-63'), {
		files: jobFiles(ENDLESS),
		cancel: { when: seen(/^PUT jobs\/case-63$/), signal: 'SIGKILL' },
	});
	expect(await run.broken({ code: null, job: { name: 'case-63', state: 'Canceled' }, log: false })).toEqual([]);
	expect(run.state['guarded-job']).toBe('case-63');
});

test.concurrent('case 64 W-timeout-minutes: a step whose time is over, or whose machine is shut down, ends as a cancelled one', async () => {
	const cancel = { when: (stdout: string) => PID.test(stdout), signal: 'SIGTERM' } as const;
	const run = await site.run(job('case-64'), { files: jobFiles(ENDLESS), cancel });
	expect(
		await run.broken({ code: 1, says: /cancelled/, job: { name: 'case-64', state: 'Canceled' }, log: false }),
	).toEqual([]);
	expect(run.tookToStop).toBeLessThan(7_000);
});

/** Publishes a report into files, and gives what they hold. */
async function published(
	report: Parameters<typeof publishReport>[0],
): Promise<{ output: string; summary: string; told: string }> {
	const folder = mkdtempSync(join(tmpdir(), 'report-'));
	const names = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
	const before = Object.keys(names).map((name) => [name, process.env[name]] as const);
	for (const [name, file] of Object.entries(names)) {
		writeFileSync(file, '');
		process.env[name] = file;
	}
	const log = memoryLog();
	const time = { clock: virtualClock(), signal: new AbortController().signal };
	try {
		await publishReport(report, { log, secrets: createSecrets(), githubToken: undefined, comment: 'never', ...time });
		const read = (file: string): string => readFileSync(file, 'utf8');
		return {
			output: read(names.GITHUB_OUTPUT),
			summary: read(names.GITHUB_STEP_SUMMARY),
			told: log.annotations.map(({ text }) => text).join('\n'),
		};
	} finally {
		for (const [name, value] of before) {
			if (value === undefined) delete process.env[name];
			else process.env[name] = value;
		}
		rmSync(folder, { recursive: true });
	}
}

test('case 65 W-summary-limit: five megabytes are cut below one at the end of a line, with a note, and never to nothing', async () => {
	const lastLines = Array.from({ length: 5_000 }, (_, n) => `${n} ${'|x`<'.repeat(250)}`);
	const { summary } = await published({ ...fullReport(), failure: new Error('failed'), lastLines });
	expect(Buffer.byteLength(summary)).toBeLessThan(1_048_576);
	expect(summary).toMatch(/^## /);
	expect(summary.length).toBeGreaterThan(1_000);
	expect(summary.trimEnd().split('\n').at(-1)?.length).toBeLessThan(1_200);
});

test('case 66 W-annotation-flood: of five hundred errors nine are annotations, one says how many more, and all are in the log', () => {
	const [annotated, printed]: [string[], string[]] = [[], []];
	const write = process.stdout.write;
	process.stdout.write = (text) => annotated.push(String(text)) > 0;
	try {
		const log = createGitHubLog(createSecrets(), (text) => printed.push(text));
		for (let n = 0; n < 500; n += 1) log.error(`fault ${n}`);
		log.end?.();
	} finally {
		process.stdout.write = write;
	}
	const annotations = annotationsOf(annotated.join(''));
	expect(annotations).toHaveLength(10);
	expect(annotations.at(-1)?.message).toContain('491 more');
	expect(printed).toHaveLength(491);
	expect(printed.at(-1)).toContain('fault 499');
});

test('case 67 W-output-limit / heredoc: what is too large is cut with a note, and what looks like a delimiter is a value', async () => {
	const forged = 'x\nghadelimiter_0\njob-name=stolen\nEOF\r\nmodel-id<<EOF\nstolen\nEOF';
	const metrics = Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`metric ${n} ${'y'.repeat(20)}`, n]));
	const { output, told } = await published({ ...fullReport(), job: { ...JOB, name: forged }, metrics });
	expect(output.length).toBeLessThan(1_000_000);
	expect(told).toMatch(/`metrics`.*(cut|kept|left out)/);
	// Read as the runner reads it.
	const values: Record<string, string> = {};
	for (const [, name = '', delimiter = '', value = ''] of output.matchAll(
		/^([\w-]+)<<(ghadelimiter_[\w-]{30,})\n([\s\S]*?)\n\2$/gm,
	)) {
		expect(value).not.toContain(delimiter);
		values[name] = value;
	}
	expect(values['job-name']).toBe(forged);
	expect(values['model-id']).toBe(fullReport().model?.assetId);
	expect(Object.keys(JSON.parse(values['metrics'] ?? '')).length).toBeGreaterThan(1_000);
});

test.concurrent('case 68 W-env-missing: without the files of the runner the step does its work and says so', async () => {
	const commandFiles = { GITHUB_OUTPUT: '', GITHUB_STEP_SUMMARY: '' };
	const run = await site.run(job('case-68'), { files: jobFiles(printing(['x'])), commandFiles });
	expect(
		await run.broken({ code: 0, job: { name: 'case-68', state: 'Completed' }, says: /summary could not be written/ }),
	).toEqual([]);
});

test.concurrent('case 69 W-disk-full / read-only: the job decides how the step ends, not the disk', async () => {
	const commandFiles = { GITHUB_OUTPUT: '/dev/full', GITHUB_STEP_SUMMARY: '/dev/full' };
	const run = await site.run(job('case-69'), { files: jobFiles(printing(['x'])), commandFiles });
	expect(
		await run.broken({ code: 0, job: { name: 'case-69', state: 'Completed' }, says: /could not be (set|written)/ }),
	).toEqual([]);
});
