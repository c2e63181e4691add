// The edges of what a file may cost: what still passes, what is too much, and where that is said to stand.
import { describe, expect, test } from '@jest/globals';
import { findExcess } from '../../src/yaml/limits.ts';

const look = (text: string): string | undefined => {
	const found = findExcess(text, 'x.yml');
	return found && `${found.where.file}:${found.where.line}:${found.where.column} ${found.message}`;
};

describe.each<[string, (count: number) => string, number, string]>([
	['lines', (count) => `${'a\n'.repeat(count - 1)}a`, 10_000, 'x.yml:10001:1 The file has more than 10000 lines.'],
	['commas', (count) => `a:\n${','.repeat(count)}`, 20_000, 'x.yml:2:20001 The file has more than 20000 entries.'],
	[
		'colons before blanks',
		(count) => 'a: '.repeat(count),
		20_000,
		'x.yml:1:60002 The file has more than 20000 entries.',
	],
	[
		'colons before tabs',
		(count) => 'a:\t'.repeat(count),
		20_000,
		'x.yml:1:60002 The file has more than 20000 entries.',
	],
	['pairs of brackets', (count) => '[]'.repeat(count), 20_000, 'x.yml:1:40001 The file has more than 20000 entries.'],
	['pairs of braces', (count) => '{}'.repeat(count), 20_000, 'x.yml:1:40001 The file has more than 20000 entries.'],
	[
		'brackets in one another',
		(count) => '['.repeat(count),
		256,
		'x.yml:1:257 Brackets are nested deeper than 256 levels.',
	],
	[
		'braces in one another',
		(count) => '{'.repeat(count),
		256,
		'x.yml:1:257 Brackets are nested deeper than 256 levels.',
	],
	['dashes in a row', (count) => `x\n${'- '.repeat(count)}`, 64, 'x.yml:2:1 Lists are nested deeper than 64 levels.'],
	[
		'question marks in a row',
		(count) => `x\n\n  ${'? '.repeat(count)}`,
		64,
		'x.yml:3:1 Lists are nested deeper than 64 levels.',
	],
	[
		'dashes behind a key',
		(count) => `x:  ${'-\t'.repeat(count)}\ny\n`,
		64,
		'x.yml:1:1 Lists are nested deeper than 64 levels.',
	],
	[
		'anchors in a row',
		(count) => `x\ny ${'&a '.repeat(count)}`,
		64,
		'x.yml:2:1 A value has more than one tag or anchor.',
	],
	[
		'tags in a row',
		(count) => `x\ny ${'!!a\t'.repeat(count)}`,
		64,
		'x.yml:2:1 A value has more than one tag or anchor.',
	],
])('%s', (_, textOf, most, message) => {
	test('up to the limit', () => {
		expect(look(textOf(most))).toBeUndefined();
	});

	test('beyond it', () => {
		expect(look(textOf(most + 1))).toBe(message);
	});
});

test('what is closed again counts no more for the depth, and what was never opened does not either', () => {
	expect(look(`${'[]{}'.repeat(300)}${'['.repeat(256)}`)).toBeUndefined();
	expect(look(`${']'.repeat(300)}${'}'.repeat(300)}${'['.repeat(257)}`)).toContain('nested deeper');
});

test('colons and dashes inside of words are none', () => {
	expect(look('a:b'.repeat(30_000))).toBeUndefined();
	expect(look('a b '.repeat(30_000))).toBeUndefined();
	expect(look('-a '.repeat(100))).toBeUndefined();
	expect(look(`x ${'- '.repeat(100)}`)).toBeUndefined();
});
