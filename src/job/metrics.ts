// The metrics of a finished job: the last value of each name, and the way there.
import type { Workspace } from '../azure/workspace.ts';
import { listAt, numberAt, textAt } from '../json.ts';
import { type MetricPoint, orFromService, readLastRows, readRows } from './metric-service.ts';

export type { MetricPoint };

/** Name to last value. NaN and the infinities are possible. */
export type Metrics = Readonly<Record<string, number>>;

/** The last value of one metric. */
export interface LoggedMetric {
	readonly key: string;
	/** NaN and the infinities are possible. */
	readonly value: number;
	/** The step of that value; 0 where the job counts none. */
	readonly step: number;
}

/**
 * The last value of each metric that the job logged through MLflow, by its tracking interface, in the order of names. One
 * request, so that it may be asked again and again while the job runs.
 * @throws ServiceError where the interface cannot be read
 */
export async function readLoggedMetrics(
	workspace: Workspace,
	runId: string,
	options: { readonly signal?: AbortSignal | undefined; readonly retry?: boolean } = {},
): Promise<readonly LoggedMetric[]> {
	const run = await workspace.mlflow('runs/get', {
		doing: `read the metrics of the job "${runId}"`,
		query: { run_id: runId },
		...options,
	});
	const metrics = listAt(run, 'run', 'data', 'metrics').flatMap((metric): LoggedMetric[] => {
		const key = textAt(metric, 'key');
		// JSON has no NaN; MLflow sends it as text or leaves it out.
		const value = numberAt(metric, 'value') ?? Number.NaN;
		return key === undefined ? [] : [{ key, value, step: numberAt(metric, 'step') ?? 0 }];
	});
	return metrics.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * The last value of each metric by its name, wherever the service has it.
 * @throws ServiceError where it cannot be read
 */
export async function readMetrics(workspace: Workspace, runId: string, signal?: AbortSignal): Promise<Metrics> {
	const logged = readLoggedMetrics(workspace, runId, { signal });
	const metrics = await orFromService(logged, () => readLastRows(workspace, { runId, signal }));
	return Object.fromEntries(metrics.map(({ key, value }) => [key, value]));
}

/** A history that leads on for longer than this has no end. */
const MOST_PAGES = 100;

interface HistoryRequest {
	readonly runId: string;
	readonly key: string;
	readonly most: number;
	readonly signal?: AbortSignal | undefined;
}

/** Everything logged under one name, in the order of its steps; at most `most` points. */
export async function readMetricHistory(
	workspace: Workspace,
	request: HistoryRequest,
): Promise<readonly MetricPoint[]> {
	const { key, most, ...asking } = request;
	const points = await orFromService(askMlflowHistory(workspace, request), () => readRows(workspace, key, asking));
	return [...points].slice(0, most).sort((a, b) => a.step - b.step || a.timestamp - b.timestamp);
}

async function askMlflowHistory(
	workspace: Workspace,
	{ runId, key, most, signal }: HistoryRequest,
): Promise<readonly MetricPoint[]> {
	const points: MetricPoint[] = [];
	const seen = new Set<string>();
	let pageToken: string | undefined;
	do {
		if (pageToken !== undefined) seen.add(pageToken);
		const page = await workspace.mlflow('metrics/get-history', {
			doing: `read the history of the metric "${key}"`,
			query: { run_id: runId, metric_key: key, ...(pageToken === undefined ? {} : { page_token: pageToken }) },
			signal,
		});
		for (const metric of listAt(page, 'metrics')) {
			points.push({
				step: numberAt(metric, 'step') ?? 0,
				value: numberAt(metric, 'value') ?? Number.NaN,
				timestamp: numberAt(metric, 'timestamp') ?? 0,
			});
		}
		pageToken = textAt(page, 'next_page_token') || undefined;
	} while (pageToken !== undefined && !seen.has(pageToken) && points.length < most && seen.size < MOST_PAGES);
	return points;
}
