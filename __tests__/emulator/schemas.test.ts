import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type BodyKind, checkBody, hasArmSchema } from '../../emulator/arm/schemas.ts';
import { AnswerError } from '../../emulator/server.ts';
import { at, type Json } from './client.ts';

const RECORDINGS = new URL('../../../shared/recordings/', import.meta.url);
const KINDS: [RegExp, BodyKind][] = [
	[/\/jobs\/[^/]+$/, 'jobs'],
	[/\/codes\/[^/]+\/versions\/[^/]+$/, 'codes_versions'],
	[/\/environments\/[^/]+\/versions\/[^/]+$/, 'environments_versions'],
	[/\/data\/[^/]+\/versions\/[^/]+$/, 'data_versions'],
	[/\/models\/[^/]+\/versions\/[^/]+$/, 'models_versions'],
	[/\/components\/[^/]+\/versions\/[^/]+$/, 'components_versions'],
	[/\/datastores\/[^/]+$/, 'datastores'],
	[/\/computes\/[^/]+$/, 'computes'],
	[/\/onlineEndpoints\/[^/]+$/, 'onlineEndpoints'],
	[/\/onlineEndpoints\/[^/]+\/deployments\/[^/]+$/, 'onlineEndpoints_deployments'],
];
/** Every schema there is: the emulator's own, and Microsoft's where it lies beside the project. */
const SCHEMAS: [string, boolean][] = hasArmSchema()
	? [
			['own', true],
			['template', false],
		]
	: [['own', true]];

interface Exchange {
	method: string;
	url: string;
	status: number;
	requestBody: Json;
}

function recordedPuts(): [string, BodyKind, Json][] {
	const files = readdirSync(RECORDINGS, { recursive: true }).map(String);
	return files
		.filter((file) => /^[^/]+\/[^/]+\.json$/.test(file) && !/^(configs|errors)\//.test(file))
		.flatMap((file) => {
			const exchanges = JSON.parse(readFileSync(new URL(file, RECORDINGS), 'utf8')) as Exchange[];
			return exchanges
				.filter(
					({ method, status, url }) =>
						method === 'PUT' && status < 300 && url.startsWith('https://management.azure.com'),
				)
				.flatMap(({ url, requestBody }): [string, BodyKind, Json][] => {
					const kind = KINDS.find(([path]) => path.test(url.split('?')[0] ?? ''))?.[1];
					return kind ? [[file, kind, requestBody]] : [];
				});
		});
}

function targetsOf(kind: BodyKind, body: Json, own: boolean): unknown[] {
	try {
		checkBody(kind, body, own);
		return [];
	} catch (error) {
		if (!(error instanceof AnswerError)) throw error;
		return (at(error.answer.json, 'error', 'details') as Json[]).map((one) => one['target']);
	}
}

describe.each(SCHEMAS)('the %s schema', (_name, own) => {
	(existsSync(RECORDINGS) ? test : test.skip)('takes every body that the service took in recorded traffic', () => {
		const puts = recordedPuts();
		expect(puts.length).toBeGreaterThan(80);
		const refused = puts.map(([file, kind, body]) => [file, kind, targetsOf(kind, body, own)] as const);
		expect(refused.filter(([, , targets]) => targets.length > 0)).toEqual([]);
	});

	const job = { jobType: 'Command', command: 'true', environmentId: 'azureml:e:1' };
	test.each<[string, BodyKind, Json, string]>([
		['a job without its type', 'jobs', { command: 'true', environmentId: 'e' }, 'properties.jobType'],
		['a job of an unknown type', 'jobs', { jobType: 'Training' }, 'properties.jobType'],
		['a command job without a command', 'jobs', { jobType: 'Command', environmentId: 'e' }, 'properties.command'],
		[
			'a sweep without a trial',
			'jobs',
			{
				jobType: 'Sweep',
				objective: { goal: 'Maximize', primaryMetric: 'a' },
				samplingAlgorithm: { samplingAlgorithmType: 'Random' },
				searchSpace: {},
			},
			'properties.trial',
		],
		['limits without their type', 'jobs', { ...job, limits: { timeout: 'PT1M' } }, 'properties.limits.jobLimitsType'],
		['an input without its type', 'jobs', { ...job, inputs: { a: { uri: 'x' } } }, 'properties.inputs.a.jobInputType'],
		[
			'a literal that is no text',
			'jobs',
			{ ...job, inputs: { a: { jobInputType: 'literal', value: 1 } } },
			'properties.inputs.a.value',
		],
		['tags that are no texts', 'jobs', { ...job, tags: { a: 1 } }, 'properties.tags.a'],
		['a build without a context', 'environments_versions', { build: {} }, 'properties.build.contextUri'],
		['data without a URI', 'data_versions', { dataType: 'uri_file' }, 'properties.dataUri'],
		['data of an unknown type', 'data_versions', { dataType: 'UriFile', dataUri: 'x' }, 'properties.dataType'],
		['a model whose flavors are texts', 'models_versions', { flavors: { sklearn: 'x' } }, 'properties.flavors.sklearn'],
		['an endpoint without an authMode', 'onlineEndpoints', {}, 'properties.authMode'],
		['a deployment without its compute type', 'onlineEndpoints_deployments', {}, 'properties.endpointComputeType'],
		['a compute without its type', 'computes', {}, 'properties.computeType'],
		[
			'a datastore without credentials',
			'datastores',
			{ datastoreType: 'AzureBlob', accountName: 'a', containerName: 'c' },
			'properties.credentials',
		],
	])('refuses %s', (_what, kind, properties, target) => {
		expect(targetsOf(kind, { location: 'eastus', properties }, own)).toContain(target);
	});

	test('reads values of enumerations in any letter case, and null as absent', () => {
		const inputs = { a: { jobInputType: 'uri_file', uri: 'x', mode: 'readonlymount', description: null } };
		expect(targetsOf('jobs', { properties: { ...job, inputs, codeId: null } }, own)).toEqual([]);
	});
});
