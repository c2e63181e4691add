// Metric gates: what passes goes on, what does not ends the run before anything is registered; the champion is beaten or not.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AzureClient, openClient } from './azure-client.ts';
import { jobFiles } from './checkout.ts';
import { logging, versionsOf } from './measured.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site, type SiteRequest } from './site.ts';
import { errorsOf, shownLines } from './workflow-log.ts';

let site: Site;
let client: AzureClient;
/** A finished job for the gates of many runs. */
let job: string;

beforeAll(async () => {
	site = await openSite();
	client = await openClient(site.emulator);
	job = (await train({ accuracy: 0.95, rmse: 3.1, 'f1 score': 0.5, broken: 'NaN', 'val/auc': 0.8 })).name;
});

afterAll(() => site?.close());

let runs = 700;

async function train(
	metrics: Readonly<Record<string, number | string>>,
	inputs: Readonly<Record<string, string>> = {},
): Promise<{ run: ActionRun; name: string }> {
	runs += 1;
	const run = await site.run(
		{ 'job-file': 'job.yml', ...inputs },
		{ files: jobFiles(logging(metrics)), env: { GITHUB_RUN_ID: String(runs) } },
	);
	return { run, name: run.outputs['job-name'] ?? '' };
}

/** Judges the finished job. `made` is what the run has put into the workspace. */
async function judge(
	gates: string,
	inputs: Readonly<Record<string, string>> = {},
	request: SiteRequest = {},
): Promise<ActionRun & { readonly made: readonly string[] }> {
	const since = site.emulator.requests.length;
	const run = await site.run({ 'job-name': job, 'metric-gates': gates, ...inputs }, request);
	const made = site.requests(since).flatMap(({ line, method }) => (method === 'PUT' ? [line] : []));
	return { ...run, made };
}

describe('gates that pass', () => {
	let run: Awaited<ReturnType<typeof judge>>;
	beforeAll(async () => {
		run = await judge('accuracy >= 0.9\nrmse < 3.2\n"f1 score" != 0\nval/auc > 0.7', { 'model-name': 'passed' });
	});

	test('let the run go on', () => {
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		expect(run.outputs).toMatchObject({ 'gates-passed': 'true', 'model-version': '1' });
		expect(run.made).toEqual(['PUT models/passed/versions/1']);
	});

	test('are told in the log and in the summary', () => {
		expect(shownLines(run.stdout)).toContain('Gate passed: accuracy is 0.95, needed >= 0.9.');
		expect(run.summary).toContain('| `accuracy >= 0.9` | 0.95 | >= 0.9 | ✅ passed |');
		expect(run.summary).toContain('gates passed, model registered');
	});

	test('leave their values with the version, for the gates of later runs', async () => {
		const [version] = await versionsOf(client, 'passed');
		expect(version?.tags).toMatchObject({
			'metric.accuracy': '0.95',
			'metric.rmse': '3.1',
			'metric.f1 score': '0.5',
			'metric.val/auc': '0.8',
		});
	});
});

describe('a gate that does not pass', () => {
	const inputs = { 'model-name': 'failed', 'endpoint-name': 'failed-endpoint' };

	test('turns the run red before anything is registered or deployed', async () => {
		const run = await judge('accuracy >= 0.9\naccuracy >= 0.99', inputs);
		expect(run.code).toBe(1);
		expect(run.made).toEqual([]);
		expect(run.outputs).toMatchObject({ 'gates-passed': 'false', 'job-status': 'Completed' });
		expect(run.outputs).not.toHaveProperty('model-version');
		expect(errorsOf(run.stdout)).toEqual([
			expect.stringMatching(/^1 of 2 gates did not pass\. accuracy is 0\.95, needed >= 0\.99\. Nothing was registered/),
		]);
		expect(run.summary).toContain('❌ Azure ML: gate failed');
		expect(run.summary).toContain('| `accuracy >= 0.99` | 0.95 | >= 0.99 | ❌ failed |');
	});

	test('ends it green with on-gate-failure: skip, and says so', async () => {
		const run = await judge('accuracy >= 0.99', { ...inputs, 'on-gate-failure': 'skip' });
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		expect(run.made).toEqual([]);
		expect(run.outputs['gates-passed']).toBe('false');
		expect(run.stdout).toContain('nothing was registered or deployed');
		expect(run.summary).toContain('gates not passed, so nothing registered or deployed');
		expect(run.summary).toContain('on-gate-failure: skip');
		expect(site.emulator.endpoints()).toEqual([]);
	});

	test('for want of the metric says which there are', async () => {
		const run = await judge('acuracy >= 0.9', inputs);
		expect([run.code, run.made]).toEqual([1, []]);
		expect(errorsOf(run.stdout).join()).toMatch(
			/acuracy is missing, .* it has accuracy, broken, f1 score, rmse, val\/auc\./,
		);
		expect(run.summary).toContain('| missing |');
	});

	test('when the metric is no number', async () => {
		const run = await judge('broken >= 0\nbroken < 0', { ...inputs, 'on-gate-failure': 'skip' });
		expect([run.code, run.outputs['gates-passed']]).toEqual([0, 'false']);
		expect(run.stdout).toContain('The metric is NaN, which no gate passes.');
	});

	test('when the metrics cannot be read', async () => {
		const restore = site.emulator.faults.add({ face: 'mlflow', path: /runs\/get/, effect: { status: 403 } });
		const run = await judge('accuracy >= 0.9', inputs);
		restore();
		expect([run.code, run.made]).toEqual([1, []]);
		expect(errorsOf(run.stdout).join()).toMatch(/Could not read the metrics of the job/);
	});
});

