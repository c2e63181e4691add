// The metrics of a run from run history's own metric service, for where there is no MLflow interface to ask. Its calls are
// those of Microsoft's generated client; no recording shows them.
import type { Workspace } from '../azure/workspace.ts';
import { ServiceError } from '../errors.ts';
import { at, type Json, listAt, numberAt, objectAt, textAt } from '../json.ts';

/** One logged value of a metric. */
export interface MetricPoint {
	readonly step: number;
	/** NaN and the infinities are possible. */
	readonly value: number;
	/** Milliseconds since the epoch. */
	readonly timestamp: number;
}

interface Asking {
	readonly runId: string;
	readonly signal?: AbortSignal | undefined;
}

/** A list that leads on for longer than this has no end. */
const MOST_PAGES = 100;

/**
 * What `mlflow` gives, or where it finds nothing what the metric service does.
 * @throws what `mlflow` failed with, where the service has nothing either
 */
export async function orFromService<T>(mlflow: Promise<T>, service: () => Promise<T>): Promise<T> {
	try {
		return await mlflow;
	} catch (error) {
		if (!(error instanceof ServiceError) || error.status !== 404) throw error;
		return service().catch(() => {
			throw error;
		});
	}
}

/** The last value of each metric that is a single number, in the order of names; tables and the like have several columns. */
export async function readLastRows(
	workspace: Workspace,
	asking: Asking,
): Promise<readonly { readonly key: string; readonly value: number }[]> {
	const metrics = await pages(workspace, 'list', {}, asking);
	const keys = metrics.flatMap((metric) => {
		const key = textAt(metric, 'metricKey');
		return key === undefined || Object.keys(objectAt(metric, 'columns')).length > 1 ? [] : [key];
	});
	const last = async (key: string) => {
		const value = (await readRows(workspace, key, asking)).at(-1)?.value ?? Number.NaN;
		return { key, value };
	};
	return Promise.all(keys.sort().map(last));
}

/** Every row of one metric, in the order of its steps. */
export async function readRows(workspace: Workspace, key: string, asking: Asking): Promise<readonly MetricPoint[]> {
	const rows = await pages(workspace, 'full', { metricName: key }, asking);
	return rows
		.map((row) => {
			const data = objectAt(row, 'data');
			// The column has the metric's name; it is the only one all the same.
			const column = Object.hasOwn(data, key) ? key : (Object.keys(data)[0] ?? key);
			return {
				step: numberAt(row, 'step') ?? 0,
				value: numberAt(data, column) ?? Number.NaN,
				timestamp: Date.parse(textAt(row, 'createdUtc') ?? '') || 0,
			};
		})
		.sort((a, b) => a.step - b.step || a.timestamp - b.timestamp);
}

async function pages(
	workspace: Workspace,
	call: 'list' | 'full',
	body: Readonly<Record<string, string>>,
	{ runId, ...options }: Asking,
): Promise<readonly Json[]> {
	const items: Json[] = [];
	let token: string | undefined;
	for (let page = 1; page <= MOST_PAGES; page += 1) {
		const answer = await workspace.data('/metric/v2.0', `/runs/${encodeURIComponent(runId)}/${call}`, {
			doing: `read the metrics of the job "${runId}"`,
			body: token === undefined ? body : { ...body, continuationToken: token },
			...options,
		});
		items.push(...listAt(answer, 'value'));
		const next = at(answer, 'continuationToken');
		if (typeof next !== 'string' || next === '' || next === token) break;
		token = next;
	}
	return items;
}
