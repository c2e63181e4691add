// What is proper to a compute instance: schedules, setup scripts, custom applications, whom it belongs to.

import { type Json, type JsonObject, jsonObject } from '../json.ts';
import { listOf, type MapReader, mapping, type Reader, warnLeftOut } from '../yaml/checks.ts';
import { boolean, filledText, integer, stringMap, text, word } from '../yaml/values.ts';
import { type ComputeContext, subnetOf } from './compute-network.ts';

/** Reads what is proper to a compute instance; gives its REST form once the workspace is known. */
export function instanceProperties(map: MapReader): (context: ComputeContext) => JsonObject {
	map.ignore('state', 'last_operation', 'services', 'os_image_metadata');
	const minutes = map.optional('idle_time_before_shutdown_minutes', integer);
	const idle = map.optional('idle_time_before_shutdown', text);
	const startStop = map.optional('schedules', schedules);
	const access = map.optional('ssh_public_access_enabled', boolean);
	const key = map.optional('ssh_settings', sshKey);
	const subnet = subnetOf(map);
	const own = {
		vmSize: map.optional('size', text) ?? 'STANDARD_DS3_V2',
		applicationSharingPolicy: 'Shared',
		computeInstanceAuthorizationType: 'personal',
		sshSettings:
			access === undefined && key === undefined
				? undefined
				: jsonObject({ sshPublicAccess: access === true ? 'Enabled' : 'Disabled', adminPublicKey: key }),
		personalComputeInstanceSettings: map.optional('create_on_behalf_of', assignedUser),
		idleTimeBeforeShutdown: minutes === undefined ? idle : `PT${minutes}M`,
		schedules: startStop && { computeStartStop: startStop },
		setupScripts: map.optional('setup_scripts', setupScripts),
		customServices: map.optional('custom_applications', listOf(customApplication)),
		enableNodePublicIp: map.optional('enable_node_public_ip', boolean) ?? true,
		enableSSO: map.optional('enable_sso', boolean),
		enableRootAccess: map.optional('enable_root_access', boolean),
		releaseQuotaOnStop: map.optional('release_quota_on_stop', boolean),
		enableOSPatching: map.optional('enable_os_patching', boolean),
	};
	return (context) => jsonObject({ ...own, subnet: subnet(context) });
}

const sshKey: Reader<string | undefined> = mapping('ssh_settings', (map) => {
	map.ignore('admin_username', 'ssh_port');
	return map.optional('ssh_key_value', text);
});

const assignedUser: Reader<JsonObject> = mapping('create_on_behalf_of', (map) => ({
	assignedUser: {
		objectId: map.required('user_object_id', filledText),
		tenantId: map.required('user_tenant_id', filledText),
	},
}));

const weekDays = word('sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday');

/** Reads a list, or a value alone that stands for a list of one. */
function oneOrMore<T>(item: Reader<T>): Reader<readonly T[]> {
	const list = listOf(item);
	return (node, reading) => (node.kind === 'scalar' ? [item(node, reading)] : list(node, reading));
}

const trigger: Reader<JsonObject> = mapping('a trigger', (map) => {
	const type = map.required('type', word('cron', 'recurrence'));
	warnLeftOut(map, 'end_time');
	const start = { startTime: map.optional('start_time', text), timeZone: map.optional('time_zone', text) };
	if (type === 'cron') {
		return { triggerType: 'Cron', cron: jsonObject({ ...start, expression: map.required('expression', filledText) }) };
	}
	const frequency = map.required('frequency', word('minute', 'hour', 'day', 'week', 'month'));
	const interval = map.optional('interval', integer) ?? 1;
	const schedule = map.optional(
		'schedule',
		mapping('a schedule', (pattern) => {
			warnLeftOut(pattern, 'month_days');
			return jsonObject({
				hours: pattern.required('hours', oneOrMore(integer)),
				minutes: pattern.required('minutes', oneOrMore(integer)),
				weekDays: pattern.optional('week_days', oneOrMore(weekDays))?.map(capital),
			});
		}),
	);
	return {
		triggerType: 'Recurrence',
		recurrence: jsonObject({ ...start, frequency: capital(frequency), interval, schedule }),
	};
});

const schedules: Reader<readonly Json[]> = mapping('schedules', (map) =>
	map.required(
		'compute_start_stop',
		listOf(
			mapping('a schedule', (one) => {
				one.ignore('schedule_id', 'provisioning_state');
				return jsonObject({
					action: capital(one.required('action', word('start', 'stop'))),
					status: capital(one.optional('state', word('enabled', 'disabled')) ?? 'enabled'),
					...one.required('trigger', trigger),
				});
			}),
		),
	),
);

const script: Reader<JsonObject> = mapping('a setup script', (map) => {
	const minutes = map.optional('timeout_minutes', integer);
	return jsonObject({
		// A path leads into the storage of the workspace (`Users/…`), not into the checkout.
		scriptSource: 'workspaceStorage',
		scriptData: map.optional('path', filledText),
		scriptArguments: map.optional('command', text),
		timeout: minutes === undefined ? undefined : `${minutes}m`,
	});
});

const setupScripts: Reader<JsonObject> = mapping('setup_scripts', (map) => ({
	scripts: jsonObject({
		creationScript: map.optional('creation_script', script),
		startupScript: map.optional('startup_script', script),
	}),
}));

const customApplication: Reader<JsonObject> = mapping('a custom application', (map) => {
	map.optional('type', word('docker'));
	const variables = map.optional('environment_variables', stringMap) ?? new Map<string, string>();
	return jsonObject({
		name: map.required('name', filledText),
		image: {
			type: 'docker',
			reference: map.required(
				'image',
				mapping('an image', (image) => image.required('reference', text)),
			),
		},
		endpoints: map.optional(
			'endpoints',
			listOf(
				mapping('an endpoint', (one) => ({
					protocol: 'http',
					name: 'connect',
					target: one.required('target', integer),
					published: one.required('published', integer),
				})),
			),
		),
		environmentVariables: Object.fromEntries([...variables].map(([name, value]) => [name, { type: 'local', value }])),
		volumes: map.optional(
			'bind_mounts',
			listOf(
				mapping('a mount', (one) => ({
					type: 'bind',
					readOnly: false,
					source: one.required('source', text),
					target: one.required('target', text),
				})),
			),
		),
		docker: { privileged: true },
		type: 'docker',
	});
});

function capital(name: string): string {
	return name.charAt(0).toUpperCase() + name.slice(1);
}
