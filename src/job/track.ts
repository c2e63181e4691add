// The line of work that a job belongs to: one job file, for one pull request or branch. How jobs of it are known by a tag.
import { createHash } from 'node:crypto';
import { relative, resolve, sep } from 'node:path';
import { at, isObject, textAt } from '../json.ts';
import type { RunContext } from '../run-context.ts';

/** What the keys of the tags begin with. */
export const TRACK_TAG = 'github.track.';

/** A line of work. */
export interface Track {
	/**
	 * The tag of its jobs. The job list of Azure ML filters by a tag's key and not by its value, so the key itself tells
	 * tracks apart.
	 */
	readonly tag: string;
	/** The tag's value, for people: `job.yml for pull request 7`. */
	readonly text: string;
	/** `pull request 7`, `branch main`. */
	readonly subject: string;
}

/** The track of this run's jobs from a job file; undefined where the run is about no branch of a repository. */
export function trackOf(run: RunContext, jobFile: string): Track | undefined {
	const subject = subjectOf(run);
	return subject === undefined ? undefined : track(run, jobFile, subject);
}

/** The track that this run's metrics are compared with, and the name of its branch: the base of a pull request, else the default branch. */
export function baseTrackOf(
	run: RunContext,
	jobFile: string,
): { readonly track: Track; readonly branch: string } | undefined {
	const base = textAt(run.event, 'pull_request', 'base', 'ref') ?? textAt(run.event, 'repository', 'default_branch');
	// Outside of pull requests a payload may name no default branch; the branch itself is compared with then.
	const branch = base ?? (run.pullRequest === undefined ? run.branch : undefined);
	const found = branch === undefined ? undefined : track(run, jobFile, `branch ${branch}`);
	return branch === undefined || found === undefined ? undefined : { track: found, branch };
}

/** The path of a job file as all runs of the repository have it, however the workflow wrote it. */
export function jobFileName(run: RunContext, jobFile: string): string {
	return relative(run.checkout, resolve(run.checkout, jobFile)).split(sep).join('/');
}

function track(run: RunContext, jobFile: string, subject: string): Track | undefined {
	if (run.repository === undefined) return undefined;
	const name = jobFileName(run, jobFile);
	const digest = createHash('sha256').update(JSON.stringify([run.repository.toLowerCase(), name, subject]));
	return { tag: `${TRACK_TAG}${digest.digest('hex').slice(0, 16)}`, text: `${name} for ${subject}`, subject };
}

function subjectOf(run: RunContext): string | undefined {
	if (run.pullRequest !== undefined) return `pull request ${run.pullRequest}`;
	// A workflow that another one starts runs on the default branch, whatever branch the other one was about.
	const head = textAt(run.event, 'workflow_run', 'head_branch');
	if (run.eventName === 'workflow_run' && head !== undefined) {
		const from = textAt(run.event, 'workflow_run', 'head_repository', 'full_name') ?? run.repository;
		return from === run.repository ? `branch ${head}` : `branch ${head} of ${from}`;
	}
	if (run.branch === undefined) return undefined;
	const isTag = run.ref?.startsWith('refs/tags/') ?? isObject(at(run.event, 'release'));
	return `${isTag ? 'tag' : 'branch'} ${run.branch}`;
}
