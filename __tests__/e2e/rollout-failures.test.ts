// Rollouts that fail, at each place where they can, against the emulator's own record: traffic, deployments and versions
// afterwards, and what people are told.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SCORE_42 } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { Endpoint, Outcomes, type Served } from './served.ts';
import { openSite, type Site } from './site.ts';

const TIME = 180_000;
/** Another workflow run than the one that has deployed first. */
const LATER = { env: { GITHUB_RUN_ID: '2' } };

let site: Site;
const outcomes = new Outcomes<Outcome>();

interface Outcome {
	readonly run: ActionRun;
	readonly end: Served;
	/** Whether the endpoint answers, and with what. */
	readonly answer: unknown;
}

/** Answers 42 to the first requests, and then something else: good when it is tested, bad when it serves. */
const turning = (after: number): string =>
	SCORE_42.replace('    pass', '    global asked\n    asked = 0').replace(
		"return {'answer': 42}",
		`global asked\n    asked += 1\n    return {'answer': 42 if asked <= ${after} else 0}`,
	);

const CASES: Readonly<Record<string, (endpoint: Endpoint) => Promise<ActionRun>>> = {
	image: (endpoint) => failing(endpoint, 'image'),
	quota: (endpoint) => failing(endpoint, 'quota'),
	probe: (endpoint) => failing(endpoint, 'probe'),
	crash: (endpoint) =>
		endpoint.deployScript(
			'def init():\n    raise RuntimeError("no such weights")\ndef run(data):\n    return 0',
			{},
			LATER,
		),
	'before-traffic': (endpoint) => endpoint.deploy(41, { traffic: '10, 100' }, LATER),
	'at-10': (endpoint) => endpoint.deployScript(turning(1), { traffic: '10, 100' }, LATER),
	'at-100': (endpoint) => endpoint.deployScript(turning(2), { traffic: '10, 100' }, LATER),
	kept: (endpoint) => endpoint.deployScript(turning(1), { traffic: '10, 100', 'on-deploy-failure': 'keep' }, LATER),
	'set-by-another': async (endpoint) => {
		let done = false;
		const onOutput = (text: string): void => {
			if (done || !text.includes('Holding 10 %')) return;
			done = true;
			void endpoint.setTraffic({ blue: 70, green: 30 });
		};
		return endpoint.deploy(42, { traffic: '10 for 3s, 100' }, { ...LATER, onOutput });
	},
	deletion: (endpoint) => {
		const path = new RegExp(`${endpoint.name}/deployments/blue`);
		const body = { error: { code: 'UserError', message: 'The deployment is locked.' } };
		site.emulator.faults.add({ face: 'arm', method: 'DELETE', path, effect: { status: 400, body } });
		return endpoint.deploy(42, { 'delete-previous': 'true' }, LATER);
	},
};

function failing(endpoint: Endpoint, failure: 'image' | 'quota' | 'probe'): Promise<ActionRun> {
	site.emulator.failDeployments({ deployment: new RegExp(`^${endpoint.name}/green$`), failure });
	return endpoint.deploy(42, {}, LATER);
}

async function outcomeOf(title: string): Promise<Outcome> {
	const endpoint = new Endpoint(site, `fails-${title}`);
	const first = await endpoint.deploy(42);
	expect([title, first.code]).toEqual([title, 0]);
	const run = (await CASES[title]?.(endpoint)) ?? first;
	const end = await endpoint.state();
	return { run, end, answer: await endpoint.ask() };
}

beforeAll(async () => {
	site = await openSite();
	await outcomes.gather(Object.keys(CASES), outcomeOf);
}, TIME);
afterAll(() => site?.close());

const at = (title: string): Outcome => outcomes.at(title);

const AS_BEFORE = ['image', 'quota', 'probe', 'crash', 'before-traffic', 'at-10', 'at-100'];

