// An emulator for clients in Python: TLS on every face that they use, the proxy to names below localhost, and a python
// of one's own for jobs.

import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as sendPlain } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { at, type Json, postForm } from './client.ts';

const folder = mkdtempSync(join(tmpdir(), 'emulator-tls-'));
let emulator: Emulator;
let token: string;

beforeAll(async () => {
	// Stands for the python of a virtual environment: it tells that it was the one.
	const python = join(folder, 'python3');
	writeFileSync(python, '#!/bin/sh\necho "own python $*"\n');
	chmodSync(python, 0o755);
	emulator = await startEmulator({ tls: true, python, jobStateDelayMs: 5 });
	token = String((await signIn(emulator.arm)).body['access_token']);
});

afterAll(async () => {
	await emulator?.stop();
	rmSync(folder, { recursive: true, force: true });
});

test('Resource Manager and storage speak TLS with the one certificate', async () => {
	expect([emulator.arm, emulator.storage, emulator.authority].map((url) => new URL(url).protocol)).toEqual(
		Array.from({ length: 3 }, () => 'https:'),
	);
	const reply = await call('GET', `${emulator.storage}/emulatorstore?comp=list`);
	expect(reply.status).toBe(403);
	const datastore = await arm('GET', '/datastores/workspaceblobstore');
	expect(at(datastore.body, 'properties')).toMatchObject({
		protocol: 'https',
		endpoint: `core.localhost:${new URL(emulator.storage).port}`,
	});
});

test('the metadata of the cloud name every address that azure-ai-ml asks for', async () => {
	const { status, body } = await call('GET', emulator.env['ARM_CLOUD_METADATA_URL'] ?? '');
	expect(status).toBe(200);
	expect(at(body, 0)).toMatchObject({
		resourceManager: emulator.arm,
		authentication: { loginEndpoint: emulator.authority },
		suffixes: { storage: `core.localhost:${new URL(emulator.storage).port}` },
	});
});

test('the certificates for Python are the own one and those that are trusted anyway', () => {
	const bundle = readFileSync(emulator.env['REQUESTS_CA_BUNDLE'] ?? '', 'utf8');
	expect(bundle).toContain(readFileSync(emulator.caFile, 'utf8').trim());
	expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
});

test('a token for the public Resource Manager is taken, one for the storage is not', async () => {
	for (const [resource, status] of [
		['https://management.azure.com', 200],
		['https://storage.azure.com', 401],
	] as const) {
		const other = String((await signIn(resource)).body['access_token']);
		expect((await arm('GET', '', undefined, other)).status).toBe(status);
	}
});

test.each([
	['the account below localhost', () => `emulatorstore.blob.core.localhost:${new URL(emulator.storage).port}`, 200],
	['the account in the public cloud', () => 'emulatorstore.blob.core.windows.net:443', 200],
	['another machine', () => 'example.com:443', 403],
	['a name that only ends alike', () => 'evil-localhost:443', 403],
	['another account', () => 'other.blob.core.windows.net:443', 403],
])('the proxy and %s', async (_what, target, status) => {
	expect(await tunnel(target())).toBe(status);
});

test('the proxy takes nothing but CONNECT', async () => {
	const reply = await new Promise<number>((resolve, reject) => {
		const sent = sendPlain(emulator.env['HTTPS_PROXY'] ?? '', { agent: false }, (answer) => {
			answer.resume();
			resolve(answer.statusCode ?? 0);
		});
		sent.on('error', reject);
		sent.end();
	});
	expect(reply).toBe(403);
});

test('a job runs with the python chosen, and gets an azureml:// address with a token that works', async () => {
	const scope = `/subscriptions/${emulator.subscriptionId}/resourceGroups/${emulator.resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${emulator.workspace}`;
	const body = {
		properties: {
			jobType: 'Command',
			command:
				'python3 train.py; echo "$MLFLOW_TRACKING_URI $REQUESTS_CA_BUNDLE"; mkdir -p outputs; echo "$MLFLOW_TRACKING_TOKEN" > outputs/t',
			environmentId: `${scope}/environments/python-stdlib/versions/1`,
			computeId: `${scope}/computes/cpu-cluster`,
		},
	};
	expect((await arm('PUT', '/jobs/own-python', body)).status).toBe(201);
	while (!/Completed|Failed/.test(String(at((await arm('GET', '/jobs/own-python')).body, 'properties', 'status')))) {}
	const read = async (name: string) =>
		String(await emulator.readBlob('azureml', `ExperimentRun/dcid.own-python/${name}`));
	const log = await read('user_logs/std_log.txt');
	expect(log).toContain('own python train.py');
	expect(log).toContain(
		`azureml://${new URL(emulator.arm).host}/mlflow/v1.0${scope} ${emulator.env['REQUESTS_CA_BUNDLE']}`,
	);
	const run = `${emulator.arm}/mlflow/v2.0${scope}/api/2.0/mlflow/runs/get?run_id=own-python`;
	const { body: answer } = await call('GET', run, undefined, (await read('outputs/t')).trim());
	expect(at(answer, 'run', 'info', 'artifact_uri')).toBe(
		`azureml://${new URL(emulator.arm).host}/mlflow/v2.0${scope}/experiments/Default/runs/own-python/artifacts`,
	);
});

