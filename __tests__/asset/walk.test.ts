import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type LocalTree, walk } from '../../src/asset/walk.ts';
import { TestFolders } from './folder.ts';

const folders = new TestFolders();
afterEach(() => folders.remove());

type Content = Parameters<TestFolders['make']>[0];

async function walkOf(
	content: Content,
	below = '.',
	more: { runnerPaths?: string[]; most?: number } = {},
): Promise<LocalTree> {
	const checkout = await folders.make(content);
	return walk(path.join(checkout, below), { checkout, ...more });
}

const paths = (tree: LocalTree) => tree.files.map((file) => file.path);

describe('an ordinary folder', () => {
	test('gives its files by lower-cased path and the base name of the folder', async () => {
		const tree = await walkOf({ 'src/b.py': '', 'src/A.py': 'a', 'src/a/z.py': '', 'other.py': '' }, 'src');
		expect(paths(tree)).toEqual(['A.py', 'a/z.py', 'b.py']);
		expect([tree.base, tree.kind, tree.problems, tree.files[0]?.size]).toEqual(['src', 'folder', [], 1]);
	});

	test('leaves out what its ignore file excludes, and keeps the ignore file', async () => {
		const tree = await walkOf({
			'.gitignore': '*.log\nnode_modules/\n',
			'a.log': '',
			'a.py': '',
			'node_modules/x/i.js': '',
		});
		expect(paths(tree)).toEqual(['.gitignore', 'a.py']);
	});

	test('takes a single file without asking any ignore file', async () => {
		const tree = await walkOf({ '.gitignore': '*.csv', 'data/x.csv': 'abc' }, 'data/x.csv');
		expect([tree.base, tree.kind, paths(tree)]).toEqual(['x.csv', 'file', ['x.csv']]);
	});

	test('keeps names apart that differ in case or in the form of an accent', async () => {
		const tree = await walkOf({ 'A.txt': '', 'a.txt': '', '\u00e9': '', 'e\u0301': '' });
		expect(paths(tree)).toEqual(['A.txt', 'a.txt', 'e\u0301', '\u00e9']);
	});

	test('is refused when it is empty, saying why', async () => {
		expect((await walkOf({ 'src/': '' }, 'src')).problems).toEqual(['src holds no file.']);
		const ignored = await walkOf({ 'src/.amlignore': '*', 'src/a': '' }, 'src');
		expect(ignored.problems).toEqual(['src holds no file that .amlignore does not exclude.']);
		expect((await walkOf({ 'src/.env': '' }, 'src')).problems[0]).toContain('Never uploaded: .env');
		expect((await walkOf({}, 'gone')).problems[0]).toMatch(/^Nothing is at .*gone\.$/);
	});
});

