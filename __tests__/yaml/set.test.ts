import { describe, expect, test } from '@jest/globals';
import { FileError } from '../../src/errors.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import type { YamlNode } from '../../src/yaml/node.ts';
import { applySet } from '../../src/yaml/set.ts';

const YAML = 'name: job\ninputs:\n  epochs: 1\n  data: {path: x}\nspace: {lr: {values: [1, 2]}}\nempty:\n';

function plain(node: YamlNode): unknown {
	if (node.kind === 'map') {
		return Object.fromEntries(node.entries.map((entry) => [entry.key, plain(entry.value)]));
	}
	return node.kind === 'list' ? node.items.map(plain) : node.value;
}

const set = (...lines: string[]): unknown => plain(applySet(loadYaml(YAML, 'job.yml', '/'), lines).root);

test.each([
	['name=other', { name: 'other' }],
	['inputs.epochs=20', { inputs: { epochs: '20', data: { path: 'x' } } }],
	['inputs.data.path=azureml:d@latest', { inputs: { epochs: 1, data: { path: 'azureml:d@latest' } } }],
	['inputs.version = 1.10', { inputs: { version: '1.10' } }],
	['command=a=b', { command: 'a=b' }],
	['tags.a\\.b=c', { tags: { 'a.b': 'c' } }],
	['new.deep.key=1', { new: { deep: { key: '1' } } }],
	['empty.x=1', { empty: { x: '1' } }],
	['space.lr.values[1]=5', { space: { lr: { values: [1, '5'] } } }],
	['space.lr.values[2]=5', { space: { lr: { values: [1, 2, '5'] } } }],
	['space.lr.values=[0.1, "a", true]', { space: { lr: { values: [0.1, 'a', true] } } }],
	['inputs.data={"path": "y", "mode": "direct"}', { inputs: { data: { path: 'y', mode: 'direct' } } }],
	['inputs.text={{x}}', { inputs: { text: '{{x}}' } }],
	['inputs.epochs=', { inputs: { epochs: '' } }],
	['x=1', { x: '1' }],
	[' inputs . epochs =2', { inputs: { epochs: '2' } }],
	['constructor.x=1', { constructor: { x: '1' } }],
])('%s', (line, expected) => {
	expect(set(line)).toMatchObject(expected);
});

test('overrides apply in order and leave the rest alone', () => {
	expect(set('inputs.epochs=2', 'inputs.epochs=3')).toEqual({
		name: 'job',
		inputs: { epochs: '3', data: { path: 'x' } },
		space: { lr: { values: [1, 2] } },
		empty: null,
	});
});

test('the file that was read does not change', () => {
	const file = loadYaml(YAML, 'job.yml', '/');
	applySet(file, ['name=other']);
	expect(plain(file.root)).toMatchObject({ name: 'job' });
});

describe('what does not fit', () => {
	test.each([
		['name', /no '='/],
		['=x', /no '='/],
		['a..b=1', /not the path/],
		['[0]=1', /not the path/],
		['a[x]=1', /not the path/],
		['space.lr.values.9=1', /has 2 items/],
		['__proto__.x=1', /not the path/],
		['inputs.__proto__=1', /not the path/],
		['inputs. .x=1', /not the path/],
		[' =1', /not the path/],
		['space.lr.values[10]=5', /has 2 items, so there is no \[10\]/],
		['inputs.x={__proto__: 1}', /'__proto__' is not allowed/],
		['name.x=1', /the text 'job', which has no keys/],
		['inputs[0]=1', /no list/],
		['space.lr.values.x=1', /a list, which has no keys/],
		['space.lr.values[5]=1', /has 2 items/],
		['inputs.x=[1,', /cannot be read/],
	])('%s', (line, message) => {
		expect(() => set(line)).toThrow(FileError);
		expect(() => set(line)).toThrow(message);
	});

	test('all faults are told at once', () => {
		try {
			set('a', 'b');
		} catch (error) {
			expect((error as FileError).faults).toHaveLength(2);
		}
		expect.assertions(1);
	});
});
