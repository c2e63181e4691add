import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ComponentFile } from '../../src/asset/component-file.ts';
import type { Dependency } from '../../src/asset/dependency.ts';
import type { EnvironmentFile } from '../../src/asset/environment-file.ts';
import type { Reference } from '../../src/asset/reference.ts';
import { FileError } from '../../src/errors.ts';
import { AssetSite, WORKSPACE_ID } from './site.ts';

let site: AssetSite;
afterEach(() => site.close());

const at = (line: number) => ({ file: 'job.yml', line });
const inCheckout = (below: string) => path.join(site.checkout, below);

function local(need: 'code' | 'build-context', below: string, line = 1): Dependency {
	return { need, path: inCheckout(below), written: below, at: at(line) };
}

/** A datastore, as the service describes one. */
const STORE = {
	datastoreType: 'AzureBlob',
	accountName: 'acc',
	containerName: 'box',
	endpoint: 'storage.example',
	protocol: 'https',
};

function upload(below: string, type: string, datastore?: string): Dependency {
	return { need: 'upload', path: inCheckout(below), written: below, type, datastore, at: at(5) };
}

const refersTo = (reference: Reference): Dependency => ({ need: 'reference', reference });

function environmentOf(members: Partial<EnvironmentFile>): EnvironmentFile {
	const none = { name: undefined, version: undefined, image: undefined, conda: undefined, build: undefined };
	const more = { inferenceConfig: undefined, osType: undefined, description: undefined, tags: undefined };
	return { ...none, ...more, properties: undefined, dependencies: [], at: at(7), ...members };
}

const inline = (members: Partial<EnvironmentFile>, anonymous = true): Dependency => ({
	need: 'environment',
	environment: environmentOf(members),
	anonymous,
});

function componentOf(dependencies: readonly Dependency[]): Dependency {
	const component: ComponentFile = {
		type: 'command',
		name: undefined,
		version: undefined,
		dependencies,
		spec: ({ idOf }) => ({ type: 'command', command: 'echo', refers: dependencies.map(idOf) }),
		description: undefined,
		tags: undefined,
		properties: undefined,
		at: at(9),
	};
	return { need: 'component', component };
}

async function faultsOf(work: Promise<unknown>): Promise<readonly { message: string; where?: unknown }[]> {
	const error = await work.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	if (!(error instanceof FileError)) throw new Error(`not a FileError: ${String(error)}`);
	return error.faults;
}

describe('faults', () => {
	test('of every kind are told together, each at its place, before anything is sent', async () => {
		site = await AssetSite.open({ 'src/train.py': 'password = "hunter2-hunter2"\n', 'data/': '' });
		site.secrets.add('hunter2-hunter2');
		site.add('computes/cpu-cluster');
		site.add('environments/train/versions/3');
		const work = site
			.publisher()
			.publish([
				refersTo({ form: 'name', kind: 'computes', name: 'cpu-clustr', at: at(2) }),
				refersTo({ form: 'version', kind: 'environments', name: 'train', version: '4', at: at(3) }),
				local('code', 'src', 4),
				local('code', 'gone', 6),
				upload('data', 'uri_folder'),
			]);
		const faults = await faultsOf(work);
		expect(faults.map(({ where }) => where)).toEqual([at(2), at(3), { file: 'src/train.py', line: 1 }, at(6), at(5)]);
		expect(faults.map(({ message }) => message)).toEqual([
			"There is no compute 'cpu-clustr' in the workspace ws-1. There are: cpu-cluster.",
			"The environment 'train' has no version '4'. Its versions: 3.",
			expect.stringContaining('The file holds a secret of this run'),
			expect.stringMatching(/^'gone' cannot be uploaded: Nothing is at /),
			"'data' cannot be uploaded: data holds no file.",
		]);
		expect(JSON.stringify(faults)).not.toContain('hunter2');
		expect(site.lines(/PUT|POST/)).toEqual([]);
		expect(site.blobs()).toEqual([]);
	});

	test('name the line of a secret that lies across two chunks', async () => {
		const secret = 'a-secret-of-some-length';
		const before = `${'x'.repeat(1023)}\n`.repeat(1024);
		const text = `${before.slice(0, -10)}\n${secret}\n`;
		site = await AssetSite.open({ 'src/big.txt': text });
		site.secrets.add(secret);
		const [fault] = await faultsOf(site.publisher().publish([local('code', 'src')]));
		expect(fault?.where).toEqual({ file: 'src/big.txt', line: 1025 });
	});

	test('name a datastore that is not there, or cannot take files', async () => {
		site = await AssetSite.open({ 'data.csv': '1' });
		const [missing] = await faultsOf(site.publisher().publish([upload('data.csv', 'uri_file', 'elsewhere')]));
		expect(missing?.message).toContain('Could not find the datastore "elsewhere"');
		site.datastoreType = 'AzureFile';
		const [refused] = await faultsOf(site.publisher().publish([upload('data.csv', 'uri_file', 'other')]));
		expect(refused?.message).toContain('The datastore "other" is of type AzureFile');
	});
});