describe('links', () => {
	test('inside the checkout are followed under their own name', async () => {
		const tree = await walkOf(
			{ 'src/lib': { to: '../lib' }, 'src/one.py': { to: '../lib/x.py' }, 'lib/x.py': 'x', 'lib/deep/y.py': '' },
			'src',
		);
		expect(paths(tree)).toEqual(['lib/deep/y.py', 'lib/x.py', 'one.py']);
		expect(tree.problems).toEqual([]);
		expect(tree.files[2]?.source).toMatch(/lib\/x\.py$/);
	});

	test.each([
		['a file', { 'src/out': { to: 'CANARY/secret.txt' } }],
		['a folder', { 'src/out': { to: 'CANARY' } }],
		['through another link', { 'src/out': { to: '../hop' }, hop: { to: 'CANARY' } }],
	])('out of the checkout are refused by name: %s', async (_, content) => {
		const canary = await folders.make({ 'secret.txt': 'canary' });
		const real: Content = Object.fromEntries(
			Object.entries(content).map(([name, link]) => [name, { to: link.to.replace('CANARY', canary) }]),
		);
		const tree = await walkOf({ 'src/a.py': '', ...real }, 'src');
		expect(tree.problems).toHaveLength(1);
		expect(tree.problems[0]).toContain('out is a link that leads out of the checkout');
		expect(paths(tree)).toEqual(['a.py']);
	});

	test('a path that itself leads outside is taken at its word, a link in its place is not', async () => {
		const outside = await folders.make({ 'shared/x.py': 'x' });
		const checkout = await folders.make({ 'a.py': '', link: { to: path.join(outside, 'shared') } });
		const told = await walk(path.join(checkout, '..', path.basename(outside), 'shared'), { checkout });
		expect([paths(told), told.problems]).toEqual([['x.py'], []]);
		const hidden = await walk(path.join(checkout, 'link'), { checkout });
		expect(hidden.problems[0]).toContain('link is a link that leads out of the checkout');
		expect(hidden.files).toEqual([]);
	});

	test('that go round in circles end', async () => {
		const tree = await walkOf({
			'a.py': '',
			self: { to: 'self' },
			parent: { to: '.' },
			'x/to-y': { to: '../y' },
			'x/f': '',
			'y/to-x': { to: '../x' },
			'y/g': '',
		});
		expect(paths(tree)).toEqual(['a.py', 'x/f', 'x/to-y/g', 'y/g', 'y/to-x/f']);
		expect(tree.loops).toEqual(['parent', 'self', 'x/to-y/to-x', 'y/to-x/to-y']);
		expect(tree.problems).toEqual([]);
	});

	test('that lead nowhere are named together with all else that is wrong, unless ignored', async () => {
		const content = { 'a.py': '', gone: { to: 'nowhere' }, lost: { to: 'no/where' } };
		expect((await walkOf(content)).problems).toEqual([
			'gone is a link that leads nowhere.',
			'lost is a link that leads nowhere.',
		]);
		expect((await walkOf({ ...content, '.gitignore': 'gone\nlost\n' })).problems).toEqual([]);
	});

	test('in place of the path itself do not lead to what is withheld, but the path of that does', async () => {
		const checkout = await folders.make({
			'.git/config': 'token',
			'data.csv': { to: '.git/config' },
			data: { to: '.git' },
			'temp/event.json': '{}',
			event: { to: 'temp' },
			'.env': 'X=',
		});
		const runnerPaths = [path.join(checkout, 'temp')];
		for (const link of ['data.csv', 'data', 'data/config', 'event', 'event/event.json']) {
			const tree = await walk(path.join(checkout, link), { checkout, runnerPaths });
			expect(tree.problems).toEqual([expect.stringMatching(/is a link to .*, which is never uploaded/)]);
			expect(tree.files).toEqual([]);
		}
		for (const named of ['.env', '.git/config', 'temp']) {
			const tree = await walk(path.join(checkout, named), { checkout, runnerPaths });
			expect([tree.problems, tree.files.length]).toEqual([[], 1]);
		}
	});

	test('do not bring back under another name what is withheld', async () => {
		const tree = await walkOf(
			{ 'src/a.py': '', 'src/settings': { to: '../.git/config' }, '.git/config': 'token' },
			'src',
		);
		expect([paths(tree), tree.withheld]).toEqual([['a.py'], ['settings']]);
	});
});

