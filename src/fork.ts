// Refuses a stranger's code with this repository's cloud identity.
import { InputError } from './errors.ts';
import { at, isObject, numberAt, textAt } from './json.ts';
import type { AskHead, Head } from './report/pull-request.ts';
import type { RunContext } from './run-context.ts';

/**
 * Some events run with the repository's secrets and identity, whoever wrote the code that their workflows check out. With
 * a fork's head that code is a stranger's. `pull_request` is not among them: GitHub gives a fork's neither secrets nor ID
 * tokens.
 * @throws InputError unless the author of the workflow accepts it
 */
export async function refuseForkHead(run: RunContext, allowed: boolean, ask: AskHead): Promise<void> {
	const head = allowed ? undefined : await headOf(run, ask);
	if (head === undefined) return;
	const from = 'unknown' in head ? undefined : head.repository;
	if (from !== undefined && from.toLowerCase() === run.repository?.toLowerCase()) return;
	const starter = from === undefined ? 'an unknown repository' : `the fork ${from}`;
	const doubt = 'unknown' in head ? ` (where its pull request comes from is not known: ${head.unknown})` : '';
	throw new InputError([
		{
			message: `allow-fork-head: ${run.eventName} is about ${starter}${doubt}, whose code would run with this repository's cloud identity. Use \`pull_request\` with \`dry-run\` for forks, or set \`allow-fork-head: true\` after reviewing what is checked out.`,
		},
	]);
}

/** Where the code is that the event is about; undefined where it is about none of somebody else. */
async function headOf({ eventName, event }: RunContext, ask: AskHead): Promise<Head | undefined> {
	switch (eventName) {
		case 'pull_request_target':
			return { repository: textAt(event, 'pull_request', 'head', 'repo', 'full_name') };
		case 'workflow_run':
			// Of a push or schedule the head is the repository itself; no head at all is a deleted fork.
			return { repository: textAt(event, 'workflow_run', 'head_repository', 'full_name') };
		case 'repository_dispatch': {
			// Whoever sends it may write; this is what the usual dispatchers of slash commands hand on.
			const pullRequest = at(event, 'client_payload', 'pull_request');
			return isObject(at(pullRequest, 'head'))
				? { repository: textAt(pullRequest, 'head', 'repo', 'full_name') }
				: undefined;
		}
		case 'issue_comment': {
			const issue = at(event, 'issue');
			if (isObject(issue) && issue['pull_request'] === undefined) return undefined;
			const number = numberAt(issue, 'number');
			return number === undefined ? { unknown: 'the event does not tell its number' } : ask(number);
		}
		default:
			return undefined;
	}
}
