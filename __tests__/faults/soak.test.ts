// Cases 79 and 80 of the fault table: virtual days with one per cent of mishaps, and the seeds that have found something.
// `npm run soak` lives through a thousand of them.
import { describe, expect, jest, test } from '@jest/globals';
import { KEPT_SEEDS } from './seeds.ts';
import { soak, soakAll } from './soak.ts';
import { JOB, LOG, SECRET, type World } from './world.ts';

jest.setTimeout(300_000);

/** How many days are lived through on every change. */
const DAYS = 40;

test(`case 79 Z-soak: every promise is kept on ${DAYS} virtual days with one per cent of mishaps`, async () => {
	const { failed, mishaps } = await soakAll(Array.from({ length: DAYS }, (_, place) => place + 1));
	expect(failed).toEqual([]);
	expect(mishaps).toBeGreaterThan(DAYS * 100);
});

test('case 80 Z-regress: the seeds that have found a fault stay clean', async () => {
	const { failed } = await soakAll(KEPT_SEEDS.map(({ seed }) => seed));
	expect(failed).toEqual([]);
	expect(new Set(KEPT_SEEDS.map(({ seed }) => seed)).size).toBe(KEPT_SEEDS.length);
});

describe('a day on which a promise is broken is found:', () => {
	const LATE = 24 * 3_600_000 - 30_000;
	/** Changes something shortly before the end of the job. */
	const late =
		(change: (world: World) => void) =>
		(world: World): void =>
			world.clock.at(LATE, () => change(world));

	test.each<[string, (world: World) => void, RegExp]>([
		[
			'a byte of the log gets lost',
			late(({ azure }) => {
				const bytes = azure.files.get(LOG) ?? Buffer.alloc(0);
				// Far before the place that was reached, where nobody looks again.
				bytes[3] = (bytes[3] ?? 0) ^ 1;
			}),
			/is not shown as it was written/,
		],
		['a second job appears', late(({ azure }) => void azure.jobs.set(`${JOB}-2`, { status: 'Running' })), /2 jobs/],
		['a secret is told', late((world) => void world.told.push(`it is ${SECRET}`)), /our lines shows: client secret/],
		[
			'a token is sent to storage',
			late(({ azure }) => void azure.misled.push('GET https://acc.blob')),
			/where none belongs/,
		],
	])('%s', async (_, tamper, finding) => {
		const { broken } = await soak(7, tamper);
		expect(broken.join('\n')).toMatch(finding);
		expect(broken).not.toEqual([]);
	});
});