describe('what is withheld', () => {
	const SECRETS = {
		'.git/config': '',
		'sub/.git': '',
		'.env': '',
		'sub/.env.local': '',
		'key.pem': '',
		'.ssh/id_ed25519': '',
		'sub/id_rsa': '',
		'.azure/token.json': '',
		'.aws/credentials': '',
		'.netrc': '',
		'azureauth.json': '',
	};

	test.each([
		['.GIT/config', 'ID_RSA', 'id_ed25519_deploy', 'id_rsa.bak', '_netrc', '.git-credentials', '.envrc'],
		['gha-creds-0a1b2c3d4e5f.json', 'application_default_credentials.json', '.kaggle/kaggle.json', 'kaggle.json'],
		['.npmrc', '.pypirc', '.docker/config.json', '.dockercfg', '.kube/config', '.gnupg/secring.gpg', '.pgpass'],
		['.databrickscfg', '.s3cfg', '.boto', '.vault-token', '.htpasswd', 'x.publishsettings'],
		['server.key', 'cert.pfx', 'cert.P12', 'putty.ppk', 'my.kdbx', 'store.jks'],
	])('is what usually holds credentials: %s, %s, …', async (...names) => {
		const tree = await walkOf({ 'a.py': '', ...Object.fromEntries(names.map((name) => [name, ''])) });
		expect(paths(tree)).toEqual(['a.py']);
		expect(tree.withheld).toHaveLength(names.length);
	});

	test('is not what only looks a little like it', async () => {
		const ordinary = [
			'id_rsa.pub',
			'id_map.csv',
			'keys.py',
			'key',
			'environment.yml',
			'credentials.py',
			'gha-creds.md',
		];
		const tree = await walkOf(Object.fromEntries(ordinary.map((name) => [name, ''])));
		expect([paths(tree).sort(), tree.withheld]).toEqual([ordinary.sort(), []]);
	});

	test('is skipped at any depth and listed', async () => {
		const ordinary = { 'train.py': '', 'id_rsa.py': '', 'env.yml': '', 'sub/x': '', '.github/x': '', 'pem.txt': '' };
		const tree = await walkOf({ ...SECRETS, ...ordinary });
		expect(paths(tree).sort()).toEqual(Object.keys(ordinary).sort());
		expect(tree.withheld).toEqual([
			'.aws/',
			'.azure/',
			'.env',
			'.git/',
			'.netrc',
			'.ssh/',
			'azureauth.json',
			'key.pem',
			'sub/.env.local',
			'sub/.git',
			'sub/id_rsa',
		]);
		expect(tree.problems).toEqual([]);
	});

	test('leaves no trace among the entries that are hashed', async () => {
		const tree = await walkOf({ ...SECRETS, 'train.py': '' });
		expect(tree.entries.map((entry) => entry.name)).toEqual(['sub', 'train.py']);
	});

	test('is taken where .amlignore names it, and only there', async () => {
		const wanted = '!.env.example\n!.azure/config\n';
		const content = { 'a.py': '', '.env': '', '.env.example': 'X=', '.azure/config': '', '.azure/token': '' };
		const tree = await walkOf({ ...content, '.amlignore': wanted });
		expect(paths(tree)).toEqual(['.amlignore', '.azure/config', '.env.example', 'a.py']);
		expect(tree.withheld).toEqual(['.azure/token', '.env']);
		const git = await walkOf({ ...content, '.gitignore': wanted });
		expect(paths(git)).toEqual(['.gitignore', 'a.py']);
	});

	test("are the runner's own files", async () => {
		const checkout = await folders.make({
			'a.py': '',
			'temp/event.json': '',
			'commands/output': '',
			'_runner_file_commands/x': '',
		});
		const runnerPaths = [path.join(checkout, 'temp'), path.join(checkout, 'commands/output')];
		const tree = await walk(checkout, { checkout, runnerPaths });
		expect(paths(tree)).toEqual(['a.py']);
		expect(tree.withheld).toEqual(['_runner_file_commands/', 'commands/output', 'temp/']);
		const own = await walk(path.join(checkout, 'temp'), { checkout, runnerPaths });
		expect(paths(own)).toEqual(['event.json']);
	});
});

describe('what cannot be uploaded', () => {
	test('pipes, sockets and devices are refused without being opened', async () => {
		const checkout = await folders.make({ 'a.py': '', null: { to: '/dev/null' } });
		execFileSync('mkfifo', [path.join(checkout, 'pipe')]);
		const server = createServer();
		await new Promise<void>((ready) => server.listen(path.join(checkout, 'sock'), ready));
		const tree = await walk(checkout, { checkout });
		await new Promise((closed) => server.close(closed));
		expect(tree.problems).toEqual([
			'null is a link that leads out of the checkout, to /dev/null.',
			'pipe is a named pipe; only files and folders can be uploaded.',
			'sock is a socket; only files and folders can be uploaded.',
		]);
		const pipe = await walk(path.join(checkout, 'pipe'), { checkout });
		expect(pipe.problems).toEqual(['pipe is a named pipe, not a file or folder.']);
	});

	test('names that storage cannot keep', async () => {
		const long = `${'d'.repeat(200)}/`.repeat(5);
		const tree = await walkOf({ 'a\\b': '', 'new\nline': '', 'dot.': '', [`${long}x`]: '', 'fine .txt': '' });
		expect(tree.problems).toHaveLength(4);
		expect(paths(tree)).toEqual(['fine .txt']);
	});

	test('more files than anyone can mean', async () => {
		const tree = await walkOf({ a: '', b: '', c: '', d: '' }, '.', { most: 2 });
		expect(tree.problems).toEqual(['There are more than 2 files. Exclude some in .amlignore.']);
	});
});
