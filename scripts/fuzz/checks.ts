// What must hold of the parts that are fuzzed, whatever the input: each check throws where it does not. Which inputs are
// tried is targets.ts's and mutate.ts's.
import assert from 'node:assert/strict';
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

const FILE = 'job.yml';
/** The secret that must not be shown. */
export const SECRET = 'canary/Pa+ss w0rd=';

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

export function checkYaml(input: Buffer): void {
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

export function checkSet(input: Buffer): void {
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

export function checkLog(input: Buffer): void {
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
export function checkLogLines(input: Buffer): void {
	const [size = 1] = input;
	const bytes = input.subarray(1);
	const linesIn = (slice: number): { lines: string[]; invalid: number } => {
		const lines: string[] = [];
		const reader = new LogLines((text) => lines.push(...text.split('\n')));
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
export function checkSecrets(input: Buffer): void {
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

export function checkReference(input: Buffer): void {
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

export function checkGate(input: Buffer): void {
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
export function checkSmokeTest(input: Buffer): void {
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
