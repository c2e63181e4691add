// Which files of a folder its own ignore file keeps from being uploaded. Only the file in the folder itself counts, as
// with the CLI; what is withheld whatever an ignore file says is withheld.ts's.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { fileErrorCode } from './file-error.ts';

/** The rules of one folder. Paths are relative to it, with `/` between their parts and none at their end. */
export interface IgnoreRules {
	/** The file that the rules come from, or undefined where there is none. */
	readonly file: '.amlignore' | '.gitignore' | undefined;
	/** Whether the last rule that matches the path excludes it. */
	excludes(path: string): boolean;
	/** Whether everything below a folder is excluded for certain, so that nobody needs to look there. */
	excludesAllOf(folder: string): boolean;
	/** Whether a `!` rule of `.amlignore` names the path: its author wants it uploaded whatever it is. */
	wants(path: string): boolean;
	/** Whether there may be something that `wants` says yes to. */
	readonly hasWishes: boolean;
}

/** The rules where there is no ignore file. */
export const NO_RULES: IgnoreRules = parseIgnoreRules('', undefined);

/** Reads `.amlignore` of a folder, else its `.gitignore`. */
export async function readIgnoreRules(folder: string): Promise<IgnoreRules> {
	for (const name of ['.amlignore', '.gitignore'] as const) {
		const text = await readFile(path.join(folder, name), 'utf8').catch(absent);
		if (text !== undefined) return parseIgnoreRules(text, name);
	}
	return NO_RULES;
}

/** The rules of an ignore file's text. */
export function parseIgnoreRules(text: string, file: IgnoreRules['file']): IgnoreRules {
	const rules = text
		.replace(/^\uFEFF/, '')
		.split(/\r?\n/)
		.map((line) => line.trimEnd())
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => ({ negative: line.startsWith('!'), matcher: matcherOf(line.replace(/^!/, '')) }));
	const negations = rules.some((rule) => rule.negative);
	// One matcher for all is much faster, and the same where no rule takes back another.
	const all = negations ? undefined : matcherOf(text.replace(/^\uFEFF/, ''));
	const last = (path: string) => rules.findLast((rule) => rule.matcher.ignores(path));
	const excludes = (path: string): boolean => all?.ignores(path) ?? last(path)?.negative === false;
	return {
		file,
		excludes,
		excludesAllOf: (folder) => !negations && excludes(`${folder}/`),
		wants: (path) => file === '.amlignore' && negations && last(path)?.negative === true,
		hasWishes: file === '.amlignore' && negations,
	};
}

/**
 * Git's patterns, each tried on the path of a file: a file below a matching folder matches, and may be taken back by a later
 * rule, which git itself does not do.
 */
function matcherOf(patterns: string): Ignore {
	return ignore({ ignorecase: false, allowRelativePaths: true }).add(patterns);
}

function absent(error: unknown): undefined {
	if (!['ENOENT', 'EISDIR', 'ENOTDIR'].includes(fileErrorCode(error))) throw error;
	return undefined;
}
