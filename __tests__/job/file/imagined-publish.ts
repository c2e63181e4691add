// Publishing without Azure: gives every dependency an id and keeps the requests and blobs that would have been sent.
// Hashes are computed here on their own, so that a mistake of the action's cannot hide behind itself.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { default as ignore } from 'ignore';
import { componentBody } from '../../../src/asset/component-file.ts';
import type { Dependency } from '../../../src/asset/dependency.ts';
import { anonymousEnvironmentVersion, environmentBody } from '../../../src/asset/environment-file.ts';
import { modelBody } from '../../../src/asset/model-file.ts';
import type { Reference } from '../../../src/asset/reference.ts';
import type { JsonObject } from '../../../src/json.ts';

export const WORKSPACE =
	'/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws';

const md5 = (data: string | Buffer): string => createHash('md5').update(data).digest('hex');

interface LocalFile {
	readonly name: string;
	readonly data: Buffer;
}

/** The files that an upload of this path would take, by their relative paths. */
export function filesOf(root: string): readonly LocalFile[] {
	if (statSync(root).isFile()) {
		return [{ name: path.basename(root), data: readFileSync(root) }];
	}
	const rules = ['.amlignore', '.gitignore'].map((name) => path.join(root, name)).find((file) => existsSync(file));
	const filter = ignore().add(rules === undefined ? '' : readFileSync(rules, 'utf8'));
	const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => name.split(path.sep).join('/'));
	return names
		.filter((name) => statSync(path.join(root, name)).isFile() && !filter.ignores(name))
		.map((name) => ({ name, data: readFileSync(path.join(root, name)) }));
}

/** The hash that names the folder of an upload. */
export function uploadHash(root: string): string {
	const hash = createHash('md5').update('Initialize for october 2021 AML CLI version');
	if (statSync(root).isFile()) {
		return hash.update(readFileSync(root)).digest('hex');
	}
	const kept = new Set(filesOf(root).map((file) => path.join(root, file.name)));
	const lower = (name: string): string => name.toLowerCase();
	const walk = (folder: string): void => {
		const names = readdirSync(folder).sort((a, b) => (lower(a) < lower(b) ? -1 : 1));
		for (const name of names) {
			const full = path.join(folder, name);
			if (statSync(full).isDirectory()) {
				if ([...kept].some((file) => file.startsWith(full + path.sep))) {
					hash.update(name);
					walk(full);
				}
			} else if (kept.has(full)) {
				hash.update(name).update(readFileSync(full));
			}
		}
	};
	walk(root);
	return hash.digest('hex');
}

/** The files of a code folder and of what is included, each include below its base name. */
function mergedFiles(code: string, includes: readonly string[]): readonly LocalFile[] {
	const own = code === '' ? [] : filesOf(code);
	const more = includes.flatMap((include) =>
		filesOf(include).map(({ name, data }) => ({
			name: statSync(include).isFile() ? name : `${path.basename(include)}/${name}`,
			data,
		})),
	);
	return [...own, ...more];
}

function contentHash(files: readonly LocalFile[]): string {
	const sorted = files.toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
	const hash = createHash('sha256').update(String(sorted.length));
	for (const file of sorted) {
		hash.update(`#${file.name}#${file.data.length}`);
	}
	for (const file of sorted) {
		hash.update(file.data);
	}
	return hash.digest('hex');
}

/** One request that a real run would send. */
export interface Write {
	readonly method: string;
	readonly path: string;
	readonly body: JsonObject;
	readonly status: number;
}

/** The imagined workspace of one case. */
export class ImaginedWorkspace {
	readonly writes: Write[] = [];
	readonly blobs = new Map<string, { data: Buffer; sha256: string }>();
	readonly #ids = new Map<Dependency, string>();
	#codes = 0;

	/** Publishes dependencies in order, so that their ids are known afterwards. */
	publish(dependencies: readonly Dependency[]): void {
		for (const dependency of dependencies) {
			this.#ids.set(dependency, this.#publish(dependency));
		}
	}

	readonly idOf = (dependency: Dependency): string => {
		const id = this.#ids.get(dependency);
		if (id === undefined) {
			throw new Error(`The body asks for something that is not among the dependencies: ${dependency.need}`);
		}
		return id;
	};