test('gates that cannot be read are refused before sign-in, with all else that is wrong', async () => {
	const since = site.emulator.requests.length;
	const run = await judge('accuracy = 0.9\nf1 score > 1\nauc >= champion * 0.9', { wait: 'maybe' });
	expect(run.code).toBe(1);
	const errors = errorsOf(run.stdout);
	expect(errors).toHaveLength(4);
	expect(errors.filter((error) => error.startsWith('metric-gates: '))).toHaveLength(3);
	expect(errors.join('\n')).toMatch(/write `==`[\s\S]*`"f1 score"`[\s\S]*champion - 0\.005/);
	expect(site.requests(since)).toEqual([]);
});

describe('the champion', () => {
	const gates = { 'model-name': 'iris', 'metric-gates': 'accuracy >= champion - 0.005' };

	test('is the newest version; there is none at first', async () => {
		const first = await train({ accuracy: 0.9 }, gates);
		expect([first.run.code, first.run.outputs['gates-passed']]).toEqual([0, 'true']);
		expect(first.run.stdout).toContain('There is no other version of the model iris yet');
		expect(first.run.summary).toContain('no other version of the model iris yet');

		const worse = await train({ accuracy: 0.89 }, gates);
		expect([worse.run.code, worse.run.outputs['gates-passed']]).toEqual([1, 'false']);
		expect(errorsOf(worse.run.stdout).join()).toContain('accuracy is 0.89, needed >= 0.895 (champion iris:1 has 0.9).');

		const close = await train({ accuracy: 0.896 }, gates);
		expect([close.run.code, close.run.outputs['model-version']]).toEqual([0, '2']);

		// The same job again is not measured by itself.
		const again = await site.run({ ...gates, 'job-name': close.name, 'metric-gates': 'accuracy < champion' });
		expect([again.code, again.outputs['model-version']]).toEqual([0, '2']);
		expect((await versionsOf(client, 'iris')).map(({ version }) => version)).toEqual(['1', '2']);
	});

	test('may be named', async () => {
		const one = await judge('accuracy > champion', { champion: 'iris:1' });
		expect([one.code, one.outputs['gates-passed']]).toEqual([0, 'true']);
		expect(one.summary).toContain('champion iris:1 has 0.9');
		const none = await judge('accuracy > champion', { champion: 'iris:7' });
		expect(none.code).toBe(1);
		expect(errorsOf(none.stdout).join()).toMatch(/There is no model 'iris:7'.*Its versions: .*1/);
	});
});

describe('a pipeline', () => {
	const FILES = {
		'src/train.py': logging({ accuracy: 0.91 }),
		'job.yml': [
			'type: pipeline',
			'settings:',
			'  default_compute: azureml:cpu-cluster',
			'jobs:',
			'  train:',
			'    type: command',
			'    display_name: Train the model',
			'    code: src',
			'    command: python train.py',
			'    environment: azureml:python-stdlib:1',
			'',
		].join('\n'),
	};

	test('is judged by the metrics of its steps, by the name of the step', async () => {
		const gates = 'train/accuracy >= 0.9\n"Train the model/accuracy" < 0.92\naccuracy >= 0.9';
		const run = await site.run(
			{ 'job-file': 'job.yml', 'metric-gates': gates, 'on-gate-failure': 'skip' },
			{ files: FILES },
		);
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		expect(run.summary).toContain('| `train/accuracy >= 0.9` | 0.91 | >= 0.9 | ✅ passed |');
		expect(run.summary).toContain('| `"Train the model/accuracy" < 0.92` | 0.91 | < 0.92 | ✅ passed |');
		expect(run.summary).toContain('it has Train the model/accuracy');
		expect(run.outputs['gates-passed']).toBe('false');
	});
});

describe('a sweep', () => {
	const FILES = {
		'src/train.py': logging({ accuracy: 0.5 })
			.replace('import json', 'import argparse, json')
			.replace('entries =', "metrics['accuracy'] = float(sys.argv.pop(1))\nentries ="),
		'job.yml': [
			'type: sweep',
			'trial:',
			'  code: src',
			'  command: python train.py ${{search_space.accuracy}}',
			'  environment: azureml:python-stdlib:1',
			'compute: azureml:cpu-cluster',
			'sampling_algorithm: grid',
			'search_space:',
			'  accuracy:',
			'    type: choice',
			'    values: [0.7, 0.93, 0.8]',
			'objective:',
			'  primary_metric: accuracy',
			'  goal: maximize',
			'limits:',
			'  max_total_trials: 3',
			'',
		].join('\n'),
	};

	test('is judged by its best trial', async () => {
		const run = await site.run({ 'job-file': 'job.yml', 'metric-gates': 'accuracy == 0.93' }, { files: FILES });
		expect([run.code, errorsOf(run.stdout)]).toEqual([0, []]);
		expect(run.outputs['gates-passed']).toBe('true');
		expect(JSON.parse(run.outputs['metrics'] ?? '{}')).toMatchObject({ accuracy: 0.93 });
	});
});
