// Logs by chance, storage that fails by chance, and the way back from what was shown to the file. For log-truth.test.ts.
import { type Http, type HttpAnswer, type HttpRequest, Unreachable } from '../../src/azure/http.ts';

/** Numbers from 0 to 1 that are the same for the same seed. */
export function chanceOf(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}

const PIECES = [
	'epoch 1: loss=0.25\n',
	'\n',
	'\r\n',
	' ',
	'naïve ',
	'漢字',
	'😀',
	'::error::not ours\n',
	'  ::add-mask::a\n',
	'\\::x',
	'##[group]x\n',
	'#\u200d#[add-mask]a\n',
	':\u00ad:stop-commands::x\n',
	'\u00a0::SET-OUTPUT name=x::y\n',
	'#\\#[x]',
	'ends like a mark ⤶\n',
	'ends like a mark \\⤶\n',
	'so does this [overwritten 3×]\n',
	'no end',
	'\t|\t',
];

/** A log of some length, in UTF-8. Carriage returns stand in it before line feeds only. */
export function logOf(chance: () => number): Buffer {
	const pieces = Array.from({ length: Math.floor(chance() * 120) }, () => PIECES[Math.floor(chance() * PIECES.length)]);
	if (chance() < 0.1) pieces.push('x'.repeat(Math.floor(chance() * 300_000)), '\n');
	return Buffer.from(pieces.join(''));
}

/** What goes wrong with one request. */
const FAULTS = ['none', 'none', 'none', 'none', 'short', 'whole', 'expired', 503, 404, 'down', 'touched'] as const;

/** Storage with one growing file, which answers as badly as chance has it. */
export class FaultyStorage implements Http {
	bytes: Buffer = Buffer.alloc(0);
	signature = 1;
	/** Nothing goes wrong any more. */
	healed = false;
	readonly #chance: () => number;
	#created = 0;

	constructor(chance: () => number) {
		this.#chance = chance;
	}

	urls(path: string): Map<string, string> {
		return new Map([[path, `https://acc.blob.core.windows.net/c/${path}?sig=${this.signature}`]]);
	}

	async send({ url, headers }: HttpRequest): Promise<HttpAnswer> {
		const fault = this.healed ? 'none' : FAULTS[Math.floor(this.#chance() * FAULTS.length)];
		if (fault === 'expired') this.signature += 1;
		// Uploaded again as a whole: made anew, with the same beginning.
		if (fault === 'touched') this.#created += 1;
		if (fault === 'down') throw new Unreachable(url, Object.assign(new Error('x'), { code: 'ECONNRESET' }));
		const refused = (status: number, more = {}): HttpAnswer => ({ status, headers: more, body: Buffer.from('<no/>') });
		if (new URL(url).searchParams.get('sig') !== String(this.signature)) return refused(403);
		if (typeof fault === 'number') return refused(fault);
		const size = this.bytes.length;
		const common = { 'x-ms-creation-time': `made ${this.#created}` };
		if (fault === 'whole') return { status: 200, headers: common, body: this.bytes };
		const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(headers?.['range'] ?? '') ?? []).map(Number);
		if (from >= size) return refused(416, { 'content-range': `bytes */${size}` });
		const most = fault === 'short' ? from + 1 + Math.floor(this.#chance() * 7) : to + 1;
		const body = this.bytes.subarray(from, Math.min(to + 1, most));
		const range = { 'content-range': `bytes ${from}-${from + body.length - 1}/${size}` };
		return { status: 206, headers: { ...common, ...range }, body };
	}

	async close(): Promise<void> {}
}

/** What no comparison of the runner may see. */
const UNSEEN = '\\p{Default_Ignorable_Code_Point}\\p{Cf}\\u001b';
const NEW_ESCAPE = new RegExp(`^([\\s${UNSEEN}]*)\\\\(\\\\*:[${UNSEEN}]*:)`, 'u');
const OLD_ESCAPE = new RegExp(`#\\\\([\\\\${UNSEEN}]*#[${UNSEEN}]*\\[)`, 'gu');

/** What the runner shows, turned back into what the log printed: see `neutralise` in src/log.ts. */
export function withoutEscapes(line: string): string {
	return line.replace(NEW_ESCAPE, '$1$2').replace(OLD_ESCAPE, '#$1');
}

/** The file whose lines were shown so: see src/job/log-lines.ts. Every line of it ends with a line feed. */
export function linesToText(lines: readonly string[]): string {
	return lines
		.map((line) =>
			line.endsWith(' ⤶') ? line.slice(0, -2) : `${line.replace(/ \\(\\*)(⤶|\[overwritten \d+×\])$/, ' $1$2')}\n`,
		)
		.join('');
}
