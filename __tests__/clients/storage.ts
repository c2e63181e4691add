// @azure/storage-blob against the emulator's storage, by account key and by SAS, in whole and in blocks as azcopy uploads.

import { deepStrictEqual, ok } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
	BlobServiceClient,
	BlockBlobClient,
	ContainerClient,
	ContainerSASPermissions,
	generateBlobSASQueryParameters,
	StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { Emulator } from '../../emulator/emulator.ts';
import { openClient } from '../e2e/azure-client.ts';
import { type Outcome, Session } from './session.ts';

const CONTAINER = 'azureml-blobstore';
const BLOCK = 1024 * 1024;

/** Runs the operations. The emulator must be one without TLS: node takes certificates at its start alone. */
export async function storageClient(emulator: Emulator): Promise<Outcome[]> {
	const session = new Session(`@azure/storage-blob ${versionOf('@azure/storage-blob')}`);
	const arm = await openClient(emulator);
	const datastore = await arm.get('/datastores/workspaceblobstore');
	const { accountName } = datastore['properties'] as { accountName: string };
	const secrets = await arm.post('/datastores/workspaceblobstore/listSecrets');
	const key = new StorageSharedKeyCredential(accountName, String(secrets['key']));
	const account = `${emulator.storage}/${accountName}`;
	const byKey = new BlobServiceClient(account, key).getContainerClient(CONTAINER);
	const sas = generateBlobSASQueryParameters(
		{
			containerName: CONTAINER,
			permissions: ContainerSASPermissions.parse('racwdl'),
			expiresOn: new Date(Date.now() + 3_600_000),
		},
		key,
	);
	const bySas = new ContainerClient(`${account}/${CONTAINER}?${sas}`);
	for (const [name, container] of [
		['account key', byKey],
		['SAS', bySas],
	] as const) {
		await session.operation(`${name}: upload, list, download, delete`, () => wholeBlob(container, name));
		await session.operation(`${name}: blocks out of order, committed once (as azcopy)`, () => blocks(container, name));
		await session.operation(`${name}: uploadData in parallel blocks, read in ranges`, () => parallel(container, name));
	}
	await session.operation('no credential, wrong key, expired SAS: refused', () => refused(account, accountName, key));
	return session.outcomes;
}

async function wholeBlob(container: ContainerClient, name: string): Promise<void> {
	const blob = container.getBlockBlobClient(`clients/${name}/hello world.txt`);
	await blob.upload('hello', 5, { metadata: { hash_sha256: 'abc' }, conditions: { ifNoneMatch: '*' } });
	await rejects(() => blob.upload('again', 5, { conditions: { ifNoneMatch: '*' } }), 409);
	const names: string[] = [];
	for await (const one of container.listBlobsFlat({ prefix: `clients/${name}/` })) names.push(one.name);
	deepStrictEqual(names, [blob.name]);
	deepStrictEqual((await blob.getProperties()).metadata, { hash_sha256: 'abc' });
	deepStrictEqual((await blob.downloadToBuffer()).toString(), 'hello');
	await blob.delete();
	ok(!(await blob.exists()), 'the blob is gone');
}

/** Put Block in any order, several at a time, then one Put Block List. */
async function blocks(container: ContainerClient, name: string): Promise<void> {
	const content = randomBytes(3 * BLOCK + 17);
	const blob = container.getBlockBlobClient(`clients/${name}/blocks.bin`);
	const parts = Array.from({ length: 4 }, (_, at) => content.subarray(at * BLOCK, (at + 1) * BLOCK));
	const ids = parts.map((_, at) => Buffer.from(`block-${String(at).padStart(5, '0')}`).toString('base64'));
	await Promise.all(parts.map((part, at) => blob.stageBlock(ids[at] ?? '', part, part.length)).reverse());
	const before = await blob.getBlockList('all');
	deepStrictEqual([before.uncommittedBlocks?.length, before.committedBlocks?.length ?? 0], [4, 0]);
	const md5 = createHash('md5').update(content).digest();
	await blob.commitBlockList(ids, { blobHTTPHeaders: { blobContentMD5: md5 } });
	const { contentMD5, contentLength } = await blob.getProperties();
	deepStrictEqual([Buffer.from(contentMD5 ?? []), contentLength], [md5, content.length]);
	ok((await blob.downloadToBuffer()).equals(content), 'the content is the same');
}

async function parallel(container: ContainerClient, name: string): Promise<void> {
	const content = randomBytes(5 * BLOCK);
	const blob = container.getBlockBlobClient(`clients/${name}/parallel.bin`);
	await blob.uploadData(content, { blockSize: BLOCK, concurrency: 4, maxSingleShotSize: BLOCK });
	const part = await blob.downloadToBuffer(BLOCK - 5, 10);
	ok(part.equals(content.subarray(BLOCK - 5, BLOCK + 5)), 'a range is the same');
}

async function refused(account: string, name: string, key: StorageSharedKeyCredential): Promise<void> {
	const options = { retryOptions: { maxTries: 1 } };
	const url = `${account}/${CONTAINER}/clients/refused.txt`;
	const wrong = new StorageSharedKeyCredential(name, Buffer.from('another key').toString('base64'));
	const over = generateBlobSASQueryParameters(
		{
			containerName: CONTAINER,
			permissions: ContainerSASPermissions.parse('w'),
			expiresOn: new Date(Date.now() - 60_000),
		},
		key,
	);
	for (const blob of [
		new BlockBlobClient(url, undefined, options),
		new BlockBlobClient(url, wrong, options),
		new BlockBlobClient(`${url}?${over}`, undefined, options),
	])
		await rejects(() => blob.upload('x', 1), 403);
}

async function rejects(work: () => Promise<unknown>, status: number): Promise<void> {
	const got = await work().then(
		() => 'no error',
		(error: { statusCode?: number }) => error.statusCode,
	);
	deepStrictEqual(got, status);
}

function versionOf(name: string): string {
	const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
	return String(JSON.parse(readFileSync(file, 'utf8')).version);
}
