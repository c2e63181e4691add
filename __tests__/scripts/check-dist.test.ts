import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { plainText, removeUnusedFiles } from '../../scripts/build.ts';
import { differences } from '../../scripts/check-dist.ts';

let scratch: string;

beforeEach(() => {
	scratch = mkdtempSync(join(tmpdir(), 'dist-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function folder(name: string, files: Readonly<Record<string, string>>): string {
	const path = join(scratch, name);
	for (const [file, text] of Object.entries(files)) {
		mkdirSync(join(path, file, '..'), { recursive: true });
		writeFileSync(join(path, file), text);
	}
	return path;
}

describe('differences', () => {
	test('has nothing to say of equal folders', () => {
		const files = { 'index.js': 'a', 'sub/1.js': 'b' };
		expect(differences(folder('one', files), folder('other', files))).toEqual([]);
	});

	test('names what is missing, unexpected or different', () => {
		const committed = folder('committed', { 'index.js': 'a\r\n', 'old.js': 'x', same: 's' });
		const fresh = folder('fresh', { 'index.js': 'a\n', 'sub/1.js': 'b', same: 's' });
		expect(differences(committed, fresh)).toEqual(['index.js: differs', 'old.js: unexpected', 'sub/1.js: missing']);
	});

	test('calls everything missing where there is no folder yet', () => {
		expect(differences(join(scratch, 'nowhere'), folder('fresh', { 'index.js': 'a' }))).toEqual(['index.js: missing']);
	});
});

describe('removeUnusedFiles', () => {
	test('drops the known stray and keeps what runs', () => {
		const out = folder('out', { 'index.js': '', '835.index.js': '', 'package.json': '', 'xdg-open': '' });
		removeUnusedFiles(out);
		expect(['index.js', '835.index.js', 'package.json', 'xdg-open'].map((file) => existsSync(join(out, file)))).toEqual(
			[true, true, true, false],
		);
	});

	test('stops at a file that nobody decided about', () => {
		expect(() => removeUnusedFiles(folder('out', { 'addon.node': '' }))).toThrow(/addon\.node/);
	});
});

describe('plainText', () => {
	test('means the same, in ASCII and with LF', () => {
		const program = "[`é\r\n😀`, '–'.length, /[à-ü]/.test('è'), /^😀$/u.test('😀'), /^[😀-😂]$/v.test('😁')]";
		const plain = plainText(program);
		expect(plain).toMatch(/^[\0-\x7f]*$/);
		expect(plain).not.toContain('\r');
		expect(runInNewContext(plain)).toEqual(runInNewContext(program.replaceAll('\r\n', '\n')));
	});

	test.each(['// C:\\…', 'String.raw`é`'])('leaves %s, where an escape would mean something else', (program) => {
		expect(plainText(program)).toBe(program);
	});

	test('is what every run begins with', () => {
		expect(readFileSync(join(import.meta.dirname, '../../dist/index.js'), 'latin1')).toMatch(/^[\0-\x7f]*$/);
	});
});
