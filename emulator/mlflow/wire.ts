// MLflow's JSON: how numbers, runs, experiments and errors are written. No routes, no state.

import { type Experiment, isTerminal, type MetricPoint, type Run } from '../runs.ts';

/** A request body or query, as fields. */
export type Fields = Record<string, unknown>;

/** An error that is answered as `{error_code, message}`. */
export class MlflowError extends Error {
	readonly code: string;
	readonly status: number;

	constructor(code: string, message: string, status = STATUS[code] ?? 400) {
		super(message);
		this.code = code;
		this.status = status;
	}
}

const STATUS: Record<string, number> = {
	RESOURCE_DOES_NOT_EXIST: 404,
	ENDPOINT_NOT_FOUND: 404,
	NOT_IMPLEMENTED: 501,
	INTERNAL_ERROR: 500,
};

const TO_MLFLOW: Record<string, string> = { Completed: 'FINISHED', Failed: 'FAILED', Canceled: 'KILLED' };
const FROM_MLFLOW: Record<string, string> = {
	RUNNING: 'Running',
	SCHEDULED: 'NotStarted',
	FINISHED: 'Completed',
	FAILED: 'Failed',
	KILLED: 'Canceled',
};
const STARTED = new Set(['Running', 'Finalizing', 'CancelRequested']);

/** MLflow's word for the state of a run. */
export function mlflowStatus(status: string): string {
	return TO_MLFLOW[status] ?? (STARTED.has(status) ? 'RUNNING' : 'SCHEDULED');
}

/** The state that MLflow's word stands for. */
export function runStatus(status: string): string {
	const known = FROM_MLFLOW[status];
	if (known === undefined) throw invalid(`Invalid value ${status} for parameter 'status'.`);
	return known;
}

/** An error about a parameter of the request. */
export function invalid(message: string): MlflowError {
	return new MlflowError('INVALID_PARAMETER_VALUE', message);
}

/** A required text field. */
export function text(fields: Fields, name: string): string {
	const value = fields[name];
	if (typeof value === 'string' && value !== '') return value;
	if (typeof value === 'number') return String(value);
	throw invalid(`Missing value for required parameter '${name}'.`);
}

/** An optional text field; the empty text counts as absent. */
export function optionalText(fields: Fields, name: string): string | undefined {
	return fields[name] === undefined || fields[name] === null || fields[name] === '' ? undefined : text(fields, name);
}

/** An int64: protobuf JSON writes it as text, MLflow's own client as a number. */
export function integer(fields: Fields, name: string, otherwise: number): number {
	const value = fields[name];
	if (value === undefined || value === null || value === '') return otherwise;
	const number = Number(value);
	if (!Number.isInteger(number))
		throw invalid(`Invalid value ${String(value)} for parameter '${name}': not an integer.`);
	return number;
}

/** A double: those that JSON has no number for are texts. */
export function double(fields: Fields, name: string): number {
	const value = fields[name];
	if (typeof value === 'number') return value;
	if (typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value)) return Number(value);
	if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
	throw invalid(`Invalid value ${String(value)} for parameter '${name}': not a number.`);
}

/** A list of objects; absent is empty. */
export function objects(fields: Fields, name: string): Fields[] {
	const value = fields[name] ?? [];
	if (!Array.isArray(value) || value.some((one) => typeof one !== 'object' || one === null)) {
		throw invalid(`Invalid value for parameter '${name}': not a list of objects.`);
	}
	return value as Fields[];
}

/** A list of texts; a single text counts as a list of one, as in a query. */
export function texts(fields: Fields, name: string): string[] {
	const value = fields[name] ?? [];
	return (Array.isArray(value) ? value : [value]).map(String);
}

/** One value of a metric. */
export function pointOf(fields: Fields): MetricPoint {
	const timestamp = integer(fields, 'timestamp', 0);
	return { value: double(fields, 'value'), timestamp, step: integer(fields, 'step', 0) };
}

