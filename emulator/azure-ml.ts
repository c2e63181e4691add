// The Azure ML side of an emulator: which path belongs to which face, what a new workspace holds, and what is shown of it.

import { COMPONENTS, DATA, ENVIRONMENTS, furnishEnvironments } from './arm/asset-kinds.ts';
import { routeAssets } from './arm/assets.ts';
import { routeBatchDeployments } from './arm/batch-deployments.ts';
import { routeBatchEndpoints } from './arm/batch-endpoints.ts';
import { type ArmCall, keyOf, objectOf } from './arm/call.ts';
import { routeCodes } from './arm/codes.ts';
import { furnishComputes, routeComputes } from './arm/computes.ts';
import { furnishDatastores, routeDatastores } from './arm/datastores.ts';
import { routeDeployments } from './arm/deployments.ts';
import { routeEndpoints } from './arm/endpoints.ts';
import { ArmRoutes, armFace } from './arm/face.ts';
import { JobRunner } from './arm/job-runner.ts';
import { routeJobs } from './arm/jobs.ts';
import { MODELS } from './arm/models.ts';
import { Operations } from './arm/operations.ts';
import { Serving } from './arm/serving.ts';
import { makeWorkspace, routeWorkspaces } from './arm/workspaces.ts';
import { batchScoringFace } from './batch-scoring-face.ts';
import type { EndpointState, JobState } from './emulator.ts';
import { historyFace } from './history/face.ts';
import type { Face } from './ledger.ts';
import { TrackingKeys } from './mlflow.ts';
import { mlflowFace } from './mlflow-face.ts';
import { CLOUD_NAME, IDENTITY, type Platform } from './platform.ts';
import { registryFace, routeRegistryVersions } from './registries.ts';
import { scoringFace } from './scoring-face.ts';
import type { Answer, FaceRequest, Handler } from './server.ts';
import type { Resource } from './state.ts';

