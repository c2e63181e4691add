// What online and batch deployments have in common: names, scoring code, probes of a value. Nothing here is sent alone.
import { deploymentEnvironmentSource, modelSource, type Needs } from '../asset/asset-sources.ts';
import type { Dependency, IdOf } from '../asset/dependency.ts';
import { localPath } from '../asset/local-path.ts';
import { isUri, parseAssetReference } from '../asset/reference.ts';
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { type MapReader, mapping, type Reader } from '../yaml/checks.ts';
import { filledText, stringMap, text } from '../yaml/values.ts';

/** Where an endpoint or a deployment is made. */
export interface EndpointContext {
	/** ARM id of the workspace. */
	readonly workspaceId: string;
	/** Region of the workspace, e.g. `westeurope`. */
	readonly location: string;
	readonly idOf: IdOf;
}

/** The code that scores requests: a folder and the script in it. */
export interface CodeConfiguration {
	readonly code: Needs<'code' | 'reference'> | undefined;
	readonly scoringScript: string | undefined;
}

/** What every deployment has. */
export interface DeploymentFacts {
	/** The deployment's name; `undefined` where the file gives none, so that one has to be chosen. */
	readonly name: string | undefined;
	/** The endpoint's name; `undefined` where the file gives none, so that an input has to. */
	readonly endpointName: string | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string>;
	readonly properties: ReadonlyMap<string, string>;
	readonly model: Needs<'model' | 'reference'> | undefined;
	readonly codeConfiguration: CodeConfiguration | undefined;
	readonly environment: Needs<'environment' | 'reference'> | undefined;
	readonly environmentVariables: ReadonlyMap<string, string>;
	readonly dependencies: readonly Dependency[];
	readonly at: Place;
}

const NAME = /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

/** A reader of the name of an endpoint or a deployment; Azure ML's clients write it in small letters. */
export const endpointName: Reader<string> = (node, reading) => {
	const name = filledText(node, reading);
	const rule = '3 to 32 letters, digits and hyphens, starting with a letter and not ending with a hyphen';
	if (name !== '' && !NAME.test(name)) {
		reading.fault(node.at, `'${name}' cannot be the name of an endpoint or deployment: ${rule}.`);
	} else if (name.length < 3 || name.length > 32) {
		reading.warn(node.at, `Azure ML may refuse the name '${name}'. It asks for ${rule}.`);
	}
	return name.toLowerCase();
};

const codeConfiguration: Reader<CodeConfiguration> = mapping('code_configuration', (map) => {
	const code = map.optional('code', scoringCode);
	const scoringScript = map.optional('scoring_script', filledText);
	const script = map.node('scoring_script');
	if (scoringScript === undefined) {
		map.reading.fault(
			map.at,
			"'code_configuration' needs 'scoring_script', the script in the code folder that scores requests.",
		);
	} else if (code?.need === 'code' && code.path !== '' && script !== undefined) {
		const joined = `${withoutEndSlashes(code.written)}/${scoringScript}`;
		localPath(joined, script.at, map.reading, 'file');
	}
	return { code, scoringScript };
});

const scoringCode: Reader<Needs<'code' | 'reference'>> = (node, reading) => {
	const written = filledText(node, reading);
	if (!written.startsWith('azureml:') && !written.startsWith('/subscriptions/') && !isUri(written)) {
		return { need: 'code', ...localPath(written, node.at, reading, 'folder') };
	}
	const found = parseAssetReference('codes', written, node.at);
	if (typeof found === 'string') {
		reading.fault(node.at, found);
		return { need: 'reference', reference: { form: 'uri', kind: 'codes', uri: written, at: node.at } };
	}
	return { need: 'reference', reference: found };
};

/** Reads what every deployment has. */
export function readDeploymentFacts(map: MapReader): DeploymentFacts {
	map.ignore('$schema', 'id', 'type', 'provisioning_state', 'creation_context');
	const model = map.optional('model', modelSource);
	const code = map.optional('code_configuration', codeConfiguration);
	const environment = map.optional('environment', deploymentEnvironmentSource);
	return {
		name: map.optional('name', endpointName),
		endpointName: map.optional('endpoint_name', text),
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap) ?? new Map(),
		properties: map.optional('properties', stringMap) ?? new Map(),
		model,
		codeConfiguration: code,
		environment,
		environmentVariables: map.optional('environment_variables', stringMap) ?? new Map(),
		dependencies: [code?.code, environment, model].filter((one): one is NonNullable<typeof one> => one !== undefined),
		at: map.at,
	};
}

/** The members of a deployment's `properties` that every kind has. The model is left to each kind. */
export function deploymentFactsBody(facts: DeploymentFacts, idOf: IdOf): JsonObject {
	const { codeConfiguration: code } = facts;
	return jsonObject({
		description: facts.description,
		properties: mapValues(facts.properties, (value) => value),
		codeConfiguration: code && jsonObject({ codeId: code.code && idOf(code.code), scoringScript: code.scoringScript }),
		environmentId: facts.environment && idOf(facts.environment),
		environmentVariables: mapValues(facts.environmentVariables, (value) => value),
	});
}
