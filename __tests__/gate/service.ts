// A workspace on loopback with jobs, runs, models and endpoints, as far as gates look at them.

import type { Workspace } from '../../src/azure/workspace.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { connected, type Layers, WORKSPACE_ID } from '../fixtures/workspace.ts';

/** A run of run history with what it logged. */
export interface ServedRun {
	readonly metrics?: Readonly<Record<string, number | string>>;
	readonly children?: readonly { readonly runId: string; readonly [field: string]: unknown }[];
}

export class GateService {
	readonly runs = new Map<string, ServedRun>();
	/** Properties of ARM resources by path below the workspace. */
	readonly resources = new Map<string, object>();
	/** `METHOD path` of every request, the path below the workspace, run history's from `runs/` on. */
	readonly asked: string[] = [];
	readonly log: MemoryLog = memoryLog();
	/** The status that every request for metrics is refused with. */
	refused: number | undefined;
	/** Steps on one page. */
	page = 2;
	#layers: (Layers & { readonly workspace: Workspace }) | undefined;

	static async open(): Promise<GateService> {
		const service = new GateService();
		service.#layers = await connected((asked) => service.#answer(asked));
		return service;
	}

	get parts() {
		if (this.#layers === undefined) throw new Error('not open');
		const { workspace, clock } = this.#layers;
		return { workspace, clock, log: this.log, signal: undefined };
	}

	async close(): Promise<void> {
		await this.#layers?.close();
	}

	#answer({ method, path }: Asked): Reply {
		const url = new URL(path, 'http://x');
		const query = url.searchParams;
		const run = query.get('run_id');
		if (run !== null) {
			this.asked.push(`metrics ${run}`);
			return this.#metrics(run);
		}
		const below = decodeURIComponent(url.pathname).replace(/^.*\/workspaces\/[^/]+\//, '');
		this.asked.push(`${method} ${below}`);
		const parent = /^runs\/([^/]+)\/children$/.exec(below)?.[1];
		if (parent !== undefined) return this.#children(parent, Number(query.get('$continuationtoken') ?? 0));
		const versions = /^models\/[^/]+\/versions$/.test(below);
		if (versions) return this.#versions(below, Number(query.get('$skip') ?? 0));
		if (below.endsWith('/deployments')) {
			const value = [...this.resources].flatMap(([name, properties]) =>
				name.startsWith(`${below}/`) ? [{ name: name.split('/').at(-1), properties }] : [],
			);
			return { body: { value } };
		}
		const found = this.resources.get(below);
		if (found === undefined) return { status: 404, body: { error: { code: 'UserError', message: 'Not found.' } } };
		return { body: { id: `${WORKSPACE_ID}/${below}`, name: below.split('/').at(-1), properties: found } };
	}

	#metrics(run: string): Reply {
		if (this.refused !== undefined) return { status: this.refused, body: { error_code: 'REFUSED' } };
		const found = this.runs.get(run);
		if (found === undefined) return { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } };
		const metrics = Object.entries(found.metrics ?? {}).map(([key, value]) => ({ key, value }));
		return { body: { run: { data: { metrics } } } };
	}

	#children(parent: string, from: number): Reply {
		const all = this.runs.get(parent)?.children ?? [];
		const more = from + this.page < all.length ? { continuationToken: String(from + this.page) } : {};
		return { body: { value: all.slice(from, from + this.page), ...more } };
	}

	#versions(below: string, from: number): Reply {
		const all = [...this.resources].filter(([path]) => path.startsWith(`${below}/`)).reverse();
		if (all.length === 0) return { status: 404, body: { error: { code: 'UserError', message: 'Not found.' } } };
		const page = all.slice(from, from + this.page);
		const value = page.map(([path, properties]) => ({ name: path.split('/').at(-1), properties }));
		const next = `${this.#layers?.server.url}${WORKSPACE_ID}/${below}?$skip=${from + this.page}`;
		return { body: { value, ...(from + this.page < all.length ? { nextLink: next } : {}) } };
	}
}
