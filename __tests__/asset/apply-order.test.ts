// The order in which asset files are applied, and what is wrong with sets of them.
import { afterEach, describe, expect, test } from '@jest/globals';
import { dependenciesOf, inOrder, leadsInto } from '../../src/asset/apply-order.ts';
import { type AssetFile, readAssetFiles } from '../../src/asset/asset-files.ts';
import { readComponentFile } from '../../src/job/file/component.ts';
import { TestFolders } from './folder.ts';

const folders = new TestFolders();
afterEach(() => folders.remove());

const component = (name: string, environment: string, more = ''): string =>
	`type: command\nname: ${name}\nis_deterministic: true\ncommand: echo\nenvironment: ${environment}\n${more}`;
const pipeline = (name: string, uses: string, more = ''): string =>
	`$schema: https://x/pipelineComponent.schema.json\nname: ${name}\ntype: pipeline\n${more}jobs:\n  one:\n    type: command\n    component: ${uses}\n`;

async function read(files: Readonly<Record<string, string>>): Promise<readonly AssetFile[]> {
	const checkout = await folders.make(files);
	const parts = { checkout, target: undefined, readComponent: readComponentFile, warn: () => {}, mask: () => {} };
	return readAssetFiles(['*.yml'], parts).assets;
}

const names = (assets: readonly AssetFile[]): string[] => assets.map(({ path }) => path.replace('.yml', ''));

describe('order', () => {
	test('is by kind, then by path, where nothing refers to anything', async () => {
		const assets = await read({
			'a.yml': 'name: m\ntype: custom_model\npath: azureml://jobs/j/outputs/o/paths/m\n',
			'b.yml': component('c', 'azureml:other:1'),
			'c.yml': 'name: d\ntype: uri_file\npath: https://x/y.csv\n',
			'd.yml': 'name: e2\nimage: i\n',
			'e.yml': 'name: e1\nimage: i\n',
			'f.yml': 'name: s\ntype: azure_blob\naccount_name: a\ncontainer_name: c\n',
			'g.yml': 'name: cluster\ntype: amlcompute\n',
		});
		expect(names(inOrder(assets))).toEqual(['g', 'f', 'd', 'e', 'c', 'b', 'a']);
	});

	test('puts what is referred to first, also within a kind, by any way of naming it', async () => {
		const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w';
		const assets = await read({
			'a.yml': pipeline('outer', 'azureml:inner@latest'),
			'b.yml': pipeline('inner', `${id}/components/leaf/versions/1`),
			'c.yml': component('leaf', 'azureml:e:1', 'version: 1\n'),
			'd.yml': 'name: e\nversion: 1\nimage: i\n',
		});
		expect(names(inOrder(assets))).toEqual(['d', 'c', 'b', 'a']);
	});

	test('finds references inside definitions that are written on the spot', async () => {
		const inline =
			'jobs:\n  one:\n    type: command\n    component:\n      command: echo\n      environment: azureml:e:1\n';
		const assets = await read({
			'a.yml': `$schema: https://x/pipelineComponent.schema.json\nname: p\ntype: pipeline\n${inline}`,
			'b.yml': 'name: e\nversion: 1\nimage: i\n',
		});
		const [first, second] = assets;
		expect([first?.path, second?.path]).toEqual(['a.yml', 'b.yml']);
		expect(first && dependenciesOf(first).some((dependency) => leadsInto(dependency, assets))).toBe(true);
		expect(first && dependenciesOf(first).some((dependency) => leadsInto(dependency, [first]))).toBe(false);
	});

	test('takes another version of the same name for what is there already', async () => {
		const assets = await read({
			'a.yml': component('c', 'azureml:e:2'),
			'b.yml': 'name: e\nversion: 1\nimage: i\n',
		});
		const [made] = assets.filter(({ kind }) => kind === 'component');
		expect(made && dependenciesOf(made).some((dependency) => leadsInto(dependency, assets))).toBe(false);
	});
});

describe('faults of the files together', () => {
	test('two files that make the same thing', async () => {
		const files = { 'a.yml': 'name: e\nversion: 1\nimage: i\n', 'b.yml': 'name: e\nversion: 1\nimage: j\n' };
		await expect(read(files)).rejects.toMatchObject({
			faults: [{ message: expect.stringContaining('the same environment as a.yml'), where: { file: 'b.yml' } }],
		});
		expect(await read({ ...files, 'b.yml': 'name: e\nversion: 2\nimage: j\n' })).toHaveLength(2);
	});

	test('files that need one another', async () => {
		const files = {
			'a.yml': pipeline('a', 'azureml:b:1', 'version: 1\n'),
			'b.yml': pipeline('b', 'azureml:a:1', 'version: 1\n'),
		};
		await expect(read(files)).rejects.toMatchObject({
			faults: [{ where: { file: 'a.yml' } }, { where: { file: 'b.yml' } }],
		});
	});

	test('not a file without a version that builds on an earlier version of itself', async () => {
		expect(await read({ 'a.yml': pipeline('a', 'azureml:a:1') })).toHaveLength(1);
	});
});
