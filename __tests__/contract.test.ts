// What workflow authors rely on: names and defaults of inputs and outputs, and that README says the same.
// The lists are written out here, so that a change of action.yml is never a change of the contract by accident.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readActionFile } from '../scripts/action-file.ts';
import { withTables } from '../scripts/readme.ts';

const ROOT = join(import.meta.dirname, '..');

/** Every input, in the order of action.yml, with its default; null where there is none. */
const INPUTS: Readonly<Record<string, string | null>> = {
	'client-id': null,
	'tenant-id': null,
	'subscription-id': null,
	'client-secret': null,
	creds: null,
	'auth-type': 'auto',
	audience: 'api://AzureADTokenExchange',
	cloud: 'AzureCloud',
	'resource-group': null,
	workspace: null,
	'allow-fork-head': 'false',

	'asset-files': null,

	'job-file': null,
	'job-name': null,
	compute: null,
	set: null,
	wait: 'true',
	'cancel-superseded': 'false',
	reuse: 'false',
	'timeout-minutes': null,
	'on-timeout': 'cancel',
	'on-cancel': 'cancel',
	download: null,
	'download-path': './azureml',
	'dry-run': 'false',

	'metric-gates': null,
	champion: null,
	'on-gate-failure': 'fail',

	'model-name': null,
	'model-version': null,
	'model-path': null,
	'model-file': null,
	'model-tags': null,
	registry: null,

	'endpoint-file': null,
	'deployment-file': null,
	'endpoint-name': null,
	'deployment-name': null,
	'instance-type': null,
	'instance-count': null,
	traffic: '100',
	'smoke-test-file': null,
	'smoke-test-expect': null,
	'on-deploy-failure': 'rollback',
	'delete-previous': 'false',
	'delete-endpoint': 'false',

	'github-token': '${{ github.token }}',
	comment: 'auto',
	'github-environment': null,
};

const OUTPUTS = [
	'job-name',
	'job-status',
	'job-url',
	'job-reused',
	'metrics',
	'gates-passed',
	'model-name',
	'model-version',
	'model-id',
	'model-uri',
	'endpoint-name',
	'deployment-name',
	'scoring-uri',
	'rolled-back',
	'download-path',
	'plan-path',
];

const SECTIONS = ['Sign-in and target', 'Assets', 'Train', 'Gate', 'Register', 'Deploy', 'Report'];

describe('action.yml', () => {
	const action = () => readActionFile(join(ROOT, 'action.yml'));

	test('has the inputs of the contract with their defaults', () => {
		expect(Object.fromEntries(action().inputs.map((input) => [input.name, input.default ?? null]))).toEqual(INPUTS);
	});

	test('has the inputs in the order and sections of the contract', () => {
		expect(action().inputs.map(({ name }) => name)).toEqual(Object.keys(INPUTS));
		expect([...new Set(action().inputs.map(({ section }) => section))]).toEqual(SECTIONS);
	});

	test('requires no input by itself, because any step may be left out', () => {
		expect(action().inputs.filter(({ required }) => required)).toEqual([]);
	});

	test('has the outputs of the contract', () => {
		expect(action().outputs.map(({ name }) => name)).toEqual(OUTPUTS);
	});

	test('describes every input and output in a sentence', () => {
		const all = [...action().inputs, ...action().outputs];
		const poor = all.filter(({ description }) => description.length < 10 || !/[.…`]$/.test(description.trim()));
		expect(poor).toEqual([]);
	});

	test('names every choice that an input has', () => {
		const choices: Readonly<Record<string, readonly string[]>> = {
			'auth-type': ['auto', 'service-principal', 'oidc', 'managed-identity', 'azure-cli'],
			cloud: ['AzureCloud', 'AzureUSGovernment', 'AzureChinaCloud'],
			'on-timeout': ['cancel', 'detach'],
			'on-cancel': ['cancel', 'detach'],
			'on-gate-failure': ['fail', 'skip'],
			'on-deploy-failure': ['rollback', 'keep'],
			comment: ['auto', 'never'],
		};
		const descriptions = new Map(action().inputs.map(({ name, description }) => [name, description]));
		const missing = Object.entries(choices).flatMap(([name, values]) =>
			values.filter((value) => !descriptions.get(name)?.includes(`\`${value}\``)).map((value) => `${name}: ${value}`),
		);
		expect(missing).toEqual([]);
	});

	test('runs one bundle on node 24, for the main and the post step', () => {
		expect(action().runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/index.js' });
	});

	test('names a bundle that is there', () => {
		expect(existsSync(join(ROOT, 'dist', 'index.js'))).toBe(true);
	});
});

describe('README.md', () => {
	test('has the tables that action.yml gives', () => {
		const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
		expect(readme).toBe(withTables(readme, readActionFile(join(ROOT, 'action.yml'))));
	});
});

describe('src', () => {
	const textOf = (name: RegExp): string =>
		readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
			.filter((file) => file.endsWith('.ts') && name.test(file.replaceAll('\\', '/')))
			.map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))
			.join('\n');
	const missing = (names: readonly string[], text: string): string[] =>
		names.filter((name) => !new RegExp(`['"\`]${name}['"\`]|^\\s*${name}:`, 'm').test(text));

	test('reads every input by its name', () => {
		expect(missing(Object.keys(INPUTS), textOf(/^inputs(\.ts$|\/)/))).toEqual([]);
	});

	test('sets every output by its name', () => {
		expect(missing(OUTPUTS, textOf(/^report\//))).toEqual([]);
	});
});
