// The address at which batch endpoints take requests: signs the caller in, chooses a deployment, and submits the job that
// scores for it. Which job that is, batch-scoring-job.ts says.

import { randomUUID } from 'node:crypto';
import type { ArmCall, Json } from './arm/call.ts';
import { keyOf, objectOf, standard, textOf } from './arm/call.ts';
import type { ArmRoutes } from './arm/face.ts';
import { withModes } from './arm/job-bodies.ts';
import { authorize } from './authorization.ts';
import { dataType, type InvocationRequest, scoringJob } from './batch-scoring-job.ts';
import { isoTime, serviceError } from './errors.ts';
import { IDENTITY, ML_RESOURCE, type Platform } from './platform.ts';
import type { Answer, AnswerError, FaceRequest, Handler } from './server.ts';
import type { Resource } from './state.ts';

const PATH = /^\/batch\/([^/]+)\/jobs$/;
const API_VERSION = '2025-09-01';

/** Answers `/batch/{endpoint}/jobs`. `routes` are Resource Manager's, by which the job is submitted like any other. */
export function batchScoringFace(platform: Platform, routes: ArmRoutes): Handler {
	return async (request) => {
		await authorize(platform, request, [ML_RESOURCE]);
		const name = decodeURIComponent(PATH.exec(request.path)?.[1] ?? '');
		const [key, endpoint] = findEndpoint(platform, name) ?? [];
		if (key === undefined || endpoint === undefined) throw refuse(404, `There is no batch endpoint ${name}.`);
		if (request.method !== 'POST') throw refuse(405, `A job is started by POST, not by ${request.method}.`);
		const deployment = chosenDeployment(platform, key, endpoint, request);
		const inputs = inputsOf(request.body);
		const properties = objectOf(objectOf(request.body)['properties']);
		const job = `batchjob-${randomUUID()}`;
		const call = callOf(platform, key);
		await submit(routes, call, job, { deployment, properties, inputs });
		return accepted(call, job, deployment, properties);
	};
}

function findEndpoint(platform: Platform, name: string): [string, Resource] | undefined {
	return platform.state.resources
		.entries()
		.find(([key]) => key.endsWith(`/batchEndpoints/${encodeURIComponent(name)}`));
}

function chosenDeployment(platform: Platform, key: string, endpoint: Resource, request: FaceRequest): Resource {
	const asked =
		request.headers['azureml-model-deployment'] ?? textOf(objectOf(endpoint.properties['defaults'])['deploymentName']);
	if (asked === undefined) {
		throw refuse(400, `The endpoint ${endpoint.name} has no default deployment, and the request names none.`);
	}
	const deployment = platform.state.resources.get(`${key}/deployments/${encodeURIComponent(asked)}`);
	if (deployment === undefined) throw refuse(404, `The endpoint ${endpoint.name} has no deployment ${asked}.`);
	if (deployment.properties['provisioningState'] === 'Succeeded') return deployment;
	throw refuse(400, `The deployment ${asked} is ${deployment.properties['provisioningState']} and takes no jobs.`);
}

/** The inputs as a job has them. */
function inputsOf(body: unknown): Record<string, Json> {
	const { inputData } = objectOf(objectOf(body)['properties']);
	const entries = Object.entries(objectOf(inputData)).map(([name, value]) => {
		const { jobInputType, uri, value: literal, mode } = objectOf(value);
		const type = dataType(jobInputType);
		if (type === undefined) throw refuse(400, `The input ${name} has the jobInputType ${jobInputType}, which is none.`);
		const content = type === 'literal' ? literal : uri;
		if (textOf(content) === undefined) {
			throw refuse(400, `The input ${name} has no ${type === 'literal' ? 'value' : 'uri'}.`);
		}
		const held = type === 'literal' ? { value: literal } : { uri };
		return [name, { jobInputType: type, ...held, ...(mode === undefined ? {} : { mode }) }] as const;
	});
	return Object.fromEntries(entries);
}

function refuse(status: number, message: string): AnswerError {
	return serviceError(status, 'UserError', message, { inner: ['BadArgument'] });
}

/** A call to the endpoint's workspace, of the emulator to itself. */
function callOf(platform: Platform, endpointKey: string): ArmCall {
	const workspace = platform.state.resources.get(endpointKey.split('/')[0] ?? '')?.name ?? IDENTITY.workspace;
	const names = { subscription: IDENTITY.subscriptionId, group: IDENTITY.resourceGroup, workspace };
	const query = new URLSearchParams({ 'api-version': API_VERSION });
	return { platform, names, query, body: {}, url: platform.origins.arm, apiVersion: API_VERSION };
}

async function submit(routes: ArmRoutes, call: ArmCall, name: string, request: InvocationRequest): Promise<void> {
	const { subscription, group, workspace } = call.names;
	const path = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}/jobs/${name}`;
	const found = routes.router.find('PUT', path);
	if (found === undefined || found === 'method') throw new Error('jobs cannot be put');
	const url = `${call.platform.origins.arm}${path}?${call.query}`;
	await found.handler({ ...call, names: found.names, body: { properties: scoringJob(call, request) }, url });
}

function accepted(call: ArmCall, job: string, deployment: Resource, given: Json): Answer {
	const { platform } = call;
	const own = platform.state.resources.get(keyOf(call, 'jobs', job))?.properties ?? {};
	const services = Object.entries(objectOf(own['services'])).map(([name, service]) => {
		const endpoint = { jobEndpointType: name, port: null, endpoint: objectOf(service)['endpoint'], properties: null };
		return [name, endpoint] as const;
	});
	const now = isoTime(platform.clock());
	const json = {
		id: `${deployment.id}/jobs/${job}`,
		name: job,
		type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments/jobs',
		properties: {
			provisioningState: 'Succeeded',
			inputData: withModes(objectOf(given['inputData'])),
			compute: { target: deployment.properties['compute'] ?? null, instanceCount: null, isLocal: false },
			output: { datastoreId: null, path: null },
			retrySettings: deployment.properties['retrySettings'] ?? null,
			status: 'Preparing',
			interactionEndpoints: Object.fromEntries(services),
			tags: own['tags'] ?? {},
			properties: own['properties'] ?? {},
			name: job,
		},
		systemData: { createdAt: now, createdBy: 'Emulated Principal', lastModifiedAt: now },
	};
	// Of the deployment, as recorded, and not of the job.
	const location = `${platform.origins.arm}/mferp/managementfrontend${deployment.id}?api-version=2020-09-01-dataplanepreview`;
	return { status: 201, headers: { ...standard, Location: location }, json };
}
