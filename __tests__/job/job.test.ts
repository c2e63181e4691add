import { afterEach, describe, expect, test } from '@jest/globals';
import { findJob, findRunDetails, isTerminal, jobFrom, jobPath } from '../../src/job/job.ts';
import type { Json } from '../../src/json.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
import { connected, type Layers, WORKSPACE_ID } from '../fixtures/workspace.ts';

const open: Layers[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

async function workspaceOf(answer: (asked: Asked) => Reply) {
	const one = await connected(answer);
	open.push(one);
	return one;
}

test.each([
	...['Completed', 'Failed', 'Canceled', 'completed'].map((status) => [status, true] as const),
	...[
		'NotStarted',
		'Running',
		'Finalizing',
		'CancelRequested',
		'NotResponding',
		'Paused',
		'Unknown',
		'Scheduled',
		'',
	].map((status) => [status, false] as const),
])('%s is terminal: %s', (status, terminal) => {
	expect(isTerminal(status)).toBe(terminal);
});

describe('a job', () => {
	const studio = 'https://studio.example/runs/iris?wsid=/subscriptions/sub-1';
	const resource = {
		name: 'iris',
		id: `${WORKSPACE_ID}/jobs/iris`,
		properties: {
			jobType: 'Command',
			status: 'Running',
			displayName: 'Iris',
			experimentName: 'irises',
			computeId: `${WORKSPACE_ID}/computes/cpu`,
			services: { Studio: { endpoint: studio } },
			tags: { team: 'blue', odd: 7 },
			properties: { a: 'b' },
			outputs: { model: { jobOutputType: 'mlflow_model', uri: 'azureml://x', mode: 'Upload' }, bare: {} },
		},
	};

	test('is read from its resource', async () => {
		const { workspace } = await workspaceOf(() => ({ body: resource }));
		expect(await findJob(workspace, 'iris')).toEqual({
			name: 'iris',
			id: `${WORKSPACE_ID}/jobs/iris`,
			type: 'Command',
			status: 'Running',
			displayName: 'Iris',
			experimentName: 'irises',
			computeId: `${WORKSPACE_ID}/computes/cpu`,
			studioUrl: `${studio}&tid=tenant-1`,
			tags: { team: 'blue' },
			properties: { a: 'b' },
			outputs: { model: { type: 'mlflow_model', uri: 'azureml://x', mode: 'Upload' }, bare: { type: 'uri_folder' } },
		});
	});

	test('has its state in the spelling of the documents, whatever letters the service uses', async () => {
		const { workspace } = await workspaceOf(() => ({}));
		const states = ['completed', 'RUNNING', 'cancelRequested', 'BrandNew'];
		const read = states.map((status) => jobFrom({ properties: { status } }, workspace, 'iris').status);
		expect(read).toEqual(['Completed', 'Running', 'CancelRequested', 'BrandNew']);
	});

	test.each<[string, Json]>([
		['null', null],
		['an empty object', {}],
		['odd members', { name: 1, properties: { status: null, tags: [], outputs: 'x', services: { Studio: {} } } }],
	])('is read from %s with what can be known', async (_, body) => {
		const { workspace } = await workspaceOf(() => ({}));
		expect(jobFrom(body, workspace, 'iris')).toMatchObject({
			name: 'iris',
			status: 'Unknown',
			experimentName: 'Default',
			studioUrl: undefined,
			tags: {},
			outputs: {},
		});
	});

	test.each(['javascript:alert(1)', 'not a url', 'file:///etc/passwd'])(
		'has no studio address %s',
		async (endpoint) => {
			const { workspace } = await workspaceOf(() => ({}));
			const job = jobFrom({ properties: { services: { Studio: { endpoint } } } }, workspace, 'iris');
			expect(job.studioUrl).toBeUndefined();
		},
	);

	test('has an address that the tenant stands in once, and escapes stay escaped', async () => {
		const { workspace } = await workspaceOf(() => ({}));
		const urlOf = (endpoint: string) =>
			jobFrom({ properties: { services: { Studio: { endpoint } } } }, workspace, 'x').studioUrl;
		expect(urlOf('https://studio.example/runs/x?tid=t-9')).toBe('https://studio.example/runs/x?tid=t-9');
		// A broken escape must not break the run.
		expect(urlOf('https://studio.example/runs/%E0%A4%A?x=1')).toContain('tid=tenant-1');
		expect(urlOf('https://studio.example/runs/x?y=a%20b')).not.toContain(' ');
	});

	test('is asked for by its name alone', async () => {
		const { workspace, server } = await workspaceOf(() => ({ status: 404 }));
		expect(await findJob(workspace, 'a/b?c')).toBeUndefined();
		expect(server.asked.at(-1)?.path).toContain('/jobs/a%2Fb%3Fc?');
		expect(jobPath(workspace, 'iris')).toBe(`${WORKSPACE_ID}/jobs/iris`);
	});
});

describe('run details', () => {
	const detailsOf = async (reply: Reply) => {
		const { workspace } = await workspaceOf(() => reply);
		return findRunDetails(workspace, 'iris');
	};

	test('hold state, log addresses in order, and warnings', async () => {
		const logFiles = { 'user_logs/b.txt': 'https://b', 'user_logs/a.txt': 'https://a', odd: 7 };
		const body = { status: 'Running', logFiles, warnings: [{ source: 's', message: 'Slow.' }, {}] };
		expect(await detailsOf({ body })).toEqual({
			status: 'Running',
			logFiles: new Map([
				['user_logs/a.txt', 'https://a'],
				['user_logs/b.txt', 'https://b'],
			]),
			error: undefined,
			warnings: ['Slow.'],
		});
	});

	test('hold no address that the runner must not ask', async () => {
		const logFiles = {
			'a.txt': 'http://169.254.169.254/metadata?sig=x',
			'b.txt': 'https://acc.storage.example/b?sig=x',
		};
		const details = await detailsOf({ body: { status: 'Running', logFiles } });
		expect([...(details?.logFiles.keys() ?? [])]).toEqual(['b.txt']);
		expect(details?.warnings).toEqual([
			'The log a.txt is not shown: its address (169.254.169.254) is not an https address of a public host.',
		]);
	});

	test('hold the reason of a failure', async () => {
		const error = {
			error: { code: 'UserError', message: 'Exit code 1.', innerError: { code: 'ScriptFailed' } },
			correlation: {},
		};
		expect((await detailsOf({ body: { status: 'Failed', error } }))?.error).toEqual({
			code: 'ScriptFailed',
			message: 'Exit code 1.',
		});
	});

	test.each<[string, Reply]>([
		['a 404', { status: 404, body: { error: { code: 'UserError', message: 'No run.' } } }],
		['no body', { status: 202 }],
	])('are not there yet at %s', async (_, reply) => {
		expect(await detailsOf(reply)).toBeUndefined();
	});

	test('that are refused are an error', async () => {
		await expect(detailsOf({ status: 403 })).rejects.toMatchObject({ status: 403 });
	});
});
