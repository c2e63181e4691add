import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { JobError } from '../../src/errors.ts';
import { type DeploymentRequest, openDeployment } from '../../src/report/deployment.ts';
import type { RunReport } from '../../src/report/run-report.ts';
import { type Asked, type Loopback, type Reply, serve } from '../fixtures/loopback.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { runContext } from '../fixtures/run-context.ts';
import { fullReport, JOB, ROLLOUT } from '../fixtures/run-report.ts';
import { virtualClock } from '../fixtures/virtual-clock.ts';

const REQUEST: DeploymentRequest = { environment: 'preview', description: 'Azure ML: job.yml', deploys: true };

const TIME = { clock: virtualClock(), signal: new AbortController().signal };

/** GitHub's deployments, as far as one environment needs them. */
class GitHub {
	readonly deployments: { id: number; environment: string; payload: unknown; state?: string }[] = [];
	/** `<id> <state>` of each status, in order. */
	readonly statuses: string[] = [];
	readonly bodies: Record<string, unknown>[] = [];
	fault: Reply | undefined;
	server!: Loopback;

	async open(): Promise<this> {
		this.server = await serve((asked) => this.fault ?? this.#answer(asked));
		return this;
	}

	#answer({ method, path, body }: Asked): Reply {
		const [, id] = /\/deployments\/(\d+)\/statuses/.exec(path) ?? [];
		const sent = (body === '' ? {} : JSON.parse(body)) as Record<string, string>;
		if (method === 'GET' && id !== undefined) {
			const state = this.deployments.find((one) => String(one.id) === id)?.state;
			return { body: state === undefined ? [] : [{ state }] };
		}
		if (method === 'GET') return { body: [...this.deployments].reverse() };
		this.bodies.push(sent);
		if (id === undefined) {
			const made = { id: 100, environment: sent['environment'] ?? '', payload: sent['payload'] };
			this.deployments.push(made);
			return { status: 201, body: made };
		}
		this.statuses.push(`${id} ${sent['state']}`);
		return { status: 201, body: {} };
	}
}

let gitHub: GitHub;
let log: MemoryLog;
beforeEach(async () => {
	gitHub = await new GitHub().open();
	log = memoryLog();
});
afterEach(() => gitHub.server.close());

async function run(report: Partial<RunReport>, request = REQUEST, githubToken: string | undefined = 'ghs_token') {
	const context = runContext({ apiUrl: gitHub.server.url, headSha: 'b'.repeat(40) });
	const record = await openDeployment(request, { run: context, githubToken, log, ...TIME });
	await record.start();
	await record.end({ ...fullReport(), ...report });
	return gitHub.bodies.at(-1);
}

const failure = new JobError({ what: 'The job failed.', why: 'x'.repeat(300) }, 'Failed', []);

