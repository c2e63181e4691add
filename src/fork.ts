// Refuses a stranger's code with this repository's cloud identity.
import { InputError } from './errors.ts';
import { at, textAt } from './json.ts';
import type { RunContext } from './run-context.ts';

/**
 * `pull_request_target` and `workflow_run` run with the repository's secrets and identity, whoever wrote the code that a
 * workflow checks out. With a fork's head that code is a stranger's.
 * @throws InputError unless the author of the workflow accepts it
 */
export function refuseForkHead({ eventName, event, repository }: RunContext, allowed: boolean): void {
	if (allowed || (eventName !== 'pull_request_target' && eventName !== 'workflow_run')) return;
	const head =
		eventName === 'workflow_run'
			? at(event, 'workflow_run', 'head_repository')
			: at(event, 'pull_request', 'head', 'repo');
	// A workflow_run of a push or schedule has the repository itself as its head; no head at all is a deleted fork.
	const from = textAt(head, 'full_name');
	if (from !== undefined && from.toLowerCase() === repository?.toLowerCase()) return;
	const starter = from === undefined ? 'an unknown repository' : `the fork ${from}`;
	throw new InputError([
		{
			message: `allow-fork-head: ${eventName} was started by ${starter}, whose code would run with this repository's cloud identity. Use \`pull_request\` with \`dry-run\` for forks, or set \`allow-fork-head: true\` after reviewing what is checked out.`,
		},
	]);
}
