import { expect, test } from '@jest/globals';
import { Nodes } from '../../../emulator/jobs/nodes.ts';

const never = new Promise<void>(() => {});

test('nodes are given in the order of asking, and not to those who gave up', async () => {
	const nodes = new Nodes(1);
	const order: string[] = [];
	const first = await nodes.take(never);
	let giveUp = () => {};
	const isGivenUp = new Promise<void>((resolve) => {
		giveUp = resolve;
	});
	const second = nodes.take(isGivenUp).then((release) => order.push(release ? 'second' : 'second gave up'));
	const third = nodes.take(never).then((release) => {
		order.push('third');
		release?.();
	});
	giveUp();
	await second;
	expect(order).toEqual(['second gave up']);
	first?.();
	await third;
	expect(order).toEqual(['second gave up', 'third']);
	// The node is free again.
	expect(await nodes.take(never)).toBeInstanceOf(Function);
});
