// Attached Kubernetes clusters and compute instances, as files of `asset-files`: each way to write one is taken, warns of
// nothing, and gives a body that Azure's schema takes. That schema stands beside the project and may be absent.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readAssetFiles } from '../../src/asset/asset-files.ts';
import { computeBody } from '../../src/asset/compute-file.ts';
import type { Fault } from '../../src/errors.ts';
import { readComponentFile } from '../../src/job/file/component.ts';
import type { JsonObject } from '../../src/json.ts';
import { TARGET } from '../fixtures/workspace.ts';
import { TestFolders } from './folder.ts';

const SHARED = path.resolve(import.meta.dirname, '../../../shared');
const API = '2025-09-01';
const TOOL = path.join(SHARED, 'tools/validate-body.mjs');
const here = existsSync(TOOL) && existsSync(path.join(SHARED, 'spec', API));
const WORKSPACE = '/subscriptions/s/resourceGroups/grp/providers/Microsoft.MachineLearningServices/workspaces/wsp';

const folders = new TestFolders();
afterEach(() => folders.remove());

const SCHEMA = '$schema: https://azuremlschemas.azureedge.net/latest/';
const CLUSTER = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c';
const ARC = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c';
const USER = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i';
const instance = (...lines: readonly string[]): string => ['type: computeinstance', ...lines].join('\n');
const kubernetes = (...lines: readonly string[]): string =>
	['type: kubernetes', `resource_id: ${CLUSTER}`, ...lines].join('\n');
const schedule = (trigger: string): string =>
	`schedules: {compute_start_stop: [{action: stop, state: disabled, trigger: ${trigger}}]}`;

const CASES: readonly (readonly [what: string, computeType: string, yaml: string])[] = [
	['a cluster by its type', 'Kubernetes', kubernetes()],
	['a cluster by its schema', 'Kubernetes', kubernetes(`${SCHEMA}kubernetesCompute.schema.json`)],
	['a cluster of Arc', 'Kubernetes', `type: kubernetes\nresource_id: ${ARC}\nnamespace: ml`],
	['a cluster that has an identity', 'Kubernetes', kubernetes('identity: {type: system_assigned}', 'tags: {a: b}')],
	[
		'a cluster with an identity of the user',
		'Kubernetes',
		kubernetes(`identity: {type: user_assigned, user_assigned_identities: [{resource_id: ${USER}}]}`, 'description: d'),
	],
	['an instance by its type', 'ComputeInstance', instance()],
	['an instance by its schema', 'ComputeInstance', instance(`${SCHEMA}computeInstance.schema.json`, 'size: s')],
	[
		'an instance for somebody else',
		'ComputeInstance',
		instance('create_on_behalf_of: {user_object_id: o, user_tenant_id: t}', 'tags: {a: b}'),
	],
	[
		'an instance to sign in to',
		'ComputeInstance',
		instance('ssh_public_access_enabled: true', 'ssh_settings: {ssh_key_value: ssh-rsa A}'),
	],
	[
		'an instance in a network',
		'ComputeInstance',
		instance('network_settings: {vnet_name: v, subnet: n}', 'enable_node_public_ip: false'),
	],
	['an instance that stops by cron', 'ComputeInstance', instance(schedule('{type: cron, expression: 0 18 * * *}'))],
	[
		'an instance that stops by the week',
		'ComputeInstance',
		instance(
			schedule(
				'{type: recurrence, frequency: week, interval: 1, time_zone: UTC, start_time: "2025-01-01T00:00:00", ' +
					'schedule: {hours: [18], minutes: [0, 30], week_days: [monday, friday]}}',
			),
		),
	],
	[
		'an instance that stops at one hour of one day',
		'ComputeInstance',
		instance(schedule('{type: recurrence, frequency: week, schedule: {hours: 18, minutes: 0, week_days: friday}}')),
	],
	[
		'an instance with setup scripts',
		'ComputeInstance',
		instance(
			'setup_scripts: {creation_script: {path: Users/a.sh, timeout_minutes: 5}, startup_script: {path: b.sh, command: x}}',
		),
	],
	[
		'an instance with an application',
		'ComputeInstance',
		instance(
			'custom_applications: [{name: r, type: docker, image: {reference: "x:1"}, endpoints: [{target: 1, published: 2}], ' +
				'environment_variables: {A: b}, bind_mounts: [{source: /a, target: /b}]}]',
		),
	],
	[
		'an instance that sleeps when idle',
		'ComputeInstance',
		instance('idle_time_before_shutdown_minutes: 30', 'enable_sso: false', 'enable_root_access: false'),
	],
];

async function bodyOf(yaml: string, warned: Fault[] = []): Promise<JsonObject> {
	const checkout = await folders.make({ 'c.yml': `name: my-compute\n${yaml}\n` });
	const warn = (fault: Fault): void => void warned.push(fault);
	const parts = { checkout, target: TARGET, readComponent: readComponentFile, warn, mask: () => {} };
	const [asset] = readAssetFiles(['c.yml'], parts).assets;
	if (asset?.kind !== 'compute') throw new Error(`Read as ${asset?.kind}.`);
	return computeBody(asset.file, { workspaceId: WORKSPACE, location: 'westeurope' });
}

type Request = { method: string; path: string; body: unknown };
type Validate = (request: Request) => { violations: unknown[]; warnings: { path: string }[] };

async function loadValidate(): Promise<Validate> {
	const { loadSpec } = (await import(TOOL)) as {
		loadSpec(api: string, root: string): { validateRequest: Validate };
	};
	return loadSpec(API, path.join(SHARED, 'spec')).validateRequest;
}

/** What the client sends too (see fixtures/newest), though the stable API does not describe it. */
const UNDESCRIBED =
	/^\/properties\/properties\/(idleTimeBeforeShutdown|enableSSO|enableRootAccess|customServices\/\d+\/type)$/;

describe.each(CASES)('%s', (_, computeType, yaml) => {
	test('is taken as what it is', async () => {
		const warned: Fault[] = [];
		const body = await bodyOf(yaml, warned);
		expect(warned).toEqual([]);
		expect(body).toMatchObject({ location: expect.any(String), properties: { computeType } });
	});

	(here ? test : test.skip)('has a body that the API describes', async () => {
		const body = await bodyOf(yaml);
		const at = `${WORKSPACE}/computes/my-compute?api-version=${API}`;
		const { violations, warnings } = (await loadValidate())({ method: 'PUT', path: at, body });
		const surplus = warnings.filter((one) => !UNDESCRIBED.test(one.path));
		expect({ body, violations, surplus }).toEqual({ body, violations: [], surplus: [] });
	});
});

test('one hour and day stand for lists of one; what the API has no place for is told and left out', async () => {
	const recurrence = (pattern: string, more = ''): string =>
		instance(schedule(`{type: recurrence, frequency: week, schedule: ${pattern}${more}}`));
	const warned: Fault[] = [];
	const lists = await bodyOf(recurrence('{hours: [18], minutes: [0], week_days: [friday]}'));
	const alone = '{hours: 18, minutes: 0, week_days: friday, month_days: [1]}';
	expect(await bodyOf(recurrence(alone, ', end_time: 2030-01-01T00:00:00'), warned)).toEqual(lists);
	expect(warned.map(({ message }) => /^'\w+'/.exec(message)?.[0]).sort()).toEqual(["'end_time'", "'month_days'"]);
	await expect(bodyOf(recurrence('{hours: 18}'))).rejects.toThrow("needs the key 'minutes'");
});
