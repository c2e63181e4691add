// Each reader of a single value with each kind of node that a file can hold; a null too, as a list or a map may hold one.
import { describe, expect, test } from '@jest/globals';
import { child, listOf, type Reader, Reading } from '../../src/yaml/checks.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import {
	boolean,
	filledText,
	integer,
	json,
	jsonMap,
	number,
	secretText,
	stringified,
	stringMap,
	text,
	textMap,
	version,
	word,
} from '../../src/yaml/values.ts';

/** What a reader makes of `v: <yaml>`: its value, or its faults where there are any. */
function read<T>(reader: Reader<T>, yaml: string): T | string[] {
	const node = child(loadYaml(`v: ${yaml}`, 'x.yml', '/').root, 'v');
	if (node === undefined) throw new Error('there is no value');
	const reading = new Reading({ path: 'x.yml', folder: '/' });
	const value = reader(node, reading);
	expect(reading.warnings).toEqual([]);
	return reading.faults.length > 0 ? reading.faults.map(({ message }) => message) : value;
}

/** One of each kind of node, by a name for it. */
const NODES = {
	text: 'abc',
	'empty text': '""',
	blanks: '"  "',
	integer: '3',
	float: '1.5',
	boolean: 'yes',
	date: '2024-01-31',
	null: '~',
	mapping: '{a: 1}',
	list: '[a]',
} as const;
type NodeName = keyof typeof NODES;

/** How messages call each of them. */
const NAMES: Readonly<Record<NodeName, string>> = {
	text: "the text 'abc'",
	'empty text': "the text ''",
	blanks: "the text '  '",
	integer: "the number '3'",
	float: "the number '1.5'",
	boolean: "the boolean 'yes'",
	date: "the date '2024-01-31'",
	null: 'nothing',
	mapping: 'a mapping',
	list: 'a list',
};
const kinds = Object.keys(NODES) as NodeName[];
const advice = (name: NodeName): string =>
	['integer', 'float', 'boolean', 'date'].includes(name) ? ` Put it in quotes: "${NODES[name]}".` : '';

/** What is taken, and the message for all that is not. */
interface Rule {
	readonly reader: Reader<unknown>;
	readonly takes: Partial<Record<NodeName, unknown>>;
	readonly refusal: (name: NodeName) => string;
}

const RULES: Readonly<Record<string, Rule>> = {
	text: {
		reader: text,
		takes: { text: 'abc', 'empty text': '', blanks: '  ' },
		refusal: (name) => `Expected text, but found ${NAMES[name]}.${advice(name)}`,
	},
	filledText: {
		reader: filledText,
		takes: { text: 'abc' },
		refusal: (name) =>
			name === 'empty text' || name === 'blanks'
				? 'This text may not be empty.'
				: `Expected text, but found ${NAMES[name]}.${advice(name)}`,
	},
	secretText: {
		reader: secretText,
		takes: { text: 'abc', blanks: '  ' },
		refusal: (name) => `Expected text that is not empty.${advice(name) === '' ? '' : ' Put this value in quotes.'}`,
	},
	stringified: {
		reader: stringified,
		takes: {
			text: 'abc',
			'empty text': '',
			blanks: '  ',
			integer: '3',
			float: '1.5',
			boolean: 'True',
			date: '2024-01-31',
		},
		refusal: (name) => `Expected a plain value, but found ${NAMES[name]}.`,
	},
	integer: {
		reader: integer,
		takes: { integer: 3 },
		refusal: (name) => `Expected a whole number, but found ${NAMES[name]}.`,
	},
	number: {
		reader: number,
		takes: { integer: 3, float: 1.5 },
		refusal: (name) => `Expected a number, but found ${NAMES[name]}.`,
	},
	boolean: {
		reader: boolean,
		takes: { boolean: true },
		refusal: (name) => `Expected true or false, but found ${NAMES[name]}.`,
	},
	word: {
		reader: word('abd', 'other'),
		takes: {},
		refusal: (name) =>
			`Expected one of 'abd', 'other', but found ${NAMES[name]}.${name === 'text' ? " Did you mean 'abd'?" : ''}`,
	},
	jsonMap: {
		reader: jsonMap,
		takes: { mapping: { a: 1 } },
		refusal: (name) => `Expected a mapping of keys, but found ${NAMES[name]}.`,
	},
	textMap: {
		reader: textMap,
		takes: {},
		refusal: (name) =>
			name === 'mapping'
				? `Expected text, but found the number '1'. Put it in quotes: "1".`
				: `Expected a mapping of names to values, but found ${NAMES[name]}.`,
	},
	stringMap: {
		reader: stringMap,
		takes: { mapping: new Map([['a', '1']]) },
		refusal: (name) => `Expected a mapping of names to values, but found ${NAMES[name]}.`,
	},
	'listOf(text)': {
		reader: listOf(text),
		takes: { list: ['a'] },
		refusal: (name) => `Expected a list, but found ${NAMES[name]}.`,
	},
};

