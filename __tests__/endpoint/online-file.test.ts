import { describe, expect, test } from '@jest/globals';
import { onlineEndpointBody, readOnlineEndpoint } from '../../src/endpoint/online-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';

const context = { workspaceId: '/w', location: 'westeurope', idOf: () => 'id' };
const read = (yaml: string): ReturnType<typeof readOnlineEndpoint> =>
	readOnlineEndpoint(loadYaml(yaml, 'endpoint.yml', '/'));
const body = (yaml: string): unknown => onlineEndpointBody(read(yaml), context);

test('a name is written in small letters, as the clients of Azure ML write it', () => {
	expect(read('name: My-Endpoint').name).toBe('my-endpoint');
	expect(() => read('name: ""')).toThrow(/may not be empty/);
});

describe('the body', () => {
	test('of an endpoint that says nothing has a key and an identity of its own', () => {
		expect(body('name: iris')).toEqual({
			location: 'westeurope',
			tags: {},
			identity: { type: 'SystemAssigned' },
			properties: { authMode: 'Key', properties: {}, traffic: {}, mirrorTraffic: {} },
		});
	});

	test('of an endpoint that says all', () => {
		const yaml =
			'name: iris\ndescription: d\nauth_mode: aml_token\ntags: {a: 1}\nproperties: {p: q}\npublic_network_access: disabled\n' +
			'traffic: {blue: 90, green: 10, old: 0}\nmirror_traffic: {green: 20}\n' +
			'identity: {type: user_assigned, user_assigned_identities: [{resource_id: /x}]}';
		expect(body(yaml)).toEqual({
			location: 'westeurope',
			tags: { a: '1' },
			identity: { type: 'UserAssigned', userAssignedIdentities: { '/x': {} } },
			properties: {
				authMode: 'AMLToken',
				description: 'd',
				properties: { p: 'q' },
				publicNetworkAccess: 'Disabled',
				traffic: { blue: 90, green: 10 },
				mirrorTraffic: { green: 20 },
			},
		});
	});

	test('of a Kubernetes endpoint names its compute', () => {
		expect(body('name: iris\ncompute: azureml:k')).toMatchObject({ properties: { compute: '/w/computes/k' } });
	});

	test('takes other traffic than the file has', () => {
		expect(onlineEndpointBody(read('name: iris\ntraffic: {blue: 100}'), context, new Map())).toMatchObject({
			properties: { traffic: {} },
		});
	});
});

test.each([
	['a name that starts with a digit', 'name: 1_bad', /'1_bad' cannot be the name/],
	['more than all traffic', 'name: iris\ntraffic: {a: 60, b: 50}', /adds up to 110/],
	['negative traffic', 'name: iris\ntraffic: {a: -1}', /from 0/],
	['two mirrors', 'name: iris\nmirror_traffic: {a: 1, b: 1}', /one deployment/],
	['a strange way to sign in', 'name: iris\nauth_mode: none', /'key', 'aml_token', 'aad_token'/],
	['an identity without an id', 'name: iris\nidentity: {type: user_assigned}', /'resource_id'/],
	['a mistyped key', 'name: iris\ntrafic: {}', /Did you mean 'traffic'/],
])('%s is refused', (_, yaml, message) => {
	expect(() => read(yaml)).toThrow(message);
});

test('a name may be left to an input', () => {
	expect(read('auth_mode: key').name).toBeUndefined();
});
