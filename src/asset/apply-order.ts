// In which order asset files are applied: each after what it refers to among them, and otherwise by kind. Pure.
import type { Fault } from '../errors.ts';
import type { AssetFile } from './asset-files.ts';
import type { Dependency } from './dependency.ts';
import { needsOf } from './needs.ts';
import type { Reference } from './reference.ts';

/** The kinds, in the order in which they come where nothing refers to anything. */
const KINDS: readonly AssetFile['kind'][] = ['compute', 'datastore', 'environment', 'data', 'component', 'model'];

const COLLECTIONS: Readonly<Record<AssetFile['kind'], string>> = {
	compute: 'computes',
	datastore: 'datastores',
	environment: 'environments',
	data: 'data',
	component: 'components',
	model: 'models',
};

/** A thing that is referred to, as paths of the resource manager name it. `version` undefined: any. */
interface Named {
	readonly collection: string;
	readonly name: string;
	readonly version: string | undefined;
}

/** The files, each after those that it refers to. */
export function inOrder(assets: readonly AssetFile[]): readonly AssetFile[] {
	const ordered = new Set<AssetFile>();
	const place = (asset: AssetFile, above: readonly AssetFile[]): void => {
		if (ordered.has(asset) || above.includes(asset)) return;
		for (const needed of neededBy(asset, assets)) place(needed, [...above, asset]);
		ordered.add(asset);
	};
	for (const kind of KINDS) for (const asset of assets) if (asset.kind === kind) place(asset, []);
	return [...ordered];
}

/** What is wrong with the files taken together: two that make the same thing, files that need one another. */
export function orderFaults(assets: readonly AssetFile[]): readonly Fault[] {
	const faults: Fault[] = [];
	const seen = new Map<string, AssetFile>();
	for (const asset of assets) {
		const { collection, name, version } = nameOf(asset);
		const key = `${collection}/${name}${version === undefined ? '' : `:${version}`}`;
		const other = seen.get(key);
		const message = `${asset.path} makes the same ${asset.kind} as ${other?.path}; give one of them.`;
		if (other === undefined) seen.set(key, asset);
		else faults.push({ message, where: asset.file.at });
	}
	for (const asset of assets) {
		if (!isInCircle(asset, assets)) continue;
		const message = `${asset.path} refers to something that itself needs this file first; one of the two must come without the other.`;
		faults.push({ message, where: asset.file.at });
	}
	return faults;
}

/** Whether a dependency leads, at any depth, to what one of the files makes; then it cannot be looked up before. */
export function leadsInto(dependency: Dependency, assets: readonly AssetFile[]): boolean {
	return namedBy([dependency]).some((named) => assets.some((asset) => isMeant(named, asset)));
}

/** What an asset file needs before its body can be sent. */
export function dependenciesOf(asset: AssetFile): readonly Dependency[] {
	return 'dependencies' in asset.file ? asset.file.dependencies : [];
}

function neededBy(asset: AssetFile, assets: readonly AssetFile[]): readonly AssetFile[] {
	const named = [...namedBy(dependenciesOf(asset)), ...namedIn(sourceOf(asset))];
	return assets.filter((other) => named.some((one) => isMeant(one, other)) && !isOwnEarlier(asset, other));
}

/** A file without a version makes the next one, so what it refers to under its own name is an earlier one. */
function isOwnEarlier(asset: AssetFile, other: AssetFile): boolean {
	return asset === other && nameOf(asset).version === undefined;
}

function isInCircle(asset: AssetFile, assets: readonly AssetFile[]): boolean {
	const reached = new Set<AssetFile>();
	const reach = (from: AssetFile): void => {
		for (const needed of neededBy(from, assets)) {
			if (reached.has(needed)) continue;
			reached.add(needed);
			reach(needed);
		}
	};
	reach(asset);
	return reached.has(asset);
}

function isMeant({ collection, name, version }: Named, asset: AssetFile): boolean {
	const made = nameOf(asset);
	const anyVersion = version === undefined || made.version === undefined;
	return made.collection === collection && made.name === name && (anyVersion || made.version === version);
}

function nameOf({ kind, file }: AssetFile): Named {
	const version = 'version' in file ? file.version : undefined;
	return { collection: COLLECTIONS[kind], name: file.name ?? '', version };
}

function namedBy(dependencies: readonly Dependency[]): readonly Named[] {
	return dependencies.flatMap((dependency) => {
		const inside = namedBy(needsOf(dependency));
		switch (dependency.need) {
			case 'reference':
				return namedByReference(dependency.reference);
			case 'upload':
				return dependency.datastore === undefined ? [] : [datastoreNamed(dependency.datastore)];
			case 'model':
				return [...inside, ...namedIn(dependency.model.source.need === 'uri' ? dependency.model.source.uri : '')];
			default:
				return inside;
		}
	});
}

function namedByReference(reference: Reference): readonly Named[] {
	switch (reference.form) {
		case 'version':
			return [{ collection: reference.kind, name: reference.name, version: reference.version }];
		case 'label':
		case 'name':
			return [{ collection: reference.kind, name: reference.name, version: undefined }];
		case 'id':
			return namedIn(reference.id);
		case 'uri':
			return namedIn(reference.uri);
		case 'local':
			return [];
	}
}

/** What an ARM id or an `azureml://` URI names. */
function namedIn(uri: string): readonly Named[] {
	const id = /\/(computes|datastores|environments|data|components|models)\/([^/]+)(?:\/versions\/([^/]+))?$/i.exec(uri);
	if (uri.startsWith('/') && id?.[1] !== undefined && id[2] !== undefined)
		return [{ collection: id[1].toLowerCase(), name: id[2], version: id[3] }];
	const store = /^azureml:\/\/(?:.*?\/)?datastores\/([^/]+)\//i.exec(uri)?.[1];
	return store === undefined ? [] : [datastoreNamed(store)];
}

function datastoreNamed(name: string): Named {
	return { collection: 'datastores', name, version: undefined };
}

/** The URI that a data or model file points to; empty where it has none. */
function sourceOf({ file }: AssetFile): string {
	return 'source' in file && file.source.need === 'uri' ? file.source.uri : '';
}