/** A point of a metric as MLflow writes it. */
export function wirePoint(key: string, point: MetricPoint): Fields {
	const value = Number.isFinite(point.value) ? point.value : String(point.value);
	return { key, value, timestamp: point.timestamp, step: point.step };
}

/** The point that stands for the whole metric: the one with the greatest step, then timestamp, then value. */
export function latestPoint(points: MetricPoint[]): MetricPoint | undefined {
	return points.reduce<MetricPoint | undefined>((best, one) => {
		if (best === undefined) return one;
		const order = one.step - best.step || one.timestamp - best.timestamp || one.value - best.value;
		return order >= 0 || Number.isNaN(order) ? one : best;
	}, undefined);
}

/** All tags of a run, with those that follow from its other parts. */
export function tagsOf(run: Run): Record<string, string> {
	return {
		'mlflow.runName': run.displayName,
		'mlflow.rootRunId': run.rootRunId,
		...(run.parentRunId === undefined ? {} : { 'mlflow.parentRunId': run.parentRunId }),
		...run.tags,
	};
}

/** Gives the root of a run's artifacts. */
export type ArtifactRoot = (run: Run) => string;

/** A root by the scheme that a client resolves against its own tracking URI. */
export function proxiedRoot(run: Run): string {
	return `mlflow-artifacts:/${encodeURIComponent(run.runId)}/artifacts`;
}

/** `RunInfo` as MLflow writes it. */
export function wireInfo(run: Run, root: ArtifactRoot): Fields {
	return {
		run_id: run.runId,
		run_uuid: run.runId,
		run_name: run.displayName,
		experiment_id: run.experimentId,
		user_id: '',
		status: mlflowStatus(run.status),
		start_time: run.startedAt ?? run.createdAt,
		...(isTerminal(run.status) && run.endedAt !== undefined ? { end_time: run.endedAt } : {}),
		artifact_uri: root(run),
		lifecycle_stage: run.deleted ? 'deleted' : 'active',
	};
}

/** `Run` as MLflow writes it: empty lists are left out, as protobuf does. */
export function wireRun(run: Run, root: ArtifactRoot): Fields {
	const metrics = Object.entries(run.metrics).flatMap(([key, points]) => {
		const latest = latestPoint(points);
		return latest === undefined ? [] : [wirePoint(key, latest)];
	});
	return {
		info: wireInfo(run, root),
		data: withoutEmpty({ metrics, params: pairs(run.params), tags: pairs(tagsOf(run)) }),
	};
}

/** `Experiment` as MLflow writes it. */
export function wireExperiment(experiment: Experiment): Fields {
	return {
		experiment_id: experiment.experimentId,
		name: experiment.experimentName,
		artifact_location: '',
		lifecycle_stage: 'active',
		creation_time: experiment.createdAt,
		last_update_time: experiment.createdAt,
	};
}

/** Leaves out the lists that hold nothing. */
export function withoutEmpty(fields: Fields): Fields {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => !Array.isArray(value) || value.length > 0));
}

/** One page of a list, and the token of the next one when there is one. */
export function page<T>(all: T[], size: number, token: string | undefined): { items: T[]; next_page_token?: string } {
	const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8'));
	if (!Number.isInteger(start) || start < 0) throw invalid('Invalid page token, could not parse it.');
	const end = start + size;
	const items = all.slice(start, end);
	return end < all.length ? { items, next_page_token: Buffer.from(String(end)).toString('base64url') } : { items };
}

/** An answer that is one page of a list. */
export function paged(name: string, items: Fields[], token: string | undefined): Fields {
	return { ...withoutEmpty({ [name]: items }), ...(token === undefined ? {} : { next_page_token: token }) };
}

function pairs(values: Record<string, string>): Fields[] {
	return Object.entries(values).map(([key, value]) => ({ key, value }));
}
