// Applying asset files to a workspace on loopback that keeps what it is given, as the resource manager does.
import { afterEach, describe, expect, test } from '@jest/globals';
import { applyAssets } from '../../src/asset/apply.ts';
import { applyWorkspace } from '../../src/asset/apply-named.ts';
import { readAssetFiles } from '../../src/asset/asset-files.ts';
import type { MadeAsset } from '../../src/asset/made.ts';
import { createPublisher } from '../../src/asset/publish.ts';
import { readComponentFile } from '../../src/job/file/component.ts';
import { at, isObject, type Json, type JsonObject, parseJson } from '../../src/json.ts';
import { createSecrets } from '../../src/secrets.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
import { memoryLog } from '../fixtures/memory-log.ts';
import { connected, layers, TARGET, WORKSPACE_ID } from '../fixtures/workspace.ts';
import { TestFolders } from './folder.ts';

const folders = new TestFolders();
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
	await folders.remove();
	for (const one of open.splice(0)) await one.close();
});

/** What a resource manager keeps: resources by their paths below the workspace. */
class Store {
	readonly kept = new Map<string, JsonObject>();
	readonly puts: string[] = [];
	/** Told of each PUT before it is kept; an answer of its own refuses it. */
	refuse: (path: string) => Reply | undefined = () => undefined;

	has(path: string, properties: JsonObject): void {
		this.kept.set(path, { id: `${WORKSPACE_ID}/${path}`, name: path.split('/').at(-1) ?? '', properties });
		const [kind = '', name = '', , version] = path.split('/');
		if (version === undefined) return;
		const next = String(Number(version) + 1);
		this.kept.set(`${kind}/${name}`, { name, properties: { latestVersion: version, nextVersion: next } });
	}

	answer = ({ method, path: url, body }: Asked): Reply => {
		const path = decodeURIComponent(url.replace(`${WORKSPACE_ID}/`, '').replace(/\?.*$/, ''));
		if (method === 'PUT') {
			this.puts.push(path);
			const refusal = this.refuse(path);
			if (refusal !== undefined) return refusal;
			const given = parseJson(body);
			this.has(path, isObject(at(given, 'properties')) ? (at(given, 'properties') as JsonObject) : {});
			return { status: 201, body: this.kept.get(path) ?? {} };
		}
		const found = this.kept.get(path);
		if (found !== undefined) return { body: found };
		const below = [...this.kept].filter(([key]) => key.startsWith(`${path}/`)).map(([, value]) => value);
		return below.length > 0
			? { body: { value: below.reverse() } }
			: { status: 404, body: { error: { code: 'NotFound' } } };
	};

	properties(path: string): Json | undefined {
		return at(this.kept.get(path), 'properties');
	}
}

async function apply(store: Store, files: Readonly<Record<string, string>>, patterns: readonly string[] = ['*.yml']) {
	const connection = await connected(store.answer);
	open.push(connection);
	const { workspace, clock, server } = connection;
	const checkout = await folders.make(files);
	const log = memoryLog();
	const made: MadeAsset[] = [];
	const { assets } = readAssetFiles(patterns, {
		checkout,
		target: TARGET,
		readComponent: readComponentFile,
		warn: () => {},
		mask: log.mask,
	});
	const publisher = createPublisher({ workspace, log, clock, checkout, secrets: createSecrets() });
	const end = applyAssets(assets, { workspace, publisher, log, onMade: (one) => made.push(one) });
	const error = await end.then(
		() => undefined,
		(reason: unknown) => reason,
	);
	return {
		made: made.map(({ kind, name, version, reused }) => [kind, name, version, reused]),
		log,
		error,
		server,
		clock,
	};
}

const ENVIRONMENT = 'name: env\nversion: 1\nimage: ubuntu:24.04\n';

