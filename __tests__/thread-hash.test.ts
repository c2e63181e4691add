import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { md5Of, type PieceHash } from '../src/thread-hash.ts';

const MIB = 1024 * 1024;
let hash: PieceHash;
afterEach(() => hash.close());

describe.each([
	['small content', 5],
	['large content, in another thread', 32 * MIB],
])('the MD5 of %s', (_, size) => {
	test('is that of its pieces, whose memory is used again when they were taken', async () => {
		hash = md5Of(size);
		const expected = createHash('md5');
		const memory = Buffer.alloc(100_000);
		for (let piece = 0; piece < 40; piece += 1) {
			const part = memory.fill(piece).subarray(0, memory.length - piece);
			expected.update(part);
			await hash.update(part);
		}
		memory.fill(0);
		expect((await hash.digest()).toString('hex')).toBe(expected.digest('hex'));
	});

	test('of nothing is that of nothing', async () => {
		hash = md5Of(size);
		expect((await hash.digest()).toString('hex')).toBe('d41d8cd98f00b204e9800998ecf8427e');
	});
});

test('a thread that has ended is an error for whoever waits or comes later, not a wait without end', async () => {
	hash = md5Of(32 * MIB);
	const digest = hash.digest();
	hash.close();
	await expect(digest).rejects.toThrow('has ended');
	await expect(hash.digest()).rejects.toThrow('has ended');
});
