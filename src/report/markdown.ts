// A RunReport as Markdown: the job summary and the pull-request comment. Pure; untrusted text is made inert on the way.
import { duration } from '../duration.ts';
import { ActionError, FileError, InputError, JobError, RolloutError } from '../errors.ts';
import { isTerminal, type Job } from '../job/job.ts';
import type { RunContext } from '../run-context.ts';
import { charts } from './chart.ts';
import { childrenLines } from './children.ts';
import { changesOf } from './deltas.ts';
import { planLines, planVerdict } from './plan-lines.ts';
import type { RunReport, StepName } from './run-report.ts';
import { code, codeBlock, inert, link, prose } from './text.ts';

const DONE: Readonly<Record<StepName, string>> = {
	'sign in': 'signed in',
	assets: 'assets applied',
	train: 'trained',
	gate: 'gates passed',
	register: 'model registered',
	share: 'model shared',
	deploy: 'deployed',
	'delete endpoint': 'endpoint deleted',
};
const MOST_METRICS = 60;
/** A comment is read on the way to something else. */
const MOST_COMMENT_METRICS = 20;
const MOST_LOG_LINES = 40;
/** The summary of a run, whatever happened in it. */
export function summaryOf(report: RunReport): string {
	return joined([
		heading(report),
		failureOf(report),
		planLines(report),
		jobTable(report),
		childrenLines(report.job),
		metricTable(report),
		charts(report),
		gateTable(report),
		modelLines(report),
		rolloutLines(report),
		downloadLine(report),
		madeLines(report),
		noteLines(report),
		logLines(report),
	]);
}

/** The short form for a pull request: verdict first, then what one wants to compare. */
export function commentOf(report: RunReport, marker: string): string {
	const { run } = report;
	const runLink = link('workflow run', run.runUrl, [run.serverUrl]);
	const commit = run.headSha ?? run.sha;
	const foot = `<sub>${[runLink, commit === undefined ? '' : `commit ${code(commit.slice(0, 7))}`].filter((part) => part !== '').join(' · ')}</sub>`;
	return joined([
		marker,
		heading(report),
		failureOf(report),
		planLines(report),
		jobLine(report),
		gateTable(report),
		metricTable(report, MOST_COMMENT_METRICS),
		modelLines(report),
		rolloutLines(report),
		noteLines(report),
		foot,
	]);
}

function joined(parts: readonly (string | undefined)[]): string {
	return `${parts.filter((part): part is string => part !== undefined && part !== '').join('\n\n')}\n`;
}

function heading(report: RunReport): string {
	const { steps, failure, jobFile, dryRun } = report;
	const title = dryRun === undefined ? 'Azure ML' : 'Azure ML dry run';
	const what = jobFile === undefined ? '' : ` · ${code(jobFile)}`;
	const failed = steps.find(({ outcome }) => outcome === 'failed');
	if (failure !== undefined)
		return `## ❌ ${title}: ${failed === undefined ? 'failed' : `${failed.step} failed`}${what}`;
	if (dryRun !== undefined) return `## ✅ ${title}: ${planVerdict(report)}${what}`;
	const done = steps
		.filter(({ step, outcome }) => outcome === 'done' && step !== 'sign in')
		.map(({ step }) => (step === 'train' ? trained(report) : step === 'gate' ? judged(report) : DONE[step]));
	return `## ✅ ${title}: ${done.length === 0 ? 'done' : done.join(', ')}${what}`;
}

function judged({ gates = [] }: RunReport): string {
	return gates.every(({ passed }) => passed) ? DONE.gate : 'gates not passed, so nothing registered or deployed';
}

function trained({ jobDetached, jobReused }: RunReport): string {
	if (jobDetached) return 'job submitted';
	return jobReused ? 'job reused' : DONE.train;
}

function failureOf({ failure }: RunReport): string | undefined {
	if (failure === undefined) return undefined;
	if (failure instanceof InputError || failure instanceof FileError) {
		const faults = failure.faults.map(
			({ message, where }) =>
				`- ${where?.line === undefined ? '' : `${code(`${where.file}:${where.line}`)} `}${prose(message)}`,
		);
		return [
			`**${prose(failure.what)}**`,
			'',
			...faults,
			...(failure.next === undefined ? [] : ['', prose(failure.next)]),
		].join('\n');
	}
	if (!(failure instanceof ActionError)) return `**${prose(failure.message)}**`;
	const container =
		failure instanceof RolloutError && failure.containerLog !== undefined
			? details('Container log', failure.containerLog.split('\n'))
			: undefined;
	const text = [
		`**${prose(failure.what)}**`,
		failure.why === undefined ? '' : prose(failure.why),
		failure.next === undefined ? '' : `➡️ ${prose(failure.next)}`,
	];
	return [...text.filter((part) => part !== ''), ...(container === undefined ? [] : [container])].join('\n\n');
}

