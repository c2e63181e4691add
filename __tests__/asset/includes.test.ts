import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { hashTree } from '../../src/asset/hash.ts';
import { walkWithIncludes } from '../../src/asset/includes.ts';
import type { LocalTree } from '../../src/asset/walk.ts';
import { TestFolders } from './folder.ts';

const folders = new TestFolders();
afterEach(() => folders.remove());

async function merged(
	content: Parameters<TestFolders['make']>[0],
	code: string,
	includes: readonly string[],
): Promise<LocalTree> {
	const checkout = await folders.make(content);
	const at = (one: string): string => (one === '' ? '' : path.join(checkout, one));
	return walkWithIncludes(at(code), includes.map(at), { checkout });
}

const paths = (tree: LocalTree): string[] => tree.files.map((file) => file.path);

test('files come under their names, folders with what is in them', async () => {
	const content = {
		'src/train.py': 'print(1)\n',
		'src/lib/a.txt': 'a\n',
		'shared/util.py': 'u=1\n',
		'shared/deep/x.txt': 'x\n',
		'extra.txt': 'extra\n',
	};
	const tree = await merged(content, 'src', ['shared', 'extra.txt']);
	expect(paths(tree)).toEqual(['extra.txt', 'lib/a.txt', 'shared/deep/x.txt', 'shared/util.py', 'train.py']);
	expect([tree.base, tree.kind, tree.problems]).toEqual(['code_with_additional_includes', 'folder', []]);
	// The hash that azure-ai-ml 1.35.2 gave for the same files.
	expect((await hashTree(tree, 'content')).hash).toBe(
		'a5ccd087d1a93524631565d73093760f02d8a2ac55b30bc2b04cc70b0f7c38b9',
	);
});

test('a component without code has its includes alone; code may be one file', async () => {
	expect(paths(await merged({ 'a/x': '', 'b.txt': '' }, '', ['a', 'b.txt']))).toEqual(['a/x', 'b.txt']);
	expect(paths(await merged({ 'src/t.py': '', 'src/o.py': '', 'b.txt': '' }, 'src/t.py', ['b.txt']))).toEqual([
		'b.txt',
		't.py',
	]);
});

test('the ignore files of the code and of the included folder both hold', async () => {
	const content = {
		'src/.amlignore': '*.log\n',
		'src/t.py': '',
		'more/.gitignore': 'tmp/\n',
		'more/x.log': '',
		'more/tmp/y': '',
		'more/z.py': '',
	};
	expect(paths(await merged(content, 'src', ['more']))).toEqual(['.amlignore', 'more/.gitignore', 'more/z.py', 't.py']);
});

test('what cannot be uploaded is told of every place, and secrets are withheld in each', async () => {
	const tree = await merged({ 'src/t.py': '', 'src/.env': '', 'more/.env': '', 'more/z': '' }, 'src', ['more', 'gone']);
	expect(tree.withheld).toEqual(['.env', 'more/.env']);
	expect(tree.problems).toEqual([expect.stringMatching(/^Nothing is at .*gone\.$/)]);
});
