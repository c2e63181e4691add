import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FileError, InputError } from '../src/errors.ts';
import { type RunFiles, readFiles } from '../src/files.ts';
import { readInputs } from '../src/inputs.ts';
import { memoryLog } from './fixtures/memory-log.ts';
import { RUN_ENV } from './fixtures/run-context.ts';

const FILES: Readonly<Record<string, string>> = {
	'job.yml': 'command: python train.py\nenvironment: azureml:sklearn:1\ncompute: azureml:cpu\n',
	'pipeline.yml':
		'type: pipeline\nsettings:\n  default_compute: azureml:cpu\njobs:\n  one:\n    type: command\n    component: azureml:one:1\n',
	'broken.yml': 'command: x\nenvironment: azureml:sklearn:1\ncompte: azureml:cpu\n',
	'endpoint.yml': 'name: iris\nauth_mode: key\n',
	'broken-endpoint.yml': 'name: iris\nauth_mode: password\n',
	'managed.yml': '$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json\nname: iris\n',
	'batch.yml': '$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json\nname: iris\n',
	'batch-deployment.yml':
		'$schema: https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json\nendpoint_name: iris\nmodel: azureml:iris:1\ncompute: azureml:cpu\n',
	'batch-pipeline.yml': 'endpoint_name: iris\ntype: pipeline\ncomponent: azureml:score:1\n',
	'broken-batch.yml': 'endpoint_name: iris\ntype: model\nmodel: azureml:iris:1\n',
	'invocation.json': '{"inputData":{}}',
	'list.json': '[1]',
	'empty.yml': '',
};

let checkout: string;
beforeAll(() => {
	checkout = mkdtempSync(join(tmpdir(), 'files-'));
	for (const [name, text] of Object.entries(FILES)) writeFileSync(join(checkout, name), text);
});
afterAll(() => rmSync(checkout, { recursive: true }));

const TARGET = { 'subscription-id': 's', 'resource-group': 'g', workspace: 'w' };

function read(given: Readonly<Record<string, string>>, log = memoryLog()): RunFiles {
	const all: Readonly<Record<string, string>> = { ...TARGET, ...given };
	const env = { ...RUN_ENV, GITHUB_WORKSPACE: checkout };
	return readFiles(readInputs({ input: (name) => all[name] ?? '', env, mask: () => {} }), log);
}

function refusalOf(given: Readonly<Record<string, string>>): FileError {
	try {
		read(given);
	} catch (error) {
		if (error instanceof FileError) return error;
		throw error;
	}
	throw new Error('nothing was refused');
}

const computeOf = ({ job }: RunFiles): unknown => (job?.job.type === 'command' ? job.job.compute : undefined);

describe('the job file', () => {
	test('is read with its path', () => {
		const { job, model, endpoint, deployment } = read({ 'job-file': 'job.yml' });
		expect([job?.path, job?.job.type]).toEqual(['job.yml', 'command']);
		expect([model, endpoint, deployment]).toEqual([undefined, undefined, undefined]);
	});

	test.each([
		['gpu', { form: 'named', reference: expect.objectContaining({ name: 'gpu' }) }],
		['azureml:gpu', { form: 'named', reference: expect.objectContaining({ name: 'gpu' }) }],
		['local', { form: 'local' }],
	])('runs on the compute %s of the input', (compute, expected) => {
		expect(computeOf(read({ 'job-file': 'job.yml', compute }))).toMatchObject(expected);
		// The input has the last word.
		expect(computeOf(read({ 'job-file': 'job.yml', compute, set: 'compute=azureml:other' }))).toMatchObject(expected);
	});

	test('on serverless compute names none', () => {
		const compute = computeOf(read({ 'job-file': 'job.yml', compute: 'serverless' }));
		expect(JSON.stringify(compute ?? 'none')).not.toContain('cpu');
	});

	test('of a pipeline takes the compute as the default of its steps', () => {
		const { job } = read({ 'job-file': 'pipeline.yml', compute: 'gpu' });
		const settings = job?.job.type === 'pipeline' ? job.job.settings : undefined;
		expect(settings).toMatchObject({ defaultCompute: { name: 'gpu' } });
	});

	test('is overridden by `set`, and a path that is none is a fault of the file', () => {
		const { job } = read({ 'job-file': 'job.yml', set: 'experiment_name=pr-7' });
		expect(job?.job.experimentName).toBe('pr-7');
		expect(refusalOf({ 'job-file': 'job.yml', set: 'command.x.y=1' }).file).toBe('job.yml');
	});
});

