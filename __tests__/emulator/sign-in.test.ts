import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { defaultApplication } from '../../emulator/entra.ts';
import { defaultIdentity } from '../../emulator/github.ts';
import { Client, postForm, type Reply } from './client.ts';

let emulator: Emulator;
let now = Date.now();

beforeAll(async () => {
	emulator = await startEmulator({ clock: () => now });
});
afterAll(() => emulator.stop());
beforeEach(() => {
	now = Date.now();
	emulator.setGitHubIdentity(defaultIdentity());
	emulator.setApplication(defaultApplication());
});

function signIn(change: Record<string, string | undefined> = {}, tenant = emulator.tenantId): Promise<Reply> {
	const form: Record<string, string | undefined> = {
		grant_type: 'client_credentials',
		client_id: emulator.clientId,
		client_secret: emulator.clientSecret,
		scope: `${emulator.arm}/.default`,
		...change,
	};
	const given = Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
	return postForm(emulator, tenant, Object.fromEntries(given));
}

async function idToken(audience = 'api://AzureADTokenExchange'): Promise<string> {
	const url = `${emulator.github.idTokenRequestUrl}&audience=${encodeURIComponent(audience)}`;
	const headers = { Authorization: `Bearer ${emulator.github.idTokenRequestToken}`, Connection: 'close' };
	const answer = await fetch(url, { headers });
	return ((await answer.json()) as { value: string }).value;
}

function federated(assertion: string): Promise<Reply> {
	return signIn({
		client_secret: undefined,
		client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
		client_assertion: assertion,
	});
}

describe('client secret', () => {
	test('gives a token for the asked resource, which opens Resource Manager', async () => {
		const { status, body } = await signIn();
		expect(status).toBe(200);
		expect(body['expires_in']).toBe(3600);
		const claims = decodeJwt(body['access_token'] as string);
		expect(claims).toMatchObject({ aud: emulator.arm, tid: emulator.tenantId, appid: emulator.clientId });
		const client = await Client.signIn(emulator);
		expect((await client.arm('GET', '')).status).toBe(200);
	});

	test.each([
		['a wrong secret', { client_secret: 'wrong' }, 401, 7000215, 'invalid_client'],
		['no secret', { client_secret: undefined }, 401, 7000218, 'invalid_client'],
		[
			'an unknown application',
			{ client_id: 'ffffffff-0000-0000-0000-000000000000' },
			400,
			700016,
			'unauthorized_client',
		],
		['a scope without .default', { scope: 'https://management.azure.com' }, 400, 70011, 'invalid_scope'],
		['an unknown resource', { scope: 'https://elsewhere.example/.default' }, 400, 500011, 'invalid_resource'],
	])('refuses %s', async (_name, change, status, code, error) => {
		const reply = await signIn(change);
		expect(reply.status).toBe(status);
		expect(reply.body).toMatchObject({ error, error_codes: [code] });
		expect(reply.body['error_description']).toMatch(
			new RegExp(`^AADSTS${code}: .* Trace ID: \\S+ Correlation ID: \\S+ Timestamp: \\d{4}-\\d\\d-\\d\\d \\S+Z$`),
		);
	});

	test('refuses an unknown tenant', async () => {
		const reply = await signIn({}, 'aaaaaaaa-0000-0000-0000-000000000000');
		expect(reply.status).toBe(400);
		expect(reply.body['error_codes']).toEqual([90002]);
	});
});

