// A loopback stand-in for the part of Azure that endpoints need, online ones and batch ones: their PUTs as long-running
// operations, one change at a time, traffic rules or a default deployment, keys, logs and scoring. It records every request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createArm } from '../../src/azure/arm.ts';
import { createBearerHttp } from '../../src/azure/bearer.ts';
import type { Cloud } from '../../src/azure/cloud.ts';
import { createHttp } from '../../src/azure/http.ts';
import type { Workspace } from '../../src/azure/workspace.ts';
import type { Clock } from '../../src/clock.ts';
import type { DeployParts } from '../../src/endpoint/deploy.ts';
import type { Log } from '../../src/log.ts';

/** The parts of a resource that the stand-in itself looks at. */
interface Resource {
	name?: string;
	location?: string;
	tags?: Record<string, string>;
	identity?: Record<string, unknown>;
	properties: {
		provisioningState?: string;
		traffic?: Record<string, number>;
		mirrorTraffic?: Record<string, number>;
		defaults?: { deploymentName?: string | null };
		[key: string]: unknown;
	};
	[key: string]: unknown;
}

interface Reply {
	status: number;
	json?: unknown;
	text?: string;
	headers?: Record<string, string>;
}

/** A request as it came in. `path` is below the workspace, or as it was where it is elsewhere. */
export interface Recorded {
	method: string;
	path: string;
	headers: IncomingMessage['headers'];
	body: unknown;
}

/** A change that is under way: ends after so many looks. */
interface Operation {
	target: string;
	looks: number;
	end: () => { status: string; error?: unknown };
}

const WORKSPACE = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/wsp';

export class OnlineService {
	readonly endpoints = new Map<string, Resource>();
	readonly deployments = new Map<string, Resource>();
	readonly requests: Recorded[] = [];
	/** Every traffic map that came into force, in order. */
	readonly trafficHistory: Record<string, number>[] = [];
	/** How a deployment's provisioning ends, by its name; it succeeds where absent. */
	readonly provisioning = new Map<string, { code: string; message: string }>();
	/** Container logs by deployment name and container. */
	readonly logs = new Map<string, string>();
	/** What a deployment answers. */
	score: (deployment: string, body: unknown) => Reply = () => ({ status: 200, json: { predictions: ['setosa'] } });
	/** Looked at before anything else: an answer to give instead, or something to happen first. */
	intercept: (request: Recorded) => Reply | undefined = () => undefined;
	/** Whether a request to score is taken and never answered. */
	silent = false;
	/** How many looks a change takes. */
	looks = 1;
	readonly #operations = new Map<string, Operation>();
	readonly #server: Server;
	#count = 0;
	base = '';

	private constructor(server: Server) {
		this.#server = server;
	}

	static async start(): Promise<OnlineService> {
		const server = createServer((incoming, outgoing) => {
			void service.#answer(incoming, outgoing);
		});
		const service = new OnlineService(server);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		service.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		return service;
	}

