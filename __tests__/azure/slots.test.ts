import { expect, test } from '@jest/globals';
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

/** Asks for a place for contents of these sizes, none of which ends by itself. */
async function asked(sizes: readonly number[]) {
	const slots = createSlots(clock, 64);
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
