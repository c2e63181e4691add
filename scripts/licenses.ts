// The licences of the packages that end up in dist/: which packages the bundler took, and what their own files say.
// How the bundle is made is in build.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One package whose code is part of the bundle, with the texts that its licence asks us to carry along. */
export interface BundledPackage {
	readonly name: string;
	readonly version: string;
	readonly license: string;
	readonly texts: readonly string[];
}

/** The part of webpack's statistics that is read here: modules, and modules concatenated into a module. */
export interface BundleModule {
	readonly name?: string;
	readonly nameForCondition?: string | null;
	readonly modules?: readonly BundleModule[];
}

interface Manifest {
	readonly name?: string;
	readonly version?: string;
	readonly license?: unknown;
}

const TEXT_FILE = /^(licen[cs]e|copying|notice|copyrightnotice)(-\w+)?(\.(md|markdown|txt))?$/i;
const PACKAGE_FOLDER = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;

/** The package folders that the bundler read modules from, each once, sorted. */
export function packageFolders(modules: readonly BundleModule[]): string[] {
	const folders = new Set<string>();
	const visit = (module: BundleModule): void => {
		const folder = PACKAGE_FOLDER.exec(module.nameForCondition ?? module.name ?? '')?.[0];
		if (folder !== undefined) {
			folders.add(folder);
		}
		module.modules?.forEach(visit);
	};
	modules.forEach(visit);
	return [...folders].sort();
}

/** Reads a package's name, version and licence from its folder. A package that declares no licence is an error. */
export function readPackage(folder: string): BundledPackage {
	const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
	if (typeof manifest.license !== 'string' || manifest.license === '') {
		throw new Error(
			`${folder} declares no licence in its package.json, so it may not be bundled. Find out its licence, or drop it.`,
		);
	}
	const texts = readdirSync(folder)
		.filter((file) => TEXT_FILE.test(file))
		.sort()
		.map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
	return { name: manifest.name ?? folder, version: manifest.version ?? '', license: manifest.license, texts };
}

/** The text of LICENSES.txt: the packages by name and version, each with its texts; the same bytes for the same packages. */
export function licensesText(packages: readonly BundledPackage[]): string {
	const sections = new Map<string, string>();
	for (const { name, version, license, texts } of packages) {
		const body = texts.length > 0 ? texts.join('\n\n') : `(The package ships no licence text; it declares: ${license})`;
		sections.set(`${name}@${version}`, `${name} ${version}\n${license}\n\n${body}\n`);
	}
	const ordered = [...sections].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, section]) => section);
	const rule = `${'-'.repeat(80)}\n`;
	return `The bundle in this folder contains code of the packages below, each under its own licence.\n\n${rule}${ordered.join(`\n${rule}`)}`;
}
