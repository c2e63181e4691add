// An online deployment as CLI v2 writes it, managed or Kubernetes, and its REST body. Its endpoint is online-file's.

import { type JsonObject, jsonObject } from '../json.ts';
import { MapReader, mapping, type Reader, Reading, type Warn } from '../yaml/checks.ts';
import { isoDuration } from '../yaml/duration.ts';
import type { YamlFile } from '../yaml/node.ts';
import { boolean, integer, stringified, text, word } from '../yaml/values.ts';
import { collectedData, type DataCollector, dataCollector, dataCollectorBody } from './data-collector.ts';
import {
	type DeploymentFacts,
	deploymentFactsBody,
	type EndpointContext,
	readDeploymentFacts,
} from './deployment-parts.ts';

/** How the inference server is asked whether it lives or is ready. Times are in seconds. */
export interface ProbeSettings {
	readonly initialDelay: number | undefined;
	readonly period: number | undefined;
	readonly timeout: number | undefined;
	readonly successThreshold: number | undefined;
	readonly failureThreshold: number | undefined;
}

/** How long requests may take and wait. Times are in milliseconds. */
export interface RequestSettings {
	readonly requestTimeoutMs: number | undefined;
	readonly maxQueueWaitMs: number | undefined;
	readonly maxConcurrentRequestsPerInstance: number | undefined;
}

/** How many instances there are: a fixed count, or as many as keep a utilization. */
export type ScaleSettings =
	| { readonly type: 'default' }
	| {
			readonly type: 'target_utilization';
			readonly minInstances: number | undefined;
			readonly maxInstances: number | undefined;
			/** Seconds. */
			readonly pollingInterval: number | undefined;
			readonly targetUtilizationPercentage: number | undefined;
	  };

/** What a container asks of Kubernetes, e.g. `0.5Gi`. */
export interface ContainerResources {
	readonly cpu: string | undefined;
	readonly memory: string | undefined;
	readonly gpu: string | undefined;
}

/** An online deployment as the user wrote it, checked. */
export interface OnlineDeploymentFile extends DeploymentFacts {
	readonly type: 'managed' | 'kubernetes';
	readonly instanceType: string | undefined;
	readonly instanceCount: number | undefined;
	readonly modelMountPath: string | undefined;
	readonly appInsightsEnabled: boolean;
	readonly scaleSettings: ScaleSettings | undefined;
	readonly requestSettings: RequestSettings | undefined;
	readonly livenessProbe: ProbeSettings | undefined;
	readonly readinessProbe: ProbeSettings | undefined;
	readonly startupProbe: ProbeSettings | undefined;
	readonly egressPublicNetworkAccess: 'enabled' | 'disabled' | undefined;
	readonly dataCollector: DataCollector | undefined;
	readonly resources:
		| { readonly requests: ContainerResources | undefined; readonly limits: ContainerResources | undefined }
		| undefined;
}

const probe: Reader<ProbeSettings> = mapping('a probe', (map) => ({
	initialDelay: map.optional('initial_delay', integer),
	period: map.optional('period', integer),
	timeout: map.optional('timeout', integer),
	successThreshold: map.optional('success_threshold', integer),
	failureThreshold: map.optional('failure_threshold', integer),
}));

const requestSettings: Reader<RequestSettings> = mapping('request_settings', (map) => ({
	requestTimeoutMs: map.optional('request_timeout_ms', integer),
	maxQueueWaitMs: map.optional('max_queue_wait_ms', integer),
	maxConcurrentRequestsPerInstance: map.optional('max_concurrent_requests_per_instance', integer),
}));

const scaleSettings: Reader<ScaleSettings> = mapping('scale_settings', (map) => {
	const type = map.required('type', word('default', 'target_utilization'));
	if (type === 'default') {
		return { type };
	}
	return {
		type,
		minInstances: map.optional('min_instances', integer),
		maxInstances: map.optional('max_instances', integer),
		pollingInterval: map.optional('polling_interval', integer),
		targetUtilizationPercentage: map.optional('target_utilization_percentage', integer),
	};
});

const containerResources: Reader<ContainerResources> = mapping('container resources', (map) => ({
	cpu: map.optional('cpu', stringified),
	memory: map.optional('memory', stringified),
	gpu: map.optional('nvidia.com/gpu', stringified) ?? map.optional('gpu', stringified),
}));

const resources: Reader<NonNullable<OnlineDeploymentFile['resources']>> = mapping('resources', (map) => ({
	requests: map.optional('requests', containerResources),
	limits: map.optional('limits', containerResources),
}));

