import { afterEach, describe, expect, test } from '@jest/globals';
import { parseIgnoreRules, readIgnoreRules } from '../../src/asset/ignore.ts';
import { TestFolders } from './folder.ts';

const folders = new TestFolders();
afterEach(() => folders.remove());

const rules = (...lines: string[]) => parseIgnoreRules(lines.join('\n'), '.amlignore');

describe('excludes', () => {
	test.each([
		['*.txt', 'a.txt', true],
		['*.txt', 'deep/er/a.txt', true],
		['/a.txt', 'deep/a.txt', false],
		['data/', 'data/x.csv', true],
		['data/', 'src/data/deep/x.csv', true],
		['data', 'data/x.csv', true],
		['a/**/z', 'a/b/c/z', true],
		['A.txt', 'a.txt', false],
		['# *.txt', 'a.txt', false],
		['*.txt  ', 'a.txt', true],
		['\\#x', '#x', true],
	])('%s on %s: %s', (pattern, path, excluded) => {
		expect(rules(pattern).excludes(path)).toBe(excluded);
	});

	test('lets the last rule that matches decide', () => {
		expect(rules('*.txt', '!keep.txt').excludes('keep.txt')).toBe(false);
		expect(rules('!keep.txt', '*.txt').excludes('keep.txt')).toBe(true);
		expect(rules('*.txt', '!keep.txt', 'keep.*').excludes('keep.txt')).toBe(true);
	});

	test('takes back a file below an excluded folder, as the CLI does and git does not', () => {
		const some = rules('foo/', '!foo/keep.txt');
		expect(some.excludes('foo/keep.txt')).toBe(false);
		expect(some.excludes('foo/other.txt')).toBe(true);
		expect(some.excludesAllOf('foo')).toBe(false);
		expect(rules('foo/').excludesAllOf('foo')).toBe(true);
	});

	test('tells a folder that matches by its name from one whose files match', () => {
		expect(rules('foo').excludes('foo')).toBe(true);
		expect(rules('foo/').excludes('foo')).toBe(false);
	});

	test('reads lines that end in CR LF, and a byte order mark', () => {
		expect(parseIgnoreRules('\uFEFF*.txt\r\n*.csv\r\n', '.gitignore').excludes('a.csv')).toBe(true);
		expect(parseIgnoreRules('\uFEFF*.txt\r\n!a.txt\r\n', '.gitignore').excludes('b.txt')).toBe(true);
	});
});

test('only .amlignore says what is wanted whatever it is', () => {
	expect(rules('!.env.example').wants('.env.example')).toBe(true);
	expect(rules('!.env.example').wants('.env')).toBe(false);
	expect(parseIgnoreRules('!.env.example', '.gitignore').wants('.env.example')).toBe(false);
});

describe('the file that counts', () => {
	test('is .amlignore before .gitignore, and none of another folder', async () => {
		const both = await folders.make({ '.amlignore': '*.a', '.gitignore': '*.g' });
		const found = await readIgnoreRules(both);
		expect([found.file, found.excludes('x.a'), found.excludes('x.g')]).toEqual(['.amlignore', true, false]);
		const git = await folders.make({ '.gitignore': '*.g', 'deep/.amlignore': '*.a' });
		const other = await readIgnoreRules(git);
		expect([other.file, other.excludes('deep/x.a'), other.excludes('x.g')]).toEqual(['.gitignore', false, true]);
		const none = await readIgnoreRules(`${git}/deep/er`);
		expect([none.file, none.excludes('x.g')]).toEqual([undefined, false]);
	});
});
