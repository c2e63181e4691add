// The Entra face: OpenID configuration and the token endpoint for client credentials, by secret or by a GitHub ID token.

import { randomUUID } from 'node:crypto';
import { entraIssuer, GITHUB_ISSUER, IDENTITY, ML_RESOURCE, type Platform, PUBLIC_ARM } from './platform.ts';
import { type Answer, AnswerError, type FaceRequest, type Handler } from './server.ts';
import type { TokenIssuer } from './tokens.ts';

/** The audience that a federated credential of GitHub expects. */
export const FEDERATED_AUDIENCE = 'api://AzureADTokenExchange';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The one registered application, as tests may change it while the emulator runs. */
export interface Application {
	clientId: string;
	clientSecret: string;
	/** Subjects of its federated credentials for GitHub. */
	subjects: string[];
	/** Life of the access tokens it gets. */
	tokenLifeSeconds: number;
}

/** The application as a new emulator has it. */
export function defaultApplication(): Application {
	const repository = 'repo:octo-org/octo-repo';
	return {
		clientId: IDENTITY.clientId,
		clientSecret: IDENTITY.clientSecret,
		subjects: [
			`${repository}:ref:refs/heads/main`,
			`${repository}:pull_request`,
			`${repository}:environment:production`,
		],
		tokenLifeSeconds: 3600,
	};
}

/** Answers the Entra face. `githubKeys` are those of the ID tokens that it trusts. */
export function entraFace(platform: Platform, application: Application, githubKeys: TokenIssuer): Handler {
	return async (request) => {
		const [tenant = '', ...rest] = request.path.split('/').filter(Boolean);
		const path = rest.join('/').toLowerCase();
		if (path === 'v2.0/.well-known/openid-configuration') return configuration(platform, tenant);
		if (path === 'discovery/v2.0/keys') {
			return { status: 200, json: { keys: [await platform.entraKeys.publicKey()] } };
		}
		if (path === 'oauth2/v2.0/token' && request.method === 'POST') {
			return new TokenRequest(platform, application, githubKeys, request).answer(tenant);
		}
		return { status: 404, json: { error: 'not_found', error_description: `Entra has nothing at ${request.path}.` } };
	};
}

function configuration(platform: Platform, tenant: string): Answer {
	const base = `${platform.origins.authority}/${tenant}`;
	return {
		status: 200,
		json: {
			issuer: `${base}/v2.0`,
			authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
			token_endpoint: `${base}/oauth2/v2.0/token`,
			jwks_uri: `${base}/discovery/v2.0/keys`,
			token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
			response_types_supported: ['code', 'id_token'],
			subject_types_supported: ['pairwise'],
			id_token_signing_alg_values_supported: ['RS256'],
			tenant_region_scope: null,
		},
	};
}

class TokenRequest {
	readonly #platform: Platform;
	readonly #application: Application;
	readonly #githubKeys: TokenIssuer;
	readonly #form: Record<string, string>;

	constructor(platform: Platform, application: Application, githubKeys: TokenIssuer, request: FaceRequest) {
		this.#platform = platform;
		this.#application = application;
		this.#githubKeys = githubKeys;
		this.#form = typeof request.body === 'object' ? ((request.body ?? {}) as Record<string, string>) : {};
	}

