// How dependencies relate: which need others, what tells two apart, where each stands. Nothing is published here.
import type { Place } from '../errors.ts';
import { jsonText } from '../json.ts';
import { componentBody } from './component-file.ts';
import type { Dependency, IdOf } from './dependency.ts';
import { environmentBody } from './environment-file.ts';
import type { HashKind } from './hash.ts';
import { modelBody } from './model-file.ts';

/** A dependency of one or more sorts. */
export type Need<N extends Dependency['need']> = Extract<Dependency, { need: N }>;

/** Keys that equal dependencies share. Definitions (environments, models, components) are known by being the same object. */
export class DependencyKeys {
	readonly #numbers = new Map<object, number>();

	of(dependency: Dependency): string {
		switch (dependency.need) {
			case 'reference': {
				const { at: _, ...reference } = dependency.reference;
				return `reference ${JSON.stringify(reference)}`;
			}
			case 'code':
				return `code ${JSON.stringify([dependency.path, ...(dependency.includes ?? [])])}`;
			case 'build-context':
				return `${dependency.need} ${dependency.path}`;
			case 'placeholder-code':
				return dependency.need;
			case 'upload': {
				const { path, type, datastore } = dependency;
				return `upload ${JSON.stringify([path, type === 'uri_folder', datastore])}`;
			}
			case 'environment':
				return `environment ${this.#numberOf(dependency.environment)} ${dependency.anonymous}`;
			case 'model':
				return `model ${this.#numberOf(dependency.model)} ${dependency.anonymous}`;
			case 'component':
				return `component ${this.#numberOf(dependency.component)}`;
		}
	}

	#numberOf(definition: object): number {
		const number = this.#numbers.get(definition) ?? this.#numbers.size;
		this.#numbers.set(definition, number);
		return number;
	}
}

/** What definitions of the same content have in common, once what they need has ids. */
export function definitionText(
	dependency: Need<'environment' | 'model' | 'component'>,
	workspaceId: string,
	idOf: IdOf,
): string {
	switch (dependency.need) {
		case 'environment': {
			const { environment, anonymous } = dependency;
			const named = anonymous ? [] : [environment.name ?? null, environment.version ?? null];
			return jsonText(['environment', ...named, environmentBody(environment, idOf, anonymous)]);
		}
		case 'model': {
			const { model, anonymous } = dependency;
			const named = anonymous ? [] : [model.name ?? null, model.version ?? null];
			return jsonText(['model', ...named, modelBody(model, workspaceId, idOf, anonymous)]);
		}
		case 'component':
			return jsonText(['component', componentBody(dependency.component, { workspaceId, idOf }, true)]);
	}
}

/** What must be there before this can be made. */
export function needsOf(dependency: Dependency): readonly Dependency[] {
	if (dependency.need === 'environment') return dependency.environment.dependencies;
	if (dependency.need === 'model') return dependency.model.dependencies;
	return dependency.need === 'component' ? dependency.component.dependencies : [];
}

/** Where the user's files say that this is needed. */
export function placeOf(dependency: Dependency): Place | undefined {
	switch (dependency.need) {
		case 'reference':
			return dependency.reference.at;
		case 'placeholder-code':
			return undefined;
		case 'environment':
			return dependency.environment.at;
		case 'model':
			return dependency.model.at;
		case 'component':
			return dependency.component.at;
		default:
			return dependency.at;
	}
}

/** The datastore that local files go to; undefined for the workspace's default one. */
export function datastoreOf(dependency: Need<'upload' | 'build-context'>): string | undefined {
	return dependency.need === 'upload' ? dependency.datastore : undefined;
}

/** What tells contents apart: the same path has another hash for another use. */
export function contentKey(path: string, kind: HashKind, includes: readonly string[] = []): string {
	return `${kind} ${[path, ...includes].join('\0')}`;
}
