// What a CLI v2 file may write where it names another thing, told apart but not yet looked up.

import type { Place } from '../errors.ts';

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
	| { readonly form: 'version'; readonly kind: AssetKind; readonly name: string; readonly version: string; readonly at: Place }
	| { readonly form: 'label'; readonly kind: AssetKind; readonly name: string; readonly label: string; readonly at: Place }
	| { readonly form: 'name'; readonly kind: NamedKind; readonly name: string; readonly at: Place }
	| { readonly form: 'local'; readonly kind: AssetKind; readonly path: string; readonly written: string; readonly at: Place };
