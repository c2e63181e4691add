import { describe, expect, test } from '@jest/globals';
import { FileError } from '../../src/errors.ts';
import { listOf, MapReader, mapping, type Reader, Reading } from '../../src/yaml/checks.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { nearest } from '../../src/yaml/nearest.ts';
import {
	boolean,
	integer,
	json,
	number,
	stringified,
	stringMap,
	text,
	textMap,
	version,
	word,
} from '../../src/yaml/values.ts';

function read<T>(yaml: string, reader: Reader<T>): { value: T | undefined; faults: string[]; warnings: string[] } {
	const file = loadYaml(yaml, 'x.yml', '/');
	const reading = new Reading({ path: 'x.yml', folder: '/' });
	const map = new MapReader(file.root, reading, 'a thing');
	const value = map.optional('v', reader);
	const faults = reading.faults.map((fault) => `${fault.where?.line}: ${fault.message}`);
	return { value, faults, warnings: reading.warnings.map((warning) => warning.message) };
}

describe('values', () => {
	test.each<[string, Reader<unknown>, string, unknown]>([
		['text', text, 'v: abc', 'abc'],
		['text in quotes', text, 'v: "1"', '1'],
		['a version as text', version, 'v: "1.10"', '1.10'],
		['a version as number', version, 'v: 3', '3'],
		['an integer', integer, 'v: 3', 3],
		['an integer in quotes', integer, 'v: "3"', 3],
		['a float that is whole', integer, 'v: 3.0', 3],
		['an exponent that YAML 1.1 takes for text', number, 'v: 1e-3', 0.001],
		['a boolean', boolean, 'v: yes', true],
		['a boolean in quotes', boolean, 'v: "False"', false],
		['a word', word('aml_token', 'key'), 'v: AMLToken', 'aml_token'],
		['a word of YAML 1.1', word('off', 'auto'), 'v: off', 'off'],
		['a number as text', stringified, 'v: 1.0e-5', '1e-05'],
		['JSON', json, 'v: {a: [1, true, null, x, 1.5]}', { a: [1, true, null, 'x', 1.5] }],
	])('%s', (_, reader, yaml, expected) => {
		expect(read(yaml, reader)).toEqual({ value: expected, faults: [], warnings: [] });
	});

	test.each<[string, Reader<unknown>, string, RegExp]>([
		['a number for text', text, 'v: 012', /^1: .*the number '012'.*"012"/],
		['a boolean for text', text, 'v: yes', /the boolean 'yes'.*"yes"/],
		['a date for text', text, 'v: 2024-01-31', /the date/],
		['a mapping for text', text, 'v: {a: 1}', /a mapping/],
		['a fraction for an integer', integer, 'v: 1.5', /whole number/],
		['text for an integer', integer, 'v: many', /whole number.*'many'/],
		['text for a boolean', boolean, 'v: maybe', /true or false/],
		['infinity for a number', number, 'v: .inf', /Expected a number/],
		[
			'a mistyped word',
			word('managed', 'user_identity'),
			'v: mangaed',
			/'managed', 'user_identity'.*Did you mean 'managed'/,
		],
		['a mapping for a list', listOf(text), 'v: {a: 1}', /a list/],
		['a list for a mapping', textMap, 'v: [a]', /mapping of names/],
		['a number among text', textMap, 'v:\n  a: x\n  n: 1', /^3: .*"1"/],
		['nan in JSON', json, 'v: [.nan]', /JSON has no number/],
	])('%s is refused', (_, reader, yaml, message) => {
		expect(read(yaml, reader).faults).toEqual([expect.stringMatching(message)]);
	});

	test('a version that lost a digit is warned of', () => {
		expect(read('v: 1.10', version)).toMatchObject({ value: '1.1', warnings: [expect.stringContaining('"1.10"')] });
	});

	test('a string map prints values as Python does', () => {
		expect(read('v: {a: true, b: 1, c: 1.0e-5, d: }', stringMap).value).toEqual(
			new Map([
				['a', 'True'],
				['b', '1'],
				['c', '1e-05'],
				['d', ''],
			]),
		);
	});
});

describe('mappings', () => {
	const thing = mapping('a thing', (map) => ({
		name: map.required('name', text),
		count: map.optional('count', integer),
		compute: map.optional('compute', text),
	}));

	function faultsOf(yaml: string): readonly string[] {
		const file = loadYaml(yaml, 'jobs/x.yml', '/');
		const reading = new Reading(file);
		thing(file.root, reading);
		try {
			reading.finish();
		} catch (error) {
			return error instanceof FileError
				? error.faults.map((fault) => `${fault.where?.line}:${fault.where?.column} ${fault.message}`)
				: [];
		}
		return [];
	}

	test('all faults at once, each with its place', () => {
		expect(faultsOf('count: many\ncompte: x\nzzz: 1\n')).toEqual([
			expect.stringMatching(/^1:1 A thing needs the key 'name'/),
			expect.stringMatching(/^1:8 Expected a whole number/),
			expect.stringMatching(/^2:1 Unknown key 'compte' in a thing\. Did you mean 'compute'\?/),
			expect.stringMatching(/^3:1 Unknown key 'zzz' in a thing\. Known keys: compute, count, name\./),
		]);
	});

	test('a required key without a value', () => {
		expect(faultsOf('name:\n')).toEqual([expect.stringMatching(/^1:1 'name' of a thing has no value/)]);
	});

	test('null counts as absent for a key that may be', () => {
		expect(faultsOf('name: x\ncount:\n')).toEqual([]);
	});
});

test.each([
	['compte', 'compute'],
	['displayName', 'display_name'],
	['enviroment', 'environment'],
	['experiment-name', 'experiment_name'],
	['zzz', undefined],
])('the name nearest to %s is %s', (name, expected) => {
	expect(nearest(name, ['compute', 'display_name', 'environment', 'experiment_name'])).toBe(expected);
});
