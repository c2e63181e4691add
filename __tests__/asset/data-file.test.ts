import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dataBody, readDataFile } from '../../src/asset/data-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'data-'));
	mkdirSync(path.join(folder, 'rows'));
	writeFileSync(path.join(folder, 'rows', 'a.csv'), 'a\n');
	mkdirSync(path.join(folder, 'table'));
	writeFileSync(
		path.join(folder, 'table', 'MLTable'),
		'paths:\n  - file: ./a.csv\n  - pattern: ./*.csv\n  - folder: x\n',
	);
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (yaml: string): ReturnType<typeof readDataFile> =>
	readDataFile(loadYaml(`name: d\n${yaml}`, 'assets/d.yml', folder));
const body = (yaml: string): unknown =>
	dataBody(read(yaml), () => 'azureml://datastores/s/paths/LocalUpload/h/rows/').properties;

test.each([
	[
		'a URI',
		'path: https://example.org/a.csv\ntype: uri_file\nversion: 1',
		{ dataType: 'uri_file', dataUri: 'https://example.org/a.csv' },
	],
	[
		'a folder by default',
		'path: azureml://datastores/s/paths/x/',
		{ dataType: 'uri_folder', dataUri: 'azureml://datastores/s/paths/x/' },
	],
	[
		'a local folder, without a slash at the end',
		'path: rows\ntags: {n: 1}',
		{ dataType: 'uri_folder', dataUri: 'azureml://datastores/s/paths/LocalUpload/h/rows', tags: { n: '1' } },
	],
	[
		'a table with the paths that it lists',
		'path: table\ntype: mltable',
		{ dataType: 'mltable', referencedUris: ['./a.csv', './*.csv', 'x'] },
	],
])('%s', (_, yaml, expected) => {
	expect(body(yaml)).toMatchObject({ isAnonymous: false, ...expected });
});

test('a local path is a dependency', () => {
	expect(read('path: rows\ndatastore: azureml:other').dependencies).toMatchObject([
		{ need: 'upload', path: path.join(folder, 'rows'), type: 'uri_folder', datastore: 'other', written: 'rows' },
	]);
});

test.each([
	['a missing path', 'path: nope', /assets\/nope, and nothing is there/],
	['a folder as file', 'path: rows\ntype: uri_file', /a file is needed/],
	['a table without MLTable', 'path: rows\ntype: mltable', /assets\/rows\/MLTable is not there/],
	['a model type', 'path: rows\ntype: custom_model', /'uri_folder', 'uri_file', 'mltable'/],
	['no path', 'type: uri_file', /needs the key 'path'/],
])('%s is refused', (_, yaml, message) => {
	expect(() => read(yaml)).toThrow(message);
});
