// What following needs of a machine: how far the memory of a process grows while a log of a gigabyte or a thousand trials
// pass through it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Loopback, type Reply, serve } from '../fixtures/loopback.ts';
import { WORKSPACE_ID } from '../fixtures/workspace.ts';

/** The measure, in MiB, of the whole process: node and the libraries are about half of it. */
const MOST = 200;

interface Followed {
	readonly status: string;
	readonly children: number;
	/** Resident memory at its highest, in MiB. */
	readonly memory: number;
	/** Bytes that were printed. */
	readonly printed: number;
	/** Lines that were printed which the pattern matches. */
	readonly matched: number;
}

let server: Loopback | undefined;
afterEach(() => server?.close());

/** Follows the job `job` of a service that answers so to what is below the workspace. */
async function follow(answer: (path: string, range: string, url: string) => Reply, counted: RegExp): Promise<Followed> {
	const opened = await serve(({ path, headers }) => {
		const own = { properties: { discoveryUrl: `${opened.url}/discovery` } };
		if (path.startsWith(`${WORKSPACE_ID}?`)) return { body: own };
		if (path === '/discovery') return { body: { api: opened.url } };
		return answer(
			path.slice(path.indexOf(WORKSPACE_ID) + WORKSPACE_ID.length),
			String(headers['range'] ?? ''),
			opened.url,
		);
	});
	server = opened;
	const script = join(import.meta.dirname, 'follow-process.ts');
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, opened.url]);
	let [printed, matched, told, rest] = [0, 0, '', ''];
	child.stdout.on('data', (bytes: Buffer) => {
		printed += bytes.length;
		const lines = (rest + bytes.toString('latin1')).split('\n');
		rest = lines.pop() ?? '';
		for (const line of lines) if (counted.test(line)) matched += 1;
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		told += text;
	});
	await new Promise((done) => child.once('close', done));
	if (!told.startsWith('{')) throw new Error(told);
	return { ...(JSON.parse(told) as Followed), printed, matched };
}

function job(type: string, status: string): Reply {
	return { body: { name: 'job', properties: { jobType: type, status, services: {} } } };
}

/** The asked range of a file of this size, whose content is the block again and again. */
function pieceOf(block: Buffer, size: number, range: string): Reply {
	const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []).map(Number);
	if (from >= size) return { status: 416, headers: { 'content-range': `bytes */${size}` } };
	const start = from % block.length;
	const body = block.subarray(start, start + Math.min(to + 1, size) - from);
	return { status: 206, headers: { 'content-range': `bytes ${from}-${from + body.length - 1}/${size}` }, body };
}

test('a log of a gigabyte is printed in less than 200 MiB', async () => {
	const size = 1024 ** 3;
	const block = Buffer.alloc(4 * 1024 * 1024, `${'0123456789abcde'.repeat(8)} loss 0.25\n`);
	const followed = await follow((path, range, url) => {
		if (path.startsWith('/jobs/')) return job('Command', 'Completed');
		if (path.startsWith('/runs/')) {
			return { body: { status: 'Completed', logFiles: { 'user_logs/std_log.txt': `${url}/log` } } };
		}
		return pieceOf(block, size, range);
	}, /loss 0\.25/);
	expect(followed.status).toBe('Completed');
	expect(followed.printed).toBeGreaterThanOrEqual(size);
	expect(followed.memory).toBeLessThan(MOST);
}, 300_000);

describe('a sweep of a thousand trials', () => {
	const TRIALS = 1_000;
	const PAGE = 100;
	/** What a run of the service says of itself beside what anybody asks for: some kilobytes. */
	const FACTS = Object.fromEntries(Array.from({ length: 40 }, (_, fact) => [`azureml.fact${fact}`, 'x'.repeat(80)]));
	const LINES = 20_000;
	const LOG = Buffer.from('a line of a trial\n'.repeat(LINES));

	function trial(place: number, begun: number): object {
		const status =
			place < begun - 20 ? (place % 50 === 7 ? 'Failed' : 'Completed') : place < begun ? 'Running' : 'Queued';
		return {
			runId: `job_${place}`,
			displayName: `job_${place}`,
			status,
			startTimeUtc: status === 'Queued' ? null : new Date(1_700_000_000_000 + place * 1_000).toISOString(),
			endTimeUtc: /ed$/.test(status) ? new Date(1_700_000_600_000 + place * 1_000).toISOString() : null,
			properties: FACTS,
			error: status === 'Failed' ? { error: { code: 'UserError', message: 'y'.repeat(2_000) } } : null,
		};
	}

	test('is followed in less than 200 MiB, for pages of the list and a few logs', async () => {
		let looks = 0;
		const asked = { pages: 0, details: 0, jobs: 0 };
		const isOver = (): boolean => looks * 25 > TRIALS + 100;
		const followed = await follow((path, range, url) => {
			if (path.startsWith('/jobs/')) {
				asked.jobs += 1;
				return job('Sweep', isOver() ? 'Completed' : 'Running');
			}
			if (path.startsWith('/runs/job/children')) {
				const from = Number(new URL(path, url).searchParams.get('$continuationtoken') ?? 0);
				if (from === 0) looks += 1;
				asked.pages += 1;
				const value = Array.from({ length: PAGE }, (_, place) => trial(from + place, looks * 25));
				return { body: { value, continuationToken: from + PAGE < TRIALS ? String(from + PAGE) : null } };
			}
			if (path.startsWith('/runs/')) {
				asked.details += 1;
				const isParent = path.startsWith('/runs/job/');
				const logFiles = isParent ? {} : { 'user_logs/std_log.txt': `${url}/log` };
				return { body: { status: isParent && !isOver() ? 'Running' : 'Completed', logFiles } };
			}
			return pieceOf(LOG, LOG.length, range);
		}, /^a line of a trial$/);
		expect(followed).toMatchObject({ status: 'Completed', children: TRIALS });
		expect(asked.pages).toBeLessThanOrEqual((looks + 1) * (TRIALS / PAGE));
		// Whole logs or none of them, and the last twenty lines of each that failed once more.
		expect(followed.matched % 20).toBe(0);
		expect(followed.matched % LINES).toBeLessThanOrEqual((TRIALS / 50) * 20);
		expect(followed.matched).toBeGreaterThan(20 * LINES);
		expect(followed.memory).toBeLessThan(MOST);
	}, 300_000);
});