	async stop(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	/** An endpoint that is there already, with its deployments and their traffic. */
	seed(name: string, traffic: Record<string, number>, properties: Record<string, unknown> = {}): void {
		this.endpoints.set(name, {
			id: `${WORKSPACE}/onlineEndpoints/${name}`,
			name,
			type: 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints',
			location: 'westeurope',
			kind: 'Managed',
			tags: { team: 'a' },
			systemData: { createdBy: 'someone' },
			identity: { type: 'SystemAssigned', principalId: 'p', tenantId: 't' },
			properties: {
				authMode: 'Key',
				description: null,
				properties: {},
				compute: null,
				provisioningState: 'Succeeded',
				scoringUri: `${this.base}/score/${name}`,
				swaggerUri: `${this.base}/swagger/${name}`,
				publicNetworkAccess: 'Enabled',
				traffic,
				mirrorTraffic: {},
				...properties,
			},
		});
		for (const deployment of Object.keys(traffic)) this.seedDeployment(name, deployment);
	}

	seedDeployment(endpoint: string, name: string): void {
		this.deployments.set(`${endpoint}/${name}`, {
			name,
			location: 'westeurope',
			tags: {},
			properties: { provisioningState: 'Succeeded', model: 'old' },
		});
	}

	traffic(endpoint: string): Record<string, number> | undefined {
		return this.endpoints.get(endpoint)?.properties.traffic;
	}

	deploymentNames(endpoint: string): string[] {
		return [...this.deployments.keys()]
			.filter((key) => key.startsWith(`${endpoint}/`))
			.map((key) => key.split('/')[1] ?? '');
	}

	/** `METHOD path` of each request that changes something, in order. */
	changes(): string[] {
		return this.requests
			.filter(
				({ method, path }) =>
					method !== 'GET' && !path.startsWith('/score') && !/\/(listKeys|token|getLogs)$/.test(path),
			)
			.map(({ method, path }) => `${method} ${path}`);
	}

	async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
		const pieces: Buffer[] = [];
		for await (const piece of incoming) pieces.push(piece as Buffer);
		const text = Buffer.concat(pieces).toString();
		const path = decodeURIComponent(new URL(incoming.url ?? '/', this.base).pathname).replace(WORKSPACE, '');
		const request: Recorded = {
			method: incoming.method ?? '',
			path,
			headers: incoming.headers,
			body: text === '' ? undefined : JSON.parse(text),
		};
		this.requests.push(request);
		if (this.silent && path.startsWith('/score/')) return;
		const reply = this.intercept(request) ?? this.#reply(request);
		outgoing.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
		outgoing.end(reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json)));
	}

	#reply(request: Recorded): Reply {
		const operation = /^\/operations\/(.+)$/.exec(request.path)?.[1];
		if (operation !== undefined) return this.#look(operation);
		const scored = /^\/score\/(.+)$/.exec(request.path)?.[1];
		if (scored !== undefined) return this.#scored(scored, request);
		const [, endpoint, deployment, action] =
			/^\/(?:online|batch)Endpoints\/([^/]+)(?:\/deployments(?:\/([^/]+))?)?(?:\/(listKeys|token|getLogs))?$/.exec(
				request.path,
			) ?? [];
		if (endpoint === undefined) return refuse(404, 'NotFound', request.path);
		if (request.path.endsWith('/deployments')) return this.#list(endpoint);
		if (action !== undefined) return this.#act(action, deployment, request);
		return deployment === undefined
			? this.#endpoint(endpoint, request)
			: this.#deployment(endpoint, deployment, request);
	}

	#act(action: string, deployment: string | undefined, { body }: Recorded): Reply {
		if (action === 'listKeys')
			return { status: 200, json: { primaryKey: 'primary-key-1', secondaryKey: 'secondary-key-2' } };
		if (action === 'token') return { status: 200, json: { accessToken: 'endpoint-token-3', tokenType: 'Bearer' } };
		const { containerType } = body as { containerType: string };
		return { status: 200, json: { content: this.logs.get(`${deployment}/${containerType}`) ?? '' } };
	}

	#list(endpoint: string): Reply {
		const value = this.deploymentNames(endpoint).map((name) => this.deployments.get(`${endpoint}/${name}`));
		return { status: 200, json: { value, nextLink: null } };
	}

	#endpoint(name: string, { method, body }: Recorded): Reply {
		const have = this.endpoints.get(name);
		if (method === 'GET') return have === undefined ? refuse(404, 'NotFound', name) : { status: 200, json: have };
		if (method === 'DELETE' && have === undefined) return { status: 204 };
		if (this.#busy(name)) return refuse(409, 'Conflict', 'Another operation is in progress.');
		if (method === 'DELETE') {
			return this.#begin(name, undefined, () => {
				this.endpoints.delete(name);
				for (const deployment of this.deploymentNames(name)) this.deployments.delete(`${name}/${deployment}`);
				return { status: 'Succeeded' };
			});
		}
		return this.#putEndpoint(name, have, body as Resource);
	}

	#putEndpoint(name: string, have: Resource | undefined, body: Resource): Reply {
		const { traffic = {}, mirrorTraffic = {} } = body.properties;
		const sum = Object.values(traffic).reduce((all, share) => all + share, 0);
		const { defaults } = body.properties;
		const named = defaults?.deploymentName == null ? {} : { [defaults.deploymentName]: 100 };
		const unknown = Object.keys({ ...traffic, ...mirrorTraffic, ...named }).find(
			(it) => !this.deployments.has(`${name}/${it}`),
		);
		if (unknown !== undefined) return refuse(400, 'UserError', `${unknown} does not exist`);
		if (sum !== 0 && sum !== 100) return refuse(400, 'UserError', `traffic adds up to ${sum}`);
		if (Object.keys(mirrorTraffic).some((it) => (traffic[it] ?? 0) > 0))
			return refuse(400, 'UserError', 'live and mirrored');
		for (const key of ['provisioningState', 'scoringUri', 'swaggerUri', 'keys']) {
			if (key in body.properties) return refuse(400, 'UserError', `${key} is read-only`);
		}
		const uri = have?.properties['scoringUri'] ?? null;
		const next: Resource = { ...body, name, properties: { ...body.properties, scoringUri: uri } };
		next.properties.provisioningState = have === undefined ? 'Creating' : 'Updating';
		// The old traffic stays in force, and is shown, until the change is done.
		next.properties.traffic = have?.properties.traffic ?? {};
		next.properties.defaults = have?.properties.defaults ?? { deploymentName: null };
		this.endpoints.set(name, next);
		return this.#begin(name, next, () => {
			next.properties.provisioningState = 'Succeeded';
			next.properties['scoringUri'] ??= `${this.base}/score/${name}`;
			const before = JSON.stringify(next.properties.traffic);
			next.properties.traffic = traffic;
			next.properties.defaults = defaults ?? { deploymentName: null };
			if (JSON.stringify(traffic) !== before) this.trafficHistory.push(traffic);
			return { status: 'Succeeded' };
		});
	}

	#deployment(endpoint: string, name: string, { method, body }: Recorded): Reply {
		const key = `${endpoint}/${name}`;
		const have = this.deployments.get(key);
		if (method === 'GET') return have === undefined ? refuse(404, 'NotFound', name) : { status: 200, json: have };
		if (method === 'DELETE' && have === undefined) return { status: 204 };
		if (this.#busy(endpoint)) return refuse(409, 'Conflict', 'Another operation is in progress.');
		if (method === 'DELETE') {
			if ((this.traffic(endpoint)?.[name] ?? 0) > 0) return refuse(400, 'UserError', 'has traffic');
			return this.#begin(endpoint, undefined, () => {
				this.deployments.delete(key);
				return { status: 'Succeeded' };
			});
		}
		const next = structuredClone(body as Resource);
		next.name = name;
		next.properties.provisioningState = have === undefined ? 'Creating' : 'Updating';
		this.deployments.set(key, next);
		return this.#begin(endpoint, next, () => {
			const error = this.provisioning.get(name);
			next.properties.provisioningState = error === undefined ? 'Succeeded' : 'Failed';
			return error === undefined ? { status: 'Succeeded' } : { status: 'Failed', error };
		});
	}

	#busy(target: string): boolean {
		return [...this.#operations.values()].some((operation) => operation.target === target && operation.looks >= 0);
	}

	#begin(target: string, resource: Resource | undefined, end: Operation['end']): Reply {
		this.#count += 1;
		this.#operations.set(String(this.#count), { target, looks: this.looks, end });
		const headers = { 'azure-asyncoperation': `${this.base}/operations/${this.#count}?t=signed` };
		return resource === undefined
			? { status: 202, headers }
			: { status: 201, json: structuredClone(resource), headers };
	}

	/** Ends what is under way as if time had passed. */
	finishAll(): void {
		for (const operation of this.#operations.values()) {
			if (operation.looks >= 0) operation.end();
			operation.looks = -1;
		}
	}

	#look(id: string): Reply {
		const operation = this.#operations.get(id);
		if (operation === undefined) return refuse(404, 'NotFound', id);
		operation.looks -= 1;
		if (operation.looks >= 0) return { status: 200, json: { status: 'Updating' } };
		return { status: 200, json: operation.end() };
	}

	#scored(endpoint: string, { headers, body }: Recorded): Reply {
		const asked = headers['azureml-model-deployment'];
		if (typeof asked !== 'string') return refuse(404, 'NotFound', 'no deployment');
		if (!this.deployments.has(`${endpoint}/${asked}`)) return refuse(404, 'NotFound', asked);
		return this.score(asked, body);
	}
}

