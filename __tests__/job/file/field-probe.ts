// Says of every field of the CLI's schemas what the action does with it, by writing it into files and looking at the body.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileError } from '../../../src/errors.ts';
import { loadYaml } from '../../../src/yaml/load.ts';
import { FILES, type Field, leastOf, NODES, type Schemas, samplesOf, type Value } from './field-samples.ts';
import { translateFile } from './golden-case.ts';
import { ImaginedWorkspace } from './imagined-publish.ts';

/**
 * What becomes of a field: sent; left out with a warning; refused by its name; the service's to fill in; dropped without a
 * word; or not told, because the files around it are refused for another reason.
 */
export type Verdict = 'sent' | 'warned' | 'refused' | 'read only' | 'dropped' | 'not told';

const RANK: readonly Verdict[] = ['not told', 'dropped', 'refused', 'read only', 'warned', 'sent'];

interface Outcome {
	readonly body: string;
	readonly faults: readonly string[];
	readonly warnings: number;
}

type Put = (value: Value | undefined) => Value;

/** Probes all fields; keys of the answer are `Schema.field`. */
export function probeFields(
	roots: Readonly<Record<string, string>>,
	schemas: Schemas,
): Map<string, { verdict: Verdict; fault: string }> {
	const folder = mkdtempSync(path.join(tmpdir(), 'fields-'));
	try {
		makeFiles(folder);
		const probe = new Probe(folder, schemas);
		for (const [root, schema] of Object.entries(roots)) {
			for (const file of FILES[root] ?? []) probe.schema(root, schema, (value) => merged(file, value), 0);
		}
		for (const [schema, files] of Object.entries(NODES)) {
			for (const file of files) probe.schema('job:pipeline', schema, (value) => inNode(file, value), 0);
		}
		return probe.found;
	} finally {
		rmSync(folder, { recursive: true });
	}
}

function makeFiles(folder: string): void {
	for (const one of ['src', 'data', 'table']) mkdirSync(path.join(folder, one));
	for (const one of ['src/main.py', 'src/other.py', 'data/d.csv']) writeFileSync(path.join(folder, one), 'x');
	writeFileSync(path.join(folder, 'table/MLTable'), 'paths: [{file: ./d.csv}]\n');
	cpSync(path.join(folder, 'data/d.csv'), path.join(folder, 'table/d.csv'));
	const command = 'type: command\nname: c\ncommand: echo\nenvironment: azureml:e:1\n';
	writeFileSync(
		path.join(folder, 'component.yml'),
		`${command}inputs: {k: {type: string, optional: true}}\noutputs: {k: {type: uri_folder}}\n`,
	);
	writeFileSync(
		path.join(folder, 'pipeline.yml'),
		'type: pipeline\nname: p\njobs: {a: {type: command, component: "azureml:c:1"}}\n',
	);
	const copy =
		'type: data_transfer\nname: c\ntask: copy_data\ninputs: {k: {type: uri_folder, optional: true}}\noutputs: {k: {type: uri_folder}}\n';
	writeFileSync(path.join(folder, 'copy.yml'), copy);
}

function merged(file: Value, value: Value | undefined): Value {
	return value === undefined ? file : { ...(file as object), ...(value as object) };
}

function inNode(file: Value, value: Value | undefined): Value {
	const { jobs, ...rest } = file as { jobs: { n: Value } };
	return { ...rest, jobs: { n: merged(jobs.n, value) } } as Value;
}

class Probe {
	readonly found = new Map<string, { verdict: Verdict; fault: string }>();
	readonly #folder: string;
	readonly #schemas: Schemas;
	readonly #trail: string[] = [];

	constructor(folder: string, schemas: Schemas) {
		this.#folder = folder;
		this.#schemas = schemas;
	}

