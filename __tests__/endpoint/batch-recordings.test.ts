// The deploy step of batch endpoints against what the service really answered: the recorded answers are played back, and
// what is asked for is compared with what Microsoft's client asked.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { deployBatch } from '../../src/endpoint/batch-deploy.ts';
import { readBatchDeployment } from '../../src/endpoint/batch-deployment-file.ts';
import { readBatchEndpoint } from '../../src/endpoint/batch-file.ts';
import type { BatchDeployRequest } from '../../src/endpoint/batch-plan.ts';
import { deleteEndpoint } from '../../src/endpoint/online-endpoint.ts';
import { openYaml } from '../../src/yaml/load.ts';
import { type Bench, type Recorded, startBench } from './online-service.ts';

const RECORDINGS = join(import.meta.dirname, '../../../shared/recordings');
const replay = existsSync(RECORDINGS) ? describe : describe.skip;

interface Exchange {
	method: string;
	url: string;
	requestHeaders: Record<string, string>;
	requestBody: { properties: Record<string, unknown> };
	status: number;
	responseHeaders: Record<string, string>;
	responseBody: unknown;
}

let bench: Bench;
let exchanges: Exchange[];
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

/** Path below the workspace; of a scoring address its host stands before. */
function pathOf(url: string): string {
	const { host, pathname } = new URL(url);
	const path = decodeURIComponent(pathname).replace(/^.*\/workspaces\/[^/]+/, '');
	return host === 'management.azure.com' ? path : `/${host}${path}`;
}

/**
 * Plays the recording: each request gets the next answer to the same method and path, the last one again and again. What
 * was not there before its first PUT is not there.
 */
function play(file: string): void {
	const text = readFileSync(join(RECORDINGS, 'batch', `${file}.json`), 'utf8');
	const { base } = bench.service;
	exchanges = JSON.parse(text) as Exchange[];
	const local = JSON.stringify(exchanges)
		.replaceAll(/https:\/\/management\.azure\.com\/subscriptions/g, `${base}/subscriptions`)
		.replaceAll(/https:\/\/([\w.-]+\.inference\.ml\.azure\.com)/g, `${base}/$1`);
	const answers = JSON.parse(local) as Exchange[];
	const queues = new Map<string, Exchange[]>();
	for (const [place, { method, url }] of exchanges.entries()) {
		const key = `${method} ${pathOf(url)}`;
		const answer = answers[place];
		if (answer !== undefined) queues.set(key, [...(queues.get(key) ?? []), answer]);
	}
	const made = new Set<string>();
	bench.service.intercept = ({ method, path }: Recorded) => {
		if (method === 'PUT') made.add(path);
		const isNew = method === 'GET' && queues.has(`PUT ${path}`) && !made.has(path);
		const queue = isNew ? undefined : queues.get(`${method} ${path}`);
		const answer = queue !== undefined && queue.length > 1 ? queue.shift() : queue?.[0];
		if (answer === undefined) return { status: 404, json: { error: { code: 'NotFound', message: path } } };
		const headers = Object.fromEntries(
			Object.entries(answer.responseHeaders).filter(([name]) => !/^content-length$/i.test(name)),
		);
		const { status, responseBody: body } = answer;
		return typeof body === 'string' ? { status, headers, text: body } : { status, headers, json: body };
	};
}

const writes = (): string[] =>
	bench.service.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);

/** What the recorded client wrote to the endpoint, each thing once. */
const recordedWrites = (): string[] => [
	...new Set(
		exchanges
			.filter(({ method, url }) => method !== 'GET' && /batchEndpoints|inference\.ml/.test(url))
			.map(({ method, url }) => `${method} ${pathOf(url)}`),
	),
];

const configured = (path: string) => openYaml(join(RECORDINGS, 'configs', path), path);

function nameIn(pattern: RegExp): string {
	const name = exchanges.map(({ url }) => pattern.exec(url)?.[1]).find((found) => found !== undefined);
	if (name === undefined) throw new Error(`the recording has nothing like ${pattern}`);
	return name;
}

replay('the recorded service', () => {
	test('takes an endpoint, a deployment and a job as this action sends them, and is understood', async () => {
		play('invoke');
		const endpoint = readBatchEndpoint(configured('endpoints/batch/simple_batch_endpoint.yaml'));
		const file = readBatchDeployment(configured('deployments/batch/batch_deployment_3.yaml'));
		const recorded = exchanges.find(({ method, url }) => method === 'POST' && url.includes('inference.ml'));
		const request: BatchDeployRequest = {
			endpoint: { file: endpoint, name: nameIn(/\/batchEndpoints\/([^/?]+)/) },
			deployment: { file, name: nameIn(/\/deployments\/([^/?]+)/) },
			makeDefault: false,
			smokeTest: { body: JSON.stringify(recorded?.requestBody) },
			onFailure: 'keep',
			deletePrevious: false,
			tags: {},
		};
		const followed: string[] = [];
		const result = await deployBatch(request, { ...bench.parts, followJob: async (name) => void followed.push(name) });
		expect(followed).toEqual([expect.stringMatching(/^batchjob-[-0-9a-f]{36}$/)]);
		expect(result.scoringUri).toMatch(/inference\.ml\.azure\.com\/jobs$/);
		expect(writes()).toEqual(recordedWrites());
		const sent = bench.service.requests.find(({ method, path }) => method === 'PUT' && path.includes('/deployments/'));
		const asked = exchanges.find(({ method, url }) => method === 'PUT' && url.includes('/deployments/'));
		const properties = (sent?.body as Exchange['requestBody'] | undefined)?.properties ?? {};
		expect(Object.keys(properties).sort()).toEqual(Object.keys(asked?.requestBody.properties ?? {}).sort());
		const { codeConfiguration, environmentId, model, compute, loggingLevel, ...plain } = properties;
		expect(asked?.requestBody.properties).toMatchObject(plain);
		const invoked = bench.service.requests.find(({ method }) => method === 'POST');
		expect(invoked?.body).toEqual(recorded?.requestBody);
		expect(invoked?.headers['azureml-model-deployment']).toBe(recorded?.requestHeaders['azureml-model-deployment']);
	});

	test('makes and deletes an endpoint', async () => {
		play('endpoint-create');
		const name = nameIn(/\/batchEndpoints\/([^/?]+)/);
		const endpoint = readBatchEndpoint(configured('endpoints/batch/batch_endpoint.yaml'));
		const result = await deployBatch(
			{
				endpoint: { file: endpoint, name },
				deployment: {},
				makeDefault: true,
				onFailure: 'rollback',
				deletePrevious: false,
				tags: {},
			},
			{ ...bench.parts, followJob: async () => {} },
		);
		expect(result).toMatchObject({ created: { endpoint: true }, defaultDeployment: undefined });
		expect(result.scoringUri).toMatch(/\/jobs$/);
		const gone = await deleteEndpoint(bench.parts.workspace, name, { ...bench.parts, collection: 'batchEndpoints' });
		expect(gone).toBe(true);
		expect(writes()).toEqual(recordedWrites());
		const [sent, asked] = [
			bench.service.requests.find(({ method }) => method === 'PUT')?.body as Exchange['requestBody'],
			exchanges.find(({ method }) => method === 'PUT')?.requestBody,
		];
		expect({ ...sent, properties: { ...sent.properties, authMode: 'aadToken' } }).toEqual({
			...asked,
			location: 'westeurope',
		});
	});
});
