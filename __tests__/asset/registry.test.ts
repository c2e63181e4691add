import { describe, expect, test } from '@jest/globals';
import type { ModelVersion } from '../../src/asset/model.ts';
import { shareModel } from '../../src/asset/registry.ts';
import { createArm } from '../../src/azure/arm.ts';
import { createBearerHttp } from '../../src/azure/bearer.ts';
import { type Cloud, knownCloud } from '../../src/azure/cloud.ts';
import type { Http, HttpAnswer, HttpRequest } from '../../src/azure/http.ts';
import { connectWorkspace } from '../../src/azure/workspace.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { type VirtualClock, virtualClock } from '../fixtures/virtual-clock.ts';
import { customCloud, TARGET, WORKSPACE_ID } from '../fixtures/workspace.ts';

const MODEL: ModelVersion = {
	name: 'iris',
	version: '3',
	id: `${WORKSPACE_ID}/models/iris/versions/3`,
	assetId: 'azureml:iris:3',
	uri: 'azureml://x',
	type: 'mlflow_model',
	reused: false,
};
const REGISTRY_ID =
	'/subscriptions/sub-r/resourceGroups/rg-r/providers/Microsoft.MachineLearningServices/registries/shared';
const VERSION = `${REGISTRY_ID}/models/iris/versions/3`;
const SHARED = { registry: 'shared', id: 'azureml://registries/shared/models/iris/versions/3' };

interface Reply {
	readonly status: number;
	readonly body?: unknown;
	readonly headers?: Record<string, string>;
}

/** Azure as a registry's user sees it: whatever host is asked, this answers, and remembers who was shown a token. */
class Service implements Http {
	readonly log: MemoryLog = memoryLog();
	readonly clock: VirtualClock = virtualClock();
	/** `METHOD https://host/path?query` of every request with a token. */
	readonly asked: string[] = [];
	readonly bodies: unknown[] = [];
	/** What discovery tells, beside or instead of the usual. */
	discovery: Record<string, unknown> = {};
	discoveryStatus = 200;
	/** The version in the registry, once there is one. */
	version: unknown;
	/** What the import is answered with. */
	answer: Reply = { status: 202 };
	/** Told of each request for the version, with how many went before. */
	onLook: (turn: number) => void = () => {};
	/** What the import ends as. */
	operation: Readonly<Record<string, unknown>> = { status: 'Succeeded' };
	#looks = 0;

	async share(cloud: Cloud = knownCloud('AzureCloud') as Cloud) {
		const { log, clock } = this;
		const bearer = createBearerHttp(this, cloud, { token: async () => 'the-token' });
		const arm = createArm(bearer, cloud, clock);
		const workspace = await connectWorkspace(TARGET, { cloud, arm, http: this, bearer });
		this.asked.length = 0;
		return shareModel(MODEL, 'shared', { workspace, bearer, log, clock });
	}

	async send(request: HttpRequest): Promise<HttpAnswer> {
		const { status, body, headers = {} } = this.#answer(request);
		return { status, headers, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) };
	}

	async close(): Promise<void> {}

	#answer({ method, url, headers, body }: HttpRequest): Reply {
		const { pathname, host } = new URL(url);
		if (headers?.['authorization'] !== undefined) this.asked.push(`${method} ${url}`);
		if (pathname === '/discovery') return { status: 200, body: { api: `https://api.${host}` } };
		if (pathname === WORKSPACE_ID) return { status: 200, body: WORKSPACE };
		if (pathname === MODEL.id) return { status: 200, body: { properties: { tags: { job: 'job-1' } } } };
		if (pathname.endsWith('/registries/shared/discovery')) return this.#discovered();
		if (pathname.endsWith('/import')) {
			this.bodies.push(JSON.parse(String(body)));
			return this.answer;
		}
		if (pathname === VERSION) {
			this.onLook(this.#looks++);
			return this.version === undefined ? { status: 404, body: {} } : { status: 200, body: this.version };
		}
		if (pathname === '/operation') {
			if (this.operation['status'] === 'Succeeded') this.version = { properties: { provisioningState: 'Succeeded' } };
			return { status: 200, body: this.operation };
		}
		return { status: 400, body: { error: { code: 'Unknown', message: url } } };
	}

	#discovered(): Reply {
		const usual = { registryName: 'shared', subscriptionId: 'sub-r', resourceGroup: 'rg-r', primaryRegion: 'westus' };
		return { status: this.discoveryStatus, body: { ...usual, ...this.discovery } };
	}
}