test('run history gives an address to write a new artifact to, which is listed then', async () => {
	const runs = `/history/v1.0${workspace()}/experiments/Default/runs/own-python/artifacts`;
	const asked = await call('POST', `${emulator.arm}${runs}/batch/metadata`, { paths: [{ path: 'plots/a.txt' }] });
	const address = String(at(asked.body, 'artifactContentInformation', 'plots/a.txt', 'contentUri'));
	const put = await call('PUT', address, 'drawn', '', { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2022-11-02' });
	expect(put.status).toBe(201);
	const listed = await call('GET', `${emulator.arm}${runs}`);
	expect((listed.body['value'] as Json[]).map(({ path }) => path)).toContain('plots/a.txt');
});

test('Python trusts the certificate and reads the metadata', async () => {
	const script =
		'import os, ssl, urllib.request\n' +
		'address = os.environ["ARM_CLOUD_METADATA_URL"]\n' +
		'context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])\n' +
		'opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))\n' +
		'print(opener.open(address).status)\n';
	const { NODE_EXTRA_CA_CERTS: _, ...env } = emulator.env;
	const run = await runAside('python3', ['-c', script], { ...env, PATH: process.env['PATH'] ?? '' });
	expect(run).toBe('200\n');
});

/** The emulator answers from this process, so that a program must not be waited for by blocking. */
function runAside(program: string, args: string[], env: Record<string, string>): Promise<string> {
	return new Promise((resolve, reject) => {
		execFile(program, args, { env }, (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout)));
	});
}

function workspace(): string {
	return `/subscriptions/${emulator.subscriptionId}/resourceGroups/${emulator.resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${emulator.workspace}`;
}

function signIn(resource: string): Promise<{ body: Json }> {
	return postForm(emulator, emulator.tenantId, {
		grant_type: 'client_credentials',
		client_id: emulator.clientId,
		client_secret: emulator.clientSecret,
		scope: `${resource}/.default`,
	});
}

function arm(method: string, path: string, body?: unknown, as = token): Promise<{ status: number; body: Json }> {
	return call(method, `${emulator.arm}${workspace()}${path}?api-version=2025-09-01`, body, as);
}

function call(
	method: string,
	url: string,
	body?: unknown,
	as = token,
	headers: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
	const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
	const sent = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...headers };
	const authorization: Record<string, string> = as === '' ? {} : { Authorization: `Bearer ${as}` };
	return new Promise((resolve, reject) => {
		const options = { method, ca: readFileSync(emulator.caFile), agent: false, headers: { ...sent, ...authorization } };
		const asking = request(url, options, (answer) => {
			let said = '';
			answer.setEncoding('utf8').on('data', (part: string) => {
				said += part;
			});
			answer.on('end', () => {
				const isJson = /json/.test(answer.headers['content-type'] ?? '');
				resolve({ status: answer.statusCode ?? 0, body: (isJson ? JSON.parse(said) : {}) as Json });
			});
		});
		asking.on('error', reject);
		asking.end(text);
	});
}

/** Opens a tunnel, and TLS with the emulator's certificate in it; gives the status of CONNECT. */
function tunnel(target: string): Promise<number> {
	const { hostname, port } = new URL(emulator.env['HTTPS_PROXY'] ?? '');
	return new Promise((resolve, reject) => {
		const asking = sendPlain({ host: hostname, port, method: 'CONNECT', path: target, agent: false });
		asking.on('connect', (answer, socket) => {
			if (answer.statusCode !== 200) {
				socket.destroy();
				return resolve(answer.statusCode ?? 0);
			}
			const servername = target.replace(/:\d+$/, '');
			const secure = connectTls({ socket, servername, ca: readFileSync(emulator.caFile) }, () => {
				secure.destroy();
				resolve(200);
			});
			secure.on('error', reject);
		});
		asking.on('error', reject);
		asking.end();
	});
}
