import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { startCommandJob } from '../../emulator/compute/command-job.ts';
import type { CommandRun } from '../../emulator/execution.ts';
import { startScoring } from '../../emulator/serving/scoring.ts';
import { FolderSite } from '../emulator/compute/site.ts';
import { startTrackingServer, type TrackingServer } from '../emulator/mlflow/tracking-server.ts';

const EXAMPLE = new URL('../../examples/iris/', import.meta.url).pathname;
const SCHEMAS = new URL('../../../shared/spec/cli-v2-fields.json', import.meta.url);
const EPOCHS = 12;

interface JobFile {
	command: string;
	inputs: Record<string, unknown>;
	[field: string]: unknown;
}

async function readExample(name: string): Promise<string> {
	return await readFile(join(EXAMPLE, name), 'utf8');
}

/** The job of job.yml as a service would run it, with fewer epochs. */
function jobOf(file: JobFile, parts: Partial<CommandRun> = {}): CommandRun {
	const literals = Object.entries({ ...file.inputs, epochs: EPOCHS }).flatMap(([name, value]) =>
		typeof value === 'object' ? [] : [[name, { jobInputType: 'literal', value: String(value) }] as const],
	);
	return {
		name: 'iris_1',
		command: file.command,
		codeUri: 'store:code',
		inputs: { ...Object.fromEntries(literals), data: { jobInputType: 'uri_file', uri: 'store:iris.csv' } },
		outputs: {
			model: { jobOutputType: 'custom_model', uri: 'store:model/iris' },
			default: { jobOutputType: 'uri_folder', uri: 'store:artifacts' },
		},
		environmentVariables: {},
		...parts,
	};
}

