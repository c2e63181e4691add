// Nodes of a pipeline as azure-ai-ml 1.35.2 and 1.4.0 sent them for the same files, recorded offline: what a node says
// beside its component, how a sweep ends early, and what no client sends.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Fault } from '../../../src/errors.ts';
import type { JsonObject } from '../../../src/json.ts';
import { openYaml } from '../../../src/yaml/load.ts';
import { translateFile } from './golden-case.ts';
import { ImaginedWorkspace, WORKSPACE } from './imagined-publish.ts';

const CONF = `conf:
  spark.driver.cores: 1
  spark.driver.memory: 2g
  spark.executor.cores: 1
  spark.executor.memory: 2g
  spark.executor.instances: 1
`;
const FILES = {
	'src/a.py': '',
	'comp.yml': 'type: command\nname: c\nversion: 1\ncommand: echo\nenvironment: azureml:e:1\n',
	'spark.yml': `type: spark\nname: s\nversion: 1\ncode: ./src\nentry: {file: a.py}\n${CONF}`,
	'par.yml': `type: parallel\nname: p\nversion: 1\ninputs: {d: {type: uri_folder}}\ninput_data: \${{inputs.d}}
mini_batch_size: "1"\ntask: {type: run_function, code: ./src, entry_script: a.py, environment: azureml:e:1}\n`,
	'pipe.yml': 'type: pipeline\nname: pp\nversion: 1\njobs:\n  x: {type: command, component: ./comp.yml}\n',
};

