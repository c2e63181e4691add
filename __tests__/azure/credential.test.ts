// Signs in for real, by Microsoft's own library, at an authority on loopback that refuses as Entra does.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { generate } from 'selfsigned';
import { type AuthRequest, createCredential } from '../../src/azure/credential.ts';
import { systemClock } from '../../src/clock.ts';
import { SignInError } from '../../src/errors.ts';
import { customCloud } from '../fixtures/workspace.ts';

const TENANT = '11111111-2222-3333-4444-555555555555';
const CLIENT = '66666666-7777-8888-9999-000000000000';
const SECRET = 'the-client-secret~Q8';
const SCOPE = 'https://arm.example/.default';

interface Authority {
	readonly url: string;
	/** The forms that the token endpoint was sent. */
	readonly forms: URLSearchParams[];
	/** What it refuses with, as Entra words it. */
	refusal: string | undefined;
	/** The same, by what it was sent. */
	judge: (form: URLSearchParams) => string | undefined;
	server: Server;
}

async function startAuthority(): Promise<{ authority: Authority; certificate: string }> {
	const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
		keySize: 2048,
		extensions: [
			{ name: 'basicConstraints', cA: true },
			{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
		],
	});
	const forms: URLSearchParams[] = [];
	const server = createServer({ key: pems.private, cert: pems.cert }, async (request, response) => {
		const pieces: Buffer[] = [];
		for await (const piece of request) pieces.push(piece as Buffer);
		const json = (status: number, body: object): void => {
			response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
		};
		if (request.url?.endsWith('/openid-configuration')) {
			const base = `${authority.url}/${TENANT}`;
			return json(200, {
				issuer: `${base}/v2.0`,
				authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
				token_endpoint: `${base}/oauth2/v2.0/token`,
				jwks_uri: `${base}/discovery/v2.0/keys`,
			});
		}
		const form = new URLSearchParams(Buffer.concat(pieces).toString());
		forms.push(form);
		const refusal = authority.refusal ?? authority.judge(form);
		if (refusal === undefined)
			return json(200, { token_type: 'Bearer', expires_in: 3599, access_token: `access-${forms.length}` });
		return json(400, {
			error: 'invalid_client',
			error_description: `${refusal} Trace ID: 0a1b Correlation ID: 2c3d Timestamp: 2026-01-01 00:00:00Z`,
			error_codes: [Number(/\d+/.exec(refusal)?.[0])],
		});
	});
	await new Promise<void>((done) => server.listen(0, 'localhost', done));
	const authority: Authority = {
		url: `https://localhost:${(server.address() as AddressInfo).port}`,
		forms,
		refusal: undefined,
		judge: () => undefined,
		server,
	};
	return { authority, certificate: pems.cert };
}

let authority: Authority;
let untrusted: Authority;
const trustedBefore = getCACertificates('default');

beforeAll(async () => {
	const [one, other] = await Promise.all([startAuthority(), startAuthority()]);
	authority = one.authority;
	untrusted = other.authority;
	setDefaultCACertificates([...trustedBefore, one.certificate]);
});
afterAll(async () => {
	setDefaultCACertificates(trustedBefore);
	for (const { server } of [authority, untrusted]) {
		server.closeAllConnections();
		await new Promise((done) => server.close(done));
	}
});
beforeEach(() => {
	authority.refusal = undefined;
	authority.judge = () => undefined;
	authority.forms.length = 0;
});

interface Given {
	readonly at?: Authority;
	readonly idToken?: ((audience: string) => Promise<string>) | undefined;
	readonly masked?: string[];
}

function credentialFor(request: AuthRequest, { at = authority, idToken, masked = [] }: Given = {}) {
	const cloud = { ...customCloud('https://arm.example'), authority: at.url };
	return createCredential(request, { cloud, clock: systemClock, idToken, mask: (value) => masked.push(value) });
}