describe('the iris example', () => {
	let site: FolderSite;
	let tracking: TrackingServer;
	let job: JobFile;

	beforeAll(async () => {
		site = new FolderSite(await mkdtemp(join(tmpdir(), 'iris-')));
		await cp(join(EXAMPLE, 'src'), join(site.root, 'code'), { recursive: true });
		await cp(join(EXAMPLE, 'data', 'iris.csv'), join(site.root, 'iris.csv'));
		tracking = await startTrackingServer();
		tracking.runs.create({ runId: 'iris_1', experimentName: 'iris', status: 'Running' });
		site.tracking = {
			MLFLOW_TRACKING_URI: tracking.origin + tracking.keys.issue('iris_1'),
			MLFLOW_RUN_ID: 'iris_1',
		};
		job = parse(await readExample('job.yml')) as JobFile;
		await startCommandJob(jobOf(job), site).done;
	});

	afterAll(async () => {
		await tracking.close();
		await rm(site.root, { recursive: true, force: true });
	});

	test('trains and says so', () => {
		expect([site.states.at(-1), site.error]).toEqual(['Completed', undefined]);
		expect(site.log()).toContain(
			'Read 150 rows: 105 to train on, 45 to test on; labels: setosa, versicolor, virginica',
		);
		expect(site.log()).toMatch(/^epoch {2}12\/12 {2}loss 0\.\d{4} {2}accuracy 0\.\d{4}$/m);
	});

	test('logs both metrics of each epoch, and its parameters', () => {
		const run = tracking.runs.get('iris_1');
		const [loss = [], accuracy = []] = [run?.metrics['loss'], run?.metrics['accuracy']];
		expect(loss.map((point) => point.step)).toEqual(Array.from({ length: EPOCHS }, (_, index) => index + 1));
		expect(loss.at(-1)?.value).toBeLessThan(loss[0]?.value ?? 0);
		expect(accuracy.at(-1)?.value).toBeGreaterThan(0.9);
		expect(run?.params).toMatchObject({ epochs: String(EPOCHS), seed: '42' });
	});

	test('writes a model and a figure', async () => {
		const model = JSON.parse(await readFile(site.path('store:model/iris/model.json'), 'utf8'));
		expect(model.labels).toEqual(['setosa', 'versicolor', 'virginica']);
		expect(model.weights.map((row: number[]) => row.length)).toEqual([4, 4, 4]);
		const figure = await readFile(site.path('store:artifacts/outputs/curves.png'));
		expect(figure.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
	});

	test('answers its smoke test as expected, and faulty requests by an error', async () => {
		const scoring = startScoring({
			codeFolder: join(EXAMPLE, 'score'),
			scoringScript: 'score.py',
			modelFolder: site.path('store:model'),
			environmentVariables: {},
			workFolder: join(site.root, 'serving'),
		});
		try {
			await scoring.ready;
			const address = `http://127.0.0.1:${scoring.port()}/score`;
			const answer = await fetch(address, { method: 'POST', body: await readExample('smoke-test.json') });
			const content = (await answer.json()) as { probabilities: number[][] };
			expect(content).toMatchObject(JSON.parse(await readExample('smoke-test-expect.json')));
			for (const row of content.probabilities) expect(row.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 4);
			expect((await fetch(address, { method: 'POST', body: '{"data": [[1]]}' })).status).toBe(500);
		} finally {
			await scoring.stop();
		}
	});

	test('trains without a tracking server, or with one that is gone', async () => {
		const short = { ...job, command: `${job.command} --steps-per-epoch 1` };
		site.tracking = {};
		await startCommandJob(jobOf(short), site).done;
		expect(site.log()).toContain('No tracking server: metrics are printed only.');
		site.tracking = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9', MLFLOW_RUN_ID: 'iris_1' };
		await startCommandJob(jobOf(short), site).done;
		expect(site.log().match(/could not be reached/g)).toHaveLength(1);
		expect(site.states.at(-1)).toBe('Completed');
	});

	test('reaches a workspace by the address behind its azureml URI', async () => {
		const uri = 'azureml://eastus.api.azureml.ms/mlflow/v1.0/subscriptions/s/workspaces/w?a=b';
		const command = `python -c "import tracking; print(tracking.http_address('${uri}'))"`;
		await startCommandJob(jobOf({ ...job, command }), site).done;
		expect(site.log()).toContain('https://eastus.api.azureml.ms/mlflow/v1.0/subscriptions/s/workspaces/w\n');
	});
});

describe('the files of the iris example', () => {
	// The field lists of the CLI lie beside the project where they are at hand.
	const whereListed = existsSync(SCHEMAS) ? test : test.skip;

	whereListed.each([
		['job.yml', 'CommandJobSchema', {}],
		['endpoint.yml', 'ManagedOnlineEndpointSchema', {}],
		['deployment.yml', 'ManagedOnlineDeploymentSchema', { name: 'chosen by the action' }],
	])('%s has the fields of %s', async (file, schema, added) => {
		const known = JSON.parse(await readFile(SCHEMAS, 'utf8')).schemas as Record<string, Schema>;
		expect(faultsOf({ ...parse(await readExample(file)), ...added }, known[schema], known)).toEqual([]);
	});

	test('agree with each other', async () => {
		const endpoint = parse(await readExample('endpoint.yml'));
		const deployment = parse(await readExample('deployment.yml'));
		expect(deployment.endpoint_name).toBe(endpoint.name);
		await expect(
			readExample(join(deployment.code_configuration.code, deployment.code_configuration.scoring_script)),
		).resolves.toContain('def run(');
		await expect(readExample(deployment.environment.conda_file)).resolves.toContain('azureml-inference-server-http');
		const workflow = parse(await readExample('.github/workflows/train.yml'));
		const { with: inputs } = workflow.jobs.train.steps.find(
			(step: { with?: object }) => step.with && 'smoke-test-expect' in step.with,
		);
		expect(JSON.parse(inputs['smoke-test-expect'])).toEqual(JSON.parse(await readExample('smoke-test-expect.json')));
		for (const name of ['job-file', 'endpoint-file', 'deployment-file', 'smoke-test-file']) {
			await expect(readExample(inputs[name])).resolves.not.toBe('');
		}
	});

	test('hold the 150 classic rows', async () => {
		const rows = (await readExample('data/iris.csv')).trim().split('\n').slice(1);
		const species = rows.map((row) => row.split(',').at(-1));
		expect(['setosa', 'versicolor', 'virginica'].map((one) => species.filter((other) => other === one).length)).toEqual(
			[50, 50, 50],
		);
	});
});

interface Schema {
	fields: Record<string, { kind: string; required?: boolean; read_only?: boolean; schema?: string }>;
}

/** Fields that the schema does not know, cannot be written, or are required and missing; nested objects too. */
function faultsOf(value: Record<string, unknown>, schema: Schema | undefined, all: Record<string, Schema>): string[] {
	if (schema === undefined) return ['no such schema'];
	const missing = Object.entries(schema.fields).flatMap(([name, field]) =>
		field.required && !(name in value) ? [`no ${name}`] : [],
	);
	const wrong = Object.entries(value).flatMap(([name, inner]) => {
		const field = schema.fields[name];
		if (field === undefined || (field.read_only && name !== '$schema')) return [`unknown ${name}`];
		if (field.schema === undefined || typeof inner !== 'object') return [];
		return faultsOf(inner as Record<string, unknown>, all[field.schema], all).map((fault) => `${name}: ${fault}`);
	});
	return [...missing, ...wrong];
}
