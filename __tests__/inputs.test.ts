import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { InputError } from '../src/errors.ts';
import { type Inputs, readInputs } from '../src/inputs.ts';
import { RUN_ENV } from './fixtures/run-context.ts';

let checkout: string;
beforeAll(() => {
	checkout = realpathSync(mkdtempSync(join(tmpdir(), 'inputs-')));
	for (const [name, text] of Object.entries({
		'job.yml': 'command: x',
		'model.yml': '',
		'endpoint.yml': '',
		'deployment.yml': '',
		'request.json': '{"data":[1]}',
		'not.json': 'data',
		'cloud.json': JSON.stringify({
			name: 'Contoso',
			endpoints: { resourceManager: 'https://arm.contoso.example', activeDirectory: 'https://login.contoso.example' },
		}),
		'bad-cloud.json': JSON.stringify({ endpoints: { resourceManager: 'http://arm.contoso.example' } }),
	})) {
		writeFileSync(join(checkout, name), text);
	}
	mkdirSync(join(checkout, 'folder.json'));
	symlinkSync(join(import.meta.dirname, '..', 'package.json'), join(checkout, 'out.json'));
});
afterAll(() => rmSync(checkout, { recursive: true }));

const TARGET = { 'subscription-id': 's-1', 'resource-group': 'g-1', workspace: 'w-1' };
const SECRET = { 'client-id': 'c-1', 'tenant-id': 't-1', 'client-secret': 'the-secret' };
const OIDC_ENV = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'y' };
/** Enough for a run; each test says what it is about. */
const ENOUGH = { ...TARGET, ...SECRET, 'job-file': 'job.yml' };

interface Given {
	readonly env?: Record<string, string>;
	readonly masked?: string[];
}

function read(given: Readonly<Record<string, string>>, { env = {}, masked = [] }: Given = {}): Inputs {
	return readInputs({
		input: (name) => given[name] ?? '',
		env: { ...RUN_ENV, GITHUB_WORKSPACE: checkout, ...env },
		mask: (value) => masked.push(value),
	});
}

/** The faults of these inputs, in the order they are told. */
function faultsOf(given: Readonly<Record<string, string>>, more: Given = {}): string[] {
	try {
		read(given, more);
		return [];
	} catch (error) {
		if (!(error instanceof InputError)) throw error;
		return error.faults.map(({ message }) => message);
	}
}

