// A workspace on loopback that keeps assets and blobs in memory, and a checkout beside it. For the tests of this room.

import { createPublisher, type Publisher, type PublisherParts } from '../../src/asset/publish.ts';
import { createArm } from '../../src/azure/arm.ts';
import { createBearerHttp } from '../../src/azure/bearer.ts';
import { createHttp } from '../../src/azure/http.ts';
import { connectWorkspace, type Workspace } from '../../src/azure/workspace.ts';
import { createSecrets, type Secrets } from '../../src/secrets.ts';
import { type BlobServer, type SeenRequest, startBlobServer } from '../azure/blob-server.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { type VirtualClock, virtualClock } from '../fixtures/virtual-clock.ts';
import { customCloud, TARGET, WORKSPACE_ID } from '../fixtures/workspace.ts';
import { TestFolders } from './folder.ts';

export { WORKSPACE_ID } from '../fixtures/workspace.ts';

interface Answer {
	status: number;
	body?: unknown;
	headers?: Record<string, string>;
}

interface Resource {
	id: string;
	name: string;
	properties: Record<string, unknown>;
}

/** A workspace with a default datastore, where anything may be put. */
export class AssetSite {
	readonly server: BlobServer;
	readonly workspace: Workspace;
	readonly log: MemoryLog = memoryLog();
	readonly clock: VirtualClock = virtualClock();
	readonly secrets: Secrets = createSecrets();
	readonly checkout: string;
	readonly folders: TestFolders;
	/** Assets, computes, … by path below the workspace: `environments/e/versions/1`. */
	readonly resources = new Map<string, Resource>();
	/** Answers in place of the workspace's own, e.g. for run history; undefined leaves it to those. */
	answer: ((request: SeenRequest, below: string) => Answer | undefined) | undefined;
	/** What `listSecrets` gives. */
	credential: Record<string, string> = { secretsType: 'Sas', sasToken: 'sv=1&sig=data%2Fsecret' };
	datastoreType = 'AzureBlob';
	readonly #closeHttp: () => Promise<void>;
	#uploads = 0;

	private constructor(
		server: BlobServer,
		workspace: Workspace,
		folders: TestFolders,
		checkout: string,
		close: () => Promise<void>,
	) {
		this.server = server;
		this.workspace = workspace;
		this.folders = folders;
		this.checkout = checkout;
		this.#closeHttp = close;
	}

	static async open(files: Parameters<TestFolders['make']>[0] = {}): Promise<AssetSite> {
		const server = await startBlobServer();
		const url = `http://127.0.0.1:${server.port}`;
		const cloud = customCloud(url);
		const clock = virtualClock();
		const http = createHttp({ clock, userAgent: 'test/1' });
		const bearer = createBearerHttp(http, cloud, { token: async () => 'the-token' });
		const arm = createArm(bearer, cloud, clock);
		server.other = ({ path }) =>
			path === WORKSPACE_ID
				? { status: 200, body: { location: 'westus', properties: { discoveryUrl: `${url}/discovery` } } }
				: { status: 404 };
		const workspace = await connectWorkspace(TARGET, { cloud, arm, http, bearer });
		const folders = new TestFolders();
		const site = new AssetSite(server, workspace, folders, await folders.make(files), () => http.close());
		server.other = (request) => site.#other(request);
		server.requests.length = 0;
		return site;
	}

	publisher(more: Partial<PublisherParts> = {}): Publisher {
		const { workspace, log, secrets, clock, checkout } = this;
		return createPublisher({ workspace, log, secrets, clock, checkout, ...more });
	}

	/** Puts something into the workspace beforehand. */
	add(path: string, properties: Record<string, unknown> = {}): void {
		this.resources.set(path, { id: `${WORKSPACE_ID}/${path}`, name: path.split('/').at(-1) ?? '', properties });
	}

	/** Requests as `METHOD path`, without those for blobs; names of code assets are written `<code>`. */
	lines(method = /./): string[] {
		return this.server.requests
			.filter((request) => request.path.startsWith('/subscriptions/') && method.test(request.method))
			.map(({ method: verb, path }) => `${verb} ${path.slice(WORKSPACE_ID.length + 1)}`)
			.map((line) => line.replace(/codes\/[0-9a-f-]{36}/, 'codes/<code>'));
	}

	/** The body that was last put at a path below the workspace. */
	body(path: string): Record<string, unknown> {
		const put = this.server.requests.findLast(
			(request) => request.method === 'PUT' && request.path === `${WORKSPACE_ID}/${path}`,
		);
		return (JSON.parse(put?.body.toString() ?? '{}') as { properties: Record<string, unknown> }).properties;
	}

