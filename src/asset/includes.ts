// Code of a component together with its `additional_includes`: one tree out of several places, as if all had been copied
// into one folder. Each place is walked, and confined, on its own.
import path from 'node:path';
import { type IgnoreRules, NO_RULES, readIgnoreRules } from './ignore.ts';
import { inFileOrder, type LocalFile, type LocalTree, type WalkBounds, walk } from './walk.ts';

/** The name that such a folder has in storage, the same as the CLI gives it. */
const MERGED = 'code_with_additional_includes';

/**
 * Walks the code folder and each include. A file lies under its base name, a folder with all below its base name. The ignore
 * file of the code folder holds for the includes too, and an included folder's own one besides.
 * @param root the code folder or file; empty where the component has no code of its own
 */
export async function walkWithIncludes(
	root: string,
	includes: readonly string[],
	bounds: WalkBounds,
): Promise<LocalTree> {
	const code = root === '' ? undefined : await walk(root, bounds);
	const rules = code?.kind === 'folder' ? await readIgnoreRules(root) : NO_RULES;
	const trees = await Promise.all(includes.map((include) => walk(include, bounds)));
	const files = new Map<string, LocalFile>(code?.files.map((file) => [file.path, file]));
	for (const tree of trees) {
		for (const file of placed(tree, rules)) files.set(file.path, file);
	}
	const all = [...(code === undefined ? [] : [code]), ...trees.map(named)];
	return {
		base: MERGED,
		kind: 'folder',
		files: [...files.values()].sort(inFileOrder),
		entries: [],
		withheld: all.flatMap((tree) => tree.withheld),
		loops: all.flatMap((tree) => tree.loops),
		problems: all.flatMap((tree) => tree.problems),
	};
}

function placed(tree: LocalTree, rules: IgnoreRules): readonly LocalFile[] {
	const files = tree.files.map((file) => ({ ...file, path: below(tree, file.path) }));
	return files.filter((file) => !rules.excludes(file.path));
}

function named(tree: LocalTree): LocalTree {
	const within = (one: string): string => below(tree, one);
	return { ...tree, withheld: tree.withheld.map(within), loops: tree.loops.map(within) };
}

function below(tree: LocalTree, file: string): string {
	return tree.kind === 'folder' ? path.posix.join(tree.base, file) : file;
}
