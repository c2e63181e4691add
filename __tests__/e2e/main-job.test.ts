// The main job, as examples/iris has it, and the same workflow run again: what the emulated workspace holds afterwards.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobState } from '../../emulator/emulator.ts';
import type { StoredBlob } from '../../emulator/storage.ts';
import { type AzureClient, openClient } from './azure-client.ts';
import { IRIS } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Request, type Site } from './site.ts';
import { errorsOf, shownLines } from './workflow-log.ts';

const EXPECTED = JSON.parse(readFileSync(join(IRIS, 'smoke-test-expect.json'), 'utf8')) as object;
const INPUTS = {
	'job-file': 'job.yml',
	'model-name': 'iris',
	'endpoint-file': 'endpoint.yml',
	'deployment-file': 'deployment.yml',
	'smoke-test-file': 'smoke-test.json',
	'smoke-test-expect': JSON.stringify(EXPECTED),
	traffic: '100',
};

/** A run with what the emulator recorded of it. */
interface Recorded extends ActionRun {
	/** Requests of the main step. */
	readonly main: readonly Request[];
	/** Requests of the post step. */
	readonly after: readonly Request[];
	/** What was stored when it had ended. */
	readonly blobs: readonly StoredBlob[];
}

let site: Site;
let client: AzureClient;
let first: Recorded;
let second: Recorded;

async function record(runId: string): Promise<Recorded> {
	const since = site.emulator.requests.length;
	const run = await site.run(INPUTS, { checkout: IRIS, env: { GITHUB_RUN_ID: runId } });
	const requests = site.requests(since);
	return {
		...run,
		main: requests.filter(({ at }) => at <= run.endedAt),
		after: requests.filter(({ at }) => at > run.endedAt),
		blobs: await site.emulator.blobs(),
	};
}

beforeAll(async () => {
	site = await openSite();
	client = await openClient(site.emulator);
	first = await record('101');
	second = await record('102');
});

afterAll(() => site?.close());

const lines = (requests: readonly Request[], pattern: RegExp): string[] =>
	requests.map(({ line }) => line).filter((line) => pattern.test(line));

function jobOf({ outputs }: ActionRun): JobState {
	const job = site.emulator.jobs().find(({ name }) => name === outputs['job-name']);
	if (job === undefined) throw new Error(`The workspace has no job ${outputs['job-name']}.`);
	return job;
}

