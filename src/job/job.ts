// A job as it exists in the workspace: what its ARM resource and its run-history record say. Looking, not acting.
import { isFetchable } from '../azure/cloud.ts';
import { hostOf } from '../azure/http.ts';
import { messageFrom } from '../azure/service-error.ts';
import type { Workspace } from '../azure/workspace.ts';
import { ServiceError } from '../errors.ts';
import { at, isObject, type Json, type JsonObject, jsonText, listAt, objectAt, textAt } from '../json.ts';
import type { ChildRun } from './child-runs.ts';

/** A job of the workspace, at one moment. */
export interface Job {
	readonly name: string;
	/** ARM id. */
	readonly id: string;
	/** `Command`, `Sweep`, `Pipeline`, `AutoML`, `Spark`. */
	readonly type: string;
	/** As Azure ML spells it; new spellings may come. */
	readonly status: string;
	readonly displayName: string | undefined;
	readonly experimentName: string;
	readonly computeId: string | undefined;
	readonly studioUrl: string | undefined;
	readonly tags: Readonly<Record<string, string>>;
	readonly properties: Readonly<Record<string, string>>;
	readonly outputs: Readonly<Record<string, JobOutput>>;
	/** Of a pipeline: its steps, as its file has them. */
	readonly steps?: readonly PipelineStep[];
	/** The runs below the job (steps, trials), as they were when it was followed to its end. */
	readonly children?: readonly ChildRun[];
}

/** A step of a pipeline, by the name it has in the pipeline's file. */
export interface PipelineStep {
	readonly name: string;
	/** `command`, `sweep`, `pipeline`, `automl`, … */
	readonly type: string | undefined;
	/** The steps whose outputs it takes. */
	readonly after: readonly string[];
}

export interface JobOutput {
	/** `uri_folder`, `mlflow_model`, … */
	readonly type: string;
	readonly uri?: string;
	readonly mode?: string;
}

const TERMINAL = new Set(['Completed', 'Failed', 'Canceled']);

const UNDER_WAY = new Set([
	'NotStarted',
	'Starting',
	'Provisioning',
	'Preparing',
	'Scheduled',
	'Queued',
	'Running',
	'Finalizing',
	'CancelRequested',
	'NotResponding',
	'Paused',
	'Unknown',
]);

const SPELLINGS = new Map([...TERMINAL, ...UNDER_WAY].map((state) => [state.toLowerCase(), state]));

/** A state as Azure ML's documents spell it, however the service does; one that this version does not know stays as it is. */
export function stateOf(status: string): string {
	return SPELLINGS.get(status.toLowerCase()) ?? status;
}

/** Whether a job in this state will never run again. `NotResponding` and `Paused` may come back, unknown states as well. */
export function isTerminal(status: string): boolean {
	return TERMINAL.has(stateOf(status));
}

/** Whether a job may be in this state as far as this version knows. The list of Azure ML is open. */
export function isKnownState(status: string): boolean {
	return SPELLINGS.has(status.toLowerCase());
}

/** The path of a job's calls. */
export function jobPath(workspace: Workspace, name: string): string {
	return `${workspace.id}/jobs/${encodeURIComponent(name)}`;
}

/** The job of this name, or undefined. */
export async function findJob(workspace: Workspace, name: string, signal?: AbortSignal): Promise<Job | undefined> {
	const found = await workspace.arm.find(jobPath(workspace, name), { doing: `look at the job "${name}"`, signal });
	return found === undefined ? undefined : jobFrom(found, workspace, name);
}

/** A job from its ARM resource. */
export function jobFrom(resource: Json, workspace: Workspace, name: string): Job {
	const properties = objectAt(resource, 'properties');
	return {
		name: textAt(resource, 'name') ?? name,
		id: textAt(resource, 'id') ?? `${workspace.id}/jobs/${name}`,
		type: textAt(properties, 'jobType') ?? '',
		status: stateOf(textAt(properties, 'status') ?? 'Unknown'),
		displayName: textAt(properties, 'displayName'),
		experimentName: textAt(properties, 'experimentName') ?? 'Default',
		computeId: textAt(properties, 'computeId'),
		studioUrl: studioUrl(textAt(properties, 'services', 'Studio', 'endpoint'), workspace),
		tags: textsOf(at(properties, 'tags')),
		properties: textsOf(at(properties, 'properties')),
		outputs: outputsOf(at(properties, 'outputs')),
		...(isObject(at(properties, 'jobs')) ? { steps: stepsOf(objectAt(properties, 'jobs')) } : {}),
	};
}

