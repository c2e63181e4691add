// SECURITY.md names a test for each threat: that test exists, and the links lead somewhere.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const TEXT = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');

/** A place in the last column: a test file with the title of a test or a group, or a workflow. */
const SEEN = /`(?<file>(?:__tests__|\.github)\/[\w./-]+)`(?: "(?<title>[^"]+)")?/g;

const rows = TEXT.slice(TEXT.indexOf('## Threat model'))
	.split('\n')
	.filter((line) => line.startsWith('| ') && !/^\| (tries|---) /.test(line));

test('each threat has somewhere to see that it is met', () => {
	expect(rows.length).toBeGreaterThan(20);
	expect(rows.filter((row) => !new RegExp(SEEN.source).test(row.split(' | ').at(-1) ?? ''))).toEqual([]);
});

test('what is named there exists', () => {
	const missing = [...TEXT.matchAll(SEEN)].flatMap(({ groups }) => {
		const { file = '', title } = groups ?? {};
		if (!existsSync(join(ROOT, file))) return [file];
		const isTest = file.startsWith('__tests__/');
		if (isTest !== (title !== undefined)) return [`${file} without the title of a test`];
		// A title stands in quotes of one kind or the other.
		const text = readFileSync(join(ROOT, file), 'utf8');
		return title === undefined || [`'${title}'`, `"${title}"`].some((quoted) => text.includes(quoted))
			? []
			: [`${file}: ${title}`];
	});
	expect(missing).toEqual([]);
});

test('links lead to files of the repository', () => {
	const targets = [...TEXT.matchAll(/\]\((?!https:|#)([^)#]+)/g)].map(([, target = '']) => target);
	expect(targets.filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
});
