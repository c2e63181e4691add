// What GitHub knows of a pull request and the event does not tell: where its head is.
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { RunContext } from '../run-context.ts';
import { isForbidden, openGitHub } from './octokit.ts';

/** The full name of the repository that a head is in (undefined: it is deleted), or why that is not known. */
export type Head = { readonly repository: string | undefined } | { readonly unknown: string };

/** Asks where the head of a pull request is. */
export type AskHead = (pullRequest: number) => Promise<Head>;

/** Asks GitHub with this token. What cannot be found out is told, not thrown. */
export function askGitHub(
	{ repository, apiUrl }: RunContext,
	token: string | undefined,
	{ clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AskHead {
	return async (pullRequest) => {
		const [owner, repo] = repository?.split('/') ?? [];
		if (token === undefined) return { unknown: 'there is no `github-token` to ask GitHub with' };
		if (owner === undefined || repo === undefined) return { unknown: 'GITHUB_REPOSITORY is not set' };
		try {
			const { pulls } = await openGitHub({ token, apiUrl, clock, signal });
			const { data } = await pulls.get({ owner, repo, pull_number: pullRequest, request: { signal } });
			return { repository: data.head.repo?.full_name };
		} catch (error) {
			signal.throwIfAborted();
			return {
				unknown: isForbidden(error)
					? 'the token may not read it: add `permissions: pull-requests: read`'
					: `GitHub says: ${messageOf(error)}`,
			};
		}
	};
}
