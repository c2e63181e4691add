import { expect, test } from '@jest/globals';
import type { Content } from '../../src/asset/content.ts';
import { uploadContent } from '../../src/asset/upload.ts';
import type { BlobContainer } from '../../src/azure/blob.ts';
import type { Log } from '../../src/log.ts';

test('a long upload tells how far it is, how fast, and how long it will take', async () => {
	const { lines, upload } = uploading([1_000_000, 1_000_000, 2_000_000, 4_000_000], { perFile: 10_000 });
	await upload();
	expect(lines).toEqual([
		'Uploading src: 1 of 4 files, 2.0 MB of 8.0 MB, 100.0 kB/s, about 1 min left',
		'Uploading src: 3 of 4 files, 8.0 MB of 8.0 MB, 200.0 kB/s, about 0 s left',
	]);
});

test('an upload that is soon done tells nothing of its progress', async () => {
	const { lines, upload } = uploading([1_000_000, 1_000_000], { perFile: 5_000 });
	await upload();
	expect(lines).toEqual([]);
});

/** An upload of files of these sizes, each of which arrives `perFile` milliseconds after the one before. */
function uploading(sizes: readonly number[], { perFile }: { perFile: number }) {
	let now = 0;
	let turn = Promise.resolve();
	const lines: string[] = [];
	const container: Pick<BlobContainer, 'url' | 'put' | 'mark'> = {
		url: 'https://store.example/container',
		put(_name, { size }, { onBytes } = {}) {
			const mine = turn.then(() => {
				now += perFile;
				onBytes?.(size);
				return 'written' as const;
			});
			// The worker of the file before counts it as done first.
			turn = mine.then(() => new Promise((done) => setImmediate(done)));
			return mine;
		},
		mark: async () => {},
	};
	const content: Content = {
		base: 'src',
		folder: 'src',
		kind: 'folder',
		hash: '',
		bytes: sizes.reduce((sum, size) => sum + size, 0),
		files: sizes.map((size, index) => ({
			path: `f${index}`,
			size,
			md5: '',
			open: async () => ({ read: async () => Buffer.alloc(0), close: async () => {} }),
		})),
	};
	const clock = { now: () => now, sleep: async () => {}, random: () => 0 };
	const log = { info: (text: string) => void lines.push(text) } as Log;
	const upload = () =>
		uploadContent(
			container as BlobContainer,
			{ content, prefix: 'src', written: 'src', name: 'n', version: '1' },
			{ log, clock },
		);
	return { lines, upload };
}