	/** Names of blobs, with their container. */
	blobs(): string[] {
		return [...this.server.blobs.keys()].sort();
	}

	async close(): Promise<void> {
		await this.server.close();
		await this.#closeHttp();
		await this.folders.remove();
	}

	#other(request: SeenRequest): Answer {
		const below = request.path.slice(WORKSPACE_ID.length + 1);
		const own = this.answer?.(request, below);
		if (own !== undefined) return own;
		const { method, path, query, body } = request;
		if (path === '/discovery') return { status: 200, body: { api: `http://127.0.0.1:${this.server.port}` } };
		if (request.headers.authorization !== 'Bearer the-token') return { status: 401 };
		if (below === 'datastores') return { status: 200, body: { value: [this.#datastore('workspaceblobstore')] } };
		if (below.endsWith('/listSecrets')) return { status: 200, body: this.credential };
		if (below.endsWith('/startPendingUpload')) return { status: 200, body: this.#place() };
		const store = /^datastores\/(workspaceblobstore|workspaceartifactstore|other)$/.exec(below)?.[1];
		if (store !== undefined) return { status: 200, body: this.#datastore(store) };
		if (method === 'PUT')
			return this.#put(below, JSON.parse(body.toString()) as { properties: Record<string, unknown> });
		if (/^codes\/[^/]+\/versions$/.test(below))
			return { status: 200, body: { value: this.#codes(query['hash'] ?? '') } };
		return this.#get(below, query);
	}

	#put(below: string, { properties }: { properties: Record<string, unknown> }): Answer {
		const existing = this.resources.get(below);
		const fresh = existing === undefined;
		if (existing !== undefined && existing.properties['modelUri'] !== properties['modelUri']) {
			return { status: 400, body: { error: { code: 'UserError', message: 'Asset paths cannot be updated.' } } };
		}
		this.add(below, { ...properties, provisioningState: 'Succeeded' });
		return { status: fresh ? 201 : 200, body: this.resources.get(below) };
	}

	#get(below: string, query: SeenRequest['query']): Answer {
		const found = this.resources.get(below);
		if (found !== undefined) return { status: 200, body: found };
		const children = [...this.resources].filter(([path]) => path.startsWith(`${below}/`));
		const lists = /^(computes|jobs|[^/]+\/[^/]+\/versions)$/.test(below);
		const versions = children.map(([, resource]) => resource).reverse();
		if (lists && (children.length > 0 || !below.includes('/'))) {
			return { status: 200, body: { value: versions.slice(0, Number(query['$top'] ?? 1000)) } };
		}
		if (/^[^/]+$/.test(below)) {
			const names = [...new Set(children.map(([path]) => path.split('/')[1] ?? ''))];
			return { status: 200, body: { value: names.map((name) => ({ id: `${below}/${name}`, name })) } };
		}
		if (/^[^/]+\/[^/]+$/.test(below) && children.length > 0) {
			const numbers = versions.map(({ name }) => Number(name)).filter((number) => !Number.isNaN(number));
			const next = String(Math.max(0, ...numbers) + 1);
			return { status: 200, body: { properties: { latestVersion: versions[0]?.name, nextVersion: next } } };
		}
		return { status: 404, body: { error: { code: 'UserError', message: `Not found: ${below}` } } };
	}

	#codes(hash: string): Resource[] {
		const isCode = ([path]: [string, Resource]) => path.startsWith('codes/');
		const hashOf = ({ properties }: Resource) => (properties['properties'] as Record<string, string>)['hash_sha256'];
		return [...this.resources].filter(isCode).flatMap(([, code]) => (hashOf(code) === hash ? [code] : []));
	}

	#place(): unknown {
		this.#uploads += 1;
		const url = `http://127.0.0.1:${this.server.port}/code-${this.#uploads}`;
		const credential = { credentialType: 'SAS', sasUri: `${url}?sr=c&sig=code%2Fsecret` };
		return { pendingUploadId: 'up-1', blobReferenceForConsumption: { blobUri: url, credential } };
	}

	#datastore(name: string): unknown {
		const endpoint = `localhost:${this.server.port}`;
		const place = { accountName: 'acc', containerName: name === 'other' ? 'container2' : 'container' };
		return { name, properties: { datastoreType: this.datastoreType, protocol: 'http', endpoint, ...place } };
	}
}
