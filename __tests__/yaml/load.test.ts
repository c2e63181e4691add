import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FileError } from '../../src/errors.ts';
import { loadYaml, openYaml } from '../../src/yaml/load.ts';
import type { YamlNode } from '../../src/yaml/node.ts';
import { processorTime } from '../fixtures/processor-time.ts';

function load(content: string | Uint8Array): ReturnType<typeof loadYaml> {
	return loadYaml(content, 'jobs/job.yml', '/checkout/jobs');
}

/** A tree as plain values, each scalar as "type text". */
function plain(node: YamlNode): unknown {
	if (node.kind === 'map') {
		return Object.fromEntries(node.entries.map((entry) => [entry.key, plain(entry.value)]));
	}
	return node.kind === 'list' ? node.items.map(plain) : `${node.type} ${node.text}`;
}

function read(content: string): unknown {
	return plain(load(content).root);
}

function faultsOf(
	content: string | Uint8Array,
): readonly { line: number | undefined; column: number | undefined; message: string }[] {
	try {
		load(content);
	} catch (error) {
		if (error instanceof FileError) {
			return error.faults.map(({ message, where }) => ({ message, line: where?.line, column: where?.column }));
		}
		throw error;
	}
	return [];
}

describe('shape', () => {
	test('nodes know their line and column', () => {
		const { root, path: file, folder } = load('a: 1\nb:\n  - x\n  - {c: d}\n');
		expect({ file, folder }).toEqual({ file: 'jobs/job.yml', folder: '/checkout/jobs' });
		expect(root.entries.map((entry) => entry.at)).toEqual([
			{ file: 'jobs/job.yml', line: 1, column: 1 },
			{ file: 'jobs/job.yml', line: 2, column: 1 },
		]);
		const list = root.entries[1]?.value;
		expect(list?.kind === 'list' ? list.items.map((item) => item.at.line) : []).toEqual([3, 4]);
	});

	test('a BOM and CRLF do not matter', () => {
		expect(read('\uFEFFa: 1\r\nb: two\r\n')).toEqual({ a: 'int 1', b: 'str two' });
		expect(plain(load(new TextEncoder().encode('\uFEFFa: ä\r\n')).root)).toEqual({ a: 'str ä' });
	});

	test('block text keeps its lines', () => {
		expect(read('a: |\n  one\n  two\nb: >-\n  one\n  two\n')).toEqual({ a: 'str one\ntwo\n', b: 'str one two' });
	});

	test.each([
		['a: |\n  x', 'x'],
		['a: |\n  x\n\n  y', 'x\n\ny'],
		['a: >\n  x\n  y', 'x y'],
		['a: |+\n  x', 'x'],
		['a: |-\n  x', 'x'],
		['a: |\r\n  x', 'x'],
		['a: |\n  x\n', 'x\n'],
		['a: |\n  x\n  ', 'x\n'],
		['a: |+\n  x\n\n  ', 'x\n\n'],
		['a: |+\n ', ''],
		['a: |\n  x\n   ', 'x\n '],
		['a: |+\n  x\n   \n  ', 'x\n \n'],
		['a: >+\n  x\n  y\n\n   ', 'x y\n\n '],
		['a: |+ # kept\n  x\n\n# end', 'x\n\n'],
		['b: |\n  x\na: y', 'y'],
	])('block text at the end of a file gets no line end that is not there, as in PyYAML: %j', (text, expected) => {
		expect(read(text)).toHaveProperty('a', `str ${expected}`);
	});

	test.each(['- ', '? ', 'a: - ', '? a\n: - '])('but not as many lists in lists: %j', (start) => {
		expect(faultsOf(start + '- '.repeat(200))[0]?.message).toMatch(/nested deeper than 64/);
	});

	test('text may hold as many dashes as it likes', () => {
		const ruler = '- '.repeat(200).trim();
		expect(read(`# ${ruler}\na: x ${ruler}\n`)).toEqual({ a: `str x ${ruler}` });
	});

	test('an empty value is null', () => {
		expect(read('a:\nb: ~\nc: null\nd: ""\n')).toEqual({ a: 'null None', b: 'null None', c: 'null None', d: 'str ' });
	});
});

