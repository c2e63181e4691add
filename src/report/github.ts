// Tells people in GitHub's own places: outputs, job summary, annotations, the pull-request comment.
import * as core from '@actions/core';
import type { Clock } from '../clock.ts';
import { ActionError, FileError, InputError, messageOf, type Place } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RunContext } from '../run-context.ts';
import type { Secrets } from '../secrets.ts';
import type { DeploymentRecord } from './deployment.ts';
import { commentOf, summaryOf } from './markdown.ts';
import { type GitHubCalls, isForbidden, openGitHub, statusOf } from './octokit.ts';
import { fitOutputs } from './output-size.ts';
import { outputsOf } from './outputs.ts';
import { redactedReport } from './redacted.ts';
import type { RunReport } from './run-report.ts';
import { cut } from './text.ts';

/** GitHub drops a larger summary whole. */
const LARGEST_SUMMARY = 1_000_000;
/** GitHub refuses a longer comment. */
const LONGEST_COMMENT = 65_000;

export interface PublishParts {
	readonly log: Log;
	readonly clock: Clock;
	/** Aborted once the workflow is cancelled. */
	readonly signal: AbortSignal;
	readonly secrets: Secrets;
	readonly githubToken: string | undefined;
	readonly comment: 'auto' | 'never';
	/** The record of the run as a GitHub deployment, where one is kept. */
	readonly deployment?: DeploymentRecord | undefined;
}

/**
 * Publishes the report everywhere. Never throws: a full disk or an unreachable GitHub is told in the log and does not
 * change how the run ends.
 */
export async function publishReport(report: RunReport, parts: PublishParts): Promise<void> {
	const { log, secrets } = parts;
	if (report.failure !== undefined) annotate(report.failure, report.run, log);
	const shown = redactedReport(report, secrets.redact);
	attempt(log, 'The outputs could not be set', () => {
		// Cut comes after redacted: half a secret is not found any more.
		const whole = Object.entries(outputsOf(report)).map(([name, value]) => [name, secrets.redact(value)]);
		const { values, cuts } = fitOutputs(Object.fromEntries(whole));
		for (const [name, value] of Object.entries(values)) core.setOutput(name, value);
		for (const cut of cuts) log.warning(cut);
		shown.notes.push(...cuts);
	});
	await attemptLater(log, 'The job summary could not be written', async () => {
		await core.summary
			.emptyBuffer()
			.addRaw(cut(secrets.redact(summaryOf(shown)), LARGEST_SUMMARY))
			.write();
	});
	if (parts.comment === 'auto' && report.run.pullRequest !== undefined) await comment(shown, parts);
	await parts.deployment?.end(shown);
}

/** One annotation for each fault, at its place in the user's files. */
function annotate(failure: Error, { serverUrl, actionRepository }: RunContext, log: Log): void {
	if (failure instanceof InputError) {
		for (const { message, where } of failure.faults) log.error(message, where);
	} else if (failure instanceof FileError) {
		// The file's name is in the text too: a log without annotations must not lose it. What has no place is about an input.
		for (const { message, where } of failure.faults)
			log.error(where === undefined ? message : `${placeText(where)}: ${message}`, where);
	} else if (failure instanceof ActionError) {
		log.error(failure.message, failure.where);
	} else {
		const place = actionRepository === undefined ? '' : ` at ${serverUrl}/${actionRepository}/issues`;
		log.error(`${failure.message} This is a fault of the action itself: please report it${place} with the debug log.`);
		log.debug(failure.stack ?? '');
	}
}

function placeText({ file, line }: Place): string {
	return line === undefined ? file : `${file}:${line}`;
}

async function comment(report: RunReport, parts: PublishParts): Promise<void> {
	const { log, secrets, githubToken } = parts;
	const [owner, repo] = report.run.repository?.split('/') ?? [];
	if (githubToken === undefined || owner === undefined || repo === undefined) {
		log.notice('No comment on the pull request: there is no `github-token`. The job summary has the report.');
		return;
	}
	const marker = `<!-- azure-ml-action: ${(report.jobFile ?? report.rollout?.endpointName ?? 'run').replace(/[^\w./ -]/g, '_').replaceAll('--', '__')} -->`;
	const body = cut(secrets.redact(commentOf(report, marker)), LONGEST_COMMENT);
	const { apiUrl, pullRequest = 0 } = report.run;
	try {
		const { issues } = await openGitHub({ token: githubToken, apiUrl, clock: parts.clock, signal: parts.signal });
		const place = { owner, repo, issue_number: pullRequest };
		const update = (): Promise<boolean> => updateComment(issues, place, marker, body);
		const create = (): Promise<unknown> => issues.createComment({ ...place, body });
		if (await update()) return;
		await create().catch(async (error: unknown) => {
			// It may have been made although the answer was lost; then it is found now.
			if ((statusOf(error) ?? 0) < 500 || parts.signal.aborted) throw error;
			if (!(await update())) await create();
		});
	} catch (error) {
		const why = isForbidden(error)
			? 'the token may not write to it: add `permissions: pull-requests: write`; pull requests from forks never may'
			: messageOf(error);
		log.notice(`No comment on the pull request: ${why}. The job summary has the report.`);
	}
}

/** Updates the comment of an earlier run. @returns whether there is one */
async function updateComment(
	issues: GitHubCalls['issues'],
	place: { readonly owner: string; readonly repo: string; readonly issue_number: number },
	marker: string,
	body: string,
): Promise<boolean> {
	const { owner, repo } = place;
	for (let page = 1; ; page += 1) {
		const { data } = await issues.listComments({ ...place, per_page: 100, page });
		const mine = data.find((earlier) => earlier.body?.startsWith(marker) && !isStranger(earlier));
		if (mine !== undefined) {
			await issues.updateComment({ owner, repo, comment_id: mine.id, body });
			return true;
		}
		if (data.length < 100) return false;
	}
}

const INSIDERS = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

/** Whether a comment is of somebody who could neither be this action's token nor write to the repository anyway. */
function isStranger(comment: { user: { type: string } | null; author_association?: string }): boolean {
	const { user, author_association: role } = comment;
	return user?.type === 'User' && role !== undefined && !INSIDERS.has(role);
}

function attempt(log: Log, what: string, act: () => void): void {
	try {
		act();
	} catch (error) {
		log.warning(`${what}: ${messageOf(error)}`);
	}
}

async function attemptLater(log: Log, what: string, act: () => Promise<void>): Promise<void> {
	try {
		await act();
	} catch (error) {
		log.warning(`${what}: ${messageOf(error)}`);
	}
}
