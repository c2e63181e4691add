// Cases 50 to 55 of the fault table: where requests may go, and what answers may be.
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import { readActionFile } from '../../scripts/action-file.ts';
import { knownCloud, mayReceiveToken } from '../../src/azure/cloud.ts';
import { createHttp, type HttpParts } from '../../src/azure/http.ts';
import { connectWorkspace } from '../../src/azure/workspace.ts';
import { messageOf } from '../../src/errors.ts';
import { findRunDetails } from '../../src/job/job.ts';
import { type Loopback, type Reply, serve } from '../fixtures/loopback.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';
import { connected, layers, TARGET, WORKSPACE_ID } from '../fixtures/workspace.ts';
import { judge } from './judge.ts';
import { UploadScene } from './upload-scene.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

/** A server of somebody else, at a name that is not the service's. */
async function evilServer(reply: Reply = { body: { value: [] } }): Promise<Loopback> {
	const evil = await serve(() => reply);
	closing.push(() => evil.close());
	return { ...evil, url: evil.url.replace('127.0.0.1', 'evil.localhost') };
}

/** What the evil server got that it must not have. */
const stolen = ({ asked }: Loopback): string[] =>
	judge({
		sinks: { 'evil server': asked.map(({ path, headers, body }) => path + JSON.stringify(headers) + body).join('\n') },
		canaries: new Map([['the-token', 'token']]),
		requests: {
			sent: asked.map(({ method, path, headers }) => ({
				host: 'evil',
				line: `${method} ${path}`,
				headers: headers as Record<string, string>,
			})),
			mayHaveToken: () => false,
		},
	});

async function open(answer: Parameters<typeof layers>[0]) {
	const one = await layers(answer);
	closing.push(() => one.close());
	return one;
}

describe('case 50 X-evil-nextlink', () => {
	/** Addresses that look like the resource manager's own, where HOST is that. */
	const WAYS: Readonly<Record<string, (evil: string, own: string) => string>> = {
		'another host': (evil) => `${evil}/subscriptions/s?page=2`,
		userinfo: (evil, own) => `http://${new URL(own).host}@${new URL(evil).host}/subscriptions/s`,
		'a suffix that looks alike': (evil, own) => `http://${new URL(own).hostname}.${new URL(evil).host}/subscriptions/s`,
		'no scheme': (evil) => `//${new URL(evil).host}/subscriptions/s`,
		backslashes: (evil) => `http:\\\\${new URL(evil).host}\\subscriptions\\s`,
		'another scheme': (evil) => evil.replace('http:', 'ftp:'),
	};

	test.each(Object.entries(WAYS))('a next page at %s is refused, and nothing is sent there', async (_, way) => {
		const evil = await evilServer();
		const one = await open(() => ({ body: { value: [{ name: 'a' }], nextLink: way(evil.url, one.server.url) } }));
		const walk = async (): Promise<void> => {
			for await (const item of one.arm.list(`${WORKSPACE_ID}/jobs`, { doing: 'list the jobs' }))
				expect(item).toBeDefined();
		};
		await expect(walk()).rejects.toThrow(/token was not sent to/);
		expect([evil.asked.length, stolen(evil)]).toEqual([0, []]);
	});

	test.each(['azure-asyncoperation', 'operation-location', 'location'])(
		'an operation at another host, by %s, is refused',
		async (header) => {
			const evil = await evilServer({ body: { status: 'Succeeded' } });
			const one = await open(() => ({ status: 202, headers: { [header]: `${evil.url}/operation` } }));
			const path = `${WORKSPACE_ID}/onlineEndpoints/iris`;
			const call = { doing: 'create the endpoint "iris"' };
			const answer = await one.arm.put(path, {}, call);
			await expect(one.arm.settle(path, answer, call)).rejects.toThrow(/token was not sent to evil\.localhost/);
			expect([evil.asked.length, stolen(evil)]).toEqual([0, []]);
		},
	);

	test('the log at an address that is not public is not read, and that is told', async () => {
		const one = await connected(() => ({
			body: { status: 'Running', logFiles: { 'user_logs/std_log.txt': 'https://169.254.169.254/x' } },
		}));
		closing.push(() => one.close());
		const details = await findRunDetails({ ...one.workspace, cloud: { ...one.cloud, custom: false } }, 'iris');
		expect([details?.logFiles.size, details?.warnings.join()]).toEqual([0, expect.stringContaining('169.254.169.254')]);
	});

	test.each([
		'http://management.azure.com/',
		'https://management.azure.com@evil.example/',
		'https://management.azure.com.evil.example/',
		'https://management.azure.com:8443/',
		'https://xn--mnagement-x2a.azure.com/',
		'https://m\u0430nagement.azure.com/',
		'//management.azure.com/',
		'https:\\\\evil.example\\management.azure.com',
		'https://evil.example/?https://management.azure.com/',
		'https://evilmanagement.azure.com/',
	])('%s is none of the public cloud', (address) => {
		const cloud = knownCloud('AzureCloud');
		expect(cloud && mayReceiveToken(cloud, address)).toBe(false);
	});
});

