// Sign-in: one way in per kind of identity, and what its refusals mean. token-cache.ts keeps the tokens.
import {
	AzureCliCredential,
	ClientAssertionCredential,
	ClientSecretCredential,
	ManagedIdentityCredential,
	type TokenCredential,
} from '@azure/identity';
import type { Clock } from '../clock.ts';
import { messageOf, SignInError } from '../errors.ts';
import { parseJson, textAt } from '../json.ts';
import { authorityOptions } from './authority.ts';
import type { Cloud } from './cloud.ts';
import { type Asked, type Credential, createTokenCache, type FreshToken } from './token-cache.ts';

/** How the workflow wants to sign in; `inputs.ts` decides it. */
export type AuthRequest =
	| {
			readonly kind: 'service-principal';
			readonly tenantId: string;
			readonly clientId: string;
			readonly clientSecret: string;
	  }
	| { readonly kind: 'oidc'; readonly tenantId: string; readonly clientId: string; readonly audience: string }
	| { readonly kind: 'managed-identity'; readonly clientId: string | undefined }
	| {
			readonly kind: 'azure-cli';
			readonly tenantId: string | undefined;
			/** Why it came to this, where `auth-type: auto` found nothing better. */
			readonly insteadOf: 'nothing' | 'oidc';
	  };

export interface SignInParts {
	readonly cloud: Cloud;
	readonly clock: Clock;
	/** Asks GitHub for a fresh ID token; undefined where the job has no permission to. */
	readonly idToken: ((audience: string) => Promise<string>) | undefined;
	/** Registers each token as a secret. */
	readonly mask: (value: string) => void;
}

/** What came of asking GitHub for an ID token. */
interface Assertion {
	/** Of this sign-in: the library asks twice for one. */
	asked?: Promise<string> | undefined;
	last?: string;
	failure?: SignInError | undefined;
}

/** The credential for this request. Asks for nothing until the first token is needed. */
export function createCredential(request: AuthRequest, parts: SignInParts): Credential {
	const assertion: Assertion = {};
	let source = sourceOf(request, parts, assertion);
	const ask = async (scope: string, { claims, anew }: Asked): Promise<FreshToken> => {
		assertion.failure = undefined;
		assertion.asked = undefined;
		// The library keeps tokens too, and gives none away before its time.
		if (anew) source = sourceOf(request, parts, assertion);
		try {
			const got = await source.getToken(scope, claims === undefined ? {} : { claims });
			if (got === null) throw new Error('no token was given');
			parts.mask(got.token);
			return { token: got.token, expires: got.expiresOnTimestamp };
		} catch (error) {
			throw assertion.failure ?? explain(request, error, parts, assertion.last);
		}
	};
	return createTokenCache(ask, parts.clock);
}

function sourceOf(request: AuthRequest, { cloud, idToken }: SignInParts, assertion: Assertion): TokenCredential {
	const options = authorityOptions(cloud);
	switch (request.kind) {
		case 'service-principal':
			return new ClientSecretCredential(request.tenantId, request.clientId, request.clientSecret, options);
		case 'oidc':
			return new ClientAssertionCredential(
				request.tenantId,
				request.clientId,
				async () => {
					try {
						// A new one for each sign-in: GitHub's ID tokens live five minutes, jobs live for hours.
						assertion.asked ??= askGitHub(idToken, request.audience);
						assertion.last = await assertion.asked;
						return assertion.last;
					} catch (error) {
						// The library hides whatever is thrown here behind an error of its own.
						if (error instanceof SignInError) assertion.failure = error;
						throw error;
					}
				},
				options,
			);
		case 'managed-identity':
			return new ManagedIdentityCredential(request.clientId === undefined ? {} : { clientId: request.clientId });
		case 'azure-cli':
			return new AzureCliCredential(request.tenantId === undefined ? {} : { tenantId: request.tenantId });
	}
}

async function askGitHub(idToken: SignInParts['idToken'], audience: string): Promise<string> {
	if (idToken === undefined) throw noIdToken();
	try {
		return await idToken(audience);
	} catch (error) {
		throw new SignInError({
			what: 'GitHub did not give an ID token for this job.',
			why: messageOf(error),
			next: 'Check that the job has `permissions: id-token: write`, and look at https://www.githubstatus.com.',
			cause: error,
		});
	}
}

