// The built action submits a sweep and a pipeline to the emulator: what it translates is what runs.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSite, type Site } from '../../e2e/site.ts';
import { errorsOf } from '../../e2e/workflow-log.ts';
import { LOG_SCORES } from './scripts.ts';

const isBuilt = existsSync(join(import.meta.dirname, '../../../dist/index.js'));

const SWEEP = `type: sweep
trial:
  command: python log.py \${{search_space.lr}} && cp \${{inputs.rows}}/rows.csv \${{outputs.model}}/model.csv
  code: src
  environment: azureml:python-stdlib:1
inputs:
  rows: {type: uri_folder, path: rows}
outputs:
  model: {type: custom_model}
compute: azureml:cpu-cluster
sampling_algorithm: {type: random, seed: 7, rule: sobol}
search_space:
  lr: {type: quniform, min_value: 0, max_value: 10, q: 1}
  depth: {type: choice, values: [1, 2]}
objective: {goal: maximize, primary_metric: score}
early_termination: {type: median_stopping, evaluation_interval: 1, delay_evaluation: 5}
limits: {max_total_trials: 4, max_concurrent_trials: 2, timeout: 7200, trial_timeout: 600}
`;

const PIPELINE = `type: pipeline
settings: {default_compute: azureml:cpu-cluster, force_rerun: true}
inputs:
  rows: {type: uri_folder, path: rows}
outputs:
  model: {type: custom_model, mode: upload}
jobs:
  train:
    command: cat \${{inputs.prepared}}/all.csv > \${{outputs.model}}/model.csv && echo rate \${{inputs.rate}}
    environment: azureml:python-stdlib:1
    inputs: {prepared: "\${{parent.jobs.prepare.outputs.prepared}}", rate: 0.5}
    outputs: {model: "\${{parent.outputs.model}}"}
    limits: {timeout: 100}
  prepare:
    component: ./prepare.yml
    inputs: {rows: "\${{parent.inputs.rows}}"}
  score:
    type: parallel
    inputs: {rows: "\${{parent.inputs.rows}}"}
    outputs: {rows_out: {type: uri_file}}
    input_data: \${{inputs.rows}}
    mini_batch_size: "1"
    task:
      type: run_function
      code: src
      entry_script: entry.py
      environment: azureml:python-stdlib:1
      append_row_to: \${{outputs.rows_out}}
`;

const FILES = {
	'src/log.py': LOG_SCORES,
	'src/entry.py': 'def run(batch):\n    return [open(path).read() for path in batch]\n',
	'rows/rows.csv': '1,2\n',
	'prepare.yml': `type: command
name: prepare
version: "1"
inputs: {rows: {type: uri_folder}, twice: {type: boolean, default: true}}
outputs: {prepared: {type: uri_folder}}
command: cat \${{inputs.rows}}/rows.csv \${{inputs.rows}}/rows.csv > \${{outputs.prepared}}/all.csv; echo \${{inputs.twice}}
environment: azureml:python-stdlib:1
`,
	'sweep.yml': SWEEP,
	'pipeline.yml': PIPELINE,
};

(isBuilt ? describe : describe.skip)('the built action', () => {
	let site: Site;
	beforeAll(async () => {
		site = await openSite();
	});
	afterAll(() => site?.close());

	const stored = async (pattern: RegExp) => {
		const blob = (await site.emulator.blobs()).find(({ name }) => pattern.test(name));
		return blob && (await site.emulator.readBlob(blob.container, blob.name))?.toString();
	};

	test('has its sweep run, and finds it completed', async () => {
		const run = await site.run({ 'job-file': 'sweep.yml', comment: 'never' }, { files: FILES });
		expect([run.code, run.outputs['job-status'], errorsOf(run.stdout)]).toEqual([0, 'Completed', []]);
		const name = run.outputs['job-name'];
		expect(await stored(new RegExp(`^azureml/${name}_3/model/model\\.csv$`))).toBe('1,2\n');
	});

	test('has its pipeline run, and finds it completed', async () => {
		const run = await site.run({ 'job-file': 'pipeline.yml', comment: 'never' }, { files: FILES });
		expect([run.code, run.outputs['job-status'], errorsOf(run.stdout)]).toEqual([0, 'Completed', []]);
		expect(await stored(/^azureml\/[0-9a-f-]{36}\/model\/model\.csv$/)).toBe('1,2\n1,2\n');
		expect(await stored(/^azureml\/[0-9a-f-]{36}\/rows_out$/)).toBe('1,2\n\n');
	});
});
