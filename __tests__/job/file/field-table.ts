// The table of all fields in docs/cli-v2.md, made of what the probe has found.
import type { Verdict } from './field-probe.ts';

/** What stands before and after the table. */
export const MARKS = ['<!-- fields: made by the tests -->', '<!-- end of fields -->'] as const;

const COLUMNS: readonly (readonly [title: string, verdicts: readonly Verdict[]])[] = [
	['supported', ['sent', 'not told']],
	['left out with a warning', ['warned']],
	['refused with a message', ['refused']],
	['without effect', ['read only', 'dropped']],
];

/** The lines of the table, one for each schema that has fields of its own to tell of. */
export function fieldTable(found: ReadonlyMap<string, { readonly verdict: Verdict }>): string {
	const rows = new Map<string, string[][]>();
	for (const [name, { verdict }] of found) {
		const [schema = '', field = ''] = name.split(/\.(.*)/s);
		const cells = rows.get(schema) ?? COLUMNS.map(() => []);
		cells[COLUMNS.findIndex(([, verdicts]) => verdicts.includes(verdict))]?.push(`\`${field}\``);
		rows.set(schema, cells);
	}
	const lines = [...rows]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([schema, cells]) => `| ${[schema, ...cells.map((cell) => cell.sort().join(', '))].join(' | ')} |`);
	const head = ['schema of the CLI', ...COLUMNS.map(([title]) => title)];
	return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...lines].join('\n');
}
