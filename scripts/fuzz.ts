// `npm run fuzz -- [--seconds N] [--seed N] [--target NAME] [--input BASE64]`: gives what others write (files, logs, answers)
// by chance to the parts that read it. First texts that look right (fast-check), then bytes: an input that reaches new code
// is kept and changed further. Exits with 1 where something does not hold; what must hold is in fuzz/checks.ts.
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { chanceOf } from '../__tests__/job/log-scene.ts';
import { Coverage } from './fuzz/coverage.ts';
import { type Chance, mutate, shrink } from './fuzz/mutate.ts';
import { TARGETS, type Target, textsOf } from './fuzz/targets.ts';

/** An input for which something does not hold, made as small as it could be. */
export interface Find {
	readonly target: string;
	readonly input: Buffer;
	readonly why: string;
}

/** How a target fared. */
export interface Tried {
	readonly texts: number;
	readonly bytes: number;
	/** How many inputs were kept because they reached new code. */
	readonly kept: number;
	readonly find: Find | undefined;
}

/** What may have been run by an input: our sources, and the YAML parser. */
const MEASURED = /\/src\/.*\.ts$|\/node_modules\/yaml\//;
/** How many inputs run before V8 is asked what they have reached, which takes as long as many of them. */
const BATCH = 32;
/** The longest that one input may take, in milliseconds of computing. */
const SLOWEST = 3_000;
/** How much of the time goes to texts. */
const SHARE_OF_TEXTS = 0.3;

/** Tries one target for some milliseconds. */
export function fuzz(target: Target, milliseconds: number, seed: number): Tried {
	const texts = tryTexts(target, milliseconds * SHARE_OF_TEXTS, seed);
	if (texts.find !== undefined) return { ...texts, bytes: 0, kept: 0 };
	return { ...tryBytes(target, milliseconds * (1 - SHARE_OF_TEXTS), chanceOf(seed)), texts: texts.texts };
}

function tryTexts(target: Target, milliseconds: number, seed: number): { texts: number; find: Find | undefined } {
	const result = fc.check(
		fc.property(textsOf(target), (text) => {
			const why = faultOf(target, Buffer.from(text));
			if (why !== undefined) throw new Error(why);
		}),
		{ seed, numRuns: 10_000_000, interruptAfterTimeLimit: milliseconds, maxSkipsPerRun: 0 },
	);
	const [text] = result.counterexample ?? [];
	const find = text === undefined ? undefined : findOf(target, Buffer.from(text));
	return { texts: result.numRuns, find };
}

function tryBytes(target: Target, milliseconds: number, chance: Chance): Omit<Tried, 'texts'> {
	const words = target.words.map((word) => Buffer.from(word));
	const corpus = sample(target.corpus, chance).map((text) => Buffer.from(text));
	const kept: Buffer[] = [];
	const coverage = new Coverage(MEASURED);
	/** Of inputs that reach new code together, those that do so by themselves. */
	const reaching = (some: readonly Buffer[]): readonly Buffer[] => {
		if (some.length === 1) return some;
		const half = Math.ceil(some.length / 2);
		return [some.slice(0, half), some.slice(half)].flatMap((part) => {
			const again = coverage.snapshot();
			for (const input of part) faultOf(target, input);
			if (coverage.fresh() === 0) return [];
			if (part.length > 1) again();
			return reaching(part);
		});
	};
	const end = Date.now() + milliseconds;
	let bytes = 0;
	let inputs: readonly Buffer[] = corpus;
	try {
		while (Date.now() < end) {
			bytes += inputs.length;
			const again = coverage.snapshot();
			const bad = inputs.find((input) => faultOf(target, input) !== undefined);
			if (bad !== undefined) return { bytes, kept: kept.length, find: findOf(target, bad) };
			if (coverage.fresh() > 0) {
				again();
				kept.push(...reaching(inputs));
			}
			const all = [...corpus, ...kept];
			inputs = Array.from({ length: BATCH }, () => {
				const from = kept.length > 0 && chance() < 0.5 ? kept : all;
				return mutate(oneOf(from, chance), all, words, chance);
			});
		}
		return { bytes, kept: kept.length, find: undefined };
	} finally {
		coverage.close();
	}
}

/** Some of many texts, short ones: what a long one holds is in several short ones too, and those run faster. */
function sample(texts: readonly string[], chance: Chance): readonly string[] {
	const short = texts.filter((text) => text.length < 3_000);
	return short.length <= BATCH
		? short
		: Array.from({ length: BATCH }, () => short[Math.floor(chance() * short.length)] ?? '');
}

function oneOf(inputs: readonly Buffer[], chance: Chance): Buffer {
	return inputs[Math.floor(chance() * inputs.length)] ?? Buffer.alloc(0);
}

/** Why something does not hold for an input, as one line; undefined where all does. */
export function faultOf(target: Target, input: Buffer): string | undefined {
	const before = process.cpuUsage();
	try {
		target.check(input);
	} catch (error) {
		return String(error instanceof Error ? `${error.name}: ${error.message}` : error).split('\n', 1)[0];
	}
	const { user, system } = process.cpuUsage(before);
	const took = (user + system) / 1_000;
	return took > SLOWEST ? `It took more than ${SLOWEST} ms` : undefined;
}

function findOf(target: Target, input: Buffer): Find {
	const why = faultOf(target, input) ?? 'It failed once, and not again';
	const same = (bytes: Buffer): boolean => faultOf(target, bytes)?.slice(0, 40) === why.slice(0, 40);
	const small = why.startsWith('It ') ? input : shrink(input, same);
	return { target: target.name, input: small, why: faultOf(target, small) ?? why };
}

function tell({ target, input, why }: Find): void {
	console.error(`\nFOUND in ${target}: ${why}`);
	console.error(`  input: ${JSON.stringify(input.toString())}`);
	console.error(`  again: npm run fuzz -- --target ${target} --input ${input.toString('base64') || "''"}`);
}

function main(): void {
	const { values } = parseArgs({
		options: {
			seconds: { type: 'string', default: '60' },
			seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
			target: { type: 'string' },
			input: { type: 'string' },
		},
	});
	const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
	if (targets.length === 0)
		throw new Error(`There is no target ${values.target}: ${TARGETS.map(({ name }) => name).join(', ')}`);
	if (values.input !== undefined) {
		const input = Buffer.from(values.input, 'base64');
		for (const target of targets) target.check(input);
		console.log('All holds for this input.');
		return;
	}
	const seed = Number(values.seed);
	console.log(`fuzz: --seed ${seed}, ${values.seconds} s for ${targets.map(({ name }) => name).join(', ')}`);
	for (const target of targets) {
		const { texts, bytes, kept, find } = fuzz(target, (Number(values.seconds) * 1_000) / targets.length, seed);
		console.log(
			`${target.name.padEnd(10)} ${texts} texts, ${bytes} byte strings, ${kept} kept${find ? ', 1 FIND' : ''}`,
		);
		if (find === undefined) continue;
		tell(find);
		process.exitCode = 1;
	}
}

if (import.meta.main) main();