/** Reads an online deployment file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readOnlineDeployment(file: YamlFile, warn?: Warn): OnlineDeploymentFile {
	const reading = new Reading(file);
	const map = new MapReader(file.root, reading, 'an online deployment');
	const facts = readDeploymentFacts(map);
	const type = map.optional('type', word('managed', 'kubernetes')) ?? typeOfSchema(file);
	const collector = map.optional('data_collector', dataCollector);
	const deployment: OnlineDeploymentFile = {
		...facts,
		dependencies: [...facts.dependencies, ...collectedData(collector)],
		type,
		instanceType: map.optional('instance_type', text),
		instanceCount: map.optional('instance_count', integer),
		modelMountPath: map.optional('model_mount_path', text),
		appInsightsEnabled: map.optional('app_insights_enabled', boolean) ?? false,
		scaleSettings: map.optional('scale_settings', scaleSettings),
		requestSettings: map.optional('request_settings', requestSettings),
		livenessProbe: map.optional('liveness_probe', probe),
		readinessProbe: map.optional('readiness_probe', probe),
		startupProbe: map.optional('startup_probe', probe),
		egressPublicNetworkAccess: map.optional('egress_public_network_access', word('enabled', 'disabled')),
		dataCollector: collector,
		resources: type === 'kubernetes' ? map.optional('resources', resources) : undefined,
	};
	map.optional('private_network_connection', (node, within) => {
		if (boolean(node, within)) {
			within.warn(
				node.at,
				"'private_network_connection' is no longer part of the API and is left out. Use the workspace's managed network.",
			);
		}
	});
	map.done();
	checkInstances(deployment, map);
	reading.finish(warn);
	return deployment;
}

function typeOfSchema(file: YamlFile): OnlineDeploymentFile['type'] {
	const schema = file.root.entries.find((entry) => entry.key === '$schema')?.value;
	return schema?.kind === 'scalar' && /kubernetes/i.test(schema.text) ? 'kubernetes' : 'managed';
}

function checkInstances(deployment: OnlineDeploymentFile, map: MapReader): void {
	const { reading } = map;
	if (deployment.type === 'managed' && deployment.scaleSettings?.type === 'target_utilization') {
		const at = map.node('scale_settings')?.at ?? map.at;
		reading.fault(
			at,
			"A managed online deployment takes 'scale_settings' of type 'default' only; autoscale is set up in Azure Monitor.",
		);
	}
	if (deployment.instanceCount !== undefined && deployment.instanceCount < 1) {
		reading.fault(map.node('instance_count')?.at ?? map.at, "'instance_count' must be 1 or more.");
	}
}

/** The body of `PUT onlineEndpoints/{endpoint}/deployments/{name}`. */
export function onlineDeploymentBody(file: OnlineDeploymentFile, context: EndpointContext): JsonObject {
	const access = { enabled: 'Enabled', disabled: 'Disabled' };
	const { model } = file;
	return {
		location: context.location,
		tags: Object.fromEntries(file.tags),
		sku: jsonObject({ name: 'Default', capacity: file.instanceCount }),
		properties: jsonObject({
			endpointComputeType: file.type === 'managed' ? 'Managed' : 'Kubernetes',
			...deploymentFactsBody(file, context.idOf),
			model: model && context.idOf(model),
			modelMountPath: file.modelMountPath,
			instanceType: file.instanceType,
			appInsightsEnabled: file.appInsightsEnabled,
			scaleSettings: file.scaleSettings && scaleBody(file.scaleSettings),
			requestSettings: file.requestSettings && requestBody(file.requestSettings),
			livenessProbe: file.livenessProbe && probeBody(file.livenessProbe),
			readinessProbe: file.readinessProbe && probeBody(file.readinessProbe),
			startupProbe: file.startupProbe && probeBody(file.startupProbe),
			egressPublicNetworkAccess: file.egressPublicNetworkAccess && access[file.egressPublicNetworkAccess],
			dataCollector: file.dataCollector && dataCollectorBody(file.dataCollector, context.idOf),
			containerResourceRequirements: file.resources && containerBody(file.resources),
		}),
	};
}

function scaleBody(scale: ScaleSettings): JsonObject {
	if (scale.type === 'default') {
		return { scaleType: 'Default' };
	}
	return jsonObject({
		scaleType: 'TargetUtilization',
		minInstances: scale.minInstances,
		maxInstances: scale.maxInstances,
		pollingInterval: duration(scale.pollingInterval),
		targetUtilizationPercentage: scale.targetUtilizationPercentage,
	});
}

function requestBody(settings: RequestSettings): JsonObject {
	const millis = (value: number | undefined): string | undefined =>
		value === undefined ? undefined : isoDuration(value / 1000);
	return jsonObject({
		requestTimeout: millis(settings.requestTimeoutMs),
		maxQueueWait: millis(settings.maxQueueWaitMs),
		maxConcurrentRequestsPerInstance: settings.maxConcurrentRequestsPerInstance,
	});
}

function probeBody(settings: ProbeSettings): JsonObject {
	return jsonObject({
		initialDelay: duration(settings.initialDelay),
		period: duration(settings.period),
		timeout: duration(settings.timeout),
		successThreshold: settings.successThreshold,
		failureThreshold: settings.failureThreshold,
	});
}

function containerBody({ requests, limits }: NonNullable<OnlineDeploymentFile['resources']>): JsonObject {
	return jsonObject({
		containerResourceRequests: requests && jsonObject({ ...requests }),
		containerResourceLimits: limits && jsonObject({ ...limits }),
	});
}

function duration(seconds: number | undefined): string | undefined {
	return seconds === undefined ? undefined : isoDuration(seconds);
}
