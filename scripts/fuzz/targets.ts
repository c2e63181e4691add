// What is fuzzed: the parts of the action that read what others wrote, with inputs and words to begin with. What must hold
// is checks.ts's.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
	checkGate,
	checkLog,
	checkLogLines,
	checkReference,
	checkSecrets,
	checkSet,
	checkSmokeTest,
	checkYaml,
	SECRET,
} from './checks.ts';

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
