// Turns ids of data and model versions into the URIs of their content, many at once.

import { References } from '../arm/references.ts';
import type { Router } from '../router.ts';
import { type HistoryCall, type HistoryHandler, ok, SCOPE } from './call.ts';

const TYPES: Record<string, string> = {
	uri_file: 'UriFile',
	uri_folder: 'UriFolder',
	mltable: 'MLTable',
	custom_model: 'CustomModel',
	mlflow_model: 'MLFlowModel',
	triton_model: 'TritonModel',
};

/** Adds the routes of resolved URIs. */
export function routeResolvedUris(router: Router<HistoryHandler>): void {
	router
		.on('POST', `/data/v1.0${SCOPE}/dataversion/batchGetResolvedUris`, (call) => resolve(call, 'uri'))
		.on('POST', `/modelregistry/v1.0${SCOPE}/models/batchGetResolvedUris`, (call) => resolve(call, 'path'));
}

/** An id that names nothing is left out of the answer; how the service treats one is not confirmed. */
function resolve(call: HistoryCall, field: 'uri' | 'path') {
	const references = new References(call.platform, call.names['workspace'] ?? '');
	const asked = Array.isArray(call.body['values']) ? call.body['values'].map(String) : [];
	const found = asked.flatMap((id) => {
		const properties = references.asset(id)?.properties;
		if (!properties) return [];
		const type = String(properties['dataType'] ?? properties['modelType']);
		const uri = properties['dataUri'] ?? properties['modelUri'];
		return [[id, { [field]: uri, type: TYPES[type] ?? type, legacyDatasetType: null }] as const];
	});
	return ok({ values: Object.fromEntries(found) });
}