describe('anchors and merges', () => {
	test('an alias stands for its anchor', () => {
		expect(read('a: &x {k: 1}\nb: *x\n')).toEqual({ a: { k: 'int 1' }, b: { k: 'int 1' } });
	});

	test('own keys win over merged ones, wherever << stands', () => {
		expect(read('base: &b {k: 1, l: 2}\nj:\n  k: 3\n  <<: *b\n')).toEqual({
			base: { k: 'int 1', l: 'int 2' },
			j: { k: 'int 3', l: 'int 2' },
		});
	});

	test('of several merged mappings the first wins', () => {
		const text = 'x: &x {k: 1}\ny: &y {k: 2, l: 2}\nj: {<<: [*x, *y]}\n';
		expect(read(text)).toMatchObject({ j: { k: 'int 1', l: 'int 2' } });
	});

	test.each([
		['an alias without an anchor', 'a: *x\n', /no anchor/i],
		['a cycle', 'a: &x [1, *x]\n', /inside what it refers to/],
		['merging a text', 'a: {<<: text}\n', /merge key/],
	])('%s is refused', (_, text, message) => {
		expect(faultsOf(text)[0]?.message).toMatch(message);
	});
});

describe('what is refused, with its place', () => {
	test.each([
		['duplicate keys', 'a: 1\nb: 2\na: 3\n', 3, /'a' stands twice/],
		['an unknown tag', 'a: 1\nb: !secret x\n', 2, /tag !secret/],
		['a tag that does not fit', 'a: !!int x\n', 1, /!!int/],
		['a second document', 'a: 1\n---\nb: 2\n', 2, /more than one/],
		['__proto__', 'a: 1\n__proto__: {x: 1}\n', 2, /__proto__/],
		['a list as root', '- a\n', 1, /does not hold a mapping/],
		['text as root', 'hello\n', 1, /does not hold a mapping/],
		['nothing', '', 1, /empty/],
		['only comments', '# hello\n\n# there\n', 1, /empty/],
		['a tab as indent', 'a:\n\tb: 1\n', 2, /not valid YAML/],
		['a cut-off list', 'a: [1, 2\n', 2, /not valid YAML/],
		['a NUL', 'a: 1\nb: \u0000\n', 2, /U\+0000/],
		['a control character', 'a: 1\nb: x\u0080\n', 2, /U\+0080/],
		['a line end of YAML 1.1', 'a: 1\nb: # c\u0085c: 2\n', 2, /U\+0085.*end of a line/],
		['a carriage return alone', 'a: 1\nb: # c\rc: 2\n', 2, /U\+000D.*end of a line/],
		['a line separator', 'a: "x\u2028y"\n', 1, /U\+2028.*end of a line/],
		['a paragraph separator', 'a: x\u2029\n', 1, /U\+2029.*end of a line/],
		['an escaped NUL', 'a: "x\\0y"\n', 1, /U\+0000/],
		['a mapping as key', '{a: 1}: b\n', 1, /must be text/],
		['a list as key', 'a: 1\n? [b]\n: c\n', 2, /must be text/],
		['nothing as key', 'a: 1\n~: c\n', 2, /must be text/],
		['no key at all', 'a: 1\n: c\n', 2, /must be text/],
		['a date as key that is none', 'a: 1\n2026-02-30: c\n', 2, /'2026-02-30' is none/],
	])('%s', (_, text, line, message) => {
		const [fault] = faultsOf(text);
		expect(fault?.message).toMatch(message);
		expect(fault?.line).toBe(line);
		expect(fault?.column).toBeGreaterThan(0);
	});

	test.each([
		'2026-02-30',
		'2023-02-29',
		'2026-13-01',
		'2026-00-10',
		'2026-01-00',
		'0000-01-01',
		'!!timestamp 2026-02-30',
		'2026-01-01 24:00:00',
		'2026-01-01T10:60:00Z',
		'2026-01-01T10:59:60Z',
		'2026-01-01T10:59:59+24:00',
		'2026-01-01T10:59:59-23:60',
	])('a date or time that is none, on which PyYAML fails: %s', (written) => {
		expect(faultsOf(`a: 1\nb: ${written}\n`)).toEqual([
			expect.objectContaining({ message: expect.stringMatching(/none of the calendar.*quotes/), line: 2 }),
		]);
		expect(faultsOf(`token: ${written}\n`)[0]?.message).not.toContain('20');
	});

	test.each([
		'2024-02-29',
		'0001-01-01',
		'2026-1-1 1:02:03.1234567',
		'2026-12-31T23:59:59+23:59',
		'2026-01-01T00:00:00 -0:99',
		'"2026-02-30"',
		'!!str 2026-02-30',
	])('but not one that is: %s', (written) => {
		expect(load(`b: ${written}\n`).root.entries).toHaveLength(1);
	});

	test('UTF-16 and invalid UTF-8', () => {
		expect(faultsOf(Buffer.from('\uFEFFa: 1', 'utf16le'))[0]?.message).toMatch(/UTF-16/);
		expect(faultsOf(Uint8Array.from([0x61, 0x3a, 0x20, 0xff]))[0]?.message).toMatch(/not UTF-8/);
	});

	test.each([
		['UTF-16, little end first', [0xff, 0xfe, 0x61, 0], true],
		['UTF-16, big end first', [0xfe, 0xff, 0, 0x61], true],
		['the half of one mark', [0xff, 0x61], false],
		['the half of the other', [0xfe, 0x61], false],
		['halves of both, in no order', [0xfe, 0xfe], false],
		['the same twice', [0xff, 0xff], false],
	])('%s', (_, bytes, utf16) => {
		const [fault] = faultsOf(Uint8Array.from(bytes));
		expect(fault).toMatchObject({ line: 1, column: 1, message: expect.stringContaining('not UTF-8') });
		expect(fault?.message.includes('It is UTF-16 now.')).toBe(utf16);
	});

	test('a mark of UTF-8 counts as no column, and is one at the beginning only', () => {
		expect(faultsOf('\uFEFFa: \u0001')).toMatchObject([{ line: 1, column: 4 }]);
		expect(faultsOf('a: 1\nbc: \u0001')).toMatchObject([{ line: 2, column: 5 }]);
		expect(read('a: b\uFEFF\n')).toEqual({ a: 'str b\uFEFF' });
	});

	test.each(['{b: 1}', '[1]'])('a tag of %s that nobody knows, at its place', (value) => {
		const [fault, ...others] = faultsOf(`x: 1\na: !custom ${value}\n`);
		expect(others).toEqual([]);
		expect(fault).toMatchObject({ line: 2, message: 'The tag !custom is not known.' });
	});

	test.each(['!!map {b: 1}', '! {b: 1}', '!!seq [1]', '! [1]'])('but not %s', (value) => {
		expect(faultsOf(`a: ${value}\n`)).toEqual([]);
	});

	test.each([
		['', 'The file is empty.', 1],
		['# nothing\n', 'The file is empty.', 1],
		['\nnull\n', 'The file is empty.', 2],
		['\n- a\n', 'The file does not hold a mapping of keys to values.', 2],
		['\n\ntext\n', 'The file does not hold a mapping of keys to values.', 3],
	])('what is no mapping: %j', (text, message, line) => {
		expect(faultsOf(text)).toEqual([{ message, line, column: 1 }]);
	});

	test('of what is no YAML the first place only, in a whole sentence', () => {
		const [fault, ...others] = faultsOf('a: 1\nb: [1\nc: }\nd: "\n');
		expect(others).toEqual([]);
		expect(fault).toMatchObject({ message: expect.stringMatching(/^This is not valid YAML: .*[^.]\.$/) });
		expect(fault?.line).toBeGreaterThan(1);
	});

	test('several faults are told together', () => {
		expect(faultsOf('a: 1\na: 2\nb: !x 1\nb: 3\n').map((fault) => fault.line)).toEqual([2, 3, 4]);
	});
});

