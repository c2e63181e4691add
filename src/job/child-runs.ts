// The runs below a job, as run history lists them: the steps of a pipeline, the trials of a sweep. Looking, not telling.
import { messageFrom } from '../azure/service-error.ts';
import type { Workspace } from '../azure/workspace.ts';
import { at, isObject, type Json, listAt, objectAt, textAt } from '../json.ts';
import { stateOf } from './job.ts';

/** A run below a job, at one moment. */
export interface ChildRun {
	readonly id: string;
	/** The name people know it by: of a step the one in the pipeline's file. */
	readonly name: string;
	/** Of a step: what the service calls the part of the pipeline that it runs, where it says so. */
	readonly moduleName: string | undefined;
	/** As Azure ML spells it; new spellings may come. */
	readonly status: string;
	/** Milliseconds since the epoch. */
	readonly startedAt: number | undefined;
	readonly endedAt: number | undefined;
	/** The run whose results were taken instead of running again. */
	readonly reusedFrom: string | undefined;
	/** It seems to be a pipeline or a sweep itself. */
	readonly isParent: boolean;
	/** Why it failed, where the list tells. */
	readonly error: string | undefined;
}

/** A list that goes on for ever is cut here. */
const MOST_PAGES = 40;
/** The longest page that is asked for; the service may give less. */
const PAGE = 500;

export interface ListChildren {
	/** Called before each page is asked for. */
	readonly onRequest: () => void;
	readonly signal?: AbortSignal | undefined;
}

/** All runs directly below a job, in the order of their start. @throws ServiceError */
export async function listChildRuns(
	workspace: Workspace,
	parent: string,
	{ onRequest, signal }: ListChildren,
): Promise<readonly ChildRun[]> {
	const found = new Map<string, ChildRun>();
	let query: Record<string, string> | undefined = { $top: String(PAGE) };
	const seen = new Set<string>();
	for (let page = 0; query !== undefined && page < MOST_PAGES; page += 1) {
		onRequest();
		seen.add(JSON.stringify(query));
		const answer: Json = await workspace.data('/history/v1.0', `/runs/${encodeURIComponent(parent)}/children`, {
			doing: `list the runs below the job "${parent}"`,
			query,
			retry: false,
			signal,
		});
		for (const item of listAt(answer, 'value')) {
			const run = childRun(item);
			if (run !== undefined) found.set(run.id, run);
		}
		query = nextQuery(answer);
		if (query !== undefined && seen.has(JSON.stringify(query))) query = undefined;
	}
	// A run that waits has no start; the list's own order is kept among those.
	return [...found.values()].sort(
		(a, b) => (a.startedAt ?? Number.POSITIVE_INFINITY) - (b.startedAt ?? Number.POSITIVE_INFINITY) || 0,
	);
}

/** What of the link to the next page makes it the next one: the address itself is never followed elsewhere. */
function nextQuery(page: Json): Record<string, string> | undefined {
	const link = textAt(page, 'nextLink');
	if (link !== undefined && URL.canParse(link)) return Object.fromEntries(new URL(link).searchParams);
	const token = textAt(page, 'continuationToken');
	return token === undefined || token === '' ? undefined : { $top: String(PAGE), $continuationtoken: token };
}

function childRun(item: Json): ChildRun | undefined {
	const id = textAt(item, 'runId');
	if (id === undefined) return undefined;
	const properties = objectAt(item, 'properties');
	const error = at(item, 'error');
	// The name of the module stands in for a display name; both are seen in answers, neither is promised.
	const moduleName = textAt(properties, 'azureml.moduleName');
	const name = textAt(item, 'displayName') || moduleName || id;
	const reusedFrom =
		textAt(properties, 'azureml.isreused')?.toLowerCase() === 'true'
			? (textAt(properties, 'azureml.reusedrunid') ?? 'an earlier run')
			: undefined;
	const kind = [textAt(properties, 'azureml.runsource'), textAt(item, 'runType'), textAt(properties, 'StepType')];
	return {
		id,
		name,
		moduleName,
		status: stateOf(textAt(item, 'status') ?? 'Unknown'),
		startedAt: timeAt(item, 'startTimeUtc'),
		endedAt: timeAt(item, 'endTimeUtc'),
		reusedFrom,
		// No promise of the service either: what is taken for a parent is asked for its runs, and may have none.
		isParent:
			kind.some((text) => /^(azureml\.)?(PipelineRun|hyperdrive|sweep|automl)(step)?$/i.test(text ?? '')) ||
			textAt(properties, 'azureml.pipelineComponent') === 'pipelinerun',
		error: isObject(error) ? messageFrom(JSON.stringify(error), 200).text : undefined,
	};
}

function timeAt(item: Json, name: string): number | undefined {
	const time = Date.parse(textAt(item, name) ?? '');
	return Number.isNaN(time) ? undefined : time;
}
