// What the documentation says that the action prints, and the numbers that it gives, are those of the sources.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');

const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
	.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
	.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').replace(/\\([`'"])/g, '$1'))
	.join('\n');

const page = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');

/** The pieces of a message, apart by the `…` that stands for what differs. A shorter piece than this says nothing. */
function missingPieces(message: string): string[] {
	return message
		.split('…')
		.map((piece) => piece.trim())
		.filter((piece) => piece.length > 3 && !SOURCES.includes(piece));
}

const codes = (text: string): string[] =>
	[...text.matchAll(/(?<!`)(`{1,2})(?!`)(.+?)\1(?!`)/g)].map(([, , code = '']) => code.trim());

describe('a message on the page', () => {
	const headings = [...page('troubleshooting.md').matchAll(/^### (\d+)\. (.*)$/gm)];

	test('of troubleshooting has a number, in order', () => {
		expect(headings.length).toBeGreaterThan(40);
		expect(headings.map(([, number]) => Number(number))).toEqual(headings.map((_, index) => index + 1));
	});

	const printed = headings.flatMap(([, number = '', title = '']) =>
		title.startsWith('`') ? [[number, title] as const] : [],
	);

	test.each(printed)('of troubleshooting %s is one that the action prints: %s', (_, title) => {
		expect(codes(title).flatMap(missingPieces)).toEqual([]);
	});

	const rows = page('sign-in.md').split('## When one piece is missing')[1]?.split('\n## ')[0] ?? '';
	const said = rows.split('\n').flatMap((row) => (row.startsWith('| ') ? codes(row.split('|')[2] ?? '') : []));

	test.each(said.filter((one) => one.length > 14 && !one.startsWith('HTTP')))('sign-in: %s', (message) => {
		expect(missingPieces(message)).toEqual([]);
	});

	test('that no source has is found out', () => {
		expect(missingPieces('Sign-in with GitHub OIDC is … most impossible')).toEqual(['most impossible']);
	});
});

test.each([
	['360 an hour', /MOST_AN_HOUR = 360;/],
	['| 7, within 4 minutes;', /attempts: 7, .* budget: 240_000 /],
	[
		'up to 2 hours; another one that is under way up to 1 hour',
		/LONGEST_CHANGE = 2 \* 60 \* 60_000;\n.*LONGEST_BUSY = 60 \* 60_000/,
	],
	['up to 30 minutes', /LONGEST_IMPORT = 30 \* 60_000/],
	['| 190 seconds', /TIMEOUT = 190_000/],
	['43,200 (30 days)', /MOST_MINUTES = 60 \* 24 \* 30/],
	['held for 24 hours', /LONGEST_HOLD = 24 \* 3_600_000/],
	['| `instance-count` | 1,000 |', /'instance-count', \{ whole: true, most: 1000 \}/],
	['1 MiB, 10,000 lines, 64 levels', /MAX_BYTES = 1024 \* 1024;[\s\S]*MAX_DEPTH = 64;[\s\S]*MAX_LINES = 10_000;/],
	['| 300,000 |', /MOST_FILES = 300_000/],
	['| 200,000 |', /MOST_FILES = 200_000/],
	['| 200, newest first |', /LOOKED_AT = 200/],
	['| 60, 20; all', /MOST_METRICS = 60;[\s\S]*MOST_COMMENT_METRICS = 20/],
	['400,000 characters', /LONGEST_METRICS = 400_000/],
	['1,000,000 characters', /LARGEST_SUMMARY = 1_000_000/],
	['65,000 characters', /LONGEST_COMMENT = 65_000/],
])('the limit %s is that of the sources', (said, constant) => {
	expect(page('limits.md')).toContain(said);
	expect(SOURCES).toMatch(constant);
});
