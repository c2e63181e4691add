// What GitHub knows of a pull request and the event does not tell: where its head is.
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { RunContext } from '../run-context.ts';

/** The full name of the repository that a head is in (undefined: it is deleted), or why that is not known. */
export type Head = { readonly repository: string | undefined } | { readonly unknown: string };

/** Asks where the head of a pull request is. */
export type AskHead = (pullRequest: number) => Promise<Head>;

/** Longest wait for one answer, and the wait before each question, in milliseconds. */
const PATIENCE = 5_000;
const PAUSES = [0, 1_000, 4_000];

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
		const { getOctokit } = await import('@actions/github');
		const { pulls } = getOctokit(token, { baseUrl: apiUrl }).rest;
		let said = '';
		for (const pause of PAUSES) {
			if (pause > 0) await clock.sleep(pause, signal);
			try {
				const request = { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) };
				const { data } = await pulls.get({ owner, repo, pull_number: pullRequest, request });
				return { repository: data.head.repo?.full_name };
			} catch (error) {
				signal.throwIfAborted();
				said = messageOf(error);
				const status = error instanceof Error && 'status' in error ? error.status : undefined;
				if (status === 403 || status === 404)
					return { unknown: 'the token may not read it: add `permissions: pull-requests: read`' };
				if (status === 401) break;
			}
		}
		return { unknown: `GitHub says: ${said}` };
	};
}
