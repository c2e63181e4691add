// What a job carries of the workflow run that made it: git facts as the CLI sends them, and tags people can search by.
import { isObject, type Json, type JsonObject, objectAt } from '../json.ts';
import { RUN_URL_TAG, type RunContext } from '../run-context.ts';
import type { JobBody } from './file/context.ts';
import { experimentOfBranch } from './name.ts';
import { CONTENT_PROPERTY } from './reuse.ts';
import { jobFileName, TRACK_TAG, trackOf } from './track.ts';

/** The property by which a re-run of the workflow knows its own job. */
export const OWNER_PROPERTY = 'azureml-action.run';

/** Azure ML refuses longer values of tags and properties. */
const LONGEST_VALUE = 1000;

/** What a job carries beside the facts of the run itself. */
export interface JobFactsOfRun {
	/** The name that this run gives its job. */
	readonly owner: string;
	/** Path of the job file, as the workflow names it. */
	readonly jobFile: string;
	/** The hash of what the job does. */
	readonly content: string;
	/** What the job's name was made from, where it was no valid one. */
	readonly writtenName?: string | undefined;
}

/**
 * The body with the facts of the run in `tags` and `properties`. What the file says there stays, but for the facts that
 * lineage rests on: a file could give a job to another run, or hide it from its own.
 */
export function withRunFacts(body: JobBody, run: RunContext, facts: JobFactsOfRun): JobBody {
	const { properties } = body;
	const { experiment, original } = experimentOf(properties, run);
	const written = objectAt(properties, 'properties');
	const git = Object.keys(written).some((key) => key.startsWith('mlflow.source.git.') || key.startsWith('azureml.git.'))
		? {}
		: gitProperties(run);
	return {
		properties: {
			...properties,
			...experiment,
			// Nobody's word but ours: later runs know, replace and reuse jobs on the strength of these.
			tags: {
				...ownTags(properties['tags']),
				...runTags(run),
				...trackTags(run, facts.jobFile),
				...present({ 'github.job_name': facts.writtenName, 'github.experiment_name': original }),
			},
			properties: {
				...git,
				...members(written),
				[OWNER_PROPERTY]: facts.owner,
				[CONTENT_PROPERTY]: facts.content,
			},
		},
	};
}

/** The experiment under a valid name, where it was made from a branch's name, and what it was made from. */
function experimentOf(
	{ experimentName: name }: JsonObject,
	run: RunContext,
): { readonly experiment: JsonObject; readonly original: string | undefined } {
	if (typeof name !== 'string') return { experiment: {}, original: undefined };
	const valid = experimentOfBranch(name, run);
	return { experiment: { experimentName: valid }, original: valid === name ? undefined : name };
}

/** What the file has as tags, but for those by which another pull request or branch would take the job for its own. */
function ownTags(tags: Json | undefined): JsonObject {
	return Object.fromEntries(Object.entries(members(tags)).filter(([key]) => !key.startsWith(TRACK_TAG)));
}

function members(value: Json | undefined): JsonObject {
	return isObject(value) ? value : {};
}

/** The names that the CLI gives these facts when it runs in a checkout. */
function gitProperties(run: RunContext): Record<string, string> {
	return present({
		'mlflow.source.git.repoURL': run.repository === undefined ? undefined : `${run.serverUrl}/${run.repository}`,
		'mlflow.source.git.branch': run.branch,
		'mlflow.source.git.commit': run.headSha ?? run.sha,
	});
}

/** Tags of the run, also those of what it registers. */
export function runTags(run: RunContext): Record<string, string> {
	return present({
		'github.repository': run.repository,
		'github.commit': run.headSha ?? run.sha,
		'github.branch': run.branch,
		'github.pull_request': run.pullRequest === undefined ? undefined : String(run.pullRequest),
		[RUN_URL_TAG]: run.runUrl,
	});
}

/** By these a later run finds the jobs of the same file for the same pull request or branch. */
function trackTags(run: RunContext, jobFile: string): Record<string, string> {
	const track = trackOf(run, jobFile);
	return present({
		'github.job_file': jobFileName(run, jobFile),
		...(track === undefined ? {} : { [track.tag]: track.text }),
	});
}

function present(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(values).flatMap(([key, value]) =>
			value === undefined ? [] : [[key, value.slice(0, LONGEST_VALUE)]],
		),
	);
}