describe('a check', () => {
	const environment = refersTo({ form: 'version', kind: 'environments', name: 'train', version: '3', at: at(3) });
	const never = new AbortController().signal;

	test('looks at everything and sends nothing; what it found is not asked for again', async () => {
		site = await AssetSite.open({ 'src/a.py': 'a' });
		site.add('environments/train/versions/3');
		const publisher = site.publisher();
		await publisher.check([environment, local('code', 'src')], never);
		const looks = ['GET codes/<code>/versions', 'GET environments/train/versions/3'];
		expect(site.lines().sort()).toEqual(looks);
		await publisher.publish([environment, local('code', 'src')]);
		expect(site.lines(/GET/).sort()).toEqual(looks);
		expect(site.blobs()).toEqual(['/code-1/src/a.py']);
		// One name for the look and for what comes of it.
		const names = site.server.requests.map((request) => /codes\/([0-9a-f-]{36})/.exec(request.path)?.[1]);
		expect(new Set(names.filter(Boolean)).size).toBe(1);
	});

	test('tells its faults, and a publication after it the same', async () => {
		site = await AssetSite.open({ 'src/a.py': 'a' });
		const publisher = site.publisher();
		const faults = await faultsOf(publisher.check([environment, local('code', 'gone')], never));
		expect(faults).toHaveLength(2);
		expect(await faultsOf(publisher.publish([environment, local('code', 'gone')]))).toEqual(faults);
	});

	test('that is not needed any more ends, and leaves nothing behind that a later publication would believe', async () => {
		site = await AssetSite.open({ 'src/a.py': 'a' });
		site.add('environments/train/versions/3');
		const unneeded = new AbortController();
		site.answer = (request) => {
			if (request.method === 'GET') unneeded.abort(new Error('not needed'));
			return undefined;
		};
		const publisher = site.publisher();
		await expect(publisher.check([environment, local('code', 'src')], unneeded.signal)).rejects.toThrow('not needed');
		site.answer = undefined;
		await publisher.publish([environment, local('code', 'src')]);
		expect(publisher.idOf(environment)).toBe(`${WORKSPACE_ID}/environments/train/versions/3`);
		expect(site.blobs()).toEqual(['/code-1/src/a.py']);
	});
});

