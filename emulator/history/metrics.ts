// The metric service of run history: which metrics a run has, and all their points.

import { dataPlaneError, isoTime } from '../errors.ts';
import type { Router } from '../router.ts';
import { dataContainerId } from '../runs.ts';
import { type HistoryCall, type HistoryHandler, listPage, runOf, SCOPE } from './call.ts';

const PAGE = 1000;

/** Adds the routes of the metric service. */
export function routeMetrics(router: Router<HistoryHandler>): void {
	const base = `/metric/v2.0${SCOPE}/runs/{run}`;
	router.on('POST', `${base}/list`, list).on('POST', `${base}/full`, full).on('POST', `${base}/sample`, full);
}

function list(call: HistoryCall) {
	const metrics = Object.keys(runOf(call).metrics).map((name) => ({
		metricKey: { name, namespace: '' },
		columns: { [name]: 'Double' },
		properties: { uxMetricType: 'azureml.v1.scalar' },
	}));
	return listPage(call, metrics, PAGE);
}

function full(call: HistoryCall) {
	const run = runOf(call);
	const name = String(call.body['metricName'] ?? '');
	const points = Object.hasOwn(run.metrics, name) ? run.metrics[name] : undefined;
	if (!points)
		throw dataPlaneError(404, `Metric ${name} of run ${run.runId} was not found.`, ['NotFound', 'MetricNotFound']);
	const value = points.map((point, index) => ({
		metricId: `${run.runId}/${name}/${index}`,
		createdUtc: isoTime(point.timestamp),
		step: point.step,
		data: { [name]: Number.isFinite(point.value) ? point.value : String(point.value) },
	}));
	const answer = listPage(call, value, PAGE);
	const about = {
		dataContainerId: dataContainerId(run.runId),
		name,
		columns: { [name]: 'Double' },
		properties: { uxMetricType: 'azureml.v1.scalar' },
		namespace: null,
	};
	return { ...answer, json: { ...about, ...(answer.json as object) } };
}