/** An error body as Azure ML writes it. */
export function refuse(status: number, code: string, message: string): Reply {
	return { status, json: { error: { code, message, details: [], additionalInfo: [] } } };
}

/** Time that passes only by sleeping, and then at once. */
export class FakeClock implements Clock {
	readonly sleeps: number[] = [];
	/** Called at each sleep, before its time has passed. */
	onSleep: (ms: number) => void = () => {};
	#now = Date.parse('2025-01-01T00:00:00Z');

	now(): number {
		return this.#now;
	}

	async sleep(ms: number, signal?: AbortSignal): Promise<void> {
		this.sleeps.push(ms);
		this.onSleep(ms);
		await new Promise((resolve) => setImmediate(resolve));
		if (signal?.aborted) throw signal.reason;
		this.#now += ms;
	}

	random(): number {
		return 0.5;
	}
}

/** A log that is kept. */
export function keptLog(): { log: Log; lines: string[]; warnings: string[]; masked: string[] } {
	const lines: string[] = [];
	const warnings: string[] = [];
	const masked: string[] = [];
	const add = (text: string): void => {
		lines.push(text);
	};
	const warning = (text: string): void => {
		warnings.push(text);
	};
	const mask = (value: string): void => {
		masked.push(value);
	};
	return {
		log: {
			info: add,
			debug: () => {},
			foreign: add,
			notice: add,
			warning,
			error: add,
			group: add,
			endGroup: () => {},
			mask,
		},
		lines,
		warnings,
		masked,
	};
}

