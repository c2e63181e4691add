import { describe, expect, test } from '@jest/globals';
import { createSlots } from '../../src/azure/slots.ts';

const MIB = 1024 * 1024;
const clock = { now: () => 0, sleep: async () => {}, random: () => 0 };
const turn = () => new Promise((done) => setImmediate(done));

test('small contents fill all places at once', async () => {
	const { started } = await asked(Array.from({ length: 70 }, () => 10_000));
	expect(started).toHaveLength(64);
});

test('large contents are held one after the other within 16 MiB, in the order of asking', async () => {
	const { started, endOne } = await asked(Array.from({ length: 20 }, () => 4 * MIB));
	expect(started).toHaveLength(4);
	await endOne();
	expect(started).toEqual(Array.from({ length: 5 }, (_, index) => index));
});

test('a content that is larger than all memory goes alone', async () => {
	const { started, endOne } = await asked([100 * MIB, 1]);
	expect(started).toEqual([0]);
	await endOne();
	expect(started).toEqual([0, 1]);
});

describe('the number of places', () => {
	const time = { now: 0 };
	const open = (most: number) => createSlots({ ...clock, now: () => time.now }, most);
	const good = async (slots: ReturnType<typeof open>, times: number): Promise<void> => {
		for (let turn = 0; turn < times; turn += 1) await slots.run(async () => {});
	};

	test('is halved at each sign of being busy, of those within a second once, and is never none', () => {
		const slots = open(8);
		slots.slowDown();
		time.now += 999;
		slots.slowDown();
		expect(slots.limit()).toBe(4);
		const limits = [1, 1000, 1000, 1000].map((ms) => {
			time.now += ms;
			slots.slowDown();
			return slots.limit();
		});
		expect(limits).toEqual([2, 1, 1, 1]);
	});

	test('comes back by one for each row of good answers that fills it, and not beyond what it was', async () => {
		const slots = open(4);
		await good(slots, 20);
		expect(slots.limit()).toBe(4);
		time.now += 10_000;
		slots.slowDown();
		await good(slots, 1);
		expect(slots.limit()).toBe(2);
		await good(slots, 1);
		expect(slots.limit()).toBe(3);
		await good(slots, 2);
		expect(slots.limit()).toBe(3);
		await good(slots, 20);
		expect(slots.limit()).toBe(4);
	});

	test('does not grow by requests that failed, nor by a row that a sign has broken', async () => {
		const slots = open(4);
		time.now += 10_000;
		slots.slowDown();
		for (let turn = 0; turn < 9; turn += 1) await slots.run(() => Promise.reject(new Error('no'))).catch(() => {});
		await good(slots, 1);
		slots.slowDown();
		await good(slots, 1);
		expect(slots.limit()).toBe(2);
		await good(slots, 1);
		expect(slots.limit()).toBe(3);
	});

	test('is as many as are under way at once', async () => {
		const { started, endOne } = await asked([1, 1, 1, 1, 1], 2);
		expect(started).toHaveLength(2);
		await endOne();
		await endOne();
		expect(started).toHaveLength(4);
	});
});

/** Asks for a place for contents of these sizes, none of which ends by itself. */
async function asked(sizes: readonly number[], most = 64) {
	const slots = createSlots(clock, most);
	const started: number[] = [];
	const ends: (() => void)[] = [];
	for (const [index, bytes] of sizes.entries()) {
		const task = () => {
			started.push(index);
			return new Promise<void>((end) => void ends.push(end));
		};
		void slots.run(task, bytes);
	}
	await turn();
	const endOne = async (): Promise<void> => {
		ends.shift()?.();
		await turn();
	};
	return { started, endOne };
}