describe('case 51 X-evil-redirect', () => {
	test.each([301, 302, 303, 307, 308])(
		'a redirect (%d) to another host, and one without end, are answers and not ways',
		async (status) => {
			const evil = await evilServer();
			let own = '';
			const one = await open(({ path }) => ({
				status,
				headers: { location: path.includes('loop') ? `${own}${path}` : `${evil.url}/x` },
			}));
			own = one.server.url;
			for (const name of ['iris', 'loop']) {
				const call = one.arm.get(`${WORKSPACE_ID}/jobs/${name}`, { doing: 'look at the job' });
				await expect(call).rejects.toThrow(/redirect, which is not followed/);
			}
			expect([one.server.asked.length, evil.asked.length, stolen(evil)]).toEqual([2, 0, []]);
		},
	);
});

describe('case 52 X-ssrf-yaml', () => {
	const INNER = [
		'http://169.254.169.254/metadata',
		'http://localhost.evil.example/',
		'https://10.0.0.7/',
		'https://[::1]:8080/',
	];

	test.each(INNER)('a workspace whose services are said to be at %s gets no token there', async (address) => {
		const one = await open(({ path }) =>
			path.startsWith(`${WORKSPACE_ID}?`)
				? { body: { properties: { discoveryUrl: `${one.server.url}/d` } } }
				: { body: { api: address, history: address } },
		);
		const workspace = await connectWorkspace(TARGET, one);
		const call = workspace.data('/history/v1.0', '/runs/iris/details', { doing: 'read the run', retry: false });
		await expect(call).rejects.toThrow(/token was not sent|discovery|not belong/i);
	});

	test.each(INNER.slice(0, 3))('code is not uploaded to %s', async (address) => {
		const scene = await UploadScene.open({ 'src/a.py': 'a' });
		closing.push(() => scene.close());
		scene.site.answer = (_, below) =>
			below.endsWith('/startPendingUpload')
				? {
						status: 200,
						body: {
							blobReferenceForConsumption: {
								blobUri: address,
								credential: { credentialType: 'SAS', sasUri: `${address}?sig=code%2Fsecret` },
							},
						},
					}
				: undefined;
		expect((await scene.upload()).broken({ code: 1, says: /nothing is sent there|not .*storage/i })).toEqual([]);
	});
});

async function listen(server: Server): Promise<number> {
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	closing.push(async () => {
		server.closeAllConnections();
		await new Promise((done) => server.close(done));
	});
	return (server.address() as AddressInfo).port;
}

/** Sends once. @returns the failure, or the answer */
async function sendTo(url: string, parts: Partial<HttpParts> = {}, largest?: number): Promise<string> {
	const http = createHttp({ clock: virtualClock(), userAgent: 'test/1', ...parts });
	closing.unshift(() => http.close());
	const request = { method: 'GET', url, retry: false, ...(largest === undefined ? {} : { largest }) } as const;
	return http.send(request).then(({ status, body }) => `${status} ${body.length}`, messageOf);
}

