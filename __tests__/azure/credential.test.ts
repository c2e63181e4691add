// Signs in for real, by Microsoft's own library, at an authority on loopback that refuses as Entra does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
	/** Whether it has a document about itself. */
	documented: boolean;
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
			if (!authority.documented) return json(404, {});
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
		documented: true,
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
	authority.documented = true;
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

	test('signs in once more where a service refuses the token that it has', async () => {
		const credential = credentialFor(bySecret);
		const first = await credential.token(SCOPE);
		const second = await credential.token(SCOPE, { refused: first });
		expect(second).not.toBe(first);
		expect(authority.forms).toHaveLength(2);
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
		expect(sent).toEqual([idTokenOf(1), idTokenOf(2)]);
		expect(audiences).toEqual(['api://TestAudience', 'api://TestAudience']);
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

/** An authority by http that has nothing but the documented token endpoint, or what is handed over. */
async function withPlainAuthority<T>(
	documentOf: ((url: string) => object) | undefined,
	work: (url: string, asked: string[]) => Promise<T>,
): Promise<T> {
	const asked: string[] = [];
	const server = createHttpServer((request, response) => {
		const path = request.url?.split('?')[0] ?? '';
		asked.push(`${request.method} ${path}`);
		request.resume();
		const document = path.endsWith('/openid-configuration') ? documentOf?.(url) : undefined;
		const token = { token_type: 'Bearer', expires_in: 3599, access_token: 'by-http' };
		const body = request.method === 'POST' && path === `/${TENANT}/oauth2/v2.0/token` ? token : document;
		response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
		response.end(body === undefined ? '' : JSON.stringify(body));
	});
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	try {
		return await work(url, asked);
	} finally {
		server.closeAllConnections();
		await new Promise((done) => server.close(done));
	}
}

describe('the authority of a custom cloud', () => {
	const at = (url: string): Authority => ({ ...authority, url });

	test('may be http on loopback, and have no document about itself', async () => {
		await withPlainAuthority(undefined, async (url, asked) => {
			expect(await credentialFor(bySecret, { at: at(url) }).token(SCOPE)).toBe('by-http');
			expect(asked.at(-1)).toBe(`POST /${TENANT}/oauth2/v2.0/token`);
		});
	});

	test('on loopback is asked past a proxy of the environment', async () => {
		await withPlainAuthority(undefined, async (url) => {
			const proxy = { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' };
			const signIn = (): Promise<string> => credentialFor(bySecret, { at: at(url) }).token(SCOPE);
			expect(await withEnvironment(proxy, signIn)).toBe('by-http');
		});
	});

	test('by http gets the secret itself, whatever its document names', async () => {
		await withPlainAuthority(
			() => ({
				issuer: 'http://elsewhere.example/v2.0',
				authorization_endpoint: 'http://elsewhere.example/authorize',
				token_endpoint: 'http://elsewhere.example/token',
				jwks_uri: 'http://elsewhere.example/keys',
			}),
			async (url) => expect(await credentialFor(bySecret, { at: at(url) }).token(SCOPE)).toBe('by-http'),
		);
	});

	test('by https may have no document either', async () => {
		authority.documented = false;
		expect(await credentialFor(bySecret).token(SCOPE)).toMatch(/^access-/);
	});
});

/** What the environment holds while the work is done. */
async function withEnvironment<T>(values: Record<string, string>, work: () => Promise<T>): Promise<T> {
	const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
	Object.assign(process.env, values);
	try {
		return await work();
	} finally {
		for (const [name, value] of before) {
			if (value === undefined) delete process.env[name];
			else process.env[name] = value;
		}
	}
}

// One endpoint for all, asked as on App Service, whose environment names it: the library keeps both, and tokens, for good.
describe('a managed identity', () => {
	const queries: URLSearchParams[] = [];
	let status = 200;
	const endpoint = createHttpServer((request, response) => {
		queries.push(new URL(request.url ?? '', 'http://localhost').searchParams);
		const expires = Math.floor(Date.now() / 1000) + 3600;
		const token = {
			access_token: 'of-the-machine',
			expires_on: String(expires),
			token_type: 'Bearer',
			resource: SCOPE,
		};
		response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(status === 200 ? token : {}));
	});
	beforeAll(() => new Promise<void>((done) => endpoint.listen(0, '127.0.0.1', done)));
	beforeEach(() => {
		queries.length = 0;
	});
	afterAll(async () => {
		endpoint.closeAllConnections();
		await new Promise((done) => endpoint.close(done));
	});
	const onMachine = <T>(work: () => Promise<T>): Promise<T> => {
		const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`;
		return withEnvironment({ IDENTITY_ENDPOINT: url, IDENTITY_HEADER: 'the-header' }, work);
	};

	test.each([undefined, CLIENT])('is the one that is meant (%s)', async (clientId) => {
		const masked: string[] = [];
		const credential = credentialFor({ kind: 'managed-identity', clientId }, { masked });
		expect(await onMachine(() => credential.token(SCOPE))).toBe('of-the-machine');
		expect(masked).toEqual(['of-the-machine']);
		expect(queries.map((query) => query.get('client_id'))).toEqual([clientId ?? null]);
	});

	test('that gives nothing leads to the machine', async () => {
		status = 400;
		const credential = credentialFor({ kind: 'managed-identity', clientId: TENANT });
		const error = await onMachine(() => failureOf(credential.token(SCOPE)));
		expect(queries.length).toBeGreaterThan(0);
		expect(error.what).toBe('Sign-in to TestCloud failed (managed-identity).');
		expect(error.next).toContain('self-hosted runners in Azure only');
	});
});

describe('the Azure CLI', () => {
	test.each([undefined, TENANT])('is asked for the tenant that is meant (%s)', async (tenantId) => {
		const folder = mkdtempSync(join(tmpdir(), 'az-'));
		const expires = Math.floor(Date.now() / 1000) + 3600;
		const answer = JSON.stringify({ accessToken: 'of-the-cli', expires_on: expires, tokenType: 'Bearer' });
		// A stand-in that writes down what it was asked.
		writeFileSync(join(folder, 'az'), `#!/bin/sh\necho "$@" >> '${folder}/asked'\necho '${answer}'\n`, { mode: 0o755 });
		try {
			const path = `${folder}:${process.env['PATH']}`;
			const request = { kind: 'azure-cli', tenantId, insteadOf: 'nothing' } as const;
			expect(await withEnvironment({ PATH: path }, () => credentialFor(request).token(SCOPE))).toBe('of-the-cli');
			const words = readFileSync(join(folder, 'asked'), 'utf8').trim().split(' ');
			expect(words).toEqual(expect.arrayContaining(['get-access-token', 'https://arm.example']));
			const at = words.indexOf('--tenant');
			expect(at < 0 ? undefined : words[at + 1]).toBe(tenantId);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	const signIn = (insteadOf: 'nothing' | 'oidc'): Promise<SignInError> =>
		withEnvironment({ PATH: '' }, () =>
			failureOf(credentialFor({ kind: 'azure-cli', tenantId: undefined, insteadOf }).token(SCOPE)),
		);

	test('that is not there leads to the ways that need none', async () => {
		const error = await signIn('nothing');
		expect(error.why).toContain('no usable session of the Azure CLI');
		expect(error.next).toMatch(/id-token: write.*client-secret.*azure\/login/);
	});

	test('as the last resort for OIDC leads to the permission', async () => {
		expect((await signIn('oidc')).message).toContain('id-token: write');
	});
});
