// The judge of a run, whatever befell it: what must hold always. It is given what a run left behind, of any kind that
// there is, and gives the promises that were broken. How the evidence of a run is gathered is site.ts's and world.ts's.
import { linesToText, withoutEscapes } from '../job/log-scene.ts';
import { type Canaries, leaksIn } from './canary.ts';

/** The log of a job. */
export interface LogEvidence {
	/** The lines that people see, in order. */
	readonly shown: readonly string[];
	/** Lines of ours beside them, where those are apart: gaps are told there, too. */
	readonly told?: readonly string[];
	/** What the job has written, by path. */
	readonly files: ReadonlyMap<string, Buffer>;
	/** Nothing else is among the shown lines: then they must give back the very bytes. */
	readonly alone: boolean;
}

/** A request as it arrived somewhere. */
export interface Sent {
	/** The host, or what stands for it. */
	readonly host: string;
	readonly line: string;
	readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface Evidence {
	/** Every text that left the action, by where it went. */
	readonly sinks: Readonly<Record<string, string>>;
	readonly canaries: Canaries;
	readonly log?: LogEvidence | undefined;
	/** The jobs of this run on the server: their states, and how many there should be. */
	readonly jobs?: { readonly states: readonly string[]; readonly expected: number } | undefined;
	/** The shares of an endpoint's deployments, and what they should be. */
	readonly traffic?: { readonly is: object; readonly shouldBe: object } | undefined;
	readonly requests?: { readonly sent: readonly Sent[]; readonly mayHaveToken: (sent: Sent) => boolean } | undefined;
	/** What should be gone: processes, timers, jobs that nobody wants any more. */
	readonly left?: readonly string[] | undefined;
	readonly exit?: ExitEvidence | undefined;
}

/** How the run ended, and how it should have. */
export interface ExitEvidence {
	readonly code: number | null;
	readonly expected: number | null;
	/** What it said of its failure. */
	readonly said: string;
	readonly shouldSay?: RegExp | undefined;
}

/** The promises that were broken, in words; none is as it should be. */
export function judge({ sinks, canaries, log, jobs, traffic, requests, left = [], exit }: Evidence): string[] {
	return [
		...Object.entries(sinks).flatMap(([sink, text]) => leaksIn(text, canaries).map((leak) => `${sink} shows: ${leak}`)),
		...(log === undefined ? [] : judgeLog(log, canaries)),
		...(jobs === undefined || jobs.states.length === jobs.expected
			? []
			: [`there are ${jobs.states.length} jobs (${jobs.states.join(', ')}) instead of ${jobs.expected}`]),
		...(traffic === undefined || sameShares(traffic.is, traffic.shouldBe)
			? []
			: [`the traffic is ${JSON.stringify(traffic.is)} instead of ${JSON.stringify(traffic.shouldBe)}`]),
		...(requests === undefined ? [] : judgeRequests(requests)),
		...left.map((what) => `left behind: ${what}`),
		...(exit === undefined ? [] : judgeExit(exit)),
	];
}

/** The headers by which somebody is let in. */
const CREDENTIALS = ['authorization', 'x-azureml-token', 'proxy-authorization', 'cookie'];

function judgeRequests({ sent, mayHaveToken }: NonNullable<Evidence['requests']>): string[] {
	return sent
		.filter((one) => CREDENTIALS.some((name) => one.headers[name] !== undefined) && !mayHaveToken(one))
		.map(({ host, line }) => `a credential was sent to ${host}: ${line.slice(0, 120)}`);
}

function judgeExit({ code, expected, said, shouldSay }: ExitEvidence): string[] {
	return [
		...(code === expected ? [] : [`it ended with ${code} instead of ${expected}: ${said.slice(-600).trimStart()}`]),
		...(shouldSay === undefined || shouldSay.test(said)
			? []
			: [`it does not say ${shouldSay}, but: ${said.slice(-600).trimStart()}`]),
	];
}

/** A deployment without a share is as good as one that is not named. */
function sameShares(one: object, other: object): boolean {
	const shares = (map: object): string =>
		JSON.stringify(
			Object.entries(map)
				.filter(([, share]) => share !== 0)
				.sort(),
		);
	return shares(one) === shares(other);
}

/** Bytes are shown once and in order, or a line says of that very file what is missing or shown again. */
function judgeLog({ shown, told = [], files, alone }: LogEvidence, canaries: Canaries): string[] {
	const broken: string[] = [];
	const gaps = new Set([...shown, ...told].flatMap((line) => /^\[gap: (\S+)/.exec(line)?.[1] ?? []));
	for (const [path, bytes] of files) {
		if (gaps.has(path)) continue;
		const written = bytes.toString();
		if (alone) {
			if (!sameText(linesToText(shown.map(withoutEscapes)), written)) broken.push(difference(path, shown, written));
			continue;
		}
		// Among other lines only those are told apart that hold something of their own, and no secret.
		const lines = written.split(/\r?\n/).filter((line) => line.trim() !== '' && leaksIn(line, canaries).length === 0);
		const known = new Set(lines);
		const seen = shown.map(withoutEscapes).filter((line) => known.has(line));
		if (seen.join('\n') !== lines.join('\n')) broken.push(difference(path, seen, lines.join('\n')));
	}
	return broken;
}

/** A last line may lack its end; carriage returns before line feeds are not shown. */
function sameText(back: string, written: string): boolean {
	const text = written.replace(/\r\n/g, '\n');
	return [text, `${text}\n`].some((expected) => back === expected || `${back}\n` === expected);
}

function difference(path: string, shown: readonly string[], written: string): string {
	const back = shown.join('\n');
	let place = 0;
	while (place < back.length && back[place] === written[place]) place += 1;
	const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, place - 30), place + 50));
	return `${path} is not shown as it was written, from ${place} on: ${around(back)} instead of ${around(written)}`;
}
