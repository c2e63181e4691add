// A process of its own that shows a log of so many bytes on its standard output, as the action does (`action`), line by
// line without a look at what they are (`lines`) or by bare writes (`limit`), and tells on its standard error what that took.
// For log-throughput.ts.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Http, HttpRequest } from '../src/azure/http.ts';
import { systemClock } from '../src/clock.ts';
import { JobLogs } from '../src/job/logs.ts';
import { createGitHubLog } from '../src/log.ts';
import { keepNewSpaceSmall } from '../src/memory.ts';
import { createSecrets } from '../src/secrets.ts';
import { SECRETS } from './log-text.ts';

const PATH = 'user_logs/std_log.txt';
const BITE = 64 * 1024;
const [how = '', blockFile = '', bytes = ''] = process.argv.slice(2);
/** The log is this text again and again. */
const BLOCK = readFileSync(blockFile);

/** Storage with one file of so many bytes. It copies what it sends, as a network would. */
function storage(size: number): Http {
	return {
		send: async ({ headers }: HttpRequest) => {
			const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(headers?.['range'] ?? '') ?? []).map(Number);
			if (from >= size) return { status: 416, headers: { 'content-range': `bytes */${size}` }, body: Buffer.alloc(0) };
			const length = Math.min(to + 1, size) - from;
			const body = Buffer.allocUnsafe(length);
			for (let place = 0; place < length; ) place += BLOCK.copy(body, place, (from + place) % BLOCK.length);
			return { status: 206, headers: { 'content-range': `bytes ${from}-${from + length - 1}/${size}` }, body };
		},
		close: async () => {},
	};
}

async function showAsAction(size: number): Promise<void> {
	keepNewSpaceSmall();
	const secrets = createSecrets();
	for (const secret of SECRETS) secrets.add(secret);
	const log = createGitHubLog(secrets, (text) => process.stdout.write(text));
	const urls = new Map([[PATH, 'https://bench.blob.core.windows.net/log']]);
	const logs = new JobLogs({ http: storage(size), log, clock: systemClock, refresh: async () => urls });
	logs.update(urls);
	await logs.look();
	logs.end();
}

/** Without a look at what it is: as bytes, or as any program does that reads lines. */
async function showBare(size: number, asLines: boolean): Promise<void> {
	for (let shown = 0; shown < size; ) {
		const from = shown % BLOCK.length;
		const end = Math.min(from + BITE, BLOCK.length, from + size - shown);
		const bytes = BLOCK.subarray(from, end);
		const taken = process.stdout.write(asLines ? bytes.toString().split('\n').join('\n') : bytes);
		if (!taken) await once(process.stdout, 'drain');
		shown += end - from;
	}
}

const [started, used] = [performance.now(), process.cpuUsage()];
if (how === 'action') await showAsAction(Number(bytes));
else await showBare(Number(bytes), how === 'lines');
// What was written last is counted too.
await new Promise<void>((done) => process.stdout.write('', () => done()));
const { user, system } = process.cpuUsage(used);
const memory = process.resourceUsage().maxRSS * 1024;
process.stderr.write(JSON.stringify({ wall: performance.now() - started, cpu: (user + system) / 1000, memory }));
