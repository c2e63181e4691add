// Which files `asset-files` means, and that all that is wrong with them is told at once, secrets hidden.
import { afterEach, describe, expect, test } from '@jest/globals';
import { type AssetFiles, readAssetFiles } from '../../src/asset/asset-files.ts';
import { findAssetFiles } from '../../src/asset/asset-files-paths.ts';
import { FileError, InputError } from '../../src/errors.ts';
import { readComponentFile } from '../../src/job/file/component.ts';
import { TARGET } from '../fixtures/workspace.ts';
import { TestFolders } from './folder.ts';

const folders = new TestFolders();
afterEach(() => folders.remove());

const ENVIRONMENT = 'name: e\nimage: i\n';

interface Attempt {
	readonly files?: AssetFiles;
	readonly error?: unknown;
	readonly masked: readonly string[];
}

async function attempt(content: Record<string, string>, patterns: readonly string[] = ['*.yml']): Promise<Attempt> {
	const checkout = await folders.make(content);
	const masked: string[] = [];
	const parts = {
		checkout,
		target: TARGET,
		readComponent: readComponentFile,
		warn: () => {},
		mask: (value: string) => void masked.push(value),
	};
	try {
		return { files: readAssetFiles(patterns, parts), masked };
	} catch (error) {
		return { error, masked };
	}
}

function faultsOf({ error }: Attempt): string[] {
	if (!(error instanceof FileError || error instanceof InputError)) throw error;
	return error.faults.map(({ message, where }) => `${where?.file ?? '-'}: ${message}`);
}

describe('paths', () => {
	test('are globs below the checkout, in order, each file once, folders left out', async () => {
		const checkout = await folders.make({ 'b/x.yml': '', 'a.yml': '', 'b/c/y.yml': '', 'b/z.yml/': '', 'n.txt': '' });
		const { files, faults } = findAssetFiles(['b/*.yml', '**/*.yml', './a.yml', `${checkout}/b/x.yml`], checkout);
		expect(files.map(({ path }) => path)).toEqual(['a.yml', 'b/c/y.yml', 'b/x.yml']);
		expect(faults).toEqual([]);
	});

	test('mean a file that is there, even where its name reads like a glob', async () => {
		const checkout = await folders.make({ 'a[1].yml': '', 'a1.yml': '' });
		expect(findAssetFiles(['a[1].yml'], checkout).files.map(({ path }) => path)).toEqual(['a[1].yml']);
	});

	test('that lead out of the checkout by a link are faults', async () => {
		const outside = await folders.make({ 'e.yml': ENVIRONMENT });
		const checkout = await folders.make({
			'real.yml': ENVIRONMENT,
			'in.yml': { to: 'real.yml' },
			'out.yml': { to: `${outside}/e.yml` },
		});
		const { files, faults } = findAssetFiles(['*.yml'], checkout);
		expect(files.map(({ path }) => path)).toEqual(['in.yml', 'real.yml']);
		expect(faults.map(({ message }) => message)).toEqual([
			expect.stringContaining("'out.yml' is a link that leads out"),
		]);
		expect(findAssetFiles([`${outside}/e.yml`], checkout).faults).toEqual([]);
	});

	test('that lead to nothing are faults, each by its name, with the faults of the files', async () => {
		const alone = await attempt({ 'a.yml': ENVIRONMENT, 'sub/b.yml': ENVIRONMENT }, [
			'no.yml',
			'x/*.yml',
			'sub',
			'a.yml',
		]);
		expect(alone.error).toBeInstanceOf(InputError);
		expect(faultsOf(alone)).toEqual([
			expect.stringContaining('there is no file no.yml'),
			expect.stringContaining('no file matches x/*.yml'),
			expect.stringContaining('sub is a folder'),
		]);
		const mixed = await attempt({ 'a.yml': 'image: i\n' }, ['no.yml', 'a.yml']);
		expect(mixed.error).toBeInstanceOf(FileError);
		expect(faultsOf(mixed)).toEqual([
			expect.stringMatching(/^-: .*no\.yml/),
			expect.stringMatching(/^a\.yml: .*'name'/),
		]);
	});
});

describe('files', () => {
	test('are told with all their faults at once', async () => {
		const tried = await attempt({
			'a.yml': 'image: i\n',
			'b.yml': 'name: c\ntype: amlcompute\nsizes: x\n',
			'c.yml': ENVIRONMENT,
		});
		expect(faultsOf(tried)).toEqual([expect.stringMatching(/^a\.yml: /), expect.stringMatching(/^b\.yml: .*'sizes'/)]);
	});

	test('of jobs, endpoints and deployments say which input they belong to', async () => {
		const schema = (name: string): string => `$schema: https://x/${name}.schema.json\nname: n\n`;
		const tried = await attempt({
			'a.yml': schema('commandJob'),
			'b.yml': schema('managedOnlineEndpoint'),
			'c.yml': schema('batchDeployment'),
		});
		expect(faultsOf(tried)).toEqual([
			expect.stringContaining('command job, which is no asset. Give it in the input `job-file`'),
			expect.stringContaining('online endpoint, which is no asset. Give it in the input `endpoint-file`'),
			expect.stringContaining('batch deployment, which is no asset. Give it in the input `deployment-file`'),
		]);
	});

	test('have their secrets masked, even when they are refused', async () => {
		const store = 'name: s\ntype: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials:\n  account_key: ';
		const compute = 'name: c\ntype: amlcompute\nssh_settings:\n  admin_username: u\n  admin_password: hunter22\n';
		const tried = await attempt({ 'a.yml': `${store}12345678901234567890\n`, 'b.yml': compute });
		expect(faultsOf(tried)).toHaveLength(1);
		expect(tried.masked).toEqual(expect.arrayContaining(['12345678901234567890', 'hunter22']));
	});
});

describe('the workspace', () => {
	const workspace = (name: string, more = ''): string =>
		`$schema: https://x/workspace.schema.json\nname: ${name}\n${more}`;

	test('stands apart from what is in it', async () => {
		const { files } = await attempt({ 'a.yml': ENVIRONMENT, 'b.yml': workspace('WS-1', 'resource_group: rg-1\n') });
		expect(files?.workspace?.file.name).toBe('WS-1');
		expect(files?.assets.map(({ kind }) => kind)).toEqual(['environment']);
	});

	test('must be the one that the inputs name, and only one', async () => {
		const tried = await attempt({ 'a.yml': workspace('other', 'resource_group: rg-2\n') });
		expect(faultsOf(tried)).toEqual([
			expect.stringContaining("`name` is 'other', but the input `workspace` is 'ws-1'"),
			expect.stringContaining("`resource_group` is 'rg-2', but the input `resource-group` is 'rg-1'"),
		]);
		const two = await attempt({ 'a.yml': workspace('ws-1'), 'b.yml': workspace('ws-1') });
		expect(faultsOf(two)).toEqual([expect.stringMatching(/^b\.yml: .*second workspace/)]);
	});
});