describe('case 53 X-proxy', () => {
	const NAMES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];
	const before = NAMES.map((name) => [name, process.env[name]] as const);
	beforeEach(() => {
		for (const name of NAMES) delete process.env[name];
	});
	afterEach(() => {
		for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
	});

	test('HTTPS_PROXY gets its credentials, NO_PROXY keeps hosts away from it, and no message holds the password', async () => {
		const asked: string[] = [];
		const proxy = createServer();
		proxy.on('connect', ({ url, headers }, socket: Socket) => {
			asked.push(`${url} ${headers['proxy-authorization']}`);
			socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
		});
		process.env['HTTPS_PROXY'] = `http://runner:open-sesame@127.0.0.1:${await listen(proxy)}`;
		process.env['NO_PROXY'] = '.azure.invalid';
		const said = [
			await sendTo('https://management.azure.example/x'),
			await sendTo('https://management.azure.invalid/'),
		];
		expect(asked).toEqual([`management.azure.example:443 Basic ${btoa('runner:open-sesame')}`]);
		expect(
			judge({ sinks: { errors: said.join() }, canaries: new Map([['open-sesame', 'password of the proxy']]) }),
		).toEqual([]);
	});
});

describe('case 54 X-tls', () => {
	const trusted = getCACertificates('default');
	afterEach(() => setDefaultCACertificates(trusted));

	test.each<[string, { name?: string; days?: number; trust?: boolean }, RegExp]>([
		['signed by itself', { trust: false }, /self-signed|not trusted|cannot be verified/],
		['for another host', { name: 'other.example' }, /for another host/],
		['over', { days: -1 }, /has expired/],
	])('a certificate that is %s is refused', async (_, { name = 'localhost', days = 1, trust = true }, why) => {
		const pems = await generate([{ name: 'commonName', value: name }], {
			keySize: 2048,
			notBeforeDate: new Date(Date.now() - 3 * 86_400_000),
			notAfterDate: new Date(Date.now() + days * 86_400_000),
			extensions: [
				{ name: 'basicConstraints', cA: true },
				{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
			],
		});
		// Nothing but the one fault may be why it is refused.
		if (trust) setDefaultCACertificates([...trusted, pems.cert]);
		let asked = 0;
		const server = createTlsServer({ key: pems.private, cert: pems.cert }, (_request, response) => {
			asked += 1;
			response.end();
		});
		const said = await sendTo(`https://localhost:${await listen(server)}/`);
		expect([asked, said]).toEqual([0, expect.stringMatching(why)]);
	});

	test('no input turns that off', () => {
		const { inputs } = readActionFile(join(import.meta.dirname, '../../action.yml'));
		expect(inputs.map(({ name }) => name).filter((name) => /insecure|ignore|verify|tls|ssl|cert/.test(name))).toEqual(
			[],
		);
	});
});

describe('case 55 X-huge-response', () => {
	test('an answer without end, one that grows when unpacked, one that drips, and endless headers are cut off', async () => {
		const MIB = 1024 * 1024;
		let sent = 0;
		const server = createServer(({ url }, response) => {
			const piece = Buffer.alloc(MIB);
			const pour = (): void => {
				while (!response.destroyed && response.write(piece)) sent += 1;
			};
			if (url === '/endless') {
				response.on('drain', pour);
				pour();
			}
			if (url === '/bomb')
				response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 * MIB)));
			if (url === '/drip') {
				const drip = setInterval(() => response.write('.'), 5);
				response.on('close', () => clearInterval(drip));
			}
			if (url === '/headers') {
				for (let n = 0; n < 4_000; n += 1) response.setHeader(`x-header-${n}`, 'v'.repeat(20));
				response.end();
			}
		});
		const base = `http://127.0.0.1:${await listen(server)}`;
		const before = process.memoryUsage.rss();
		expect(await sendTo(`${base}/endless`, {}, 8 * MIB)).toMatch(/larger than/);
		// What is packed is not unpacked: it stays as small as it came.
		expect(await sendTo(`${base}/bomb`)).toMatch(/^200 \d{4,6}$/);
		expect(await sendTo(`${base}/drip`, { longestAttempt: 60 })).toMatch(/cannot be reached/);
		expect(await sendTo(`${base}/headers`)).toMatch(/cannot be reached/);
		expect(sent).toBeLessThan(64);
		expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(192);
	});
});
