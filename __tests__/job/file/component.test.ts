import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { componentBody } from '../../../src/asset/component-file.ts';
import { readComponentFile } from '../../../src/job/file/component.ts';
import { loadYaml } from '../../../src/yaml/load.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'component-'));
	mkdirSync(path.join(folder, 'src'));
	writeFileSync(path.join(folder, 'src', 'main.py'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (yaml: string): ReturnType<typeof readComponentFile> => readComponentFile(loadYaml(yaml, 'c.yml', folder));
const body = (yaml: string): unknown =>
	componentBody(read(yaml), { workspaceId: '/w', idOf: ({ need }) => `/${need}` }, false, '7').properties;
const COMMAND = 'type: command\nname: c\ncommand: echo\nenvironment: azureml:e:1\n';

test('a step does not take its component through a link that leads out of the checkout', () => {
	const checkout = path.join(folder, 'checkout');
	mkdirSync(checkout);
	writeFileSync(path.join(folder, 'outside.yml'), COMMAND);
	symlinkSync('../outside.yml', path.join(checkout, 'step.yml'));
	const pipeline = (component: string): string =>
		`type: pipeline\nname: p\njobs: {a: {type: command, component: ${component}}}`;
	const take = (component: string) => readComponentFile(loadYaml(pipeline(component), 'p.yml', checkout));
	expect(() => take('./step.yml')).toThrow('is a link that leads out of the checkout');
	expect(take('../outside.yml').name).toBe('p');
});

test('a prompt flow in the place of a component is told to be one, and nothing else of it', () => {
	writeFileSync(
		path.join(folder, 'flow.dag.yaml'),
		'$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Flow.schema.json\ninputs: {text: {type: string}}\nnodes: []\n',
	);
	const pipeline = 'type: pipeline\nname: p\njobs: {a: {type: parallel, component: ./flow.dag.yaml}}';
	const message = 'flow.dag.yaml:1: This file is a prompt flow or a run of one, as its $schema says';
	expect(() => read(pipeline)).toThrow(message);
	expect(() => read(pipeline)).not.toThrow(/Unknown key|needs the key/);
});

test.each(['string', 'boolean'])('an input of type %s has no least and no greatest value', (type) => {
	expect(() => read(`${COMMAND}inputs: {x: {type: ${type}, min: 1}}`)).toThrow(/Unknown key 'min'/);
});

// As the clients of Azure ML refuse them.
test.each([
	['inputs: {d: {type: uri_folder, default: x}}', /'default' has no place in an input of a component: give the data/],
	['inputs: {d: {type: uri_folder, path: ./src}}', /'path' has no place in an input of a component: give the data/],
	['inputs: {x: {type: string, path: ./src}}', /Unknown key 'path'/],
	['outputs: {d: {type: uri_folder, path: "azureml://datastores/d/paths/x"}}', /'path' has no place in an output/],
	['inputs: {a-b: {type: string}}', /'a-b' cannot be the name of an input of a component/],
	['inputs: {1a: {type: string}}', /'1a' cannot be the name/],
	['inputs: {lr: {type: number}, LR: {type: number}}', /The inputs 'lr' and 'LR' of a component differ in nothing/],
])('a component with %s is refused', (more, message) => {
	expect(() => read(`${COMMAND}${more}`)).toThrow(message);
});

test('an input of a group has dots in its name', () => {
	expect(() => read(`${COMMAND}inputs: {group.x_1: {type: string}}`)).not.toThrow();
});

describe('bodies', () => {
	test('counts are numbers, however they are written', () => {
		expect(body(`${COMMAND}resources: {instance_count: "2"}`)).toMatchObject({
			componentSpec: { resources: { instance_count: 2 } },
		});
	});

	test('a command component', () => {
		expect(body(COMMAND)).toEqual({
			isAnonymous: false,
			isArchived: false,
			componentSpec: {
				type: 'command',
				name: 'c',
				version: '7',
				command: 'echo',
				code: 'azureml:/placeholder-code',
				environment: 'azureml:/reference',
				is_deterministic: true,
				_source: 'YAML.COMPONENT',
			},
		});
	});

	test('defaults are text in the spelling of their type', () => {
		const inputs =
			'inputs: {i: {type: integer, default: 3.0}, n: {type: number, default: 1e-3, max: 10}, b: {type: boolean, default: "true"}, s: {type: string, default: 1.0e-5}}';
		expect(body(COMMAND + inputs)).toMatchObject({
			componentSpec: {
				inputs: {
					i: { type: 'integer', default: '3' },
					n: { type: 'number', default: '0.001', max: '10.0' },
					b: { type: 'boolean', default: 'True' },
					s: { type: 'string', default: '1e-05' },
				},
			},
		});
	});

	test('parallel and Spark components', () => {
		expect(
			body(
				'type: parallel\nname: p\ninput_data: x\nmini_batch_size: 1mb\ntask: {type: run_function, code: src, entry_script: main.py, environment: "azureml:e:1"}',
			),
		).toMatchObject({
			componentSpec: {
				type: 'parallel',
				mini_batch_size: '1048576',
				task: { code: 'azureml:/code', environment: 'azureml:/reference' },
			},
		});
		expect(body('type: spark\nname: s\ncode: src\nentry: {file: main.py}\nconf: {driver_cores: 1}')).toMatchObject({
			componentSpec: { type: 'spark', entry: { file: 'main.py' }, conf: { 'spark.driver.cores': 1 } },
		});
	});

	test('the nodes of a pipeline component keep their names only where it has one of its own', () => {
		const file = read('type: pipeline\nname: p\njobs: {a: {component: "azureml:x:1"}}');
		const context = { workspaceId: '/w', idOf: () => 'id' };
		expect(componentBody(file, context, false, '1')).toMatchObject({
			properties: { componentSpec: { jobs: { a: { name: 'a' } } } },
		});
		expect(componentBody(file, context, true)).toMatchObject({
			properties: { componentSpec: { jobs: { a: { type: 'command' } } } },
		});
		expect(JSON.stringify(componentBody(file, context, true))).not.toContain('"name":"a"');
	});
});

test.each([
	['no name', 'type: command\ncommand: x\nenvironment: azureml:e:1', /needs the key 'name'/],
	['a type nobody makes', 'type: import\nname: c', /type 'import' are not supported/],
	[
		'an optional input outside brackets',
		`${COMMAND.replace('echo', `echo $${'{{inputs.x}}'}`)}inputs: {x: {type: string, optional: true}}`,
		/must stand inside \$\[\[/,
	],
	[
		'a default that does not fit',
		`${COMMAND}inputs: {x: {type: integer, default: 1.5}}`,
		/a whole number, as the input's type says/,
	],
	['an input without type', `${COMMAND}inputs: {x: {default: 1}}`, /needs the key 'type'/],
	['a Spark entry that is not there', 'type: spark\nname: s\ncode: src\nentry: {file: nope.py}', /src\/nope\.py/],
	['a class as entry', 'type: spark\nname: s\ncode: src\nentry: {class_name: X}', /not supported by the Azure ML CLI/],
])('%s is refused', (_, yaml, message) => {
	expect(() => read(yaml)).toThrow(message);
});
