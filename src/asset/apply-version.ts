// Things that have a name and versions: environment, data, component, model. A version with the content of the file is
// left alone, one with other content is an error, and a file without a version makes the next one when it says anything new.
import type { Workspace } from '../azure/workspace.ts';
import { FileError, type Place } from '../errors.ts';
import { type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import {
	type ComparedKind,
	contentDifferences,
	type Difference,
	labelDifferences,
	tellDifferences,
} from './apply-compare.ts';
import type { AssetFile } from './asset-files.ts';
import { componentBody } from './component-file.ts';
import { dataBody } from './data-file.ts';
import type { IdOf } from './dependency.ts';
import { environmentBody } from './environment-file.ts';
import { latestVersion } from './lookup.ts';
import type { MadeAsset } from './made.ts';
import { modelBody } from './model-file.ts';
import { type AssetVersion, findVersion, putVersion } from './version.ts';

/** An asset file of something that has versions. */
export type VersionedFile = Extract<AssetFile, { kind: 'environment' | 'data' | 'component' | 'model' }>;

export interface VersionParts {
	readonly workspace: Workspace;
	/** Gives the ids of what the file needs; that has been published. */
	readonly idOf: IdOf;
	readonly log: Log;
	readonly signal?: AbortSignal | undefined;
}

const COLLECTIONS: Readonly<Record<VersionedFile['kind'], ComparedKind>> = {
	environment: 'environments',
	data: 'data',
	component: 'components',
	model: 'models',
};

const WORDS: Readonly<Record<VersionedFile['kind'], string>> = {
	environment: 'environment',
	data: 'data asset',
	component: 'component',
	model: 'model',
};

/**
 * Makes the version that the file describes, or finds it made.
 * @throws FileError saying what differs, when the version is there with other content
 */
export async function applyVersion(asset: VersionedFile, parts: VersionParts): Promise<MadeAsset> {
	const { kind, path } = asset;
	const { name, version, id, reused } = await new VersionedApply(asset, parts).apply();
	const word = WORDS[kind];
	const told = `${word.charAt(0).toUpperCase()}${word.slice(1)} ${name}:${version} (${path})`;
	parts.log.info(`${told}: ${reused ? 'exists with the same content, left as it is' : 'created'}.`);
	return { kind, name, version, id, reused };
}

class VersionedApply {
	readonly #asset: VersionedFile;
	readonly #parts: VersionParts;
	readonly #kind: ComparedKind;
	readonly #name: string;
	#existing: Json | undefined;

	constructor(asset: VersionedFile, parts: VersionParts) {
		this.#asset = asset;
		this.#parts = parts;
		this.#kind = COLLECTIONS[asset.kind];
		this.#name = asset.file.name ?? '';
	}

	async apply(): Promise<AssetVersion> {
		const { version } = this.#asset.file;
		return version === undefined ? this.#applyNext() : this.#applyGiven(version);
	}

	async #applyGiven(version: string): Promise<AssetVersion> {
		try {
			return await this.#put(version);
		} catch (error) {
			if (this.#existing === undefined || !(error instanceof FileError)) throw error;
			const differences = await this.#differences(version);
			if (differences.length > 0) throw this.#conflict(version, differences);
			return this.#left(version);
		}
	}

	async #applyNext(): Promise<AssetVersion> {
		const { workspace, signal } = this.#parts;
		const newest = await latestVersion(this.#kind, this.#name, { workspace, signal });
		if (newest !== undefined) {
			this.#existing = await findVersion(workspace, { kind: this.#kind, name: this.#name, signal }, newest);
			if (this.#existing !== undefined && (await this.#differences(newest)).length === 0) return this.#left(newest);
		}
		return this.#put(undefined);
	}

	async #put(version: string | undefined): Promise<AssetVersion> {
		const { workspace, signal } = this.#parts;
		return putVersion(workspace, {
			kind: this.#kind,
			name: this.#name,
			version,
			body: (number) => this.#body(number),
			same: (existing) => {
				this.#existing = existing;
				// Whether it is the same takes asking the service; `#applyGiven` does that.
				return false;
			},
			where: this.#where,
			signal,
		});
	}

	/** What the version that is there has otherwise than the file. */
	async #differences(version: string): Promise<readonly Difference[]> {
		const { workspace } = this.#parts;
		const [ours, theirs] = [objectAt(this.#body(version), 'properties'), objectAt(this.#existing, 'properties')];
		const found = contentDifferences(this.#kind, ours, theirs, workspace.id);
		const same = await Promise.all(found.map((difference) => this.#isSameCode(difference)));
		return found.filter((_, place) => !same[place]);
	}

	/** Code that was uploaded twice is two assets of one hash. */
	async #isSameCode({ file, workspace }: Difference): Promise<boolean> {
		const paths = [file, workspace].map((id) => /\/codes\/[^/]+\/versions\/[^/]+$/i.exec(String(id))?.[0]);
		const hashes: (string | undefined)[] = [];
		for (const path of paths) {
			if (path === undefined) return false;
			const { workspace: home, signal } = this.#parts;
			const found = await home.arm.find(`${home.id}${path}`, { doing: 'compare code with code', signal });
			hashes.push(textAt(found, 'properties', 'properties', 'hash_sha256'));
		}
		return hashes[0] !== undefined && hashes[0] === hashes[1];
	}

	#left(version: string): AssetVersion {
		const { workspace, log } = this.#parts;
		const [ours, theirs] = [objectAt(this.#body(version), 'properties'), objectAt(this.#existing, 'properties')];
		const labels = labelDifferences(this.#kind, ours, theirs);
		if (labels.length > 0) {
			const shown = `The ${WORDS[this.#asset.kind]} ${this.#name}:${version}`;
			log.warning(
				`${shown} has the content of the file, but not its ${labels.join(', ')}; it is left as it is. A new version would get them.`,
				this.#where,
			);
		}
		const id = `${workspace.id}/${this.#kind}/${this.#name}/versions/${version}`;
		return { name: this.#name, version, id, reused: true };
	}

	#conflict(version: string, differences: readonly Difference[]): FileError {
		const message = `The ${WORDS[this.#asset.kind]} '${this.#name}' has a version '${version}' already, and of other content: ${tellDifferences(differences)} A version cannot be changed; raise \`version\`, or leave it out to get the next one.`;
		return new FileError(this.#asset.path, [{ message, where: this.#where }]);
	}

	get #where(): Place {
		return this.#asset.file.at;
	}

	#body(version: string): JsonObject {
		const { workspace, idOf } = this.#parts;
		const { kind, file } = this.#asset;
		switch (kind) {
			case 'environment':
				return environmentBody(file, idOf, false);
			case 'data':
				return dataBody(file, idOf);
			case 'component':
				return componentBody(file, { workspaceId: workspace.id, idOf }, false, version);
			case 'model':
				return modelBody(file, workspace.id, idOf, false);
		}
	}
}