describe('uploads', () => {
	test('go to the default datastore by their hash, marked when complete', async () => {
		site = await AssetSite.open({ 'data/b.csv': 'b', 'data/a.csv': 'a', 'one.csv': '1' });
		const publisher = site.publisher();
		const folder = upload('data', 'uri_folder');
		const file = upload('one.csv', 'uri_file');
		await publisher.publish([folder, file, upload('data', 'mltable')]);
		const hash = /LocalUpload\/([0-9a-f]{32})\/data\/$/.exec(publisher.idOf(folder))?.[1];
		expect(publisher.idOf(folder)).toBe(`azureml://datastores/workspaceblobstore/paths/LocalUpload/${hash}/data/`);
		expect(publisher.idOf(upload('data', 'mltable'))).toMatch(/\/data$/);
		expect(publisher.idOf(file)).toMatch(/LocalUpload\/[0-9a-f]{32}\/one\.csv$/);
		const mark = site.server.blobs.get(`/container/LocalUpload/${hash}/data/a.csv`)?.metadata;
		expect(mark).toMatchObject({ upload_status: 'completed', version: '1' });
		expect(site.blobs()).toHaveLength(3);
	});

	test('that are complete are not sent again, broken ones are completed', async () => {
		site = await AssetSite.open({ 'data/b.csv': 'b', 'data/a.csv': 'a' });
		const folder = upload('data', 'uri_folder');
		site.server.fault = ({ method, path: blob }) =>
			method === 'PUT' && blob.endsWith('b.csv') ? { status: 403, code: 'AuthorizationFailure' } : undefined;
		await expect(site.publisher().publish([folder])).rejects.toThrow('firewall');
		site.server.fault = undefined;
		const second = site.publisher();
		await second.publish([folder]);
		expect(second.made()).toMatchObject([{ kind: 'data', reused: false }]);
		site.server.requests.length = 0;
		const third = site.publisher();
		await third.publish([folder]);
		expect(third.made()).toMatchObject([{ kind: 'data', reused: true, files: 2, bytes: 2 }]);
		expect(site.server.requests.filter(({ path: blob }) => blob.startsWith('/container')).map((r) => r.method)).toEqual(
			['HEAD'],
		);
		expect(third.idOf(folder)).toBe(second.idOf(folder));
	});

	test('are signed with the account key where the datastore gives one', async () => {
		site = await AssetSite.open({ 'one.csv': '1' });
		const key = Buffer.from('the account key').toString('base64');
		site.credential = { secretsType: 'AccountKey', key };
		await site.publisher().publish([upload('one.csv', 'uri_file')]);
		const puts = site.server.requests.filter(({ method, host }) => method === 'PUT' && host.includes('.blob.'));
		expect(puts.length).toBeGreaterThan(0);
		for (const { headers } of puts) expect(headers.authorization).toMatch(/^SharedKey acc:/);
		expect(site.log.masked).toContain(key);
	});

	test.each([{ secretsType: 'ServicePrincipal', clientSecret: 'x' }, { secretsType: 'None' }, {}])(
		'are refused clearly where the datastore gives %o',
		async (credential) => {
			site = await AssetSite.open({ 'one.csv': '1' });
			site.credential = credential as Record<string, string>;
			await expect(site.publisher().publish([upload('one.csv', 'uri_file')])).rejects.toThrow(
				'Nothing can be uploaded to the datastore "workspaceblobstore": it gives out neither an account key nor a SAS.',
			);
			expect(site.server.requests.filter(({ host }) => host.includes('.blob.'))).toEqual([]);
		},
	);

	test.each([
		['another host', { endpoint: 'evil.example', protocol: 'https' }],
		['another host, by its account', { accountName: 'evil.example/x#', protocol: 'https' }],
		['an open connection', { endpoint: 'storage.example', protocol: 'http' }],
		['the metadata service', { accountName: '169.254.169.254/x?', protocol: 'http' }],
	])('go to storage of the cloud only, and not even a credential is asked for: %s', async (_, properties) => {
		site = await AssetSite.open({ 'one.csv': '1' });
		site.answer = (_request, below) =>
			below === 'datastores'
				? { status: 200, body: { value: [{ name: 'led', properties: { ...STORE, ...properties } }] } }
				: undefined;
		await expect(site.publisher().publish([upload('one.csv', 'uri_file')])).rejects.toThrow('nothing is sent there');
		expect(site.lines(/POST|PUT/)).toEqual([]);
	});

	test('go on with a new SAS when the old one is over', async () => {
		site = await AssetSite.open({ 'data/b.csv': 'b', 'data/a.csv': 'a' });
		let first = true;
		site.server.fault = ({ method, path: blob }) => {
			if (method !== 'PUT' || !blob.endsWith('b.csv') || !first) return undefined;
			first = false;
			return { status: 403, code: 'AuthenticationFailed' };
		};
		await site.publisher().publish([upload('data', 'uri_folder')]);
		expect(site.lines(/POST/)).toHaveLength(2);
		expect(site.blobs()).toHaveLength(2);
	});
});

