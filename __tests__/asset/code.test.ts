import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Dependency } from '../../src/asset/dependency.ts';
import { AssetSite, WORKSPACE_ID } from './site.ts';

let site: AssetSite;
afterEach(() => site.close());

const code = (below: string): Dependency => ({
	need: 'code',
	path: path.join(site.checkout, below),
	written: below,
	at: { file: 'job.yml', line: 3 },
});

const SAMPLE = { 'src/train.py': 'print("a")\n', 'src/sub/B.txt': 'b\n', 'src/sub/a.txt': 'a\n', 'src/empty.txt': '' };
const SAMPLE_HASH = 'b6e0925cef66af06076f830996ba21005aa0a6a5011c274a423f1b0f34adb505';

describe('a folder of code', () => {
	test('goes to the place that the service gives, then becomes a version with its hash', async () => {
		site = await AssetSite.open(SAMPLE);
		const publisher = site.publisher();
		await publisher.publish([code('src')]);
		expect(site.lines()).toEqual([
			'GET codes/<code>/versions',
			'POST codes/<code>/versions/1/startPendingUpload',
			'PUT codes/<code>/versions/1',
		]);
		expect(site.server.requests[0]?.query).toMatchObject({ hash: SAMPLE_HASH, hashVersion: '202208' });
		expect(site.blobs()).toEqual([
			'/code-1/src/empty.txt',
			'/code-1/src/sub/B.txt',
			'/code-1/src/sub/a.txt',
			'/code-1/src/train.py',
		]);
		const id = publisher.idOf(code('src'));
		expect(id).toMatch(new RegExp(`^${WORKSPACE_ID}/codes/[0-9a-f-]{36}/versions/1$`));
		expect(site.body(id.slice(WORKSPACE_ID.length + 1))).toEqual({
			properties: { hash_sha256: SAMPLE_HASH, hash_version: '202208' },
			isAnonymous: true,
			isArchived: false,
			codeUri: `http://127.0.0.1:${site.server.port}/code-1/src`,
		});
	});

	test('is marked as complete on its first file, after all are there and before the version is put', async () => {
		site = await AssetSite.open(SAMPLE);
		await site.publisher().publish([code('src')]);
		const steps = site.server.requests.filter(({ method }) => method === 'PUT');
		const mark = steps.findIndex(({ query }) => query['comp'] === 'metadata');
		expect(mark).toBe(steps.length - 2);
		const marked = [...site.server.blobs].filter(([, { metadata }]) => metadata['upload_status'] === 'completed');
		expect(marked.map(([name]) => name)).toEqual(['/code-1/src/empty.txt']);
	});

	test('never shows the token to storage, nor the signature to the log', async () => {
		site = await AssetSite.open(SAMPLE);
		await site.publisher().publish([code('src')]);
		const blobs = site.server.requests.filter(({ path }) => path.startsWith('/code-'));
		expect(blobs.length).toBeGreaterThan(4);
		for (const { headers, query } of blobs) {
			expect(headers.authorization).toBeUndefined();
			expect(query['sig']).toBe('code/secret');
		}
		expect(site.log.masked).toContain('code/secret');
		expect(site.log.lines.join('\n')).not.toContain('secret');
	});

	test.each(['http://acc.blob.storage.example/c', 'https://evil.example/c', 'http://169.254.169.254/c'])(
		'does not go to a place that is no storage of the cloud: %s',
		async (place) => {
			site = await AssetSite.open(SAMPLE);
			const credential = { sasUri: `${place}?sig=code%2Fsecret` };
			site.answer = (_, below) =>
				below.endsWith('/startPendingUpload')
					? { status: 200, body: { blobReferenceForConsumption: { blobUri: place, credential } } }
					: undefined;
			const failure = await site
				.publisher()
				.publish([code('src')])
				.catch(String);
			expect(failure).toContain('nothing is sent there');
			expect(failure).not.toContain('secret');
			expect(site.lines(/PUT/)).toEqual([]);
		},
	);

	test('is known again by its content, wherever it lies', async () => {
		site = await AssetSite.open({ ...SAMPLE, ...inFolder('copy', SAMPLE) });
		const first = site.publisher();
		await first.publish([code('src')]);
		site.server.requests.length = 0;
		const second = site.publisher();
		await second.publish([code('copy/src')]);
		expect(site.lines()).toEqual(['GET codes/<code>/versions']);
		expect(second.idOf(code('copy/src'))).toBe(first.idOf(code('src')));
		expect(second.made()).toMatchObject([{ kind: 'code', reused: true, files: 4 }]);
		expect(site.log.lines.at(-1)).toBe('Code copy/src: 4 files, 15 bytes, uploaded before.');
	});

	test('is sent once, though two paths lead to the same content', async () => {
		site = await AssetSite.open({ ...SAMPLE, ...inFolder('copy', SAMPLE) });
		await site.publisher().publish([code('src'), code('copy/src'), code('src')]);
		expect(site.lines(/PUT/)).toHaveLength(1);
		expect(site.blobs()).toHaveLength(4);
	});

	test('does not take a version that the service failed to make', async () => {
		site = await AssetSite.open(SAMPLE);
		site.add('codes/c/versions/1', { properties: { hash_sha256: SAMPLE_HASH }, provisioningState: 'Failed' });
		await site.publisher().publish([code('src')]);
		expect(site.lines(/PUT/)).toHaveLength(1);
	});

	test('gets a new signature when the first is over half-way', async () => {
		site = await AssetSite.open(SAMPLE);
		let left = 2;
		site.server.fault = ({ method, path }) => {
			if (method !== 'PUT' || !path.startsWith('/code-1/')) return undefined;
			left -= 1;
			return left < 0 ? { status: 403, code: 'AuthenticationFailed' } : undefined;
		};
		await site.publisher().publish([code('src')]);
		expect(site.lines(/PUT|POST/)).toEqual([
			'POST codes/<code>/versions/1/startPendingUpload',
			'POST codes/<code>/versions/1/startPendingUpload',
			'PUT codes/<code>/versions/1',
		]);
		const again = site.server.requests.filter(({ path }) => path.endsWith('/startPendingUpload'))[1];
		expect(JSON.parse(again?.body.toString() ?? '')).toMatchObject({ pendingUploadId: 'up-1' });
		const whole = site.blobs().filter((name) => name.startsWith('/code-2/'));
		expect(whole).toHaveLength(4);
	});

	test('puts no version when a file cannot be sent', async () => {
		site = await AssetSite.open(SAMPLE);
		site.server.fault = ({ method, path }) =>
			method === 'PUT' && path.endsWith('train.py') ? { status: 403, code: 'AuthorizationFailure' } : undefined;
		await expect(site.publisher().publish([code('src')])).rejects.toThrow(/upload src: train\.py.*firewall/s);
		expect(site.lines(/PUT/)).toEqual([]);
		expect([...site.server.blobs.values()].filter(({ metadata }) => metadata['upload_status'])).toEqual([]);
	});

	test('puts no version when a file changes while it is sent', async () => {
		site = await AssetSite.open(SAMPLE);
		site.answer = (_, below) => {
			if (below.endsWith('/startPendingUpload'))
				writeFileSync(path.join(site.checkout, 'src/train.py'), 'print("b")\n');
			return undefined;
		};
		await expect(site.publisher().publish([code('src')])).rejects.toThrow(
			'Could not upload src: train.py. The file changed while it was being uploaded.',
		);
		expect(site.lines(/PUT/)).toEqual([]);
	});

	test('ends at once when the workflow is cancelled', async () => {
		site = await AssetSite.open(SAMPLE);
		const stop = new AbortController();
		site.server.fault = ({ path }) => {
			if (path.startsWith('/code-')) stop.abort(new Error('cancelled by the user'));
			return undefined;
		};
		await expect(site.publisher({ signal: stop.signal }).publish([code('src')])).rejects.toThrow(
			'cancelled by the user',
		);
		expect(site.lines(/PUT/)).toEqual([]);
	});
});

test('a single file stands in a folder, which the version names', async () => {
	site = await AssetSite.open({ 'jobs/train.py': 'x' });
	const publisher = site.publisher();
	await publisher.publish([code('jobs/train.py')]);
	expect(site.blobs()).toEqual(['/code-1/jobs/train.py']);
	const { codeUri } = site.body(publisher.idOf(code('jobs/train.py')).slice(WORKSPACE_ID.length + 1));
	expect(codeUri).toBe(`http://127.0.0.1:${site.server.port}/code-1/jobs`);
});

test('a component without code gets the placeholder, once', async () => {
	site = await AssetSite.open();
	const publisher = site.publisher();
	await publisher.publish([{ need: 'placeholder-code' }, { need: 'placeholder-code' }]);
	expect(site.blobs()).toEqual(['/code-1/component/COMPONENT_PLACEHOLDER']);
	expect(site.server.blobs.get('/code-1/component/COMPONENT_PLACEHOLDER')?.data.toString()).toBe(
		'command_component: code_placeholder',
	);
	expect(publisher.idOf({ need: 'placeholder-code' })).toContain('/codes/');
});

function inFolder(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
}