test('a key that JavaScript objects know is a key like any other', () => {
	const { root } = load('constructor: {prototype: {x: 1}}\n');
	expect(root.entries[0]?.key).toBe('constructor');
	expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

describe('limits', () => {
	const deep = (open: string, close: string, times: number): string =>
		`a: ${open.repeat(times)}1${close.repeat(times)}\n`;

	test.each([
		['20,000 brackets', deep('[', ']', 20_000)],
		['20,000 braces', `a: ${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}\n`],
		['70 levels', deep('[', ']', 70)],
		['lists in one line', `a:\n  ${'- '.repeat(20_000)}1\n`],
		['small maps', Array.from({ length: 60_000 }, (_, index) => `k${index}: {a: 1}`).join('\n')],
		['anchors in a row', '&a '.repeat(300_000)],
		['tags in a row', '!!a '.repeat(250_000)],
		['tabs', 'a: \t'.repeat(200_000)],
		['deep blocks', Array.from({ length: 1400 }, (_, index) => `${' '.repeat(index)}a:`).join('\n')],
		['2 MiB', `a: ${'x'.repeat(2 * 1024 * 1024)}\n`],
		['101 aliases', `x: &x 1\na: [${'*x, '.repeat(101)}1]\n`],
		['a bomb', bomb(9)],
	])('%s is refused within a second', (_, text) => {
		// A second on a quiet machine; neighbours on the same core make the processor itself slower.
		expect(processorTime(() => expect(faultsOf(text)).not.toEqual([]))).toBeLessThan(3);
	});

	test('a mebibyte is read, and one byte more is not', () => {
		const text = `a: ${'x'.repeat(1024 * 1024 - 4)}\n`;
		expect(faultsOf(text)).toEqual([]);
		expect(faultsOf(Buffer.from(text))).toEqual([]);
		for (const more of [`${text}#`, Buffer.from(`${text}#`), text.replace('xx', 'xé')])
			expect(faultsOf(more)).toMatchObject([{ message: 'The file is larger than 1048576 bytes.', line: undefined }]);
	});

	test('64 levels and 100 aliases are read', () => {
		expect(faultsOf(deep('[', ']', 60))).toEqual([]);
		expect(faultsOf(`x: &x 1\na: [${'*x, '.repeat(99)}*x]\n`)).toEqual([]);
	});

	function bomb(levels: number): string {
		const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
		for (let level = 1; level <= levels; level++) {
			lines.push(
				`a${level}: &a${level} [${Array(9)
					.fill(`*a${level - 1}`)
					.join(', ')}]`,
			);
		}
		return lines.join('\n');
	}
});

describe('warnings', () => {
	test.each([
		['a: yes', /true.*text/s],
		['a: off', /false.*text/s],
		['a: 012', /number 10.*number 12/s],
		['a: 1:30', /number 90.*text/s],
		['a: 1e3', /text.*number 1000/s],
		['a: 1e-3', /text.*number 0\.001/s],
		['a: 0o17', /text.*number 15/s],
		['a: 1_000', /number 1000.*text/s],
		['a: 2024-01-31', /date.*text/s],
		['on: push', /true/],
	])('%s is read in two ways', (text, message) => {
		const { warnings } = load(`${text}\n`);
		expect(warnings).toHaveLength(1);
		expect(warnings[0]?.message).toMatch(message);
		expect(warnings[0]?.where).toMatchObject({ file: 'jobs/job.yml', line: 1 });
	});

	test.each([
		'a: true',
		'a: 12',
		'a: -1.5',
		'a: 1.10',
		'a: "yes"',
		"a: '012'",
		'a: text',
		'a: ~',
		'a: 0x1F',
		'a: .inf',
	])('%s is read in one way', (text) => {
		expect(load(`${text}\n`).warnings).toEqual([]);
	});
});

test('a warning does not show a secret', () => {
	expect(load('credentials: {account_key: 0123456}\n').warnings.map((warning) => warning.message)).toEqual([
		"The value of 'account_key' is not the same text to every YAML reader. Put it in quotes.",
	]);
});

describe('opening a file', () => {
	let folder: string;
	beforeAll(() => {
		folder = mkdtempSync(path.join(tmpdir(), 'yaml-'));
		writeFileSync(path.join(folder, 'job.yml'), 'a: 1\n');
	});
	afterAll(() => rmSync(folder, { recursive: true }));

	test('paths in it start from its own folder', () => {
		expect(openYaml(path.join(folder, 'job.yml'), 'x/job.yml')).toMatchObject({ path: 'x/job.yml', folder });
	});

	test('one that is too large is not even read', () => {
		writeFileSync(path.join(folder, 'large.yml'), Buffer.alloc(1024 * 1024 + 1, '#'));
		expect(() => openYaml(path.join(folder, 'large.yml'), 'x/large.yml')).toThrow('larger than 1048576 bytes');
	});

	test('a path that leads nowhere is a file that is not there', () => {
		const nowhere = path.join(folder, 'x'.repeat(5_000));
		expect(() => openYaml(nowhere, 'x.yml')).toThrow('There is no file x.yml.');
	});

	test.each([
		['missing.yml', /There is no file missing\.yml/],
		['', /is a folder/],
	])('%j is refused', (name, message) => {
		expect(() => openYaml(path.join(folder, name), name)).toThrow(message);
	});
});
