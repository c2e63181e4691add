// What a CLI v2 file is about: told from `$schema`, else from `type`, else from what only one kind has.
import { FileError } from '../errors.ts';
import { asText, child, describe, isNull } from './checks.ts';
import type { MapNode, YamlFile } from './node.ts';

/** The kinds of CLI v2 file that this action knows. */
export type FileKind =
	| `job:${'command' | 'sweep' | 'pipeline' | 'automl' | 'spark' | 'parallel'}`
	| `component:${'command' | 'pipeline' | 'parallel' | 'spark' | 'data_transfer'}`
	| 'environment'
	| 'data'
	| 'model'
	| 'datastore'
	| 'compute'
	| 'workspace'
	| 'online-endpoint'
	| 'online-deployment'
	| 'batch-endpoint'
	| 'batch-deployment';

const SCHEMAS: readonly (readonly [RegExp, FileKind])[] = [
	[/^commandjob$/, 'job:command'],
	[/^sweepjob$/, 'job:sweep'],
	[/^pipelinejob$/, 'job:pipeline'],
	[/^automl.*job$/, 'job:automl'],
	[/^sparkjob$/, 'job:spark'],
	[/^paralleljob$/, 'job:parallel'],
	[/^commandcomponent$/, 'component:command'],
	[/^pipelinecomponent$/, 'component:pipeline'],
	[/^parallelcomponent$/, 'component:parallel'],
	[/^sparkcomponent$/, 'component:spark'],
	[/^datatransfercomponent$/, 'component:data_transfer'],
	[/^environment$/, 'environment'],
	[/^(data|asset)$/, 'data'],
	[/^model$/, 'model'],
	[/^(azureblob|azurefile|azuredatalakegen1|azuredatalakegen2|datalakegen1|datalakegen2|onelake)$/, 'datastore'],
	[
		/^(amlcompute|computeinstance|vmcompute|virtualmachine|kubernetescompute|kubernetes|synapsesparkcompute|synapsespark)$/,
		'compute',
	],
	[/^workspace$/, 'workspace'],
	[/^(managedonlineendpoint|kubernetesonlineendpoint|onlineendpoint)$/, 'online-endpoint'],
	[/^(managedonlinedeployment|kubernetesonlinedeployment|onlinedeployment)$/, 'online-deployment'],
	[/^batchendpoint$/, 'batch-endpoint'],
	[/^(batchdeployment|modelbatchdeployment|pipelinecomponentbatchdeployment)$/, 'batch-deployment'],
];

/** What this action does nothing with, as the name of its `$schema` tells, and what does. */
const OTHERS: readonly (readonly [RegExp, string, string])[] = [
	[
		/schedule$/,
		'a schedule',
		'Use `az ml schedule create`, or run a workflow with this action on the event `schedule`',
	],
	[/^dataimport$/, 'an import of data', 'Use `az ml data import`'],
	[/connection$/, 'a connection', 'Use `az ml connection create`'],
	[/^modelversionpackage$/, 'a package of a model', 'Use `az ml model package`'],
	[/^registry$/, 'a registry', 'Use `az ml registry create`'],
	[/^featurestore$/, 'a feature store', 'Use `az ml feature-store create`'],
	[/^featureset$/, 'a feature set', 'Use `az ml feature-set create`'],
	[/^featurestoreentity$/, 'an entity of a feature store', 'Use `az ml feature-store-entity create`'],
	[/^(flow|run)$/, 'a prompt flow or a run of one', 'Use a component of type command that runs the flow'],
];

const TYPES: ReadonlyMap<string, readonly FileKind[]> = new Map<string, readonly FileKind[]>([
	['sweep', ['job:sweep']],
	['automl', ['job:automl']],
	['uri_file', ['data']],
	['uri_folder', ['data']],
	['mltable', ['data']],
	['custom_model', ['model']],
	['mlflow_model', ['model']],
	['triton_model', ['model']],
	['amlcompute', ['compute']],
	['computeinstance', ['compute']],
	['virtualmachine', ['compute']],
	['synapsespark', ['compute']],
	['azure_blob', ['datastore']],
	['azure_file', ['datastore']],
	['azure_data_lake_gen1', ['datastore']],
	['azure_data_lake_gen2', ['datastore']],
	['one_lake', ['datastore']],
]);

/**
 * Says what a file is about. `family` narrows what it may be where the caller knows, e.g. 'job' for any type of job. Throws
 * a `FileError` that asks for `$schema` where it could be several things or nothing known, or says what else is for it.
 */
export function kindOf(file: YamlFile, family?: 'job' | 'component'): FileKind {
	const has = (key: string): boolean => child(file.root, key) !== undefined;
	const schema = asText(child(file.root, '$schema'));
	const bySchema = schema && kindOfSchema(schema.text);
	const other = otherKind(file.root);
	if (other !== undefined) throw new FileError(file.path, [{ message: other, where: file.root.at }]);
	const typeNode = child(file.root, 'type');
	const type = asText(typeNode)?.text.toLowerCase();
	if (typeNode !== undefined && type === undefined && !isNull(typeNode)) {
		throw new FileError(file.path, [
			{ message: `Expected a type, but found ${describe(typeNode)}.`, where: typeNode.at },
		]);
	}
	if (bySchema !== undefined) {
		const isComponent = ['version', 'is_deterministic', 'inputs', 'outputs'].some(has);
		const asked = family === 'job' && bySchema.startsWith('component:') && !isComponent;
		return ofType(asked ? (bySchema.replace('component:', 'job:') as FileKind) : bySchema, type);
	}
	const all = (type === undefined ? undefined : TYPES.get(type)) ?? candidatesOf(file.root, type, has);
	const narrowed = all.filter((kind) => family === undefined || kind.startsWith(`${family}:`));
	const candidates = narrowed.length > 0 ? narrowed : all;
	const [only] = candidates;
	if (only !== undefined && candidates.length === 1) {
		return only;
	}
	throw undecided(file, candidates, schema?.text);
}