describe('a set of files', () => {
	const files = {
		'a.yml':
			'type: command\nname: comp\nversion: 1\nis_deterministic: true\ncode: azureml:c:1\ncommand: echo\nenvironment: azureml:env:1\n',
		'b.yml': ENVIRONMENT,
		'c.yml': 'name: cluster\ntype: amlcompute\nsize: Standard_DS3_v2\n',
		'd.yml': 'name: rows\nversion: 1\ntype: uri_file\npath: https://x.example/rows.csv\n',
		'e.yml': 'name: mod\ntype: custom_model\npath: azureml://jobs/j/outputs/o/paths/m\n',
		'f.yml':
			'name: st\ntype: azure_blob\naccount_name: acc\ncontainer_name: con\ncredentials:\n  sas_token: a-long-token\n',
	};

	test('is made in the order of need, and found made the next time', async () => {
		const store = new Store();
		store.has('codes/c/versions/1', {});
		const first = await apply(store, files);
		expect(first.error).toBeUndefined();
		expect(store.puts).toEqual([
			'computes/cluster',
			'datastores/st',
			'environments/env/versions/1',
			'data/rows/versions/1',
			'components/comp/versions/1',
			'models/mod/versions/1',
		]);
		expect(first.made.map(([, , , reused]) => reused)).toEqual([false, false, false, false, false, false]);
		expect(at(store.properties('components/comp/versions/1'), 'componentSpec', 'environment')).toBe(
			`azureml:${WORKSPACE_ID}/environments/env/versions/1`,
		);

		const second = await apply(store, files);
		expect(second.error).toBeUndefined();
		expect(store.puts).toHaveLength(6);
		expect(second.made).toEqual(first.made.map(([kind, name, version]) => [kind, name, version, true]));
		expect(second.log.annotations).toEqual([]);
		expect(second.log.lines).toHaveLength(6);
	});

	test('is not begun when something that none of the files makes is not there', async () => {
		const store = new Store();
		const { error, made } = await apply(store, {
			...files,
			'g.yml': files['a.yml'].replace('comp', 'other').replace(':c:', ':gone:'),
		});
		expect(error).toMatchObject({
			name: 'FileError',
			faults: expect.arrayContaining([expect.objectContaining({ where: expect.objectContaining({ file: 'g.yml' }) })]),
		});
		expect([made, store.puts]).toEqual([[], []]);
	});

	test('shows nothing of its secrets', async () => {
		const store = new Store();
		store.has('codes/c/versions/1', {});
		store.has('datastores/st', { datastoreType: 'AzureBlob', accountName: 'elsewhere', containerName: 'con' });
		const { log } = await apply(store, files);
		expect(log.masked).toContain('a-long-token');
		expect([...log.lines, ...log.annotations.map(({ text }) => text)].join('\n')).not.toContain('a-long-token');
		expect(log.annotations).toEqual([
			expect.objectContaining({
				kind: 'warning',
				text: expect.stringMatching(/datastore st .*`accountName` is "acc" .*"elsewhere"/),
			}),
		]);
		expect(store.puts).not.toContain('datastores/st');
	});
});

describe('a version', () => {
	test('that is there with other content is an error that says what differs, and stops what comes after', async () => {
		const store = new Store();
		store.has('environments/env/versions/1', { image: 'debian:13' });
		const { error, made } = await apply(store, {
			'a.yml': ENVIRONMENT,
			'b.yml': 'name: m\npath: azureml://jobs/j/outputs/o/paths/m\ntype: custom_model\n',
		});
		expect(error).toMatchObject({
			faults: [
				{
					message: expect.stringMatching(
						/environment 'env' has a version '1'.*`image` is "ubuntu:24.04" in the file and "debian:13"/,
					),
					where: { file: 'a.yml' },
				},
			],
		});
		expect([made, store.puts]).toEqual([[], []]);
	});

	test('of the same content but other labels is left alone with a warning', async () => {
		const store = new Store();
		store.has('environments/env/versions/1', { image: 'ubuntu:24.04', description: 'old' });
		const { error, made, log } = await apply(store, { 'a.yml': `${ENVIRONMENT}description: new\n` });
		expect([error, made, store.puts]).toEqual([undefined, [['environment', 'env', '1', true]], []]);
		expect(log.annotations).toEqual([
			expect.objectContaining({ text: expect.stringContaining('not its description') }),
		]);
	});

	test('that is not given is the next, unless the newest has the content', async () => {
		const store = new Store();
		const file = (image: string) => ({ 'a.yml': `name: env\nimage: ${image}\n` });
		for (const image of ['one', 'one', 'two', 'two', 'one']) {
			const { error } = await apply(store, file(image));
			expect(error).toBeUndefined();
		}
		expect(store.puts).toEqual([1, 2, 3].map((version) => `environments/env/versions/${version}`));
	});

	test('that another run takes first is followed by the next one', async () => {
		const store = new Store();
		store.refuse = (path) => {
			store.refuse = () => undefined;
			store.has(path, { image: 'of another' });
			return { status: 409, body: { error: { code: 'Conflict', message: 'taken' } } };
		};
		const { error, made } = await apply(store, { 'a.yml': 'name: env\nimage: mine\n' });
		expect([error, made]).toEqual([undefined, [['environment', 'env', '2', false]]]);
	});

	test('with code of another id but the same hash is the same', async () => {
		const store = new Store();
		const text = (code: string): string =>
			`type: command\nname: comp\nversion: 1\nis_deterministic: true\ncode: azureml:${code}:1\ncommand: echo\nenvironment: azureml:AzureML-x:1\n`;
		for (const [name, hash] of Object.entries({ one: 'h', two: 'h', three: 'i' }))
			store.has(`codes/${name}/versions/1`, { properties: { hash_sha256: hash } });
		expect((await apply(store, { 'a.yml': text('one') })).error).toBeUndefined();
		expect((await apply(store, { 'a.yml': text('two') })).made).toEqual([['component', 'comp', '1', true]]);
		expect((await apply(store, { 'a.yml': text('three') })).error).toMatchObject({
			faults: [
				{
					message: expect.stringMatching(
						/`code` is "azureml:codes\/three\/versions\/1" in the file and "azureml:codes\/one\/versions\/1" in/,
					),
				},
			],
		});
	});
});

