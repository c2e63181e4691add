// Makes folders for tests out of a mapping of paths to contents.
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A link, as the content of a path. */
export interface Link {
	readonly to: string;
}

export class TestFolders {
	readonly #made: string[] = [];

	/** Makes a folder. A path that ends in `/` is an empty folder; a content of `{ to }` is a link. */
	async make(content: Readonly<Record<string, string | Buffer | Link>>): Promise<string> {
		const root = await realpath(await mkdtemp(path.join(tmpdir(), 'asset-test-')));
		this.#made.push(root);
		await this.add(root, content);
		return root;
	}

	async add(root: string, content: Readonly<Record<string, string | Buffer | Link>>): Promise<void> {
		for (const [name, value] of Object.entries(content)) {
			const at = path.join(root, name);
			await mkdir(name.endsWith('/') ? at : path.dirname(at), { recursive: true });
			if (name.endsWith('/')) continue;
			if (typeof value === 'object' && 'to' in value) await symlink(value.to, at);
			else await writeFile(at, value);
		}
	}

	async remove(): Promise<void> {
		for (const one of this.#made.splice(0)) await rm(one, { recursive: true, force: true });
	}
}
