// Every recorded exchange that the emulator has a route for, sent to it again: status, headers that clients act on, names
// and types of properties are those recorded, or the difference is one of recordings/differences.ts.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { Client } from './client.ts';
import { DIFFERENCES, explanationOf, NOT_SENT } from './recordings/differences.ts';
import { RECORDINGS, replay } from './recordings/replay.ts';
import { differencesOf } from './recordings/shape.ts';

const isThere = existsSync(RECORDINGS);
if (!isThere) console.warn(`Recorded traffic is not at ${RECORDINGS}: it is not replayed.`);
const files = isThere ? filesBelow(RECORDINGS) : [];
const explained = new Set<(typeof DIFFERENCES)[number]>();
const unsent = new Set<(typeof NOT_SENT)[number]>();
let emulator: Emulator;
let client: Client;
let compared = 0;

(isThere ? describe : describe.skip)('recorded traffic', () => {
	beforeAll(async () => {
		emulator = await startEmulator({ jobStateDelayMs: 5 });
		client = await Client.signIn(emulator);
	});
	afterAll(async () => {
		await emulator?.stop();
	});

	test.each(isThere ? files : ['none'])('%s', async (file) => {
		const { compared: count, findings, left } = await replay(client, file);
		compared += count;
		const unexplained = findings.filter(({ route, difference }) => {
			const line = explanationOf(route, difference);
			if (line) explained.add(line);
			return line === undefined;
		});
		expect(unexplained).toEqual([]);
		for (const route of left) {
			const line = NOT_SENT.find(([pattern]) => pattern.test(route));
			expect([route, line?.[1]]).toEqual([route, expect.any(String)]);
			if (line) unsent.add(line);
		}
	});

	test('hundreds of exchanges were compared, and each line of the table stands for a difference', () => {
		expect(compared).toBeGreaterThan(570);
		expect(DIFFERENCES.filter((line) => !explained.has(line))).toEqual([]);
		expect(NOT_SENT.filter((line) => !unsent.has(line))).toEqual([]);
	});
});

test('the comparison sees a missing, an added and a changed property', () => {
	const recorded = {
		id: 'a',
		properties: { count: 1, list: [{ name: 'x' }], gone: true, tags: { mine: 'x' }, none: null },
	};
	const actual = { id: 'a', properties: { count: '1', list: [{ name: 5 }], tags: { yours: 'y' }, more: 1 } };
	expect(differencesOf(recorded, actual)).toEqual([
		'properties.gone: missing',
		'properties.more: not recorded',
		'properties.count: string for number',
		'properties.list[].name: number for string',
	]);
	expect(differencesOf(recorded, recorded)).toEqual([]);
});

function filesBelow(folder: string): string[] {
	return readdirSync(folder, { withFileTypes: true })
		.filter((one) => one.isDirectory() && one.name !== 'configs')
		.flatMap(({ name }) => readdirSync(join(folder, name)).map((file) => `${name}/${file}`))
		.filter((file) => file.endsWith('.json'));
}