describe('sign-in', () => {
	const plain = { 'client-id': 'c-1', 'tenant-id': 't-1' };
	const oidc = { kind: 'oidc', tenantId: 't-1', clientId: 'c-1', audience: 'api://AzureADTokenExchange' };
	const secret = { kind: 'service-principal', tenantId: 't-1', clientId: 'c-1', clientSecret: 'the-secret' };

	test.each<[string, Record<string, string>, boolean, object]>([
		['a secret', SECRET, false, secret],
		['a secret, though a token could be had', SECRET, true, secret],
		['ids, and a token can be had', plain, true, oidc],
		['ids, but no token', plain, false, { kind: 'azure-cli', tenantId: 't-1', insteadOf: 'oidc' }],
		['nothing', {}, false, { kind: 'azure-cli', tenantId: undefined, insteadOf: 'nothing' }],
		['nothing, and a token can be had', {}, true, { kind: 'azure-cli', tenantId: undefined, insteadOf: 'nothing' }],
		['a tenant only', { 'tenant-id': 't-1' }, true, { kind: 'azure-cli', tenantId: 't-1', insteadOf: 'nothing' }],
		['an audience', { ...plain, audience: 'api://other' }, true, { ...oidc, audience: 'api://other' }],
		['azure-cli', { ...SECRET, 'auth-type': 'azure-cli' }, true, { kind: 'azure-cli', insteadOf: 'nothing' }],
		['oidc', { ...SECRET, 'auth-type': 'oidc' }, false, oidc],
		['managed-identity', { 'auth-type': 'managed-identity' }, false, { kind: 'managed-identity' }],
		[
			'managed-identity with an id',
			{ 'auth-type': 'managed-identity', 'client-id': 'c-1' },
			false,
			{ kind: 'managed-identity', clientId: 'c-1' },
		],
		['service-principal', { ...SECRET, 'auth-type': 'service-principal' }, true, secret],
	])('by %s', (_, given, offered, auth) => {
		const inputs = read({ ...TARGET, 'job-file': 'job.yml', ...given }, offered ? { env: OIDC_ENV } : {});
		expect(inputs.auth).toMatchObject(auth);
	});

	test.each<[string, Record<string, string>, string[]]>([
		['service-principal', { 'auth-type': 'service-principal' }, ['client-id', 'tenant-id', 'client-secret']],
		['oidc', { 'auth-type': 'oidc' }, ['client-id', 'tenant-id']],
		['a secret alone', { 'client-secret': 'the-secret' }, ['client-id', 'tenant-id']],
		['a client id alone', { 'client-id': 'c-1' }, ['tenant-id']],
	])('by %s names what is missing', (_, given, missing) => {
		const faults = faultsOf({ ...TARGET, 'job-file': 'job.yml', ...given });
		expect(faults.map((fault) => fault.split(':')[0])).toEqual(missing);
	});

	test('by creds is as by the single inputs, which go before it', () => {
		const creds = JSON.stringify({ clientId: 'c-2', clientSecret: 's-2', tenantId: 't-2', subscriptionId: 'sub-2' });
		const only = { creds, 'resource-group': 'g', workspace: 'w', 'job-file': 'job.yml' };
		expect(read(only)).toMatchObject({
			auth: { kind: 'service-principal', clientId: 'c-2', clientSecret: 's-2', tenantId: 't-2' },
			target: { subscriptionId: 'sub-2' },
		});
		expect(read({ ...only, ...SECRET, 'subscription-id': 's-1' })).toMatchObject({
			auth: { clientId: 'c-1', clientSecret: 'the-secret', tenantId: 't-1' },
			target: { subscriptionId: 's-1' },
		});
	});
});

describe('secrets are masked', () => {
	test('before any fault is told', () => {
		const masked: string[] = [];
		expect(faultsOf({ 'client-secret': 'the-secret', 'github-token': 'ghs_x', wait: 'maybe' }, { masked })).not.toEqual(
			[],
		);
		expect(masked).toEqual(['the-secret', 'ghs_x']);
	});

	test('in creds, whatever they are called; ids and addresses are none', () => {
		const masked: string[] = [];
		const creds = {
			clientId: 'c',
			tenantId: 't',
			subscriptionId: 's',
			clientSecret: 'secret-1',
			clientCertificate: 'secret-2',
			activeDirectoryEndpointUrl: 'https://login.microsoftonline.com',
			extra: 'secret-3',
			number: 4,
		};
		read({ ...ENOUGH, creds: JSON.stringify(creds), 'client-secret': '' }, { masked });
		expect(masked).toEqual(['secret-1', 'secret-2', 'secret-3']);
	});

	test.each(['{"clientSecret": "oops"', 'just-a-secret', '["secret"]', '"secret"'])(
		'in creds that cannot be read: %s',
		(creds) => {
			const masked: string[] = [];
			const faults = faultsOf({ ...ENOUGH, creds }, { masked });
			expect(masked).toContain(creds);
			expect(faults).toEqual([expect.stringMatching(/^creds: expected a JSON object/)]);
			expect(faults[0]).not.toContain('oops');
		},
	);
});

