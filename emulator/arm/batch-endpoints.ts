// Batch endpoints: there are none, and none can be made. A client that looks for one gets the answers of the service.

import { serviceError } from '../errors.ts';
import { type ArmCall, page, standard } from './call.ts';
import { notFound } from './endpoints.ts';
import type { ArmRoutes } from './face.ts';

/** Adds the routes of batch endpoints. */
export function routeBatchEndpoints(routes: ArmRoutes): void {
	const at = '/batchEndpoints/{endpoint}';
	for (const path of [at, `${at}/deployments`, `${at}/deployments/{deployment}`]) routes.workspace('GET', path, absent);
	for (const path of [at, `${at}/deployments/{deployment}`]) {
		routes.workspace('PUT', path, refuse).workspace('DELETE', path, () => ({ status: 204, headers: standard }));
	}
	routes.workspace('GET', '/batchEndpoints', (call) => page(call, []));
}

function absent(call: ArmCall): never {
	const { endpoint, workspace } = call.names;
	throw notFound('NoSuchEndpoint', `There is no endpoint with name: ${endpoint} in ${workspace}`);
}

function refuse(): never {
	throw serviceError(400, 'UserError', 'Batch endpoints are not emulated. Use an online endpoint here.', {
		inner: ['NotSupported'],
	});
}