/** The job in one line. */
function jobLine(report: RunReport): string | undefined {
	const { job, jobDuration, studio } = report;
	if (job === undefined) return undefined;
	const parts = [
		link(code(job.name), job.studioUrl, [studio]),
		`${stateMark(job.status)} ${inert(job.status)}${howTaken(report)}`,
		...(jobDuration === undefined ? [] : [duration(jobDuration)]),
		...computeOf(job),
	];
	return `Job ${parts.join(' · ')}`;
}

/** Where a job runs, if it runs in one place: the steps of a pipeline may each have a compute of their own. */
function computeOf({ type, computeId }: Job): readonly string[] {
	const name = computeId?.split('/').pop();
	if (name !== undefined) return [code(name)];
	return type === 'Pipeline' ? [] : [code('serverless')];
}

function jobTable(report: RunReport): string | undefined {
	const { job, run, jobDuration, studio } = report;
	if (job === undefined) return undefined;
	const commit = run.headSha ?? run.sha;
	const rows: (readonly [string, string])[] = [
		['Job', link(code(job.name), job.studioUrl, [studio])],
		['State', `${stateMark(job.status)} ${inert(job.status)}${howTaken(report)}`],
		['Experiment', code(job.experimentName)],
		...computeOf(job).map((compute) => ['Compute', compute] as const),
		...(jobDuration === undefined ? [] : [['Duration', duration(jobDuration)] as const]),
		...(commit === undefined
			? []
			: [['Commit', link(code(commit.slice(0, 7)), commitUrl(run, commit), [run.serverUrl])] as const]),
	];
	const [head = ['', ''], ...more] = rows;
	return table(head, more);
}

/** That the job is not one that this run submitted. */
function howTaken({ jobAttached, jobReused }: RunReport): string {
	if (jobReused) return ' (reused: of identical content, nothing was trained again)';
	return jobAttached ? ' (was there already, followed)' : '';
}

function commitUrl({ serverUrl, repository }: RunContext, commit: string): string | undefined {
	return repository === undefined ? undefined : `${serverUrl}/${repository}/commit/${commit}`;
}

function stateMark(status: string): string {
	if (status === 'Completed') return '✅';
	return isTerminal(status) ? '❌' : '⏳';
}

function metricTable({ metrics, base, champion }: RunReport, most = MOST_METRICS): string | undefined {
	const entries = Object.entries(metrics ?? {});
	if (entries.length === 0) return undefined;
	const rows = entries.slice(0, most).map(([name, value]) => {
		const changes = changesOf(name, value, [base, champion]);
		return [code(name), `${numberText(value)}${changes === '' ? '' : ` (${inert(changes)})`}`] as const;
	});
	const more = entries.length > most ? `\n\n${entries.length - most} more metrics are in the output \`metrics\`.` : '';
	return `### Metrics\n\n${table(['Metric', 'Value'], rows)}${more}`;
}

function gateTable({ gates }: RunReport): string | undefined {
	if (gates === undefined) return undefined;
	const rows = gates.map(({ gate, value, needed, passed, why }) => [
		code(gate),
		value === undefined ? 'missing' : numberText(value),
		inert(needed.replace(/-?\d+\.\d{7,}/g, (number) => numberText(Number(number)))),
		`${passed ? '✅ passed' : '❌ failed'}${why === undefined ? '' : `: ${inert(why)}`}`,
	]);
	return `### Gates\n\n${table(['Gate', 'Value', 'Needed', 'Verdict'], rows)}`;
}

