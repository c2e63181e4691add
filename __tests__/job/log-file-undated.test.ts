// Log files of storage that does not tell when they were made.
import { describe, expect, test } from '@jest/globals';
import type { HttpAnswer, HttpRequest } from '../../src/azure/http.ts';
import { LogFile } from '../../src/job/log-file.ts';

/** A file behind a server that honours ranges or not, and tells totals or not. */
function undated({ ranges = true, totals = true, most = Number.POSITIVE_INFINITY } = {}) {
	const state = { bytes: '', asked: 0, sent: 0 };
	const send = async ({ headers }: HttpRequest): Promise<HttpAnswer> => {
		state.asked += 1;
		const bytes = Buffer.from(state.bytes);
		if (!ranges) return { status: 200, headers: {}, body: bytes };
		const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(headers?.['range'] ?? '') ?? []).map(Number);
		const size = totals ? bytes.length : '*';
		if (from >= bytes.length)
			return { status: 416, headers: { 'content-range': `bytes */${size}` }, body: Buffer.from('<Error/>') };
		const body = bytes.subarray(from, Math.min(to + 1, from + most));
		state.sent += body.length;
		return { status: 206, headers: { 'content-range': `bytes ${from}-${from + body.length - 1}/${size}` }, body };
	};
	const lines: string[] = [];
	const file = new LogFile('user_logs/std_log.txt', (text) => lines.push(...text.split('\n')));
	const look = () => file.look('https://acc.blob.core.windows.net/x?sig=1', { send, close: async () => {} });
	return { state, lines, look };
}

const KINDS = [{ ranges: true }, { ranges: true, totals: false }, { ranges: false }];

describe.each(KINDS)('a server with %j', (kind) => {
	test.each(['', 'x'.repeat(400)])(
		'shows a growing file once, with one request a look and no byte twice',
		async (long) => {
			const { state, lines, look } = undated(kind);
			const all: string[] = [];
			for (let round = 0; round < 6; round += 1) {
				if (round % 2 === 0) {
					all.push(`line ${round}${long}`);
					state.bytes = all.map((line) => `${line}\n`).join('');
				}
				await look();
			}
			expect(lines).toEqual(all);
			expect(state.asked).toBe(6);
			if (kind.ranges) expect(state.sent).toBe(state.bytes.length);
		},
	);

	test('that gives little at once gives all of it in the end', async () => {
		const { state, lines, look } = undated({ ...kind, most: 100 });
		const all = Array.from({ length: 60 }, (_, line) => `line ${line}`);
		for (let line = 0; line < 120; line += 1) {
			if (line < 60) state.bytes += `${all[line]}\n`;
			await look();
		}
		expect(lines).toEqual(all);
	});

	test('shows a file of 1,000 bytes that was cut within its last ones again', async () => {
		const { state, lines, look } = undated(kind);
		const old = Array.from({ length: 100 }, (_, line) => `line ${String(line).padStart(4, '0')}`);
		state.bytes = old.map((line) => `${line}\n`).join('');
		await look();
		state.bytes = state.bytes.slice(0, 950);
		await look();
		// Where no total tells that it is shorter, it is waited for.
		expect(lines.filter((line) => line.startsWith('[gap: '))).toHaveLength('totals' in kind ? 0 : 1);
		expect(lines.slice(0, 100)).toEqual(old);
	});
});

test.each([
	['longer', 'other 1\nother 2\nother 3\n'],
	['as long', 'other 1\n'],
])(
	'a file that is sent as a whole each time and was replaced by one that is %s is shown from its beginning',
	async (_, second) => {
		const { state, lines, look } = undated({ ranges: false });
		state.bytes = 'first 1\n';
		await look();
		state.bytes = second;
		await look();
		expect(lines).toEqual([
			'first 1',
			'[gap: user_logs/std_log.txt was written anew after 8 bytes; shown again from its beginning]',
			...second.trimEnd().split('\n'),
		]);
	},
);
