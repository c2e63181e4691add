// Sends recorded requests to hosts other than Resource Manager, the data plane and storage to the emulator's faces for them:
// sign-in, discovery, registries, and the scoring address of a batch endpoint.

import { REGISTRY } from '../../../emulator/registries.ts';
import { Client, callEntra } from '../client.ts';
import { differences, type Exchange, type Sent } from './exchange.ts';

const TENANT = /^https:\/\/login\.microsoftonline\.com\/[0-9a-f-]{36}(\/[^?]+)$/;
const REGISTRY_DISCOVERY = /\/registrymanagement\/v1\.0\/registries\/[^/]+\/discovery$/;
const BATCH = /^https:\/\/([^.]+)\.[^/]+\.inference\.ml\.azure\.com\/jobs$/;
const SERVICES = /\.ms\/discovery$/;

/** Sends a request to one of these hosts; gives nothing for others. */
export async function sendElsewhere(client: Client, exchange: Exchange): Promise<Sent | undefined> {
	const { method, status, requestBody, url } = exchange;
	const { emulator } = client;
	const [address = ''] = url.split('?');
	const sent = (name: string, differing: string[]) => ({
		route: `${method} ${name} ${status}`,
		differences: differing,
	});
	const path = TENANT.exec(address)?.[1];
	if (path !== undefined) {
		const reply = await callEntra(emulator, `/${emulator.tenantId}${path}`, formOf(client, requestBody));
		return sent(path.slice(1), differences(exchange, reply));
	}
	if (SERVICES.test(address)) {
		return sent('discovery', differences(exchange, await client.send(method, `${emulator.arm}/discovery`)));
	}
	if (REGISTRY_DISCOVERY.test(address)) {
		const own = `${emulator.arm}/registrymanagement/v1.0/registries/${REGISTRY}/discovery`;
		return sent('registry discovery', differences(exchange, await client.send(method, own)));
	}
	const endpoint = BATCH.exec(address)?.[1];
	if (endpoint === undefined) return undefined;
	// Jobs of batch endpoints are started by a token for Azure ML itself.
	const caller = await Client.signIn(emulator, 'https://ml.azure.com');
	const deployment = { 'azureml-model-deployment': exchange.requestHeaders['azureml-model-deployment'] ?? '' };
	const own = `${emulator.arm}/batch/${endpoint}/jobs`;
	return sent('batch invocation', differences(exchange, await caller.send(method, own, requestBody, deployment)));
}

/** A recorded form with the names that are known here. */
function formOf({ emulator }: Client, recorded: unknown): Record<string, string> | undefined {
	if (typeof recorded !== 'string') return undefined;
	const form = Object.fromEntries(new URLSearchParams(recorded));
	return { ...form, client_id: emulator.clientId, client_secret: emulator.clientSecret };
}
