// What a job, a deployment or another asset needs to exist before its own body can be sent. Readers of files make
// dependencies, publish.ts turns each into the id or URI that bodies hold, and translation to bodies stays pure.

import type { Place } from '../errors.ts';
import type { ComponentFile } from './component-file.ts';
import type { EnvironmentFile } from './environment-file.ts';
import type { ModelFile } from './model-file.ts';
import type { Reference } from './reference.ts';

/**
 * One thing to resolve. What the resolved string is:
 * - `reference`: the ARM id (or the URI as written) of what the reference leads to.
 * - `code`: ARM id of a code version that holds this folder or file, and what `includes` adds to it.
 * - `placeholder-code`: ARM id of a code version that holds one file, `COMPONENT_PLACEHOLDER`, because a component needs code.
 * - `upload`: `azureml://datastores/<store>/paths/LocalUpload/<hash>/<base name>` of a local file or folder (`uri_folder`s end in `/`).
 * - `build-context`: https URL of the uploaded folder, ending in `/`.
 * - `environment`, `model`: ARM id of the version made from an inline definition: an `anonymous` one, or (in a deployment,
 *   where the definition has a name) one under that name with the file's version or the next free one.
 * - `component`: ARM id of the anonymous version made from an inline definition or a file.
 */
export type Dependency =
	| { readonly need: 'reference'; readonly reference: Reference }
	| {
			readonly need: 'code';
			/** Empty where there are only includes. */
			readonly path: string;
			readonly written: string;
			readonly at: Place;
			/** Absolute paths of files and folders that come along, each under its base name. */
			readonly includes?: readonly string[];
	  }
	| { readonly need: 'placeholder-code' }
	| {
			readonly need: 'upload';
			readonly path: string;
			readonly written: string;
			/** `uri_file`, `uri_folder`, `mltable`, or a model type. */
			readonly type: string;
			/** The datastore to upload to; the workspace's default one when absent. */
			readonly datastore: string | undefined;
			readonly at: Place;
	  }
	| { readonly need: 'build-context'; readonly path: string; readonly written: string; readonly at: Place }
	| { readonly need: 'environment'; readonly environment: EnvironmentFile; readonly anonymous: boolean }
	| { readonly need: 'model'; readonly model: ModelFile; readonly anonymous: boolean }
	| { readonly need: 'component'; readonly component: ComponentFile };

/** Gives the resolved string of a dependency that `publish` has already dealt with. */
export type IdOf = (dependency: Dependency) => string;
