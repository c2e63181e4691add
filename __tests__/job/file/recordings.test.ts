// Bodies that the official SDK sent to the real service, against ours for the same files. The recordings stand beside the
// project and may be absent. Names, hashes and subscriptions are masked in them, so they are masked here too.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isObject, type Json } from '../../../src/json.ts';
import { kindOf } from '../../../src/yaml/kind.ts';
import { openYaml } from '../../../src/yaml/load.ts';
import type { YamlFile } from '../../../src/yaml/node.ts';
import { applySet } from '../../../src/yaml/set.ts';
import { translateFile } from './golden-case.ts';
import { ImaginedWorkspace } from './imagined-publish.ts';

const RECORDINGS = path.resolve(import.meta.dirname, '../../../../shared/recordings');
const here = existsSync(path.join(RECORDINGS, 'index.json'));

interface Row {
	readonly file: string;
	readonly yaml?: readonly string[];
}

interface Exchange {
	readonly method: string;
	readonly url: string;
	readonly requestBody: Json;
	readonly status: number;
}

/** Where the entities of a kind are put, by the first word of the kind. */
const PLACES: Readonly<Record<string, string>> = {
	job: 'jobs',
	component: 'components',
	environment: 'environments',
	data: 'data',
	model: 'models',
	compute: 'computes',
	datastore: 'datastores',
	'batch-endpoint': 'batchEndpoints',
	'batch-deployment': 'deployments',
};

/** What the file had when it was sent, or what the test changed in code: overrides that make up for it. */
const CHANGED: Readonly<Record<string, readonly string[]>> = {
	'command/dependency-label-resolution.json': [
		'environment=azureml:test_336753143760:bar',
		'inputs.testdata.path=azureml:test_317326998364:foo',
	],
	'command/modified-environment.json': ['environment=azureml:AzureML-sklearn-0.24-ubuntu18.04-py37-cpu:1'],
	'command/invalid-datastore.json': ['environment=azureml:AzureML-sklearn-0.24-ubuntu18.04-py37-cpu:1'],
	'pipeline/path-inputs.json': [
		'inputs.job_in_path_other.path=azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/LocalUpload/0/data/',
	],
	'pipeline/dependency-label-resolution.json': [
		'jobs.hello_world_component_inline_file.component=azureml:test_465555963000:foobar',
	],
	'datastore/blob-create-get-delete.json': [
		'account_name=teststorageaccount',
		'credentials.account_key=dGhpcyBpcyBmYWtlIGtleQ==',
	],
	'environment/create-autoincrement.json': ['image=mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04'],
};

/** Members that are left out of the comparison, with the reason. */
const APART: Readonly<Record<string, readonly (readonly [path: string, reason: string])[]>> = {
	'command/modified-environment.json': [
		['properties.tags', 'the file got them after it was recorded'],
		['properties.properties', 'the file got them after it was recorded'],
	],
	'command/register-output.json': [['properties.properties', 'the file got them after it was recorded']],
	'spark/spark-job.json': [['properties.identity', 'clients since 1.4.0 send the default one']],
	'component/command-create-autoincrement.json': [
		['properties.componentSpec.version', 'later clients leave out a version that they count up; the body keeps it'],
	],
};

/** The same for every recording: what the place of the recording decides, and what the client keeps for itself. */
const NEVER = new Set(['isArchived', 'isAnonymous', '_source', 'location', 'client_component_hash']);
/** Words whose letter case clients have changed; the API's own is another. */
const ANY_CASE = new Set(['goal', 'loggingLevel', 'authMode']);

/** Recordings whose body does not belong to the file that the index names: it has inputs that the file has not. */
const OTHER_FILE = new Set(['pipeline/command-jobs-with-paths.json']);

const rows = here ? (JSON.parse(readFileSync(path.join(RECORDINGS, 'index.json'), 'utf8')) as readonly Row[]) : [];

function submitted(row: Row, place: string): Exchange | undefined {
	const all = JSON.parse(readFileSync(path.join(RECORDINGS, row.file), 'utf8')) as readonly Exchange[];
	const own = new RegExp(`/${place}/(?!azureml_anonymous|CliV2Anonymous)[^/?]+(/versions/[^/?]+)?\\?`);
	return all.find((one) => one.method === 'PUT' && own.test(one.url));
}

