import { afterEach, describe, expect, test } from '@jest/globals';
import { awaitEnd, cancelJob } from '../../src/job/cancel.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
import { memoryLog } from '../fixtures/memory-log.ts';
import { connected, type Layers, WORKSPACE_ID } from '../fixtures/workspace.ts';

const open: Layers[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((one) => one.close()));
});

async function workspaceOf(answer: (asked: Asked, turn: number) => Reply) {
	const one = await connected(answer);
	open.push(one);
	return one;
}

describe('a cancel request', () => {
	test.each<[string, Reply]>([
		['202', { status: 202, body: 'null', headers: { location: 'https://management.azure.com/results/1' } }],
		['200 at once', { status: 200 }],
	])('answered with %s is accepted; its end is not waited for', async (_, reply) => {
		const { workspace, server } = await workspaceOf(() => reply);
		const log = memoryLog();
		expect(await cancelJob(workspace, 'iris', log)).toBe('accepted');
		const [asked, ...others] = server.asked.slice(1);
		expect([asked?.method, asked?.path.split('?')[0], asked?.body]).toEqual([
			'POST',
			`${WORKSPACE_ID}/jobs/iris/cancel`,
			'',
		]);
		expect(others).toEqual([]);
		expect(log.lines).toEqual(['Asked Azure ML to cancel the job iris.']);
	});

	test('is repeated where the service was busy', async () => {
		const { workspace } = await workspaceOf((_, turn) => (turn === 0 ? { status: 504, body: '<html>504' } : {}));
		expect(await cancelJob(workspace, 'iris', memoryLog())).toBe('accepted');
	});

	test('for a job that has ended is none', async () => {
		const message = "Pipeline run iris is in terminal status, it can't be canceled.";
		const { workspace } = await workspaceOf(() => ({ status: 400, body: { error: { code: 'UserError', message } } }));
		const log = memoryLog();
		expect(await cancelJob(workspace, 'iris', log)).toBe('already-ended');
		expect(log.annotations).toEqual([]);
	});

	test.each([400, 403, 404])('that is refused with %d is told, not thrown', async (status) => {
		const { workspace } = await workspaceOf(() => ({ status, body: { error: { code: 'X', message: 'No.' } } }));
		const log = memoryLog();
		expect(await cancelJob(workspace, 'iris', log)).toBe('failed');
		expect(log.annotations).toEqual([
			expect.objectContaining({ kind: 'warning', text: expect.stringContaining('may still run') }),
		]);
	});
});

describe('the end of a cancelled job', () => {
	const state = (status: string): Reply => ({ body: { properties: { status } } });

	test('is waited for', async () => {
		const { workspace, clock } = await workspaceOf((_, turn) => state(turn < 3 ? 'CancelRequested' : 'Canceled'));
		expect(await awaitEnd(workspace, 'iris', 60_000, clock)).toBe('Canceled');
	});

	test('is not waited for longer than asked', async () => {
		const { workspace, clock } = await workspaceOf(() => state('Running'));
		const started = clock.now();
		expect(await awaitEnd(workspace, 'iris', 3_500, clock)).toBe('Running');
		expect(clock.now() - started).toBeLessThan(3_500 + 1_000);
	});

	test.each([403, 404])('is not known when the service answers %d', async (status) => {
		const { workspace, clock } = await workspaceOf(() => ({ status }));
		expect(await awaitEnd(workspace, 'iris', 2_000, clock)).toBe('CancelRequested');
	});
});
