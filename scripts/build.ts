// `npm run build`: src/ to build/ by tsc, build/ to dist/ by ncc, and the licences of what was bundled.
// Comparing dist/ with a fresh build is check-dist.ts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BundleModule, licensesText, packageFolders, readPackage } from './licenses.ts';

/** Files that the bundler copies and the action never needs: `open` (a browser opener) brings its own xdg-open. */
const UNUSED_FILES: ReadonlySet<string> = new Set(['xdg-open']);
const EXPECTED_FILE = /^([\w.-]+\.js|package\.json)$/;

/**
 * Builds the bundle of the project at `root` into the folder `out`, which is emptied first. Both are absolute paths.
 * Same sources and same `npm ci` give the same bytes. Throws when the compiler or the bundler fails.
 */
export function buildBundle(root: string, out: string): void {
	// The intermediate folder keeps its name, because the bundle holds the module paths relative to the root.
	const intermediate = join(root, 'build');
	rmSync(intermediate, { recursive: true, force: true });
	runTool(root, 'typescript/bin/tsc', ['-p', '.']);
	rmSync(out, { recursive: true, force: true });
	const modules = bundle(root, join(intermediate, 'index.js'), out);
	removeUnusedFiles(out);
	for (const file of readdirSync(out)) {
		const path = join(out, file);
		writeFileSync(path, plainText(readFileSync(path, 'utf8')));
	}
	writeFileSync(join(out, 'LICENSES.txt'), licensesText(packageFolders(modules).map(readPackage)));
}

/**
 * Leaves in `out` what the action runs, and nothing else.
 * Throws at a file that is neither known to be needed nor known to be unused, so that somebody decides.
 */
export function removeUnusedFiles(out: string): void {
	for (const file of readdirSync(out)) {
		if (UNUSED_FILES.has(file)) {
			rmSync(join(out, file));
		} else if (!EXPECTED_FILE.test(file)) {
			throw new Error(
				`The bundler wrote ${file}, which this build does not know. If the action needs it, add it to EXPECTED_FILE in scripts/build.ts; if not, to UNUSED_FILES.`,
			);
		}
	}
}

/**
 * The same program with LF, and in ASCII. Git stores LF only, so that a bundle with the CRLF of some packages would not
 * compare equal with its own check-out. And of a text with one other character in it node keeps two bytes for each, which is
 * several MiB in every run. Where an escape would mean something else, the characters stay.
 */
export function plainText(text: string): string {
	const withLf = text.replaceAll('\r\n', '\n');
	if (/\\[^\0-\x7f]|\braw`[^`]*[^\0-\x7f]/.test(withLf)) return withLf;
	return withLf.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function bundle(root: string, entry: string, out: string): readonly BundleModule[] {
	const scratch = mkdtempSync(join(tmpdir(), 'bundle-stats-'));
	try {
		const stats = join(scratch, 'stats.json');
		runTool(root, '@vercel/ncc/dist/ncc/cli.js', [
			'build',
			entry,
			'-o',
			out,
			'--no-cache',
			'--quiet',
			'--stats-out',
			stats,
		]);
		return (JSON.parse(readFileSync(stats, 'utf8')) as { modules: BundleModule[] }).modules;
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}

function runTool(root: string, tool: string, args: readonly string[]): void {
	const { status } = spawnSync(process.execPath, [join(root, 'node_modules', tool), ...args], {
		cwd: root,
		stdio: 'inherit',
	});
	if (status !== 0) {
		throw new Error(`${tool} failed (exit code ${status}). What it said is above.`);
	}
}

if (import.meta.main) {
	const root = join(import.meta.dirname, '..');
	const out = join(root, 'dist');
	buildBundle(root, out);
	console.log(`dist/ holds ${readdirSync(out).sort().join(', ')}`);
}