const WORKSPACE = {
	location: 'westus2',
	properties: { workspaceId: 'guid-1', discoveryUrl: 'https://anywhere.example/discovery' },
};

const operationAt = (host: string): Reply => ({
	status: 202,
	headers: { 'azure-asyncoperation': `https://${host}/operation` },
});

describe('a version is shared', () => {
	test('by an import at the address that the registry names, followed to its end', async () => {
		const service = new Service();
		service.discovery = { primaryRegionResourceProviderUri: 'https://westus.api.azureml.ms/' };
		service.answer = operationAt('management.azure.com');
		expect(await service.share()).toEqual({ ...SHARED, reused: false });
		const front = `https://westus.api.azureml.ms/mferp/managementfrontend${REGISTRY_ID}`;
		expect(service.asked).toEqual([
			'GET https://eastus.api.azureml.ms/registrymanagement/v1.0/registries/shared/discovery',
			`GET https://management.azure.com${VERSION}?api-version=2025-09-01`,
			`POST ${front}/import?api-version=2021-10-01-dataplanepreview`,
			'GET https://management.azure.com/operation',
			`GET https://management.azure.com${VERSION}?api-version=2025-09-01`,
		]);
		expect(service.bodies).toEqual([
			{
				properties: {
					referenceType: 'Id',
					destinationName: 'iris',
					destinationVersion: '3',
					sourceAssetId: 'azureml://locations/westus2/workspaces/guid-1/models/iris/versions/3',
				},
			},
		]);
	});

	test.each([
		['AzureUSGovernment', 'https://usgovarizona.api.ml.azure.us', 'https://westus.api.ml.azure.us'],
		['AzureChinaCloud', 'https://chinaeast2.api.ml.azure.cn', 'https://westus.api.ml.azure.cn'],
	])('in %s by addresses of its own', async (name, discovery, regional) => {
		const service = new Service();
		service.answer = operationAt(new URL(regional).host);
		await service.share(knownCloud(name) as Cloud);
		expect(service.asked[0]).toBe(`GET ${discovery}/registrymanagement/v1.0/registries/shared/discovery`);
		expect(service.asked[2]).toMatch(new RegExp(`^POST ${regional}/mferp/managementfrontend/subscriptions/sub-r/`));
	});

	test('in a custom cloud where the workspace is found', async () => {
		const service = new Service();
		service.discovery = { primaryRegionResourceProviderUri: 'https://west.ml.contoso.example' };
		service.answer = operationAt('west.ml.contoso.example');
		const cloud = customCloud('https://arm.contoso.example', ['anywhere.example', 'ml.contoso.example']);
		expect(await service.share(cloud)).toMatchObject({ reused: false });
		expect(service.asked[0]).toMatch(/^GET https:\/\/api\.anywhere\.example\/registrymanagement\//);
		expect(service.asked[2]).toMatch(/^POST https:\/\/west\.ml\.contoso\.example\/mferp\//);
	});
});

describe('no token goes', () => {
	test("to a host that is not the cloud's: the region's own is asked instead", async () => {
		const service = new Service();
		service.discovery = { primaryRegionResourceProviderUri: 'https://cert-westus.experiments.azureml.net/' };
		service.answer = operationAt('management.azure.com');
		expect(await service.share()).toMatchObject({ reused: false });
		expect(service.asked[2]).toMatch(/^POST https:\/\/westus\.api\.azureml\.ms\/mferp\//);
		expect(service.asked.join()).not.toContain('experiments');
	});

	test.each(['evil.example/', 'evil.example#', 'a.b?', ''])('to a region of the name %j', async (primaryRegion) => {
		const service = new Service();
		service.discovery = { primaryRegion, primaryRegionResourceProviderUri: 'https://evil.example' };
		await expect(service.share()).rejects.toThrow(/names an address that no token is sent to: evil\.example/);
		expect(service.asked).toHaveLength(1);
	});

	test('to where an operation of the import is; then the registry is looked at instead', async () => {
		const service = new Service();
		service.answer = operationAt('evil.example');
		service.onLook = (turn) => {
			if (turn === 2) service.version = { properties: { provisioningState: 'Creating' } };
			if (turn === 4) service.version = { properties: { provisioningState: 'Succeeded' } };
		};
		expect(await service.share()).toMatchObject({ reused: false });
		expect(service.asked.join()).not.toContain('evil');
		expect(service.clock.slept).toEqual([5_000, 5_000, 5_000]);
	});

	test.each(['..', 'a/b', 'a?b', 'a#b', 'a%2Fb', ''])(
		'to a path that an answer bends by %j',
		async (subscriptionId) => {
			const service = new Service();
			service.discovery = { subscriptionId };
			await expect(service.share()).rejects.toThrow('Discovery does not tell its subscription');
			expect(service.asked).toHaveLength(1);
		},
	);
});

describe('a registry that has the version already', () => {
	test('is left as it is', async () => {
		const service = new Service();
		service.version = { properties: { tags: { job: 'job-1' } } };
		expect(await service.share()).toEqual({ ...SHARED, reused: true });
		expect(service.bodies).toEqual([]);
		expect(service.log.annotations).toEqual([]);
	});

	test('from another job is warned of', async () => {
		const service = new Service();
		service.version = { properties: { tags: { job: 'job-7' } } };
		expect(await service.share()).toMatchObject({ reused: true });
		expect(service.log.annotations).toEqual([
			{ kind: 'warning', text: expect.stringMatching(/another job has made \(job-7, not job-1\)/), where: undefined },
		]);
	});

	test.each([409, 400])('since a moment, by another run, is as good (%i)', async (status) => {
		const service = new Service();
		service.answer = { status, body: { error: { code: 'UserError', message: 'It already exists.' } } };
		service.onLook = (turn) => {
			if (turn === 1) service.version = { properties: {} };
		};
		expect(await service.share()).toEqual({ ...SHARED, reused: true });
	});

	test('since a moment, as the end of the import tells, is as good, but for one of another job', async () => {
		const service = new Service();
		service.answer = operationAt('management.azure.com');
		service.operation = { status: 'Failed', error: { code: 'Conflict', message: 'It already exists.' } };
		service.onLook = (turn) => {
			if (turn === 1) service.version = { properties: { tags: { job: 'job-7' } } };
		};
		expect(await service.share()).toEqual({ ...SHARED, reused: true });
		expect(service.log.annotations).toMatchObject([{ kind: 'warning', text: expect.stringContaining('job-7') }]);
	});
});

describe('it fails', () => {
	test('where there is no such registry', async () => {
		const service = new Service();
		service.discoveryStatus = 404;
		await expect(service.share()).rejects.toThrow(/no Azure ML registry "shared" in AzureCloud.*AzureML Registry User/);
	});

	test('where the registry may not be used', async () => {
		const service = new Service();
		service.answer = { status: 403, body: { error: { code: 'UserError', message: 'Not allowed.' } } };
		await expect(service.share()).rejects.toThrow(
			/Could not share the model "iris:3" to the registry "shared".*Not allowed.*"AzureML Registry User" on the registry/s,
		);
	});

	test('where the import does', async () => {
		const service = new Service();
		service.onLook = (turn) => {
			if (turn === 1) service.version = { properties: { provisioningState: 'Failed' } };
		};
		await expect(service.share()).rejects.toThrow('The import ended as failed.');
	});

	test('where nothing comes of it for half an hour', async () => {
		const service = new Service();
		await expect(service.share()).rejects.toThrow('still does not have it after half an hour');
		expect(service.clock.slept.length).toBe(360);
	});

	test('where discovery does not tell where the registry is', async () => {
		const service = new Service();
		service.discovery = { subscriptionId: null };
		await expect(service.share()).rejects.toThrow('Discovery does not tell its subscription');
	});
});
