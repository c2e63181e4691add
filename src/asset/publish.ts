// Brings everything that a job, a deployment or an asset needs into the workspace: first all look-ups and checks, whose
// faults are told together, then the uploads and registrations, each thing after what it refers to.
import { createSlots } from '../azure/slots.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Secrets } from '../secrets.ts';
import { PLACEHOLDER_CODE, publishCode } from './code.ts';
import { publishComponent } from './component.ts';
import { publishData } from './data.ts';
import type { Dependency, IdOf } from './dependency.ts';
import { DependencyChecks } from './dependency-checks.ts';
import { publishEnvironment } from './environment.ts';
import type { lookUp } from './lookup.ts';
import type { MadeAsset } from './made.ts';
import { publishModel } from './model-version.ts';
import { DependencyKeys, definitionText, type Need, needsOf, placeOf } from './needs.ts';
import type { UploadPlan } from './upload.ts';
import type { AssetVersion } from './version.ts';

export type { MadeAsset } from './made.ts';

/** Publishes dependencies and remembers what became of them. */
export interface Publisher {
	/**
	 * Makes sure that all of them, and what they need themselves, are in the workspace.
	 * @throws FileError with every reference that leads nowhere and every path that cannot be uploaded; nothing was sent then
	 */
	publish(dependencies: readonly Dependency[]): Promise<void>;
	/**
	 * The look-ups and checks of `publish` alone, to go beside something else that is asked meanwhile. What they found is kept.
	 * @param unneeded ends them where it turns out that nothing is to be published
	 */
	check(dependencies: readonly Dependency[], unneeded: AbortSignal): Promise<void>;
	/** The id or URI of a published dependency. */
	readonly idOf: IdOf;
	/** What was made or found made, in the order of its coming to be. */
	made(): readonly MadeAsset[];
	/** The content hash that stands in the place of a local path: of an upload or a build context that was published. */
	uploadHashOf(path: string): string | undefined;
}

export interface PublisherParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly secrets: Secrets;
	readonly clock: Clock;
	/** Absolute path of the checkout. */
	readonly checkout: string;
	/** Absolute paths that belong to the runner and are never uploaded from a folder around them. */
	readonly runnerPaths?: readonly string[];
	readonly signal?: AbortSignal | undefined;
	/** Given: nothing is uploaded, and what would be is told here. */
	readonly plan?: UploadPlan | undefined;
	/** Names new code assets, given the hash of their content; by chance where absent. */
	readonly newName?: ((hash: string) => string) | undefined;
	/** Finds out where a reference leads; asks the workspace where absent. */
	readonly lookUp?: typeof lookUp | undefined;
}

/** Requests to the resource manager that are under way at once. */
const ARM_REQUESTS = 8;
/** Requests to storage that are under way at once, as long as it does not say that it is busy. */
const UPLOADS = 32;

/** A publisher that has published nothing yet. */
export function createPublisher(parts: PublisherParts): Publisher {
	return new AssetPublisher(parts);
}

/** Makes a thing, or gives the one that was made under the same key. */
type Once = (key: string, make: () => Promise<MadeAsset>) => Promise<MadeAsset>;

class AssetPublisher implements Publisher {
	readonly #parts: PublisherParts;
	readonly #ids = new Map<string, string>();
	readonly #checks: DependencyChecks;
	readonly #made = new Map<string, MadeAsset>();
	readonly #keys = new DependencyKeys();
	readonly #armSlots: ReturnType<typeof createSlots>;
	readonly #blobSlots: ReturnType<typeof createSlots>;

	constructor(parts: PublisherParts) {
		this.#parts = parts;
		this.#armSlots = createSlots(parts.clock, ARM_REQUESTS);
		this.#blobSlots = createSlots(parts.clock, UPLOADS);
		this.#checks = new DependencyChecks(parts, this.#keys, this.#ids, this.#armSlots);
	}

	readonly idOf: IdOf = (dependency) => {
		const id = this.#ids.get(this.#keys.of(dependency));
		if (id === undefined) throw new Error(`a dependency (${dependency.need}) is used that was not published`);
		return id;
	};

	made(): readonly MadeAsset[] {
		return [...this.#made.values()];
	}

	uploadHashOf(path: string): string | undefined {
		return this.#checks.uploadOf(path)?.hash;
	}

	async publish(dependencies: readonly Dependency[]): Promise<void> {
		const wanted = this.#wantedOf(dependencies);
		await this.#checks.check(wanted, this.#parts.signal);
		await this.#make(wanted);
	}

	async check(dependencies: readonly Dependency[], unneeded: AbortSignal): Promise<void> {
		const { signal } = this.#parts;
		await this.#checks.check(this.#wantedOf(dependencies), signal ? AbortSignal.any([signal, unneeded]) : unneeded);
	}

	#wantedOf(dependencies: readonly Dependency[]): readonly Dependency[] {
		const wanted = new Map<string, Dependency>();
		this.#collect(dependencies, wanted);
		return [...wanted.values()];
	}

