// The outputs of runs: where they are kept, and the data and model versions that are made of them on completion.

import { longUri } from '../arm/asset-kinds.ts';
import { nextVersion, registerVersion } from '../arm/assets.ts';
import { type ArmCall, keyOf, textOf } from '../arm/call.ts';
import { ARTIFACT_DATASTORE } from '../arm/datastores.ts';
import { artifactsPath } from '../arm/references.ts';
import type { JobOutput } from '../execution.ts';
import type { Run } from '../runs.ts';
import type { JobScope } from './live-job.ts';

/** An output of a run, with the asset that is to be made of it where the job names one. */
export interface NamedOutput extends JobOutput {
	assetName?: string | null | undefined;
	assetVersion?: string | null | undefined;
}

/** The asset of an output, as run history names it. */
export type OutputAsset = Run['outputs'][string];

/** The types of assets as run history spells them. */
const RUN_TYPES: Record<string, string> = {
	uri_file: 'UriFile',
	uri_folder: 'UriFolder',
	mltable: 'MLTable',
	custom_model: 'CustomModel',
	mlflow_model: 'MLFlowModel',
	triton_model: 'TritonModel',
};

/** Gives the place that the service chooses for an output whose job names none. */
export function defaultOutputUri(runId: string, name: string, type: string, datastore = 'workspaceblobstore'): string {
	return `azureml://datastores/${datastore}/paths/azureml/${runId}/${name}${type === 'uri_file' ? '' : '/'}`;
}

/** Gives the output that the service adds to every job: the artifacts of its run. */
export function artifactsOutput(runId: string): NamedOutput {
	const uri = `azureml://datastores/${ARTIFACT_DATASTORE}/paths/${artifactsPath(runId)}`;
	return { jobOutputType: 'uri_folder', uri };
}

/** Makes an asset of each output of a completed run, and notes it with the run. */
export function registerOutputs(scope: JobScope, runId: string, outputs: Record<string, NamedOutput>): void {
	for (const [name, output] of Object.entries(outputs)) {
		noteOutput(scope, runId, name, registerOutput(scope.call, runId, name, output), output.uri);
	}
}

/** Notes with a run where an output of it is, and which asset it is. */
export function noteOutput(scope: JobScope, runId: string, name: string, asset: OutputAsset, uri: string): void {
	scope.platform.state.runs.update(runId, (run) => {
		run.outputs[name] = asset;
		run.outputUris = { ...run.outputUris, [name]: uri };
	});
}

/** Gives a run the outputs of another one, all but its artifacts. */
export function takeOutputs(scope: JobScope, runId: string, from: Run): void {
	for (const [name, asset] of Object.entries(from.outputs)) {
		const uri = from.outputUris?.[name];
		if (name !== 'default' && uri !== undefined) noteOutput(scope, runId, name, asset, uri);
	}
}

/**
 * Registers one output: as a model or data version of the name that the job gives, else as data of a name that the
 * service makes up. A version that exists already is left as it is; what the service does then is not confirmed.
 */
export function registerOutput(call: ArmCall, runId: string, name: string, output: NamedOutput): OutputAsset {
	const type = output.jobOutputType;
	const uri = longUri(call, output.uri.replace(/^(azureml:\/\/datastores\/[^/]+\/)(?!paths\/)/, '$1paths/'));
	const isModel = type.endsWith('_model');
	const kind = isModel ? 'models' : 'data';
	const assetName = textOf(output.assetName) ?? `azureml_${runId}_output_data_${name}`;
	const existing = call.platform.state.resources.list(`${keyOf(call, kind, assetName)}/versions`);
	const version = textOf(output.assetVersion) ?? nextVersion(existing);
	const common = { description: null, tags: {}, properties: {}, isArchived: false, isAnonymous: false };
	const content = isModel
		? { flavors: {}, modelType: type, modelUri: uri, jobName: runId }
		: { dataType: type, dataUri: uri };
	if (!existing.some((one) => one.name === version)) {
		registerVersion(call, kind, assetName, version, { ...common, ...content });
	}
	const workspace = call.platform.state.resources.get((call.names['workspace'] ?? '').toLowerCase());
	const scope = `azureml://locations/eastus/workspaces/${workspace?.properties['workspaceId']}`;
	return { assetId: `${scope}/${kind}/${assetName}/versions/${version}`, type: RUN_TYPES[type] ?? 'UriFolder' };
}
