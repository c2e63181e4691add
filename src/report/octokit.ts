// GitHub's REST interface: a time limit for each call, and another try where a failure passes by itself.
import type { getOctokit } from '@actions/github';
import type { Clock } from '../clock.ts';

/** GitHub's calls, by their names. */
export type GitHubCalls = ReturnType<typeof getOctokit>['rest'];

export interface GitHubParts {
	readonly token: string;
	readonly apiUrl: string;
	readonly clock: Clock;
	/** Aborted once the workflow is cancelled: there is no time for another try then. */
	readonly signal: AbortSignal;
	/** Longest wait for one answer, in milliseconds. */
	readonly patience?: number;
}

/** The end of a cancelled run has no more time than one of these. */
const PATIENCE = 5_000;
/** The waits before another try, in milliseconds. */
const PAUSES = [1_000, 4_000];
/** GitHub may ask for a longer wait than its comment is worth. */
const LONGEST_PAUSE = 60_000;

/** Opens it. No request is sent yet. */
export async function openGitHub({
	token,
	apiUrl,
	clock,
	signal,
	patience = PATIENCE,
}: GitHubParts): Promise<GitHubCalls> {
	const { getOctokit } = await import('@actions/github');
	const octokit = getOctokit(token, { baseUrl: apiUrl });
	octokit.hook.wrap('request', async (request, options) => {
		const wanted = options.request?.signal;
		for (let turn = 0; ; turn += 1) {
			const limit = AbortSignal.timeout(patience);
			// Set in place: the client's own hooks, which come after this one, look at this object and not at what is handed on.
			options.request = { ...options.request, signal: wanted ? AbortSignal.any([wanted, limit]) : limit };
			try {
				return await request(options);
			} catch (error) {
				const pause = mayRepeat(error, options) ? pauseBefore(turn, error) : undefined;
				if (pause === undefined || signal.aborted) throw error;
				await clock.sleep(pause, signal);
			}
		}
	});
	return octokit.rest;
}

/** The status of a refusal; of a failure without an answer the client says 500. */
export function statusOf(error: unknown): number | undefined {
	return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;
}

/** Whether GitHub refused because too much was asked at once, and not for want of a right. */
export function isRateLimited(error: unknown): boolean {
	const status = statusOf(error);
	const limited = headerOf(error, 'retry-after') !== undefined || headerOf(error, 'x-ratelimit-remaining') === '0';
	return status === 429 || (status === 403 && limited);
}

/** Whether GitHub refused for want of a right, which it may also hide as "not found". */
export function isForbidden(error: unknown): boolean {
	const status = statusOf(error);
	return (status === 403 || status === 404) && !isRateLimited(error);
}

/** What was not done for sure may be sent again; else only what does no harm when it is done twice. */
function mayRepeat(error: unknown, { method, url }: { readonly method: string; readonly url: string }): boolean {
	if (isRateLimited(error)) return true;
	return (statusOf(error) ?? 0) >= 500 && (method !== 'POST' || url.endsWith('/statuses'));
}

function pauseBefore(turn: number, error: unknown): number | undefined {
	const own = PAUSES[turn];
	const asked = Number(headerOf(error, 'retry-after') ?? 0) * 1000;
	const pause = own === undefined ? undefined : Math.max(own, Number.isFinite(asked) ? asked : 0);
	return pause === undefined || pause > LONGEST_PAUSE ? undefined : pause;
}

function headerOf(error: unknown, name: string): string | undefined {
	if (!(error instanceof Error) || !('response' in error)) return undefined;
	const { response } = error as { readonly response?: { readonly headers?: Readonly<Record<string, unknown>> } };
	const value = response?.headers?.[name];
	return value === undefined ? undefined : String(value);
}
