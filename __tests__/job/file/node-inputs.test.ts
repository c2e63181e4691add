// Plain text given to the input of a node: data where the component declares data, text elsewhere. And the inputs of a
// pipeline that are not sent. The bodies are those that azure-ai-ml 1.35.2 and 1.4.0 sent for the same files, recorded offline.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Fault, FileError } from '../../../src/errors.ts';
import type { JsonObject } from '../../../src/json.ts';
import { openYaml } from '../../../src/yaml/load.ts';
import { translateFile } from './golden-case.ts';
import { ImaginedWorkspace, WORKSPACE } from './imagined-publish.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'node-inputs-'));
	mkdirSync(path.join(folder, 'data'));
	writeFileSync(path.join(folder, 'data/a.csv'), 'a');
	const ports = ['uri_folder', 'uri_file', 'mltable', 'mlflow_model', 'string'];
	const inputs = ports.map((type) => `  ${type}: {type: ${type}, optional: true}\n`).join('');
	const component = `type: command\nname: c\nversion: 1\ninputs:\n${inputs}  n: {type: number, optional: true}\n`;
	writeFileSync(path.join(folder, 'comp.yml'), `${component}command: echo\nenvironment: azureml:e:1\n`);
	const pipe = 'type: pipeline\nname: p\nversion: 1\ninputs: {d: {type: string, optional: true}}\n';
	writeFileSync(path.join(folder, 'pipe.yml'), `${pipe}jobs:\n  x: {type: command, component: ./comp.yml}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const COMMAND = 'type: command\n    component: ./comp.yml';
const SWEEP = `type: sweep
    trial: ./comp.yml
    search_space: {n: {type: uniform, min_value: 0, max_value: 1}}
    objective: {goal: minimize, primary_metric: m}
    sampling_algorithm: random
    limits: {max_total_trials: 2}`;

function translated(node: string, input: string): { inputs: JsonObject; uploads: string[]; warnings: string[] } {
	const file = path.join(folder, 'job.yml');
	const head = 'type: pipeline\nsettings: {default_compute: azureml:c}\ninputs: {x: {path: azureml:x:1}}\n';
	writeFileSync(file, `${head}jobs:\n  a:\n    ${node}\n    inputs: {${input}}\n`);
	const workspace = new ImaginedWorkspace();
	const warnings: string[] = [];
	const warn = ({ message }: Fault): void => void warnings.push(message);
	translateFile('job:pipeline', openYaml(file, 'job.yml'), workspace, warn);
	const { properties } = workspace.writes.at(-1)?.body ?? {};
	const { jobs } = properties as { jobs: { a: { inputs: JsonObject } } };
	return { inputs: jobs.a.inputs, uploads: [...workspace.blobs.keys()], warnings };
}

test.each([
	['uri_folder', 'azureml:foo:1', `${WORKSPACE}/data/foo/versions/1`],
	['uri_file', 'azureml:foo@latest', `${WORKSPACE}/data/foo/versions/7`],
	['mltable', 'azureml://datastores/a/paths/b', 'azureml://datastores/a/paths/b'],
	['mlflow_model', 'azureml:foo:1', `${WORKSPACE}/models/foo/versions/1`],
	['uri_file', 'https://a.example/b', 'https://a.example/b'],
	['uri_folder', './data', expect.stringMatching(/^azureml:\/\/datastores\/workspaceblobstore\/paths\/.*\/data\/$/)],
	['mltable', '${{parent.inputs.x}}/part', undefined],
	['string', 'azureml:foo:1', undefined],
])('the input of type %s takes %s', (type, written, uri) => {
	const literal = { job_input_type: 'literal', value: written };
	const expected = { [type]: uri === undefined ? literal : { job_input_type: type, uri } };
	for (const node of [COMMAND, SWEEP]) {
		const { inputs, uploads, warnings } = translated(node, `${type}: "${written}"`);
		expect(inputs).toEqual(expected);
		expect(uploads.some((blob) => blob.endsWith('/data/a.csv'))).toBe(written === './data');
		expect(warnings).toEqual(type === 'string' ? [expect.stringContaining('passed on as plain text')] : []);
	}
});

test('the node of a registered component takes text as text, since its inputs are not known', () => {
	const { inputs, warnings } = translated('type: command\n    component: azureml:c:1', 'd: "azureml:foo:1"');
	expect(inputs).toEqual({ d: { job_input_type: 'literal', value: 'azureml:foo:1' } });
	expect(warnings).toHaveLength(1);
});

test.each([
	['uri_folder: 5', /The input 'uri_folder' takes a path or a mapping with 'path', not the number '5'/],
	['uri_file: yes', /not the boolean 'yes'/],
	['mltable: ./nope', /'\.\/nope' leads to nope, and nothing is there/],
	['uri_folder: ""', /not the text ''|may not be empty/],
])('%s is refused', (input, message) => {
	expect(() => translated(COMMAND, input)).toThrow(FileError);
	expect(() => translated(COMMAND, input)).toThrow(message);
});

test.each([
	['component: ./pipe.yml', '{d: a, more: 3}', { d: 'a' }, "has no input 'more', so it is left out. It has: d."],
	['component: ./pipe.yml', '{d: ""}', {}, "The input 'd' is empty and left out"],
	['component: azureml:p:1', '{d: "", more: 3}', { more: '3' }, "The input 'd' is empty and left out"],
	[
		'jobs: {a: {component: ./comp.yml, inputs: {string: "${{parent.inputs.d}}"}}}',
		'{d: "", n: 1}',
		{ n: '1' },
		"The input 'd' is empty and left out",
	],
])('a pipeline of %s with the inputs %s', (what, written, expected, warning) => {
	const file = path.join(folder, 'pipeline.yml');
	writeFileSync(file, `type: pipeline\nsettings: {default_compute: azureml:c}\n${what}\ninputs: ${written}\n`);
	const workspace = new ImaginedWorkspace();
	const warnings: string[] = [];
	translateFile(
		'job:pipeline',
		openYaml(file, 'pipeline.yml'),
		workspace,
		({ message }) => void warnings.push(message),
	);
	const literal = (value: string): JsonObject => ({ jobInputType: 'literal', value });
	const inputs = Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, literal(value)]));
	const { properties } = workspace.writes.at(-1)?.body ?? {};
	expect((properties as JsonObject)['inputs']).toEqual(inputs);
	expect(warnings).toEqual([expect.stringContaining(warning)]);
});

test('the name of a pipeline input is made of letters, digits and underscores', () => {
	const yaml = 'type: pipeline\ncomponent: azureml:p:1\ninputs: {a-b: 1}\n';
	const file = path.join(folder, 'named.yml');
	writeFileSync(file, yaml);
	expect(() => translateFile('job:pipeline', openYaml(file, 'named.yml'), new ImaginedWorkspace())).toThrow(
		/'a-b' cannot be the name of an input of a pipeline/,
	);
});