function stepsOf(jobs: JsonObject): PipelineStep[] {
	return Object.entries(jobs).map(([name, job]) => {
		// An input may be an object, or a text of its own, or hold the expression among other text.
		const inputs = jsonText(at(job, 'inputs') ?? null);
		const found = [...inputs.matchAll(/\$\{\{\s*parent\.jobs\.([\w-]+)\.outputs\b/g)].flatMap(([, step]) => step ?? []);
		return {
			name,
			type: textAt(job, 'type'),
			after: [...new Set(found)].filter((step) => step !== name && Object.hasOwn(jobs, step)),
		};
	});
}

/** Studio opens a workspace of another tenant only when the address names the tenant. */
function studioUrl(address: string | undefined, { tenantId }: Workspace): string | undefined {
	if (address === undefined || !URL.canParse(address)) return undefined;
	const url = new URL(address);
	if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
	if (tenantId !== undefined && !url.searchParams.has('tid')) {
		// `searchParams.set` would escape the slashes of all the other parameters, too.
		url.search = `${url.search === '' ? '?' : `${url.search}&`}tid=${encodeURIComponent(tenantId)}`;
	}
	return url.href;
}

function textsOf(value: Json | undefined): Record<string, string> {
	if (!isObject(value)) return {};
	return Object.fromEntries(
		Object.entries(value).flatMap(([key, item]) => (typeof item === 'string' ? [[key, item]] : [])),
	);
}

function outputsOf(value: Json | undefined): Record<string, JobOutput> {
	if (!isObject(value)) return {};
	return Object.fromEntries(
		Object.entries(value).map(([name, output]) => {
			const uri = textAt(output, 'uri');
			const mode = textAt(output, 'mode');
			const type = textAt(output, 'jobOutputType') ?? 'uri_folder';
			return [name, { type, ...(uri === undefined ? {} : { uri }), ...(mode === undefined ? {} : { mode }) }];
		}),
	);
}

/** What run history knows of a job. */
export interface RunDetails {
	readonly status: string | undefined;
	/** Path of each log file, with an address that is signed anew in each answer. */
	readonly logFiles: ReadonlyMap<string, string>;
	readonly error: { readonly code: string | undefined; readonly message: string } | undefined;
	readonly warnings: readonly string[];
}

/** The run-history record of a job; undefined while there is none yet. Asks once: who follows a job comes again soon. */
export async function findRunDetails(
	workspace: Workspace,
	name: string,
	signal?: AbortSignal,
): Promise<RunDetails | undefined> {
	const details = await workspace
		.data('/history/v1.0', `/runs/${encodeURIComponent(name)}/details`, {
			doing: `read the run of the job "${name}"`,
			retry: false,
			signal,
		})
		.catch((error: unknown) => {
			if (error instanceof ServiceError && error.status === 404) return undefined;
			throw error;
		});
	if (details === undefined || details === null) return undefined;
	const logs = Object.entries(objectAt(details, 'logFiles')).filter(
		(entry): entry is [string, string] => typeof entry[1] === 'string',
	);
	const error = at(details, 'error');
	const status = textAt(details, 'status');
	const fetched = logs.filter(([, url]) => isFetchable(workspace.cloud, url));
	const refused = logs.find(([, url]) => !isFetchable(workspace.cloud, url));
	return {
		status: status === undefined ? undefined : stateOf(status),
		logFiles: new Map(fetched.sort(([a], [b]) => (a < b ? -1 : 1))),
		error: isObject(error) ? runError(error) : undefined,
		warnings: [
			...listAt(details, 'warnings').flatMap((warning) => textAt(warning, 'message') ?? []),
			...(refused === undefined ? [] : [notFetched(...refused)]),
		],
	};
}

function notFetched(path: string, url: string): string {
	return `The log ${path} is not shown: its address (${hostOf(url)}) is not an https address of a public host.`;
}

function runError(error: Json): { code: string | undefined; message: string } {
	const { code, text } = messageFrom(JSON.stringify(error), 200);
	return { code, message: text };
}
