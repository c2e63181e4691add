import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Downloaded, downloadFaults, downloadOutputs } from '../../src/job/download.ts';
import type { Job } from '../../src/job/job.ts';
import { AssetSite } from '../asset/site.ts';
import { JOB } from '../fixtures/run-report.ts';

const STORE = 'azureml://datastores/workspaceblobstore/paths';

let site: AssetSite;
beforeEach(async () => {
	site = await AssetSite.open();
});
afterEach(() => site.close());

/** Puts blobs below a path of the default container. */
function stored(folder: string, files: Readonly<Record<string, string>>, metadata: Record<string, string> = {}): void {
	for (const [path, text] of Object.entries(files)) {
		const data = Buffer.from(text);
		const md5 = createHash('md5').update(data).digest('base64');
		site.server.blobs.set(`/container/${folder}${path}`, { data, md5, metadata });
	}
}

const job = (outputs: Record<string, string>, properties: Record<string, string> = {}): Job => ({
	...JOB,
	name: 'job-1',
	properties,
	outputs: Object.fromEntries(Object.entries(outputs).map(([name, uri]) => [name, { type: 'uri_folder', uri }])),
});

function download(of: Job, ...outputs: string[]): Promise<Downloaded> {
	const { workspace, log, clock, checkout } = site;
	const signal = new AbortController().signal;
	return downloadOutputs(of, { outputs, to: 'got' }, { workspace, log, clock, signal, checkout });
}

const got = (): string[] =>
	readdirSync(join(site.checkout, 'got'), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(join(site.checkout, 'got').length + 1))
		.sort();

const readsOf = (name: string): number =>
	site.server.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(name)).length;

describe('an output', () => {
	test('is a folder, without what only looks like it', async () => {
		stored('out/model/', { 'a.txt': 'A', 'deep/b.txt': '' });
		stored('out/model-2/', { 'c.txt': 'C' });
		stored('out/model/', { deep: '' }, { hdi_isfolder: 'true' });
		const result = await download(job({ model: `${STORE}/out/model/` }), 'model');
		expect(got()).toEqual(['named-outputs/model/a.txt', 'named-outputs/model/deep/b.txt']);
		expect(result).toEqual({ path: join(site.checkout, 'got'), files: 2, bytes: 1, left: 0 });
	});

	test('may be a single file', async () => {
		stored('out/', { 'report.json': '{}', 'report.json.bak': 'x' });
		await download(job({ report: `${STORE}/out/report.json` }), 'report');
		expect(got()).toEqual(['named-outputs/report/report.json']);
	});

	test('that is there already is not read again, but for what has changed', async () => {
		const source = job({ model: `${STORE}/out/` });
		stored('out/', { 'a.txt': 'A', 'b.txt': 'B' });
		await download(source, 'model');
		stored('out/', { 'b.txt': 'C' });
		const again = await download(source, 'model');
		expect(again.left).toBe(1);
		expect([readsOf('a.txt'), readsOf('b.txt')]).toEqual([1, 2]);
		expect(readFileSync(join(site.checkout, 'got/named-outputs/model/b.txt'), 'utf8')).toBe('C');
	});

	test('is where run history says, if that knows better', async () => {
		stored('real/', { 'a.txt': 'A' });
		site.answer = ({ path, method }) => {
			if (method !== 'POST') return undefined;
			if (path.endsWith('/rundata'))
				return { status: 200, body: { runMetadata: { outputs: { model: { assetId: 'id-1', type: 'UriFolder' } } } } };
			if (!path.endsWith('/dataversion/batchGetResolvedUris')) return undefined;
			return { status: 200, body: { values: { 'id-1': { uri: `${STORE}/real/` } } } };
		};
		await download(job({ model: `${STORE}/said/` }), 'model');
		expect(got()).toEqual(['named-outputs/model/a.txt']);
	});

	test.each([
		['unknown', 'there is no output "other"; there are model, all'],
		['that is no place in a datastore', 'https://example.org/x, which is no path in a datastore'],
	])('%s is refused', async (_, why) => {
		const wanted = why.includes('other') ? 'other' : 'model';
		await expect(download(job({ model: 'https://example.org/x' }), wanted)).rejects.toThrow(why);
		expect(existsSync(join(site.checkout, 'got'))).toBe(false);
	});

	test('of a datastore that gives out no credential is refused in words about downloads', async () => {
		site.credential = { secretsType: 'None' };
		await expect(download(job({ model: `${STORE}/out/` }), 'model')).rejects.toThrow(/Could not download output model/);
	});
});

describe('`all`', () => {
	test('is every output, and the artifacts', async () => {
		stored('out/model/', { 'a.txt': 'A' });
		stored('run/', { 'user_logs/std_log.txt': 'trained' });
		await download(job({ model: `${STORE}/out/model`, default: `${STORE}/run` }), 'all');
		expect(got()).toEqual(['artifacts/user_logs/std_log.txt', 'named-outputs/model/a.txt']);
	});
});

describe('the outputs of', () => {
	test.each([
		[
			'a step that was reused are those of the job it repeats',
			{ 'azureml.isreused': 'true', 'azureml.reusedrunid': 'origin' },
		],
		['a sweep are those of its best trial', { best_child_run_id: 'origin' }],
	])('%s', async (_, properties) => {
		stored('origin/', { 'a.txt': 'A' });
		site.add('jobs/origin', { outputs: { model: { jobOutputType: 'uri_folder', uri: `${STORE}/origin/` } } });
		await download(job({ model: `${STORE}/own/` }, properties), 'model');
		expect(got()).toEqual(['named-outputs/model/a.txt']);
	});
});

test('the artifacts of the best trial are its own, also where it does not say where they are', async () => {
	stored('ExperimentRun/dcid.origin/', { 'best.txt': 'best' });
	stored('run/', { 'parent.txt': 'parent' });
	site.add('jobs/origin', {});
	await download(job({ default: `${STORE}/run` }, { best_child_run_id: 'origin' }), 'default');
	expect(got()).toEqual(['artifacts/best.txt']);
});

describe('names that are not safe', () => {
	test.each(['../../escape', 'a/../../escape', 'C:/x', 'nul', 'a\\b', '/abs'])(
		'%j: nothing is written',
		async (name) => {
			stored('out/', { 'good.txt': 'x', [name]: 'x' });
			await expect(download(job({ model: `${STORE}/out/` }), 'model')).rejects.toThrow('not safe to write');
			expect(existsSync(join(site.checkout, 'got'))).toBe(false);
		},
	);
});

test('a file that cannot be read fails the download; no other is begun after it', async () => {
	stored(
		'out/',
		Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`${String(at).padStart(2, '0')}.txt`, 'x'])),
	);
	site.server.fault = ({ method, path }) =>
		method === 'GET' && path.endsWith('/00.txt') ? { status: 403, code: 'AuthorizationFailure' } : undefined;
	await expect(download(job({ model: `${STORE}/out/` }), 'model')).rejects.toThrow('Could not read');
	expect(readsOf('39.txt')).toBe(0);
});

test('names that the job file does not have are faults of the input', () => {
	expect(downloadFaults(['all', 'default', 'model'], ['model'])).toEqual([]);
	expect(downloadFaults(['modle', 'x'], ['model']).map(({ message }) => message)).toEqual([
		'download: there is no output "modle"; there are model, all, default.',
		'download: there is no output "x"; there are model, all, default.',
	]);
});
