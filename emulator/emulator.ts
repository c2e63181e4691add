// Starts one emulator: puts the faces, the storage process and the memory together, and takes them apart again.

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AzureMl } from './azure-ml.ts';
import { makeCertificate } from './certificate.ts';
import { processEnvironment, pythonVariables, writeTrust } from './client-environment.ts';
import { type Application, defaultApplication, entraFace } from './entra.ts';
import { defaultIdentity, type GitHubIdentity, gitHubFace } from './github.ts';
import { type Fault, Ledger, type RecordedRequest } from './ledger.ts';
import { serveLoopbackProxy } from './loopback-proxy.ts';
import { CLOUD_NAME, IDENTITY, ML_RESOURCE, type Platform } from './platform.ts';
import type { Run } from './runs.ts';
import { serve } from './server.ts';
import { type ProvisioningFault, ProvisioningFaults } from './serving/provisioning-fault.ts';
import { type GitHubStore, State } from './state.ts';
import { PUBLIC_STORAGE, type StoredBlob, startStorage } from './storage.ts';
import { TokenIssuer } from './tokens.ts';

/** How an emulator is to be. */
export interface EmulatorOptions {
	/** Where it remembers things between starts; a temporary folder, removed at the end, when absent. */
	dataFolder?: string;
	/** Milliseconds since 1970, for tokens and time stamps; the real time when absent. */
	clock?: () => number;
	/** A number from 0 up to 1, for choosing among deployments by traffic. */
	random?: () => number;
	/** Keeps every request from being printed; true when absent. */
	quiet?: boolean;
	/** Milliseconds for which jobs and operations stay in each early state; 20 when absent. */
	jobStateDelayMs?: number;
	/** Port of the Resource Manager face; a free one when absent. */
	port?: number;
	/** Has every face but GitHub's speak TLS, as clients in Python want it, and jobs get an `azureml://` tracking URI. */
	tls?: boolean;
	/** The python that jobs and endpoints find first, e.g. that of a virtual environment; the machine's when absent. */
	python?: string;
}

/** A job as the emulator knows it. */
export interface JobState {
	name: string;
	status: string;
	properties: Record<string, unknown>;
}

/** An endpoint as the emulator knows it. */
export interface EndpointState {
	name: string;
	properties: Record<string, unknown>;
	deployments: { name: string; properties: Record<string, unknown> }[];
	/** Every traffic rule since the endpoint was made, oldest first. */
	trafficHistory: { at: number; traffic: Record<string, number> }[];
}

/** A running emulator. */
export interface Emulator {
	/** Base address of Resource Manager; the data plane, MLflow and scoring are there too. */
	arm: string;
	/** Base address of Entra, over TLS with a throwaway certificate. */
	authority: string;
	/** Base address of the studio links. */
	studio: string;
	/** Base address of blob storage; containers are at `{storage}/emulatorstore/{container}`. */
	storage: string;
	github: { apiUrl: string; idTokenRequestUrl: string; idTokenRequestToken: string; token: string };
	/** JSON file for the input `cloud`. */
	cloudFile: string;
	/** PEM file of the certificate. */
	caFile: string;
	subscriptionId: string;
	resourceGroup: string;
	workspace: string;
	tenantId: string;
	clientId: string;
	clientSecret: string;
	/** Inputs of the action that sign in by GitHub OIDC and name the workspace. */
	inputs: Record<string, string>;
	/** What a process needs in its environment to talk to the emulator; with `tls`, clients in Python too. */
	env: Record<string, string>;
	/** Every request so far, in order; the array itself grows. */
	requests: RecordedRequest[];
	blobs(): Promise<StoredBlob[]>;
	readBlob(container: string, name: string): Promise<Buffer | undefined>;
	jobs(): JobState[];
	/** Every run there is: those of jobs, of their children, and those that scripts made. */
	runs(): readonly Run[];
	endpoints(): EndpointState[];
	faults: { add(fault: Fault): () => void; clear(): void };
	/** Has deployments fail while they are brought up, until the function that it gives is called. */
	failDeployments(fault: ProvisioningFault): () => void;
	/** Changes who the workflow run is, in the ID tokens that follow. */
	setGitHubIdentity(change: Partial<GitHubIdentity>): void;
	/** Changes the registered application: its secret, federated subjects or the life of its tokens. */
	setApplication(change: Partial<Application>): void;
	/** What the GitHub face holds; may be added to. */
	gitHubStore: GitHubStore;
	/** Waits until every long-running operation has ended. */
	settled(): Promise<void>;
	/** Ends jobs, deployments, storage and servers, and saves the state. Safe to call twice. */
	stop(): Promise<void>;
}

