// Shares a registered version of a model to an Azure ML registry, by the registry's own import operation. Where registries
// are found is the cloud's to say; no answer of theirs moves the token to a host that may not see it.
import { type Arm, createArm } from '../azure/arm.ts';
import type { BearerHttp } from '../azure/bearer.ts';
import { mayReceiveToken } from '../azure/cloud.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import { at, type Json, objectAt, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import type { ModelVersion } from './model.ts';
import { findRegistry, type Registry } from './registry-discovery.ts';

/** A version of a model in a registry. */
export interface SharedModel {
	readonly registry: string;
	/** `azureml://registries/<registry>/models/<name>/versions/<version>` */
	readonly id: string;
	/** The registry had it before. */
	readonly reused: boolean;
}

export interface ShareParts {
	readonly workspace: Workspace;
	readonly bearer: BearerHttp;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
}

/** Between two looks at an import whose operation may not be asked, in milliseconds, and for how long. */
const INTERVAL = 5_000;
const LONGEST_IMPORT = 30 * 60_000;

/**
 * Shares a version under its own name and number. One that the registry has already is left as it is.
 * @throws ServiceError where the registry is not found, may not be used, or the import fails
 */
export async function shareModel(model: ModelVersion, name: string, parts: ShareParts): Promise<SharedModel> {
	const { workspace, log, signal } = parts;
	const registry = await findRegistry(name, parts);
	const path = `${registry.id}/models/${encodeURIComponent(model.name)}/versions/${encodeURIComponent(model.version)}`;
	const shown = `${model.name}:${model.version}`;
	const find = { doing: `find the model "${shown}" in the registry "${name}"`, signal };
	const shared = { registry: name, id: `azureml://registries/${name}/models/${model.name}/versions/${model.version}` };
	const there = await workspace.arm.find(path, find);
	if (there !== undefined) {
		await warnOfAnother(there, model, name, parts);
		return { ...shared, reused: true };
	}
	log.info(`Sharing the model ${shown} to the registry ${name}.`);
	try {
		await importModel(model, path, registry, parts);
	} catch (error) {
		// Another run may have been faster.
		const taken = error instanceof ServiceError && isTaken(error) ? await workspace.arm.find(path, find) : undefined;
		if (taken === undefined) throw error;
		await warnOfAnother(taken, model, name, parts);
		return { ...shared, reused: true };
	}
	return { ...shared, reused: false };
}

async function importModel(model: ModelVersion, path: string, registry: Registry, parts: ShareParts): Promise<void> {
	const { workspace, bearer, clock, signal } = parts;
	const { location, workspaceId } = workspace;
	const doing = `share the model "${model.name}:${model.version}" to the registry "${registry.name}"`;
	if (workspaceId === undefined || location === '')
		throw new ServiceError(
			{ what: `Could not ${doing}.`, why: 'The workspace does not tell its own id.' },
			{ status: 0 },
		);
	const body = {
		properties: {
			referenceType: 'Id',
			destinationName: model.name,
			destinationVersion: model.version,
			sourceAssetId: `azureml://locations/${location}/workspaces/${workspaceId}/models/${model.name}/versions/${model.version}`,
		},
	};
	// The same kind of calls as the resource manager's, at the address of the registry.
	const service = createArm(bearer, { ...workspace.cloud, resourceManager: registry.service }, clock);
	const answer = await service.post(`${registry.id}/import`, body, { doing, signal }).catch((error: unknown) => {
		if (!(error instanceof ServiceError) || error.status !== 403) throw error;
		const { what, why, status, code } = error;
		const next =
			'Give the identity the role "AzureML Registry User" on the registry; a new role needs some minutes to work.';
		throw new ServiceError({ what, why, next, cause: error }, { status, code });
	});
	const address = answer.headers['azure-asyncoperation'] ?? answer.headers['location'];
	if (address !== undefined && mayReceiveToken(workspace.cloud, address)) {
		const made = await workspace.arm.settle(path, answer, { doing, signal });
		if (made !== undefined) return;
	}
	// Which host such an operation is asked at is not confirmed; what is to come of it can be looked at in any case.
	await appearance(path, doing, workspace.arm, parts);
}

async function appearance(path: string, doing: string, arm: Arm, { clock, signal }: ShareParts): Promise<void> {
	const deadline = clock.now() + LONGEST_IMPORT;
	for (;;) {
		const found = await arm.find(path, { doing: `see whether it came to ${doing}`, signal });
		const state = textAt(found, 'properties', 'provisioningState')?.toLowerCase() ?? 'succeeded';
		if (found !== undefined && state === 'succeeded') return;
		const over = clock.now() >= deadline;
		if (over || state === 'failed' || state === 'canceled') {
			throw new ServiceError(
				{
					what: `Could not ${doing}.`,
					why: over ? 'The registry still does not have it after half an hour.' : `The import ended as ${state}.`,
					next: 'Look at the registry in Azure ML studio. The version in the workspace stays registered.',
				},
				{ status: 0 },
			);
		}
		await clock.sleep(INTERVAL, signal);
	}
}

/** Refusals that say that the version is there; the import may also end with one. */
function isTaken({ status, message }: ServiceError): boolean {
	return status === 409 || /already exists/i.test(message);
}

/** Registries know a version by name and number only; that a copy keeps its tags is not confirmed, so silence means nothing. */
async function warnOfAnother(there: Json, model: ModelVersion, registry: string, parts: ShareParts): Promise<void> {
	const { workspace, log, signal } = parts;
	const own = await workspace.arm.find(model.id, { doing: `read the model ${model.assetId}`, signal });
	const [copied, here] = [there, own].map((one) => objectAt(at(one, 'properties'), 'tags'));
	const [job, ours] = [textAt(copied, 'job'), textAt(here, 'job')];
	if (job === undefined || ours === undefined || job === ours) return;
	log.warning(
		`The registry ${registry} has a ${model.name}:${model.version} already, which another job has made (${job}, not ${ours}). It is left as it is: give \`model-version\` a number that is free in both.`,
	);
}
