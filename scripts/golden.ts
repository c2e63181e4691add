// `npm run golden -- [--baseline FILE [--update]] [arguments of golden-check]`: compares what the action sends with the
// golden translations, where a copy of them lies beside the project. What must pass is judged in golden-baseline.ts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Baseline, type CaseResult, improvements, regressions, updated } from './golden-baseline.ts';

/** golden-check's own exit code for "nothing could be run". */
const NOTHING_RUN = 2;

interface Request {
	/** A file of the cases that must pass; without it golden-check's own verdict counts. */
	readonly baseline: string | undefined;
	/** Write the baseline anew instead of judging by it. */
	readonly update: boolean;
	readonly passedOn: readonly string[];
}

/** Splits the command line into what is ours and what golden-check gets. Throws when `--baseline` names no file. */
export function readArguments(args: readonly string[]): Request {
	const at = args.indexOf('--baseline');
	const baseline = at < 0 ? undefined : args[at + 1];
	if (at >= 0 && (baseline === undefined || baseline.startsWith('--'))) {
		throw new Error('--baseline needs the name of a file, as in --baseline .ci/golden-baseline.json.');
	}
	const passedOn = args.filter((arg, index) => arg !== '--update' && (at < 0 || (index !== at && index !== at + 1)));
	return { baseline, update: args.includes('--update'), passedOn };
}

function run(root: string, checker: string, request: Request): number {
	const scratch = mkdtempSync(join(tmpdir(), 'golden-results-'));
	try {
		const results = join(scratch, 'results.json');
		const own = request.baseline === undefined ? [] : ['--json', results];
		const args = [checker, '--project', root, ...request.passedOn, ...own];
		const code = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? NOTHING_RUN;
		if (request.baseline === undefined || code === NOTHING_RUN) {
			return code;
		}
		if (!existsSync(results)) {
			console.error('golden: golden-check wrote no results, so there is nothing to judge.');
			return NOTHING_RUN;
		}
		return judge(request.baseline, request.update, JSON.parse(readFileSync(results, 'utf8')) as CaseResult[]);
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}

function judge(file: string, update: boolean, results: readonly CaseResult[]): number {
	if (!existsSync(file) && !update) {
		console.log(`golden: ${file} is not there yet, so nothing is asked for. --update writes it.`);
	}
	const baseline = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Baseline) : {};
	if (update) {
		writeFileSync(file, `${JSON.stringify(updated(baseline, results), null, 2)}\n`);
		console.log(`${file} now asks for what passed.`);
		return 0;
	}
	const lost = regressions(baseline, results);
	const won = improvements(baseline, results);
	for (const name of lost) {
		console.error(`golden: ${name} passed once (it is in ${file}) and does not any more.`);
	}
	if (won > 0) {
		console.log(`golden: ${won} more pass than ${file} asks for. Add --update to keep them.`);
	}
	return lost.length === 0 ? 0 : 1;
}

if (import.meta.main) {
	const root = join(import.meta.dirname, '..');
	const checker = join(root, '..', 'shared', 'tools', 'golden-check.mjs');
	if (existsSync(checker)) {
		// golden-check runs only under its own, real path.
		process.exitCode = run(root, realpathSync(checker), readArguments(process.argv.slice(2)));
	} else {
		console.log('golden: SKIPPED, because there are no golden translations beside this project (../shared).');
	}
}
