// Run history: details with signed log addresses, single runs, children and run data.

import { objectOf, textOf } from '../arm/call.ts';
import { References } from '../arm/references.ts';
import { isoTime } from '../errors.ts';
import type { Router } from '../router.ts';
import { dataContainerId, type Run } from '../runs.ts';
import type { Resource } from '../state.ts';
import { ARTIFACT_CONTAINER } from '../storage.ts';
import { type HistoryCall, type HistoryHandler, listPage, ok, runOf, SCOPE } from './call.ts';

/** Files of a run that are its logs. */
const LOGS = /^(user_logs|system_logs|azureml-logs|logs)\//;

/** Adds the routes of run history. */
export function routeRuns(router: Router<HistoryHandler>): void {
	const base = `/history/v1.0${SCOPE}`;
	const forms = [
		`${base}/runs/{run}`,
		`${base}/experiments/{experiment}/runs/{run}`,
		`${base}/experimentids/{experiment}/runs/{run}`,
	];
	for (const form of forms) {
		router
			.on('GET', form, (call) => ok(whole(call, runOf(call))))
			.on('PATCH', form, (call) => ok(whole(call, modified(call))))
			.on('GET', `${form}/details`, details)
			.on('GET', `${form}/children`, children);
	}
	router.on('POST', `${base}/rundata`, (call) => {
		call.names['run'] = String(call.body['runId'] ?? '');
		return ok({ runMetadata: whole(call, runOf(call)), runDefinition: null, jobSpecification: null });
	});
}

function jobOf({ platform, names }: HistoryCall, runId: string): Resource | undefined {
	return new References(platform, names['workspace'] ?? '').resource('jobs', runId);
}

/** A run with what its job knows of it. */
function whole(call: HistoryCall, run: Run): Record<string, unknown> {
	const { description = null, isArchived = false } = jobOf(call, run.runId)?.properties ?? {};
	return { ...metadata(run), description, hidden: isArchived, parameters: parametersOf(run), runTypeV2: typeOf(run) };
}

/** Changes the words about a run, and about the job that it is of; tags and properties are added to those there are. */
function modified(call: HistoryCall): Run {
	const { platform, body } = call;
	const { runId } = runOf(call);
	const { displayName, description, tags, properties, hidden } = body;
	const job = jobOf(call, runId);
	if (job) {
		const own = job.properties;
		own['displayName'] = displayName ?? own['displayName'];
		own['description'] = description ?? own['description'];
		own['tags'] = { ...objectOf(own['tags']), ...objectOf(tags) };
		own['properties'] = { ...objectOf(own['properties']), ...objectOf(properties) };
		// Two names of one thing.
		own['isArchived'] = hidden ?? own['isArchived'];
		platform.state.resources.touch();
	}
	return platform.state.runs.update(runId, (run) => {
		run.displayName = textOf(displayName) ?? run.displayName;
		Object.assign(run.tags, objectOf(tags));
		Object.assign(run.properties, objectOf(properties));
	});
}

async function details(call: HistoryCall) {
	const run = runOf(call);
	const { runType: _r, experimentId: _e, createdUtc, displayName: _d, ...common } = metadata(run);
	return ok({
		...common,
		createdTimeUtc: createdUtc,
		target: null,
		parameters: parametersOf(run),
		runDefinition: null,
		logFiles: await logFiles(call, run),
		jobCost: null,
		revision: 1,
		runTypeV2: typeOf(run),
	});
}

/** Those of a pipeline are its plain inputs, which its properties hold as JSON. */
function parametersOf(run: Run): Record<string, unknown> {
	const literals = run.properties['azureml.parameters'];
	return literals === undefined ? run.params : (JSON.parse(literals) as Record<string, unknown>);
}

function typeOf(run: Run): object {
	if (run.runType !== 'azureml.PipelineRun') {
		return { orchestrator: 'Execution', traits: [], attribution: null, computeType: 'AmlcTrain' };
	}
	const traits = [run.runType, 'MFE', 'HTTP', 'DevPlatv2'];
	return { orchestrator: 'Pipeline', traits, attribution: null, computeType: null };
}

async function logFiles(call: HistoryCall, run: Run): Promise<Record<string, string>> {
	const { storage } = call.platform;
	const folder = `ExperimentRun/${dataContainerId(run.runId)}/`;
	const blobs = await storage.list(ARTIFACT_CONTAINER, folder);
	const logs = blobs.map((blob) => blob.name.slice(folder.length)).filter((path) => LOGS.test(path));
	return Object.fromEntries(logs.map((path) => [path, storage.readUrl(ARTIFACT_CONTAINER, folder + path)]));
}

function children(call: HistoryCall) {
	const runs = call.platform.state.runs.children(runOf(call).runId).map(metadata);
	return listPage(call, runs, Number(call.query.get('$top') ?? 0) || 50);
}

/** A run as run history gives it. */
function metadata(run: Run): Record<string, unknown> {
	return {
		runId: run.runId,
		runUuid: run.runId,
		parentRunId: run.parentRunId ?? null,
		rootRunId: run.rootRunId,
		rootRunUuid: run.rootRunId,
		experimentId: run.experimentId,
		displayName: run.displayName,
		status: run.status,
		runType: run.runType,
		dataContainerId: dataContainerId(run.runId),
		createdUtc: isoTime(run.createdAt),
		startTimeUtc: time(run.startedAt),
		endTimeUtc: time(run.endedAt),
		tags: run.tags,
		properties: run.properties,
		services: {},
		settings: {},
		inputDatasets: [],
		outputDatasets: [],
		inputs: {},
		outputs: run.outputs,
		error: errorOf(run),
		warnings: run.warnings.map((message) => ({ source: 'Emulator', message })),
	};
}

function errorOf(run: Run): object | null {
	if (!run.error) return null;
	const { code, message, exitCode } = run.error;
	const parameters = exitCode === undefined ? {} : { ExitCode: String(exitCode) };
	return {
		error: {
			code,
			severity: null,
			message,
			messageFormat: '{Message}',
			messageParameters: { Message: message, ...parameters },
			referenceCode: null,
			detailsUri: null,
			target: null,
			details: [],
			innerError: null,
			additionalInfo: null,
		},
		correlation: null,
		environment: 'eastus',
		location: 'eastus',
		time: isoTime(run.endedAt ?? run.createdAt),
		componentName: 'CommonRuntime',
	};
}

function time(milliseconds: number | undefined): string | null {
	return milliseconds === undefined ? null : isoTime(milliseconds);
}