	/** Probes the fields of a schema; `put` gives a whole file with these members in their place. */
	schema(root: string, name: string, put: Put, depth: number): void {
		if (depth > 3 || this.#trail.includes(name)) {
			return;
		}
		this.#trail.push(name);
		const without = this.#run(root, put(undefined));
		for (const [key, field] of Object.entries(this.#schemas[name]?.fields ?? {})) {
			this.#field(`${name}.${key}`, root, key, field, put, without);
			for (const [below, within] of nestedIn(field)) {
				this.schema(
					root,
					below,
					(value) => put({ [key]: within({ ...leastOf(below, this.#schemas), ...(value as object) }) }),
					depth + 1,
				);
			}
		}
		this.#trail.pop();
	}

	#field(id: string, root: string, key: string, field: Field, put: Put, without: Outcome): void {
		const before = this.found.get(id);
		if (before?.verdict === 'sent') {
			return;
		}
		let best: { verdict: Verdict; fault: string } = before ?? { verdict: 'not told', fault: 'no value fits' };
		for (const sample of samplesOf(key, field, this.#schemas)) {
			const verdict = judge(this.#run(root, put({ [key]: sample })), without, key, field);
			const rank = RANK.indexOf(verdict.verdict);
			if (rank > RANK.indexOf(best.verdict) || best.fault === 'no value fits') {
				best = verdict;
			}
			if (best.verdict === 'sent') {
				break;
			}
		}
		if (best.verdict === 'dropped' && this.#isMissed(root, put, key, without)) {
			best = { verdict: 'sent', fault: '' };
		}
		this.found.set(id, best);
	}

	// A value that the least file has already shows by its absence.
	#isMissed(root: string, put: Put, key: string, without: Outcome): boolean {
		const missing = this.#run(root, put({ [key]: null as unknown as Value }));
		return missing.faults.length > 0 || missing.body !== without.body;
	}

	#run(root: string, file: Value): Outcome {
		const workspace = new ImaginedWorkspace();
		const warnings: unknown[] = [];
		try {
			translateFile(root, loadYaml(JSON.stringify(file), 'f.yml', this.#folder), workspace, (one) =>
				warnings.push(one),
			);
		} catch (error) {
			if (!(error instanceof FileError)) throw error;
			return { body: '', faults: error.faults.map((fault) => fault.message), warnings: warnings.length };
		}
		return { body: JSON.stringify(workspace.writes), faults: [], warnings: warnings.length };
	}
}

function judge(now: Outcome, without: Outcome, key: string, field: Field): { verdict: Verdict; fault: string } {
	if (now.faults.length > 0) {
		const own = now.faults.find((fault) => fault.includes(`'${key}'`) || fault.includes(`\`${key}\``));
		return own === undefined ? { verdict: 'not told', fault: now.faults[0] ?? '' } : { verdict: 'refused', fault: own };
	}
	if (now.body !== without.body) {
		return { verdict: 'sent', fault: '' };
	}
	if (now.warnings > without.warnings) {
		return { verdict: 'warned', fault: '' };
	}
	return { verdict: field.read_only === true ? 'read only' : 'dropped', fault: '' };
}

// Nodes are probed on their own, and jobs and nodes of type import are refused as a whole.
const OTHERWISE = /Node(Schema)?$|^(Anonymous|Pipeline)?Import/;

// The schemas that a field leads to, each with how its members stand in the field: bare, in a map, or in a list.
function nestedIn(field: Field): readonly (readonly [string, (value: Value) => Value])[] {
	const bare = [field, ...(field.any_of ?? [])].filter((one) => one.schema !== undefined);
	const direct = bare.map((one) => [one.schema ?? '', (value: Value): Value => value] as const);
	const inMap =
		field.values === undefined
			? []
			: nestedIn(field.values).map(([name, put]) => [name, (value: Value): Value => ({ k: put(value) })] as const);
	const inList =
		field.items === undefined
			? []
			: nestedIn(field.items).map(([name, put]) => [name, (value: Value): Value => [put(value)]] as const);
	return [...direct, ...inMap, ...inList].filter(([name]) => !OTHERWISE.test(name) && !(name in NODES));
}