describe('a value', () => {
	test.each(['true', 'True', 'TRUE'])('%s is true', (word) => {
		expect(read({ ...ENOUGH, 'dry-run': word }).dryRun).toBe(true);
	});

	test.each(['false', 'False', 'FALSE', '', ' '])('%j is false', (word) => {
		expect(read({ ...ENOUGH, 'dry-run': word }).dryRun).toBe(false);
	});

	test.each(['yes', 'no', 'on', '1', '0', 'tRUE', 'null', '~'])('%s is neither true nor false', (word) => {
		expect(faultsOf({ ...ENOUGH, wait: word })).toEqual([`wait: expected \`true\` or \`false\`, got "${word}".`]);
	});

	test('is trimmed', () => {
		expect(read({ ...ENOUGH, workspace: '  w-2\n' }).target?.workspace).toBe('w-2');
	});

	test.each([
		['0.5', 30_000],
		['.5', 30_000],
		['90', 5_400_000],
		['', undefined],
	])('of %j minutes is %s ms', (minutes, timeout) => {
		expect(read({ ...ENOUGH, 'timeout-minutes': minutes }).train?.timeout).toBe(timeout);
	});

	test.each(['0', '-1', '1e3', '1h', 'Infinity', '.', '0x10', '999999999'])('of %j minutes is refused', (minutes) => {
		expect(faultsOf({ ...ENOUGH, 'timeout-minutes': minutes })).toEqual([
			expect.stringMatching(/^timeout-minutes: expected a number above 0/),
		]);
	});

	test("of a job name made from a branch's is made valid, and what it was made from is kept", () => {
		const { train } = read({ ...ENOUGH, 'job-name': 'train-feature/x' });
		expect(train).toMatchObject({ name: 'train-feature-x', writtenName: 'train-feature/x' });
		expect(read({ ...ENOUGH, 'job-name': 'a_b-1' }).train).toMatchObject({ name: 'a_b-1', writtenName: undefined });
	});

	test('of pairs keeps everything behind the first equals sign', () => {
		const tags = 'team = blue\n\nurl=https://x?a=b\r\nempty=';
		expect(read({ ...ENOUGH, 'model-name': 'iris', 'model-tags': tags }).register?.tags).toEqual({
			team: 'blue',
			url: 'https://x?a=b',
			empty: '',
		});
	});

	test('of lines passes empty ones over', () => {
		expect(read({ ...ENOUGH, set: '\n a=1 \r\n\n b=2=3\n' }).train?.set).toEqual(['a=1', 'b=2=3']);
	});
});

describe('the target', () => {
	test.each([
		['workspace', '..'],
		['resource-group', '.'],
		['workspace', 'a/b'],
		['workspace', 'a?b'],
		['workspace', 'a b'],
		['resource-group', 'a%2Fb'],
		['subscription-id', 'x\\y'],
		['workspace', 'x'.repeat(91)],
	])('%s: %s would change the path of a call', (name, value) => {
		expect(faultsOf({ ...ENOUGH, [name]: value })).toEqual([`${name}: "${value}" is not a valid name.`]);
	});

	test.each(['rg.prod_(eu)-1', 'Größe', '研究'])('may lie in the resource group %s', (group) => {
		expect(read({ ...ENOUGH, 'resource-group': group }).target?.resourceGroup).toBe(group);
	});

	test('is not needed by a dry run that gives no identity', () => {
		const inputs = read({ 'job-file': 'job.yml', 'dry-run': 'true' });
		expect([inputs.auth, inputs.target]).toEqual([undefined, undefined]);
		expect(faultsOf({ 'job-file': 'job.yml', 'dry-run': 'true', ...SECRET })).toHaveLength(3);
	});

	test.each(['auto', 'oidc', 'service-principal'])(
		'is not needed by a dry run for the pull request of a fork, which gets no secrets (auth-type %s)',
		(type) => {
			const dry = { 'job-file': 'job.yml', 'dry-run': 'true', 'auth-type': type, 'client-id': 'c', 'tenant-id': 't' };
			const from = (repo: unknown): Given => {
				const event = join(checkout, 'event.json');
				writeFileSync(event, JSON.stringify({ pull_request: { number: 1, head: { repo } } }));
				return { env: { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: event } };
			};
			expect(read(dry, from({ full_name: 'stranger/iris' })).auth).toBeUndefined();
			// A fork that was deleted meanwhile.
			expect(read(dry, from(null)).auth).toBeUndefined();
			if (type !== 'auto') expect(faultsOf(dry, from({ full_name: 'Octo/Iris' })).length).toBeGreaterThan(0);
			expect(faultsOf({ ...dry, 'dry-run': 'false' }, from({ full_name: 'stranger/iris' })).length).toBeGreaterThan(0);
		},
	);

	test('is not needed by a dry run that has an id and nothing to prove it with', () => {
		const dry = { ...ENOUGH, 'dry-run': 'true', 'client-secret': '' };
		expect(read(dry).auth).toBeUndefined();
		expect(read({ ...dry, 'dry-run': 'false' }).auth?.kind).toBe('azure-cli');
		expect(read({ ...dry, 'auth-type': 'azure-cli' }).auth?.kind).toBe('azure-cli');
		expect(read(dry, { env: OIDC_ENV }).auth?.kind).toBe('oidc');
	});

	test('is needed where the run of a fork has something to sign in with all the same', () => {
		const event = join(checkout, 'event.json');
		writeFileSync(event, JSON.stringify({ pull_request: { head: { repo: { full_name: 'stranger/iris' } } } }));
		const env = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: event };
		const dry = { ...ENOUGH, 'dry-run': 'true' };
		expect(read(dry, { env }).auth?.kind).toBe('service-principal');
		expect(read({ ...dry, 'client-secret': '' }, { env: { ...env, ...OIDC_ENV } }).auth?.kind).toBe('oidc');
	});
});

