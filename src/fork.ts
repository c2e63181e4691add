// Refuses a stranger's code with this repository's cloud identity.
import { InputError } from './errors.ts';
import { at, textAt } from './json.ts';
import type { RunContext } from './run-context.ts';

/**
 * `pull_request_target` and `workflow_run` run with the repository's secrets and identity, whoever wrote the code that a
 * workflow checks out. With a fork's head that code is a stranger's.
 * @throws InputError unless the author of the workflow accepts it
 */
export function refuseForkHead(run: RunContext, allowed: boolean): void {
	if (allowed) return;
	const head =
		run.eventName === 'pull_request_target'
			? at(run.event, 'pull_request', 'head', 'repo')
			: run.eventName === 'workflow_run'
				? at(run.event, 'workflow_run', 'head_repository')
				: undefined;
	if (run.eventName !== 'pull_request_target' && run.eventName !== 'workflow_run') return;
	const from = textAt(head, 'full_name');
	if (from !== undefined && from.toLowerCase() === run.repository?.toLowerCase()) return;
	// A workflow_run of a push or schedule has the repository itself as its head; no head at all is a deleted fork.
	throw new InputError([
		{
			message: `allow-fork-head: ${run.eventName} was started by ${from === undefined ? 'an unknown repository' : `the fork ${from}`}, whose code would run with this repository's cloud identity. Use \`pull_request\` with \`dry-run\` for forks, or set \`allow-fork-head: true\` after reviewing what is checked out.`,
		},
	]);
}
