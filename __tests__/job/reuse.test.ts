import { afterEach, describe, expect, test } from '@jest/globals';
import type { MadeAsset } from '../../src/asset/made.ts';
import type { JobBody } from '../../src/job/file/context.ts';
import { CONTENT_PROPERTY, contentOf, findReusable, inputsByPlace } from '../../src/job/reuse.ts';
import { type JobListScene, jobList, type ListedResource } from '../fixtures/job-list.ts';
import { memoryLog } from '../fixtures/memory-log.ts';

const CODE: MadeAsset = {
	kind: 'code',
	name: 'c',
	version: '1',
	id: '/codes/c/versions/1',
	reused: false,
	hash: 'abc',
};
const BODY: JobBody = {
	properties: {
		jobType: 'Command',
		command: 'python train.py',
		codeId: CODE.id,
		environmentId: '/environments/e/versions/1',
		computeId: '/computes/cpu',
		inputs: { epochs: { jobInputType: 'literal', value: '5' } },
		resources: { instanceCount: 1 },
		displayName: 'one',
		experimentName: 'iris',
		tags: { a: '1' },
		properties: { [CONTENT_PROPERTY]: 'c0ffee' },
	},
};

function changed(more: JobBody['properties'], made: readonly MadeAsset[] = [CODE]): string {
	return contentOf({ properties: { ...BODY.properties, ...more } }, made);
}

describe('the content of a job', () => {
	const content = contentOf(BODY, [CODE]);

	test('is a hash', () => {
		expect(content).toMatch(/^[0-9a-f]{64}$/);
	});

	test.each([
		['its names', { displayName: 'two', experimentName: 'other', description: 'words' }],
		['tags and properties', { tags: { b: '2' }, properties: { 'azureml-action.run': 'x' } }],
		['who is told of it', { notificationSetting: { emails: ['a@example.org'] } }],
		['the order of members', { inputs: { epochs: { value: '5', jobInputType: 'literal' } } }],
		['members that are left out', { identity: undefined }],
	])('does not change with %s', (_, more) => {
		expect(changed(more)).toBe(content);
	});

	test.each([
		['the command', { command: 'python train.py --fast' }],
		['the environment', { environmentId: '/environments/e/versions/2' }],
		['an input', { inputs: { epochs: { jobInputType: 'literal', value: '6' } } }],
		['the resources', { resources: { instanceCount: 2 } }],
		['the compute', { computeId: '/computes/gpu' }],
		['an output more', { outputs: { model: { jobOutputType: 'mlflow_model' } } }],
		['other code', { codeId: '/codes/d/versions/1' }],
	])('changes with %s', (_, more) => {
		expect(changed(more)).not.toBe(content);
	});

	test('takes code by its content, under whatever name, at whatever depth', () => {
		const twin = { ...CODE, id: '/codes/twin/versions/1' };
		expect(changed({ codeId: twin.id }, [twin])).toBe(content);
		expect(changed({}, [{ ...CODE, hash: 'other' }])).not.toBe(content);
		const step = (codeId: string): JobBody['properties'] => ({ jobs: { train: { list: [{ codeId }] } } });
		expect(changed(step(CODE.id), [CODE])).toBe(changed(step(twin.id), [CODE, twin]));
	});
});

describe('inputs that are known by their place only', () => {
	test('are those that this run did not upload and that are no version of an asset', () => {
		const uri = (text: string) => ({ jobInputType: 'uri_folder', uri: text });
		const inputs = {
			epochs: { jobInputType: 'literal', value: '5' },
			uploaded: uri('azureml://datastores/store/paths/LocalUpload/abc/data/'),
			version: uri('/subscriptions/s/workspaces/w/data/rows/versions/3'),
			place: uri('azureml://datastores/store/paths/rows/'),
			web: uri('https://example.org/rows.csv'),
		};
		const id = 'azureml://datastores/store/paths/LocalUpload/abc/data';
		const made = [{ kind: 'data', name: 'data', id, reused: true }];
		expect(inputsByPlace({ properties: { inputs } }, made)).toEqual(['place', 'web']);
		expect(inputsByPlace({ properties: {} }, made)).toEqual([]);
	});
});

describe('the job that is taken', () => {
	const open: JobListScene[] = [];
	afterEach(async () => {
		await Promise.all(open.splice(0).map((one) => one.close()));
	});

	async function find(jobs: readonly ListedResource[], fault = 0) {
		const scene = await jobList(jobs, { fault });
		open.push(scene);
		const log = memoryLog();
		const parts = { workspace: scene.workspace, log, signal: new AbortController().signal };
		return { job: await findReusable(BODY, parts), scene, log };
	}
	const job = (name: string, status: string, day: string, content = 'c0ffee'): ListedResource => ({
		name,
		status,
		createdAt: `2026-01-${day}T00:00:00Z`,
		properties: { [CONTENT_PROPERTY]: content },
	});

	test('is the newest Completed one, in whatever order and on whatever page it is listed', async () => {
		const { job: found, scene } = await find([
			job('old', 'Completed', '01'),
			job('failed', 'Failed', '09'),
			job('new', 'Completed', '05'),
			job('middle', 'Completed', '03'),
			job('running', 'Running', '08'),
		]);
		expect(found?.name).toBe('new');
		expect(scene.queries[0]?.get('properties')).toBe(`${CONTENT_PROPERTY}=c0ffee`);
	});

	test('has this very content, though the service lists others', async () => {
		expect((await find([job('other', 'Completed', '01', 'beef')])).job).toBeUndefined();
	});

	test('is of the same experiment', async () => {
		expect((await find([{ ...job('other', 'Completed', '01'), experiment: 'elsewhere' }])).job).toBeUndefined();
	});

	test('is looked for among a bounded number', async () => {
		const many = Array.from({ length: 300 }, (_, place) => job(`job-${place}`, 'Failed', '01'));
		expect((await find(many)).scene.queries).toHaveLength(100);
	});

	test('is none where the list cannot be read, which is told', async () => {
		const { job: found, log } = await find([job('a', 'Completed', '01')], 400);
		expect(found).toBeUndefined();
		expect(log.annotations[0]?.text).toMatch(/Trains anew.*Not for you/);
	});
});