/** Everything that the deploy step works with, wired to the stand-in. */
export interface Bench {
	service: OnlineService;
	clock: FakeClock;
	parts: DeployParts;
	lines: string[];
	warnings: string[];
	masked: string[];
	published: unknown[];
	/** The notes by which the rollout could be undone, as they were kept one after the other. */
	notes: string[];
	stop: () => Promise<void>;
}

/** Starts the stand-in and wires the parts to it. */
export async function startBench(): Promise<Bench> {
	const service = await OnlineService.start();
	const clock = new FakeClock();
	const kept = keptLog();
	const cloud: Cloud = {
		name: 'test',
		resourceManager: service.base,
		authority: service.base,
		armScope: 'arm/.default',
		machineLearningScope: 'ml/.default',
		studio: 'https://studio.test',
		storageSuffix: 'core.test',
		machineLearningSuffixes: [],
		custom: true,
	};
	const http = createHttp({
		clock,
		userAgent: 'test',
		retry: { attempts: 2, firstWait: 1, longestWait: 1, budget: 10 },
	});
	const bearer = createBearerHttp(http, cloud, { token: async (scope) => `token-for-${scope}` });
	const unused = (): never => {
		throw new Error('not used here');
	};
	const workspace: Workspace = {
		subscriptionId: 's',
		resourceGroup: 'g',
		workspace: 'wsp',
		id: WORKSPACE,
		scope: WORKSPACE.slice(1),
		location: 'westeurope',
		workspaceId: undefined,
		tenantId: 'tenant',
		cloud,
		arm: createArm(bearer, cloud, clock),
		data: unused,
		mlflow: unused,
		serviceAddress: unused,
		datastore: unused,
	};
	const published: unknown[] = [];
	const notes: string[] = [];
	const publisher = {
		publish: async (dependencies: readonly unknown[]) => void published.push(...dependencies),
		idOf: () => 'published-id',
	};
	return {
		service,
		clock,
		parts: { workspace, publisher, http, bearer, log: kept.log, clock, guardRollout: (note) => void notes.push(note) },
		notes,
		lines: kept.lines,
		warnings: kept.warnings,
		masked: kept.masked,
		published,
		stop: async () => {
			await http.close();
			await service.stop();
		},
	};
}
