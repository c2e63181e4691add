// What a custom cloud's address of Entra may be that Microsoft's library knows nothing of: http on loopback, and one
// without a document about itself.
import type { ClientSecretCredentialOptions } from '@azure/identity';
import { parseJson, textAt } from '../json.ts';
import { type Cloud, isLoopback } from './cloud.ts';
import { LOOPBACK_AGENTS } from './loopback.ts';

type Additional = NonNullable<ClientSecretCredentialOptions['additionalPolicies']>[number];
type Policy = Additional['policy'];

const DOCUMENT = /\/v2\.0\/\.well-known\/openid-configuration(?:\?.*)?$/;

/** How the library is to ask for tokens at the authority of this cloud. */
export function authorityOptions(cloud: Cloud): ClientSecretCredentialOptions {
	if (!cloud.custom) return { authorityHost: cloud.authority };
	const policy: Policy = {
		name: 'custom-authority',
		sendRequest: async (request, next) => {
			const asked = request.url;
			reach(request, cloud);
			const response = await next(request);
			if (!DOCUMENT.test(asked) || (!isPlain(cloud) && !isMissing(response))) return response;
			return { ...response, status: 200, bodyAsText: JSON.stringify(documentOf(asked.replace(DOCUMENT, ''))) };
		},
	};
	return {
		// The library takes https addresses only; the policy sends to the one that is meant.
		authorityHost: cloud.authority.replace(/^http:/i, 'https:'),
		// A custom cloud is unknown to Microsoft's instance discovery, which would refuse it.
		disableInstanceDiscovery: true,
		additionalPolicies: [{ policy, position: 'perCall' }],
	};
}

/** By http, which `cloud.ts` lets through for loopback only. */
function isPlain(cloud: Cloud): boolean {
	return new URL(cloud.authority).protocol === 'http:';
}

function reach(request: Parameters<Policy['sendRequest']>[0], cloud: Cloud): void {
	const url = new URL(request.url);
	const authority = new URL(cloud.authority);
	if (url.hostname !== authority.hostname || !isLoopback(url.hostname)) return;
	// No proxy of the environment has any use for loopback.
	request.agent = isPlain(cloud) ? LOOPBACK_AGENTS.http : LOOPBACK_AGENTS.https;
	if (!isPlain(cloud)) return;
	url.protocol = 'http:';
	url.port = authority.port;
	request.url = url.href;
	request.allowInsecureConnection = true;
}

function isMissing({ status, bodyAsText }: Awaited<ReturnType<Policy['sendRequest']>>): boolean {
	return (
		(status >= 400 && status < 500) ||
		(status === 200 && textAt(parseJson(bodyAsText ?? ''), 'token_endpoint') === undefined)
	);
}

/** What Entra says of a tenant, as far as the library reads it. */
function documentOf(tenant: string): Record<string, string> {
	return {
		issuer: `${tenant}/v2.0`,
		authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
		token_endpoint: `${tenant}/oauth2/v2.0/token`,
		jwks_uri: `${tenant}/discovery/v2.0/keys`,
	};
}
