// `additional_includes` of components: what is read, and what is told before anything is sent.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { componentBody } from '../../../src/asset/component-file.ts';
import type { Fault } from '../../../src/errors.ts';
import { readComponentFile } from '../../../src/job/file/component.ts';
import { loadYaml } from '../../../src/yaml/load.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'includes-'));
	for (const one of ['src/lib', 'shared', 'lib', 'zipped']) mkdirSync(path.join(folder, one), { recursive: true });
	for (const one of ['src/train.py', 'shared/a.py', 'extra.txt', 'c.additional_includes']) {
		writeFileSync(path.join(folder, one), '');
	}
});
afterAll(() => rmSync(folder, { recursive: true }));

const COMMAND = 'type: command\nname: c\nversion: 1\ncommand: echo\nenvironment: azureml:e:1\n';
const read = (yaml: string, file = 'x.yml', warn?: (fault: Fault) => void) =>
	readComponentFile(loadYaml(yaml, file, folder), warn);

test.each([
	['beside code', 'code: src\n', 'src'],
	['without code', '', ''],
])('includes %s are part of the code and stand in the spec', (_, code, own) => {
	const component = read(`${COMMAND}${code}additional_includes: [./shared, extra.txt]`);
	const needed = component.dependencies[0];
	expect(needed).toMatchObject({
		need: 'code',
		path: own === '' ? '' : path.join(folder, own),
		includes: [path.join(folder, 'shared'), path.join(folder, 'extra.txt')],
	});
	const body = componentBody(component, { workspaceId: '/w', idOf: ({ need }) => `/${need}` }, false);
	expect(body).toMatchObject({
		properties: { componentSpec: { code: 'azureml:/code', additional_includes: ['./shared', 'extra.txt'] } },
	});
});

test('an empty list adds nothing', () => {
	expect(read(`${COMMAND}code: src\nadditional_includes: []`).dependencies[0]).not.toHaveProperty('includes');
});

test.each([
	['nothing', '[./nope]', /'\.\/nope' leads to nope, and nothing is there/],
	['a name that the code has', '[./lib]', /the code folder has a 'lib' already/],
	['a folder to zip', '[./zipped.zip]', /asks for a folder to be zipped/],
	['an artifact', '[{type: artifact, feed: f, name: n, version: "1"}]', /artifact of Azure DevOps/],
	['no list', 'shared', /Expected a list/],
])('%s is refused on its line', (_, includes, message) => {
	const faults: Fault[] = [];
	try {
		read(`${COMMAND}code: src\nadditional_includes: ${includes}`);
	} catch (error) {
		faults.push(...(error as { faults: Fault[] }).faults);
	}
	expect(faults).toEqual([{ message: expect.stringMatching(message), where: expect.objectContaining({ line: 7 }) }]);
});

test('includes go with local code only', () => {
	expect(() => read(`${COMMAND}code: azureml:code:1\nadditional_includes: [shared]`)).toThrow(/local code folder/);
});

test('a file of includes beside the component is not read, which is said', () => {
	const warnings: string[] = [];
	read(`${COMMAND}code: src`, 'c.yml', ({ message }) => warnings.push(message));
	expect(warnings).toEqual([expect.stringMatching(/c\.additional_includes is not read/)]);
});
