// The files of `asset-files`: which they are, what each is about, and all that is wrong with them. Sends nothing; apply.ts
// brings them into the workspace.
import type { WorkspaceName } from '../azure/workspace.ts';
import { type Fault, FileError, InputError } from '../errors.ts';
import type { Warn } from '../yaml/checks.ts';
import { type FileKind, kindOf } from '../yaml/kind.ts';
import { openYaml } from '../yaml/load.ts';
import type { YamlFile, YamlNode } from '../yaml/node.ts';
import { orderFaults } from './apply-order.ts';
import { readWorkspaceFile, type WorkspaceFile } from './apply-workspace-file.ts';
import { findAssetFiles } from './asset-files-paths.ts';
import type { ComponentFile } from './component-file.ts';
import { type ComputeFile, readComputeFile } from './compute-file.ts';
import { type DataFile, readDataFile } from './data-file.ts';
import { type DatastoreFile, readDatastoreFile } from './datastore-file.ts';
import { type EnvironmentFile, readEnvironmentFile } from './environment-file.ts';
import { type ModelFile, readModelFile } from './model-file.ts';

/** A file of something below the workspace. `path` is how messages name it. */
export type AssetFile =
	| { readonly kind: 'compute'; readonly path: string; readonly file: ComputeFile }
	| { readonly kind: 'datastore'; readonly path: string; readonly file: DatastoreFile }
	| { readonly kind: 'environment'; readonly path: string; readonly file: EnvironmentFile }
	| { readonly kind: 'data'; readonly path: string; readonly file: DataFile }
	| { readonly kind: 'component'; readonly path: string; readonly file: ComponentFile }
	| { readonly kind: 'model'; readonly path: string; readonly file: ModelFile };

/** All files of `asset-files`, checked. */
export interface AssetFiles {
	readonly workspace: { readonly path: string; readonly file: WorkspaceFile } | undefined;
	/** In the order of their paths. */
	readonly assets: readonly AssetFile[];
}

export interface AssetFilesParts {
	/** Absolute path of the checkout, which relative patterns start from. */
	readonly checkout: string;
	/** The workspace that the inputs name; undefined where they name none. */
	readonly target: WorkspaceName | undefined;
	/** Reads a component file: components are made of the same parts as jobs, so the job room reads them. */
	readonly readComponent: (file: YamlFile, warn: Warn) => ComponentFile;
	readonly warn: Warn;
	/** Takes the secrets in the files before anything in them can be told. */
	readonly mask: (value: string) => void;
}

/**
 * Finds and reads the files that paths and globs lead to.
 * @throws FileError with the faults of all files and patterns; InputError where only patterns are at fault
 */
export function readAssetFiles(patterns: readonly string[], parts: AssetFilesParts): AssetFiles {
	const found = findAssetFiles(patterns, parts.checkout);
	const faults: Fault[] = [];
	const assets: AssetFile[] = [];
	const workspaces: NonNullable<AssetFiles['workspace']>[] = [];
	let broken: string | undefined;
	for (const { path, absolute } of found.files) {
		try {
			const read = readOne(openYaml(absolute, path), parts);
			if ('kind' in read) assets.push(read);
			else workspaces.push(read);
		} catch (error) {
			if (!(error instanceof FileError)) throw error;
			broken ??= error.file;
			faults.push(...error.faults);
		}
	}
	faults.push(...workspaces.slice(1).map(secondWorkspace), ...orderFaults(assets));
	const first = broken ?? faults[0]?.where?.file;
	if (first !== undefined) throw new FileError(first, [...found.faults, ...faults]);
	if (found.faults.length > 0) throw new InputError(found.faults);
	return { workspace: workspaces[0], assets };
}

function secondWorkspace({ path, file }: NonNullable<AssetFiles['workspace']>): Fault {
	return { message: `${path} is a second workspace; a run has one.`, where: file.at };
}

function readOne(file: YamlFile, parts: AssetFilesParts): AssetFile | NonNullable<AssetFiles['workspace']> {
	const { path } = file;
	const { warn } = parts;
	maskSecrets(file.root, parts.mask);
	const kind = kindOf(file);
	switch (kind) {
		case 'workspace':
			return { path, file: readWorkspaceFile(file, parts.target, warn) };
		case 'compute':
			return { kind, path, file: readComputeFile(file, warn) };
		case 'datastore':
			return { kind, path, file: readDatastoreFile(file, warn) };
		case 'environment':
			return { kind, path, file: readEnvironmentFile(file, warn) };
		case 'data':
			return { kind, path, file: readDataFile(file, warn) };
		case 'model':
			return { kind, path, file: readModelFile(file, warn) };
		case 'component:command':
		case 'component:pipeline':
		case 'component:parallel':
		case 'component:spark':
			return { kind: 'component', path, file: parts.readComponent(file, warn) };
		default:
			throw new FileError(path, [{ message: misplaced(kind), where: file.root.at }]);
	}
}

function misplaced(kind: FileKind): string {
	const input = kind.startsWith('job:') ? 'job-file' : kind.endsWith('-endpoint') ? 'endpoint-file' : 'deployment-file';
	const what = kind.startsWith('job:') ? `${kind.slice('job:'.length)} job` : kind.replace('-', ' ');
	return `This is the file of a ${what}, which is no asset. Give it in the input \`${input}\`.`;
}

/** The keys under which files of computes and datastores hold credentials. */
const SECRET_KEYS = new Set(['account_key', 'sas_token', 'client_secret', 'certificate', 'admin_password']);

/** Done before the file is checked: the message of a fault may quote the value that it is about. */
function maskSecrets(node: YamlNode, mask: (value: string) => void): void {
	if (node.kind === 'list') for (const item of node.items) maskSecrets(item, mask);
	if (node.kind !== 'map') return;
	for (const { key, value } of node.entries) {
		if (value.kind !== 'scalar') maskSecrets(value, mask);
		else if (SECRET_KEYS.has(key) && value.type !== 'null')
			for (const form of new Set([value.text, value.written])) mask(form);
	}
}
