// All that went over the wire of an emulated workspace and must never be shown.
import type { Emulator } from '../../emulator/emulator.ts';
import { openClient } from './azure-client.ts';

/** The secrets that there are by now, by value, with what each is. */
export async function everySecret(emulator: Emulator): Promise<Map<string, string>> {
	const found = new Map([
		[emulator.clientSecret, 'client secret'],
		[emulator.github.token, 'github token'],
		[emulator.github.idTokenRequestToken, 'token for ID tokens'],
	]);
	const endpoints = emulator.endpoints();
	const client = endpoints.length === 0 ? undefined : await openClient(emulator);
	for (const { name } of endpoints) {
		const keys = await client?.post(`/onlineEndpoints/${name}/listKeys`);
		for (const key of Object.values(keys ?? {})) found.set(String(key), 'endpoint key');
	}
	for (const { face, headers, query, body } of emulator.requests) {
		const bearer = /^(?:Bearer|token) (\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
		if (bearer !== undefined && !found.has(bearer)) found.set(bearer, `${face} token`);
		const assertion = (body as Record<string, unknown> | undefined)?.['client_assertion'];
		if (typeof assertion === 'string') found.set(assertion, 'ID token');
		const signature = query['sig'];
		if (signature === undefined) continue;
		found.set(signature, 'SAS signature').set(encodeURIComponent(signature), 'SAS signature, encoded');
	}
	return found;
}