/** Ids, hashes and the like by what they are, empty members left out. */
function reduced(value: Json | undefined, named = false): Json | undefined {
	if (typeof value === 'string') {
		return masked(value);
	}
	if (Array.isArray(value)) {
		return value.map((one: Json) => reduced(one) ?? null);
	}
	if (!isObject(value)) {
		return value ?? undefined;
	}
	const members = Object.entries(value)
		.filter(([key]) => named || !NEVER.has(key))
		.map(([key, one]) => {
			const plain = ANY_CASE.has(key) && typeof one === 'string' ? one.toLowerCase() : one;
			return [key, reduced(plain, key === 'inputs' || key === 'outputs' || key === 'jobs')] as const;
		})
		.filter(([, one]) => one !== undefined && !(isObject(one) && Object.keys(one).length === 0));
	return Object.fromEntries(members);
}

function masked(text: string): string {
	return text
		.replace(/\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/workspaces\/[^/]+/gi, 'W')
		.replace(/subscriptions\/[^/]+\/resourcegroups\/[^/]+\/workspaces\/[^/]+/gi, 'w')
		.replace(/(codes|azureml_anonymous|CliV2AnonymousEnvironment)\/.*/, '$1')
		.replace(/models\/[0-9a-f]{32}\//, 'models/')
		.replace(/^test_207072053765$/, '1')
		.replace(/LocalUpload\/[^/]+/, 'LocalUpload')
		.replace(/https:\/\/[^/]+\/[^/]+\//, 'https://');
}

function without(body: Json | undefined, paths: readonly string[]): Json | undefined {
	const copy = JSON.parse(JSON.stringify(body)) as Json;
	for (const one of paths) {
		const steps = one.split('.');
		const last = steps.pop() ?? '';
		let here: unknown = copy;
		for (const step of steps) here = isObject(here) ? here[step] : undefined;
		if (isObject(here)) delete (here as Record<string, unknown>)[last];
	}
	return copy;
}

// The older files name no schema; then their folder says what they are.
function kindIn(yaml: string, file: YamlFile): string {
	if (/\/spark_job\//.test(yaml)) return kindOf(file, 'job');
	const folder = /\/(batch|model|datastore|import_job|schedule)\//.exec(yaml)?.[1];
	if (folder === 'batch') return /deployment/.test(yaml) ? 'batch-deployment' : 'batch-endpoint';
	return folder ?? kindOf(file, /job/.test(yaml) ? 'job' : undefined);
}

const cases = rows.flatMap((row) => {
	const yaml = row.yaml?.at(-1);
	if (yaml === undefined || OTHER_FILE.has(row.file)) return [];
	const file = openYaml(path.join(RECORDINGS, yaml), yaml);
	const kind = kindIn(yaml, file);
	const place = PLACES[kind.split(':')[0] ?? ''];
	const sent = place === undefined ? undefined : submitted(row, place);
	return sent === undefined ? [] : [{ name: row.file, kind, file, sent }];
});

(here ? describe : describe.skip)('bodies that were recorded', () => {
	test('there are some', () => {
		expect(cases.length).toBeGreaterThan(20);
	});

	test.each(cases.map((one) => [one.name, one] as const))('%s', (name, { kind, file, sent }) => {
		const workspace = new ImaginedWorkspace();
		const [, asset = '', version] = /\/([^/?]+)(?:\/versions\/([^/?]+))?\?/.exec(sent.url) ?? [];
		const given = version === undefined ? [`name=${asset}`] : [`name=${asset}`, `version=${version}`];
		translateFile(kind, applySet(file, [...given, ...(CHANGED[name] ?? [])]), workspace);
		const ours = workspace.writes.at(-1)?.body;
		const names = file.root.entries.map((entry) => entry.key);
		const apart = [
			...(APART[name] ?? []).map(([one]) => one),
			...(names.includes('experiment_name') ? [] : ['properties.experimentName']),
		];
		expect(without(reduced(ours), apart)).toEqual(without(reduced(sent.requestBody), apart));
	});
});
