// A component as CLI v2 writes it, in a file of its own or inline in a pipeline.
import type { Place } from '../errors.ts';
import type { JsonObject } from '../yaml/json.ts';
import type { Dependency, IdOf } from './dependency.ts';

/** The types of component that this action can make. */
export type ComponentType = 'command' | 'pipeline' | 'parallel' | 'spark';

/** A component as the user wrote it, checked. */
export interface ComponentFile {
	readonly type: ComponentType;
	readonly name: string | undefined;
	readonly version: string | undefined;
	/** What must exist before the component can be sent. */
	readonly dependencies: readonly Dependency[];
	/** The spec of the REST body, with the ids of the dependencies filled in. `name` and `version` are not in it. */
	readonly spec: (context: { readonly workspaceId: string; readonly idOf: IdOf }) => JsonObject;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	readonly properties: ReadonlyMap<string, string> | undefined;
	readonly at: Place;
}