	async answer(tenant: string): Promise<Answer> {
		if (tenant.toLowerCase() !== IDENTITY.tenantId) {
			throw this.#fault(
				400,
				'invalid_request',
				90002,
				`Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
			);
		}
		if (this.#form['grant_type'] !== 'client_credentials') {
			throw this.#fault(
				400,
				'unsupported_grant_type',
				70003,
				`The app requested an unsupported grant type '${this.#form['grant_type'] ?? ''}'.`,
			);
		}
		const clientId = this.#form['client_id'] ?? '';
		if (clientId.toLowerCase() !== this.#application.clientId) {
			throw this.#fault(
				400,
				'unauthorized_client',
				700016,
				`Application with identifier '${clientId}' was not found in the directory 'Emulated'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
			);
		}
		await this.#authenticate();
		return this.#grant(this.#resource());
	}

	#resource(): string {
		const scope = this.#form['scope'] ?? '';
		const resource = /^(.+)\/\.default$/.exec(scope)?.[1];
		if (resource === undefined) {
			throw this.#fault(
				400,
				'invalid_scope',
				70011,
				`The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
			);
		}
		const known = [this.#platform.origins.arm, PUBLIC_ARM, ML_RESOURCE, 'https://storage.azure.com'];
		const found = known.find((one) => one === resource.replace(/\/+$/, ''));
		if (found !== undefined) return found;
		throw this.#fault(
			400,
			'invalid_resource',
			500011,
			`The resource principal named ${resource} was not found in the tenant named Emulated. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
		);
	}

	async #authenticate(): Promise<void> {
		const assertion = this.#form['client_assertion'];
		if (assertion !== undefined) {
			if (this.#form['client_assertion_type'] === ASSERTION_TYPE) return await this.#checkAssertion(assertion);
			throw this.#fault(
				400,
				'invalid_request',
				900144,
				`The request body must contain the following parameter: 'client_assertion_type' with the value '${ASSERTION_TYPE}'.`,
			);
		}
		const secret = this.#form['client_secret'];
		if (secret === undefined) {
			throw this.#fault(
				401,
				'invalid_client',
				7000218,
				"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
			);
		}
		if (secret !== this.#application.clientSecret) {
			throw this.#fault(
				401,
				'invalid_client',
				7000215,
				`Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${this.#application.clientId}'.`,
			);
		}
	}

	async #checkAssertion(assertion: string): Promise<void> {
		const { fault, claims } = await this.#githubKeys.check(assertion, {
			issuer: GITHUB_ISSUER,
			audience: [FEDERATED_AUDIENCE],
		});
		const issuer = String(claims?.iss ?? '');
		if (fault === 'signature') {
			throw this.#fault(
				401,
				'invalid_client',
				700027,
				'The certificate with identifier used to sign the client assertion is not registered on application. Client assertion contains an invalid signature.',
			);
		}
		if (fault === 'expired' || fault === 'early') {
			throw this.#fault(
				401,
				'invalid_client',
				700024,
				`Client assertion is not within its valid time range. Current time: ${this.#now()}, assertion valid from ${time(claims?.nbf)}, expiry time of assertion ${time(claims?.exp)}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .`,
			);
		}
		if (fault === 'issuer') throw this.#mismatch(700211, 'issuer', issuer);
		if (fault === 'audience') throw this.#mismatch(700212, 'audience', String(claims?.aud ?? ''));
		const subject = String(claims?.sub ?? '');
		if (!this.#application.subjects.includes(subject)) throw this.#mismatch(700213, 'subject', subject);
	}

	#mismatch(code: number, part: string, value: string): AnswerError {
		return this.#fault(
			401,
			'invalid_client',
			code,
			`No matching federated identity record found for presented assertion ${part} '${value}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation`,
		);
	}

	async #grant(resource: string): Promise<Answer> {
		const life = this.#application.tokenLifeSeconds;
		const token = await this.#platform.entraKeys.sign(
			{
				aud: resource,
				iss: entraIssuer(IDENTITY.tenantId),
				appid: this.#application.clientId,
				idtyp: 'app',
				oid: IDENTITY.objectId,
				sub: IDENTITY.objectId,
				tid: IDENTITY.tenantId,
				uti: randomUUID(),
				ver: '1.0',
			},
			life,
		);
		return {
			status: 200,
			headers: { 'Cache-Control': 'no-store, no-cache' },
			json: { token_type: 'Bearer', expires_in: life, ext_expires_in: life, access_token: token },
		};
	}

	#fault(status: number, error: string, code: number, text: string): AnswerError {
		const [trace, correlation, timestamp] = [randomUUID(), randomUUID(), this.#now()];
		return new AnswerError({
			status,
			json: {
				error,
				error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
				error_codes: [code],
				timestamp,
				trace_id: trace,
				correlation_id: correlation,
				error_uri: `${this.#platform.origins.authority}/error?code=${code}`,
			},
		});
	}

	#now(): string {
		return new Date(this.#platform.clock()).toISOString().replace('T', ' ').replace(/\.\d+/, '');
	}
}

function time(seconds: number | undefined): string {
	return seconds === undefined ? '-' : new Date(seconds * 1000).toISOString();
}
