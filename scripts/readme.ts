// `node scripts/readme.ts [--check]`: writes the tables of inputs and outputs in README.md from action.yml,
// or checks that they are current. The rest of README.md is written by hand.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ActionFile, type ActionInput, readActionFile } from './action-file.ts';

/**
 * README.md's text with its tables made anew.
 * Throws when a pair of markers (`<!-- inputs:start -->` … `<!-- inputs:end -->`, and `outputs`) is missing.
 */
export function withTables(readme: string, action: ActionFile): string {
	return between(between(readme, 'inputs', inputTables(action.inputs)), 'outputs', outputTable(action));
}

function between(readme: string, name: string, table: string): string {
	const start = `<!-- ${name}:start -->`;
	const end = `<!-- ${name}:end -->`;
	const from = readme.indexOf(start);
	const to = readme.indexOf(end);
	if (from < 0 || to < from) {
		throw new Error(`README.md lacks the markers ${start} and ${end}, so there is no place for the table of ${name}.`);
	}
	return `${readme.slice(0, from + start.length)}\n\n${table}\n\n${readme.slice(to)}`;
}

function inputTables(inputs: readonly ActionInput[]): string {
	const sections = [...new Set(inputs.map(({ section }) => section))];
	return sections
		.map((section) => {
			const rows = inputs
				.filter((input) => input.section === section)
				.map((input) => `| \`${input.name}\` | ${codeOf(input.default)} | ${cell(input.description)} |`);
			const heading = section === '' ? [] : [`### ${section}`, ''];
			return [...heading, '| input | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
		})
		.join('\n\n');
}

function outputTable({ outputs }: ActionFile): string {
	const rows = outputs.map(({ name, description }) => `| \`${name}\` | ${cell(description)} |`);
	return ['| output | meaning |', '| --- | --- |', ...rows].join('\n');
}

function codeOf(value: string | undefined): string {
	return value === undefined || value === '' ? '' : `\`${cell(value)}\``;
}

function cell(text: string): string {
	return text.trim().replace(/\s+/g, ' ').replaceAll('|', '\\|');
}

function main(check: boolean): void {
	const root = join(import.meta.dirname, '..');
	const path = join(root, 'README.md');
	const current = readFileSync(path, 'utf8');
	const wanted = withTables(current, readActionFile(join(root, 'action.yml')));
	if (!check) {
		writeFileSync(path, wanted);
		return;
	}
	if (current === wanted) {
		console.log('The tables of README.md are what action.yml says.');
		return;
	}
	console.error(
		'The tables of README.md are not what action.yml says. Run `node scripts/readme.ts` and commit README.md.',
	);
	process.exitCode = 1;
}

if (import.meta.main) {
	main(process.argv.includes('--check'));
}
