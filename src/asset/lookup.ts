// Where references lead: to an ARM id of something that is there, or to a fault at the place that refers to it, with the
// names that could have been meant. Making what is not there is publish.ts's.
import type { Slots } from '../azure/slots.ts';
import type { Workspace } from '../azure/workspace.ts';
import { type Fault, ServiceError } from '../errors.ts';
import { type Json, listAt, textAt } from '../json.ts';
import { byNearness } from './nearness.ts';
import type { AssetKind, NamedKind, Reference } from './reference.ts';

export interface LookupParts {
	readonly workspace: Workspace;
	/** Places for requests to the resource manager. */
	readonly slots: Slots;
	readonly signal?: AbortSignal | undefined;
}

/** Where a reference leads. */
export type Found = { readonly id: string } | { readonly fault: Fault };

const WORDS: Readonly<Record<AssetKind | NamedKind, string>> = {
	codes: 'code',
	data: 'data asset',
	environments: 'environment',
	models: 'model',
	components: 'component',
	computes: 'compute',
	datastores: 'datastore',
	jobs: 'job',
};

/** How many names a fault lists, and how many are read to choose from. */
const LISTED = 20;
const READ = 500;
const NEWEST_FIRST = { $orderBy: 'createdtime desc' };

/** Looks a reference up. ARM ids and URIs, registries' among them, are passed on as they are. */
export async function lookUp(reference: Reference, parts: LookupParts): Promise<Found> {
	switch (reference.form) {
		case 'id':
			return { id: reference.id };
		case 'uri':
			return { id: reference.uri };
		case 'local':
			throw new Error(`the local path ${reference.written} was left for a look-up`);
		default:
			return new LookUp(parts, reference.kind).find(reference);
	}
}

/**
 * The newest version of an asset, or undefined where the asset has none.
 * Of environments the one that was created last counts; the others' containers name theirs.
 */
export async function latestVersion(
	kind: AssetKind,
	name: string,
	{ workspace, signal }: Pick<LookupParts, 'workspace' | 'signal'>,
): Promise<string | undefined> {
	const doing = `find the newest version of the ${WORDS[kind]} "${name}"`;
	const path = `${workspace.id}/${kind}/${encodeURIComponent(name)}`;
	if (kind !== 'environments') {
		const container = await workspace.arm.find(path, { doing, signal });
		const latest = textAt(container, 'properties', 'latestVersion');
		if (container === undefined || latest) return latest;
	}
	const newest = await workspace.arm.find(`${path}/versions`, { doing, query: { ...NEWEST_FIRST, $top: '1' }, signal });
	return textAt(listAt(newest, 'value')[0], 'name');
}

type Named = Exclude<Reference, { form: 'id' | 'uri' | 'local' }>;

class LookUp {
	readonly #workspace: Workspace;
	readonly #slots: Slots;
	readonly #signal: AbortSignal | undefined;
	readonly #kind: AssetKind | NamedKind;

	constructor({ workspace, slots, signal }: LookupParts, kind: AssetKind | NamedKind) {
		this.#workspace = workspace;
		this.#slots = slots;
		this.#signal = signal;
		this.#kind = kind;
	}

	async find(reference: Named): Promise<Found> {
		const path = this.#path(reference.name);
		switch (reference.form) {
			case 'name':
				return (await this.#isThere(path, reference.name))
					? { id: `${this.#workspace.id}/${this.#kind}/${reference.name}` }
					: this.#fault(reference, await this.#noSuchName(reference.name));
			case 'version': {
				const { name, version } = reference;
				return (await this.#isThere(`${path}/versions/${encodeURIComponent(version)}`, `${name}:${version}`))
					? this.#versionId(name, version)
					: this.#fault(reference, await this.#noSuchVersion(name, version));
			}
			case 'label':
				return this.#labelled(reference);
		}
	}

	async #labelled(reference: Extract<Named, { form: 'label' }>): Promise<Found> {
		const { kind, name, label } = reference;
		if (label !== 'latest') {
			return this.#fault(reference, `'@${label}' is not a label that Azure ML knows here; the only one is @latest.`);
		}
		const version = await this.#slots.run(() => latestVersion(kind, name, this.#parts()));
		return version === undefined
			? this.#fault(reference, await this.#noSuchName(name))
			: this.#versionId(name, version);
	}

	async #isThere(path: string, shown: string): Promise<boolean> {
		const call = { doing: `find the ${WORDS[this.#kind]} "${shown}"`, signal: this.#signal };
		try {
			return (await this.#slots.run(() => this.#workspace.arm.find(path, call))) !== undefined;
		} catch (error) {
			// Who may use a thing need not have the right to look at it; then the service itself is to judge.
			if (error instanceof ServiceError && error.status === 403) return true;
			throw error;
		}
	}

	async #noSuchVersion(name: string, version: string): Promise<string> {
		const versions = await this.#names(`${this.#path(name)}/versions`, NEWEST_FIRST);
		if (versions.length === 0) return this.#noSuchName(name);
		const word = WORDS[this.#kind];
		return `The ${word} '${name}' has no version '${version}'. ${choice('Its versions', byNearness(version, versions))}`;
	}

	async #noSuchName(name: string): Promise<string> {
		const word = WORDS[this.#kind];
		const names = await this.#names(`${this.#workspace.id}/${this.#kind}`, {});
		const missing = `There is no ${word} '${name}' in the workspace ${this.#workspace.workspace}.`;
		return names.length === 0
			? `${missing} It has none at all.`
			: `${missing} ${choice('There are', byNearness(name, names))}`;
	}

	/** The list is a courtesy: where it cannot be had, the fault is told without. */
	async #names(path: string, query: Readonly<Record<string, string>>): Promise<string[]> {
		return this.#slots.run(async () => {
			const names: string[] = [];
			try {
				const call = { doing: `list the ${WORDS[this.#kind]}s`, query, signal: this.#signal };
				for await (const item of this.#workspace.arm.list(path, call)) {
					names.push(nameOf(item));
					if (names.length === READ) break;
				}
			} catch (error) {
				if (!(error instanceof ServiceError)) throw error;
			}
			return names.filter((name) => name !== '');
		});
	}

	#path(name: string): string {
		return `${this.#workspace.id}/${this.#kind}/${encodeURIComponent(name)}`;
	}

	#versionId(name: string, version: string): Found {
		return { id: `${this.#workspace.id}/${this.#kind}/${name}/versions/${version}` };
	}

	#fault(reference: Named, message: string): Found {
		return { fault: { message, where: reference.at } };
	}

	#parts(): Pick<LookupParts, 'workspace' | 'signal'> {
		return { workspace: this.#workspace, signal: this.#signal };
	}
}

function nameOf(item: Json): string {
	return textAt(item, 'name') ?? '';
}

function choice(title: string, names: readonly string[]): string {
	const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
	return `${title}: ${names.slice(0, LISTED).join(', ')}${more}.`;
}
