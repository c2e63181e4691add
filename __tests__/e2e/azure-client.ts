// A look at the emulated workspace by someone other than the action: signs in by secret and reads what is there.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Emulator } from '../../emulator/emulator.ts';

type Json = Record<string, unknown>;

/** Reads a workspace. Every call throws when the answer is no success. */
export interface AzureClient {
	/** Resource Manager, path below the workspace: `/models/iris/versions`. */
	get(path: string): Promise<Json>;
	put(path: string, body: Json): Promise<Json>;
	post(path: string): Promise<Json>;
	/** The record of a run in run history: `status`, `startTimeUtc`, `endTimeUtc`, … */
	run(name: string): Promise<Json>;
	/** The last value of each metric that a run has logged. */
	metrics(run: string): Promise<Record<string, number>>;
	/** Asks an endpoint as its clients do, with its primary key. */
	score(endpoint: string, body: string): Promise<{ status: number; deployment: string | null; text: string }>;
}

/** Signs in to the emulator with the application's secret. */
export async function openClient(emulator: Emulator): Promise<AzureClient> {
	const { arm, subscriptionId, resourceGroup, workspace } = emulator;
	const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`;
	const token = await askForToken(emulator);
	const call = async (method: string, url: string, body?: Json): Promise<Json> => {
		const answer = await fetch(url, {
			method,
			headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const text = await answer.text();
		if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${text}`);
		return text === '' ? {} : (JSON.parse(text) as Json);
	};
	const client: AzureClient = {
		get: (path) => call('GET', `${arm}${id}${path}?api-version=2025-09-01`),
		put: (path, body) => call('PUT', `${arm}${id}${path}?api-version=2025-09-01`, body),
		post: (path) => call('POST', `${arm}${id}${path}?api-version=2025-09-01`),
		run: (name) => call('GET', `${arm}/history/v1.0${id}/runs/${name}/details`),
		async metrics(run) {
			const answer = await call('GET', `${arm}/mlflow/v1.0${id}/api/2.0/mlflow/runs/get?run_id=${run}`);
			const { data } = answer['run'] as { data: { metrics?: { key: string; value: number }[] } };
			return Object.fromEntries((data.metrics ?? []).map(({ key, value }) => [key, value]));
		},
		async score(endpoint, body) {
			const { properties } = await client.get(`/onlineEndpoints/${endpoint}`);
			const { primaryKey } = await client.post(`/onlineEndpoints/${endpoint}/listKeys`);
			const answer = await fetch(String((properties as Json)['scoringUri']), {
				method: 'POST',
				headers: { authorization: `Bearer ${primaryKey}`, 'content-type': 'application/json' },
				body,
			});
			const deployment = answer.headers.get('azureml-model-deployment');
			return { status: answer.status, deployment, text: await answer.text() };
		},
	};
	return client;
}

/** Gets an access token for Resource Manager by the application's secret. */
export function askForToken({ authority, tenantId, clientId, clientSecret, arm, caFile }: Emulator): Promise<string> {
	const form = new URLSearchParams({
		grant_type: 'client_credentials',
		client_id: clientId,
		client_secret: clientSecret,
		scope: `${arm}/.default`,
	});
	// fetch cannot be told to trust one more certificate, so this one call goes without it.
	return new Promise((resolve, reject) => {
		const asked = request(
			`${authority}/${tenantId}/oauth2/v2.0/token`,
			{ method: 'POST', ca: readFileSync(caFile), headers: { 'content-type': 'application/x-www-form-urlencoded' } },
			async (answer) => {
				const pieces: Buffer[] = [];
				for await (const piece of answer) pieces.push(piece as Buffer);
				const { access_token: token } = JSON.parse(Buffer.concat(pieces).toString()) as Json;
				if (typeof token === 'string') resolve(token);
				else reject(new Error(`Entra gave no token: ${Buffer.concat(pieces)}`));
			},
		);
		asked.once('error', reject).end(form.toString());
	});
}