describe('environments', () => {
	const image = 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest';

	test('without a name are put once for their content, and found again', async () => {
		site = await AssetSite.open();
		const publisher = site.publisher();
		const [one, twin] = [inline({ image }), inline({ image })];
		await publisher.publish([one, twin]);
		const id = `${WORKSPACE_ID}/environments/CliV2AnonymousEnvironment/versions/455df48a2c57c843992352e53f852835d2657d682cc95c74a50125f5a3347843`;
		expect([publisher.idOf(one), publisher.idOf(twin)]).toEqual([id, id]);
		expect(site.lines(/PUT/)).toHaveLength(1);
		await site.publisher().publish([inline({ image })]);
		expect(site.lines(/PUT/)).toHaveLength(1);
	});

	test('with a build context refer to the uploaded folder by a URL that ends in a slash', async () => {
		site = await AssetSite.open({
			'context/train.py': 'print("a")\n',
			'context/sub/B.txt': 'b\n',
			'context/sub/a.txt': 'a\n',
			'context/empty.txt': '',
		});
		const context = local('build-context', 'context') as Extract<Dependency, { need: 'build-context' }>;
		const built = inline({ build: { context, dockerfilePath: undefined }, dependencies: [context] });
		const publisher = site.publisher();
		await publisher.publish([built]);
		expect(publisher.idOf(built)).toMatch(
			/CliV2AnonymousEnvironment\/versions\/5a3b4f50fd864b28daa02c563c731335b0e495dadef24a0ac2e45d9e60801716$/,
		);
		const { build } = site.body(
			'environments/CliV2AnonymousEnvironment/versions/5a3b4f50fd864b28daa02c563c731335b0e495dadef24a0ac2e45d9e60801716',
		);
		const home = `http://acc.blob.localhost:${site.server.port}/container/LocalUpload/560c8933b7514c50d054064b04255622`;
		expect(build).toEqual({ contextUri: `${home}/context/` });
		expect(publisher.idOf(context)).toBe(`${home}/context/`);
	});

	test('with a name get the next version, whoever takes numbers at the same time', async () => {
		site = await AssetSite.open();
		site.add('environments/train/versions/7', { image: 'other' });
		let taken = false;
		site.answer = ({ method }, below) => {
			if (taken || method !== 'PUT' || below !== 'environments/train/versions/8') return undefined;
			taken = true;
			site.add(below, { image: 'of another run' });
			return { status: 409, body: { error: { code: 'Conflict', message: 'exists' } } };
		};
		const named = inline({ image, name: 'train' }, false);
		const publisher = site.publisher();
		await publisher.publish([named]);
		expect(publisher.idOf(named)).toBe(`${WORKSPACE_ID}/environments/train/versions/9`);
		expect(site.resources.get('environments/train/versions/8')?.properties['image']).toBe('of another run');
	});

	test('of the same name and version are left alone, others refused', async () => {
		site = await AssetSite.open();
		// The service gives the conda file back as JSON.
		site.add('environments/train/versions/1', {
			image,
			condaFile: '{"name":"x","dependencies":["pip"]}',
			osType: 'Linux',
		});
		const conda = 'dependencies:\n- pip\nname: x\n';
		const same = inline({ image, conda, name: 'train', version: '1' }, false);
		await site.publisher().publish([same]);
		expect(site.lines(/PUT/)).toEqual([]);
		const other = inline({ image, conda: 'name: y\n', name: 'train', version: '1' }, false);
		const [fault] = await faultsOf(site.publisher().publish([other]));
		expect(fault).toMatchObject({ where: at(7) });
		expect(fault?.message).toContain("The environment 'train' has a version '1' already, and it is of other content.");
	});
});