const bySecret: AuthRequest = {
	kind: 'service-principal',
	tenantId: TENANT,
	clientId: CLIENT,
	clientSecret: SECRET,
};
const byOidc: AuthRequest = { kind: 'oidc', tenantId: TENANT, clientId: CLIENT, audience: 'api://TestAudience' };

/** An unsigned token of GitHub's shape. */
function idTokenOf(turn: number, more: object = {}): string {
	const claims = {
		...more,
		sub: 'repo:octo/iris:ref:refs/heads/main',
		iss: 'https://token.example',
		aud: 'api://TestAudience',
	};
	const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
	return `${part({ alg: 'none', turn })}.${part(claims)}.signature`;
}

function readPayload(token: string): Record<string, unknown> {
	return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

const failureOf = (promise: Promise<unknown>): Promise<SignInError> =>
	promise.then(
		() => {
			throw new Error('signed in');
		},
		(error) => {
			expect(error).toBeInstanceOf(SignInError);
			return error;
		},
	);

describe('a service principal', () => {
	test('signs in by its secret; the token is masked before anybody has it', async () => {
		const masked: string[] = [];
		const token = await credentialFor(bySecret, { masked }).token(SCOPE);
		expect(masked).toEqual([token]);
		expect(authority.forms).toHaveLength(1);
		expect(Object.fromEntries(authority.forms[0] ?? [])).toMatchObject({
			grant_type: 'client_credentials',
			client_id: CLIENT,
			client_secret: SECRET,
		});
		expect(authority.forms[0]?.get('scope')).toContain(SCOPE);
	});

	test('answers a claims challenge by asking anew', async () => {
		const credential = credentialFor(bySecret);
		const first = await credential.token(SCOPE);
		const second = await credential.token(SCOPE, { claims: '{"access_token":{"nbf":{"essential":true}}}' });
		expect(second).not.toBe(first);
		expect(authority.forms[1]?.get('claims')).toContain('nbf');
	});
});

describe('GitHub OIDC', () => {
	test('signs in by an ID token for the audience, a new one for each access token', async () => {
		let turn = 0;
		const audiences: string[] = [];
		const credential = credentialFor(byOidc, {
			idToken: async (audience) => {
				audiences.push(audience);
				turn += 1;
				return idTokenOf(turn);
			},
		});
		await credential.token(SCOPE);
		await credential.token(SCOPE, { claims: '{"access_token":{"nbf":{"essential":true}}}' });
		const sent = authority.forms.map((form) => form.get('client_assertion'));
		// The library may ask GitHub more often than it signs in.
		const given = audiences.map((_, place) => idTokenOf(place + 1));
		expect([sent.length, new Set(sent).size]).toEqual([2, 2]);
		expect(given).toEqual(expect.arrayContaining(sent));
		expect(new Set(audiences)).toEqual(new Set(['api://TestAudience']));
	});

	test('for six hours asks for a new ID token at each renewal, as those live for five minutes', async () => {
		const timers = [
			'nextTick',
			'setImmediate',
			'clearImmediate',
			'setTimeout',
			'clearTimeout',
			'setInterval',
			'clearInterval',
			'performance',
			'hrtime',
			'queueMicrotask',
		] as const;
		jest.useFakeTimers({ now: Date.now(), doNotFake: [...timers] });
		try {
			authority.judge = (form) => {
				const made = Number(readPayload(form.get('client_assertion') ?? '')['iat']);
				return Date.now() - made < 5 * 60_000
					? undefined
					: 'AADSTS700024: Client assertion is not within its valid time range.';
			};
			let asked = 0;
			const idToken = async (): Promise<string> => {
				asked += 1;
				return idTokenOf(asked, { iat: Date.now() });
			};
			const credential = credentialFor(byOidc, { idToken });
			const tokens = new Set<string>();
			for (let minute = 0; minute <= 360; minute += 1) {
				tokens.add(await credential.token(SCOPE));
				// A renewal goes on beside those who are served by the old token.
				await new Promise((next) => setTimeout(next, 5));
				jest.setSystemTime(Date.now() + 60_000);
			}
			const assertions = authority.forms.map((form) => form.get('client_assertion'));
			expect(assertions.length).toBeGreaterThanOrEqual(6);
			expect(new Set(assertions).size).toBe(assertions.length);
			expect(tokens.size).toBeGreaterThanOrEqual(6);
		} finally {
			jest.useRealTimers();
		}
	});

	test('without the permission names it, and asks nobody', async () => {
		const error = await failureOf(credentialFor(byOidc).token(SCOPE));
		expect(error.what).toMatch(/^Sign-in with GitHub OIDC is not possible/);
		expect(error.next).toContain('id-token: write');
		expect(authority.forms).toEqual([]);
	});

	test('says when GitHub gives no ID token', async () => {
		const idToken = async (): Promise<string> => {
			throw new Error('Error Code : 503');
		};
		const error = await failureOf(credentialFor(byOidc, { idToken }).token(SCOPE));
		expect(error.message).toMatch(/^GitHub did not give an ID token.*503/);
	});

	test.each(['AADSTS70021', 'AADSTS700213', 'AADSTS700211', 'AADSTS700212'])(
		'%s tells the federated credential that is missing, from the ID token itself',
		async (code) => {
			authority.refusal = `${code}: No matching federated identity record found.`;
			const error = await failureOf(credentialFor(byOidc, { idToken: async () => idTokenOf(1) }).token(SCOPE));
			expect(error.next).toContain('repo:octo/iris:ref:refs/heads/main');
			expect(error.next).toContain('https://token.example');
			expect(error.next).toContain('api://TestAudience');
			expect(error.message).not.toContain(idTokenOf(1));
		},
	);
});

describe('a refusal', () => {
	test.each([
		['AADSTS7000215: Invalid client secret provided.', '`client-secret` is not a secret of this application'],
		['AADSTS7000222: The provided client secret keys are expired.', 'The secret has expired'],
		["AADSTS700016: Application with identifier 'x' was not found in the directory 'y'.", 'Check `client-id`'],
		["AADSTS90002: Tenant 'x' not found.", 'Check `tenant-id`'],
		['AADSTS53003: Access has been blocked by Conditional Access policies.', 'Conditional Access'],
		['AADSTS999999: Something new.', 'Check `tenant-id` and `client-id`'],
	])('%s', async (refusal, advice) => {
		authority.refusal = refusal;
		const error = await failureOf(credentialFor(bySecret).token(SCOPE));
		expect(error.what).toBe('Sign-in to TestCloud failed (service-principal).');
		expect(error.why).toContain(refusal);
		expect(error.why).not.toMatch(/Trace ID|Correlation ID|\n/);
		expect(error.next).toContain(advice);
		expect(error.message).not.toContain(SECRET);
	});

	test('of TLS names the host and the way to trust it', async () => {
		const error = await failureOf(credentialFor(bySecret, { at: untrusted }).token(SCOPE));
		expect(error.message).toContain(new URL(untrusted.url).host);
		expect(error.next).toContain('NODE_EXTRA_CA_CERTS');
	});
});

describe('the Azure CLI', () => {
	const signIn = async (insteadOf: 'nothing' | 'oidc'): Promise<SignInError> => {
		const path = process.env['PATH'];
		process.env['PATH'] = '';
		try {
			return await failureOf(credentialFor({ kind: 'azure-cli', tenantId: undefined, insteadOf }).token(SCOPE));
		} finally {
			process.env['PATH'] = path;
		}
	};

	test('that is not there leads to the ways that need none', async () => {
		const error = await signIn('nothing');
		expect(error.why).toContain('no usable session of the Azure CLI');
		expect(error.next).toMatch(/id-token: write.*client-secret.*azure\/login/);
	});

	test('as the last resort for OIDC leads to the permission', async () => {
		expect((await signIn('oidc')).message).toContain('id-token: write');
	});
});
