// The rules of the house: who may import whom, who may read the environment, and what files may be called and weigh.
// docs/architecture.md has the drawing that this keeps true.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');

interface Import {
	readonly from: string;
	/** Path from the root for a file of ours, else the package's name. */
	readonly to: string;
	/** `import type`, which is gone when the program runs. */
	readonly typeOnly: boolean;
}

function filesBelow(folder: string, name: RegExp): string[] {
	const top = join(ROOT, folder);
	if (!existsSync(top)) {
		return [];
	}
	return readdirSync(top, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && name.test(entry.name))
		.map((entry) => slashed(join(entry.parentPath, entry.name)))
		.sort();
}

function slashed(path: string): string {
	return relative(ROOT, path).split(sep).join('/');
}

function textOf(file: string): string {
	return readFileSync(join(ROOT, file), 'utf8');
}

const STATEMENT = /^[ \t]*(?:import|export)\s+(?<type>type\s+)?(?:[^'";]*?\bfrom\s*)?'(?<specifier>[^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'(?<specifier>[^']+)'/g;

function importsOf(from: string, text = textOf(from)): Import[] {
	return [...text.matchAll(STATEMENT), ...text.matchAll(DYNAMIC)].map(({ groups }) => {
		const specifier = groups?.['specifier'] ?? '';
		const to = specifier.startsWith('.') ? slashed(resolve(ROOT, dirname(from), specifier)) : specifier;
		return { from, to, typeOnly: groups?.['type'] !== undefined };
	});
}

const SRC = filesBelow('src', /\.ts$/);
const EMULATOR = filesBelow('emulator', /\.ts$/);
const SRC_IMPORTS = SRC.flatMap((file) => importsOf(file));
const INSIDE_SRC = SRC_IMPORTS.filter(({ to }) => to.startsWith('src/'));

const shown = ({ from, to }: Import): string => `${from} imports ${to}`;

/** Files that everybody may use. They use one another only. */
const GROUND = [
	'errors',
	'clock',
	'json',
	'duration',
	'secrets',
	'run-context',
	'log',
	'memory',
	'thread-hash',
	'slashes',
];
/** The files that tell the run: main.ts, its steps, and what they begin with. */
const STORY = ['main', 'steps', 'files', 'fork', 'post'];

/** For each room the rooms below it; the ground is below all of them. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
	index: ['story'],
	story: ['inputs', 'read-run-context', 'report', 'plan', 'gate', 'endpoint', 'job', 'asset', 'yaml', 'azure'],
	inputs: ['read-run-context'],
	'read-run-context': [],
	report: [],
	plan: ['asset', 'azure'],
	gate: ['endpoint', 'job', 'asset', 'yaml', 'azure'],
	endpoint: ['asset', 'yaml', 'azure'],
	job: ['asset', 'yaml', 'azure'],
	asset: ['yaml', 'azure'],
	yaml: [],
	azure: [],
	ground: [],
};
/** Rooms whose types may be named, though their code may not be run. */
const TYPES_OF: Readonly<Record<string, readonly string[]>> = {
	inputs: ['azure'],
	report: ['gate', 'endpoint', 'job', 'asset', 'azure', 'plan'],
	plan: ['job'],
};
/** Single files of words and grammar that a room may use without entering the rest of theirs. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
	inputs: ['src/azure/cloud.ts', 'src/endpoint/traffic.ts', 'src/gate/grammar.ts', 'src/job/name.ts'],
	report: ['src/job/job.ts'],
};

function roomOf(file: string): string {
	const [first = '', ...rest] = file.replace(/^src\//, '').split('/');
	const name = first.replace(/\.ts$/, '');
	if (rest.length > 0 && name !== 'steps') {
		return name;
	}
	return GROUND.includes(name) ? 'ground' : STORY.includes(name) ? 'story' : name;
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
	const room = roomOf(from);
	const other = roomOf(to);
	return (
		room === other ||
		other === 'ground' ||
		(BELOW[room]?.includes(other) ?? false) ||
		(typeOnly && (TYPES_OF[room]?.includes(other) ?? false)) ||
		(DOORS[room]?.includes(to) ?? false)
	);
}

/** The first circle of imports that run, as the list of its files; undefined when there is none. */
function findCircle(imports: readonly Import[]): string[] | undefined {
	const next = new Map<string, Import[]>();
	for (const one of imports.filter(({ typeOnly }) => !typeOnly)) {
		next.set(one.from, [...(next.get(one.from) ?? []), one]);
	}
	const done = new Set<string>();
	const walk = (file: string, path: readonly string[]): string[] | undefined => {
		if (path.includes(file)) {
			return [...path.slice(path.indexOf(file)), file];
		}
		if (done.has(file)) {
			return undefined;
		}
		for (const { to } of next.get(file) ?? []) {
			const circle = walk(to, [...path, file]);
			if (circle !== undefined) {
				return circle;
			}
		}
		done.add(file);
		return undefined;
	};
	for (const file of next.keys()) {
		const circle = walk(file, []);
		if (circle !== undefined) {
			return circle;
		}
	}
	return undefined;
}

describe('the reader of imports', () => {
	test('sees every form of import', () => {
		const text = [
			"import 'node:fs';",
			"import type { A } from './a.ts';",
			"import {\n\tB,\n\ttype C,\n} from '../b.ts';",
			"export * from './d.ts';",
			"export type { E } from './e.ts';",
			"const f = await import('./f.ts');",
		].join('\n');
		expect(importsOf('src/job/x.ts', text).map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
			['node:fs', false],
			['src/job/a.ts', true],
			['src/b.ts', false],
			['src/job/d.ts', false],
			['src/job/e.ts', true],
			['src/job/f.ts', false],
		]);
	});

	test('finds a circle, but not one of types', () => {
		const edge = (from: string, to: string, typeOnly = false): Import => ({ from, to, typeOnly });
		expect(findCircle([edge('a', 'b'), edge('b', 'c'), edge('c', 'b')])).toEqual(['b', 'c', 'b']);
		expect(findCircle([edge('a', 'b'), edge('b', 'a', true), edge('a', 'c'), edge('b', 'c')])).toBeUndefined();
	});
});

describe('the drawing', () => {
	const allowed = (from: string, to: string, typeOnly = false): boolean => isAllowed({ from, to, typeOnly });

	test('goes down, never up, and never across', () => {
		expect(allowed('src/job/body.ts', 'src/asset/reference.ts')).toBe(true);
		expect(allowed('src/asset/reference.ts', 'src/job/body.ts')).toBe(false);
		expect(allowed('src/asset/reference.ts', 'src/job/body.ts', true)).toBe(false);
		expect(allowed('src/job/body.ts', 'src/endpoint/rollout.ts')).toBe(false);
		expect(allowed('src/endpoint/rollout.ts', 'src/job/body.ts', true)).toBe(false);
		expect(allowed('src/azure/arm.ts', 'src/yaml/load.ts')).toBe(false);
		expect(allowed('src/errors.ts', 'src/azure/arm.ts', true)).toBe(false);
		expect(allowed('src/azure/arm.ts', 'src/inputs.ts', true)).toBe(false);
		expect(allowed('src/job/body.ts', 'src/main.ts', true)).toBe(false);
		expect(allowed('src/yaml/load.ts', 'src/errors.ts')).toBe(true);
	});

	test('lets the report name types of what it reports, not run it', () => {
		expect(allowed('src/report/markdown.ts', 'src/endpoint/rollout.ts', true)).toBe(true);
		expect(allowed('src/report/markdown.ts', 'src/endpoint/rollout.ts')).toBe(false);
	});
});

describe('src', () => {
	test('has files', () => {
		expect(SRC.length).toBeGreaterThan(20);
	});

	test('has no file outside the rooms of the drawing', () => {
		expect(SRC.filter((file) => !(roomOf(file) in BELOW))).toEqual([]);
	});

	test('imports downwards only', () => {
		expect(INSIDE_SRC.filter((one) => !isAllowed(one)).map(shown)).toEqual([]);
	});

	test('has no circle of imports', () => {
		expect(findCircle(INSIDE_SRC)).toBeUndefined();
	});

	test('imports nothing of the emulator, the scripts or the tests', () => {
		const outside = SRC_IMPORTS.filter(({ to }) => /^(emulator|scripts|__tests__)\//.test(to));
		expect(outside.map(shown)).toEqual([]);
	});

	test('talks to the runner in few places only', () => {
		const mayTalk = /^src\/(inputs|log|index)\.ts$|^src\/report\//;
		const talking = SRC_IMPORTS.filter(({ from, to }) => to.startsWith('@actions/') && !mayTalk.test(from));
		expect(talking.map(shown)).toEqual([]);
	});

	test('looks for the end of a text where a run begins only', () => {
		// `/\/+$/` tries each slash of a run anew: a megabyte of them takes minutes. `/(?<!\/)\/+$/` does not.
		const everyPlace = /[(=|]\s*\/?(?:\\.|\[[^\]]+\])[+*]\$\//;
		expect("text.replace(/\\/+$/, '')").toMatch(everyPlace);
		expect('text.replace(/^[-_]+|[-_]+$/g)').toMatch(everyPlace);
		expect("text.replace(/(?<!\\/)\\/+$/, '')").not.toMatch(everyPlace);
		expect(SRC.filter((file) => everyPlace.test(textOf(file)))).toEqual([]);
	});

	test('reads the environment in inputs.ts and index.ts only', () => {
		const reading = SRC.filter((file) =>
			/\bprocess\s*(\.\s*env\b|\[)|\{[^}]*\benv\b[^}]*\} from 'node:process'/.test(textOf(file)),
		);
		expect(reading.filter((file) => file !== 'src/inputs.ts' && file !== 'src/index.ts')).toEqual([]);
	});
});

describe('the emulator', () => {
	test('imports nothing of src, the scripts or the tests', () => {
		const imports = EMULATOR.flatMap((file) => importsOf(file));
		expect(imports.filter(({ to }) => /^(src|scripts|__tests__)\//.test(to)).map(shown)).toEqual([]);
	});

	test('has no circle of imports', () => {
		expect(findCircle(EMULATOR.flatMap((file) => importsOf(file)))).toBeUndefined();
	});
});

describe('files', () => {
	const LONGEST = 400;
	const sources = [...SRC, ...EMULATOR, ...filesBelow('emulator', /\.py$/)];

	test('are named by what they are about', () => {
		const everywhere = [...sources, ...filesBelow('scripts', /\.m?[jt]s$/), ...filesBelow('__tests__', /\.ts$/)];
		const nameless = /(^|[/_-])(utils?|helpers?|common|misc)([/._-]|$)/i;
		expect(everywhere.filter((file) => nameless.test(file))).toEqual([]);
	});

	test(`have ${LONGEST} lines at the most`, () => {
		const lengths = sources.map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }));
		expect(lengths.filter(({ lines }) => lines > LONGEST)).toEqual([]);
	});
});

