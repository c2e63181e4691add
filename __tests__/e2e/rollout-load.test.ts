// Rollouts under load: a client asks the endpoint fifty times a second while traffic moves. What it gets is judged by the
// status and by who has answered, not by time.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openClient } from './azure-client.ts';
import type { ActionRun } from './runner.ts';
import { Endpoint, type Served } from './served.ts';
import { openSite, type Site } from './site.ts';

const TIME = 120_000;
/** Milliseconds between two requests: fifty a second. */
const EVERY = 20;

let site: Site;
beforeAll(async () => {
	site = await openSite();
}, TIME);
afterAll(() => site?.close());

interface Answer {
	readonly status: number;
	readonly by: string | null;
}

/** A client that asks at a fixed rate, whether or not it has its answers. */
class Client {
	readonly #asked: Promise<Answer>[] = [];
	readonly #timer: NodeJS.Timeout;

	constructor(uri: string, key: string) {
		const ask = async (): Promise<Answer> => {
			const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
			const answer = await fetch(uri, { method: 'POST', body: '{"data": [2]}', headers });
			await answer.arrayBuffer();
			return { status: answer.status, by: answer.headers.get('azureml-model-deployment') };
		};
		this.#timer = setInterval(() => {
			this.#asked.push(ask().catch(() => ({ status: 0, by: null })));
		}, EVERY);
	}

	/** Stops asking and gives all answers. */
	stop(): Promise<Answer[]> {
		clearInterval(this.#timer);
		return Promise.all(this.#asked);
	}
}

/** Deploys twice: first what is good, then as told, while the client asks. */
async function underLoad(
	endpoint: Endpoint,
	deploy: () => Promise<ActionRun>,
): Promise<{ run: ActionRun; answers: Answer[]; end: Served }> {
	expect((await endpoint.deploy(42)).code).toBe(0);
	const { primaryKey } = await (await openClient(site.emulator)).post(`/onlineEndpoints/${endpoint.name}/listKeys`);
	const client = new Client(`${site.emulator.arm}/online/${endpoint.name}/score`, String(primaryKey));
	const run = await deploy();
	const answers = await client.stop();
	return { run, answers, end: await endpoint.state() };
}

const by = (answers: readonly Answer[], deployment: string): number =>
	answers.filter((answer) => answer.by === deployment).length;

describe('a client that asks fifty times a second', () => {
	test(
		'sees no request fail while a good deployment takes over and the old one is deleted',
		async () => {
			const endpoint = new Endpoint(site, 'good-under-load');
			const { run, answers, end } = await underLoad(endpoint, () =>
				endpoint.deploy(42, { traffic: '10 for 2s, 50 for 2s, 100 for 1s', 'delete-previous': 'true' }),
			);
			expect([run.code, end.traffic, end.deployments]).toEqual([0, { green: 100 }, ['green']]);
			expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
			expect(by(answers, 'blue')).toBeGreaterThan(20);
			expect(by(answers, 'green')).toBeGreaterThan(20);
		},
		TIME,
	);

	test(
		'sees only requests fail that went to the bad deployment, until its traffic is taken away',
		async () => {
			const endpoint = new Endpoint(site, 'bad-under-load');
			// Fails for every client but the smoke test, which sees it after the hold.
			const script = [
				'import json',
				'failed = 0',
				'def init():',
				'    pass',
				'def run(raw_data):',
				'    global failed',
				"    if json.loads(raw_data)['data'] == [2]:",
				'        failed += 1',
				"        raise RuntimeError('out of memory')",
				"    return {'answer': 42 if failed < 3 else 0}",
			].join('\n');
			const { run, answers, end } = await underLoad(endpoint, () =>
				endpoint.deployScript(script, { traffic: '30 for 3s, 100' }),
			);
			expect([run.code, run.outputs['rolled-back'], end.traffic]).toEqual([1, 'true', { blue: 100 }]);
			const failed = answers.filter(({ status }) => status !== 200);
			expect(new Set(failed.map((answer) => answer.by))).toEqual(new Set(['green']));
			expect(failed.length).toBe(by(answers, 'green'));
			// Thirty of a hundred while it held its share, and none before or after.
			expect(failed.length).toBeLessThan(answers.length / 2);
			expect(end.history).toEqual([{ blue: 100 }, { blue: 70, green: 30 }, { blue: 100 }]);
		},
		TIME,
	);

	test(
		'is split by weight',
		async () => {
			const endpoint = new Endpoint(site, 'split-under-load');
			const { answers, run } = await underLoad(endpoint, () => endpoint.deploy(42, { traffic: '20 for 6s' }));
			expect(run.code).toBe(0);
			const first = answers.findIndex((answer) => answer.by === 'green');
			const held = answers.slice(first);
			const share = by(held, 'green') / held.length;
			// Four standard deviations of three hundred draws.
			expect(Math.abs(share - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / held.length) + 0.02);
		},
		TIME,
	);
});
