// Cases 59 to 61 of the fault table: files that are no YAML, that are bombs, or that two readers read in two ways.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FileError } from '../../src/errors.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { annotationsOf } from '../e2e/workflow-log.ts';
import { processorTime } from '../fixtures/processor-time.ts';
import { type FaultSite, openFaultSite } from './site.ts';

let site: FaultSite;
beforeAll(async () => {
	site = await openFaultSite();
});
afterAll(() => site?.close());

/** What is wrong with a text, with its places; none where it is read. */
function faultsOf(content: string | Uint8Array): { line: number | undefined; message: string }[] {
	try {
		loadYaml(content, 'job.yml', '/checkout');
		return [];
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return error.faults.map(({ message, where }) => ({ message, line: where?.line }));
	}
}

describe('case 59 Y-malformed', () => {
	test.each<[string, string | Uint8Array]>([
		['a tab as indentation', 'a:\n\tb: 1\n'],
		['NUL', 'a: "x\0y"\n'],
		['cut off', 'a: [1, 2\nb: "x'],
		['UTF-16', Buffer.from('\ufeffa: 1\n', 'utf16le')],
		['invalid UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a])],
		['empty', ''],
		['nothing but comments', '# a\n# b\n'],
		['two documents', 'a: 1\n---\nb: 2\n'],
		['a list', '- a\n'],
	])('%s: is refused', (_, content) => {
		expect(faultsOf(content).length).toBeGreaterThan(0);
	});

	test.each([
		['a BOM', '\ufeffa: 1\n'],
		['CRLF', 'a: 1\r\nb: 2\r\n'],
	])('%s does not matter', (_, content) => {
		expect(faultsOf(content)).toEqual([]);
	});

	test('the fault is an annotation at its place in the file, and nothing is sent', async () => {
		const since = site.emulator.requests.length;
		const run = await site.run(
			{ 'job-file': 'jobs/job.yml' },
			{ files: { 'jobs/job.yml': 'type: command\ncode: [1, 2\ncommand: x\n' } },
		);
		expect(await run.broken({ code: 1, says: /jobs\/job\.yml:[23]/ })).toEqual([]);
		expect(annotationsOf(run.stdout)[0]).toMatchObject({
			level: 'error',
			file: 'jobs/job.yml',
			line: expect.any(Number),
			column: expect.any(Number),
		});
		expect(site.requests(since)).toEqual([]);
	});
});

describe('case 60 Y-bombs', () => {
	const nine = (name: string): string => Array(9).fill(`*${name}`).join(', ');
	const bomb = ['a0: &a0 [x]', ...Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${nine(`a${n}`)}]`)].join(
		'\n',
	);
	test.each<[string, () => string]>([
		['aliases of aliases', () => bomb],
		['a circle', () => 'a: &a\n  b: *a\n'],
		[
			'merges of merges',
			() =>
				[
					'm0: &m0 {x: 1}',
					...Array.from(
						{ length: 200 },
						(_, n) => `m${n + 1}: &m${n + 1}\n  <<: [${Array(5).fill(`*m${n}`).join(', ')}]`,
					),
				].join('\n'),
		],
		['a depth of 20,000', () => `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`],
		['50 MB', () => `a: ${'x'.repeat(50_000_000)}\n`],
		['a million keys', () => Array.from({ length: 1_000_000 }, (_, n) => `k${n}: 1`).join('\n')],
	])('%s: is refused within a second and in little memory', (_, text) => {
		const content = text();
		const before = process.memoryUsage.rss();
		const time = processorTime(() => expect(faultsOf(content).length).toBeGreaterThan(0));
		// A second on a quiet machine; neighbours on the same core make the processor itself slower.
		expect(time).toBeLessThan(3);
		expect((process.memoryUsage.rss() - before) / 1024 / 1024).toBeLessThan(200);
	});
});

describe('case 61 Y-dup / 1.1 words', () => {
	test('a key that stands twice is refused, with both lines', () => {
		expect(faultsOf('a: 1\nb: 2\na: 3\n')).toEqual([
			{ line: 3, message: expect.stringMatching(/'a'.*line 1|twice|again/i) },
		]);
	});

	test.each<[string, number]>([
		['yes', 1],
		['on', 1],
		['012', 1],
		['1:30', 1],
		['1e3', 1],
		['null', 0],
		['~', 0],
		['true', 0],
	])('%s is read as PyYAML reads it, with %d warning', (word, warnings) => {
		expect(loadYaml(`a: ${word}\n`, 'job.yml', '/checkout').warnings).toHaveLength(warnings);
	});

	test('and is sent as the CLI sends it', async () => {
		const yaml = [
			'type: command',
			'command: echo',
			'environment: azureml:python-stdlib:1',
			'compute: azureml:cpu-cluster',
			'environment_variables:',
			'  A: "yes"',
			'  C: 1e3',
			'',
		];
		const since = site.emulator.requests.length;
		const run = await site.run(
			{ 'job-file': 'job.yml', 'job-name': 'case-61', wait: 'false' },
			{ files: { 'job.yml': yaml.join('\n') } },
		);
		expect(await run.broken({ code: 0, job: { name: 'case-61' }, says: /'1e3' is read as text/ })).toEqual([]);
		const put = site.requests(since).find(({ line }) => line === 'PUT jobs/case-61');
		expect(put?.body).toMatchObject({ properties: { environmentVariables: { A: 'yes', C: '1e3' } } });
	});
});
