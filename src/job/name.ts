// Names of jobs and experiments: derived so that a repeated run finds its own job, and made valid from whatever text.
import { createHash, randomUUID } from 'node:crypto';
import { basename, extname } from 'node:path';
import type { RunContext } from '../run-context.ts';

const LONGEST = 255;

/** Whether Azure ML takes the text for the name of a job. */
export function isValidName(text: string): boolean {
	return /^[a-zA-Z0-9][\w-]{0,254}$/.test(text);
}

/**
 * A valid name from any text: letters, digits, `-` and `_`, beginning with a letter or digit. Undefined where nothing of it is left.
 */
export function validName(text: string): string | undefined {
	const valid = text
		.normalize('NFKD')
		.replace(/\p{M}+/gu, '')
		.replace(/[^\w-]+/g, '-')
		.replace(/^[-_]+|(?<![-_])[-_]+$/g, '')
		.slice(0, LONGEST);
	return valid === '' ? undefined : valid;
}

/**
 * The valid name for one that holds a branch's name, as in `train-feature/x`. Undefined for a text with what git allows in no
 * branch name (spaces and some signs): that is a mistake.
 */
export function jobNameOfBranch(text: string): string | undefined {
	return /[\s~^:?*[\\]/.test(text) ? undefined : validName(text);
}

/**
 * The experiment to use where a file or `set` made its name from a branch's; any other is the service's to judge, which
 * takes more letters than it says.
 */
export function experimentOfBranch(text: string, { branch }: RunContext): string {
	const holdsBranch = text.includes('/') || (branch !== undefined && !isValidName(branch) && text.includes(branch));
	return holdsBranch && !isValidName(text) ? (validName(text) ?? text) : text;
}

/**
 * The name of this workflow run's job: the same for every attempt of the run, another for other inputs.
 * Outside of a workflow run it is a new one each time.
 */
export function deriveJobName(jobFile: string, identity: Readonly<Record<string, string>>, run: RunContext): string {
	const stem = basename(jobFile, extname(jobFile));
	const readable = (
		validName(/^(job|train|pipeline|main)$/i.test(stem) ? `${folderOf(jobFile, run)}-${stem}` : stem) ?? 'job'
	).toLowerCase();
	const facts = run.runId === undefined ? [randomUUID()] : [run.repository, run.runId, run.workflow, run.job, identity];
	const digest = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 12);
	return `${readable.slice(0, 60)}-${run.runId === undefined ? '' : `${run.runId}-`}${digest}`;
}

/** A file called job.yml says nothing; its folder (or the repository) does. */
function folderOf(jobFile: string, run: RunContext): string {
	const folder = jobFile
		.split('/')
		.slice(0, -1)
		.findLast((part) => !['.', '..', ''].includes(part));
	return folder ?? run.repository?.split('/')[1] ?? 'azureml';
}

/** The experiment that jobs go to when their file names none: the repository's name, as the CLI takes the folder's. */
export function defaultExperiment(run: RunContext): string {
	return validName(run.repository?.split('/')[1] ?? basename(run.checkout)) ?? 'Default';
}
