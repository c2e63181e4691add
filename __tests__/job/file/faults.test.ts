// What is wrong with a job file is told at once, in the user's words, with file and line; and what is odd is warned of.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FileError } from '../../../src/errors.ts';
import { withCompute } from '../../../src/job/file/compute-override.ts';
import { jobBody, jobComputes, readJobFile } from '../../../src/job/file/index.ts';
import { loadYaml } from '../../../src/yaml/load.ts';
import { applySet } from '../../../src/yaml/set.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'job-'));
	mkdirSync(path.join(folder, 'src'));
	writeFileSync(path.join(folder, 'src', 'train.py'), '');
	writeFileSync(
		path.join(folder, 'component.yml'),
		'type: command\nname: c\ncommand: echo $' +
			'{{inputs.x}}\nenvironment: azureml:e:1\ninputs: {x: {type: integer}}\noutputs: {o: {type: mltable}}\n',
	);
	writeFileSync(path.join(folder, 'broken.yml'), 'type: command\nname: c\nenvironment: azureml:e:1\ncomand: echo\n');
	writeFileSync(path.join(folder, 'loop.yml'), 'type: pipeline\njobs: {a: {type: pipeline, component: ./loop.yml}}\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const COMMAND = 'type: command\ncompute: azureml:c\nenvironment: azureml:e:1\n';
const PIPELINE = 'type: pipeline\nsettings: {default_compute: azureml:c}\n';

function faultsOf(yaml: string): { faults: string[]; warnings: string[] } {
	const warnings: string[] = [];
	const told = ({ message, where }: { message: string; where?: { file: string; line?: number } | undefined }): string =>
		`${where?.file}:${where?.line} ${message}`;
	try {
		readJobFile(loadYaml(yaml, 'jobs/job.yml', folder), (warning) => warnings.push(told(warning)));
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return { faults: error.faults.map(told), warnings };
	}
	return { faults: [], warnings };
}

describe('a command job', () => {
	test.each([
		['no command', COMMAND, /^jobs\/job\.yml:1 A command job needs the key 'command'/],
		[
			'a mistyped key',
			`${COMMAND}comand: echo\ncommand: x`,
			/:4 Unknown key 'comand' in a command job\. Did you mean 'command'/,
		],
		[
			'a missing code folder',
			`${COMMAND}command: x\ncode: ./sources`,
			/:5 '\.\/sources' leads to jobs\/sources, and nothing is there/,
		],
		[
			'an undeclared input',
			`${COMMAND}command: x $\{{inputs.a}}`,
			/:4 The command refers to \$\{\{inputs\.a}}, but 'a' is not declared/,
		],
		[
			'a number as tag',
			`${COMMAND}command: x\ntags: {a: 1}`,
			/:5 Expected text, but found the number '1'\. Put it in quotes: "1"/,
		],
		['a boolean as environment variable', `${COMMAND}command: x\nenvironment_variables:\n  A: yes`, /:6 .*"yes"/],
		[
			'a mount to write on an input',
			`${COMMAND}command: x\ninputs: {a: {path: src, mode: rw_mount}}`,
			/:5 Expected one of 'ro_mount'/,
		],
		[
			'a file as folder',
			`${COMMAND}command: x\ninputs: {a: {path: src/train.py}}`,
			/:5 .*which is a file; a folder is needed/,
		],
		[
			'a folder as file',
			`${COMMAND}command: x\ninputs: {a: {type: uri_file, path: src}}`,
			/:5 .*which is a folder; a file is needed/,
		],
		[
			'an input without path',
			`${COMMAND}command: x\ninputs: {a: {type: uri_file}}`,
			/:5 An input needs the key 'path'/,
		],
		[
			'a reserved output',
			`${COMMAND}command: x\noutputs:\n  a: {}\n  default: {}`,
			/:7 'default' cannot be the name of an output/,
		],
		['ssh without keys', `${COMMAND}command: x\nservices:\n  s: {type: ssh, port: 22}`, /:6 .*without public keys/],
		['near misses', `${COMMAND}command: x $\{inputs.a}\ninputs: {a: 1}`, /:4 '\$\{inputs\.a}' is not an expression/],
		['an empty input', `${COMMAND}command: x\ninputs: {a: }`, /:5 An input is a plain value or a mapping/],
		['a date as input', `${COMMAND}command: x\ninputs: {a: 2024-01-31}`, /:5 .*date.*quotes/],
		['data without version', `${COMMAND}command: x\ninputs: {a: {path: "azureml:rows"}}`, /:5 .*no version/],
		[
			'an environment without azureml:',
			'type: command\ncompute: c\ncommand: x\nenvironment: env:1',
			/:4 'env:1' does not say which environment/,
		],
		[
			'a broken environment',
			'type: command\ncompute: c\ncommand: x\nenvironment: {description: x}',
			/:4 An environment needs 'image' or 'build'/,
		],
		['a name that Azure refuses', `${COMMAND}command: x\nname: a.b`, /:5 'a\.b' cannot be the name of a job/],
		['a strange distribution', `${COMMAND}command: x\ndistribution: {type: horovod}`, /:5 Expected one of 'pytorch'/],
		['a strange size', `${COMMAND}command: x\nresources: {shm_size: 2 GB}`, /:5 '2 GB' is not a size/],
		['git code', `${COMMAND}command: x\ncode: git+https://github.com/a/b`, /:5 .*git address/],
		['a version without a name', `${COMMAND}command: x\noutputs: {o: {version: 1}}`, /:5 .*needs a 'name'/],
		[
			'another kind of file',
			'$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\nname: e',
			/:1 .*not a job.*environment/,
		],
	])('%s', (_, yaml, message) => {
		expect(faultsOf(yaml).faults).toEqual([expect.stringMatching(message)]);
	});

	test('all faults at once', () => {
		const yaml = 'type: command\ncompute: azureml:c:1\ncode: nope\ntags: {a: 1}\nlimits: {timeout: soon}\nextra: 1\n';
		expect(faultsOf(yaml).faults.map((fault) => fault.split(' ')[0])).toEqual([
			'jobs/job.yml:1',
			'jobs/job.yml:1',
			'jobs/job.yml:2',
			'jobs/job.yml:3',
			'jobs/job.yml:4',
			'jobs/job.yml:5',
			'jobs/job.yml:6',
		]);
	});

	test.each([
		['single braces', `${COMMAND}command: "x {inputs.a}"\ninputs: {a: 1}`, /older way to write/],
		[
			'a lost digit',
			`${COMMAND}command: x\noutputs: {o: {name: n, version: 1.10}}`,
			/1\.10 is read as the number 1\.1/,
		],
		['a word of YAML 1.1', `${COMMAND}command: x\ninputs: {a: on}`, /read as true/],
		[
			'a name that is not used',
			'type: command\ncompute: c\ncommand: x\nenvironment: {name: n, image: i}',
			/kept without a name/,
		],
	])('warns of %s', (_, yaml, message) => {
		expect(faultsOf(yaml)).toEqual({ faults: [], warnings: [expect.stringMatching(message)] });
	});
});

describe('a sweep job', () => {
	const SWEEP =
		'type: sweep\ncompute: azureml:c\nsampling_algorithm: random\nobjective: {goal: minimize, primary_metric: m}\nlimits: {max_total_trials: 1}\n';

	test.each([
		[
			'an unknown parameter',
			`${SWEEP}search_space: {a: {type: choice, values: [1]}}\ntrial: {command: "x $\{{search_space.b}}", environment: "azureml:e:1"}`,
			/:7 .*'b' is not declared under 'search_space'/,
		],
		[
			'a distribution without bounds',
			`${SWEEP}search_space: {a: {type: uniform, min_value: 1}}\ntrial: {command: x, environment: "azureml:e:1"}`,
			/:6 .*needs the key 'max_value'/,
		],
		[
			'no search space',
			`${SWEEP}trial: {command: x, environment: "azureml:e:1"}`,
			/:1 A sweep job needs the key 'search_space'/,
		],
		[
			'a bandit without slack',
			`${SWEEP}search_space: {}\nearly_termination: {type: bandit}\ntrial: {command: x, environment: "azureml:e:1"}`,
			/:7 .*'slack_factor' or 'slack_amount'/,
		],
	])('%s', (_, yaml, message) => {
		expect(faultsOf(yaml).faults).toEqual([expect.stringMatching(message)]);
	});
});

describe('a pipeline', () => {
	const NODE = 'environment: "azureml:e:1"';

	test.each([
		['no nodes', PIPELINE, /A pipeline needs 'jobs'/],
		[
			'an unknown input',
			`${PIPELINE}inputs: {rows: 1}\njobs: {a: {command: "x $\{{inputs.r}}", ${NODE}, inputs: {r: "$\{{parent.inputs.row}}"}}}`,
			/:4 .*no input 'row'.*Did you mean 'rows'/,
		],
		[
			'an unknown node',
			`${PIPELINE}jobs: {a: {command: x, ${NODE}, inputs: {r: "$\{{parent.jobs.b.outputs.o}}"}}}`,
			/:3 .*no node 'b'/,
		],
		[
			'an unknown output of a node',
			`${PIPELINE}jobs: {a: {command: x, ${NODE}, inputs: {r: "$\{{parent.jobs.b.outputs.p}}"}}, b: {component: ./component.yml, inputs: {x: 1}}}`,
			/:3 .*'b' has no output 'p'/,
		],
		[
			'an unknown output of the pipeline',
			`${PIPELINE}jobs: {a: {command: x, ${NODE}, outputs: {o: "$\{{parent.outputs.o}}"}}}`,
			/:3 .*no output 'o'/,
		],
		[
			'a missing input of a component',
			`${PIPELINE}jobs: {a: {component: ./component.yml}}`,
			/:3 The node 'a' gives no value for the input 'x'/,
		],
		[
			'a missing component file',
			`${PIPELINE}jobs: {a: {component: ./nope.yml}}`,
			/^jobs\/job\.yml:3 There is no file jobs\/nope\.yml/,
		],
		[
			'a type nobody knows',
			`${PIPELINE}jobs: {a: {type: comand, command: x}}`,
			/:3 Nodes of type 'comand' are not supported\. Did you mean 'command'/,
		],
		[
			'a name nobody can refer to',
			`${PIPELINE}jobs: {a-b: {command: x, ${NODE}}}`,
			/:3 'a-b' cannot be the name of a node/,
		],
	])('%s', (_, yaml, message) => {
		expect(faultsOf(yaml).faults).toEqual([expect.stringMatching(message)]);
	});

	test('faults of a component file are told with that file, once', () => {
		const { faults } = faultsOf(`${PIPELINE}jobs: {a: {component: broken.yml}, b: {component: broken.yml}}`);
		expect(faults).toEqual([
			expect.stringMatching(/^jobs\/broken\.yml:1 A component needs the key 'command'/),
			expect.stringMatching(/^jobs\/broken\.yml:4 Unknown key 'comand'.*'command'/),
		]);
	});

	test('a pipeline that contains itself ends', () => {
		expect(faultsOf(`${PIPELINE}jobs: {a: {type: pipeline, component: loop.yml}}`).faults).toEqual([
			expect.stringMatching(/cannot contain itself/),
		]);
	});

	test('nodes that are bound to each other in a circle end', () => {
		const node = (other: string): string =>
			`{command: x, ${NODE}, inputs: {r: "$\{{parent.jobs.${other}.outputs.o}}"}, outputs: {o: }}`;
		expect(faultsOf(`${PIPELINE}jobs: {a: ${node('b')}, b: ${node('a')}}`).faults).toEqual([]);
	});

	test('what a component does not declare is left out with a warning', () => {
		const { faults, warnings } = faultsOf(`${PIPELINE}jobs: {a: {component: component.yml, inputs: {x: 1, y: 2}}}`);
		expect({ faults, warnings }).toEqual({
			faults: [],
			warnings: [expect.stringMatching(/no input 'y', so it is left out\. It has: x/)],
		});
	});
});

describe('overrides', () => {
	const context = { workspaceId: '/w', idOf: () => 'id', name: 'n', experimentName: 'x' };
	const read = (yaml: string): ReturnType<typeof loadYaml> => loadYaml(yaml, 'job.yml', folder);

	test('a field set as text is what its reader makes of it', () => {
		const file = applySet(read(`${COMMAND}command: x`), ['resources.instance_count=3', 'tags.pr=12', 'inputs.lr=1e-3']);
		expect(jobBody(readJobFile(file), context).properties).toMatchObject({
			resources: { instanceCount: 3 },
			tags: { pr: '12' },
			inputs: { lr: { jobInputType: 'literal', value: '1e-3' } },
		});
	});

	test('a fault in an override points at the file, at no line', () => {
		const file = applySet(read(`${COMMAND}command: x`), ['resources.instance_count=many']);
		expect(() => readJobFile(file)).toThrow(/^job\.yml has a fault\. Expected a whole number/);
	});

	test.each([
		['command', `${COMMAND}command: x`, 'other', { computeId: '/w/computes/other' }],
		['serverless', `${COMMAND}command: x`, 'serverless', { computeId: undefined }],
		[
			'pipeline',
			`${PIPELINE}jobs: {a: {command: x, environment: "azureml:e:1"}}`,
			'azureml:other',
			{ settings: { default_compute: '/w/computes/other' } },
		],
		[
			'serverless pipeline',
			`${PIPELINE}jobs: {a: {command: x, environment: "azureml:e:1"}}`,
			'serverless',
			{ settings: { default_compute: expect.stringMatching(/\/computes\/serverless$/) } },
		],
	])('another compute: %s', (_, yaml, compute, expected) => {
		const { properties } = jobBody(readJobFile(withCompute(read(yaml), compute)), context);
		expect(properties).toMatchObject(
			Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined)),
		);
		expect('computeId' in properties).toBe('computeId' in expected && expected.computeId !== undefined);
	});

	test('the computes that a job names, each once', () => {
		const yaml = `${PIPELINE}compute: azureml:c\njobs: {a: {command: x, environment: "azureml:e:1", compute: gpu}, b: {command: y, environment: "azureml:e:1", compute: azureml:gpu}}`;
		expect(
			jobComputes(readJobFile(read(yaml))).map((reference) => (reference.form === 'name' ? reference.name : '')),
		).toEqual(['c', 'gpu']);
	});
});
