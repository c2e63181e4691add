import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
	deleteEndpoint,
	type EndpointWish,
	endpointBody,
	endpointFrom,
	ensureEndpoint,
	setTraffic,
	TrafficChanged,
	trafficBody,
} from '../../src/endpoint/online-endpoint.ts';
import { type Bench, refuse, startBench } from './online-service.ts';

let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

const body = {
	location: 'westeurope',
	tags: { team: 'a' },
	identity: { type: 'SystemAssigned' },
	properties: { authMode: 'Key', properties: {}, traffic: {}, mirrorTraffic: {} },
};
const wish: EndpointWish = {
	body,
	authMode: 'Key',
	tags: { team: 'a' },
	description: undefined,
	identity: undefined,
	publicNetworkAccess: undefined,
};
const PATH = '/onlineEndpoints/iris';

describe('ensureEndpoint', () => {
	test('creates one that is missing and waits until it has a scoring URI', async () => {
		const { endpoint, created } = await ensureEndpoint('iris', wish, bench.parts);
		expect(created).toBe(true);
		expect(endpoint).toMatchObject({
			name: 'iris',
			authMode: 'Key',
			scoringUri: `${bench.service.base}/score/iris`,
			traffic: {},
		});
		expect(bench.service.requests.find(({ method }) => method === 'PUT')?.body).toEqual(body);
	});

	test('sends nothing to one that is as wished', async () => {
		bench.service.seed('iris', { blue: 100 }, { description: 'flowers' });
		const same = {
			...wish,
			description: 'flowers',
			authMode: 'key',
			identity: { type: 'systemAssigned' },
			publicNetworkAccess: 'Enabled',
		};
		expect((await ensureEndpoint('iris', same, bench.parts)).created).toBe(false);
		expect(bench.service.changes()).toEqual([]);
		expect(bench.warnings).toEqual([]);
	});

	test('brings tags, description and identity up to the wish and keeps traffic and all the rest', async () => {
		bench.service.seed('iris', { blue: 90, green: 10 }, { mirrorTraffic: {}, properties: { own: '1' } });
		const id = '/subscriptions/s/userAssignedIdentities/me';
		const identity = { type: 'UserAssigned', userAssignedIdentities: { [id]: {} } };
		await ensureEndpoint('iris', { ...wish, tags: { stage: 'prod' }, description: 'new', identity }, bench.parts);
		const puts = bench.service.requests.filter(({ method }) => method === 'PUT');
		expect(puts.map((put) => put.body)).toEqual([
			{
				location: 'westeurope',
				kind: 'Managed',
				tags: { team: 'a', stage: 'prod' },
				identity,
				properties: {
					authMode: 'Key',
					description: 'new',
					properties: { own: '1' },
					publicNetworkAccess: 'Enabled',
					traffic: { blue: 90, green: 10 },
					mirrorTraffic: {},
				},
			},
		]);
		expect(bench.service.trafficHistory).toEqual([]);
	});

	test('another auth mode is an error, another network access a warning', async () => {
		bench.service.seed('iris', { blue: 100 });
		await expect(ensureEndpoint('iris', { ...wish, authMode: 'AMLToken' }, bench.parts)).rejects.toThrow(
			/exists with another auth mode\. `endpoint-file` says AMLToken .* the endpoint has Key/,
		);
		await ensureEndpoint('iris', { ...wish, publicNetworkAccess: 'Disabled' }, bench.parts);
		expect(bench.warnings).toEqual([expect.stringMatching(/public network access Enabled.*Disabled/)]);
		expect(bench.service.changes()).toEqual([]);
	});

	test('one that never came up is sent its own definition again', async () => {
		bench.service.seed('iris', {}, { scoringUri: null, provisioningState: 'Failed' });
		const { endpoint } = await ensureEndpoint('iris', wish, bench.parts);
		expect(bench.service.changes()).toEqual([`PUT ${PATH}`]);
		expect(endpoint.scoringUri).toBeDefined();
	});

	test('a busy endpoint is waited out', async () => {
		bench.service.seed('iris', { blue: 100 }, { provisioningState: 'Updating' });
		let naps = 0;
		bench.clock.onSleep = () => {
			naps += 1;
			if (naps === 3) bench.service.seed('iris', { blue: 100 });
		};
		await ensureEndpoint('iris', { ...wish, description: 'new' }, bench.parts);
		expect(naps).toBeGreaterThanOrEqual(3);
		expect(bench.lines).toContain('Endpoint iris is busy: Updating');
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
	});

	test('when another run creates it first, it is taken as it is then', async () => {
		let first = true;
		bench.service.intercept = ({ method, path }) => {
			if (method !== 'PUT' || path !== PATH || !first) return undefined;
			first = false;
			bench.service.seed('iris', { blue: 100 });
			return refuse(409, 'Conflict', 'being created');
		};
		expect((await ensureEndpoint('iris', wish, bench.parts)).created).toBe(false);
		expect(bench.service.traffic('iris')).toEqual({ blue: 100 });
	});

	test('a conflict without any change in sight is told in the end', async () => {
		bench.service.intercept = ({ method }) =>
			method === 'PUT' ? refuse(409, 'NameInUse', 'taken in this region') : undefined;
		await expect(ensureEndpoint('iris', wish, bench.parts)).rejects.toThrow(/taken in this region/);
		expect(bench.service.changes()).toHaveLength(4);
	});
});