describe('the cloud', () => {
	test.each([
		['', 'AzureCloud'],
		['AzureChinaCloud', 'AzureChinaCloud'],
		['cloud.json', 'Contoso'],
		['./cloud.json', 'Contoso'],
	])('%j is %s', (cloud, name) => {
		expect(read({ ...ENOUGH, cloud }).cloud.name).toBe(name);
	});

	test.each([
		['azurecloud', /^cloud: expected AzureCloud, .* got "azurecloud"/],
		['missing.json', /^cloud: there is no file missing\.json/],
		['folder.json', /^cloud: folder\.json is not a file/],
		['job.yml', /^cloud: job\.yml does not hold a JSON object/],
		['bad-cloud.json', /^cloud: endpoints\.resourceManager in bad-cloud\.json must be https/],
		['__proto__', /^cloud: expected AzureCloud/],
	])('%s is refused', (cloud, fault) => {
		expect(faultsOf({ ...ENOUGH, cloud })[0]).toMatch(fault);
	});
});

describe('the steps', () => {
	const base = { ...TARGET, ...SECRET };

	test('training has its defaults', () => {
		expect(read(ENOUGH).train).toEqual({
			file: { path: 'job.yml', absolute: join(checkout, 'job.yml') },
			name: undefined,
			compute: undefined,
			set: [],
			wait: true,
			cancelSuperseded: false,
			reuse: false,
			timeout: undefined,
			onTimeout: 'cancel',
			onCancel: 'cancel',
			download: [],
			downloadPath: './azureml',
		});
	});

	test.each<[string, Record<string, string>, object]>([
		['a job is followed', { 'job-name': 'iris-1' }, { train: { file: undefined, name: 'iris-1' } }],
		[
			'a version that exists is deployed',
			{ 'model-name': 'm', 'model-version': '3', 'endpoint-name': 'e' },
			{ train: undefined, register: { existing: true, version: '3' }, deploy: { endpointName: 'e' } },
		],
		[
			"a job's model is registered",
			{ 'job-file': 'job.yml', 'model-name': 'm' },
			{ register: { existing: false, name: 'm' } },
		],
		['a file is registered', { 'model-file': 'model.yml' }, { register: { existing: false, name: undefined } }],
		['a path is registered', { 'model-name': 'm', 'model-path': './out' }, { register: { existing: false } }],
		['a deployment file is enough', { 'deployment-file': 'deployment.yml' }, { deploy: { onFailure: 'rollback' } }],
		[
			'an endpoint is deleted',
			{ 'endpoint-name': 'e', 'delete-endpoint': 'true' },
			{ deleteEndpoint: 'e', deploy: undefined },
		],
		['assets are applied', { 'asset-files': 'a.yml\nb/*.yml' }, { assetFiles: ['a.yml', 'b/*.yml'] }],
		[
			'a smoke test is sent',
			{ 'endpoint-name': 'e', 'smoke-test-file': 'request.json', 'smoke-test-expect': '{"a":1}' },
			{ deploy: { smokeTest: { body: '{"data":[1]}', expect: { a: 1 } } } },
		],
		[
			'gates judge',
			{ 'job-name': 'j', 'metric-gates': 'a > 1\nb < 2' },
			{ gate: { gates: [{ metric: 'a' }, { metric: 'b' }] } },
		],
	])('%s', (_, given, inputs) => {
		expect(read({ ...base, ...given })).toMatchObject(inputs);
	});

	test.each<[string, Record<string, string>, RegExp]>([
		['no step', {}, /^No step is asked for/],
		['an input of training', { set: 'a=1', 'endpoint-name': 'e' }, /^set: .* there is no job-file/],
		[
			'`latest` for what is to be registered',
			{ 'model-name': 'm', 'model-version': 'latest', 'model-path': './out' },
			/^model-version: `latest` is a version that exists.*leave it out/,
		],
		['a compute without a job', { compute: 'gpu', 'job-name': 'j' }, /^compute: /],
		['a line of `set`', { 'job-file': 'job.yml', set: 'epochs' }, /^set: expected .* got "epochs"/],
		[
			'a name of a model',
			{ 'model-name': 'a/../b', 'model-version': '1' },
			/^model-name: "a\/\.\.\/b" is not a valid name/,
		],
		['a name of an endpoint', { 'endpoint-name': 'e!' }, /^endpoint-name: "e!" is not a valid name/],
		['a name of a deployment', { 'endpoint-name': 'e', 'deployment-name': '..' }, /^deployment-name: "\.\." is not/],
		['a job name', { 'job-name': 'bad name' }, /^job-name: "bad name" is not a valid name/],
		['gates without a job', { 'endpoint-name': 'e', 'metric-gates': 'a > 1' }, /^metric-gates: /],
		['a gate', { 'job-name': 'j', 'metric-gates': 'a ~ 1' }, /^metric-gates: "a ~ 1" /],
		[
			'a champion of nothing',
			{ 'job-name': 'j', 'metric-gates': 'a > champion' },
			/^metric-gates: `champion` is the newest/,
		],
		['a champion without gates', { 'job-name': 'j', champion: 'm:1' }, /^champion: .* there are none/],
		[
			'a champion that no gate mentions',
			{ 'job-name': 'j', 'metric-gates': 'a > 1', champion: 'm:1' },
			/^champion: .* none of them mentions/,
		],
		[
			'a champion of no form',
			{ 'job-name': 'j', 'metric-gates': 'a > champion', champion: 'm/../x' },
			/^champion: expected `model-name:version`/,
		],
		['a registry of no name', { 'job-name': 'j', 'model-name': 'm', registry: 'a/b' }, /^registry: expected the name/],
		['a model without a source', { 'model-name': 'm' }, /^model-name: there is nothing to register/],
		['tags without a model', { 'job-file': 'job.yml', 'model-tags': 'a=b' }, /^model-tags: /],
		['a tag', { 'job-file': 'job.yml', 'model-name': 'm', 'model-tags': '=b' }, /^model-tags: expected/],
		['a deletion of nothing, and no more than that', { 'delete-endpoint': 'true' }, /^delete-endpoint: [^.]*\.$/],
		['a deletion of nothing beside a job', { 'delete-endpoint': 'true', 'job-file': 'job.yml' }, /^delete-endpoint: /],
		['a smoke test of nothing', { 'job-file': 'job.yml', 'smoke-test-file': 'request.json' }, /^smoke-test-file: /],
		['a smoke test that is no JSON', { 'endpoint-name': 'e', 'smoke-test-file': 'not.json' }, /is not JSON/],
		['a smoke test that is a folder', { 'endpoint-name': 'e', 'smoke-test-file': 'folder.json' }, /is not a file/],
		[
			'no expectation',
			{ 'endpoint-name': 'e', 'smoke-test-expect': '{a' },
			/^smoke-test-expect: expected .*, got "\{a"\.$/,
		],
		['an expectation alone', { 'endpoint-name': 'e', 'smoke-test-expect': '{}' }, /^smoke-test-expect: there is no/],
		['traffic', { 'endpoint-name': 'e', traffic: '120' }, /^traffic: /],
		['instances', { 'endpoint-name': 'e', 'instance-count': '1.5' }, /^instance-count: expected a whole number/],
		[
			'a choice',
			{ 'job-file': 'job.yml', 'on-cancel': 'Cancel' },
			/^on-cancel: expected `cancel` or `detach`, got "Cancel"/,
		],
		[
			'a link that leads out of the checkout',
			{ 'smoke-test-file': 'out.json', 'endpoint-name': 'e' },
			/^smoke-test-file: out\.json is a link that leads out/,
		],
		['a file that is missing', { 'job-file': 'nowhere.yml' }, /^job-file: there is no file nowhere\.yml .*checkout/],
	])('%s is refused', (_, given, fault) => {
		expect(faultsOf({ ...base, ...given })).toEqual([expect.stringMatching(fault)]);
	});

	test('of all inputs the faults are told together', () => {
		const faults = faultsOf({
			'auth-type': 'password',
			cloud: 'AzureGermanCloud',
			'job-file': 'nowhere.yml',
			wait: 'maybe',
			'model-tags': 'x',
			traffic: 'half',
			'endpoint-name': 'e',
			comment: 'sometimes',
		});
		const named = faults.map((fault) => fault.split(':')[0]);
		expect(named).toEqual(
			expect.arrayContaining([
				'auth-type',
				'cloud',
				'subscription-id',
				'resource-group',
				'workspace',
				'job-file',
				'wait',
				'model-tags',
				'traffic',
				'comment',
			]),
		);
		expect(new Set(faults).size).toBe(faults.length);
	});
});

