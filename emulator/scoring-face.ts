// The scoring address of online endpoints: signs the caller in, chooses a deployment, and passes the request on to it.

import { randomUUID } from 'node:crypto';
import { request as sendHttp } from 'node:http';
import { objectOf } from './arm/call.ts';
import { authModeOf, endpointAudience } from './arm/endpoints.ts';
import type { Serving } from './arm/serving.ts';
import { chooseDeployment } from './arm/traffic.ts';
import { bearerOf } from './authorization.ts';
import { entraIssuer, IDENTITY, ML_RESOURCE, type Platform } from './platform.ts';
import { type Answer, type FaceRequest, type Handler, readAll } from './server.ts';
import type { Resource } from './state.ts';

const PATH = /^\/online\/([^/]+)\/(.*)$/;
const CHOICE = 'azureml-model-deployment';

/** Answers `/online/{endpoint}/score`. */
export function scoringFace(platform: Platform, serving: Serving): Handler {
	return async (request) => {
		const [, name = '', route = ''] = PATH.exec(request.path) ?? [];
		const [key, endpoint] = findEndpoint(platform, decodeURIComponent(name)) ?? [];
		if (key === undefined || endpoint === undefined) return plain(404, `There is no endpoint ${name}.`);
		if (!(await isAllowed(platform, endpoint, request))) {
			return plain(401, 'Please provide a valid key or token of the endpoint in the Authorization header.');
		}
		const named = request.headers[CHOICE];
		const chosen = named ?? chooseDeployment(objectOf(endpoint.properties['traffic']), platform.random());
		if (chosen === undefined) {
			return plain(404, "The endpoint doesn't have any valid deployment with positive weight.");
		}
		const deployment = `${key}/deployments/${encodeURIComponent(chosen)}`;
		if (!platform.state.resources.get(deployment)) return plain(404, `The endpoint has no deployment ${chosen}.`);
		// A request that names its deployment is no live traffic, as the copies are said to be of that.
		if (named === undefined) mirror(platform, [key, endpoint], (to) => pass(serving, to, route, request));
		const answer = await pass(serving, deployment, route, request);
		answer.headers = { ...answer.headers, [CHOICE]: chosen, 'x-ms-request-id': randomUUID() };
		return answer;
	};
}

/** Sends a copy to deployments with mirrored traffic, by their share; nobody waits for their answers. */
function mirror(
	{ random }: Platform,
	[key, endpoint]: [string, Resource],
	send: (deployment: string) => Promise<unknown>,
): void {
	for (const [name, share] of Object.entries(objectOf(endpoint.properties['mirrorTraffic']))) {
		if (random() * 100 < Number(share)) send(`${key}/deployments/${encodeURIComponent(name)}`).catch(() => {});
	}
}

function findEndpoint(platform: Platform, name: string): [string, Resource] | undefined {
	return platform.state.resources
		.entries()
		.find(([key]) => key.endsWith(`/onlineEndpoints/${encodeURIComponent(name)}`));
}

async function isAllowed(platform: Platform, endpoint: Resource, request: FaceRequest): Promise<boolean> {
	const token = bearerOf(request);
	if (token === undefined) return false;
	const mode = authModeOf(endpoint);
	if (mode === 'key') return token === endpoint.secret?.['primaryKey'] || token === endpoint.secret?.['secondaryKey'];
	const expected =
		mode === 'amltoken'
			? { audience: [endpointAudience(endpoint.name)] }
			: { audience: [ML_RESOURCE], issuer: entraIssuer(IDENTITY.tenantId) };
	return (await platform.entraKeys.check(token, expected)).fault === undefined;
}

async function pass(serving: Serving, key: string, route: string, request: FaceRequest): Promise<Answer> {
	let port: number;
	try {
		port = await serving.port(key);
	} catch (error) {
		return modelError(
			502,
			`The deployment takes no requests: ${error instanceof Error ? error.message : String(error)}`,
		);
	}
	const query = request.query.size > 0 ? `?${request.query}` : '';
	try {
		const { status, type, bytes } = await exchange(port, `/${route}${query}`, request);
		if (status >= 200 && status < 300) return { status, headers: { 'Content-Type': type }, bytes };
		const failed = modelError(status, bytes.toString('utf8'));
		return { ...failed, headers: { ...failed.headers, 'Content-Type': type } };
	} catch (error) {
		return modelError(502, `The scoring process broke the connection: ${String(error)}`);
	}
}

interface Reply {
	status: number;
	type: string;
	bytes: Buffer;
}

function exchange(port: number, path: string, from: FaceRequest): Promise<Reply> {
	return new Promise((resolve, reject) => {
		const headers: Record<string, string | number> = {
			'Content-Type': from.headers['content-type'] ?? 'application/json',
			'Content-Length': from.bytes.length,
			'x-ms-request-id': randomUUID(),
		};
		// A connection of its own: none is left open to a process that may be stopped.
		const onward = sendHttp({ host: '127.0.0.1', port, path, method: from.method, headers, agent: false }, (reply) => {
			readAll(reply).then((bytes) => {
				const type = reply.headers['content-type'] ?? 'application/json';
				resolve({ status: reply.statusCode ?? 502, type, bytes });
			}, reject);
		});
		onward.on('error', reject);
		onward.end(from.bytes);
	});
}

/** What a container answers other than 200 comes out as 424, with the container's own status in a header. */
function modelError(status: number, text: string): Answer {
	return {
		status: 424,
		headers: {
			'Content-Type': 'text/plain; charset=utf-8',
			'ms-azureml-model-error-statuscode': String(status),
			'ms-azureml-model-error-reason': 'model_error',
		},
		bytes: text,
	};
}

function plain(status: number, text: string): Answer {
	return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, bytes: text };
}
