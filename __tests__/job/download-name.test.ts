import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nameFault } from '../../src/job/download-name.ts';

describe('a name of storage', () => {
	test.each([
		'model.txt',
		'named-outputs/model/MLmodel',
		'.hidden/..double',
		'a b/ü/日本.bin',
		'console.log',
		'nullable/auxiliary',
		'x'.repeat(255),
	])('%s may be written to', (name) => {
		expect(nameFault(name)).toBeUndefined();
	});

	test.each([
		['../escape', "part '..'"],
		['a/../../escape', "part '..'"],
		['a/./b', "part '.'"],
		['a//b', "part ''"],
		['a/', "part ''"],
		['', "part ''"],
		['/etc/passwd', 'absolute'],
		['C:/windows', 'drive letter'],
		['c:evil', 'drive letter'],
		['a\\..\\b', 'backslash'],
		['a\u0000.txt', 'control character'],
		['a\n::error::x', 'control character'],
		['CON', 'reserved'],
		['a/nul.txt', 'reserved'],
		['LPT1.tar.gz', 'reserved'],
		['file.txt:stream', 'colon'],
		['trailing.', 'ends in a dot'],
		['trailing /x', 'ends in a dot or a space'],
		['ü'.repeat(128), 'too long'],
	])('%j is refused', (name, why) => {
		expect(nameFault(name)).toContain(why);
	});

	test('that is let through stays below the folder that it is put in', () => {
		const part = fc.constantFrom('..', '.', '', 'a', '/', '\\', 'C:', '\u0000', '...', 'b c');
		fc.assert(
			fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
				const name = parts.join('/');
				if (nameFault(name) !== undefined) return;
				expect(new URL(`file:///root/${name}`).pathname.startsWith('/root/')).toBe(true);
				expect(name.split(/[\\/]/)).not.toContain('..');
			}),
		);
	});
});
