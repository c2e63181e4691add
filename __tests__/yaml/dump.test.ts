// Expected texts were written by PyYAML 6: yaml.dump(value, sort_keys=True).
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dumpYaml } from '../../src/yaml/dump.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import type { YamlNode } from '../../src/yaml/node.ts';

const dumped = (yaml: string): string => dumpYaml(loadYaml(yaml, 'x.yml', '/').root);

/** The longest key that stands before its colon. */
const LONG = 'x'.repeat(122);

test.each([
	['keys are sorted, capitals first', 'b: 1\nA: 2\na: 3', 'A: 2\na: 3\nb: 1\n'],
	[
		'lists are not indented',
		'd:\n  - python=3.10\n  - pip:\n      - mlflow\n      - a\n',
		'd:\n- python=3.10\n- pip:\n  - mlflow\n  - a\n',
	],
	['lists in lists', 'a: [[1, 2], [3]]', 'a:\n- - 1\n  - 2\n- - 3\n'],
	['nothing at all', '{}', '{}\n'],
	['empty ones', 'a: []\nb: {}\nc:\n', 'a: []\nb: {}\nc: null\n'],
	[
		'text that reads as something else',
		'a: "1"\nb: "yes"\nc: ""\nd: "~"\ne: "1:30"',
		"a: '1'\nb: 'yes'\nc: ''\nd: '~'\ne: '1:30'\n",
	],
	[
		'text with marks',
		`a: "x: y"\nb: "- x"\nc: "#x"\nd: "it's"\ne: "[numpy]"\nf: "a #b"`,
		"a: 'x: y'\nb: '- x'\nc: '#x'\nd: it's\ne: '[numpy]'\nf: 'a #b'\n",
	],
	[
		'text with marks inside',
		'a: inference-schema[numpy]==1.5\nb: pandas>=1.1,<1.2\nc: a:b\nd: -x',
		'a: inference-schema[numpy]==1.5\nb: pandas>=1.1,<1.2\nc: a:b\nd: -x\n',
	],
	['keys too long for one line', `${LONG}: [1, 2]\n${LONG}x: {a: 1}`, `${LONG}:\n- 1\n- 2\n? ${LONG}x\n: a: 1\n`],
	[
		'everything in everything',
		'b: {d: {f: 1, e: [x, [y, z], {k: 1, j: 2}]}}\na: no',
		'a: false\nb:\n  d:\n    e:\n    - x\n    - - y\n      - z\n    - j: 2\n      k: 1\n    f: 1\n',
	],
	['lists in maps in lists', 'a: [{x: {y: 1}}, [], {}]', 'a:\n- x:\n    y: 1\n- []\n- {}\n'],
	[
		'text that means something in YAML',
		`a: '<<'\nb: '='\nc: 'x:'\nd: 'a '\ne: ' a'\nf: '---'\ng: ...x\nh: "a\\tb"`,
		`a: '<<'\nb: '='\nc: 'x:'\nd: 'a '\ne: ' a'\nf: '---'\ng: '...x'\nh: "a\\tb"\n`,
	],
	[
		'text that only looks so',
		`a: x---\nb: '?a'\nc: ':a'\nd: a-b\ne: infinite\nf: b...\ng: a b`,
		'a: x---\nb: ?a\nc: :a\nd: a-b\ne: infinite\nf: b...\ng: a b\n',
	],
	['numbers without end', 'a: -.inf\nb: .nan\nc: 1.0e+20', 'a: -.inf\nb: .nan\nc: 1.0e+20\n'],
	['values', 'a: yes\nb: 1.0e-5\nc: 1.50\nd: 012\ne: .inf', 'a: true\nb: 1.0e-05\nc: 1.5\nd: 10\ne: .inf\n'],
])('%s', (_, yaml, expected) => {
	expect(dumped(yaml)).toBe(expected);
});

test('what is dumped reads back the same', () => {
	const at = { file: 'x.yml' };
	const text = fc.string().filter((value) => !value.includes(String.fromCharCode(0)));
	const scalar = text.map(
		(value): YamlNode => ({ kind: 'scalar', type: 'str', value, text: value, written: value, at }),
	);
	const keys = fc.uniqueArray(
		text.filter((key) => key !== '__proto__'),
		{ minLength: 1, maxLength: 4 },
	);
	const map = fc.tuple(keys, fc.array(scalar, { minLength: 4, maxLength: 4 })).map(
		([names, values]): YamlNode => ({
			kind: 'map',
			entries: names.map((key, index) => ({ key, at, value: values[index] ?? { kind: 'list', items: values, at } })),
			at,
		}),
	);
	const plain = (node: YamlNode): unknown =>
		node.kind === 'map'
			? new Map(node.entries.map((entry) => [entry.key, plain(entry.value)]))
			: node.kind === 'list'
				? node.items.map(plain)
				: node.text;
	fc.assert(
		fc.property(map, (node) => {
			expect(plain(loadYaml(dumpYaml(node), 'x.yml', '/').root)).toEqual(plain(node));
		}),
	);
});