	/** Keeps a PUT of this path below the workspace. */
	put(below: string, body: JsonObject): string {
		const id = `${WORKSPACE}/${below}`;
		if (this.writes.some((write) => write.path === id)) {
			return id;
		}
		this.writes.push({ method: 'PUT', path: id, body: JSON.parse(JSON.stringify(body)) as JsonObject, status: 201 });
		return id;
	}

	#publish(dependency: Dependency): string {
		switch (dependency.need) {
			case 'reference':
				return idOfReference(dependency.reference);
			case 'code':
				return dependency.includes === undefined
					? this.#code(filesOf(dependency.path), dependency.path, uploadHash(dependency.path))
					: this.#code(
							mergedFiles(dependency.path, dependency.includes),
							'/code_with_additional_includes',
							md5([dependency.path, ...dependency.includes].join()),
						);
			case 'placeholder-code':
				return this.#code(
					[{ name: 'COMPONENT_PLACEHOLDER', data: Buffer.from('x') }],
					'/COMPONENT_PLACEHOLDER',
					md5('x'),
				);
			case 'upload': {
				const folder = dependency.type === 'uri_folder' ? '/' : '';
				return `azureml://datastores/${dependency.datastore ?? 'workspaceblobstore'}/paths/${this.#upload(dependency.path)}${folder}`;
			}
			case 'build-context':
				return `https://storageacct.blob.core.windows.net/container/${this.#upload(dependency.path)}/`;
			case 'environment': {
				this.publish(dependency.environment.dependencies);
				const { environment, anonymous } = dependency;
				const hash = anonymousEnvironmentVersion(environment, 'hash');
				const own = `${environment.name}/versions/${environment.version ?? '8'}`;
				const body = environmentBody(environment, this.idOf, anonymous);
				return this.put(`environments/${anonymous ? `CliV2AnonymousEnvironment/versions/${hash}` : own}`, body);
			}
			case 'model': {
				this.publish(dependency.model.dependencies);
				const { model, anonymous } = dependency;
				const hash = md5(model.source.need === 'upload' ? uploadHash(model.source.path) : model.source.uri);
				const own = `${model.name}/versions/${model.version ?? '8'}`;
				const body = modelBody(model, WORKSPACE, this.idOf, anonymous);
				return this.put(`models/${anonymous ? `${hash}/versions/1` : own}`, body);
			}
			case 'component': {
				this.publish(dependency.component.dependencies);
				const context = { workspaceId: WORKSPACE, idOf: this.idOf };
				const body = componentBody(dependency.component, context, true);
				return this.put(`components/azureml_anonymous/versions/${md5(JSON.stringify(body))}`, body);
			}
		}
	}

	#code(files: readonly LocalFile[], root: string, hash: string): string {
		this.#codes += 1;
		const single = files.length === 1 && files[0]?.name === path.basename(root);
		const base = `LocalUpload/${hash}${single ? '' : `/${path.basename(root)}`}`;
		this.#store(files, base);
		return this.put(`codes/00000000-0000-0000-0000-00000000000${this.#codes}/versions/1`, {
			properties: {
				codeUri: `https://storageacct.blob.core.windows.net/container/${base}`,
				isAnonymous: true,
				properties: { hash_sha256: contentHash(files), hash_version: '202208' },
			},
		});
	}

	#upload(local: string): string {
		const base = `LocalUpload/${uploadHash(local)}`;
		const file = statSync(local).isFile();
		this.#store(filesOf(local), file ? base : `${base}/${path.basename(local)}`);
		return `${base}/${path.basename(local)}`;
	}

	#store(files: readonly LocalFile[], base: string): void {
		for (const { name, data } of files) {
			const sha256 = createHash('sha256').update(data).digest('hex');
			this.blobs.set(`container/${base}/${name}`, { data, sha256 });
		}
	}
}

function idOfReference(reference: Reference): string {
	switch (reference.form) {
		case 'id':
			return reference.id;
		case 'uri':
			return reference.uri;
		case 'version':
			return `${WORKSPACE}/${reference.kind}/${reference.name}/versions/${reference.version}`;
		case 'label':
			return `${WORKSPACE}/${reference.kind}/${reference.name}/versions/7`;
		case 'name':
			return `${WORKSPACE}/${reference.kind}/${reference.name}`;
		case 'local':
			return reference.path;
	}
}