describe('a run', () => {
	test('that goes well is queued, in progress and a success, at the address where it scores', async () => {
		const last = await run({});
		expect(gitHub.statuses).toEqual(['100 queued', '100 in_progress', '100 success']);
		expect(last).toMatchObject({
			environment_url: ROLLOUT.scoringUri,
			log_url: 'https://github.com/octo/iris/actions/runs/4711',
		});
		expect(gitHub.bodies[0]).toMatchObject({
			ref: 'b'.repeat(40),
			environment: 'preview',
			required_contexts: [],
			auto_merge: false,
		});
		expect(log.annotations).toEqual([]);
	});

	test('that fails is a failure, told as shortly as GitHub wants it', async () => {
		const last = await run({ failure });
		expect(gitHub.statuses.at(-1)).toBe('100 failure');
		expect(String(last?.['description'])).toHaveLength(140);
	});

	test('that only trains has the address of the job', async () => {
		const { rollout: _, ...report } = fullReport();
		gitHub.bodies.length = 0;
		const record = await openDeployment(REQUEST, {
			run: runContext({ apiUrl: gitHub.server.url }),
			githubToken: 't',
			log,
			...TIME,
		});
		await record.end(report);
		expect(gitHub.bodies.at(-1)).toMatchObject({ state: 'success', environment_url: JOB.studioUrl });
	});

	test.each([
		['that was to deploy and did not is inactive', { deployWanted: true }, 'inactive'],
		['whose job goes on is in progress', { jobDetached: true }, 'in_progress'],
	])('%s', async (_, more, state) => {
		const { rollout: __, ...report } = { ...fullReport(), ...more };
		const record = await openDeployment(REQUEST, {
			run: runContext({ apiUrl: gitHub.server.url }),
			githubToken: 't',
			log,
			...TIME,
		});
		await record.end(report);
		expect(gitHub.statuses.at(-1)).toBe(`100 ${state}`);
	});

	test('is recorded to its end though GitHub has a bad moment', async () => {
		const record = await openDeployment(REQUEST, {
			run: runContext({ apiUrl: gitHub.server.url }),
			githubToken: 't',
			log,
			...TIME,
			clock: {
				...TIME.clock,
				sleep: async () => {
					gitHub.fault = undefined;
				},
			},
		});
		gitHub.fault = { status: 502, body: {} };
		await record.start();
		await record.end(fullReport());
		expect(gitHub.statuses).toEqual(['100 queued', '100 in_progress', '100 success']);
		expect(log.annotations).toEqual([]);
	});

	test('has no address that is none of the web', async () => {
		const last = await run({ rollout: { ...ROLLOUT, scoringUri: 'javascript:alert(1)' } });
		expect(last).not.toHaveProperty('environment_url');
	});
});

describe('older deployments', () => {
	const ours = { made_by: 'azure-ml-action' };

	beforeEach(() => {
		gitHub.deployments.push(
			{ id: 1, environment: 'preview', payload: ours, state: 'success' },
			{ id: 2, environment: 'preview', payload: JSON.stringify(ours), state: 'in_progress' },
			{ id: 3, environment: 'preview', payload: ours, state: 'inactive' },
			{ id: 4, environment: 'preview', payload: ours, state: 'failure' },
			{ id: 5, environment: 'production', payload: ours, state: 'success' },
			{ id: 6, environment: 'preview', payload: '', state: 'success' },
			{ id: 700, environment: 'preview', payload: ours, state: 'success' },
		);
	});
	const ended = (): string[] => gitHub.statuses.filter((status) => !status.startsWith('100 '));

	test('of this action and environment are inactive once a newer one is a success', async () => {
		await run({});
		expect(ended().sort()).toEqual(['1 inactive', '2 inactive']);
	});

	test('stay what they are when the newer one fails', async () => {
		await run({ failure });
		expect(ended()).toEqual([]);
	});

	test('are inactive when the endpoint is deleted, and no new one is made', async () => {
		await run({}, { ...REQUEST, deploys: false });
		expect(ended().sort()).toEqual(['1 inactive', '2 inactive', '700 inactive']);
		expect(gitHub.statuses.filter((status) => status.startsWith('100 '))).toEqual([]);
	});
});

describe('a record that cannot be kept', () => {
	test.each([
		[{ status: 403, body: { message: 'Resource not accessible by integration' } }, 'deployments: write'],
		[{ status: 404, body: { message: 'Not Found' } }, 'deployments: write'],
		[{ status: 500, body: { message: 'Oops' } }, 'Oops'],
	])('(%j) is one notice', async (fault, why) => {
		gitHub.fault = fault;
		await run({});
		expect(log.annotations).toEqual([expect.objectContaining({ kind: 'notice', text: expect.stringContaining(why) })]);
	});

	test('is a notice without a token, and nothing is asked', async () => {
		const record = await openDeployment(REQUEST, {
			run: runContext({ apiUrl: gitHub.server.url }),
			githubToken: undefined,
			log,
			...TIME,
		});
		await record.start();
		await record.end(fullReport());
		expect([gitHub.server.asked, log.annotations.map(({ kind }) => kind)]).toEqual([[], ['notice']]);
	});
});
