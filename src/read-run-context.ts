// Reads the facts of the workflow run from the variables and the event file that the runner sets. Used by inputs.ts alone.
import { readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { at, numberAt, parseJson, textAt } from './json.ts';
import type { RunContext } from './run-context.ts';

/** Where the runner keeps what is its own: commands of the step, the event, temporary files with credentials. */
const RUNNER_PATHS = [
	'RUNNER_TEMP',
	'GITHUB_EVENT_PATH',
	'GITHUB_OUTPUT',
	'GITHUB_ENV',
	'GITHUB_PATH',
	'GITHUB_STATE',
	'GITHUB_STEP_SUMMARY',
];

/** The run context from the runner's environment; whatever is missing there is undefined. */
export function readRunContext(env: Readonly<Record<string, string | undefined>>): RunContext {
	const value = (name: string): string | undefined => env[name]?.trim() || undefined;
	const event = readEvent(value('GITHUB_EVENT_PATH'));
	const repository = value('GITHUB_REPOSITORY');
	const serverUrl = value('GITHUB_SERVER_URL') ?? 'https://github.com';
	const runId = value('GITHUB_RUN_ID');
	const ref = value('GITHUB_REF');
	const pullRequest =
		numberAt(event, 'pull_request', 'number') ??
		(at(event, 'issue', 'pull_request') ? numberAt(event, 'issue', 'number') : undefined);
	return {
		repository,
		ref,
		runId,
		serverUrl,
		event,
		pullRequest,
		actionRepository: value('GITHUB_ACTION_REPOSITORY'),
		sha: value('GITHUB_SHA'),
		branch: value('GITHUB_HEAD_REF') ?? value('GITHUB_REF_NAME') ?? ref?.replace(/^refs\/(heads|tags)\//, ''),
		runAttempt: value('GITHUB_RUN_ATTEMPT'),
		runNumber: value('GITHUB_RUN_NUMBER'),
		workflow: value('GITHUB_WORKFLOW'),
		job: value('GITHUB_JOB'),
		actor: value('GITHUB_ACTOR'),
		eventName: value('GITHUB_EVENT_NAME'),
		apiUrl: value('GITHUB_API_URL') ?? 'https://api.github.com',
		headSha: textAt(event, 'pull_request', 'head', 'sha'),
		checkout: realPath(value('GITHUB_WORKSPACE') ?? process.cwd()),
		temp: value('RUNNER_TEMP') ?? tmpdir(),
		runnerPaths: RUNNER_PATHS.flatMap((name) => value(name) ?? []),
		runUrl:
			repository === undefined || runId === undefined ? undefined : `${serverUrl}/${repository}/actions/runs/${runId}`,
	};
}

function readEvent(path: string | undefined): unknown {
	if (path === undefined) return undefined;
	try {
		return parseJson(readFileSync(path, 'utf8'));
	} catch {
		// Without the event's file the run goes on with what the variables say.
		return undefined;
	}
}

function realPath(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}
