// What becomes of every field of the CLI's schemas, against the table in the docs: nothing is dropped without a word. The
// schemas of 1.4.0 stand beside the project and may be absent; what came since is in fixtures/fields.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { probeFields, type Verdict } from './field-probe.ts';
import type { Field, Schemas } from './field-samples.ts';
import { fieldTable, MARKS } from './field-table.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const OLDER = path.join(ROOT, '../shared/spec/cli-v2-fields.json');
const here = existsSync(OLDER);

interface List {
	readonly roots: Readonly<Record<string, string>>;
	readonly schemas: Schemas;
}

const read = (file: string): List => JSON.parse(readFileSync(file, 'utf8')) as List;

function together(older: List, newer: List): List {
	const names = new Set([...Object.keys(older.schemas), ...Object.keys(newer.schemas)]);
	const fields = (name: string): Readonly<Record<string, Field>> => ({
		...older.schemas[name]?.fields,
		...newer.schemas[name]?.fields,
	});
	return {
		roots: { ...older.roots, ...newer.roots },
		schemas: Object.fromEntries([...names].map((name) => [name, { fields: fields(name) }])),
	};
}

/** Fields that have no effect, and why that is right. */
const NO_EFFECT: readonly (readonly [fields: RegExp, why: string])[] = [
	[/\.(id|\$schema|type|creation_context|latest_version)$/, 'of the service, or only tells the kind of file'],
	[/\.(provisioning_state|scoring_uri|openapi_uri|discovery_url|os_image_metadata)$/, 'filled in by the service'],
	[/Endpoint\w*\.location$/, 'an endpoint is where its workspace is'],
	[/\.datastore$/, 'says where a local path is uploaded to; other paths say it themselves'],
	[/^(Pipeline\w+|AutoML\w+Node\w*|Image\w+NodeSchema)\.name$/, 'a node has the name of its key'],
	[/^PipelineDataTransfer\w+\.description$/, 'as in the CLI'],
	[/^PipelineComponentSchema\.is_deterministic$/, 'as in the CLI: a pipeline is as its nodes are'],
	[/^Text(Ner|ClassificationMultilabel)Schema\.primary_metric$/, 'there is one only'],
	[/^BatchEndpointSchema\.auth_mode$/, 'there is one only'],
	[/^WorkspaceSchema\.(name|resource_group)$/, 'they are in the address'],
	[/^AnonymousModelSchema\.version$/, 'goes with a name'],
	[/^ComputeInstanceSchema\.ssh_settings$/, 'an empty one says nothing'],
	[/^DeploymentTemplateReferenceSchema\./, 'the field that leads here is warned of'],
	[/^SshJobServiceSchema\.|^JobServiceSchema\./, 'an empty one says nothing'],
];

(here ? describe : describe.skip)('fields of the CLI', () => {
	let found: Map<string, { verdict: Verdict; fault: string }>;
	beforeAll(() => {
		const { roots, schemas } = together(read(OLDER), read(path.join(ROOT, '__tests__/fixtures/fields/newest.json')));
		found = probeFields(roots, schemas);
	});

	const only = (verdict: Verdict): string[] =>
		[...found].filter(([, one]) => one.verdict === verdict).map(([name]) => name);

	test('are told of nearly all', () => {
		expect(found.size).toBeGreaterThan(2000);
		expect(only('not told').length).toBeLessThan(70);
		expect(only('sent').length).toBeGreaterThan(1500);
	});

	test('none is dropped without a word', () => {
		const dropped = only('dropped').filter((name) => !NO_EFFECT.some(([pattern]) => pattern.test(name)));
		expect(dropped).toEqual([]);
	});

	// With UPDATE_DOCS=1 the table is written anew.
	test('are told of in the docs', () => {
		const file = path.join(ROOT, 'docs/cli-v2.md');
		const [start, end] = MARKS;
		const docs = readFileSync(file, 'utf8');
		const table = `${start}\n\n${fieldTable(found)}\n\n${end}`;
		const wanted = `${docs.slice(0, docs.indexOf(start))}${table}${docs.slice(docs.indexOf(end) + end.length)}`;
		if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, wanted);
		else expect(docs).toBe(wanted);
	});
});
