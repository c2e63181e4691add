// Refuses a job that names a compute, environment, code or asset which the workspace does not have.

import { serviceError } from '../errors.ts';
import { COMPONENTS, DATA, ENVIRONMENTS } from './asset-kinds.ts';
import { type ArmCall, type Json, objectOf, textOf } from './call.ts';
import { MODELS } from './models.ts';
import { assetReference, pathInWorkspace, References } from './references.ts';

const SHORT = /^azureml:([^/:@]+):(.+)$/;

/** Checks what a job's properties name. A datastore of an input is not looked up: the service does not either. */
export function checkReferences(call: ArmCall, job: Json): void {
	const references = new References(call.platform, call.names['workspace'] ?? '');
	checkCompute(references, textOf(job['computeId']));
	const trial = objectOf(job['trial']);
	for (const part of [job, trial]) {
		checkEnvironment(references, textOf(part['environmentId']));
		checkAsset(references, textOf(part['codeId']));
	}
	checkAsset(references, textOf(job['componentId']));
	for (const input of Object.values(objectOf(job['inputs']))) checkAsset(references, textOf(objectOf(input)['uri']));
	checkCompute(references, textOf(objectOf(job['settings'])['default_compute']));
	for (const node of Object.values(objectOf(job['jobs'])).map(objectOf)) {
		checkAsset(references, textOf(node['componentId']));
		checkAsset(references, textOf(objectOf(node['trial'])['componentId']));
		checkCompute(references, textOf(node['computeId']));
		for (const input of Object.values(objectOf(node['inputs']))) checkAsset(references, textOf(objectOf(input)['uri']));
	}
}

/** Refuses an environment that does not exist; curated ones and those of registries are taken as they are. */
export function checkEnvironment(references: References, id: string | undefined): void {
	if (id === undefined || /^azureml:\/\/registries\//i.test(id) || /^azureml:AzureML-/i.test(id)) return;
	const [, shortName, shortVersion] = SHORT.exec(id) ?? [];
	const reference =
		assetReference(id) ?? (shortName && shortVersion ? { name: shortName, version: shortVersion } : undefined);
	if (!reference) {
		throw serviceError(400, 'UserError', `The environmentId '${id}' is not a valid id of an environment.`, {
			inner: ['BadArgument', 'ArgumentInvalid'],
			target: 'properties.environmentId',
		});
	}
	const { name, version } = reference;
	if (!references.resource('environments', name, 'versions', version)) throw ENVIRONMENTS.absent(name, version);
}

function checkCompute(references: References, id: string | undefined): void {
	const name = /^computes\/([^/]+)$/i.exec(pathInWorkspace(id ?? '') ?? '')?.[1];
	if (id === undefined || name === 'serverless' || id === 'local') return;
	if (name !== undefined && references.resource('computes', decodeURIComponent(name))) return;
	// Seen for the GET of a compute only, there without a body; what the PUT of a job answers is not confirmed.
	throw serviceError(404, 'UserError', `Compute target ${name ?? id} was not found in the workspace.`, {
		inner: ['NotFound', 'ComputeNotFound'],
	});
}

/** Refuses the id of an asset version that does not exist; other URIs pass. */
export function checkAsset(references: References, id: string | undefined): void {
	const reference = id === undefined ? undefined : assetReference(id);
	if (!reference || references.asset(id ?? '')) return;
	const { kind, name, version } = reference;
	const known = [ENVIRONMENTS, DATA, MODELS, COMPONENTS].find((one) => one.kind === kind);
	if (known) throw known.absent(name, version);
	throw serviceError(404, 'UserError', `Code asset ${name}:${version} not found.`, { inner: ['NotFoundError'] });
}
