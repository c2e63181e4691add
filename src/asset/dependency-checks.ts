// What is looked at before anything is sent: where references lead, what local paths hold, whether code is there already.
// Each thing is looked at once, whoever asks.
import { createSlots, type Slots } from '../azure/slots.ts';
import type { Datastore } from '../azure/workspace.ts';
import { type Fault, FileError, ServiceError } from '../errors.ts';
import { type CodePlace, findCodePlace, PLACEHOLDER_CODE } from './code.ts';
import { type Content, ContentFaults, readContent } from './content.ts';
import type { Dependency } from './dependency.ts';
import type { HashKind } from './hash.ts';
import { lookUp } from './lookup.ts';
import { contentKey, type DependencyKeys, datastoreOf, type Need, placeOf as placeIn } from './needs.ts';
import type { PublisherParts } from './publish.ts';
import { storageFault } from './storage.ts';

/** Folders that are hashed at once. */
const HASHING = 2;

/** What was found out is kept here, for those who send. */
export class DependencyChecks {
	readonly #parts: PublisherParts;
	readonly #keys: DependencyKeys;
	readonly #ids: Map<string, string>;
	readonly #armSlots: Slots;
	readonly #hashSlots: Slots;
	readonly #contents = new Map<string, Content>();
	readonly #datastores = new Map<string, Datastore>();
	readonly #codePlaces = new Map<string, Promise<CodePlace>>();
	readonly #checked = new Map<string, Promise<readonly Fault[]>>();

	/** @param ids takes the id of each reference, under the key of its dependency */
	constructor(parts: PublisherParts, keys: DependencyKeys, ids: Map<string, string>, armSlots: Slots) {
		this.#parts = parts;
		this.#keys = keys;
		this.#ids = ids;
		this.#armSlots = armSlots;
		this.#hashSlots = createSlots(parts.clock, HASHING);
	}

	/** The content of code that was looked at. */
	codeOf({ path, includes }: Need<'code'>): Content {
		return this.#content(path, 'content', includes);
	}

	/** The content of an upload, or undefined where the path was not looked at as one. */
	uploadOf(path: string): Content | undefined {
		return this.#contents.get(contentKey(path, 'upload'));
	}

	/** The content of an upload that was looked at, and where it goes. */
	uploadTo(dependency: Need<'upload' | 'build-context'>): { readonly content: Content; readonly datastore: Datastore } {
		const datastore = this.#datastores.get(datastoreOf(dependency) ?? '');
		if (datastore === undefined) throw new Error('a datastore was not looked up');
		return { content: this.#content(dependency.path, 'upload'), datastore };
	}

	/**
	 * Looks at all of them, at each but once.
	 * @throws FileError with every fault
	 */
	async check(wanted: readonly Dependency[], signal: AbortSignal | undefined): Promise<void> {
		const faults = (await inParallel(wanted, (dependency) => this.#checkOnce(dependency, signal))).flat();
		const [first] = faults;
		if (first === undefined) return;
		// The file of the user's that refers, not one whose content is at fault.
		const named = wanted.map(placeIn).find((place) => place !== undefined);
		throw new FileError(named?.file ?? first.where?.file ?? '', unique(faults));
	}

	#checkOnce(dependency: Dependency, signal: AbortSignal | undefined): Promise<readonly Fault[]> {
		return once(this.#checked, this.#keys.of(dependency), () => this.#faultsOf(dependency, signal));
	}

	async #faultsOf(dependency: Dependency, signal: AbortSignal | undefined): Promise<readonly Fault[]> {
		switch (dependency.need) {
			case 'reference': {
				const look = this.#parts.lookUp ?? lookUp;
				const found = await look(dependency.reference, { ...this.#parts, signal, slots: this.#armSlots });
				if ('fault' in found) return [found.fault];
				this.#ids.set(this.#keys.of(dependency), found.id);
				return [];
			}
			case 'code':
				return this.#codeFaults(dependency, signal);
			case 'placeholder-code':
				await this.placeOf(PLACEHOLDER_CODE, signal);
				return [];
			case 'upload':
			case 'build-context': {
				const store = await this.#datastoreFaults(dependency);
				return [...store, ...(await this.#readFaults(dependency, 'upload', signal))];
			}
			default:
				return [];
		}
	}

	async #codeFaults(dependency: Need<'code'>, signal: AbortSignal | undefined): Promise<Fault[]> {
		const faults = await this.#readFaults(dependency, 'content', signal);
		if (faults.length === 0) await this.placeOf(this.codeOf(dependency), signal);
		return faults;
	}

	/** Where code of this content goes, looked for once. */
	placeOf({ hash }: Content, signal: AbortSignal | undefined): Promise<CodePlace> {
		const { workspace, newName } = this.#parts;
		return once(this.#codePlaces, hash, () =>
			this.#armSlots.run(() => findCodePlace(hash, { workspace, signal, newName })),
		);
	}

	async #readFaults(
		dependency: Need<'code' | 'upload' | 'build-context'>,
		kind: HashKind,
		signal: AbortSignal | undefined,
	): Promise<Fault[]> {
		const { path, written, at } = dependency;
		const includes = dependency.need === 'code' ? dependency.includes : undefined;
		const { checkout, runnerPaths = [], log, secrets } = this.#parts;
		const parts = { checkout, runnerPaths, log, secrets: secrets.values(), signal };
		try {
			const content = await this.#hashSlots.run(() => readContent(path, written, kind, parts, includes));
			this.#contents.set(contentKey(path, kind, includes), content);
			return [];
		} catch (error) {
			if (!(error instanceof ContentFaults)) throw error;
			return error.faults.map(({ message, where = at }) => ({ message, where }));
		}
	}

	async #datastoreFaults(dependency: Need<'upload' | 'build-context'>): Promise<Fault[]> {
		const name = datastoreOf(dependency);
		try {
			const datastore = await this.#armSlots.run(() => this.#parts.workspace.datastore(name));
			this.#datastores.set(name ?? '', datastore);
			const fault = storageFault(datastore);
			return fault === undefined ? [] : [{ message: fault, where: dependency.at }];
		} catch (error) {
			if (!(error instanceof ServiceError) || error.status !== 404) throw error;
			return [{ message: error.message, where: dependency.at }];
		}
	}

	#content(path: string, kind: HashKind, includes?: readonly string[]): Content {
		const content = this.#contents.get(contentKey(path, kind, includes));
		if (content === undefined) throw new Error(`${path} was not read before it is uploaded`);
		return content;
	}
}

/** What is being found out under this key, or has been. What ended early has found out nothing and is begun anew. */
function once<T>(kept: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> {
	const found = kept.get(key) ?? find();
	kept.set(key, found);
	found.catch(() => kept.delete(key));
	return found;
}

/** All at once; after a failure the others are waited for, so that nothing goes on behind the error's back. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
	const ends = await Promise.allSettled(items.map(work));
	return ends.map((end) => {
		if (end.status === 'rejected') throw end.reason;
		return end.value;
	});
}

function unique(faults: readonly Fault[]): Fault[] {
	return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}
