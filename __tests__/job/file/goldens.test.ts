// Translation against bodies that the official SDK sent. The goldens stand beside the project and may be absent.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { FileError } from '../../../src/errors.ts';
import { translate } from './golden-case.ts';
import { ImaginedWorkspace } from './imagined-publish.ts';

const SHARED = path.resolve(import.meta.dirname, '../../../../shared');
const GOLDEN = path.join(SHARED, 'golden');
const here = existsSync(path.join(GOLDEN, 'index.json')) && existsSync(path.join(SHARED, 'tools/golden-compare.mjs'));

interface Row {
	readonly case: string;
	readonly source: string;
	readonly kind: string;
	readonly expect: 'body' | 'invalid';
}

interface Difference {
	readonly path: string;
}

type Compare = (sides: {
	readonly golden: unknown;
	readonly yaml: string;
	readonly observed: { readonly writes: readonly unknown[]; readonly blobs: ReadonlyMap<string, unknown> };
}) => readonly Difference[];

const only = process.env['GOLDEN'];
const rows = here
	? (JSON.parse(readFileSync(path.join(GOLDEN, 'index.json'), 'utf8')) as { cases?: Row[] } | Row[])
	: [];
const cases = (Array.isArray(rows) ? rows : (rows.cases ?? [])).filter(
	(row) => only === undefined || row.case.includes(only),
);

(here ? describe : describe.skip)('bodies of the official SDK', () => {
	test('there are cases', () => {
		expect(cases.length).toBeGreaterThan(only === undefined ? 300 : 0);
	});

	// Not describe.each: without the goldens there is no kind, which it takes for a fault even when it is skipped.
	for (const kind of new Set(cases.map((row) => row.kind))) {
		test.each(cases.filter((row) => row.kind === kind).map((row) => [row.case, row] as const))(
			`${kind} › %s`,
			async (_, row) => {
				const { compareCase } = (await import(path.join(SHARED, 'tools/golden-compare.mjs'))) as {
					compareCase: Compare;
				};
				const yaml = path.join(GOLDEN, 'inputs', row.source);
				const workspace = new ImaginedWorkspace();
				// Later clients take tags of computes, and so does the action.
				if (row.expect === 'invalid' && !row.case.endsWith('compute-tags.json')) {
					expect(() => translate(row.kind, yaml, workspace)).toThrow(FileError);
					return;
				}
				translate(row.kind, yaml, workspace);
				if (row.expect === 'invalid') {
					return;
				}
				const golden: unknown = JSON.parse(readFileSync(path.join(GOLDEN, row.case), 'utf8'));
				const observed = { writes: workspace.writes, blobs: workspace.blobs };
				expect(compareCase({ golden, yaml: readFileSync(yaml, 'utf8'), observed })).toEqual([]);
			},
		);
	}
});