/** The job may not ask GitHub for an ID token. */
export function noIdToken(): SignInError {
	return new SignInError({
		what: 'Sign-in with GitHub OIDC is not possible: GitHub gave this job no ID token service.',
		why: 'The job lacks the permission `id-token: write` (ACTIONS_ID_TOKEN_REQUEST_URL is not set); pull requests from forks never get it.',
		next: 'Add `permissions: { id-token: write, contents: read }` to the job, or give `client-secret`, or run azure/login before this step.',
	});
}

/** What Entra's most frequent refusals mean for a workflow; `fact` holds what the ID token said, for OIDC. */
const REFUSALS: readonly { codes: readonly string[]; next: (fact: TokenFacts) => string }[] = [
	{
		codes: ['AADSTS7000215'],
		next: () =>
			"`client-secret` is not a secret of this application: give the secret's value (not its ID), or make a new one.",
	},
	{
		codes: ['AADSTS7000222'],
		next: () =>
			'The secret has expired: make a new one for the application and store it again, or change to OIDC, which has none.',
	},
	{
		codes: ['AADSTS700016'],
		next: () =>
			'Check `client-id` (the application id of the app registration) and `tenant-id`: the application is not known in that tenant.',
	},
	{ codes: ['AADSTS90002', 'AADSTS900023'], next: () => 'Check `tenant-id`: there is no such tenant in this cloud.' },
	{
		codes: ['AADSTS70021', 'AADSTS700213', 'AADSTS700211', 'AADSTS700212'],
		next: ({ subject, issuer, audience }) =>
			`Add a federated credential to the application with exactly this subject: ${subject ?? '(unknown)'}, issuer: ${issuer ?? '(unknown)'}, audience: ${audience ?? '(unknown)'}.`,
	},
	{ codes: ['AADSTS700024'], next: () => "The ID token was too old when it arrived: check the runner's clock." },
	{
		codes: ['AADSTS53003'],
		next: () => 'A Conditional Access policy of the tenant refuses this sign-in: ask its administrator.',
	},
];

interface TokenFacts {
	readonly subject: string | undefined;
	readonly issuer: string | undefined;
	readonly audience: string | undefined;
}

function factsOf(idToken: string | undefined): TokenFacts {
	const payload = parseJson(Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString());
	return { subject: textAt(payload, 'sub'), issuer: textAt(payload, 'iss'), audience: textAt(payload, 'aud') };
}

function explain(
	request: AuthRequest,
	error: unknown,
	{ cloud }: SignInParts,
	idToken: string | undefined,
): SignInError {
	const text = messageOf(error);
	const code = /AADSTS\d+/.exec(text)?.[0];
	const what = `Sign-in to ${cloud.name} failed (${request.kind}).`;
	if (request.kind === 'azure-cli') return explainCli(request, what, error);
	const known = REFUSALS.find(({ codes }) => code !== undefined && codes.includes(code));
	if (known !== undefined)
		return new SignInError({ what, why: firstLine(text), next: known.next(factsOf(idToken)), cause: error });
	if (/endpoints_resolution_error|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|certificate/i.test(text)) {
		return new SignInError({
			what,
			// The library hides the cause (DNS, proxy, certificate) behind one code, so all of them are named.
			why: `${new URL(cloud.authority).host} could not be reached or is not trusted (${firstLine(text)}).`,
			next: "Check the runner's network and proxy (HTTPS_PROXY), and NODE_EXTRA_CA_CERTS where a proxy or a private cloud has its own certificate.",
			cause: error,
		});
	}
	const next =
		request.kind === 'managed-identity'
			? 'Managed identity works on self-hosted runners in Azure only; check that the machine has an identity, and `client-id` if it has several.'
			: 'Check `tenant-id` and `client-id`.';
	return new SignInError({ what, why: firstLine(text), next, cause: error });
}

function explainCli(request: AuthRequest & { kind: 'azure-cli' }, what: string, error: unknown): SignInError {
	if (request.insteadOf === 'oidc') return noIdToken();
	return new SignInError({
		what,
		why: `There is no usable session of the Azure CLI: ${firstLine(messageOf(error))}`,
		next: 'Give `client-id` and `tenant-id` together with `permissions: id-token: write` on the job, or `client-secret`, or run azure/login before this step.',
		cause: error,
	});
}

function firstLine(text: string): string {
	return (
		text
			.replace(/Trace ID:.*$/s, '')
			.split('\n')[0]
			?.trim() ?? text
	);
}
