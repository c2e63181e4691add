import { afterEach, describe, expect, test } from '@jest/globals';
import { readMetricHistory, readMetrics } from '../../src/job/metrics.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
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

describe('the last values', () => {
	test('are read by name, in order, whatever form a number has', async () => {
		const metrics = [
			{ key: 'loss', value: 0.25 },
			{ key: 'accuracy', value: '0.97' },
			{ key: 'best', value: 'Infinity' },
			{ key: 'broken', value: 'NaN' },
			{ key: 'nothing' },
			{ value: 1 },
			{ key: '__proto__', value: 3 },
		];
		const { workspace, server } = await workspaceOf(() => ({ body: { run: { data: { metrics } } } }));
		const read = await readMetrics(workspace, 'iris 1');
		expect(Object.entries(read)).toEqual([
			['__proto__', 3],
			['accuracy', 0.97],
			['best', Number.POSITIVE_INFINITY],
			['broken', Number.NaN],
			['loss', 0.25],
			['nothing', Number.NaN],
		]);
		expect(server.asked.at(-1)?.path).toMatch(/\/api\/2\.0\/mlflow\/runs\/get\?run_id=iris\+1$/);
	});

	test('are none where the run has none', async () => {
		const { workspace } = await workspaceOf(() => ({ body: { run: { data: {} } } }));
		expect(await readMetrics(workspace, 'iris')).toEqual({});
	});

	test('that cannot be read are an error', async () => {
		const { workspace } = await workspaceOf(() => ({ status: 403, body: { error_code: 'PERMISSION_DENIED' } }));
		await expect(readMetrics(workspace, 'iris')).rejects.toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
	});
});

describe('the history', () => {
	const point = (step: number) => ({ key: 'loss', value: 1 / (step + 1), step: String(step), timestamp: 1000 + step });
	const ask = { runId: 'iris', key: 'loss', most: 100 };

	test('is read page by page and put in order', async () => {
		const { workspace, server } = await workspaceOf((_, turn) => ({
			body: turn === 0 ? { metrics: [point(2), point(1)], next_page_token: 'more' } : { metrics: [point(0)] },
		}));
		const points = await readMetricHistory(workspace, ask);
		expect(points.map(({ step }) => step)).toEqual([0, 1, 2]);
		expect(points[1]).toEqual({ step: 1, value: 0.5, timestamp: 1001 });
		expect(server.asked.at(-1)?.path).toContain('page_token=more');
	});

	test('ends at as many points as are wanted', async () => {
		const { workspace, server } = await workspaceOf((_, turn) => ({
			body: { metrics: [point(turn)], next_page_token: `t${turn}` },
		}));
		expect(await readMetricHistory(workspace, { ...ask, most: 3 })).toHaveLength(3);
		expect(server.asked.filter(({ path }) => path.includes('get-history'))).toHaveLength(3);
	});

	test('ends where empty pages go on and on', async () => {
		const { workspace, server } = await workspaceOf((_, turn) => ({ body: { next_page_token: `t${turn}` } }));
		expect(await readMetricHistory(workspace, ask)).toEqual([]);
		expect(server.asked.length).toBeLessThan(110);
	});

	test('ends where a page leads to itself', async () => {
		const { workspace } = await workspaceOf(() => ({ body: { metrics: [], next_page_token: 'same' } }));
		expect(await readMetricHistory(workspace, ask)).toEqual([]);
	});
});

describe('where there is no MLflow interface', () => {
	/** The metric service, with one metric a page. */
	const service = ({ path, body }: Asked): Reply => {
		const asked = body === '' ? {} : (JSON.parse(body) as Record<string, string>);
		if (path.endsWith(`/metric/v2.0${WORKSPACE_ID}/runs/iris%201/list`)) {
			const table = { metricKey: 'confusion', columns: { a: 'Double', b: 'Double' } };
			const metric = (metricKey: string) => ({ metricKey, columns: { [metricKey]: 'Double' } });
			const more = asked['continuationToken'] !== undefined;
			return {
				body: more ? { value: [metric('accuracy'), table] } : { value: [metric('loss')], continuationToken: 'x' },
			};
		}
		if (!path.endsWith('/full')) return { status: 404 };
		const key = asked['metricName'] ?? '';
		const row = (step: number, value: unknown) => ({
			step,
			createdUtc: '2026-01-01T00:00:00Z',
			data: { [key]: value },
		});
		return { body: { value: key === 'loss' ? [row(1, 0.25), row(0, 0.5)] : [row(0, 'NaN')], nextLink: null } };
	};

	test("run history's own service gives the last values", async () => {
		const { workspace } = await workspaceOf(service);
		expect(Object.entries(await readMetrics(workspace, 'iris 1'))).toEqual([
			['accuracy', Number.NaN],
			['loss', 0.25],
		]);
	});

	test('and the history', async () => {
		const { workspace } = await workspaceOf(service);
		const points = await readMetricHistory(workspace, { runId: 'iris 1', key: 'loss', most: 1 });
		expect(points).toEqual([{ step: 0, value: 0.5, timestamp: Date.UTC(2026, 0, 1) }]);
	});

	test('what MLflow said counts where that service has nothing either', async () => {
		const { workspace } = await workspaceOf(({ path }) =>
			path.includes('/mlflow/') ? { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } } : { status: 400 },
		);
		await expect(readMetrics(workspace, 'iris')).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
	});
});