const FACES: [RegExp, Face][] = [
	[/^(\/mferp\/managementfrontend)?\/subscriptions(\/|$)(?!.*\/registries\/)/i, 'arm'],
	[/^\/(discovery|metadata\/endpoints)$/, 'discovery'],
	[/^\/mlflow\//, 'mlflow'],
	[/^\/(online|batch)\//, 'scoring'],
	[/^\/studio(\/|$)/, 'studio'],
	[/^\/(registrymanagement|mferp)\//, 'registry'],
	[/^\/(history|metric|artifact|data|modelregistry)\//, 'history'],
];

/** Resource Manager, data plane, tracking server and scoring of one emulator. */
export class AzureMl {
	readonly #platform: Platform;
	readonly #keys = new TrackingKeys();
	readonly #runner: JobRunner;
	readonly #operations: Operations;
	readonly #serving: Serving;
	readonly #handlers: Partial<Record<Face, Handler>>;

	/** `platform` may still lack the addresses that `open` needs. */
	constructor(platform: Platform) {
		this.#platform = platform;
		this.#runner = new JobRunner(platform, this.#keys);
		this.#operations = new Operations(platform);
		this.#serving = new Serving(platform);
		const routes = this.#routes();
		const [online, batch] = [scoringFace(platform, this.#serving), batchScoringFace(platform, routes)];
		this.#handlers = {
			arm: armFace(platform, routes),
			history: historyFace(platform),
			mlflow: mlflowFace(platform, this.#keys),
			registry: registryFace(platform, this.#operations),
			scoring: (request) => (request.path.startsWith('/batch/') ? batch(request) : online(request)),
			discovery: ({ path }) => (path === '/discovery' ? discovery(platform) : cloudMetadata(platform)),
			studio: (request) => studio(request),
		};
	}

	/** Names the face that a path belongs to; what belongs to none is Resource Manager's to refuse. */
	faceOf(path: string): Face {
		return FACES.find(([pattern]) => pattern.test(path))?.[1] ?? 'arm';
	}

	/** Answers every request to the address of Resource Manager. */
	readonly handle: Handler = async (request) => {
		const handler = this.#handlers[this.faceOf(request.path)];
		return handler ? await handler(request) : { status: 404 };
	};

	/** Makes the workspace on a first start; takes up again what an earlier one left. */
	async open(isKnown: boolean): Promise<void> {
		const call = this.#ownCall();
		if (!isKnown) {
			const { resources } = this.#platform.state;
			resources.put(IDENTITY.workspace, makeWorkspace(call, {}));
			furnishComputes(call);
			furnishEnvironments(call);
		}
		// The port of storage is another one after each start.
		for (const workspace of this.#workspaces()) furnishDatastores(this.#ownCall(workspace));
		this.#runner.failOrphans();
		this.#serving.resume();
	}

	/** The state of every job; trials of sweeps and steps of pipelines are runs. */
	jobs(): JobState[] {
		const { resources, runs } = this.#platform.state;
		return this.#workspaces().flatMap((workspace) =>
			resources
				.list(keyOf(this.#ownCall(workspace), 'jobs'))
				.filter((job) => job.secret?.['parent'] === undefined)
				.map(({ name, properties }) => {
					const status = runs.get(name)?.status ?? String(properties['status']);
					return { name, status, properties };
				}),
		);
	}

	/** The state of every online endpoint. */
	endpoints(): EndpointState[] {
		const { resources } = this.#platform.state;
		return this.#workspaces().flatMap((workspace) => {
			const call = this.#ownCall(workspace);
			return resources.list(keyOf(call, 'onlineEndpoints')).map((endpoint) => ({
				name: endpoint.name,
				properties: endpoint.properties,
				deployments: resources
					.list(keyOf(call, 'onlineEndpoints', endpoint.name, 'deployments'))
					.map(({ name, properties }) => ({ name, properties })),
				trafficHistory: trafficHistory(endpoint),
			}));
		});
	}

	/** Waits for the end of every operation. */
	settled(): Promise<void> {
		return this.#operations.settled();
	}

	/** Ends jobs and deployments. */
	async close(): Promise<void> {
		await this.#runner.stop();
		await this.#serving.stop();
		await this.#operations.settled();
	}

	#workspaces(): string[] {
		return this.#platform.state.resources
			.entries()
			.filter(([key]) => !key.includes('/'))
			.map(([, workspace]) => workspace.name);
	}

	#routes(): ArmRoutes {
		const routes = new ArmRoutes();
		routeWorkspaces(routes, this.#operations, (call) => {
			furnishDatastores(call);
			furnishEnvironments(call);
		});
		routeDatastores(routes);
		routeCodes(routes);
		for (const kind of [ENVIRONMENTS, DATA, MODELS, COMPONENTS]) routeAssets(routes, kind);
		routeComputes(routes, this.#operations);
		routeJobs(routes, this.#runner);
		routeEndpoints(routes, this.#operations, this.#serving);
		routeBatchEndpoints(routes, this.#operations);
		routeBatchDeployments(routes, this.#operations);
		routeDeployments(routes, this.#operations, this.#serving);
		routeRegistryVersions(routes);
		this.#operations.route(routes);
		return routes;
	}

	/** A call of the emulator to itself, for what it puts into a workspace of its own accord. */
	#ownCall(workspace: string = IDENTITY.workspace): ArmCall {
		const names = { subscription: IDENTITY.subscriptionId, group: IDENTITY.resourceGroup, workspace };
		const query = new URLSearchParams();
		return {
			platform: this.#platform,
			names,
			query,
			body: {},
			url: this.#platform.origins.arm,
			apiVersion: '2025-09-01',
		};
	}
}

function trafficHistory(endpoint: Resource): EndpointState['trafficHistory'] {
	const { trafficHistory: history } = objectOf(endpoint.secret);
	return Array.isArray(history) ? history : [];
}

function discovery(platform: Platform): Answer {
	const { arm } = platform.origins;
	const names = ['api', 'experimentation', 'history', 'hyperdrive', 'modelmanagement', 'pipelines'];
	const services = Object.fromEntries(names.map((name) => [name, arm]));
	return { status: 200, json: { ...services, studio: `${arm}/studio` } };
}

/** What `az` and the SDKs read to learn of a cloud; the portal's name is where azure-ai-ml takes that of Azure ML from. */
function cloudMetadata({ origins, storage }: Platform): Answer {
	const cloud = {
		name: CLOUD_NAME,
		portal: 'https://portal.azure.com',
		resourceManager: origins.arm,
		authentication: {
			loginEndpoint: origins.authority,
			audiences: [origins.arm],
			tenant: IDENTITY.tenantId,
			identityProvider: 'AAD',
		},
		suffixes: { storage: storage.suffix },
	};
	return { status: 200, json: [cloud] };
}

function studio(request: FaceRequest): Answer {
	const text = `This is where Azure ML studio would show ${request.path}.\n`;
	return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, bytes: text };
}
