import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { FileError, InputError, JobError } from '../../src/errors.ts';
import { publishReport } from '../../src/report/github.ts';
import { newReport, type RunReport } from '../../src/report/run-report.ts';
import { createSecrets, type Secrets } from '../../src/secrets.ts';
import { type Asked, type Loopback, type Reply, serve } from '../fixtures/loopback.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { runContext } from '../fixtures/run-context.ts';
import { fullReport, JOB } from '../fixtures/run-report.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';

let folder: string;
const before = { output: process.env['GITHUB_OUTPUT'], summary: process.env['GITHUB_STEP_SUMMARY'] };
const outputFile = (): string => join(folder, 'output');
const summaryFile = (): string => join(folder, 'summary.md');

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'report-'));
	process.env['GITHUB_OUTPUT'] = outputFile();
	process.env['GITHUB_STEP_SUMMARY'] = summaryFile();
});
beforeEach(() => {
	writeFileSync(outputFile(), '');
	writeFileSync(summaryFile(), '');
});
afterAll(() => {
	rmSync(folder, { recursive: true });
	for (const [name, value] of [
		['GITHUB_OUTPUT', before.output],
		['GITHUB_STEP_SUMMARY', before.summary],
	] as const) {
		if (value === undefined) delete process.env[name];
		else process.env[name] = value;
	}
});

const open: Loopback[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

const TIME = { clock: virtualClock(), signal: new AbortController().signal };

interface Published {
	readonly log: MemoryLog;
	readonly outputs: Map<string, string>;
	readonly summary: string;
}

async function publish(
	report: RunReport,
	{
		secrets = createSecrets(),
		githubToken,
		comment = 'never' as 'auto' | 'never',
	}: {
		secrets?: Secrets;
		githubToken?: string | undefined;
		comment?: 'auto' | 'never';
	} = {},
): Promise<Published> {
	const log = memoryLog();
	await publishReport(report, { log, secrets, githubToken, comment, ...TIME });
	const read = (file: string): string => {
		try {
			return readFileSync(file, 'utf8');
		} catch {
			return '';
		}
	};
	const heredocs = read(outputFile()).matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gm);
	return {
		log,
		outputs: new Map([...heredocs].map(([, name = '', , value = '']) => [name, value])),
		summary: read(summaryFile()),
	};
}

describe('the outputs', () => {
	test('are set exactly, without what is secret', async () => {
		const secrets = createSecrets();
		secrets.add('hunter2-hunter2');
		const uri = 'azureml://x?token=hunter2-hunter2\nforged=1';
		const report = fullReport();
		const { outputs } = await publish({ ...report, model: { ...(report.model ?? never()), uri } }, { secrets });
		expect(outputs.get('job-name')).toBe(JOB.name);
		expect(outputs.get('model-uri')).toBe('azureml://x?token=***\nforged=1');
		expect(outputs.has('forged')).toBe(false);
		expect(outputs.has('job-reused')).toBe(false);
	});

	test('that are too large are cut, which the log and the summary say', async () => {
		const metrics = Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`metric-${at}`, at / 3]));
		const { log, outputs, summary } = await publish({ ...fullReport(), metrics });
		expect(outputs.get('metrics')?.length).toBeLessThan(500_000);
		expect(() => JSON.parse(outputs.get('metrics') ?? '')).not.toThrow();
		expect(log.annotations).toEqual([
			expect.objectContaining({ kind: 'warning', text: expect.stringContaining('The output `metrics` is cut') }),
		]);
		expect(summary).toContain('The output `metrics` is cut');
	});

	test('that cannot be set are a warning, and the rest is told all the same', async () => {
		rmSync(outputFile());
		const { log, summary } = await publish(fullReport());
		expect(log.annotations).toEqual([
			expect.objectContaining({ kind: 'warning', text: expect.stringContaining('The outputs could not be set') }),
		]);
		expect(summary).toContain(JOB.name);
	});
});

