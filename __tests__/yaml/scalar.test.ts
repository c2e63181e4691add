// Expected texts were printed by PyYAML 6 and Python's str().
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pythonFloat, resolvePlain, resolveTagged } from '../../src/yaml/scalar.ts';

describe('plain scalars as PyYAML reads them', () => {
	test.each([
		['yes', 'bool', 'True'],
		['No', 'bool', 'False'],
		['ON', 'bool', 'True'],
		['off', 'bool', 'False'],
		['true', 'bool', 'True'],
		['y', 'str', 'y'],
		['n', 'str', 'n'],
		['tRue', 'str', 'tRue'],
		['~', 'null', 'None'],
		['Null', 'null', 'None'],
		['', 'null', 'None'],
		['42', 'int', '42'],
		['+42', 'int', '42'],
		['-0', 'int', '0'],
		['012', 'int', '10'],
		['08', 'str', '08'],
		['0b101', 'int', '5'],
		['0x1F', 'int', '31'],
		['0o17', 'str', '0o17'],
		['1_000', 'int', '1000'],
		['1:30', 'int', '90'],
		['1:30:00', 'int', '5400'],
		['-1:30', 'int', '-90'],
		['1:60', 'str', '1:60'],
		['12345678901234567890', 'int', '12345678901234567890'],
		['1.5', 'float', '1.5'],
		['1.10', 'float', '1.1'],
		['1.', 'float', '1.0'],
		['.5', 'float', '0.5'],
		['-0.0', 'float', '-0.0'],
		['1e3', 'str', '1e3'],
		['1e-3', 'str', '1e-3'],
		['1.0e5', 'str', '1.0e5'],
		['1.0e+5', 'float', '100000.0'],
		['1.0e-5', 'float', '1e-05'],
		['1.0e+16', 'float', '1e+16'],
		['1.5e+300', 'float', '1.5e+300'],
		['1:30.5', 'float', '90.5'],
		['.inf', 'float', 'inf'],
		['-.INF', 'float', '-inf'],
		['.nan', 'float', 'nan'],
		['.', 'str', '.'],
		['2024-01-31', 'timestamp', '2024-01-31'],
		['2024-1-31', 'str', '2024-1-31'],
		['2024-01-31T10:00:00Z', 'timestamp', '2024-01-31 10:00:00+00:00'],
		['2024-01-31 10:00:00', 'timestamp', '2024-01-31 10:00:00'],
		['1.2.3', 'str', '1.2.3'],
		['azureml:env:1', 'str', 'azureml:env:1'],
	])('%j is %s %s', (written, type, text) => {
		expect(resolvePlain(written)).toMatchObject({ type, text });
	});

	test('values are JavaScript values', () => {
		expect(['yes', '012', '1:30', '1.5', '~', 'x'].map((written) => resolvePlain(written).value)).toEqual([
			true,
			10,
			90,
			1.5,
			null,
			'x',
		]);
		expect(resolvePlain('12345678901234567890').value).toBe(12345678901234567890n);
	});
});

describe('tagged scalars', () => {
	test.each([
		['!!str', '1', 'str', '1'],
		['!!int', '012', 'int', '10'],
		['!!float', '1', 'float', '1.0'],
		['!!float', '1e3', 'float', '1000.0'],
		['!!bool', 'yes', 'bool', 'True'],
		['!!null', 'x', 'null', 'None'],
	])('%s %s', (tag, written, type, text) => {
		expect(resolveTagged(`tag:yaml.org,2002:${tag.slice(2)}`, written)).toMatchObject({ type, text });
	});

	test('a text that does not fit', () => {
		expect(resolveTagged('tag:yaml.org,2002:bool', 'x')).toBeUndefined();
		expect(resolveTagged('tag:yaml.org,2002:binary', 'eA==')).toBeUndefined();
	});
});

describe('floats as Python prints them', () => {
	test.each([
		[0.0001, '0.0001'],
		[0.00001, '1e-05'],
		[123456789012345680, '1.2345678901234568e+17'],
		[1234567890123456, '1234567890123456.0'],
		[0.1 + 0.2, '0.30000000000000004'],
		[-0.00012345, '-0.00012345'],
		[5e-324, '5e-324'],
		[1e22, '1e+22'],
	])('%d is %s', (value, text) => {
		expect(pythonFloat(value)).toBe(text);
	});

	test('every float reads back as itself', () => {
		fc.assert(
			fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
				Object.is(Number(pythonFloat(value)), value),
			),
		);
	});
});
