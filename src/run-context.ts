// What the runner tells about this workflow run: plain facts, read once by inputs.ts.

/** The tag of what a run makes in Azure ML that says which run it was, by its address. */
export const RUN_URL_TAG = 'github.run_url';

/** The workflow run. Fields that the runner did not set are undefined. */
export interface RunContext {
	/** `owner/name`. */
	readonly repository: string | undefined;
	/** `owner/name` of the action itself; undefined where it runs from a folder. */
	readonly actionRepository: string | undefined;
	readonly sha: string | undefined;
	/** `refs/heads/main`, `refs/pull/7/merge`, … */
	readonly ref: string | undefined;
	/** Name of the branch or tag; of a pull request its head branch. */
	readonly branch: string | undefined;
	readonly runId: string | undefined;
	readonly runAttempt: string | undefined;
	readonly runNumber: string | undefined;
	readonly workflow: string | undefined;
	/** The key of the job in the workflow file. */
	readonly job: string | undefined;
	readonly actor: string | undefined;
	readonly eventName: string | undefined;
	/** The event's payload, as GitHub wrote it. */
	readonly event: unknown;
	readonly serverUrl: string;
	readonly apiUrl: string;
	/** Number of the pull request that the event is about. */
	readonly pullRequest: number | undefined;
	/** Head commit of the pull request: GITHUB_SHA is the merge commit there. */
	readonly headSha: string | undefined;
	/** Absolute path of the checkout. */
	readonly checkout: string;
	/** Absolute path of a folder for files of this job. */
	readonly temp: string;
	/** Absolute paths of files and folders that belong to the runner, and never to an upload. */
	readonly runnerPaths: readonly string[];
	/** Address of the workflow run. */
	readonly runUrl: string | undefined;
}