	/** Everything that is needed directly or by something needed, each once. */
	#collect(dependencies: readonly Dependency[], wanted: Map<string, Dependency>): void {
		for (const dependency of dependencies) {
			const key = this.#keys.of(dependency);
			if (wanted.has(key) || this.#ids.has(key)) continue;
			this.#collect(needsOf(dependency), wanted);
			wanted.set(key, dependency);
		}
	}

	/** Side by side, but each after what it needs. The first failure ends the others. */
	async #make(wanted: readonly Dependency[]): Promise<void> {
		const stop = new AbortController();
		const signal = this.#parts.signal === undefined ? stop.signal : AbortSignal.any([this.#parts.signal, stop.signal]);
		const underWay = new Map<string, Promise<void>>();
		const same = new Map<string, Promise<MadeAsset>>();
		const make = (dependency: Dependency): Promise<void> => {
			const key = this.#keys.of(dependency);
			const begun = underWay.get(key);
			if (begun !== undefined || this.#ids.has(key)) return begun ?? Promise.resolve();
			const work = (async () => {
				await Promise.all(needsOf(dependency).map(make));
				signal.throwIfAborted();
				this.#ids.set(key, await this.#makeOne(dependency, signal, same));
			})();
			underWay.set(key, work);
			return work;
		};
		await Promise.all(wanted.map(make)).catch(async (error) => {
			stop.abort(error);
			await Promise.allSettled(underWay.values());
			throw error;
		});
	}

	async #makeOne(dependency: Dependency, signal: AbortSignal, same: Map<string, Promise<MadeAsset>>): Promise<string> {
		/** The same content is sent once, however many paths lead to it. */
		const once: Once = async (key, make) => {
			const begun = same.get(key) ?? make();
			same.set(key, begun);
			const made = await begun;
			if (!this.#made.has(made.id)) this.#made.set(made.id, made);
			return made;
		};
		const { workspace } = this.#parts;
		const parts = { workspace, idOf: this.idOf, signal };
		switch (dependency.need) {
			case 'reference':
				throw new Error('references are looked up, not made');
			case 'code':
			case 'placeholder-code': {
				const [content, written] =
					dependency.need === 'code'
						? [this.#checks.codeOf(dependency), dependency.written]
						: [PLACEHOLDER_CODE, 'of components without code'];
				const code = { ...this.#parts, signal, slots: this.#blobSlots };
				const publish = async () => publishCode(content, written, await this.#checks.placeOf(content, signal), code);
				return (await once(`code ${content.hash}`, publish)).id;
			}
			case 'upload':
			case 'build-context':
				return this.#upload(dependency, signal, once);
			case 'environment': {
				const { environment, anonymous } = dependency;
				const context = environment.build?.context;
				const contextHash = context?.need === 'build-context' ? this.uploadHashOf(context.path) : undefined;
				const make = () => publishEnvironment(environment, anonymous, { ...parts, contextHash });
				return this.#version('environment', dependency, make, once);
			}
			case 'model': {
				const { model, anonymous } = dependency;
				const contentHash = model.source.need === 'upload' ? this.uploadHashOf(model.source.path) : undefined;
				return this.#version(
					'model',
					dependency,
					() => publishModel(model, anonymous, { ...parts, contentHash }),
					once,
				);
			}
			case 'component':
				return this.#version('component', dependency, () => publishComponent(dependency.component, true, parts), once);
		}
	}

	async #upload(dependency: Need<'upload' | 'build-context'>, signal: AbortSignal, once: Once): Promise<string> {
		const { content, datastore } = this.#checks.uploadTo(dependency);
		const parts = { ...this.#parts, signal, slots: this.#blobSlots };
		const key = `data ${datastore.name} ${content.hash} ${content.base}`;
		const make = async () => (await publishData(content, dependency.written, datastore, parts)).made;
		const { id } = await once(key, make);
		if (dependency.need === 'upload') return dependency.type === 'uri_folder' ? `${id}/` : id;
		// The service wants the slash.
		return `${id.replace(`azureml://datastores/${datastore.name}/paths`, datastore.containerUrl)}/`;
	}

	/** Registers a version; definitions of the same content come to the same one. */
	async #version(
		kind: string,
		dependency: Need<'environment' | 'model' | 'component'>,
		make: () => Promise<AssetVersion>,
		once: Once,
	): Promise<string> {
		const { log, workspace } = this.#parts;
		const register = async (): Promise<MadeAsset> => {
			const { name, version, id, reused } = await this.#armSlots.run(make);
			const where = placeOf(dependency)?.file;
			log.info(`${capital(kind)} ${name}:${version} (${where}): ${reused ? 'is there' : 'registered'}.`);
			return { kind, name, version, id, reused };
		};
		return (await once(definitionText(dependency, workspace.id, this.idOf), register)).id;
	}
}

function capital(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