describe('a compute', () => {
	const files = {
		'a.yml':
			'name: cluster\ntype: amlcompute\nsize: Standard_DS3_v2\nmax_instances: 4\nssh_settings:\n  admin_username: u\n  admin_password: hunter22\n',
	};

	test('is waited for while it comes up', async () => {
		const store = new Store();
		let looks = 0;
		const answer = store.answer;
		store.answer = (asked) => {
			const path = `${WORKSPACE_ID}/computes/cluster`;
			if (asked.path.startsWith('/operation')) {
				looks += 1;
				return { body: { status: looks < 3 ? 'InProgress' : 'Succeeded' } };
			}
			const reply = answer(asked);
			if (asked.method !== 'PUT') return reply;
			const host = asked.headers.host ?? '';
			return { ...reply, headers: { 'azure-asyncoperation': `http://${host}/operation?for=${path}` } };
		};
		const { error, made, log } = await apply(store, files);
		expect([error, made, looks]).toEqual([undefined, [['compute', 'cluster', undefined, false]], 3]);
		expect(log.masked).toContain('hunter22');
		expect(log.lines).toEqual([expect.stringContaining('InProgress'), expect.stringContaining('created')]);
	});

	test('that is there is never written over; what is otherwise is told', async () => {
		const store = new Store();
		const own = { vmSize: 'STANDARD_DS3_V2', scaleSettings: { minNodeCount: 0, maxNodeCount: 8 } };
		store.has('computes/cluster', { computeType: 'AmlCompute', provisioningState: 'Succeeded', properties: own });
		const { made, log } = await apply(store, files);
		expect([made, store.puts]).toEqual([[['compute', 'cluster', undefined, true]], []]);
		expect(log.annotations.map(({ text }) => text)).toEqual([
			expect.stringMatching(/`maxNodeCount` is 4 in the file and 8 in the workspace\.$/),
		]);
	});
});

describe('a workspace', () => {
	const file = (more: string): Record<string, string> => ({
		'w.yml': `$schema: https://x/workspace.schema.json\nname: ws-1\n${more}`,
	});
	const WHOLE = 'location: westus\nstorage_account: /s\nkey_vault: /k\ndisplay_name: Ours\ntags:\n  team: x\n';

	async function make(files: Record<string, string>, there: JsonObject | undefined, refusal?: Reply) {
		let kept = there;
		const bodies: Json[] = [];
		const all = await layers(({ method, body, path, headers }) => {
			if (path.startsWith('/operation')) return { status: kept === undefined ? 202 : 200 };
			if (method === 'PUT') {
				bodies.push(parseJson(body) ?? null);
				if (refusal !== undefined) return refusal;
				kept = { properties: { provisioningState: 'Succeeded' } };
				return { status: 202, headers: { location: `http://${headers.host}/operation` } };
			}
			return kept === undefined ? { status: 404, body: { error: { code: 'ResourceNotFound' } } } : { body: kept };
		});
		open.push(all);
		const checkout = await folders.make(files);
		const parts = { checkout, target: TARGET, readComponent: readComponentFile, warn: () => {}, mask: () => {} };
		const { workspace } = readAssetFiles(['w.yml'], parts);
		if (workspace === undefined) throw new Error('the workspace was not read');
		return { bodies, end: applyWorkspace(workspace, TARGET, { arm: all.arm, log: memoryLog() }) };
	}

	test('is created where it is missing', async () => {
		const { end, bodies } = await make(file(WHOLE), undefined);
		expect(await end).toEqual({ kind: 'workspace', name: 'ws-1', id: WORKSPACE_ID, reused: false });
		expect(bodies).toEqual([
			{
				location: 'westus',
				tags: { team: 'x' },
				identity: { type: 'SystemAssigned' },
				properties: { friendlyName: 'Ours', storageAccount: '/s', keyVault: '/k' },
			},
		]);
	});

	test('is left alone where it is there, even when the file could not make it', async () => {
		const { end, bodies } = await make(file(''), { properties: { provisioningState: 'Succeeded' } });
		expect([(await end).reused, bodies]).toEqual([true, []]);
	});

	test('is refused without a location', async () => {
		const { end, bodies } = await make(file(''), undefined);
		await expect(end).rejects.toThrow(/w\.yml must give `location`\./);
		expect(bodies).toEqual([]);
	});

	test('may leave the rest to the service', async () => {
		const { end, bodies } = await make(file('location: westus\n'), undefined);
		expect((await end).reused).toBe(false);
		expect(bodies).toEqual([{ location: 'westus', identity: { type: 'SystemAssigned' }, properties: {} }]);
	});

	test('that the service refuses is told with what the file does not give', async () => {
		const error = { code: 'BadRequest', message: 'Missing dependent resources in workspace json.' };
		const { end } = await make(file('location: westus\n'), undefined, { status: 400, body: { error } });
		await expect(end).rejects.toThrow(
			/^w\.yml has a fault\. Line 1: Could not create the workspace "ws-1": HTTP 400 BadRequest\. Missing dependent .*w\.yml gives no `storage_account`, `key_vault`/,
		);
	});
});