describe('the main job', () => {
	test('succeeds', () => {
		expect([first.code, errorsOf(first.stdout), first.stderr]).toEqual([0, [], '']);
	});

	test('signs in with an ID token of GitHub and no secret, before anything else', () => {
		const ask = first.main.find(({ face }) => face === 'github');
		expect(ask).toMatchObject({ query: { audience: 'api://AzureADTokenExchange' }, status: 200 });
		const [token, ...more] = first.main.filter(({ face, method }) => face === 'entra' && method === 'POST');
		expect(token?.status).toBe(200);
		// Scoring is by key, so that there is one resource to have a token for.
		expect(more).toEqual([]);
		expect(token?.body).toMatchObject({ client_id: site.emulator.clientId, scope: `${site.emulator.arm}/.default` });
		expect(Object.keys(token?.body as object)).toContain('client_assertion');
		expect(Object.keys(token?.body as object)).not.toContain('client_secret');
		const arm = first.main.find(({ face }) => face === 'arm');
		expect(first.main.indexOf(arm as Request)).toBeGreaterThan(first.main.indexOf(token as Request));
	});

	test('calls Resource Manager with one api-version, and never in vain but to see whether something is there', () => {
		const arm = first.main.filter(({ face }) => face === 'arm');
		expect(arm.length).toBeGreaterThan(10);
		expect([...new Set(arm.map(({ query }) => query['api-version']))]).toEqual(['2025-09-01']);
		const refused = arm.filter(({ status }) => status >= 400);
		expect(refused.filter(({ method, status }) => method !== 'GET' || status !== 404)).toEqual([]);
	});

	test('uploads the code folder byte for byte, and registers it under its hash', async () => {
		const { codeId } = jobOf(first).properties;
		const path = String(codeId).replace(/^.*\/workspaces\/[^/]+/, '');
		const { properties } = await client.get(path);
		const { codeUri, properties: facts } = properties as { codeUri: string; properties: Record<string, string> };
		expect(facts['hash_sha256']).toMatch(/^[0-9a-f]{64}$/);
		const [, container = '', folder = ''] = /\/emulatorstore\/([^/]+)\/?(.*)$/.exec(codeUri) ?? [];
		const stored = first.blobs.filter((blob) => blob.container === container && blob.name.startsWith(folder));
		expect(stored.map(({ name }) => name.replace(/^.*\//, '')).sort()).toEqual(readdirSync(join(IRIS, 'src')).sort());
		for (const { name } of stored) {
			const bytes = await site.emulator.readBlob(container, name);
			expect(bytes?.equals(readFileSync(join(IRIS, 'src', name.replace(/^.*\//, ''))))).toBe(true);
		}
	});

	test('uploads the data and hands it to the job', async () => {
		const { inputs } = jobOf(first).properties as { inputs: Record<string, { uri?: string; value?: string }> };
		const path = /paths\/(.+)$/.exec(inputs['data']?.uri ?? '')?.[1] ?? '';
		const bytes = await site.emulator.readBlob('azureml-blobstore', path);
		expect(bytes?.equals(readFileSync(join(IRIS, 'data/iris.csv')))).toBe(true);
		expect(inputs['epochs']?.value).toBe('50');
	});

	test('submits one job, which really trains and ends Completed', () => {
		expect(lines(first.main, /^PUT jobs\//)).toHaveLength(1);
		expect(jobOf(first)).toMatchObject({
			status: 'Completed',
			properties: { experimentName: 'iris', displayName: 'iris softmax regression', tags: { example: 'iris' } },
		});
	});

	test('shows each line of the training log once and in order', async () => {
		const log = await site.emulator.readBlob(
			'azureml',
			`ExperimentRun/dcid.${first.outputs['job-name']}/user_logs/std_log.txt`,
		);
		const written = String(log).split('\n').filter(Boolean);
		expect(written.length).toBeGreaterThan(50);
		const known = new Set(written);
		expect(shownLines(first.stdout).filter((line) => known.has(line))).toEqual(written);
	});

	test('gives the metrics that the job has logged', async () => {
		const logged = await client.metrics(first.outputs['job-name'] ?? '');
		expect(logged['accuracy']).toBeGreaterThan(0.9);
		expect(JSON.parse(first.outputs['metrics'] ?? '')).toEqual(logged);
	});

	test("registers the model from the job's output", async () => {
		const { value } = await client.get('/models/iris/versions');
		const version = (value as { name: string; properties: Record<string, unknown> }[]).find(({ name }) => name === '1');
		expect(version?.properties).toMatchObject({
			modelType: 'custom_model',
			modelUri: expect.stringContaining(`/${first.outputs['job-name']}/`),
			tags: { job: first.outputs['job-name'], 'github.commit': 'ffac537e6cbbf934b08745a378932722df287a53' },
		});
	});

	test('tests the new deployment by name before it has any traffic, then gives it all', () => {
		const scored = first.main.filter(({ face }) => face === 'scoring');
		const [endpoint] = site.emulator.endpoints();
		const given = endpoint?.trafficHistory.find(({ traffic }) => traffic['blue'] === 100)?.at ?? 0;
		expect(scored[0]).toMatchObject({
			method: 'POST',
			status: 200,
			headers: { 'azureml-model-deployment': 'blue' },
			body: JSON.parse(readFileSync(join(IRIS, 'smoke-test.json'), 'utf8')),
		});
		expect(scored[0]?.at).toBeLessThan(given);
		expect(scored.some(({ at }) => at > given)).toBe(true);
	});

	test('sets the outputs of what it made', () => {
		const [endpoint] = site.emulator.endpoints();
		const job = jobOf(first).properties as { services: { Studio: { endpoint: string } } };
		expect(first.outputs).toEqual({
			'job-name': expect.stringMatching(/^[a-zA-Z0-9][\w-]+$/),
			'job-status': 'Completed',
			'job-url': expect.stringContaining(job.services.Studio.endpoint),
			metrics: expect.any(String),
			'model-name': 'iris',
			'model-version': '1',
			'model-id': 'azureml:iris:1',
			'model-uri': expect.stringContaining('azureml://'),
			'endpoint-name': 'iris-example',
			'deployment-name': 'blue',
			'scoring-uri': endpoint?.properties['scoringUri'],
			'rolled-back': 'false',
		});
	});

	test('tells all of it in the summary', () => {
		for (const part of [first.outputs['job-name'], 'Completed', 'accuracy', 'azureml:iris:1', 'blue', 'iris-example'])
			expect(first.summary).toContain(part);
		expect(first.summary).toMatch(/^## ✅/);
	});

	test('leaves nothing to do for the post step', () => {
		expect([first.post.code, first.after, first.post.stdout]).toEqual([0, [], '']);
	});
});

describe('the same workflow again', () => {
	test('succeeds', () => {
		expect([second.code, errorsOf(second.stdout), second.stderr]).toEqual([0, [], '']);
	});

	test('takes code and data that are there already: nothing is uploaded', () => {
		expect(lines(second.main, /startPendingUpload|^PUT codes\//)).toEqual([]);
		expect(second.main.filter(({ face, method }) => face === 'storage' && method === 'PUT')).toEqual([]);
		expect(jobOf(second).properties['codeId']).toBe(jobOf(first).properties['codeId']);
	});

	test('trains a job of its own', () => {
		expect(second.outputs['job-name']).not.toBe(first.outputs['job-name']);
		expect(jobOf(second).status).toBe('Completed');
	});

	test('registers the next version', () => {
		expect(second.outputs['model-id']).toBe('azureml:iris:2');
	});

	test('deploys beside the one that serves, which stays', () => {
		expect(second.outputs['deployment-name']).toBe('green');
		const [endpoint] = site.emulator.endpoints();
		expect(endpoint?.deployments.map(({ name }) => name).sort()).toEqual(['blue', 'green']);
		expect(lines(second.main, /^PUT onlineEndpoints\/iris-example\/deployments\//)).toEqual([
			'PUT onlineEndpoints/iris-example/deployments/green',
		]);
	});

	test('touches the endpoint for its traffic only', () => {
		const puts = second.main.filter(({ line }) => line === 'PUT onlineEndpoints/iris-example');
		expect(puts).toHaveLength(1);
		expect(puts[0]?.body).toMatchObject({ properties: { traffic: { green: 100 } } });
		const [endpoint] = site.emulator.endpoints();
		const served = Object.entries(endpoint?.properties['traffic'] as object).filter(([, share]) => share > 0);
		expect(served).toEqual([['green', 100]]);
	});

	test('serves the new model to clients', async () => {
		const answer = await client.score('iris-example', readFileSync(join(IRIS, 'smoke-test.json'), 'utf8'));
		expect(answer).toMatchObject({ status: 200, deployment: 'green' });
		expect(JSON.parse(answer.text)).toMatchObject(EXPECTED);
	});
});
