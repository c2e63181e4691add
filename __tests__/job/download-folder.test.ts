import { createHash } from 'node:crypto';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FileContent, openDownloadFolder } from '../../src/job/download-folder.ts';

let checkout: string;
let outside: string;

beforeEach(() => {
	checkout = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')));
	outside = realpathSync(mkdtempSync(join(tmpdir(), 'outside-')));
});
afterEach(() => {
	for (const folder of [checkout, outside]) rmSync(folder, { recursive: true, force: true });
});

function content(text: string, other: Partial<FileContent> = {}): FileContent {
	const bytes = Buffer.from(text);
	const md5 = createHash('md5').update(bytes).digest('base64');
	const pieces = async function* () {
		for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
	};
	return { size: bytes.length, md5, pieces, ...other };
}

describe('a file', () => {
	test('is written whole, for its owner alone, in folders that are made for it', async () => {
		const folder = await openDownloadFolder('./azureml', checkout);
		await folder.write('named-outputs/model/a.txt', content('hello world'));
		await folder.write('named-outputs/model/empty.txt', content(''));
		const path = join(checkout, 'azureml/named-outputs/model/a.txt');
		expect(readFileSync(path, 'utf8')).toBe('hello world');
		expect(statSync(path).mode & 0o777).toBe(0o600);
		expect(folder.path).toBe(join(checkout, 'azureml'));
		expect(readdirSync(join(checkout, 'azureml/named-outputs/model')).sort()).toEqual(['a.txt', 'empty.txt']);
	});

	test('is held where it has the size and the MD5, and not where only the size is known', async () => {
		const folder = await openDownloadFolder('azureml', checkout);
		await folder.write('a.txt', content('hello'));
		expect(await folder.holds('a.txt', content('hello'))).toBe(true);
		expect(await folder.holds('a.txt', content('jello'))).toBe(false);
		expect(await folder.holds('a.txt', content('hello', { md5: undefined }))).toBe(false);
		expect(await folder.holds('b.txt', content('hello'))).toBe(false);
	});

	test('takes the place of an older one', async () => {
		const folder = await openDownloadFolder('azureml', checkout);
		await folder.write('a.txt', content('old'));
		await folder.write('a.txt', content('new and longer'));
		expect(readFileSync(join(folder.path, 'a.txt'), 'utf8')).toBe('new and longer');
	});

	test.each([
		['of another size', { size: 99 }],
		['of other bytes', { md5: 'bm90IHRoZSBzYW1lIQ==' }],
	])('that turns out to be %s leaves nothing behind', async (_, other) => {
		const folder = await openDownloadFolder('azureml', checkout);
		await expect(folder.write('a.txt', content('hello', other))).rejects.toThrow('not what storage announced');
		expect(readdirSync(folder.path)).toEqual([]);
	});

	test('that breaks off leaves the older one as it is', async () => {
		const folder = await openDownloadFolder('azureml', checkout);
		await folder.write('a.txt', content('old'));
		const pieces = async function* () {
			yield Buffer.from('ne');
			throw new Error('lost');
		};
		await expect(folder.write('a.txt', content('new', { pieces }))).rejects.toThrow('lost');
		expect(readdirSync(folder.path)).toEqual(['a.txt']);
		expect(readFileSync(join(folder.path, 'a.txt'), 'utf8')).toBe('old');
	});
});

describe('a link is never written through', () => {
	test('in the place of the folder itself, or of one on the way to it', async () => {
		symlinkSync(outside, join(checkout, 'azureml'));
		await expect(openDownloadFolder('./azureml', checkout)).rejects.toThrow('it is a link');
		await expect(openDownloadFolder('azureml/deeper', checkout)).rejects.toThrow('it is a link');
		expect(readdirSync(outside)).toEqual([]);
	});

	test('in the place of a folder below', async () => {
		const folder = await openDownloadFolder('azureml', checkout);
		symlinkSync(outside, join(folder.path, 'named-outputs'));
		await expect(folder.write('named-outputs/a.txt', content('x'))).rejects.toThrow('it is a link');
		expect(readdirSync(outside)).toEqual([]);
	});

	test('in the place of the file', async () => {
		const target = join(outside, 'target');
		writeFileSync(target, 'untouched');
		const folder = await openDownloadFolder('azureml', checkout);
		symlinkSync(target, join(folder.path, 'a.txt'));
		await expect(folder.write('a.txt', content('x'))).rejects.toThrow('it is a link');
		expect(readFileSync(target, 'utf8')).toBe('untouched');
	});

	test('that takes the place of a folder while the bytes come', async () => {
		const folder = await openDownloadFolder('azureml', checkout);
		const pieces = async function* () {
			rmSync(join(folder.path, 'sub'), { recursive: true });
			symlinkSync(outside, join(folder.path, 'sub'));
			yield Buffer.from('x');
		};
		await expect(folder.write('sub/a.txt', content('x', { pieces }))).rejects.toThrow(/is a link|ENOENT/);
		expect(existsSync(join(outside, 'a.txt'))).toBe(false);
	});
});

describe('the folder', () => {
	test('may be anywhere where the workflow says so by an absolute path', async () => {
		const folder = await openDownloadFolder(join(outside, 'a/b'), checkout);
		expect(folder.path).toBe(join(outside, 'a/b'));
	});

	test('cannot be where a file is', async () => {
		writeFileSync(join(checkout, 'azureml'), '');
		await expect(openDownloadFolder('azureml', checkout)).rejects.toThrow('it is no folder');
		mkdirSync(join(checkout, 'ok/a'), { recursive: true });
		const folder = await openDownloadFolder('ok', checkout);
		await expect(folder.write('a', content('x'))).rejects.toThrow('it is no file');
	});
});
