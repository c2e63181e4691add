// What components refer to, in the words of a component's spec: ids with `azureml:` before them.
import type { Needs } from '../../asset/asset-sources.ts';
import type { ComponentFile } from '../../asset/component-file.ts';
import type { Dependency, IdOf } from '../../asset/dependency.ts';
import type { JsonObject } from '../../json.ts';
import type { Reading } from '../../yaml/checks.ts';
import type { YamlNode } from '../../yaml/node.ts';
import type { Port } from './ports.ts';

/** A component with what its users must know of it: what goes in and comes out, and what its nodes repeat. */
export interface ReadComponent {
	readonly file: ComponentFile;
	readonly inputs: ReadonlyMap<string, Port>;
	readonly outputs: ReadonlyMap<string, Port>;
	/** The task of a parallel or spark component, for the node that runs it. */
	readonly task: TaskBody | undefined;
}

/** A node's component: one that is known inside out, or one that is registered and whose ports the service knows. */
export type NodeComponent =
	| {
			readonly form: 'known';
			readonly component: ReadComponent;
			readonly dependency: Dependency;
			readonly source: string;
	  }
	| { readonly form: 'registered'; readonly dependency: Dependency; readonly source: string };

/** Reads what a node says under `component` or `trial`; `expected` is the component's type where its file names none. */
export type ReadNodeComponent = (node: YamlNode, reading: Reading, expected: string | undefined) => NodeComponent;

/** A part of a body that needs ids. */
export type TaskBody = (idOf: IdOf) => JsonObject;

/** Code that a component brings, or the placeholder that stands for none. */
export type ComponentCode = Needs<'code' | 'reference'> | { readonly need: 'placeholder-code' };

/** An id as a spec writes it. */
export function specId(dependency: Dependency, idOf: IdOf): string {
	const id = idOf(dependency);
	return id.startsWith('azureml:') || /^[a-z+]+:\/\//.test(id) ? id : `azureml:${id}`;
}

/** A body's camelCase names in snake_case, at the top level. Nodes and specs use the file's own style. */
export function snakeCase(body: JsonObject): JsonObject {
	return Object.fromEntries(
		Object.entries(body).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
	);
}
