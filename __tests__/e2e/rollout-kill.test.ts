// A rollout that is killed at each of its steps: what the post step makes of it, and that a re-run ends well.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ActionRun } from './runner.ts';
import { Endpoint, Outcomes, type Served } from './served.ts';
import { openSite, type Site } from './site.ts';

const TIME = 180_000;
/** How long the emulator takes for the request in which a run is killed. */
const SLOW = 1_500;

let site: Site;
const outcomes = new Outcomes<Outcome>();

interface Outcome {
	readonly killed: ActionRun;
	readonly after: Served;
	readonly again: ActionRun;
	readonly end: Served;
}

/** A place in the rollout: a request that is slow, or what the log says. */
interface Place {
	readonly slow?: { readonly method: string; readonly path: RegExp; readonly nth?: number };
	readonly line?: RegExp;
	readonly shown?: string;
}

const PLACES: Readonly<Record<string, Place>> = {
	'registering the model': { slow: { method: 'PUT', path: /models\/NAME\/versions/ }, line: /^PUT models/ },
	'creating the deployment': { slow: { method: 'PUT', path: /NAME\/deployments\/green/ }, line: /^PUT .*green$/ },
	'the smoke test': { slow: { method: 'POST', path: /online\/NAME\/score/ }, line: /^POST .*score$/ },
	'setting 10 %': {
		slow: { method: 'PUT', path: /onlineEndpoints\/NAME(\?|$)/ },
		line: /^PUT onlineEndpoints\/[\w-]+$/,
	},
	'holding 10 %': { shown: 'Holding 10 %' },
	'setting 100 %': {
		slow: { method: 'PUT', path: /onlineEndpoints\/NAME(\?|$)/, nth: 2 },
		line: /^PUT onlineEndpoints\/[\w-]+$/,
	},
	'deleting what served before': {
		slow: { method: 'DELETE', path: /NAME\/deployments\/blue/ },
		line: /^DELETE .*blue$/,
	},
};

const TITLES = Object.keys(PLACES);
const STEPS = { traffic: '10 for 2s, 100', 'delete-previous': 'true' };

async function killAt(name: string, { slow, line, shown }: Place): Promise<Outcome> {
	const endpoint = new Endpoint(site, name);
	const first = await endpoint.deploy(42, {}, { env: { GITHUB_RUN_ID: '1' } });
	expect([first.code, (await endpoint.state()).traffic]).toEqual([0, { blue: 100 }]);
	const [nth, before] = [slow?.nth ?? 1, line === undefined ? 0 : endpoint.requests(line)];
	if (slow !== undefined) {
		const path = new RegExp(slow.path.source.replace('NAME', name));
		site.emulator.faults.add({ method: slow.method, path, nth, times: 1, effect: { delayMs: SLOW } });
	}
	const when = (log: string): boolean =>
		shown === undefined ? line !== undefined && endpoint.requests(line) >= before + nth : log.includes(shown);
	const killed = await endpoint.deploy(42, STEPS, { cancel: { when, signal: 'SIGKILL' } });
	const after = await endpoint.state();
	const again = await endpoint.deploy(42, STEPS, { env: { GITHUB_RUN_ATTEMPT: '2' } });
	return { killed, after, again, end: await endpoint.state() };
}

beforeAll(async () => {
	site = await openSite();
	await outcomes.gather(TITLES, (title, place) => killAt(`killed-${place}`, PLACES[title] ?? {}));
}, TIME);
afterAll(() => site?.close());

const at = (title: string): Outcome => outcomes.at(title);

/** Until the new deployment has taken over for good, a kill leaves what was there. */
const UNDONE = [
	'registering the model',
	'creating the deployment',
	'the smoke test',
	'setting 10 %',
	'holding 10 %',
	'setting 100 %',
];

test.each(UNDONE)('killed while %s: the post step leaves traffic and deployments as they were', (title) => {
	const { killed, after } = at(title);
	expect([killed.code, killed.signal]).toEqual([null, 'SIGKILL']);
	expect(killed.post.code).toBe(0);
	expect(after).toMatchObject({ traffic: { blue: 100 }, deployments: ['blue'] });
});

test.each(['setting 10 %', 'holding 10 %', 'setting 100 %'])('killed while %s: the post step says so', (title) => {
	expect(at(title).killed.post.stdout).toMatch(
		/The rollout of the deployment "green" on the endpoint "killed-\d" was cut off\. .*The deployment was deleted\./,
	);
});

test('killed while deleting what served before: the rollout stands', () => {
	const { after } = at('deleting what served before');
	expect(after.traffic).toEqual({ green: 100 });
	expect(after.deployments).toContain('green');
});

test.each(TITLES)('killed while %s: a re-run ends well, with one deployment that has all of the traffic', (title) => {
	const { again, end } = at(title);
	expect(again.code).toBe(0);
	const [serving] = end.deployments;
	expect(end.deployments).toEqual([again.outputs['deployment-name']]);
	expect(end.traffic).toEqual({ [serving ?? '']: 100 });
	// One of the run before, and one of the run that was killed and run again.
	expect(end.versions).toBe(2);
});

test('no request of any run has ever made a map that does not add up', () => {
	for (const title of TITLES) {
		for (const map of at(title).end.history)
			expect(Object.values(map).reduce((sum, share) => sum + share, 0)).toBe(100);
	}
});
