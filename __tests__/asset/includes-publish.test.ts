// A component with `additional_includes`, from its file to what lies in storage: the merged folder, under its own hash.
// The hash is computed here on its own, over the bytes that arrived.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { Dependency } from '../../src/asset/dependency.ts';
import { readComponentFile } from '../../src/job/file/component.ts';
import { readJobFile } from '../../src/job/file/index.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { AssetSite, WORKSPACE_ID } from './site.ts';

let site: AssetSite;
afterEach(() => site.close());

const FILES = {
	'jobs/src/train.py': 'print(1)\n',
	'jobs/src/lib/a.txt': 'a\n',
	'jobs/src/.amlignore': '*.log\n',
	'shared/util.py': 'u=1\n',
	'shared/deep/X.txt': 'x\n',
	'shared/run.log': 'left out by the ignore file of the code\n',
	'shared/.env': 'TOKEN=never leaves\n',
	'extra.txt': 'extra\n',
	'beside.txt': 'not included\n',
};
const MERGED = {
	'.amlignore': '*.log\n',
	'extra.txt': 'extra\n',
	'lib/a.txt': 'a\n',
	'shared/deep/X.txt': 'x\n',
	'shared/util.py': 'u=1\n',
	'train.py': 'print(1)\n',
};
const COMPONENT = ['command: python train.py', 'environment: azureml:e:1', 'type: command'];
const INCLUDES = 'additional_includes: [../shared, ../extra.txt]';

function isCode(dependency: Dependency): dependency is Extract<Dependency, { need: 'code' }> {
	return dependency.need === 'code';
}

/** The code that a component file in `jobs/` of the checkout asks for. */
function codeOf(...lines: readonly string[]): Dependency {
	const yaml = ['name: c', 'version: 1', ...COMPONENT, ...lines].join('\n');
	const component = readComponentFile(loadYaml(yaml, 'c.yml', path.join(site.checkout, 'jobs')));
	const code = component.dependencies.find(isCode);
	if (code === undefined) throw new Error('The component asks for no code.');
	return code;
}

/** What lies below a folder of the storage: path to text. */
function stored(folder: string): Record<string, string> {
	const below = site.blobs().filter((name) => name.startsWith(`${folder}/`));
	return Object.fromEntries(
		below.map((name) => [name.slice(folder.length + 1), site.server.blobs.get(name)?.data.toString() ?? '']),
	);
}

/** The content hash (version 202208) of files, told from what is stored. */
function hashOf(files: Readonly<Record<string, string>>): string {
	const sorted = Object.entries(files).sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
	const heads = sorted.map(([name, text]) => `#${name}#${Buffer.byteLength(text)}`);
	const bodies = sorted.map(([, text]) => text);
	return createHash('sha256')
		.update([sorted.length, ...heads, ...bodies].join(''))
		.digest('hex');
}

const putBody = (id: string): Record<string, unknown> => site.body(id.slice(WORKSPACE_ID.length + 1));

test('the merged folder is uploaded, and the version has the hash of what arrived', async () => {
	site = await AssetSite.open(FILES);
	const publisher = site.publisher();
	const code = codeOf('code: ./src', INCLUDES);
	await publisher.publish([code]);
	const folder = '/code-1/code_with_additional_includes';
	expect(stored(folder)).toEqual(MERGED);
	expect(site.blobs()).toHaveLength(Object.keys(MERGED).length);
	expect(putBody(publisher.idOf(code))).toMatchObject({
		codeUri: `http://127.0.0.1:${site.server.port}${folder}`,
		properties: { hash_sha256: hashOf(stored(folder)), hash_version: '202208' },
	});
	expect(site.server.requests[0]?.query).toMatchObject({ hash: hashOf(MERGED) });
	expect(publisher.made()).toMatchObject([{ kind: 'code', reused: false, files: 6 }]);
});

test('a component without code of its own has its includes alone', async () => {
	site = await AssetSite.open(FILES);
	const publisher = site.publisher();
	const code = codeOf(INCLUDES);
	await publisher.publish([code]);
	const arrived = stored('/code-1/code_with_additional_includes');
	// No ignore file of a code folder holds here, so the log comes along.
	expect(Object.keys(arrived)).toEqual(['extra.txt', 'shared/deep/X.txt', 'shared/run.log', 'shared/util.py']);
	expect(putBody(publisher.idOf(code))).toMatchObject({ properties: { hash_sha256: hashOf(arrived) } });
});

test('the same folder with and without includes are two codes; the same includes again are one', async () => {
	site = await AssetSite.open(FILES);
	const publisher = site.publisher();
	const [bare, merged, twin] = [
		codeOf('code: ./src'),
		codeOf('code: ./src', INCLUDES),
		codeOf('code: ./src', INCLUDES),
	];
	await publisher.publish([bare, merged, twin]);
	expect(site.lines(/PUT/)).toHaveLength(2);
	expect(publisher.idOf(twin)).toBe(publisher.idOf(merged));
	expect(publisher.idOf(bare)).not.toBe(publisher.idOf(merged));
	const again = site.publisher();
	await again.publish([codeOf('code: ./src', INCLUDES)]);
	expect(again.made()).toMatchObject([{ kind: 'code', reused: true }]);
	expect(site.lines(/PUT/)).toHaveLength(2);
	await site.folders.add(site.checkout, { 'extra.txt': 'changed\n' });
	const changed = site.publisher();
	await changed.publish([codeOf('code: ./src', INCLUDES)]);
	expect(changed.made()).toMatchObject([{ kind: 'code', reused: false }]);
});

test("the component of a pipeline's node brings its includes along", async () => {
	const component = ['name: c', ...COMPONENT, 'code: ./src', INCLUDES].join('\n');
	site = await AssetSite.open({ ...FILES, 'jobs/c.yml': component });
	site.add('environments/e/versions/1');
	const yaml = 'type: pipeline\njobs:\n  one:\n    type: command\n    component: ./c.yml\n    compute: azureml:cpu\n';
	site.add('computes/cpu');
	const job = readJobFile(loadYaml(yaml, 'p.yml', path.join(site.checkout, 'jobs')));
	await site.publisher().publish(job.dependencies);
	const put = site.server.requests.find(({ method, path: at }) => method === 'PUT' && at.includes('/codes/'));
	const folder = '/code-1/code_with_additional_includes';
	expect(stored(folder)).toEqual(MERGED);
	expect(JSON.parse(put?.body.toString() ?? '{}')).toMatchObject({
		properties: { properties: { hash_sha256: hashOf(stored(folder)) } },
	});
	const spec = site.server.requests.find(({ method, path: at }) => method === 'PUT' && at.includes('/components/'));
	expect(JSON.parse(spec?.body.toString() ?? '{}')).toMatchObject({
		properties: { componentSpec: { code: `azureml:${put?.path}`, additional_includes: ['../shared', '../extra.txt'] } },
	});
});
