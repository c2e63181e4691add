// The documentation check, on small projects each of which has one thing to mend.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { checkDocs } from '../../scripts/docs.ts';
import { readYamlBlock, rightSide } from '../../scripts/docs-yaml.ts';
import { readPage } from '../../scripts/markdown-page.ts';
import type { Finding } from '../../scripts/workflow-rules.ts';

const ACTION = [
	'name: x',
	'inputs:',
	'  job-file: { description: x }',
	'  wait: { description: x }',
	'outputs: {}',
	'runs: { using: node24 }',
	'',
].join('\n');

const folders: string[] = [];
afterEach(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function check(pages: Readonly<Record<string, string>>): Promise<Finding[]> {
	const root = mkdtempSync(join(tmpdir(), 'docs-test-'));
	folders.push(root);
	const files = { 'action.yml': ACTION, 'package.json': '{ "scripts": { "demo": "x" } }', ...pages };
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), text);
	}
	return (await checkDocs(root)).findings;
}

const page = (language: string, ...lines: readonly string[]): Record<string, string> => ({
	'README.md': ['# Title', '', `\`\`\`${language}`, ...lines, '```', ''].join('\n'),
});

const STEP = ['- uses: your-org/azure-ml-action@v1', '  with:'];

describe('finds', () => {
	test.each<[string, Record<string, string>, number, RegExp]>([
		['an input that does not exist', page('yaml', ...STEP, '    jobfile: a'), 6, /no input "jobfile"/],
		[
			'it in a diff, where it is to be',
			page('diff', ' job-file: a', '-wait: "true"', '+weit: "true"'),
			3,
			/this asset/,
		],
		[
			'what actionlint finds',
			page('yaml', ...STEP, '    job-file: ${{ needs.x.outputs.y }}'),
			6,
			/property "x" is not defined/,
		],
		['no YAML', page('yaml', 'a: [b'), 3, /no YAML/],
		[
			'a job that a dry run refuses',
			page('yaml', 'type: command', 'command: a', 'environment: azureml:e:1', 'computer: b'),
			3,
			/computer/,
		],
		['no shell', page('sh', 'if true; then'), 3, /no shell/],
		['an npm script that is not there', page('sh', 'npm run demos'), 3, /no script "demos"/],
		['a file of the project that is not there', page('sh', 'node scripts/none.ts'), 3, /no scripts\/none\.ts/],
		['a block that fails', page('sh run', 'echo so far', 'false'), 3, /ended with 1:\nso far/],
		['a block without a language', page('', 'npm run demo'), 3, /Say what this block is/],
		['no JSON', page('json', '{'), 3, /no JSON/],
		['a dead link', { 'README.md': '# A\n\n[x](docs/none.md)\n' }, 3, /leads nowhere/],
		['a dead image', { 'README.md': '# A\n\n<img src="none.png">\n' }, 3, /leads nowhere/],
		['a link out of the repository', { 'README.md': '[x](../a.md)\n' }, 1, /out of the repository/],
		['a dead anchor', { 'README.md': '[x](b.md#none)\n', 'b.md': '# Some\n' }, 1, /no heading "none"/],
	])(
		'%s',
		async (_, pages, line, message) => {
			const findings = await check(pages);
			expect(findings.map(({ file, line: at }) => [file, at])).toEqual([['README.md', line]]);
			expect(findings[0]?.message).toMatch(message);
		},
		60_000,
	);
});

test('has nothing to say of a page that is right', async () => {
	const right = [
		'# Title: `code`',
		'',
		'[here](#title-code), [there](b.md#a-b), [far](https://example.com/none)',
		'',
		'- an item',
		'',
		'  ```yaml',
		...STEP.map((line) => `  ${line}`),
		'      job-file: a',
		'  ```',
		'',
		'```yaml',
		'type: command',
		'command: echo',
		'environment: azureml:e:1',
		'compute: c',
		'```',
		'',
		'```sh run',
		'x=1',
		'```',
		'',
		'```sh run needs:no-such-program',
		'x=2',
		'```',
		'',
		'```sh run',
		'[ "$x" = 1 ] && npm run demo --silent || true',
		'```',
		'',
	].join('\n');
	expect(await check({ 'README.md': right, 'b.md': '## A + B\n### A &amp; B\n## A B\n' })).toEqual([]);
});

describe('a YAML block', () => {
	const names = new Set(['job-file', 'wait']);
	const kindOf = (text: string): unknown => {
		const read = readYamlBlock(text, names);
		return typeof read === 'string'
			? read
			: read.kind === 'cli'
				? read.role
				: read.text.split('\n').slice(0, read.shift);
	};

	test.each([
		['on: push\njobs:\n  a:\n    steps: []\n', []],
		['jobs:\n  a:\n    steps: []\n', ['on: push']],
		['permissions: {}\n', ['on: push', 'jobs:', '  job:', '    runs-on: ubuntu-latest']],
		['job-file: a\n', expect.arrayContaining(['        with:'])],
		['- run: a\n', expect.arrayContaining(['    steps:'])],
		['type: sweep\n', 'job'],
		['$schema: x/commandComponent.schema.json\ntype: command\n', 'asset'],
		['endpoint_name: e\n', 'deployment'],
		['auth_mode: key\nname: e\n', 'endpoint'],
		['name: e\nimage: i\n', 'asset'],
	])('%j is told from what stands in it', (text, expected) => {
		expect(kindOf(text)).toEqual(expected);
	});

	test('of a diff is the side that is to be', () => {
		expect(rightSide(' a: 1\n-b: 2\n+b: 3\n')).toBe('a: 1\nb: 3\n');
	});
});

test('a page knows its headings as GitHub links to them', () => {
	expect([...readPage('# A\n## What’s `x` & y?\n## A\n').anchors]).toEqual(['a', 'whats-x--y', 'a-1']);
});
