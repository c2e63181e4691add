// The walk over folders that chance has made, with links to everywhere: what is found never lies outside, is never what is
// withheld, and is all that there is.
import { lstat, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { type LocalTree, walk } from '../../src/asset/walk.ts';
import { chanceOf } from '../job/log-scene.ts';
import { type Link, TestFolders } from './folder.ts';

const folders = new TestFolders();
afterEach(() => folders.remove());

const FOLDERS = ['', 'src', 'src/a', 'src/a/deep', 'lib', 'lib/b'];
const WITHHELD = ['.env', '.git/config', 'src/.ssh/id_rsa', 'lib/key.pem', 'runner/event.json'];
const CANARY = 'canary';

/** A checkout of plain files, files that are withheld, and links between all of these and an outside folder. */
async function makeTree(chance: () => number): Promise<{ checkout: string; plain: string[]; links: string[] }> {
	const upTo = (limit: number): number => Math.floor(chance() * limit);
	const one = <T>(items: readonly T[]): T => items[upTo(items.length)] as T;
	const outside = await folders.make({ 'secret.txt': CANARY, 'more/secret.txt': CANARY });
	const checkout = await folders.make({});
	const content: Record<string, string | Link> = Object.fromEntries(WITHHELD.map((name) => [name, CANARY]));
	const plain: string[] = [];
	const links: string[] = [];
	for (const folder of FOLDERS) {
		for (let count = upTo(3); count > 0; count -= 1) plain.push(path.posix.join(folder, `file${count}.py`));
	}
	plain.push('src/train.py');
	for (const name of plain) content[name] = name;
	for (let count = 1 + upTo(8); count > 0; count -= 1) {
		const name = path.posix.join(one(FOLDERS), `link${count}`);
		const target = one([
			() => path.join(checkout, one(plain)),
			() => path.join(checkout, one(FOLDERS)),
			() => path.join(checkout, one(WITHHELD)),
			() => path.join(checkout, path.dirname(one(WITHHELD))),
			() => path.join(checkout, links.length === 0 ? 'nowhere' : one(links)),
			() => path.join(checkout, name),
			() => path.join(outside, one(['secret.txt', 'more', '.'])),
			() => one(['/', '/etc/hostname', '/dev/null', '/proc/self/environ', '..', '../..']),
		])();
		const isRelative = chance() < 0.5 && path.isAbsolute(target);
		const from = path.join(checkout, path.dirname(name));
		content[name] = { to: isRelative ? path.relative(from, target) || '.' : target };
		links.push(name);
	}
	await folders.add(checkout, { 'src/a/deep/': '', 'lib/b/': '', ...content });
	return { checkout, plain, links };
}

/** Nothing from outside, and nothing that is withheld, under whatever name. */
async function checkFiles({ files }: LocalTree, checkout: string, where: object): Promise<void> {
	for (const { source, path: name } of files) {
		const real = await realpath(source);
		expect({ ...where, name, inside: real.startsWith(`${checkout}/`) }).toMatchObject({ inside: true });
		expect({ ...where, name, content: await readFile(source, 'utf8') }).not.toMatchObject({ content: CANARY });
		expect((await lstat(source)).isFile()).toBe(true);
	}
}

async function checkWalk(seed: number): Promise<void> {
	const chance = chanceOf(seed);
	const { checkout, plain, links } = await makeTree(chance);
	const below = chance() < 0.5 ? '' : 'src';
	const root = path.join(checkout, below);
	const most = 3_000;
	const bounds = { checkout, runnerPaths: [path.join(checkout, 'runner')], most };
	const tree = await walk(root, bounds);
	const found = tree.files.map((file) => file.path);
	const where = { seed, below, found };

	await checkFiles(tree, checkout, where);
	// Each file at its own path, once; links can make many of few, up to a bound.
	const wanted = plain
		.filter((name) => below === '' || name.startsWith('src/'))
		.map((name) => path.posix.relative(below, name));
	expect({ ...where, missing: wanted.filter((name) => !found.includes(name)) }).toMatchObject({ missing: [] });
	expect(new Set(found).size).toBe(found.length);
	expect(found.length).toBeLessThanOrEqual(most + 1);
	// Each link was followed, or it is told why it was not.
	const told = [...tree.problems, ...tree.withheld, ...tree.loops].join('\n');
	for (const link of links) {
		const shown = path.posix.relative(below, link);
		if (shown.startsWith('..')) continue;
		const target = await realpath(path.join(checkout, link)).catch(() => undefined);
		const isEmpty =
			target !== undefined && ['src/a/deep', 'lib/b'].some((folder) => target === path.join(checkout, folder));
		const followed = found.some((name) => name === shown || name.startsWith(`${shown}/`));
		expect({ ...where, link, ok: followed || isEmpty || told.includes(shown) }).toMatchObject({ ok: true });
		// A link in the place of the folder itself leads to no more than one in it.
		await checkFiles(await walk(path.join(checkout, link), bounds), checkout, { ...where, link });
	}
}

test('two hundred folders full of links', async () => {
	for (let seed = 1; seed <= 200; seed += 1) await checkWalk(seed);
});
