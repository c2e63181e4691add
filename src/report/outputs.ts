// The outputs of the step, from the report. An output without a value is not set.

import { RolloutError } from '../errors.ts';
import type { RunReport } from './run-report.ts';

/** The names of the contract. */
export const OUTPUT_NAMES = [
	'job-name',
	'job-status',
	'job-url',
	'job-reused',
	'metrics',
	'gates-passed',
	'model-name',
	'model-version',
	'model-id',
	'model-uri',
	'endpoint-name',
	'deployment-name',
	'scoring-uri',
	'rolled-back',
	'download-path',
	'plan-path',
] as const;

export type OutputName = (typeof OUTPUT_NAMES)[number];

/** Each output that has a value, as text. */
export function outputsOf(report: RunReport): Partial<Record<OutputName, string>> {
	const { job, metrics, gates, model, failure } = report;
	const rollout = report.rollout ?? report.batchRollout;
	const failed = failure instanceof RolloutError ? failure : undefined;
	const rolledBack = failed?.rolledBack ?? rollout?.rolledBack;
	const endpoint = failed?.left ?? rollout;
	const values: Readonly<Record<string, string | undefined>> = {
		'job-name': job?.name ?? report.intendedJob,
		'job-status': job?.status,
		'job-url': job?.studioUrl,
		'job-reused': report.jobReused === undefined ? undefined : String(report.jobReused),
		metrics: metrics === undefined ? undefined : JSON.stringify(metrics, numberAsText),
		'gates-passed': gates === undefined ? undefined : String(gates.every(({ passed }) => passed)),
		'model-name': model?.name,
		'model-version': model?.version,
		'model-id': model?.assetId,
		'model-uri': model?.uri,
		'endpoint-name': endpoint?.endpointName ?? report.deletedEndpoint,
		'deployment-name': endpoint?.deploymentName,
		'scoring-uri': endpoint?.scoringUri,
		'plan-path': report.plan?.path,
		'download-path': report.downloaded?.path,
		'rolled-back': rolledBack === undefined ? undefined : String(rolledBack),
	};
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ''));
}

/** JSON has no NaN and no infinity; as text they are at least not lost. */
function numberAsText(_key: string, value: unknown): unknown {
	return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