/** Six significant digits are what people compare; the output has all of them. */
function numberText(value: number): string {
	if (!Number.isFinite(value)) return String(value);
	return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

function modelLines({ model, shared }: RunReport): string | undefined {
	if (model === undefined) return undefined;
	const how = model.reused ? 'was registered already' : 'registered';
	const lines = [`### Model\n\n${code(model.assetId)} (${inert(model.type)}) ${how}.`];
	if (shared !== undefined)
		lines.push(`${shared.reused ? 'The registry has it already' : 'Shared to the registry'} as ${code(shared.id)}.`);
	return lines.join(' ');
}

function downloadLine({ downloaded }: RunReport): string | undefined {
	if (downloaded === undefined) return undefined;
	const { files, bytes, left, shown } = downloaded;
	const kept = left === 0 ? '' : `, ${left} of them there already`;
	return `Downloaded to ${code(shown)}: ${files} ${files === 1 ? 'file' : 'files'}, ${bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`}${kept}.`;
}

function rolloutLines(report: RunReport): string | undefined {
	const { rollout, batchRollout, deletedEndpoint } = report;
	if (deletedEndpoint !== undefined) return `### Endpoint\n\n${code(deletedEndpoint)} is deleted.`;
	if (batchRollout !== undefined) return batchLines(batchRollout, report.studio);
	if (rollout === undefined) return undefined;
	const rows = Object.entries(rollout.traffic).map(
		([name, share]) => [code(name), `${share} %`, `${rollout.previousTraffic[name] ?? 0} %`] as const,
	);
	const answer =
		rollout.smokeAnswer === undefined
			? undefined
			: details('Answer of the smoke test', [rollout.smokeAnswer.slice(0, 4000)]);
	const endpoint = link(code(rollout.endpointName), rollout.consoleUrl, [report.studio]);
	// An endpoint's file alone makes or updates the endpoint and deploys nothing.
	const what =
		rollout.deploymentName === ''
			? `Endpoint ${endpoint}`
			: `Deployment ${code(rollout.deploymentName)} of ${endpoint}`;
	const deleted = rollout.deleted.length === 0 ? undefined : `Deleted: ${rollout.deleted.map(code).join(', ')}.`;
	const mirrored = Object.entries(rollout.mirrorTraffic).map(([name, share]) => `${share} % to ${code(name)}`);
	return joined([
		`### Endpoint\n\n${what}, scoring at ${code(rollout.scoringUri ?? 'an address it does not have yet')}.`,
		rows.length === 0 ? 'It has no traffic yet.' : table(['Deployment', 'Traffic', 'Before'], rows),
		mirrored.length === 0 ? undefined : `Live traffic is mirrored: ${mirrored.join(', ')}.`,
		deleted,
		answer,
	]).trim();
}

function batchLines(rollout: NonNullable<RunReport['batchRollout']>, studio: string): string {
	const { deploymentName, defaultDeployment, previousDefault, smokeJob } = rollout;
	const endpoint = link(code(rollout.endpointName), rollout.consoleUrl, [studio]);
	const what =
		deploymentName === ''
			? `Batch endpoint ${endpoint}`
			: `Deployment ${code(deploymentName)} of batch endpoint ${endpoint}`;
	const before = previousDefault === undefined ? 'none' : code(previousDefault);
	const serves =
		defaultDeployment === undefined
			? 'It has no default deployment yet.'
			: `Default deployment: ${code(defaultDeployment)}${defaultDeployment === previousDefault ? ', as before' : ` (before: ${before})`}.`;
	return joined([
		`### Endpoint\n\n${what}, jobs start at ${code(rollout.scoringUri ?? 'an address it does not have yet')}.`,
		serves,
		smokeJob === undefined ? undefined : `Tested by the scoring job ${code(smokeJob)}.`,
		rollout.deleted.length === 0 ? undefined : `Deleted: ${rollout.deleted.map(code).join(', ')}.`,
	]).trim();
}

function madeLines({ assets, failure }: RunReport): string | undefined {
	const made = assets.filter(({ reused }) => !reused);
	if (made.length === 0) return undefined;
	const rows = made.map(
		({ kind, name, version }) => [inert(kind), code(version === undefined ? name : `${name}:${version}`)] as const,
	);
	return `<details${failure === undefined ? '' : ' open'}><summary>Made in the workspace</summary>\n\n${table(['Kind', 'Name'], rows)}\n\n</details>`;
}

function noteLines({ notes }: RunReport): string | undefined {
	return notes.length === 0 ? undefined : notes.map((note) => `> ${prose(note)}`).join('\n>\n');
}

function logLines({ failure, lastLines, steps }: RunReport): string | undefined {
	const training = failure instanceof JobError || (failure !== undefined && steps.at(-1)?.step === 'train');
	if (!training || lastLines.length === 0) return undefined;
	return details('Last lines of the log', lastLines.slice(-MOST_LOG_LINES), true);
}

function details(title: string, lines: readonly string[], open = false): string {
	return `<details${open ? ' open' : ''}><summary>${title}</summary>\n\n${codeBlock(lines)}\n\n</details>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
