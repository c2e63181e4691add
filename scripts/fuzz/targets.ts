// What is fuzzed, and what must hold whatever the input. A check throws where it does not; nothing here chooses inputs.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { commandsAnyhow } from '../../__tests__/fixtures/runner-commands.ts';
import { linesToText, withoutEscapes } from '../../__tests__/job/log-scene.ts';
import { type AssetKind, parseAssetReference, parseNamedReference } from '../../src/asset/reference.ts';
import { answerContains, containsJson } from '../../src/endpoint/smoke-test.ts';
import { FileError } from '../../src/errors.ts';
import { type Gate, parseGate } from '../../src/gate/grammar.ts';
import { LogLines } from '../../src/job/log-lines.ts';
import { parseJson } from '../../src/json.ts';
import { createGitHubLog, neutralise } from '../../src/log.ts';
import { createSecrets } from '../../src/secrets.ts';
import { dumpYaml } from '../../src/yaml/dump.ts';
import { MAX_DEPTH } from '../../src/yaml/limits.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import type { YamlFile, YamlNode } from '../../src/yaml/node.ts';
import { applySet } from '../../src/yaml/set.ts';

/** One part of the action that reads what others wrote. */
export interface Target {
	readonly name: string;
	/** Inputs to begin with. */
	readonly corpus: readonly string[];
	/** Words that mean something to the part. */
	readonly words: readonly string[];
	/** Throws where something does not hold for this input. */
	check(input: Buffer): void;
}

const ROOT = join(import.meta.dirname, '../..');
const FILE = 'job.yml';
const SECRET = 'canary/Pa+ss w0rd=';

/** Every target. */
export const TARGETS: readonly Target[] = [
	{
		name: 'yaml',
		corpus: [...yamlFiles('examples'), ...yamlFiles('__tests__/fixtures'), ...yamlFiles('../shared/golden/inputs')],
		words: [
			'&a ',
			'*a',
			'<<: ',
			'!!int ',
			'!!str ',
			'!x ',
			'? ',
			': ',
			'- ',
			'|-\n ',
			'>+\n ',
			'"',
			"'",
			'#',
			'---\n',
			'...\n',
			'{',
			'}',
			'[',
			']',
			',',
			'\n  ',
			'\t',
			'%YAML 1.1\n',
			'__proto__: ',
			'~',
			'yes',
			'012',
			'1:30',
			'0x1F',
			'1_0',
			'1e3',
			'.inf',
			'2001-01-01',
			'2001-12-14t21:59:43.10-05:00',
			'\u0085',
			'\u2028',
			'\ufeff',
		],
		check: checkYaml,
	},
	{
		name: 'set',
		corpus: ['inputs.epochs=20', 'values[0]=x\nvalues[1]={a: b}', 'a\\.b.c=[1, 2]', 'x.y[0].z= {{a}} '],
		words: [
			'=',
			'.',
			'\\.',
			'[0]',
			'[1]',
			'[',
			']',
			'{',
			'}',
			'inputs',
			'values',
			'text',
			'nothing',
			'__proto__',
			'constructor',
			'\n',
			' ',
			'*a',
			'&a',
		],
		check: checkSet,
	},
	{
		name: 'log',
		corpus: ['epoch 1: loss=0.25\n', `99%\r::add-mask::a\n##[group]x\n\u001b[31mred\u001b[0m ${SECRET}`],
		words: [
			'::',
			'##[',
			']',
			'\\',
			'#',
			'add-mask',
			'\r',
			'\n',
			' ',
			'\u00a0',
			'\u001b[',
			'\u001b]8;;',
			'\u0007',
			'\u009b',
			'\u0085',
			'\u2028',
			'\ufeff',
			'\u200b',
			'\u001b[31m',
			'm',
			SECRET,
			'canary',
			'/Pa+ss w0rd=',
			'?sig=',
			'Bearer ',
			'eyJ',
		],
		check: checkLog,
	},
	{
		name: 'log-lines',
		corpus: ['\u0003one\ntwo ⤶\r\n 10%\r 20%\r\nthree [overwritten 3×]\n', '\u0001naïve 漢字 😀\r'],
		words: ['\r', '\n', '\r\n', ' ⤶', ' \\⤶', ' [overwritten 3×]', '😀', '\ufffd'],
		check: checkLogLines,
	},
	{
		name: 'secrets',
		corpus: ['\u0000before and after', '\u0001x', '\u0002y', '\u0003z', '\u0004ab'],
		words: ['eyJhbGciOi.eyJzdWIi.c2ln', '&sig=', 'Bearer ', 'AccountKey=', '.', 'canary', '%', '+', '=', '\n'],
		check: checkSecrets,
	},
	{
		name: 'reference',
		corpus: [
			'azureml:iris:1',
			'azureml:iris@latest',
			'azureml://datastores/x/paths/y',
			'/subscriptions/s/x',
			'${{inputs.x}}',
		],
		words: [
			'azureml:',
			'azureml://',
			':',
			'@',
			'latest',
			'/',
			'..',
			'/subscriptions/',
			'AzureML-',
			'${{',
			'}}',
			'https://',
			'file://',
			' ',
			'\n',
		],
		check: checkReference,
	},
	{
		name: 'gate',
		corpus: ['accuracy >= 0.9', 'auc >= champion - 0.005', '"train model"/rmse < 3.2e-4', "'a' != -1", 'x == .5'],
		words: ['>=', '<', '≥', '==', '!=', '"', "'", 'champion', ' - ', ' + ', '0.', '1e9', 'e999', '%', '/', ' '],
		check: checkGate,
	},
	{
		name: 'smoke-test',
		corpus: ['{"predictions":["setosa"]}\n{"predictions":["setosa"],"more":1}', '[1,2.5]\n"[1, 2.5]"', '"a"\na'],
		words: [
			'{',
			'}',
			'[',
			']',
			'"',
			':',
			',',
			'\n',
			'null',
			'true',
			'1e999',
			'-0',
			'1e-320',
			'\\u0000',
			'"__proto__"',
			'9007199254740993',
		],
		check: checkSmokeTest,
	},
];

