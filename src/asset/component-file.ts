// A component as CLI v2 writes it, in a file of its own or inline in a pipeline.
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import type { Dependency, IdOf } from './dependency.ts';

/** The types of component that this action can make. */
export type ComponentType = 'command' | 'pipeline' | 'parallel' | 'spark' | 'data_transfer';

/** A component as the user wrote it, checked. */
export interface ComponentFile {
	readonly type: ComponentType;
	readonly name: string | undefined;
	readonly version: string | undefined;
	/** What must exist before the component can be sent. */
	readonly dependencies: readonly Dependency[];
	/** The spec of the REST body, with the ids of the dependencies filled in. `name` and `version` are not in it. */
	readonly spec: (context: ComponentContext) => JsonObject;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string> | undefined;
	readonly properties: ReadonlyMap<string, string> | undefined;
	readonly at: Place;
}

/** What the translation of a component needs. */
export interface ComponentContext {
	readonly workspaceId: string;
	readonly idOf: IdOf;
	/** Whether the component is kept without a name, as those of a job are. */
	readonly anonymous?: boolean;
}

/** The name under which components without a name of their own are kept. */
export const ANONYMOUS_COMPONENT = 'azureml_anonymous';

/** The body of `PUT components/{name}/versions/{version}`. `version` must be given for a component that is not anonymous. */
export function componentBody(
	file: ComponentFile,
	context: ComponentContext,
	anonymous: boolean,
	version: string = file.version ?? '1',
): JsonObject {
	const named = anonymous ? { name: ANONYMOUS_COMPONENT, version: '1' } : { name: file.name, version };
	return {
		properties: jsonObject({
			description: file.description,
			properties: file.properties && mapValues(file.properties, (value) => value),
			tags: file.tags && mapValues(file.tags, (value) => value),
			isAnonymous: anonymous,
			isArchived: false,
			componentSpec: jsonObject({ ...file.spec({ ...context, anonymous }), ...named }),
		}),
	};
}
