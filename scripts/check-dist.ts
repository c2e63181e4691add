// `node scripts/check-dist.ts`: is dist/ what the sources build? Compares it byte for byte with a fresh build.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBundle } from './build.ts';

/** The files that differ between two folders, sorted, each as `name: missing`, `name: unexpected` or `name: differs`. */
export function differences(committed: string, fresh: string): string[] {
	const before = filesBelow(committed);
	const after = filesBelow(fresh);
	return [...new Set([...before, ...after])].sort().flatMap((name) => {
		if (!before.has(name)) {
			return [`${name}: missing`];
		}
		if (!after.has(name)) {
			return [`${name}: unexpected`];
		}
		return readFileSync(join(committed, name)).equals(readFileSync(join(fresh, name))) ? [] : [`${name}: differs`];
	});
}

function filesBelow(folder: string): Set<string> {
	if (!existsSync(folder)) {
		return new Set();
	}
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
	return new Set(
		entries
			.filter((entry) => !entry.isDirectory())
			.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
	);
}

function main(): void {
	const root = join(import.meta.dirname, '..');
	const scratch = mkdtempSync(join(tmpdir(), 'check-dist-'));
	try {
		const fresh = join(scratch, 'dist');
		buildBundle(root, fresh);
		const found = differences(join(root, 'dist'), fresh);
		if (found.length === 0) {
			console.log(`dist/ is what the sources build (${filesBelow(fresh).size} files).`);
			return;
		}
		console.error('dist/ is not what the sources build:');
		for (const line of found) {
			console.error(`  ${line}`);
		}
		console.error('Run `npm ci && npm run build` and commit dist/ with the change.');
		process.exitCode = 1;
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}

if (import.meta.main) {
	main();
}