// The CLI goes by the type of a job or component, whatever the `$schema` says; a copied one is often another type's.
function ofType(kind: FileKind, type: string | undefined): FileKind {
	const family = kind.split(':')[0] ?? '';
	return SCHEMAS.map(([, known]) => known).find((known) => known === `${family}:${type}`) ?? kind;
}

/** The kind that a `$schema` names, or undefined where it names none that this action knows. */
export function kindOfSchema(schema: string): FileKind | undefined {
	const name = schemaName(schema);
	return SCHEMAS.find(([pattern]) => pattern.test(name))?.[1];
}

function schemaName(schema: string): string {
	return /([^/\\]+?)(?:\.schema)?(?:\.json)?$/.exec(schema.trim())?.[1]?.toLowerCase().replace(/[-_]/g, '') ?? '';
}

/** Why this action does nothing with a file whose `$schema` is another tool's, in a message; undefined for all others. */
export function otherKind(root: MapNode): string | undefined {
	const name = schemaName(asText(child(root, '$schema'))?.text ?? '');
	const [, what, next] = OTHERS.find(([pattern]) => pattern.test(name)) ?? [];
	return what && `This file is ${what}, as its $schema says; this action does nothing with those. ${next}.`;
}

function candidatesOf(root: MapNode, type: string | undefined, has: (key: string) => boolean): readonly FileKind[] {
	if (has('endpoint_name')) {
		return deployments(type, has);
	}
	if (
		type === 'command' ||
		type === 'parallel' ||
		type === 'spark' ||
		type === 'pipeline' ||
		(type === undefined && has('jobs'))
	) {
		return jobOrComponent(type ?? 'pipeline', has);
	}
	if (type === undefined && has('command')) {
		return jobOrComponent('command', has);
	}
	if (has('image') || has('conda_file') || has('build')) {
		return ['environment'];
	}
	if (type === 'kubernetes') {
		return has('resource_id') ? ['compute'] : ['compute', 'online-deployment'];
	}
	return endpoints(has, asText(child(root, 'auth_mode'))?.text.toLowerCase());
}

// A job says where it runs; a component has a version, or inputs that declare types without values.
function jobOrComponent(
	type: 'command' | 'parallel' | 'spark' | 'pipeline',
	has: (key: string) => boolean,
): readonly FileKind[] {
	const job = ['compute', 'experiment_name', 'limits', 'queue_settings', 'services', 'settings', 'identity'].some(has);
	const component = ['version', 'is_deterministic'].some(has);
	if (job !== component) {
		return [job ? `job:${type}` : `component:${type}`];
	}
	return [`job:${type}`, `component:${type}`];
}

function deployments(type: string | undefined, has: (key: string) => boolean): readonly FileKind[] {
	const online = type === 'managed' || type === 'kubernetes' || has('instance_type') || has('instance_count');
	const batch = type === 'model' || type === 'pipeline' || has('compute') || has('mini_batch_size') || has('settings');
	if (online !== batch) {
		return [online ? 'online-deployment' : 'batch-deployment'];
	}
	return ['online-deployment', 'batch-deployment'];
}

function endpoints(has: (key: string) => boolean, authMode: string | undefined): readonly FileKind[] {
	// Batch endpoints take tokens of Entra only.
	if (authMode === 'key' || authMode === 'aml_token') {
		return ['online-endpoint'];
	}
	if (has('traffic') || has('mirror_traffic') || has('public_network_access')) {
		return ['online-endpoint'];
	}
	if (has('defaults')) {
		return ['batch-endpoint'];
	}
	if (has('auth_mode')) {
		return ['online-endpoint', 'batch-endpoint'];
	}
	if (has('flavors') || has('stage')) {
		return ['model'];
	}
	return has('path') ? ['data', 'model'] : [];
}

/** Names of schemas to show where a kind has to be told. */
const EXAMPLES: readonly (readonly [FileKind, string])[] = [
	['online-endpoint', 'managedOnlineEndpoint'],
	['online-deployment', 'managedOnlineDeployment'],
	['batch-endpoint', 'batchEndpoint'],
	['batch-deployment', 'batchDeployment'],
	['data', 'data'],
	['model', 'model'],
	['compute', 'amlCompute'],
	['component:command', 'commandComponent'],
	['component:pipeline', 'pipelineComponent'],
];

function undecided(file: YamlFile, candidates: readonly FileKind[], schema: string | undefined): FileError {
	const could = candidates.length > 0 ? `It could be ${candidates.join(' or ')}.` : 'Nothing in it says what it is.';
	const unknown = schema === undefined ? '' : ` Its $schema, '${schema}', is none that this action knows.`;
	const example = EXAMPLES.find(([kind]) => kind === candidates[0])?.[1] ?? 'commandJob';
	const message = `Cannot tell what kind of file this is. ${could}${unknown} Add the line that the Azure ML docs give for its kind, e.g. $schema: https://azuremlschemas.azureedge.net/latest/${example}.schema.json`;
	return new FileError(file.path, [{ message, where: file.root.at }]);
}
