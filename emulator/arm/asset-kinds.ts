// Environments, data and components: what the service keeps of a new version of each, and what may never change.
// Models have a file of their own.

import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { serviceError } from '../errors.ts';
import type { Resource } from '../state.ts';
import { type AssetKind, pathFixed, registerVersion } from './assets.ts';
import { type ArmCall, isObject, type Json, objectOf, textOf } from './call.ts';

const ANONYMOUS_COMPONENT = 'azureml_anonymous';

/** Environments. */
export const ENVIRONMENTS: AssetKind = {
	kind: 'environments',
	noun: 'environment',
	schema: 'environments_versions',
	absent: (name, version = '') =>
		serviceError(404, 'UserError', `No environment exists for name: ${name}, version: ${version}, label: `, {
			inner: ['NotFoundError'],
		}),
	accept: (_call, given) => {
		const { image, build, condaFile } = given;
		if ((image == null) === (build == null)) {
			throw serviceError(400, 'UserError', 'An environment has either an image or a build context, and not both.', {
				inner: ['BadArgument', 'ArgumentInvalid'],
			});
		}
		return {
			autoDeleteSetting: null,
			environmentType: 'UserCreated',
			...(image == null ? { build: { dockerfilePath: 'Dockerfile', ...objectOf(build) } } : { image }),
			condaFile: condaFile == null ? '' : asJsonText(String(condaFile)),
			osType: given['osType'] ?? 'Linux',
			autoRebuild: given['autoRebuild'] ?? 'Disabled',
			...(given['inferenceConfig'] ? { inferenceConfig: given['inferenceConfig'] } : {}),
			provisioningState: 'Succeeded',
			stage: given['stage'] ?? 'Logged',
			intellectualProperty: null,
		};
	},
	checkUpdate: (_call, before, given, name) => {
		const conda = given['condaFile'] == null ? '' : asJsonText(String(given['condaFile']));
		const same =
			(given['image'] ?? null) === (before.properties['image'] ?? null) && conda === before.properties['condaFile'];
		if (same) return;
		// That the service refuses this is documented; its words and status are not confirmed.
		throw serviceError(
			400,
			'UserError',
			`Environment ${name}:${before.name} exists with another definition, which is immutable. Use a new version.`,
			{ inner: ['BadArgument', 'ArgumentInvalid'] },
		);
	},
};

