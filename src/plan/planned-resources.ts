// What is in the workspace once the plan is carried out, as far as the plan says: things put, things deleted, and what was
// there before, by path. Asks nobody.
import { isObject, type Json, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import { nextVersion, readablePath, UNKNOWN } from './unknowns.ts';

const ASSET = /\/(?:environments|data|components|models)\/[^/]+$/i;
const VERSIONS = /\/versions$/i;
const JOB = /\/jobs\/[^/]+$/i;

/** Things by path, planned and seen. Letter case does not tell paths apart. */
export class PlannedResources {
	/** Undefined: deleted. */
	readonly #planned = new Map<string, JsonObject | undefined>();
	/** As the service told it last; undefined where it has none. */
	readonly #seen = new Map<string, Json | undefined>();
	readonly #new = new Set<string>();

	/** What is planned to be at this path. */
	at(path: string): JsonObject | undefined {
		return this.#planned.get(keyOf(path));
	}

	isDeleted(path: string): boolean {
		const key = keyOf(path);
		return this.#planned.has(key) && this.#planned.get(key) === undefined;
	}

	/** Whether the plan makes the thing at this path or one above it. */
	isNew(path: string): boolean {
		const parts = keyOf(path).split('/');
		return parts.some((_, place) => this.#new.has(parts.slice(0, place + 1).join('/')));
	}

	/** Keeps what the service has at a path, or that it has nothing. */
	saw(path: string, resource: Json | undefined): void {
		this.#seen.set(keyOf(path), resource);
	}

	/** Plans a thing. @returns the resource as the service would give it, as far as that can be told */
	put(path: string, body: JsonObject): JsonObject {
		const key = keyOf(path);
		const before = this.#planned.get(key) ?? this.#seen.get(key);
		if (before === undefined) this.#new.add(key);
		const id = readablePath(path);
		const properties = {
			...objectAt(before, 'properties'),
			...(JOB.test(path) ? { status: 'NotStarted' } : {}),
			...objectAt(body, 'properties'),
			provisioningState: 'Succeeded',
		};
		const resource = { ...objectAt(before), ...body, id, name: id.split('/').at(-1) ?? '', properties };
		// Put last, so that the newest of several is the last one.
		this.#planned.delete(key);
		this.#planned.set(key, resource);
		return resource;
	}

	delete(path: string): void {
		this.#planned.set(keyOf(path), undefined);
	}

	/** The things planned right below a collection. */
	below(collection: string): readonly JsonObject[] {
		const start = `${keyOf(collection)}/`;
		return [...this.#planned].flatMap(([key, resource]) =>
			resource !== undefined && key.startsWith(start) && !key.slice(start.length).includes('/') ? [resource] : [],
		);
	}

	/** What the service has at a path, with what is planned below it: versions of an asset, in a list and by their number. */
	withPlanned(path: string, found: Json | undefined): Json | undefined {
		if (VERSIONS.test(path)) {
			const planned = this.below(path).toReversed();
			return planned.length === 0 ? found : { ...objectAt(found), value: [...planned, ...listAt(found, 'value')] };
		}
		if (!ASSET.test(path)) return found;
		const versions = this.below(`${path}/versions`).map((version) => textAt(version, 'name') ?? '');
		return versions.length === 0 ? found : withVersions(found, versions);
	}
}

function withVersions(found: Json | undefined, versions: readonly string[]): Json {
	const properties = objectAt(found, 'properties');
	return {
		...(isObject(found) ? found : {}),
		properties: { ...properties, latestVersion: versions.at(-1), nextVersion: following(properties, versions) },
	};
}

function following(properties: JsonObject, versions: readonly string[]): string {
	const next = textAt(properties, 'nextVersion') || '1';
	if (next === UNKNOWN.next) return nextVersion(versions.filter((version) => version.startsWith('{next')).length);
	const taken = versions.flatMap((version) => (/^\d+$/.test(version) ? [BigInt(version)] : []));
	const highest = taken.reduce((most, one) => (one > most ? one : most), 0n);
	return /^\d+$/.test(next) && highest >= BigInt(next) ? String(highest + 1n) : next;
}

function keyOf(path: string): string {
	return readablePath(path).toLowerCase();
}
