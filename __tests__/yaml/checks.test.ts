import { describe, expect, test } from '@jest/globals';
import { FileError } from '../../src/errors.ts';
import { child, MapReader, mapping, Reading, warnLeftOut } from '../../src/yaml/checks.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { nearest } from '../../src/yaml/nearest.ts';
import { integer, text } from '../../src/yaml/values.ts';

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

test('faults are told in the order of the file, then those of the files that it names, by their names', () => {
	const reading = new Reading({ path: 'm.yml', folder: '/' });
	const places = [
		{ file: 'z.yml', line: 1, column: 1 },
		{ file: 'm.yml', line: 9, column: 1 },
		{ file: 'a.yml', line: 2, column: 7 },
		{ file: 'm.yml', line: 3, column: 12 },
		{ file: 'a.yml', line: 2, column: 5 },
		{ file: 'm.yml', line: 3, column: 4 },
		{ file: 'm.yml' },
		{ file: 'm.yml', line: 3 },
	];
	const shuffled = new Reading({ path: 'm.yml', folder: '/' });
	for (const place of places) reading.fault(place, 'x');
	for (const place of places.toReversed()) shuffled.fault(place, 'x');
	const order = (one: Reading): string[] => {
		try {
			one.finish();
		} catch (error) {
			if (error instanceof FileError)
				return error.faults.map(({ where }) => [where?.file, where?.line, where?.column].join(' '));
		}
		return [];
	};
	const wanted = ['m.yml  ', 'm.yml 3 ', 'm.yml 3 4', 'm.yml 3 12', 'm.yml 9 1', 'a.yml 2 5', 'a.yml 2 7', 'z.yml 1 1'];
	for (const one of [reading, shuffled]) expect(order(one)).toEqual(wanted);
});

test('keys that have no effect are warned of where they stand', () => {
	const reading = new Reading({ path: 'x.yml', folder: '/' });
	const map = new MapReader(loadYaml('a: 1\nb: 2\nc: ~', 'x.yml', '/').root, reading, 'a thing');
	warnLeftOut(map, 'b', 'c', 'd');
	expect(reading.warnings).toEqual([
		{
			message: "'b' is not part of the API that this action uses and is left out.",
			where: expect.objectContaining({ file: 'x.yml', line: 2 }),
		},
	]);
	expect(map.rest().map(({ key }) => key)).toEqual(['a']);
});

test('what is no mapping is told to be none, and nothing is found in it', () => {
	const reading = new Reading({ path: 'x.yml', folder: '/' });
	const list = child(loadYaml('v: [name]', 'x.yml', '/').root, 'v');
	expect(list && mapping('a thing', (map) => map.optional('name', text))(list, reading)).toBeUndefined();
	expect(reading.faults).toEqual([
		{ message: 'Expected a thing, a mapping of keys, but found a list.', where: expect.objectContaining({ line: 1 }) },
	]);
});