describe('setTraffic', () => {
	const change = { from: { blue: 100 }, to: { blue: 90, green: 10 } };
	beforeEach(() => {
		bench.service.seed('iris', { blue: 100, green: 0 });
	});

	test('puts the whole endpoint with the new map only', async () => {
		const after = await setTraffic('iris', change, bench.parts);
		expect(after.traffic).toEqual({ blue: 90, green: 10 });
		expect(bench.service.requests.filter(({ method }) => method === 'PUT').map((put) => put.body)).toEqual([
			{
				location: 'westeurope',
				kind: 'Managed',
				tags: { team: 'a' },
				identity: { type: 'SystemAssigned' },
				properties: {
					authMode: 'Key',
					properties: {},
					publicNetworkAccess: 'Enabled',
					traffic: { blue: 90, green: 10 },
					mirrorTraffic: {},
				},
			},
		]);
	});

	test('a deployment that gets a live share loses its mirrored one; others keep theirs', async () => {
		bench.service.seedDeployment('iris', 'red');
		bench.service.seed('iris', { blue: 100, green: 0 }, { mirrorTraffic: { green: 10, red: 5 } });
		const after = await setTraffic('iris', change, bench.parts);
		expect(after.mirrorTraffic).toEqual({ red: 5 });
	});

	test('a map that someone else has set is not overwritten', async () => {
		bench.service.seed('iris', { blue: 50, red: 50 });
		await expect(setTraffic('iris', change, bench.parts)).rejects.toThrow(TrafficChanged);
		await expect(setTraffic('iris', change, bench.parts)).rejects.toThrow(
			/Expected blue 100 %, found blue 50 %, red 50 %/,
		);
		expect(bench.service.changes()).toEqual([]);
	});

	test('a map that is changed while the endpoint is waited for is not overwritten either', async () => {
		let first = true;
		bench.service.intercept = ({ method }) => {
			if (method !== 'PUT' || !first) return undefined;
			first = false;
			bench.service.seed('iris', { red: 100 });
			return refuse(409, 'Conflict', 'busy');
		};
		await expect(setTraffic('iris', change, bench.parts)).rejects.toThrow(TrafficChanged);
		expect(bench.service.traffic('iris')).toEqual({ red: 100 });
	});

	test('a map that someone else sets right after is told', async () => {
		let put = false;
		bench.service.intercept = ({ method, path }) => {
			if (method === 'GET' && path === PATH && put) bench.service.seed('iris', { red: 100 });
			put ||= method === 'PUT';
			return undefined;
		};
		await expect(setTraffic('iris', change, bench.parts)).rejects.toThrow(
			/Expected blue 90 %, green 10 %, found red 100 %/,
		);
	});

	test('a PUT whose answer was lost counts once it is in force', async () => {
		let first = true;
		bench.service.intercept = ({ method }) => {
			if (method !== 'PUT' || !first) return undefined;
			first = false;
			bench.service.seed('iris', { blue: 90, green: 10 });
			return refuse(409, 'Conflict', 'busy');
		};
		expect((await setTraffic('iris', change, bench.parts)).traffic).toEqual({ blue: 90, green: 10 });
	});
});

describe('deleteEndpoint', () => {
	test('waits until it is gone', async () => {
		bench.service.seed('iris', { blue: 100 });
		expect(await deleteEndpoint(bench.parts.workspace, 'iris', bench.parts)).toBe(true);
		expect(bench.service.endpoints.size).toBe(0);
		expect(bench.lines).toContain('Deleted the endpoint iris.');
	});

	test.each([204, 404])('%i means that it is gone already', async (status) => {
		bench.service.intercept = ({ method }) => {
			if (method !== 'DELETE') return undefined;
			return status === 204 ? { status } : refuse(status, 'NotFound', 'none');
		};
		expect(await deleteEndpoint(bench.parts.workspace, 'iris', bench.parts)).toBe(false);
		expect(bench.lines).toEqual(['There is no endpoint iris to delete; it is already gone.']);
	});

	test('a refusal is an error', async () => {
		bench.service.intercept = ({ method }) =>
			method === 'DELETE' ? refuse(403, 'AuthorizationFailed', 'no') : undefined;
		await expect(deleteEndpoint(bench.parts.workspace, 'iris', bench.parts)).rejects.toThrow(
			/Could not delete the endpoint "iris": HTTP 403/,
		);
	});
});

const RECORDINGS = join(import.meta.dirname, '../../../shared/recordings/online');
const recorded = existsSync(RECORDINGS) ? test : test.skip;

recorded.each(['endpoint-create-token-delete-2025.json', 'deployment-skip-script-validation.json'])(
	'of the endpoint that the service answers in %s nothing read-only is sent back, and nothing of the request is lost',
	(file) => {
		interface Exchange {
			method: string;
			url: string;
			status: number;
			requestBody: Record<string, unknown> & { properties: Record<string, unknown> };
			responseBody: { name: string; properties: { scoringUri: string } };
		}
		const exchanges = JSON.parse(readFileSync(join(RECORDINGS, file), 'utf8')) as Exchange[];
		const isEndpoint = ({ url }: Exchange): boolean => /\/onlineEndpoints\/[^/?]+\?/.test(url);
		const created = exchanges.find((one) => one.method === 'PUT' && isEndpoint(one));
		const got = exchanges.filter((one) => one.method === 'GET' && isEndpoint(one) && one.status === 200).at(-1);
		if (created === undefined || got === undefined) throw new Error('the recording has no endpoint');
		const endpoint = endpointFrom('other', JSON.parse(JSON.stringify(got.responseBody)));
		expect(endpoint).toMatchObject({ name: got.responseBody.name, scoringUri: got.responseBody.properties.scoringUri });
		const sent = endpointBody(endpoint.resource);
		const { properties, ...rest } = created.requestBody;
		expect(sent).toEqual({
			...rest,
			kind: 'Managed',
			properties: { ...properties, properties: expect.anything(), publicNetworkAccess: 'Enabled' },
		});
		expect(trafficBody(endpoint, { from: {}, to: { blue: 100 } })['properties']).toMatchObject({
			traffic: { blue: 100 },
		});
	},
);
