// `npm run golden -- [arguments of golden-check]`: compares what the built action sends with the golden translations of
// CLI v2 files, where a copy of them lies beside the project. All of them must be equal.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const checker = join(root, '..', 'shared', 'tools', 'golden-check.mjs');
if (existsSync(checker)) {
	// golden-check runs only under its own, real path.
	const args = [realpathSync(checker), '--project', root, ...process.argv.slice(2)];
	process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
} else {
	console.log('golden: SKIPPED, because there are no golden translations beside this project (../shared).');
}
