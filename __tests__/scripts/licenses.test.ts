import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { licensesText, packageFolders, readPackage } from '../../scripts/licenses.ts';

const folders: string[] = [];

function packageFolder(files: Readonly<Record<string, string>>): string {
	const folder = mkdtempSync(join(tmpdir(), 'package-'));
	folders.push(folder);
	for (const [name, text] of Object.entries(files)) {
		writeFileSync(join(folder, name), text);
	}
	return folder;
}

afterEach(() => {
	for (const folder of folders.splice(0)) {
		rmSync(folder, { recursive: true, force: true });
	}
});

describe('packageFolders', () => {
	test('finds each package once: plain, scoped, nested, and inside concatenated modules', () => {
		const modules = [
			{ nameForCondition: '/p/build/index.js' },
			{ nameForCondition: '/p/node_modules/b/lib/one.js' },
			{
				nameForCondition: '/p/node_modules/b/lib/two.js',
				modules: [
					{ nameForCondition: '/p/node_modules/@s/a/index.js' },
					{ nameForCondition: '/p/node_modules/b/node_modules/c/index.js' },
				],
			},
			{ name: 'external "node:fs"', nameForCondition: null },
		];
		expect(packageFolders(modules)).toEqual([
			'/p/node_modules/@s/a',
			'/p/node_modules/b',
			'/p/node_modules/b/node_modules/c',
		]);
	});
});

describe('readPackage', () => {
	test('takes licence and notice files in order, with one kind of line end', () => {
		const folder = packageFolder({
			'package.json': JSON.stringify({ name: 'a', version: '1.2.3', license: 'Apache-2.0' }),
			'NOTICE.txt': 'notice\r\nof a\r\n',
			LICENSE: 'licence of a\n',
			'license.js': 'code',
			'README.md': 'no',
		});
		mkdirSync(join(folder, 'licenses'));
		expect(readPackage(folder)).toEqual({
			name: 'a',
			version: '1.2.3',
			license: 'Apache-2.0',
			texts: ['licence of a', 'notice\nof a'],
		});
	});

	test('refuses a package without a licence', () => {
		const folder = packageFolder({ 'package.json': JSON.stringify({ name: 'a', version: '1.0.0' }) });
		expect(() => readPackage(folder)).toThrow(/declares no licence/);
	});
});

describe('licensesText', () => {
	const one = { name: 'one', version: '1.0.0', license: 'MIT', texts: ['text of one'] };
	const two = { name: 'two', version: '2.0.0', license: 'ISC', texts: [] };

	test('is the same whatever the order, and names each package and version once', () => {
		expect(licensesText([two, one, one])).toBe(licensesText([one, two]));
		expect(licensesText([one, two]).match(/^one 1\.0\.0$/gm)).toHaveLength(1);
	});

	test('carries the texts, and says so where a package ships none', () => {
		expect(licensesText([one, two])).toContain('text of one');
		expect(licensesText([two])).toContain('ships no licence text; it declares: ISC');
	});
});