/** Data. */
export const DATA: AssetKind = {
	kind: 'data',
	noun: 'data asset',
	schema: 'data_versions',
	absent: (name, version) =>
		serviceError(
			404,
			'UserError',
			version === undefined
				? `${name} container was not found.`
				: `Data version ${name}:${version} (dataContainerName:version) not found.`,
			{ inner: ['NotFoundError'] },
		),
	accept: (call, given, name) => {
		checkDataType(call, given, name);
		return {
			dataUri: longUri(call, String(given['dataUri'])),
			dataType: given['dataType'],
			...(given['referencedUris'] ? { referencedUris: given['referencedUris'] } : {}),
		};
	},
	checkUpdate: (_call, before, given) => {
		const last = (uri: unknown) =>
			String(uri)
				.replace(/^.*\/datastores\//i, '')
				.replace(/\/+$/, '');
		if (last(before.properties['dataUri']) !== last(given['dataUri'])) throw pathFixed();
	},
};

/** Components. The same anonymous content is kept once, whatever version it is put under. */
export const COMPONENTS: AssetKind = {
	kind: 'components',
	noun: 'component',
	schema: 'components_versions',
	absent: (name) =>
		serviceError(404, 'UserError', `Not found component ${name}.`, { inner: ['NotFound', 'ComponentNotFound'] }),
	versionOf: (name, version, given) => (name === ANONYMOUS_COMPONENT ? anonymousVersion(given) : version),
	accept: (_call, given, name, version) => ({
		componentSpec: {
			...keptSpec(given),
			name,
			version: name === ANONYMOUS_COMPONENT ? '1' : version,
		},
	}),
	checkUpdate: (_call, before, given, name) => {
		if (name === ANONYMOUS_COMPONENT) return;
		const [old, now] = [before.properties['componentSpec'], keptSpec(given)].map(objectOf);
		for (const field of ['code', 'command', 'environment', 'inputs', 'outputs', 'type']) {
			if (JSON.stringify(old?.[field]) === JSON.stringify(now?.[field])) continue;
			throw serviceError(
				400,
				'UserError',
				`Failed to update component ${name} since field "${field}" is immutable, try specifying a new version.`,
				{ inner: ['BadArgument', 'ComponentValidationFailed'] },
			);
		}
	},
};

/** Puts the environments into a workspace that are there from the start. */
export function furnishEnvironments(call: ArmCall): void {
	const curated = ['AzureML-sklearn-1.0-ubuntu20.04-py38-cpu', 'AzureML-Minimal'];
	const common = { description: null, tags: {}, properties: {}, isArchived: false, isAnonymous: false, condaFile: '' };
	for (const name of curated) {
		registerVersion(call, 'environments', name, '1', { ...common, environmentType: 'Curated', osType: 'Linux' });
	}
	registerVersion(call, 'environments', 'python-stdlib', '1', {
		...common,
		description: 'The Python of the machine that the emulator runs on.',
		environmentType: 'UserCreated',
		image: 'docker.io/library/python:3.12-slim',
		osType: 'Linux',
		provisioningState: 'Succeeded',
	});
}

/** Writes a short datastore URI in its long form, as the service does for what it keeps. */
export function longUri(call: ArmCall, uri: string): string {
	const [, store, path] = /^azureml:\/\/datastores\/([^/]+)\/(?:paths\/)?(.*)$/i.exec(uri) ?? [];
	if (store === undefined) return uri;
	const { subscription, group, workspace } = call.names;
	return `azureml://subscriptions/${subscription}/resourcegroups/${group}/workspaces/${workspace}/datastores/${store}/paths/${path}`;
}

function checkDataType(call: ArmCall, given: Json, name: string): void {
	const before: Resource | undefined = call.platform.state.resources.get(
		`${(call.names['workspace'] ?? '').toLowerCase()}/data/${encodeURIComponent(name)}`,
	);
	const type = textOf(before?.properties['dataType']);
	if (type === undefined || type === given['dataType']) return;
	throw serviceError(
		400,
		'UserError',
		`The data asset ${name} is of type ${type}; its versions cannot be of another.`,
		{
			inner: ['BadArgument', 'ArgumentInvalid'],
		},
	);
}

function asJsonText(conda: string): string {
	try {
		return JSON.stringify(parse(conda), null, 2);
	} catch {
		throw serviceError(400, 'UserError', 'The condaFile of the environment is not YAML.', {
			inner: ['BadArgument', 'ArgumentInvalid'],
		});
	}
}

/** A component as the service keeps it, with what it fills in. */
function keptSpec(given: Json): Json {
	const spec = objectOf(spelledOut(given['componentSpec']));
	const inputs = Object.entries(objectOf(spec['inputs'])).map(([name, port]) => [
		name,
		isObject(port) ? { optional: 'False', ...port } : port,
	]);
	return {
		...(spec['type'] === 'pipeline' ? { is_deterministic: 'False' } : {}),
		...spec,
		...(spec['inputs'] == null ? {} : { inputs: Object.fromEntries(inputs) }),
		...(spec['type'] === 'command' ? { resources: { instance_count: '1', ...objectOf(spec['resources']) } } : {}),
	};
}

/** Gives every plain value of a component as text, the way the service gives it back. */
function spelledOut(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(spelledOut);
	if (isObject(value)) {
		const entries = Object.entries(value).filter(([name]) => name !== '_source');
		return Object.fromEntries(entries.map(([name, one]) => [name, spelledOut(one)]));
	}
	if (typeof value === 'boolean') return value ? 'True' : 'False';
	return value === null || typeof value === 'string' ? value : String(value);
}

/** Gives the version of a component without a name, which its content alone decides. */
export function anonymousVersion(given: Json): string {
	const { name: _n, version: _v, ...content } = objectOf(given['componentSpec']);
	const hex = createHash('sha256').update(JSON.stringify(content)).digest('hex');
	return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
		'-',
	);
}