describe('the job summary', () => {
	test('is written once for each report', async () => {
		const { summary } = await publish(fullReport());
		expect(summary.match(/^## /gm)).toHaveLength(1);
	});

	test('that cannot be written is a warning, and does not come back in the next one', async () => {
		rmSync(summaryFile());
		mkdirSync(summaryFile());
		const { log, outputs } = await publish({ ...fullReport(), notes: ['first'] });
		expect(log.annotations).toEqual([
			expect.objectContaining({
				kind: 'warning',
				text: expect.stringContaining('The job summary could not be written'),
			}),
		]);
		expect(outputs.get('job-name')).toBe(JOB.name);
		rmSync(summaryFile(), { recursive: true });
		writeFileSync(summaryFile(), '');
		expect((await publish(fullReport())).summary).not.toContain('first');
	});

	test('of five megabytes is cut below one, never to nothing', async () => {
		const notes = Array.from({ length: 50_000 }, (_, n) => `note ${n} ${'é'.repeat(50)}`);
		const { summary } = await publish({ ...fullReport(), notes });
		expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024);
		expect(Buffer.byteLength(summary)).toBeGreaterThan(900_000);
		expect(summary).toContain(JOB.name);
		expect(summary).toMatch(/Cut here: .*\n$/);
		expect(summary).not.toContain('\ufffd');
	});

	test('holds no secret', async () => {
		const secrets = createSecrets();
		secrets.add('a_b*c-hunter2');
		const { summary } = await publish({ ...fullReport(), notes: ['it was a_b*c-hunter2'] }, { secrets });
		expect(summary).toContain('\\*\\*\\*');
		expect(summary).not.toContain('hunter2');
	});
});

describe('a failure is annotated', () => {
	const failed = async (failure: Error): Promise<MemoryLog['annotations']> =>
		(await publish({ ...newReport(runContext()), failure })).log.annotations;

	test('fault by fault, each at its place', async () => {
		const where = { file: 'job.yml', line: 3, column: 5 };
		const elsewhere = { file: 'endpoint.yml', line: 1 };
		const annotations = await failed(
			new FileError('job.yml', [
				{ message: 'Unknown key.', where },
				{ message: 'No name.', where: elsewhere },
			]),
		);
		expect(annotations.map(({ kind, where: place }) => [kind, place])).toEqual([
			['error', where],
			['error', elsewhere],
		]);
		expect(annotations[0]?.text).toContain('job.yml:3: Unknown key.');
		expect(annotations[1]?.text).toContain('endpoint.yml:1: No name.');
	});

	test('input by input', async () => {
		const annotations = await failed(new InputError([{ message: 'wait: x' }, { message: 'set: y' }]));
		expect(annotations.map(({ text }) => text)).toEqual(['wait: x', 'set: y']);
	});

	test('with its whole message', async () => {
		const failure = new JobError({ what: 'Failed.', why: 'Because.', next: 'Do this.' }, 'Failed', []);
		expect((await failed(failure))[0]?.text).toBe('Failed. Because. Do this.');
	});

	test('as a fault of ours where it is none that we foresaw', async () => {
		expect((await failed(new TypeError('x is not a function')))[0]?.text).toMatch(/fault of the action itself/);
	});
});

describe('the comment', () => {
	const MARKER = '<!-- azure-ml-action: jobs/iris.yml -->';

	interface GitHub {
		readonly server: Loopback;
		comment(report?: Partial<RunReport>, githubToken?: string | undefined): Promise<MemoryLog>;
	}

	async function gitHub(answer: (asked: Asked) => Reply): Promise<GitHub> {
		const server = await serve(answer);
		open.push(server);
		return {
			server,
			comment: async (report = {}, githubToken = 'ghs_token') => {
				const run = { pullRequest: 7, apiUrl: server.url };
				return (await publish({ ...fullReport(run), ...report }, { comment: 'auto', githubToken })).log;
			},
		};
	}

	const linesOf = ({ server }: GitHub): string[] =>
		server.asked.map(({ method, path }) => `${method} ${path.replace('/repos/octo/iris/issues', '')}`);

	test('is made where there is none', async () => {
		const one = await gitHub(({ method }) =>
			method === 'GET' ? { body: [{ id: 1, body: 'Nice work' }] } : { status: 201, body: {} },
		);
		const log = await one.comment();
		expect(linesOf(one)).toEqual(['GET /7/comments?per_page=100&page=1', 'POST /7/comments']);
		expect(JSON.parse(one.server.asked[1]?.body ?? '').body.startsWith(`${MARKER}\n\n## ✅`)).toBe(true);
		expect(one.server.asked[1]?.headers.authorization).toBe('token ghs_token');
		expect(log.annotations).toEqual([]);
	});

	test('is updated where there is one, on whatever page', async () => {
		const page = (from: number): object[] =>
			Array.from({ length: 100 }, (_, n) => ({ id: from + n, body: `remark ${n}` }));
		const one = await gitHub(({ method, path }) => {
			if (method !== 'GET') return { body: {} };
			return {
				body: path.includes('page=3')
					? [{ id: 999, body: `${MARKER}\n\nold` }]
					: page(path.includes('page=2') ? 100 : 0),
			};
		});
		await one.comment();
		expect(linesOf(one).slice(-2)).toEqual(['GET /7/comments?per_page=100&page=3', 'PATCH /comments/999']);
	});

	// Whoever may comment could begin one with the marker, and would own and could rewrite what this run reports.
	test('of a stranger that begins with the marker is left alone', async () => {
		const stranger = { id: 1, body: `${MARKER}\n`, user: { type: 'User' }, author_association: 'CONTRIBUTOR' };
		const ours = [
			{ id: 2, body: `${MARKER}\n`, user: { type: 'Bot' }, author_association: 'NONE' },
			{ id: 3, body: `${MARKER}\n`, user: { type: 'User' }, author_association: 'COLLABORATOR' },
		];
		for (const own of ours) {
			const one = await gitHub(({ method }) => (method === 'GET' ? { body: [stranger, own] } : { body: {} }));
			await one.comment();
			expect(linesOf(one).at(-1)).toBe(`PATCH /comments/${own.id}`);
		}
		const alone = await gitHub(({ method }) => (method === 'GET' ? { body: [stranger] } : { status: 201, body: {} }));
		await alone.comment();
		expect(linesOf(alone).at(-1)).toBe('POST /7/comments');
	});

	test('is another for another job file, and stays within its marker', async () => {
		const one = await gitHub(({ method }) =>
			method === 'GET' ? { body: [{ id: 1, body: `${MARKER}\n` }] } : { status: 201, body: {} },
		);
		await one.comment({ jobFile: 'evil-->\n<img>--.yml' });
		expect(linesOf(one).at(-1)).toBe('POST /7/comments');
		const [first = ''] = String(JSON.parse(one.server.asked.at(-1)?.body ?? '').body).split('\n');
		expect(first).toMatch(/^<!-- azure-ml-action: [\w./ -]+ -->$/);
		expect(first.slice('<!--'.length, -'-->'.length)).not.toContain('--');
	});

	test.each([403, 404])('that may not be written (%d) is a notice that names the permission', async (status) => {
		const one = await gitHub(({ method }) =>
			method === 'GET' ? { body: [] } : { status, body: { message: 'Resource not accessible' } },
		);
		const log = await one.comment();
		expect(log.annotations).toEqual([
			expect.objectContaining({ kind: 'notice', text: expect.stringContaining('`permissions: pull-requests: write`') }),
		]);
	});

	const limited = { status: 403, headers: { 'retry-after': '2' }, body: { message: 'secondary rate limit' } };
	test.each<[string, Reply]>([
		['fails', { status: 502, body: {} }],
		['is too busy', { status: 429, body: {} }],
		['is not reached', { reset: true }],
		['has been asked too much', limited],
	])('is made in the end where GitHub %s at first', async (_, fault) => {
		let bad = 2;
		const one = await gitHub(({ method }) => {
			if (bad > 0) {
				bad -= 1;
				return fault;
			}
			return method === 'GET' ? { body: [] } : { status: 201, body: {} };
		});
		expect((await one.comment()).annotations).toEqual([]);
		expect(linesOf(one).slice(-2)).toEqual(['GET /7/comments?per_page=100&page=1', 'POST /7/comments']);
	});

	test('is not made twice where the answer was lost', async () => {
		const made: { id: number; body: string }[] = [];
		const one = await gitHub(({ method, body }) => {
			if (method === 'GET') return { body: made };
			if (method === 'PATCH') return { body: {} };
			made.push({ id: 5, body: String(JSON.parse(body).body) });
			return { status: 502, body: {} };
		});
		expect((await one.comment()).annotations).toEqual([]);
		expect(linesOf(one).at(-1)).toBe('PATCH /comments/5');
		expect(made).toHaveLength(1);
	});

	test('that is limited in number is not said to lack a permission', async () => {
		const one = await gitHub(() => limited);
		const [notice] = (await one.comment()).annotations;
		expect(notice?.text).toContain('secondary rate limit');
		expect(notice?.text).not.toContain('permissions');
	});

	test('is tried once only when the workflow is cancelled', async () => {
		const one = await gitHub(() => ({ status: 502, body: {} }));
		const report = fullReport({ pullRequest: 7, apiUrl: one.server.url });
		const signal = AbortSignal.abort(new Error('cancelled'));
		const parts = { log: memoryLog(), secrets: createSecrets(), githubToken: 'ghs_token', comment: 'auto' as const };
		await publishReport(report, { ...parts, clock: virtualClock(), signal });
		expect(one.server.asked).toHaveLength(1);
	});

	test('that GitHub does not take is a notice', async () => {
		const one = await gitHub(() => ({ status: 500, body: {} }));
		expect((await one.comment()).annotations.map(({ kind }) => kind)).toEqual(['notice']);
	});

	test('is not tried without a token', async () => {
		const one = await gitHub(() => ({}));
		const log = memoryLog();
		const report = fullReport({ pullRequest: 7, apiUrl: one.server.url });
		await publishReport(report, { log, secrets: createSecrets(), githubToken: undefined, comment: 'auto', ...TIME });
		expect([one.server.asked, log.annotations.map(({ kind }) => kind)]).toEqual([[], ['notice']]);
	});

	test('is not tried where it is not wanted, nor outside of pull requests', async () => {
		const one = await gitHub(() => ({}));
		const run = { pullRequest: 7, apiUrl: one.server.url };
		await publish(fullReport(run), { comment: 'never', githubToken: 'ghs_token' });
		await publish(fullReport({ ...run, pullRequest: undefined }), { comment: 'auto', githubToken: 'ghs_token' });
		expect(one.server.asked).toEqual([]);
	});

	test('fits, however much there is to tell', async () => {
		const one = await gitHub(({ method }) => (method === 'GET' ? { body: [] } : { status: 201, body: {} }));
		await one.comment({ notes: Array.from({ length: 3000 }, (_, n) => `note ${n} ${'x'.repeat(50)}`) });
		expect(JSON.parse(one.server.asked.at(-1)?.body ?? '').body.length).toBeLessThan(65_536);
	});
});

function never(): never {
	throw new Error('the full report has it');
}