/** Texts of a target's kind: its words, its corpus and anything else in any order. */
export function textsOf({ corpus, words }: Target): fc.Arbitrary<string> {
	const anything = fc.oneof(
		fc.string({ unit: 'binary', maxLength: 8 }),
		fc.string({ maxLength: 8 }),
		fc.json({ maxDepth: 2 }),
	);
	const piece = fc.oneof(
		{ weight: 6, arbitrary: fc.constantFrom(...words) },
		{ weight: 3, arbitrary: anything },
		{ weight: 1, arbitrary: fc.constantFrom(...corpus.filter((text) => text.length < 2_000)) },
	);
	return fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
}

function yamlFiles(folder: string): string[] {
	const top = join(ROOT, folder);
	if (!existsSync(top)) return [];
	return readdirSync(top, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
		.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

/**
 * Either a value, or undefined after a refusal with a place and a reason that people can read. A refusal that is a limit is
 * told apart where that is asked for: written out, aliases can make a file larger than what was read.
 */
function loaded(read: () => YamlFile, lines: number): YamlFile | undefined;
function loaded(read: () => YamlFile, lines: number, limit: RegExp): YamlFile | 'too much' | undefined;
function loaded(read: () => YamlFile, lines: number, limit?: RegExp): YamlFile | 'too much' | undefined {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		assert.ok(error.faults.length > 0, 'a refusal names a fault');
		for (const { message, where } of error.faults) {
			assert.match(message, /\S/, 'a fault says something');
			assert.equal(where?.file, FILE, 'a fault is at a place of the file');
			assert.ok((where?.line ?? 1) >= 1 && (where?.line ?? 1) <= lines, `line ${where?.line} of ${lines}`);
			assert.ok((where?.column ?? 1) >= 1, `column ${where?.column}`);
		}
		return limit !== undefined && error.faults.some(({ message }) => limit.test(message)) ? 'too much' : undefined;
	}
}

function checkYaml(input: Buffer): void {
	const lines = input.toString('latin1').split(/\r\n|[\n\r]/).length;
	const file = loaded(() => loadYaml(input, FILE, '/'), lines);
	if (file === undefined) return;
	checkTree(file.root, lines, 0);
	const dumped = dumpYaml(file.root);
	const back = loaded(() => loadYaml(dumped, FILE, '/'), dumped.split('\n').length, /(deeper|more|larger) than/);
	if (back === 'too much') return;
	assert.ok(back !== undefined, 'what is dumped can be read');
	assert.deepEqual(plain(back.root), plain(file.root), 'what is dumped reads back the same');
}

function checkTree(node: YamlNode, lines: number, depth: number): void {
	assert.ok(depth <= 2 * MAX_DEPTH, `depth ${depth}`);
	const { line = 0, column = 0 } = node.at;
	assert.ok(line >= 1 && line <= lines && column >= 1, `a node at ${line}:${column} of ${lines} lines`);
	if (node.kind === 'list') for (const item of node.items) checkTree(item, lines, depth + 1);
	if (node.kind !== 'map') return;
	const keys = node.entries.map(({ key }) => key);
	assert.equal(new Set(keys).size, keys.length, 'a key stands once');
	assert.ok(!keys.includes('__proto__'), 'no key reaches the prototype');
	for (const entry of node.entries) checkTree(entry.value, lines, depth + 1);
}

function plain(node: YamlNode): unknown {
	if (node.kind === 'list') return node.items.map(plain);
	if (node.kind === 'scalar') return [node.type, node.text];
	const sorted = node.entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
	return sorted.map((entry) => [entry.key, plain(entry.value)]);
}

const BASE = loadYaml('inputs: {epochs: 1}\nvalues: [a, b]\ntext: x\nnothing:\n', FILE, '/');

function checkSet(input: Buffer): void {
	const lines = input.toString().split('\n');
	const before = JSON.stringify(plain(BASE.root));
	const changed = loaded(() => applySet(BASE, lines), Number.POSITIVE_INFINITY);
	assert.equal(JSON.stringify(plain(BASE.root)), before, 'the file itself is left as it is');
	assert.equal(Object.keys(Object.prototype).length, 0, 'no prototype was written to');
	if (changed === undefined) return;
	assert.ok(!JSON.stringify(plain(changed.root)).includes('["__proto__",'), 'no key reaches the prototype');
	if (lines.length > 1) return;
	assert.deepEqual(plain(applySet(changed, lines).root), plain(changed.root), 'twice is as once');
}

function checkLog(input: Buffer): void {
	const text = input.toString();
	let printed = '';
	const secrets = createSecrets();
	secrets.add(SECRET);
	const log = createGitHubLog(secrets, (piece) => {
		printed += piece;
	});
	log.foreign(text);
	assert.deepEqual(commandsAnyhow(printed), [], 'nothing acts as a command');
	assert.ok(!printed.includes(SECRET), 'no secret is shown');
	const shown = neutralise(text);
	const undone = shown.split('\n').map(withoutEscapes).join('\n');
	assert.equal(neutralise(undone), shown, 'what was done to the text can be undone');
	assert.equal(undone.replace(/\s/g, '').length <= text.replace(/\s/g, '').length, true, 'nothing is added');
}

/** The first byte says how long the slices are that the rest comes in. */
function checkLogLines(input: Buffer): void {
	const [size = 1] = input;
	const bytes = input.subarray(1);
	const linesIn = (slice: number): { lines: string[]; invalid: number } => {
		const lines: string[] = [];
		const reader = new LogLines((line) => lines.push(line));
		for (let start = 0; start < bytes.length; start += slice) reader.write(bytes.subarray(start, start + slice));
		reader.end();
		return { lines, invalid: reader.invalid };
	};
	const { lines, invalid } = linesIn(Math.max(1, bytes.length));
	assert.deepEqual(linesIn(1 + (size % 9)), { lines, invalid }, 'lines do not depend on how their bytes arrive');
	assert.ok(!lines.some((line) => /[\n\r]/.test(line)), 'a line is one line');
	const text = bytes.toString().replace(/\r\n/g, '\n');
	if (text.includes('\r')) return;
	assert.equal(linesToText(lines), text === '' || text.endsWith('\n') ? text : `${text}\n`, 'every byte is shown once');
}

/** The first byte says how the secret is written amid the rest. */
function checkSecrets(input: Buffer): void {
	const [form = 0, at = 0] = input;
	const rest = input.subarray(1);
	const middle = at % (rest.length + 1);
	const [before, after] = [rest.subarray(0, middle), rest.subarray(middle)];
	const written = [
		SECRET,
		encodeURIComponent(SECRET),
		JSON.stringify(SECRET).slice(1, -1),
		Buffer.concat([before, Buffer.from(SECRET), after]).toString('base64'),
		Buffer.concat([before, Buffer.from(SECRET), after]).toString('base64url'),
	][form % 5];
	const secrets = createSecrets();
	secrets.add(SECRET);
	const shown = secrets.redact(`${before}${written}${after}`);
	for (const found of [SECRET, encodeURIComponent(SECRET)])
		assert.ok(!shown.includes(found), `${JSON.stringify(found)} is shown`);
	for (const [word] of shown.matchAll(/[\w+/=-]{8,}/g))
		assert.ok(!Buffer.from(word, 'base64').includes(SECRET), 'a secret is shown in base64');
}

const KINDS: readonly AssetKind[] = ['codes', 'data', 'environments', 'models', 'components'];

function checkReference(input: Buffer): void {
	const written = input.toString();
	const at = { file: FILE };
	for (const kind of KINDS) {
		const found = parseAssetReference(kind, written, at);
		if (typeof found === 'string') continue;
		assert.ok(found.form !== 'local' && found.form !== 'name', found.form);
		if (found.form === 'version') {
			assert.equal(`azureml:${found.name}:${found.version}`, written);
			assert.ok(found.name !== '' && found.version !== '' && !found.name.includes(':'), 'name and version');
		} else if (found.form === 'label') {
			assert.equal(`azureml:${found.name}@${found.label}`, written);
			assert.ok(found.name !== '' && found.label !== '' && !/[:@]/.test(found.label), 'name and label');
		} else if (found.form === 'uri') assert.equal(found.uri, written);
		else assert.ok(found.id.startsWith('/subscriptions/') && written.endsWith(found.id), found.id);
	}
	const named = parseNamedReference('computes', written, at);
	if (typeof named === 'string' || named.form !== 'name') return;
	assert.match(named.name, /^[^\s/:@]+$/, 'a name is one part of a path');
}

function checkGate(input: Buffer): void {
	const read = parseGate(input.toString());
	if ('fault' in read) {
		assert.match(read.fault, /\S/, 'a fault says something');
		return;
	}
	const { metric, comparison, threshold } = read.gate;
	assert.ok(metric.trim() !== '', 'a gate names a metric');
	const value = threshold.kind === 'number' ? threshold.value : threshold.tolerance;
	assert.ok(Number.isFinite(value), 'a threshold is a number');
	const again = parseGate(`${quoted(metric)} ${comparison} ${thresholdText(threshold)}`);
	assert.deepEqual(
		'gate' in again && { ...again.gate, written: '' },
		{ ...read.gate, written: '' },
		'written out, it is the same gate',
	);
}

function quoted(metric: string): string {
	return `"${metric.split('"').join(`"'"'"`)}"`;
}

function thresholdText(threshold: Gate['threshold']): string {
	const value = threshold.kind === 'number' ? threshold.value : threshold.tolerance;
	const sign = value < 0 || Object.is(value, -0) ? '-' : '+';
	return threshold.kind === 'number' ? `${sign}${Math.abs(value)}` : `champion ${sign} ${Math.abs(value)}`;
}

/** The first line is what is expected, the rest the answer. */
function checkSmokeTest(input: Buffer): void {
	const text = input.toString();
	const end = text.indexOf('\n');
	const [first, answer] = end < 0 ? [text, text] : [text.slice(0, end), text.slice(end + 1)];
	const expected = parseJson(first);
	if (expected === undefined) return;
	const difference = answerContains(answer, expected);
	assert.ok(
		difference === undefined || (/\S/.test(difference) && difference.length < 2 * text.length + 1_000),
		'a difference is short',
	);
	assert.equal(containsJson(expected, expected), undefined, 'what is expected contains itself');
	assert.ok(
		typeof expected === 'string' || answerContains(JSON.stringify(first), expected) === undefined,
		'also as a text',
	);
}
