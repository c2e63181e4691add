import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { computeBody, readComputeFile } from '../../src/asset/compute-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'compute-'));
	writeFileSync(path.join(folder, 'setup.sh'), 'echo hi\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const context = {
	workspaceId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w',
	location: 'westeurope',
};
const body = (yaml: string): unknown =>
	computeBody(readComputeFile(loadYaml(`name: c\n${yaml}`, 'c.yml', folder)), context);

describe('bodies', () => {
	test('a cluster that says nothing', () => {
		expect(body('type: amlcompute')).toEqual({
			location: 'westeurope',
			properties: {
				computeType: 'AmlCompute',
				properties: {
					osType: 'Linux',
					vmSize: 'STANDARD_DS3_V2',
					scaleSettings: { minNodeCount: 0, maxNodeCount: 1 },
					remoteLoginPortPublicAccess: 'NotSpecified',
					enableNodePublicIp: true,
				},
			},
		});
	});

	// As azure-ai-ml 1.35.2 and 1.4.0 have it: the instance would be made in a region where its workspace is not.
	test.each(['computeinstance', 'kubernetes', 'synapsespark', 'virtualmachine'])(
		'a %s lies where its workspace does',
		(type) => {
			const attached = type === 'computeinstance' ? '' : 'resource_id: /subscriptions/s/x\n';
			const warnings: string[] = [];
			const file = loadYaml(`name: c\ntype: ${type}\n${attached}location: westus`, 'c.yml', folder);
			const read = readComputeFile(file, ({ message }) => void warnings.push(message));
			expect(computeBody(read, context)).toMatchObject({ location: 'westeurope' });
			expect(warnings).toEqual([expect.stringContaining("'location' is for clusters only")]);
		},
	);

	test('what is not attached has no resource behind it', () => {
		const made = body('type: amlcompute\nresource_id: /subscriptions/s/x') as { properties: object };
		expect(made.properties).not.toHaveProperty('resourceId');
	});

	test('a cluster that says all', () => {
		const yaml =
			'type: amlcompute\nlocation: westus\ndescription: d\nsize: Standard_NC6s_v3\ntier: low_priority\nmin_instances: 1\nmax_instances: 4\n' +
			'idle_time_before_scale_down: 120\nssh_public_access_enabled: true\nssh_settings: {admin_username: u, ssh_key_value: k}\n' +
			'network_settings: {vnet_name: v, subnet: s1}\nenable_node_public_ip: false\nidentity: {type: system_assigned}';
		expect(body(yaml)).toEqual({
			location: 'westus',
			identity: { type: 'SystemAssigned' },
			properties: {
				computeType: 'AmlCompute',
				description: 'd',
				properties: {
					osType: 'Linux',
					vmSize: 'Standard_NC6s_v3',
					vmPriority: 'LowPriority',
					scaleSettings: { minNodeCount: 1, maxNodeCount: 4, nodeIdleTimeBeforeScaleDown: 'PT2M' },
					userAccountCredentials: { adminUserName: 'u', adminUserSshPublicKey: 'k' },
					subnet: { id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s1' },
					remoteLoginPortPublicAccess: 'Enabled',
					enableNodePublicIp: false,
				},
			},
		});
	});

	test('a compute instance', () => {
		const yaml =
			'type: computeinstance\nidle_time_before_shutdown_minutes: 30\ncreate_on_behalf_of: {user_object_id: o, user_tenant_id: t}\n' +
			'schedules: {compute_start_stop: [{action: stop, trigger: {type: recurrence, frequency: week, interval: 1, schedule: {hours: [20], minutes: [0], week_days: [friday]}}}]}\n' +
			'setup_scripts: {startup_script: {path: Users/me/setup.sh, timeout_minutes: 25}}';
		expect(body(yaml)).toMatchObject({
			properties: {
				computeType: 'ComputeInstance',
				properties: {
					idleTimeBeforeShutdown: 'PT30M',
					personalComputeInstanceSettings: { assignedUser: { objectId: 'o', tenantId: 't' } },
					schedules: {
						computeStartStop: [
							{
								action: 'Stop',
								status: 'Enabled',
								triggerType: 'Recurrence',
								recurrence: {
									frequency: 'Week',
									interval: 1,
									schedule: { hours: [20], minutes: [0], weekDays: ['Friday'] },
								},
							},
						],
					},
					setupScripts: {
						scripts: {
							startupScript: { scriptSource: 'workspaceStorage', scriptData: 'Users/me/setup.sh', timeout: '25m' },
						},
					},
				},
			},
		});
	});

	test('attached machines and clusters', () => {
		expect(
			body('type: virtualmachine\nresource_id: /vm\nssh_settings: {admin_username: u, admin_password: p}'),
		).toMatchObject({
			properties: {
				computeType: 'VirtualMachine',
				resourceId: '/vm',
				properties: { sshPort: 22, administratorAccount: { username: 'u', password: 'p' } },
			},
		});
		expect(body('type: kubernetes\nresource_id: /k8s')).toMatchObject({
			properties: { computeType: 'Kubernetes', resourceId: '/k8s', properties: { namespace: 'default' } },
		});
		expect(body('type: synapsespark\nresource_id: /pool')).toMatchObject({
			properties: { computeType: 'SynapseSpark', resourceId: '/pool' },
		});
	});
});

test('a password can be masked before anything is said', () => {
	const yaml = 'name: c\ntype: virtualmachine\nresource_id: /vm\nssh_settings: {admin_username: u, admin_password: p}';
	expect(readComputeFile(loadYaml(yaml, 'c.yml', folder)).secrets).toEqual(['p']);
});

test.each([
	['no type', 'size: x', /needs the key 'type'/],
	['a strange type', 'type: aks', /'amlcompute'/],
	['an attached one without an id', 'type: kubernetes', /needs the key 'resource_id'/],
])('%s is refused', (_, yaml, message) => {
	expect(() => body(yaml)).toThrow(message);
});