describe('ID token of GitHub', () => {
	test('is exchanged for an access token', async () => {
		const token = await idToken();
		expect(decodeJwt(token)).toMatchObject({ sub: 'repo:octo-org/octo-repo:ref:refs/heads/main', event_name: 'push' });
		const { status, body } = await federated(token);
		expect(status).toBe(200);
		expect(decodeJwt(body['access_token'] as string).aud).toBe(emulator.arm);
	});

	test('is not given without the request token', async () => {
		const answer = await fetch(emulator.github.idTokenRequestUrl, { headers: { Connection: 'close' } });
		expect(answer.status).toBe(401);
		await answer.text();
	});

	test('of another subject is refused', async () => {
		emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:ref:refs/heads/side' });
		const reply = await federated(await idToken());
		expect(reply.status).toBe(401);
		expect(reply.body['error_codes']).toEqual([700213]);
		expect(reply.body['error_description']).toContain("subject 'repo:octo-org/octo-repo:ref:refs/heads/side'");
	});

	test('of another audience is refused', async () => {
		expect((await federated(await idToken('api://other'))).body['error_codes']).toEqual([700212]);
	});

	test('of another issuer is refused', async () => {
		emulator.setGitHubIdentity({ issuer: 'https://tokens.elsewhere.example' });
		expect((await federated(await idToken())).body['error_codes']).toEqual([700211]);
	});

	test('that has expired is refused', async () => {
		const token = await idToken();
		now += 301_000;
		expect((await federated(token)).body['error_codes']).toEqual([700024]);
	});

	test('with a changed signature is refused', async () => {
		const [head, claims] = (await idToken()).split('.');
		expect((await federated(`${head}.${claims}.${'A'.repeat(342)}`)).body['error_codes']).toEqual([700027]);
	});
});

describe("Microsoft's client library", () => {
	test('signs in with the environment that the emulator gives', async () => {
		const script = `
			import { ClientSecretCredential } from '@azure/identity';
			const [authorityHost, tenant, client, secret, scope] = process.argv.slice(1);
			const options = { authorityHost, disableInstanceDiscovery: true };
			const { token } = await new ClientSecretCredential(tenant, client, secret, options).getToken(scope);
			console.log(token);`;
		const { authority, tenantId, clientId, clientSecret, arm, env } = emulator;
		const inputs = [authority, tenantId, clientId, clientSecret, `${arm}/.default`];
		const options = { env: { ...process.env, ...env } };
		const args = ['--input-type=module', '--eval', script, '--', ...inputs];
		const { stdout } = await promisify(execFile)(process.execPath, args, options);
		expect(decodeJwt(stdout.trim()).aud).toBe(arm);
	});
});

describe('access token', () => {
	test('is required', async () => {
		const client = await Client.signIn(emulator);
		const url = `${emulator.arm}${client.workspace}?api-version=2025-09-01`;
		const missing = await fetch(url, { headers: { Connection: 'close' } });
		expect(missing.status).toBe(401);
		expect(missing.headers.get('www-authenticate')).toMatch(/^Bearer authorization_uri="https:\/\//);
		await missing.text();
		const nonsense = await client.send('GET', url, undefined, { Authorization: 'Bearer nonsense' });
		expect([nonsense.status, nonsense.body['error']]).toMatchObject([401, { code: 'InvalidAuthenticationToken' }]);
	});

	test('for another audience is refused by Resource Manager and the data plane', async () => {
		const client = await Client.signIn(emulator, 'https://ml.azure.com');
		const code = { code: 'InvalidAuthenticationTokenAudience' };
		for (const reply of [await client.arm('GET', ''), await client.data('GET', 'history/v1.0', '/runs/x/details')]) {
			expect([reply.status, reply.body['error']]).toMatchObject([401, code]);
		}
	});

	test('that has expired is refused', async () => {
		emulator.setApplication({ tokenLifeSeconds: 60 });
		const client = await Client.signIn(emulator);
		expect((await client.arm('GET', '')).status).toBe(200);
		now += 61_000;
		const reply = await client.arm('GET', '');
		expect([reply.status, reply.body['error']]).toMatchObject([401, { code: 'ExpiredAuthenticationToken' }]);
	});

	test('is recorded with the request, and so is the form that asked for it', async () => {
		const client = await Client.signIn(emulator);
		await client.arm('GET', '');
		const [asked, used] = emulator.requests.slice(-2);
		expect(asked).toMatchObject({
			face: 'entra',
			method: 'POST',
			body: { client_secret: emulator.clientSecret },
			status: 200,
		});
		expect(used).toMatchObject({ face: 'arm', query: { 'api-version': '2025-09-01' }, status: 200 });
		expect(used?.headers['authorization']).toBe(`Bearer ${client.token}`);
	});
});
