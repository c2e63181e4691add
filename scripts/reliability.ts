// `node scripts/reliability.ts [results]`: writes the table of docs/reliability.md from the fault cases and from jest's
// results (`npm test -- --json --outputFile=<results>`); without those it runs the tests itself. With `--check`: fails
// where the table is not what they say.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { CASES, type FaultCase } from '../__tests__/faults/cases.ts';

/** A test as jest reports it. */
export interface TestResult {
	readonly fullName: string;
	/** `passed`, `failed`, `pending`, … */
	readonly status: string;
	/** Path below the repository. */
	readonly file: string;
}

const [START, END] = ['<!-- cases:start -->', '<!-- cases:end -->'];
const TITLE = /^case (\d+) /;

/** The tests in jest's results. */
export function readResults(json: string, root: string): TestResult[] {
	const { testResults } = JSON.parse(json) as {
		testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[];
	};
	return testResults.flatMap(({ name, assertionResults }) =>
		// A case may stand in a group of several.
		assertionResults.map(({ fullName, status }) => ({
			fullName: fullName.replace(/^.*? (?=case \d+ [A-Z]-)/, ''),
			status,
			file: relative(root, name),
		})),
	);
}

/** What is wrong with the titles of the tests: cases without a test, and tests of cases that there are not. */
export function titleFaults(results: readonly TestResult[], cases: readonly FaultCase[] = CASES): string[] {
	const named = results.filter(({ fullName }) => TITLE.test(fullName));
	const isOf = ([number, name]: FaultCase, { fullName }: TestResult): boolean => {
		const start = `case ${number} ${name}`;
		// A longer name is another case's.
		return fullName.startsWith(start) && /^(:|,| |$)/.test(fullName.slice(start.length));
	};
	return [
		...cases
			.filter((one) => !named.some((test) => isOf(one, test)))
			.map(([number, name]) => `case ${number} ${name} has no test`),
		...named.filter((test) => !cases.some((one) => isOf(one, test))).map(({ fullName }) => `no such case: ${fullName}`),
	];
}

/** The table, one row for each case. */
export function tableOf(results: readonly TestResult[], cases: readonly FaultCase[] = CASES): string {
	const rows = cases.map(([number, name, fault, guarantee]) => {
		const tests = results.filter(({ fullName }) => fullName.startsWith(`case ${number} `));
		const files = [
			...new Set(tests.map(({ file }) => `[${file.replace(/^.*\//, '').replace('.test.ts', '')}](../${file})`)),
		];
		const failed = tests.filter(({ status }) => status !== 'passed').length;
		const verdict = tests.length === 0 ? '❌ no test' : failed > 0 ? `❌ ${failed} of ${tests.length} failed` : '✅';
		return `| ${number} | ${name} | ${fault} | ${guarantee} | ${files.join(', ')} | ${verdict} |`;
	});
	return ['| # | case | fault | what holds | tests | result |', '| --- | --- | --- | --- | --- | --- |', ...rows].join(
		'\n',
	);
}

/** The document with this table in its place. Throws where the markers are missing. */
export function withTable(document: string, table: string): string {
	const [from, to] = [document.indexOf(START), document.indexOf(END)];
	if (from < 0 || to < from) throw new Error(`docs/reliability.md lacks the markers ${START} and ${END}.`);
	return `${document.slice(0, from + START.length)}\n\n${table}\n\n${document.slice(to)}`;
}

/** Runs the tests of the cases. @returns jest's results */
function runTests(root: string): string {
	const folder = mkdtempSync(join(tmpdir(), 'reliability-'));
	const file = join(folder, 'jest.json');
	try {
		const jest = ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')];
		const wanted = ['__tests__/faults', '--json', `--outputFile=${file}`];
		spawnSync(process.execPath, [...jest, ...wanted], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
		return readFileSync(file, 'utf8');
	} finally {
		rmSync(folder, { recursive: true });
	}
}

function main(args: readonly string[]): void {
	const root = join(import.meta.dirname, '..');
	const path = join(root, 'docs/reliability.md');
	const file = args.find((arg) => !arg.startsWith('--'));
	const results = readResults(file === undefined ? runTests(root) : readFileSync(file, 'utf8'), root);
	const current = readFileSync(path, 'utf8');
	const wanted = withTable(current, tableOf(results));
	const check = args.includes('--check');
	const faults = [
		...titleFaults(results),
		...(check && current !== wanted
			? ['the table of docs/reliability.md is not what the tests say: run `npm run reliability` and commit it']
			: []),
	];
	if (!check) writeFileSync(path, wanted);
	for (const fault of faults) console.error(fault);
	if (faults.length > 0) process.exitCode = 1;
	else console.log(`All ${CASES.length} fault cases have their tests.`);
}

if (import.meta.main) main(process.argv.slice(2));
