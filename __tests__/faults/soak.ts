// A day in the life of a job, for one seed: a virtual day of the real train step, in which one per cent of all requests
// meet with a mishap of any family, and the judge looks at what is left.
import { logOf } from '../job/log-scene.ts';
import type { Mishap } from './virtual-azure.ts';
import { JOB, LOG, SECRET, World } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Share of all requests that something befalls. */
const MISHAPS = 0.01;

const CLAIMS = Buffer.from('{"access_token":{"nbf":{"essential":true}}}').toString('base64');
const CHALLENGE: Mishap = {
	status: 401,
	headers: { 'www-authenticate': `Bearer error="insufficient_claims", claims="${CLAIMS}"` },
};
const refusal = (status: number): Mishap => ({
	status,
	// What services echo must be shown nowhere.
	body: { error: { code: 'Refused', message: `Refused: ${SECRET} and ?sig=c2lnbmF0dXJl%3D` } },
});

/** What may befall a request for the log. Each of these passes by itself. */
const OF_LOGS: readonly Mishap[] = [
	'down',
	'lost',
	'short',
	'whole',
	'touched',
	'expired',
	refusal(500),
	refusal(503),
	refusal(429),
	refusal(404),
	{ status: 304 },
];
/** What may befall any other. */
const OF_OTHERS: readonly Mishap[] = [
	'down',
	'lost',
	refusal(408),
	refusal(500),
	refusal(502),
	refusal(503),
	{ status: 429, headers: { 'retry-after': '17' } },
	{ status: 503, headers: { 'x-ms-retry-after-ms': '2500' } },
	CHALLENGE,
];
/** What may befall a look at a job that is there, beside those. */
const OF_LOOKS: readonly Mishap[] = [refusal(404), { status: 200, body: '<html>busy</html>' }];

/** What came of one day. */
export interface Day {
	/** The promises that were broken. */
	readonly broken: readonly string[];
	readonly mishaps: number;
}

/** Runs the day of a seed. `tamper` may change the world beforehand, to see that it is noticed. */
export async function soak(seed: number, tamper: (world: World) => void = () => {}): Promise<Day> {
	const world = new World({ seed, tokenLife: HOUR + 5 * MINUTE });
	const { chance, azure } = world;
	const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(chance() * from.length)];
	let mishaps = 0;
	let challenged = false;
	azure.befall = (line) => {
		const isLog = line.startsWith('GET log/');
		const again = !isLog && challenged;
		challenged = challenged && isLog;
		if (chance() >= MISHAPS) return undefined;
		// A second refusal in a row is an answer, and ends the step: see case 6.
		if (again) return undefined;
		mishaps += 1;
		if (isLog) return pick(OF_LOGS);
		const mishap = pick(
			/^GET (jobs|history)\//.test(line) && azure.jobs.has(JOB) ? [...OF_OTHERS, ...OF_LOOKS] : OF_OTHERS,
		);
		challenged = mishap === CHALLENGE;
		return mishap;
	};
	// Tokens cannot be had for a while, now and then; never for as long as the old one lasts.
	const darkness = chance() * 3 * MINUTE;
	world.tokensDown = (age) => age > HOUR && age < HOUR + darkness;
	const end = pick(['Completed', 'Completed', 'Completed', 'Failed', 'Canceled'] as const) ?? 'Completed';
	live(world, end);
	tamper(world);
	const run = await world.train();
	const code = end === 'Completed' ? 0 : 1;
	const broken = run.broken({ code, ...(code === 1 ? { says: new RegExp(`ended as ${end}`) } : {}) });
	return {
		broken: azure.refusedTokens > 0 ? [...broken, `${azure.refusedTokens} expired tokens were used`] : broken,
		mishaps,
	};
}

/** States and log of a job that lives for a day. */
function live(world: World, end: string): void {
	const { chance, clock, azure } = world;
	const start = chance() * 20 * HOUR;
	world.turn(chance() * start * 0.5, 'Queued');
	world.turn(start * 0.9, 'Preparing');
	world.turn(start, 'Running');
	for (const state of ['NotResponding', 'Running', 'Musing', 'Running', 'Paused', 'Running'])
		world.turn(start + chance() * (24 * HOUR - start) * 0.98, state);
	world.turn(24 * HOUR - MINUTE, 'Finalizing');
	world.turn(24 * HOUR, end);
	const parts = Array.from({ length: 4 }, () => logOf(chance));
	const log = Buffer.concat([
		...parts,
		Buffer.from(`\nthe key is ${SECRET}, I say\n`),
		logOf(chance),
		Buffer.from('\nthe end\n'),
	]);
	// Written in slices of any size at any time, the last ones after the end of the job.
	const cuts = Array.from({ length: 150 }, () => Math.floor(chance() * log.length)).sort((a, b) => a - b);
	const times = cuts.map(() => start + chance() * (24 * HOUR - start)).sort((a, b) => a - b);
	const last = [...times, 24 * HOUR + 1_000];
	for (const [turn, at] of last.entries()) {
		const slice = log.subarray(cuts[turn - 1] ?? 0, cuts[turn] ?? log.length);
		clock.at(at, () => azure.append(LOG, slice));
	}
}

/** What came of the days of several seeds. */
export interface SoakResult {
	/** Seeds that failed, with the promises that they have broken. */
	readonly failed: readonly { readonly seed: number; readonly broken: readonly string[] }[];
	readonly mishaps: number;
}

/** Runs the days of these seeds, one after the other. */
export async function soakAll(seeds: readonly number[]): Promise<SoakResult> {
	const failed: { seed: number; broken: readonly string[] }[] = [];
	let mishaps = 0;
	for (const seed of seeds) {
		const day = await soak(seed).catch((error) => ({ broken: [String(error)], mishaps: 0 }));
		mishaps += day.mishaps;
		if (day.broken.length > 0) failed.push({ seed, broken: day.broken });
	}
	return { failed, mishaps };
}
