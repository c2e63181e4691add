// What runs log over MLflow, and how it is read back: metrics, parameters, tags, datasets, models.

import type { MetricPoint, Run, RunStore } from '../runs.ts';
import {
	type Fields,
	integer,
	invalid,
	MlflowError,
	objects,
	optionalText,
	page,
	paged,
	pointOf,
	text,
	texts,
	wirePoint,
	withoutEmpty,
} from './wire.ts';

const MODEL_HISTORY = 'mlflow.log-model.history';
const LIMITS = { metrics: 1000, params: 100, tags: 100 };

/** The run that a request names. Throws an MLflow error when there is none. */
export function findRun(runs: RunStore, fields: Fields): Run {
	const runId = optionalText(fields, 'run_id') ?? optionalText(fields, 'run_uuid');
	if (runId === undefined) throw invalid("Missing value for required parameter 'run_id'.");
	const run = runs.get(runId);
	if (run === undefined) throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `Run with id=${runId} not found`);
	return run;
}

/** The run that a request is to change. Throws an MLflow error for a deleted one. */
export function activeRun(runs: RunStore, fields: Fields): Run {
	const run = findRun(runs, fields);
	if (run.deleted) throw invalid(`The run ${run.runId} must be in the 'active' state. Restore it first.`);
	return run;
}

/** Gives a run another name, which MLflow knows as a tag too. */
export function rename(run: Run, name: string): void {
	run.displayName = name;
	run.tags['mlflow.runName'] = name;
}

/** The logging half of the tracking server. */
export class RunLog {
	readonly #runs: RunStore;
	/** Datasets that runs name as inputs; kept for `runs/get` only. */
	readonly #datasets = new Map<string, Fields[]>();

	constructor(runs: RunStore) {
		this.#runs = runs;
	}

	/** The datasets of a run; undefined when it named none. */
	datasets(runId: string): Fields[] | undefined {
		return this.#datasets.get(runId);
	}

	/** Logs metrics, parameters and tags of one run: all of them, or none when one is faulty. */
	logBatch(fields: Fields): Fields {
		const run = activeRun(this.#runs, fields);
		for (const [name, limit] of Object.entries(LIMITS)) {
			const count = objects(fields, name).length;
			if (count > limit) throw invalid(`A batch logging request can contain at most ${limit} ${name}, got ${count}.`);
		}
		// All is read before anything is logged, so that a faulty batch leaves no trace.
		const params = objects(fields, 'params').map((one) => [text(one, 'key'), String(one['value'] ?? '')] as const);
		const tags = objects(fields, 'tags').map((one) => [text(one, 'key'), String(one['value'] ?? '')] as const);
		const metrics = objects(fields, 'metrics').map((one) => [text(one, 'key'), pointOf(one)] as const);
		checkParams(run, params);
		for (const [key, point] of metrics) this.#runs.logMetric(run.runId, key, point);
		this.#runs.update(run.runId, (one) => {
			Object.assign(one.params, Object.fromEntries(params));
			Object.assign(one.tags, Object.fromEntries(tags));
			const name = tags.findLast(([key]) => key === 'mlflow.runName')?.[1];
			if (name !== undefined) rename(one, name);
		});
		return {};
	}

	/** Remembers the datasets that a run names as its inputs. */
	logInputs(fields: Fields): Fields {
		const { runId } = activeRun(this.#runs, fields);
		this.#datasets.set(runId, [...(this.#datasets.get(runId) ?? []), ...objects(fields, 'datasets')]);
		return {};
	}

	/** Adds a logged model to the history that MLflow keeps in a tag. */
	logModel(fields: Fields): Fields {
		const model = modelOf(text(fields, 'model_json'));
		this.#runs.update(activeRun(this.#runs, fields).runId, (run) => {
			const history = JSON.parse(run.tags[MODEL_HISTORY] ?? '[]') as unknown[];
			run.tags[MODEL_HISTORY] = JSON.stringify([...history, model]);
		});
		return {};
	}

	/** Deletes a tag that is there. */
	deleteTag(fields: Fields): Fields {
		const run = activeRun(this.#runs, fields);
		const key = text(fields, 'key');
		if (!Object.hasOwn(run.tags, key)) {
			throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `No tag with name: ${key} in run with id ${run.runId}`);
		}
		this.#runs.update(run.runId, (one) => {
			delete one.tags[key];
		});
		return {};
	}

	/** Answers the points of a metric in the order of arrival, in pages when asked to. */
	history(fields: Fields): Fields {
		const key = text(fields, 'metric_key');
		const points = findRun(this.#runs, fields).metrics[key] ?? [];
		const size = integer(fields, 'max_results', Number.MAX_SAFE_INTEGER);
		const found = page(points, size, optionalText(fields, 'page_token'));
		return paged(
			'metrics',
			found.items.map((point) => wirePoint(key, point)),
			found.next_page_token,
		);
	}

	/** Answers the points of one metric of several runs between two steps. */
	bulkHistory(fields: Fields): Fields {
		const key = text(fields, 'metric_key');
		const first = integer(fields, 'start_step', Number.MIN_SAFE_INTEGER);
		const last = integer(fields, 'end_step', Number.MAX_SAFE_INTEGER);
		const inside = (point: MetricPoint) => point.step >= first && point.step <= last;
		const metrics = texts(fields, 'run_ids').flatMap((run_id) =>
			(findRun(this.#runs, { run_id }).metrics[key] ?? [])
				.filter(inside)
				.map((point) => ({ ...wirePoint(key, point), run_id })),
		);
		return withoutEmpty({ metrics: metrics.slice(0, integer(fields, 'max_results', 2500)) });
	}
}

/** A parameter is written once; the same value again is no change. */
function checkParams(run: Run, params: (readonly [string, string])[]): void {
	const values = new Map(Object.entries(run.params));
	for (const [key, value] of params) {
		const before = values.get(key);
		if (before !== undefined && before !== value) {
			throw invalid(
				`Changing param values is not allowed. Param with key='${key}' was already logged with value='${before}' ` +
					`for run ID='${run.runId}'. Attempted logging new value '${value}'.`,
			);
		}
		values.set(key, value);
	}
}

function modelOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw invalid("Malformed parameter 'model_json': it is not JSON.");
	}
}