/** Starts an emulator on free ports of 127.0.0.1. Rejects when storage cannot be started. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
	return await new Start(options).run();
}

class Start {
	readonly #options: EmulatorOptions;
	readonly #clock: () => number;
	readonly #ledger: Ledger;
	readonly #stopping = new AbortController();
	readonly #folder: string;
	readonly #closing: (() => Promise<void> | void)[] = [];
	readonly #application = defaultApplication();
	readonly #identity = defaultIdentity();
	#closed: Promise<void> | undefined;
	readonly #requestToken = randomBytes(24).toString('base64url');

	constructor(options: EmulatorOptions) {
		this.#options = options;
		this.#clock = options.clock ?? Date.now;
		this.#ledger = new Ledger(options.quiet === false ? announce : undefined);
		this.#folder = options.dataFolder ? resolve(options.dataFolder) : mkdtempSync(join(tmpdir(), 'azureml-emulator-'));
		mkdirSync(this.#folder, { recursive: true });
		// Runs last: nothing else needs the folder then.
		if (!options.dataFolder) this.#closing.push(() => rmSync(this.#folder, { recursive: true, force: true }));
	}

	async run(): Promise<Emulator> {
		try {
			return await this.#build();
		} catch (error) {
			await this.#close();
			throw error;
		}
	}

	async #build(): Promise<Emulator> {
		const certificate = await makeCertificate();
		const trust = writeTrust(this.#folder, certificate.cert);
		const tls = this.#options.tls ? { tls: certificate } : {};
		const [entraKeys, githubKeys, storage] = await Promise.all([
			TokenIssuer.create('emulator-entra', this.#clock),
			TokenIssuer.create('emulator-github', this.#clock),
			startStorage({ folder: join(this.#folder, 'storage'), ledger: this.#ledger, clock: this.#clock, ...tls }),
		]);
		this.#closing.unshift(() => storage.stop());
		const state = new State(this.#folder, this.#clock);
		const origins = { arm: '', authority: '', github: '', storage: storage.origin };
		const workFolder = mkdtempSync(join(tmpdir(), 'azureml-emulator-work-'));
		this.#closing.unshift(() => rmSync(workFolder, { recursive: true, force: true }));
		const platform: Platform = {
			origins,
			state,
			storage,
			entraKeys,
			ledger: this.#ledger,
			clock: this.#clock,
			random: this.#options.random ?? Math.random,
			jobStateDelayMs: this.#options.jobStateDelayMs ?? 20,
			pause: (milliseconds) =>
				wait(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => {}) as Promise<void>,
			provisioningFaults: new ProvisioningFaults(),
			processEnvironment: processEnvironment(process.env, {
				python: this.#options.python,
				bundle: this.#options.tls ? trust.bundle : undefined,
			}),
			workFolder,
		};
		const azureMl = new AzureMl(platform);
		const plan = { ledger: this.#ledger, clock: this.#clock };
		const port = this.#options.port === undefined ? {} : { port: this.#options.port };
		const arm = await serve({
			...plan,
			...port,
			...tls,
			faceOf: (path) => azureMl.faceOf(path),
			handle: azureMl.handle,
		});
		this.#closing.unshift(() => arm.close());
		const entra = entraFace(platform, this.#application, githubKeys);
		const authority = await serve({ ...plan, faceOf: () => 'entra', handle: entra, tls: certificate });
		this.#closing.unshift(() => authority.close());
		const github = gitHubFace(platform, this.#identity, { requestToken: this.#requestToken }, githubKeys);
		const hub = await serve({ ...plan, faceOf: () => 'github', handle: github });
		this.#closing.unshift(() => hub.close());
		origins.arm = `${storage.protocol}://127.0.0.1:${arm.port}`;
		origins.authority = `https://127.0.0.1:${authority.port}`;
		origins.github = `http://127.0.0.1:${hub.port}`;
		const isKnown = state.load(origins);
		this.#closing.unshift(() => state.close());
		await azureMl.open(isKnown);
		this.#closing.unshift(() => azureMl.close());
		const python = this.#options.tls ? await this.#pythonVariables(platform, trust.bundle) : {};
		return this.#emulator(platform, azureMl, { caFile: trust.caFile, python });
	}

	async #pythonVariables({ origins, storage }: Platform, bundle: string): Promise<Record<string, string>> {
		const proxy = await serveLoopbackProxy({ [`${PUBLIC_STORAGE}:443`]: storage.port });
		this.#closing.unshift(() => proxy.close());
		return pythonVariables(origins, bundle, `http://127.0.0.1:${proxy.port}`);
	}

	#emulator(
		platform: Platform,
		azureMl: AzureMl,
		{ caFile, python }: { caFile: string; python: Record<string, string> },
	): Emulator {
		const { origins, state, storage } = platform;
		const studio = `${origins.arm}/studio`;
		const cloudFile = join(this.#folder, 'cloud.json');
		writeFileSync(cloudFile, JSON.stringify(cloudConfiguration(platform, studio), null, 2));
		const idTokenRequestUrl = `${origins.github}/idtoken/request?api-version=2.0`;
		const { subscriptionId, resourceGroup, workspace, tenantId, clientId, clientSecret } = IDENTITY;
		return {
			arm: origins.arm,
			authority: origins.authority,
			studio,
			storage: origins.storage,
			github: {
				apiUrl: origins.github,
				idTokenRequestUrl,
				idTokenRequestToken: this.#requestToken,
				token: 'ghs_emulated0000000000000000000000000000',
			},
			cloudFile,
			caFile,
			subscriptionId,
			resourceGroup,
			workspace,
			tenantId,
			clientId,
			clientSecret,
			inputs: {
				'client-id': clientId,
				'tenant-id': tenantId,
				'subscription-id': subscriptionId,
				'resource-group': resourceGroup,
				workspace,
				cloud: cloudFile,
			},
			env: {
				NODE_EXTRA_CA_CERTS: caFile,
				ACTIONS_ID_TOKEN_REQUEST_URL: idTokenRequestUrl,
				ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.#requestToken,
				GITHUB_API_URL: origins.github,
				...python,
			},
			requests: this.#ledger.requests,
			blobs: async () => {
				const lists = await Promise.all((await storage.containers()).map((container) => storage.list(container)));
				return lists.flat();
			},
			readBlob: (container, name) => storage.read(container, name),
			jobs: () => azureMl.jobs(),
			runs: () => state.runs.list(),
			endpoints: () => azureMl.endpoints(),
			failDeployments: (fault) => platform.provisioningFaults.add(fault),
			faults: { add: (fault) => this.#ledger.addFault(fault), clear: () => this.#ledger.clearFaults() },
			setGitHubIdentity: (change) => void Object.assign(this.#identity, change),
			setApplication: (change) => void Object.assign(this.#application, change),
			gitHubStore: state.github,
			settled: () => azureMl.settled(),
			stop: () => this.#close(),
		};
	}

	#close(): Promise<void> {
		this.#closed ??= this.#closeAll();
		return this.#closed;
	}

	async #closeAll(): Promise<void> {
		this.#stopping.abort();
		for (let close = this.#closing.shift(); close; close = this.#closing.shift()) await close();
	}
}

/** The cloud of the emulator in the form of `az cloud register --cloud-config`. */
function cloudConfiguration(platform: Platform, studio: string): object {
	const { arm, authority } = platform.origins;
	return {
		name: CLOUD_NAME,
		endpoints: {
			resourceManager: arm,
			activeDirectory: authority,
			activeDirectoryResourceId: arm,
			machineLearningResourceId: ML_RESOURCE,
			studio,
		},
		suffixes: { storageEndpoint: platform.storage.suffix },
	};
}

function announce({ face, method, status, path }: RecordedRequest): void {
	console.log(`${face.padEnd(9)} ${method.padEnd(6)} ${status} ${path.slice(0, 160)}`);
}