describe.each(Object.entries(RULES))('%s', (_, { reader, takes, refusal }) => {
	test.each(kinds)('with one that is: %s', (name) => {
		expect(read(reader, NODES[name])).toEqual(name in takes ? takes[name] : [refusal(name)]);
	});
});

describe('numbers in quotes', () => {
	test.each([
		['3', 3],
		['+3', 3],
		['-12', -12],
		[' 3 ', 3],
		['3.', 3],
		['.50', 0.5],
		['12.25', 12.25],
		['1e3', 1000],
		['1e+10', 1e10],
		['2.5E-10', 2.5e-10],
	])('%j is one', (written, value) => {
		expect(read(number, JSON.stringify(written))).toBe(value);
	});

	test.each(['', '.', 'e3', '3e', '3e+', '3 4', 'x3', '3x', '3..4', '.x', '--3', '0x10', '1_000', 'Infinity'])(
		'%j is none',
		(written) => {
			expect(read(number, JSON.stringify(written))).toEqual([`Expected a number, but found the text '${written}'.`]);
		},
	);

	test('as YAML 1.1 knows them are numbers too, and a whole one may be written as a fraction', () => {
		expect(read(number, '1e-3')).toBe(0.001);
		expect(read(number, '.inf')).toEqual(["Expected a number, but found the number '.inf'."]);
		expect(read(integer, '3.0')).toBe(3);
		expect(read(integer, '"3"')).toBe(3);
	});

	test('what is too large to be exact is no whole number, but a number', () => {
		expect(read(number, '9007199254740993')).toBe(2 ** 53);
		expect(read(integer, '9007199254740993')).toEqual([
			"Expected a whole number, but found the number '9007199254740993'.",
		]);
		expect(read(number, '"1e400"')).toEqual(["Expected a number, but found the text '1e400'."]);
	});
});

describe('booleans', () => {
	test.each([
		['"T"', true],
		['"y"', true],
		['"On"', true],
		['"1"', true],
		['1', true],
		['"F"', false],
		['"n"', false],
		['"off"', false],
		['0', false],
	])('%s is one', (yaml, value) => {
		expect(read(boolean, yaml)).toBe(value);
	});
});

describe('words', () => {
	test('are told apart by letters and digits only', () => {
		for (const written of ['AmlToken', 'aml-token', 'AML_TOKEN', '"aml token"'])
			expect(read(word('key', 'aml_token'), written)).toBe('aml_token');
	});

	test('may be booleans of YAML 1.1, but no numbers', () => {
		expect(read(word('On', 'off'), 'on')).toBe('On');
		expect(read(word('1', '2'), '1')).toEqual([
			"Expected one of '1', '2', but found the number '1'. Did you mean '1'?",
		]);
	});
});

describe('JSON', () => {
	test('keeps integers of any size, and dates as text', () => {
		expect(read(json, '[9007199254740993, 2024-01-31, yes, ~, {}]')).toEqual([
			'9007199254740993',
			'2024-01-31',
			true,
			null,
			{},
		]);
	});

	test('has no numbers without end', () => {
		expect(read(json, '{a: .inf, b: [-.inf]}')).toEqual([
			'JSON has no number for .inf.',
			'JSON has no number for -.inf.',
		]);
	});
});

test('maps take nothing for an empty text', () => {
	const empty = new Map([['a', '']]);
	expect([read(textMap, '{a: }'), read(stringMap, '{a: ~}')]).toEqual([empty, empty]);
});

test('values become text as Python prints them', () => {
	const printed = new Map([
		['a', 'True'],
		['b', '1'],
		['c', '1e-05'],
	]);
	expect(read(stringMap, '{a: true, b: 1, c: 1.0e-5}')).toEqual(printed);
	expect(read(text, '012')).toEqual([`Expected text, but found the number '012'. Put it in quotes: "012".`]);
});

test('a version that lost a digit is warned of, where it stands', () => {
	const node = child(loadYaml('\nv: 1.10', 'x.yml', '/').root, 'v');
	const reading = new Reading({ path: 'x.yml', folder: '/' });
	expect(node && version(node, reading)).toBe('1.1');
	expect(reading.warnings).toEqual([
		{
			message: 'The version 1.10 is read as the number 1.1. Put it in quotes to keep it: "1.10".',
			where: expect.objectContaining({ line: 2 }),
		},
	]);
	expect(reading.faults).toEqual([]);
});

test('a version that keeps its digits is not warned of', () => {
	for (const [yaml, value] of [
		['1.5', '1.5'],
		['"1.10"', '1.10'],
		['abc', 'abc'],
		['yes', 'True'],
	] as const)
		expect(read(version, yaml)).toBe(value);
});

test('a long text is shown by its beginning', () => {
	expect(read(integer, 'x'.repeat(60))).toEqual([`Expected a whole number, but found the text '${'x'.repeat(60)}'.`]);
	expect(read(integer, 'x'.repeat(61))).toEqual([`Expected a whole number, but found the text '${'x'.repeat(60)}…'.`]);
});