describe('a rollout that fails', () => {
	test.each(AS_BEFORE)('(%s) is red, says that it rolled back, and leaves all as it was', (title) => {
		const { run, end, answer } = at(title);
		expect([run.code, run.outputs['rolled-back']]).toEqual([1, 'true']);
		expect(end).toMatchObject({ traffic: { blue: 100 }, deployments: ['blue'], versions: 2 });
		expect(answer).toEqual({ answer: 42 });
	});

	test.each([
		['image', 'ImageBuildFailure', []],
		['quota', 'OutOfQuota', []],
		['probe', 'ResourceNotReady', ['Users&#39;s init has completed', "Users's init has completed"]],
		['crash', 'ResourceNotReady', ['no such weights']],
	] as const)(
		'(%s) tells the code of the service, and shows the log of the container where there was one',
		(title, code, log) => {
			const { run } = at(title);
			expect(run.stdout).toMatch(new RegExp(`::error.*${code}`));
			expect(run.summary).toContain(code);
			if (log.length > 0) expect(log.some((line) => run.summary.includes(line))).toBe(true);
		},
	);

	test('before any traffic has never moved any', () => {
		for (const title of ['image', 'quota', 'probe', 'crash', 'before-traffic'])
			expect([title, at(title).end.history]).toEqual([title, [{ blue: 100 }]]);
	});

	test('at a step has taken the steps before it, and put the traffic back at once', () => {
		const [start, ten] = [{ blue: 100 }, { blue: 90, green: 10 }];
		expect(at('at-10').end.history).toEqual([start, ten, start]);
		expect(at('at-100').end.history).toEqual([start, ten, { green: 100 }, start]);
		expect(at('at-10').run.stdout).toMatch(/::error.*smoke test at 10 %25.*answer: expected 42, got 0/);
	});

	test('keeps its deployment without traffic where that was asked for', () => {
		expect(at('kept').end).toMatchObject({ traffic: { blue: 100 }, deployments: ['blue', 'green'] });
		expect(at('kept').run.outputs['rolled-back']).toBe('true');
	});

	test('because somebody else has set the traffic leaves it as they set it', () => {
		const { run, end } = at('set-by-another');
		expect([run.code, run.outputs['rolled-back']]).toEqual([1, 'false']);
		expect(end).toMatchObject({ traffic: { blue: 70, green: 30 }, deployments: ['blue', 'green'] });
		expect(run.stdout).toMatch(/::error.*changed by someone else meanwhile/);
	});
});

test('a deployment that cannot be deleted afterwards is a warning; the rollout stands', () => {
	const { run, end } = at('deletion');
	expect([run.code, run.outputs['rolled-back']]).toEqual([0, 'false']);
	expect(end).toMatchObject({ traffic: { green: 100 }, deployments: ['blue', 'green'] });
	expect(run.stdout).toMatch(/::warning::The deployment blue has no traffic left but could not be deleted.*locked/);
});

describe('two runs that deploy to one endpoint at the same time', () => {
	test(
		'never leave it without a good deployment that has all of the traffic',
		async () => {
			const endpoint = new Endpoint(site, 'raced-for');
			const both = await Promise.all([
				endpoint.deploy(42, {}, { env: { GITHUB_RUN_ID: '11' } }),
				endpoint.deploy(42, {}, { env: { GITHUB_RUN_ID: '12' } }),
			]);
			const { traffic, deployments, versions } = await endpoint.state();
			const won = both.filter(({ code }) => code === 0);
			expect(won.length).toBeGreaterThanOrEqual(1);
			const serving = Object.entries(traffic ?? {}).filter(([, share]) => share > 0);
			expect(serving).toEqual([[won.at(-1)?.outputs['deployment-name'] ?? serving[0]?.[0], 100]]);
			expect(deployments).toContain(serving[0]?.[0]);
			// Both registered, each a version of its own.
			expect(versions).toBe(2);
			expect(new Set(both.map(({ outputs }) => outputs['model-version'])).size).toBe(2);
			expect(await endpoint.ask()).toEqual({ answer: 42 });
			for (const lost of both.filter(({ code }) => code !== 0)) {
				expect(lost.stdout).toMatch(/::error.*(by someone else meanwhile|Another operation)/);
			}
		},
		TIME,
	);
});