describe('faults', () => {
	test('of one file are told with their lines', () => {
		const error = refusalOf({ 'job-file': 'broken.yml' });
		expect(error.faults).toEqual([
			{ message: expect.stringContaining('compute'), where: expect.objectContaining({ file: 'broken.yml', line: 3 }) },
		]);
	});

	test('of several files are told together', () => {
		const error = refusalOf({ 'job-file': 'broken.yml', 'endpoint-file': 'broken-endpoint.yml' });
		expect(error.faults.map(({ where }) => where?.file)).toEqual(['broken.yml', 'broken-endpoint.yml']);
	});

	test('include an empty file', () => {
		expect(refusalOf({ 'job-file': 'empty.yml' }).message).toContain('empty');
	});
});

describe('the files of a batch endpoint', () => {
	const BATCH = { 'endpoint-file': 'batch.yml', 'deployment-file': 'batch-deployment.yml' };

	function faultsOf(given: Readonly<Record<string, string>>): string[] {
		try {
			read(given);
		} catch (error) {
			if (error instanceof FileError || error instanceof InputError) return error.faults.map(({ message }) => message);
			throw error;
		}
		return [];
	}

	test('are kept apart from those of an online one', () => {
		const { batch, endpoint, deployment } = read(BATCH);
		expect([batch?.endpoint?.name, batch?.deployment?.type]).toEqual(['iris', 'model']);
		expect([endpoint, deployment]).toEqual([undefined, undefined]);
		expect(read({ 'endpoint-file': 'managed.yml' }).batch).toBeUndefined();
	});

	test('go without each other', () => {
		expect(read({ 'endpoint-file': 'batch.yml' }).batch?.deployment).toBeUndefined();
		expect(read({ 'deployment-file': 'batch-deployment.yml' }).batch?.endpoint).toBeUndefined();
	});

	test.each(['100', '0', '100%'])('take the traffic %s', (traffic) => {
		expect(faultsOf({ ...BATCH, traffic, 'smoke-test-file': 'invocation.json' })).toEqual([]);
	});

	test.each(['50', '10,100', '100 for 5m', '0 for 1s'])(
		'refuse the traffic %s, and say what there is instead',
		(traffic) => {
			expect(faultsOf({ ...BATCH, traffic })).toEqual([
				expect.stringMatching(/^traffic: .*one default deployment.*`100`.*`0`/),
			]);
		},
	);

	test('refuse what means nothing for them, all at once and with the faults of the files', () => {
		expect(
			faultsOf({
				'deployment-file': 'broken-batch.yml',
				'instance-type': 'Standard_DS3_v2',
				'smoke-test-file': 'list.json',
				'smoke-test-expect': '1',
				traffic: '50',
			}),
		).toEqual([
			expect.stringContaining("needs the key 'compute'"),
			expect.stringMatching(/^traffic:/),
			expect.stringMatching(/^instance-type:/),
			expect.stringMatching(/^smoke-test-expect:/),
			expect.stringMatching(/^smoke-test-file:/),
		]);
		expect(faultsOf({ 'deployment-file': 'batch-pipeline.yml', 'instance-count': '2' })).toEqual([
			expect.stringMatching(/^instance-count:/),
		]);
	});

	test.each([
		[{ 'smoke-test-file': 'invocation.json' }, 'smoke-test-file'],
		[{ 'deployment-name': 'blue' }, 'deployment-name'],
		[{ 'model-name': 'iris', 'model-version': '1' }, 'deployment-file'],
	])('need a deployment file for %j', (given, named) => {
		expect(faultsOf({ 'endpoint-file': 'batch.yml', ...given })).toEqual([
			expect.stringMatching(new RegExp(`^${named}: .*needs \`deployment-file\``)),
		]);
	});

	test('are not mixed with those of an online endpoint', () => {
		expect(faultsOf({ 'endpoint-file': 'managed.yml', 'deployment-file': 'batch-deployment.yml' })).toEqual([
			expect.stringContaining('managed.yml about an online one'),
		]);
	});
});
