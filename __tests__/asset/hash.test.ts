import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type HashKind, hashTree } from '../../src/asset/hash.ts';
import { walk } from '../../src/asset/walk.ts';
import { TestFolders } from './folder.ts';

const folders = new TestFolders();
afterEach(() => folders.remove());

const SAMPLE = { 'train.py': 'print("a")\n', 'sub/B.txt': 'b\n', 'sub/a.txt': 'a\n', 'empty.txt': '' };

async function hash(content: Parameters<TestFolders['make']>[0], kind: HashKind, below = ''): Promise<string> {
	const checkout = await folders.make(content);
	const result = await hashTree(await walk(path.join(checkout, below), { checkout }), kind);
	expect(result.problems).toEqual([]);
	return result.hash;
}

describe('the hashes of the Azure ML CLI', () => {
	test('of a folder', async () => {
		await expect(hash(SAMPLE, 'upload')).resolves.toBe('560c8933b7514c50d054064b04255622');
		await expect(hash(SAMPLE, 'content')).resolves.toBe(
			'b6e0925cef66af06076f830996ba21005aa0a6a5011c274a423f1b0f34adb505',
		);
	});

	test('of a single file', async () => {
		await expect(hash(SAMPLE, 'upload', 'train.py')).resolves.toBe('c6e04d69b065fc2ade38ab7eb598dbe6');
		await expect(hash(SAMPLE, 'content', 'train.py')).resolves.toBe(
			'815393c2c7e70ade60939eeb0e0db8a38381ed30ce4714c9522099ba754b00d1',
		);
	});

	test('do not change with what is ignored or withheld, but for the ignore file itself', async () => {
		const rules = { '.amlignore': '*.log\nbuild\n' };
		const clean = await hash({ ...SAMPLE, ...rules }, 'upload');
		const more = { ...SAMPLE, ...rules, 'x.log': '1', 'build/y': '2', '.git/config': '3', '.env': '4' };
		await expect(hash(more, 'upload')).resolves.toBe(clean);
		await expect(hash(more, 'content')).resolves.toBe(await hash({ ...SAMPLE, ...rules }, 'content'));
	});

	test('an empty folder counts in the upload hash alone', async () => {
		expect(await hash({ ...SAMPLE, 'void/': '' }, 'upload')).not.toBe(await hash(SAMPLE, 'upload'));
		expect(await hash({ ...SAMPLE, 'void/': '' }, 'content')).toBe(await hash(SAMPLE, 'content'));
	});

	test('the content hash tells names from contents, as the upload hash does not', async () => {
		const [one, other] = [{ a: 'bc' }, { ab: 'c' }];
		expect(await hash(one, 'upload')).toBe(await hash(other, 'upload'));
		expect(await hash(one, 'content')).not.toBe(await hash(other, 'content'));
	});

	test('a link counts under its own name with the content it leads to', async () => {
		const linked = { 'src/a.txt': { to: '../shared/a.txt' }, 'shared/a.txt': 'a\n' };
		const plain = { 'src/a.txt': 'a\n' };
		expect(await hash(linked, 'content', 'src')).toBe(await hash(plain, 'content', 'src'));
		expect(await hash(linked, 'upload', 'src')).toBe(await hash(plain, 'upload', 'src'));
		expect(await hash({ ...linked, 'shared/a.txt': 'b\n' }, 'upload', 'src')).not.toBe(
			await hash(plain, 'upload', 'src'),
		);
	});

	test('a file that a rule takes back counts, though its folder is excluded by name', async () => {
		const rules = { '.amlignore': 'foo\n!foo/keep.txt\n' };
		const one = await hash({ ...rules, 'foo/keep.txt': '1' }, 'upload');
		expect(await hash({ ...rules, 'foo/keep.txt': '2' }, 'upload')).not.toBe(one);
	});
});

describe('reading', () => {
	test('gives each file its MD5, in the order of lower-cased paths', async () => {
		const checkout = await folders.make({ 'B.txt': 'b', 'a.txt': 'a', 'a/c': 'c', Zoë: 'z', ZOE: 'y' });
		const { files } = await hashTree(await walk(checkout, { checkout }), 'content');
		expect(files.map((file) => file.path)).toEqual(['a.txt', 'a/c', 'B.txt', 'ZOE', 'Zoë']);
		expect(files[0]?.md5).toBe('DMF1ucDxtqgxw5niaXcmYQ==');
	});

	test('notices a file whose size changed after the walk, and one that vanished, both at once', async () => {
		const checkout = await folders.make({ 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' });
		const tree = await walk(checkout, { checkout });
		await writeFile(path.join(checkout, 'a.txt'), 'longer');
		await rm(path.join(checkout, 'c.txt'));
		const { problems } = await hashTree(tree, 'content');
		expect(problems).toEqual(['a.txt changed while it was read.', 'c.txt vanished.']);
	});

	test('does not follow a file that became a link', async () => {
		const checkout = await folders.make({ 'a.txt': 'a' });
		const tree = await walk(checkout, { checkout });
		await rm(path.join(checkout, 'a.txt'));
		await symlink('/etc/hostname', path.join(checkout, 'a.txt'));
		const { problems } = await hashTree(tree, 'content');
		expect(problems).toEqual(['a.txt is no longer a plain file.']);
	});
});

/** Recorded uploads of the CLI; they lie beside the project and not in it. */
const GOLDEN = path.resolve(import.meta.dirname, '../../../shared/golden');

interface Golden {
	readonly files: readonly string[];
	readonly requests?: readonly { readonly method: string; readonly path: string; readonly files?: readonly string[] }[];
}

(existsSync(GOLDEN) ? describe : describe.skip)('the recorded uploads of the CLI', () => {
	test('have the hashes that we compute', async () => {
		const inputs = path.join(GOLDEN, 'inputs');
		const uploads = new Map<string, { base: string; files: readonly string[]; inputs: readonly string[] }>();
		for (const file of existsSync(GOLDEN) ? readdirSync(path.join(GOLDEN, 'cases'), { recursive: true }) : []) {
			if (!String(file).endsWith('.json')) continue;
			const golden = JSON.parse(readFileSync(path.join(GOLDEN, 'cases', String(file)), 'utf8')) as Golden;
			for (const { method, path: to, files = [] } of golden.requests ?? []) {
				const [, hash, base] = /LocalUpload\/([0-9a-f]{32})\/(.+)$/.exec(to) ?? [];
				if (method === 'UPLOAD' && hash !== undefined && base !== undefined && base !== 'COMPONENT_PLACEHOLDER') {
					uploads.set(`${hash} ${base}`, { base, files, inputs: golden.files });
				}
			}
		}
		const wrong: string[] = [];
		for (const [key, upload] of uploads) {
			const [hash = ''] = key.split(' ');
			const hashes = await Promise.all(
				candidates(inputs, upload).map(
					async (one) => (await hashTree(await walk(one, { checkout: inputs }), 'upload')).hash,
				),
			);
			if (!hashes.includes(hash)) wrong.push(key);
		}
		expect(wrong).toEqual([]);
		expect(uploads.size).toBeGreaterThan(20);
	});
});

/** Files and folders among the inputs of a case that have the name of what was uploaded. */
function candidates(inputs: string, { base, inputs: files }: { base: string; inputs: readonly string[] }): string[] {
	const found = new Set<string>();
	for (const file of files) {
		const parts = file.split('/');
		for (const [place, part] of parts.entries()) {
			if (part === base) found.add(path.join(inputs, ...parts.slice(0, place + 1)));
		}
	}
	return [...found].filter((one) => existsSync(one));
}