/** Written in parts, so that this file does not hold what it looks for. */
const REGISTRY_HOSTS = [
	['registry', 'npmjs', 'org'],
	['registry', 'yarnpkg', 'com'],
	['npm', 'pkg', 'github', 'com'],
	['pypi', 'org'],
	['pypi', 'python', 'org'],
	['files', 'pythonhosted', 'org'],
	['conda', 'anaconda', 'org'],
	['crates', 'io'],
	['proxy', 'golang', 'org'],
	['rubygems', 'org'],
].map((parts) => parts.join('.'));

const underGit = existsSync(join(ROOT, '.git'));

(underGit ? describe : describe.skip)('what git tracks', () => {
	const tracked = (): string[] =>
		execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
			.split('\0')
			.filter((file) => file !== '' && existsSync(join(ROOT, file)));

	test('names no host of a package registry, so that any registry will do', () => {
		const naming = tracked().flatMap((file) => {
			const text = readFileSync(join(ROOT, file), 'latin1');
			return REGISTRY_HOSTS.filter((host) => text.includes(host)).map((host) => `${file} names ${host}`);
		});
		expect(naming).toEqual([]);
	});

	test('has no folder of installed or generated things but dist', () => {
		expect(
			tracked().filter((file) => /(^|\/)(node_modules|build|coverage|\.emulator|__pycache__)\//.test(file)),
		).toEqual([]);
	});
});
