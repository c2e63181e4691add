// What the emulator remembers between starts: ARM resources, runs and the GitHub store, in one JSON file written atomically.
// Blobs are kept by the storage service itself.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunStore, type SavedRuns } from './runs.ts';

/** An ARM resource as GET answers it, with what the service knows but does not show under `secret`. */
export interface Resource {
	id: string;
	name: string;
	type: string;
	location?: string;
	kind?: string;
	tags?: Record<string, string> | null;
	identity?: unknown;
	sku?: unknown;
	properties: Record<string, unknown>;
	systemData: { createdAt: string; lastModifiedAt: string; [more: string]: unknown };
	secret?: Record<string, unknown>;
}

/** A comment or deployment of the GitHub face; `thread` says what it belongs to. */
export interface GitHubEntry {
	id: number;
	thread: string;
	[field: string]: unknown;
}

/** Everything that GitHub's face remembers. */
export interface GitHubStore {
	comments: GitHubEntry[];
	deployments: GitHubEntry[];
	statuses: GitHubEntry[];
	pulls: GitHubEntry[];
}

interface Saved {
	version: 1;
	/** Addresses that stand inside the saved texts: they move to the new ports when the file is read. */
	origins: Record<string, string>;
	resources: [string, Resource][];
	runs: SavedRuns;
	github: GitHubStore;
}

/** Ids are ASCII; their letter case never tells two resources apart. Names below are compared as they are. */
export class ResourceStore {
	readonly #resources = new Map<string, Resource>();
	readonly #changed: () => void;

	/** `changed` is called after each change. */
	constructor(changed: () => void) {
		this.#changed = changed;
	}

	/** Gets a resource by its key: a path such as `ws/codes/name/versions/1`, letter case kept. */
	get(key: string): Resource | undefined {
		return this.#resources.get(key);
	}

	/** Puts a resource; a new one goes last in the lists. */
	put(key: string, resource: Resource): Resource {
		this.#resources.set(key, resource);
		this.#changed();
		return resource;
	}

	/** Says that a resource was changed in place. */
	touch(): void {
		this.#changed();
	}

	/** Removes a resource and everything below it. Gives `false` when there was none. */
	remove(key: string): boolean {
		for (const below of [...this.#resources.keys()]) if (below.startsWith(`${key}/`)) this.#resources.delete(below);
		const had = this.#resources.delete(key);
		if (had) this.#changed();
		return had;
	}

	/** Lists the resources directly under a collection such as `ws/jobs`, oldest first. */
	list(collection: string): Resource[] {
		const prefix = `${collection}/`;
		return [...this.#resources]
			.filter(([key]) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
			.map(([, resource]) => resource);
	}

	/** Lists every resource with its key. */
	entries(): [string, Resource][] {
		return [...this.#resources];
	}

	/** Takes back what `entries` gave. */
	load(entries: [string, Resource][]): void {
		for (const [key, resource] of entries) this.#resources.set(key, resource);
	}
}

/** The memory of one emulator. */
export class State {
	readonly resources: ResourceStore;
	readonly runs: RunStore;
	github: GitHubStore = { comments: [], deployments: [], statuses: [], pulls: [] };
	readonly #file: string;
	#origins: Record<string, string> = {};
	#timer: NodeJS.Timeout | undefined;
	#isClosed = false;

	/** `folder` holds `state.json`; it is made when absent. */
	constructor(folder: string, clock: () => number) {
		mkdirSync(folder, { recursive: true });
		this.#file = join(folder, 'state.json');
		this.resources = new ResourceStore(() => this.changed());
		this.runs = new RunStore(clock, () => this.changed());
	}

	/** Reads the file of an earlier start. `origins` are today's addresses by role. Gives `false` when there is no file. */
	load(origins: Record<string, string>): boolean {
		this.#origins = origins;
		if (!existsSync(this.#file)) return false;
		let text = readFileSync(this.#file, 'utf8');
		const earlier = (JSON.parse(text) as Saved).origins;
		// By way of marks, since one address of today may have been another one of yesterday.
		for (const [role, origin] of Object.entries(earlier)) {
			text = text.replace(new RegExp(`${origin.replaceAll('.', '\\.')}(?!\\d)`, 'g'), `<origin of ${role}>`);
			text = text.replace(new RegExp(`${hostOf(origin).replaceAll('.', '\\.')}(?!\\d)`, 'g'), `<host of ${role}>`);
		}
		for (const [role, origin] of Object.entries(origins)) {
			text = text.replaceAll(`<origin of ${role}>`, origin).replaceAll(`<host of ${role}>`, hostOf(origin));
		}
		const saved = JSON.parse(text) as Saved;
		this.resources.load(saved.resources);
		this.runs.load(saved.runs);
		this.github = saved.github;
		return true;
	}

	/** Has the state written soon; many changes in a row make one file. */
	changed(): void {
		if (this.#isClosed) return;
		this.#timer ??= setTimeout(() => this.flush(), 50).unref();
	}

	/** Writes the state a last time; later changes are lost. */
	close(): void {
		this.flush();
		this.#isClosed = true;
	}

	/** Writes the state now. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const saved: Saved = {
			version: 1,
			origins: this.#origins,
			resources: this.resources.entries(),
			runs: this.runs.save(),
			github: this.github,
		};
		writeFileSync(`${this.#file}.new`, JSON.stringify(saved));
		renameSync(`${this.#file}.new`, this.#file);
	}
}

function hostOf(origin: string): string {
	return new URL(origin).host;
}
