// The fields that name an asset or define it on the spot: `environment`, `code`, `model`. Each becomes a dependency.
import type { Place } from '../errors.ts';
import { asText, describe, type Reader, type Reading } from '../yaml/checks.ts';
import type { YamlNode } from '../yaml/node.ts';
import { filledText } from '../yaml/values.ts';
import type { Dependency } from './dependency.ts';
import { environment } from './environment-file.ts';
import { localPath } from './local-path.ts';
import { model } from './model-file.ts';
import { type AssetKind, assetReference, hasExpression, isUri, parseAssetReference } from './reference.ts';

/** A dependency of one or more sorts. */
export type Needs<Need extends Dependency['need']> = Extract<Dependency, { need: Need }>;

/** A reader of `environment`: the name of one, or its definition. */
export const environmentSource: Reader<Needs<'reference' | 'environment'>> = (node, reading) => {
	if (node.kind === 'map') {
		warnOfName(node, reading, 'environment');
		return { need: 'environment', environment: environment(node, reading), anonymous: true };
	}
	return { need: 'reference', reference: assetReference('environments')(node, reading) };
};

/** A reader of a deployment's `environment`. Unlike in a job, a definition that has a name is registered under it. */
export const deploymentEnvironmentSource: Reader<Needs<'reference' | 'environment'>> = (node, reading) => {
	if (node.kind === 'map') {
		const defined = environment(node, reading);
		return { need: 'environment', environment: defined, anonymous: defined.name === undefined };
	}
	return { need: 'reference', reference: assetReference('environments')(node, reading) };
};

/** A reader of a deployment's `model`: the name of one, or its definition. One with a name is registered under it. */
export const modelSource: Reader<Needs<'reference' | 'model'>> = (node, reading) => {
	if (node.kind === 'map') {
		const defined = model(node, reading);
		return { need: 'model', model: defined, anonymous: defined.name === undefined };
	}
	return { need: 'reference', reference: assetReference('models')(node, reading) };
};

/** A reader of `code`: a local folder or file, or the name of a registered code asset, or a URL. */
export const codeSource: Reader<Needs<'reference' | 'code'>> = (node, reading) => {
	const written = filledText(node, reading);
	if (asText(node) === undefined) {
		return { need: 'code', path: '', written, at: node.at };
	}
	return isReference(written)
		? named('codes', written, node.at, reading)
		: { need: 'code', ...localPath(written, node.at, reading) };
};

function isReference(written: string): boolean {
	const remote = written.startsWith('azureml:') || written.startsWith('/subscriptions/') || written.startsWith('git+');
	return remote || isUri(written) || hasExpression(written);
}

function named(kind: AssetKind, written: string, at: Place, reading: Reading): Needs<'reference'> {
	if (written.startsWith('git+')) {
		reading.fault(at, `'${written}' is a git address. A job's code is a folder of the checkout.`);
	}
	const found = parseAssetReference(kind, written, at);
	if (typeof found === 'string') {
		reading.fault(at, found);
		return { need: 'reference', reference: { form: 'uri', kind, uri: written, at } };
	}
	return { need: 'reference', reference: found };
}

function warnOfName(node: YamlNode, reading: Reading, what: string): void {
	const name = node.kind === 'map' ? node.entries.find((entry) => entry.key === 'name') : undefined;
	if (name !== undefined) {
		reading.warn(
			name.at,
			`An ${what} defined inside another file is kept without a name; ${describe(name.value)} is not used.`,
		);
	}
}