const NODES = {
	command: 'type: command\n    component: ./comp.yml',
	inline: 'type: command\n    command: echo\n    environment: azureml:e:1',
	registered: 'type: command\n    component: azureml:c:1',
	sweep: `type: sweep
    trial: ./comp.yml
    search_space: {n: {type: uniform, min_value: 0, max_value: 1}}
    objective: {goal: minimize, primary_metric: m}
    sampling_algorithm: random
    limits: {max_total_trials: 2}`,
	spark:
		'type: spark\n    component: ./spark.yml\n    resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}',
	sparkRegistered: 'type: spark\n    component: azureml:s:1',
	parallel: 'type: parallel\n    component: ./par.yml\n    inputs: {d: {path: azureml:d:1}}',
	pipeline: 'type: pipeline\n    component: ./pipe.yml',
	automl: `type: automl\n    task: classification\n    primary_metric: accuracy\n    target_column_name: y
    training_data: {type: mltable, path: azureml:d:1}`,
} as const;
type NodeName = keyof typeof NODES;

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'node-bodies-'));
	mkdirSync(path.join(folder, 'src'));
	for (const [name, text] of Object.entries(FILES)) writeFileSync(path.join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const translated = (name: NodeName, more: string) => translatedNode(`${NODES[name]}\n    ${more}`);

function translatedNode(written: string): { node: JsonObject; warnings: string[] } {
	const file = path.join(folder, 'job.yml');
	const head = 'type: pipeline\nsettings: {default_compute: azureml:c}\njobs:\n  a:\n';
	writeFileSync(file, `${head}    ${written}\n`);
	const workspace = new ImaginedWorkspace();
	const warnings: string[] = [];
	const warn = ({ message }: Fault): void => void warnings.push(message);
	translateFile('job:pipeline', openYaml(file, 'job.yml'), workspace, warn);
	const { properties } = workspace.writes.at(-1)?.body ?? {};
	const { jobs } = properties as { jobs: { a: JsonObject } };
	return { node: jobs.a, warnings };
}

test.each([
	// Without an interval 1.4.0 sends 0, as sweep jobs have it, and 1.35.2 sends 1.
	['{type: median_stopping}', { policy_type: 'MedianStopping', delay_evaluation: 0, evaluation_interval: 0 }],
	[
		'{type: bandit, slack_factor: 0.1}',
		{ policy_type: 'Bandit', delay_evaluation: 0, evaluation_interval: 0, slack_factor: 0.1 },
	],
	[
		'{type: bandit, slack_amount: 0.1, delay_evaluation: 3}',
		{ policy_type: 'Bandit', delay_evaluation: 3, evaluation_interval: 0, slack_amount: 0.1 },
	],
	[
		'{type: truncation_selection, truncation_percentage: 20}',
		{ policy_type: 'TruncationSelection', delay_evaluation: 0, evaluation_interval: 0, truncation_percentage: 20 },
	],
])('a sweep node ends early by %s', (written, expected) => {
	expect(translated('sweep', `early_termination: ${written}`).node['early_termination']).toEqual(expected);
});

const [ALL, WITH_COMPONENT] = [Object.keys(NODES) as NodeName[], ['command', 'registered'] as const];
test.each<[string, readonly NodeName[]]>([
	['experiment_name: e', ALL.filter((name) => name !== 'automl')],
	['parent_job_name: e', ALL.filter((name) => name !== 'automl')],
	['services: {s: {type: jupyter_lab}}', ['sweep', 'spark', 'parallel', 'pipeline']],
	['command: echo 2', WITH_COMPONENT],
	['code: ./src', [...WITH_COMPONENT, 'spark', 'sparkRegistered']],
	['environment: azureml:e:2', [...WITH_COMPONENT, 'spark', 'sparkRegistered']],
	['is_deterministic: false', [...WITH_COMPONENT, 'parallel']],
	['args: x', ['spark']],
	['py_files: [a.py]', ['spark']],
])('%s of a node is left out with a warning', (member, names) => {
	const [key = ''] = member.split(':');
	for (const name of names) {
		const { node, warnings } = translated(name, member);
		expect([name, Object.keys(node)]).toEqual([name, expect.not.arrayContaining([key])]);
		expect(warnings).toEqual([expect.stringMatching(`'${key}' of the node 'a' is left out`)]);
	}
});

test.each(['creation_context: {a: b}', 'id: x', 'status: x', 'log_files: {a: b}'])(
	'%s is what the service says of a node, so nobody sends it',
	(member) => {
		for (const name of ALL) {
			expect(Object.keys(translated(name, member).node)).not.toContain(member.split(':')[0]);
		}
	},
);

const PLAIN = {
	'spark.driver.cores': 1,
	'spark.driver.memory': '2g',
	'spark.executor.cores': 1,
	'spark.executor.memory': '2g',
	'spark.executor.instances': 1,
};
test.each<[NodeName, string, JsonObject]>([
	['spark', 'conf: {spark.driver.cores: 2}', { conf: { ...PLAIN, 'spark.driver.cores': 2 } }],
	['spark', 'conf: {driver_cores: 2}', { conf: { ...PLAIN, 'spark.driver.cores': 2 } }],
	['spark', 'display_name: d', { conf: PLAIN }],
	['sparkRegistered', 'conf: {driver_cores: 2}', { conf: { 'spark.driver.cores': 2 } }],
	['sparkRegistered', 'py_files: [a.py]', { py_files: ['a.py'] }],
	['sparkRegistered', 'entry: {file: b.py}', { entry: { spark_job_entry_type: 'SparkJobPythonEntry', file: 'b.py' } }],
	['automl', 'experiment_name: e', { experiment_name: 'e' }],
	['automl', 'compute: azureml:k', { compute: `azureml:${WORKSPACE}/computes/k` }],
	['automl', 'compute: azureml:serverless', { compute: `azureml:${WORKSPACE}/computes/serverless` }],
	['automl', 'identity: {type: managed, client_id: i}', { identity: { type: 'managed_identity', client_id: 'i' } }],
	['automl', 'identity: {type: user_identity}', { identity: { type: 'user_identity' } }],
	[
		'automl',
		'featurization: {blocked_transformers: [WordEmbedding, one_hot_encoder]}',
		{ featurization: { blocked_transformers: ['word_embedding', 'one_hot_encoder'] } },
	],
])('%s › %s', (name, member, expected) => {
	const { node, warnings } = translated(name, member);
	expect(node).toMatchObject(expected);
	for (const [key, value] of Object.entries(expected)) expect(node[key]).toEqual(value);
	expect(name === 'automl' ? [] : warnings).toEqual([]);
});

test.each([
	['classification', 'accuracy'],
	['regression', 'normalized_root_mean_squared_error'],
	['image_classification_multilabel', 'iou'],
	['image_object_detection', 'mean_average_precision'],
	['text_ner', 'accuracy'],
] as const)('an AutoML node of the task %s that names no metric has %s', (task, metric) => {
	const more = `${NODES.automl.replace('primary_metric: accuracy', '')}`.replace(
		'task: classification',
		`task: ${task}`,
	);
	expect(translatedNode(more).node).toMatchObject({ task, primary_metric: metric });
	expect(translatedNode(more).node).not.toHaveProperty('compute');
});

// The clients break down on this one.
test('a parallel node may bring a task beside its component, and what the task needs', () => {
	const task = 'task: {type: run_function, code: ./src, entry_script: a.py, environment: azureml:e:2}';
	const { node } = translated('parallel', task);
	expect(node['task']).toMatchObject({
		code: expect.stringMatching(/^azureml:\/subscriptions\/.*\/codes\//),
		environment: `azureml:${WORKSPACE}/environments/e/versions/2`,
	});
});
