// What a YAML block of the documentation is: a workflow, a part of one, inputs of the action, or a CLI v2 file.
import { parse } from 'yaml';

/** A block that can be checked. A workflow is whole, whatever part of it the block shows. */
export type YamlBlock =
	| { readonly kind: 'workflow'; readonly text: string; readonly shift: number }
	| { readonly kind: 'cli'; readonly role: 'job' | 'endpoint' | 'deployment' | 'asset'; readonly text: string };

type Fields = Readonly<Record<string, unknown>>;

const OF_JOB = new Set([
	'if',
	'environment',
	'permissions',
	'concurrency',
	'runs-on',
	'strategy',
	'env',
	'needs',
	'steps',
]);
const OF_WORKFLOW = new Set(['name', 'on', 'permissions', 'concurrency', 'env', 'jobs']);
const JOB_TYPES = new Set(['command', 'sweep', 'pipeline', 'automl', 'spark']);

/**
 * Tells what a block is, and completes a part of a workflow to a whole one; `shift` is how many lines were put before it.
 * Gives a message instead where the block is none of these, or no YAML.
 */
export function readYamlBlock(text: string, inputs: ReadonlySet<string>): YamlBlock | string {
	let content: unknown;
	try {
		content = parse(text);
	} catch (error) {
		return `This is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
	}
	if (Array.isArray(content))
		return whole([...JOB_HEAD, '    runs-on: ubuntu-latest', '    steps:'], indented(text, '      '), []);
	if (!isFields(content)) return 'This is neither a map nor a list.';
	const keys = Object.keys(content);
	if ('jobs' in content && keys.every((key) => OF_WORKFLOW.has(key)))
		return 'on' in content ? whole([], text, []) : whole(['on: push'], text, []);
	if (keys.every((key) => OF_JOB.has(key))) return jobPart(content, text);
	if (keys.every((key) => inputs.has(key))) return withPart(text);
	if (keys.every((key) => OF_WORKFLOW.has(key))) return workflowPart(content, text);
	return { kind: 'cli', role: roleOf(content), text };
}

const JOB_HEAD = ['on: push', 'jobs:', '  job:'];
const STEP = ['    steps:', '      - uses: your-org/azure-ml-action@v1'];

function jobPart(content: Fields, text: string): YamlBlock {
	const head = 'runs-on' in content ? JOB_HEAD : [...JOB_HEAD, '    runs-on: ubuntu-latest'];
	const needs = 'needs' in content ? ['  dev:', '    runs-on: ubuntu-latest', ...STEP] : [];
	const tail = 'steps' in content ? needs : [...STEP, ...needs];
	return whole(head, indented(text, '    '), tail);
}

function withPart(text: string): YamlBlock {
	return whole([...JOB_HEAD, '    runs-on: ubuntu-latest', ...STEP, '        with:'], indented(text, '          '), []);
}

function workflowPart(content: Fields, text: string): YamlBlock {
	const head = 'on' in content ? [] : ['on: push'];
	return whole(head, text, ['jobs:', '  job:', '    runs-on: ubuntu-latest', ...STEP]);
}

function whole(head: readonly string[], body: string, tail: readonly string[]): YamlBlock {
	return { kind: 'workflow', text: `${[...head, body.trimEnd(), ...tail].join('\n')}\n`, shift: head.length };
}

function indented(text: string, indent: string): string {
	return text.replace(/^(?=.)/gm, indent);
}

function roleOf(content: Fields): 'job' | 'endpoint' | 'deployment' | 'asset' {
	const schema = String(content['$schema'] ?? '');
	if (/Deployment\.schema\.json$/.test(schema) || 'endpoint_name' in content) return 'deployment';
	if (/Endpoint\.schema\.json$/.test(schema) || 'auth_mode' in content) return 'endpoint';
	if (/Job\.schema\.json$/.test(schema)) return 'job';
	const isJob = JOB_TYPES.has(String(content['type'])) && !/Component\.schema\.json$/.test(schema);
	return isJob ? 'job' : 'asset';
}

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null;
}

/** The side of a diff that is to be: its context and what it adds, without the marks. */
export function rightSide(diff: string): string {
	const lines = diff.split('\n').filter((line) => !line.startsWith('-'));
	return lines.map((line) => line.replace(/^[+ ]/, '')).join('\n');
}