describe('components', () => {
	test('come after what they refer to, and go by the id that the service gives', async () => {
		site = await AssetSite.open({ 'src/a.py': 'a' });
		const code = local('code', 'src');
		const env = inline({ image: 'ubuntu' });
		const inner = componentOf([code, env]);
		const outer = componentOf([inner]);
		site.answer = ({ method, body }, below) => {
			if (method !== 'PUT' || !below.startsWith('components/')) return undefined;
			const { properties } = JSON.parse(body.toString()) as { properties: { componentSpec: { refers: string[] } } };
			const known = properties.componentSpec.refers.every((id) =>
				site.resources.has(id.slice(WORKSPACE_ID.length + 1)),
			);
			if (!known) return { status: 400, body: { error: { code: 'UserError', message: 'refers to nothing' } } };
			const given = `components/azureml_anonymous/versions/given-${properties.componentSpec.refers.length}`;
			site.add(given, properties);
			return { status: 201, body: site.resources.get(given) };
		};
		const publisher = site.publisher();
		await publisher.publish([outer, code]);
		expect(publisher.idOf(inner)).toBe(`${WORKSPACE_ID}/components/azureml_anonymous/versions/given-2`);
		expect(publisher.idOf(outer)).toBe(`${WORKSPACE_ID}/components/azureml_anonymous/versions/given-1`);
		expect(
			publisher
				.made()
				.map(({ kind }) => kind)
				.sort(),
		).toEqual(['code', 'component', 'component', 'environment']);
	});

	test('of the same spec are put once under one version', async () => {
		site = await AssetSite.open();
		await site.publisher().publish([componentOf([]), componentOf([])]);
		const [put, ...more] = site.lines(/PUT/);
		expect(put).toMatch(/^PUT components\/azureml_anonymous\/versions\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
		expect(more).toEqual([]);
		await site.publisher().publish([componentOf([])]);
		expect(site.lines(/PUT/)).toHaveLength(1);
	});
});

describe('models', () => {
	const model = (
		anonymous: boolean,
		name?: string,
		type: 'custom_model' | 'mlflow_model' = 'custom_model',
	): Dependency => {
		const source = upload('model', type) as Extract<Dependency, { need: 'upload' }>;
		const none = {
			flavors: undefined,
			stage: undefined,
			description: undefined,
			tags: undefined,
			properties: undefined,
		};
		const file = { ...none, name, version: undefined, type, source, dependencies: [source], at: at(2) };
		return { need: 'model', model: file, anonymous };
	};

	test('without a name go by the hash of their content, one for each type', async () => {
		site = await AssetSite.open({ 'model/m.pkl': 'm' });
		const publisher = site.publisher();
		const [custom, mlflow] = [model(true), model(true, undefined, 'mlflow_model')];
		await publisher.publish([custom]);
		await publisher.publish([mlflow]);
		expect(publisher.idOf(custom)).toMatch(/\/models\/[0-9a-f]{32}\/versions\/1$/);
		expect(publisher.idOf(mlflow)).not.toBe(publisher.idOf(custom));
		const { modelUri, modelType } = site.body(publisher.idOf(custom).slice(WORKSPACE_ID.length + 1));
		expect(modelType).toBe('custom_model');
		expect(modelUri).toMatch(
			/^azureml:\/\/subscriptions\/sub-1\/resourcegroups\/rg-1\/workspaces\/ws-1\/datastores\/workspaceblobstore\/paths\/LocalUpload\/[0-9a-f]{32}\/model$/,
		);
	});

	test('with a name get a version of it', async () => {
		site = await AssetSite.open({ 'model/m.pkl': 'm' });
		const publisher = site.publisher();
		const named = model(false, 'iris');
		await publisher.publish([named]);
		expect(publisher.idOf(named)).toBe(`${WORKSPACE_ID}/models/iris/versions/1`);
	});
});

test('what fails ends what goes on beside it, and is waited for', async () => {
	site = await AssetSite.open({ 'src/a.py': 'a', 'data.csv': '1' });
	// The data's upload waits for a busy account when the code is refused, and would go on after that.
	site.server.fault = ({ path: blob }) => (blob.startsWith('/container') ? { status: 503 } : undefined);
	site.answer = (_, below) =>
		below.endsWith('/startPendingUpload')
			? { status: 403, body: { error: { code: 'AuthorizationFailed', message: 'no' } } }
			: undefined;
	let waiting = 0;
	const clock = {
		...site.clock,
		sleep: (_: number, signal?: AbortSignal) =>
			new Promise<void>((_done, fail) => {
				waiting += 1;
				signal?.addEventListener('abort', () => {
					waiting -= 1;
					fail(signal.reason);
				});
				if (signal?.aborted) fail(signal.reason);
			}),
	};
	const work = site.publisher({ clock }).publish([upload('data.csv', 'uri_file'), local('code', 'src')]);
	await expect(work).rejects.toThrow('get a place to upload code');
	expect(waiting).toBe(0);
	expect(site.blobs()).toEqual([]);
});

test("the runner's own files stay here", async () => {
	site = await AssetSite.open({ 'src/a.py': 'a', 'src/tmp/event.json': 'token' });
	await site.publisher({ runnerPaths: [inCheckout('src/tmp')] }).publish([local('code', 'src')]);
	expect(site.blobs()).toEqual(['/code-1/src/a.py']);
	expect(site.log.lines[0]).toContain('Not uploaded from src, because such files hold credentials: tmp/.');
});

test('a dependency that was never published has no id', async () => {
	site = await AssetSite.open();
	await writeFile(inCheckout('x'), '');
	expect(() => site.publisher().idOf(local('code', 'x'))).toThrow('was not published');
});