describe('the workflow run', () => {
	const withEvent = (event: object, env: Record<string, string>) => {
		const path = join(checkout, 'event.json');
		writeFileSync(path, JSON.stringify(event));
		return read(ENOUGH, { env: { GITHUB_EVENT_PATH: path, ...env } }).run;
	};

	test('of a pull request is of its head, not of the merge commit', () => {
		const run = withEvent(
			{ pull_request: { number: 7, head: { sha: 'b'.repeat(40) } } },
			{ GITHUB_HEAD_REF: 'feature/x', GITHUB_REF: 'refs/pull/7/merge', GITHUB_REF_NAME: '7/merge' },
		);
		expect(run).toMatchObject({ pullRequest: 7, headSha: 'b'.repeat(40), branch: 'feature/x' });
		expect(run.runUrl).toBe('https://github.com/octo/iris/actions/runs/4711');
	});

	test('of a comment is of its pull request, if it is on one', () => {
		expect(withEvent({ issue: { number: 8, pull_request: { url: 'x' } } }, {}).pullRequest).toBe(8);
		expect(withEvent({ issue: { number: 8 } }, {}).pullRequest).toBeUndefined();
	});

	test('may be unknown in every part', () => {
		const env = Object.fromEntries(Object.keys(RUN_ENV).map((name) => [name, '']));
		expect(read(ENOUGH, { env: { ...env, GITHUB_EVENT_PATH: '/nowhere' } }).run).toMatchObject({
			repository: undefined,
			runUrl: undefined,
			event: undefined,
			pullRequest: undefined,
			serverUrl: 'https://github.com',
		});
	});
});
