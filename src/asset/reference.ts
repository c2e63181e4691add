// What a CLI v2 file may write where it names another thing, told apart but not yet looked up.

import type { Place } from '../errors.ts';
import type { Reader, Reading } from '../yaml/checks.ts';
import { text } from '../yaml/values.ts';

/** The kinds of asset that have a name and a version. */
export type AssetKind = 'codes' | 'data' | 'environments' | 'models' | 'components';

/** The kinds of thing that have a name only. */
export type NamedKind = 'computes' | 'datastores' | 'jobs';

/**
 * A reference as it stands in a file. `kind` says what it should lead to.
 * - `id`: an ARM id, given in full.
 * - `uri`: an `azureml://`, `https://`, `wasbs://`, `abfss://`, … URI, or an expression `${{…}}`, passed on as written.
 * - `version`, `label`: `azureml:name:version`, `azureml:name@latest` in this workspace.
 * - `name`: `azureml:name` of something without versions (a compute, a datastore).
 * - `local`: a path in the checkout, absolute.
 */
export type Reference =
	| { readonly form: 'id'; readonly kind: AssetKind | NamedKind; readonly id: string; readonly at: Place }
	| { readonly form: 'uri'; readonly kind: AssetKind | NamedKind; readonly uri: string; readonly at: Place }
	| {
			readonly form: 'version';
			readonly kind: AssetKind;
			readonly name: string;
			readonly version: string;
			readonly at: Place;
	  }
	| {
			readonly form: 'label';
			readonly kind: AssetKind;
			readonly name: string;
			readonly label: string;
			readonly at: Place;
	  }
	| { readonly form: 'name'; readonly kind: NamedKind; readonly name: string; readonly at: Place }
	| {
			readonly form: 'local';
			readonly kind: AssetKind;
			readonly path: string;
			readonly written: string;
			readonly at: Place;
	  };

/** Whether a text holds an expression such as `${{inputs.x}}` and must be passed on as it stands. */
export function hasExpression(written: string): boolean {
	const start = written.indexOf('${{');
	return start >= 0 && written.includes('}}', start + 3);
}

/** Whether a text is a URI with a scheme and something behind it: `azureml://…`, `https://…`, `wasbs://…`. */
export function isUri(written: string): boolean {
	return /^[a-z][a-z0-9+.-]+:\/\/./i.test(written) && !written.startsWith('file://');
}

const ASSET_WORDS: Readonly<Record<AssetKind, string>> = {
	codes: 'code',
	data: 'data asset',
	environments: 'environment',
	models: 'model',
	components: 'component',
};

/**
 * Reads the name of an asset: `azureml:name:version`, `azureml:name@label`, an ARM id with or without `azureml:` before
 * it, an `azureml://` or other URI, or an expression. Curated environments (`azureml:AzureML-…`) come out as a `uri`
 * because the service wants them as written. Gives a message instead where the text is none of these.
 */
export function parseAssetReference(kind: AssetKind, written: string, at: Place): Reference | string {
	if (hasExpression(written) || isUri(written)) {
		return { form: 'uri', kind, uri: written, at };
	}
	const name = written.startsWith('azureml:') ? written.slice('azureml:'.length) : written;
	if (name.startsWith('/subscriptions/')) {
		return { form: 'id', kind, id: name, at };
	}
	const word = ASSET_WORDS[kind];
	if (name === written) {
		return `'${written}' does not say which ${word} it means. A registered ${word} is written azureml:<name>:<version> or azureml:<name>@latest.`;
	}
	if (kind === 'environments' && name.startsWith('AzureML-')) {
		return { form: 'uri', kind, uri: written, at };
	}
	return (
		parseNameAndVersion(kind, name, at) ??
		`'${written}' has no version. Write azureml:${name}:<version> or azureml:${name}@latest.`
	);
}

// A version may hold colons and a name may not, so the first colon parts them; labels stand behind the last @.
function parseNameAndVersion(kind: AssetKind, name: string, at: Place): Reference | undefined {
	const colon = name.indexOf(':');
	if (colon > 0 && colon < name.length - 1) {
		return { form: 'version', kind, name: name.slice(0, colon), version: name.slice(colon + 1), at };
	}
	const label = name.lastIndexOf('@');
	if (colon < 0 && label > 0 && label < name.length - 1) {
		return { form: 'label', kind, name: name.slice(0, label), label: name.slice(label + 1), at };
	}
	return undefined;
}

/** Reads the name of something without versions: `azureml:name`, a bare `name`, an ARM id, or an expression. */
export function parseNamedReference(kind: NamedKind, written: string, at: Place): Reference | string {
	if (hasExpression(written) || (isUri(written) && kind !== 'computes')) {
		return { form: 'uri', kind, uri: written, at };
	}
	const name = written.startsWith('azureml:') ? written.slice('azureml:'.length) : written;
	if (name.startsWith('/subscriptions/')) {
		return { form: 'id', kind, id: name, at };
	}
	return /^[^\s/:@]+$/.test(name)
		? { form: 'name', kind, name, at }
		: `'${written}' is not the name of one of the workspace's ${kind}. Write azureml:<name>.`;
}

/** The ARM id (or the URI as written) of something without versions, below the workspace's own ARM id. */
export function namedId(workspaceId: string, reference: Reference): string {
	switch (reference.form) {
		case 'id':
			return reference.id;
		case 'uri':
			return reference.uri;
		case 'local':
			return reference.path;
		default:
			return `${workspaceId}/${reference.kind}/${reference.name}`;
	}
}

/** A reader of the name of an asset, see `parseAssetReference`. */
export function assetReference(kind: AssetKind): Reader<Reference> {
	return (node, reading) => {
		const written = text(node, reading);
		return settle(kind, written, parseAssetReference(kind, written, node.at), node.at, reading);
	};
}

/** A reader of the name of something without versions, see `parseNamedReference`. */
export function namedReference(kind: NamedKind): Reader<Reference> {
	return (node, reading) => {
		const written = text(node, reading);
		return settle(kind, written, parseNamedReference(kind, written, node.at), node.at, reading);
	};
}

function settle(
	kind: AssetKind | NamedKind,
	written: string,
	found: Reference | string,
	at: Place,
	reading: Reading,
): Reference {
	if (typeof found !== 'string') {
		return found;
	}
	if (written !== '') {
		reading.fault(at, found);
	}
	return { form: 'uri', kind, uri: written, at };
}
