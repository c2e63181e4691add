// Dry runs: with credentials everything is looked up and nothing changed, and the plan is what a real run then sends;
// without them no request is made at all.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDLESS, IRIS, jobFiles, printing } from './checkout.ts';
import { readable } from './markdown.ts';
import type { ActionRun, WorkflowEvent } from './runner.ts';
import { openSite, type Request, type Site, type SiteRequest } from './site.ts';
import { annotationsOf, errorsOf, shownLines } from './workflow-log.ts';

const INPUTS = {
	'job-file': 'job.yml',
	'model-name': 'iris',
	'endpoint-file': 'endpoint.yml',
	'deployment-file': 'deployment.yml',
	'smoke-test-file': 'smoke-test.json',
	traffic: '50,100',
};

interface Planned {
	readonly method: string;
	readonly path: string;
	readonly body: unknown;
	readonly undecided?: readonly string[];
}

interface DryRun extends ActionRun {
	/** The file that the output names; undefined where there is no output. */
	readonly plan: readonly Planned[] | undefined;
	readonly planText: string;
	readonly requests: readonly Request[];
}

const temp = mkdtempSync(join(tmpdir(), 'dry-run-'));
let site: Site;

beforeAll(async () => {
	site = await openSite();
});

afterAll(async () => {
	await site?.close();
	rmSync(temp, { recursive: true, force: true });
});

async function dryRun(inputs: Readonly<Record<string, string>>, request: SiteRequest = {}): Promise<DryRun> {
	const since = site.emulator.requests.length;
	const env = { ...request.env, RUNNER_TEMP: temp };
	const run = await site.run({ 'dry-run': 'true', ...inputs }, { ...request, env });
	const path = run.outputs['plan-path'];
	const planText = path === undefined ? '' : readFileSync(path, 'utf8');
	const plan = path === undefined ? undefined : (JSON.parse(planText) as Planned[]);
	return { ...run, plan, planText, requests: site.requests(since) };
}

/** POSTs that only ask. */
const ASKING = /\/(listKeys|listSecrets|token)$/;

/** What changes something: in the resource manager, in storage, at an endpoint. */
function writes(requests: readonly Request[]): readonly Request[] {
	return requests.filter(({ face, method, path }) => {
		if (face === 'entra' || face === 'github' || ['GET', 'HEAD'].includes(method) || ASKING.test(path)) return false;
		// Run history is asked by POST.
		return face === 'arm' || face === 'storage' || face === 'scoring';
	});
}

/** Method and path without the query and the workspace's own path; names of code assets are drawn, and written `<code>`. */
function lineOf({ method, path }: { readonly method: string; readonly path: string }): string {
	const below = decodeURIComponent(path.replace(/\?.*$/, '')).replace(/^.*\/workspaces\/[^/]+\/(?=.)/i, '');
	return withoutChance(`${method} ${below}`);
}

/** What only a run can know, taken out of a text: names of new code, the place of an upload. */
function withoutChance(text: string): string {
	return text.replace(/codes\/[0-9a-f-]{36}/g, 'codes/<code>').replace(/"codeUri":"[^"]*\//g, '"codeUri":"<place>/');
}

function bodyOf(body: unknown): unknown {
	return body === undefined || body === null ? null : JSON.parse(withoutChance(JSON.stringify(body)));
}

/** Planned and sent requests to the resource manager, each by its line, in the order of the lines. */
const sorted = (requests: readonly { readonly method: string; readonly path: string; readonly body: unknown }[]) =>
	requests
		.map((one) => ({ line: lineOf(one), body: bodyOf(one.body) }))
		.sort((a, b) => (a.line < b.line ? -1 : a.line > b.line ? 1 : 0));

/** The text at a path of keys. */
function textAt(value: unknown, ...path: readonly string[]): string | undefined {
	let here = value;
	for (const key of path) here = (here as Record<string, unknown> | null | undefined)?.[key];
	return typeof here === 'string' ? here : undefined;
}

const uploadsOf = ({ plan = [] }: DryRun): unknown[] =>
	plan.filter(({ method }) => method === 'UPLOAD').map(({ body }) => (body as Record<string, unknown>)['from']);

describe('the main job, planned and then done, twice', () => {
	interface Pair {
		readonly dry: DryRun;
		readonly real: ActionRun;
		readonly sent: readonly Request[];
	}
	let first: Pair;
	let second: Pair;

	async function pair(runId: string): Promise<Pair> {
		const request = { checkout: IRIS, env: { GITHUB_RUN_ID: runId } };
		const dry = await dryRun(INPUTS, request);
		const since = site.emulator.requests.length;
		const real = await site.run(INPUTS, request);
		return { dry, real, sent: writes(site.requests(since)) };
	}

	const planned = ({ dry }: Pair) => sorted((dry.plan ?? []).filter(({ method }) => method !== 'UPLOAD'));
	const sent = ({ sent }: Pair) =>
		sorted(sent.filter(({ face }) => face === 'arm').map((one) => ({ ...one, body: one.body ?? null })));

	/** Tags of the metrics are known after the job only, and a new endpoint's body has what the service has made of it. */
	function knowable(requests: ReturnType<typeof sorted>): unknown {
		return requests.map(({ line, body }) => {
			const { properties = {}, ...rest } = (body ?? {}) as { properties?: Record<string, unknown> };
			const tags = Object.entries((properties['tags'] ?? {}) as object).filter(([key]) => !key.startsWith('metric.'));
			return { line, body: { ...rest, properties: { ...properties, tags: Object.fromEntries(tags) } } };
		});
	}

	beforeAll(async () => {
		first = await pair('901');
		second = await pair('902');
	});

	test('goes well each time', () => {
		for (const { dry, real } of [first, second]) {
			expect([dry.code, errorsOf(dry.stdout), dry.stderr]).toEqual([0, [], '']);
			expect([real.code, errorsOf(real.stdout)]).toEqual([0, []]);
		}
	});

	test('changes nothing when it is dry, and looks at everything', () => {
		for (const { dry } of [first, second]) {
			expect(writes(dry.requests).map(({ line }) => line)).toEqual([]);
			const lines = dry.requests.map(({ line }) => line);
			expect(lines).toContain('GET computes/cpu-cluster');
			expect(lines).toContain('GET onlineEndpoints/iris-example');
		}
	});

	test('makes the requests that were planned, no more and no fewer', () => {
		for (const one of [first, second])
			expect(sent(one).map(({ line }) => line)).toEqual(planned(one).map(({ line }) => line));
		expect(planned(first).length).toBeGreaterThan(8);
	});

	test('sends the bodies that were planned, but for what only a run can know', () => {
		// The traffic of an endpoint that was only planned is set on what the service makes of it.
		const isTraffic = ({ line }: { readonly line: string }): boolean => line === 'PUT onlineEndpoints/iris-example';
		const others = (requests: ReturnType<typeof sorted>) => knowable(requests.filter((one) => !isTraffic(one)));
		expect(others(sent(first))).toEqual(others(planned(first)));
		expect(sent(first).filter(isTraffic)).toMatchObject(planned(first).filter(isTraffic));
		// The second time the endpoint is there, and nothing of its body is unknown.
		expect(knowable(sent(second))).toEqual(knowable(planned(second)));
	});

	test('uploads what was planned: the first time all, then nothing', () => {
		expect(uploadsOf(first.dry).sort()).toEqual(['data/iris.csv', 'score', 'src']);
		const uploaded = first.sent.filter(({ face }) => face === 'storage');
		expect(uploaded.length).toBeGreaterThanOrEqual(3);
		expect([uploadsOf(second.dry), second.sent.filter(({ face }) => face === 'storage')]).toEqual([[], []]);
		expect(second.dry.summary).toContain('There already, and used as they are: ');
	});

	test('plans what depends on what is there: the next version, the free deployment, each step of traffic', () => {
		const lines = planned(second).map(({ line }) => line);
		expect(lines).toContain('PUT models/iris/versions/2');
		expect(lines).toContain('PUT onlineEndpoints/iris-example/deployments/green');
		const traffic = planned(second).filter(({ line }) => line === 'PUT onlineEndpoints/iris-example');
		expect(traffic.map(({ body }) => (body as { properties: { traffic: unknown } }).properties.traffic)).toEqual([
			{ blue: 50, green: 50 },
			{ green: 100 },
		]);
	});

	test('gives each upload its hash, and marks what is undecided', () => {
		const { plan = [] } = first.dry;
		const code = plan.find(({ method, path }) => method === 'PUT' && /\/codes\//.test(path));
		const hash = textAt(code?.body, 'properties', 'properties', 'hash_sha256');
		expect(hash).toMatch(/^[0-9a-f]{64}$/);
		const upload = plan.find(({ body }) => textAt(body, 'hash') === hash);
		expect(upload).toMatchObject({ method: 'UPLOAD', body: { files: expect.any(Number), bytes: expect.any(Number) } });
		const model = plan.find(({ path }) => /\/models\//.test(path));
		expect(model?.undecided).toEqual([expect.stringContaining('metrics')]);
		expect(plan.find(({ path }) => /\/jobs\//.test(path))?.undecided).toBeUndefined();
	});

	test('says in log and summary that it was a dry run, and what is planned', () => {
		const { summary, stdout, outputs } = first.dry;
		expect(summary.split('\n')[0]).toMatch(/^## ✅ Azure ML dry run: \d+ requests planned, nothing changed/);
		expect(summary).toMatch(/\| PUT \| deployment of the online endpoint iris-example \| `blue` \|/);
		expect(summary).toContain('smoke-test.json is sent to the new deployment in a real run only');
		expect(shownLines(stdout).at(-1)).toMatch(/^Dry run: nothing was changed\./);
		expect(shownLines(stdout).filter((line) => /uploaded|registered|Submitted|created/i.test(line))).toEqual([]);
		expect(Object.keys(outputs)).toEqual(['plan-path']);
	});

	test('plans the same for the same workspace and files', async () => {
		const request = { checkout: IRIS, env: { GITHUB_RUN_ID: '903' } };
		const [one, other] = [await dryRun(INPUTS, request), await dryRun(INPUTS, request)];
		expect(one.plan?.length).toBeGreaterThan(3);
		expect(one.planText).toBe(other.planText);
	});
});

describe('a fault', () => {
	test('is told as in a real run, and there is no plan', async () => {
		const files = jobFiles(printing(['x']), 'environment_variables:\n  A: b');
		const broken = { ...files, 'job.yml': (files['job.yml'] ?? '').replace('cpu-cluster', 'cpu-clutter') };
		const run = await dryRun({ 'job-file': 'job.yml' }, { files: broken });
		expect([run.code, run.plan, writes(run.requests)]).toEqual([1, undefined, []]);
		const [error] = annotationsOf(run.stdout).filter(({ level }) => level === 'error');
		expect(error).toMatchObject({ file: 'job.yml', line: 5, message: expect.stringContaining('cpu-cluster') });
		expect(run.summary.split('\n')[0]).toBe('## ❌ Azure ML dry run: train failed · `job.yml`');
	});

	test('of a job that is followed and has failed is one, too', async () => {
		const failing = await site.run(
			{ 'job-file': 'job.yml', 'job-name': 'failing' },
			{ files: jobFiles('raise SystemExit(1)') },
		);
		expect(failing.code).toBe(1);
		const run = await dryRun({ 'job-name': 'failing', 'model-name': 'm' });
		expect([run.code, run.plan]).toEqual([1, undefined]);
		expect(errorsOf(run.stdout).join()).toContain('The job failing ended as Failed.');
	});
});

describe('files of assets', () => {
	const files: Record<string, string> = {
		...jobFiles(printing(['x'])),
		'azureml/store.yml': [
			'$schema: https://azuremlschemas.azureedge.net/latest/azureBlob.schema.json',
			'name: planned_store',
			'type: azure_blob',
			'account_name: acc',
			'container_name: con',
			'credentials:',
			'  account_key: c2VjcmV0LWFjY291bnQta2V5',
			'',
		].join('\n'),
		'azureml/env.yml': 'name: planned-env\nimage: python:3.12\n',
		'azureml/data.yml': [
			'$schema: https://azuremlschemas.azureedge.net/latest/data.schema.json',
			'name: planned-data',
			'type: uri_file',
			'path: ../rows.csv',
			'',
		].join('\n'),
		'rows.csv': 'a,b\n1,2\n',
	};
	const job = (files['job.yml'] ?? '').replace('azureml:python-stdlib:1', 'azureml:planned-env@latest');
	const inputs = { 'asset-files': 'azureml/*.yml', 'job-file': 'job.yml' };

	test('are planned in their order, and what refers to them finds them', async () => {
		const run = await dryRun(inputs, { files: { ...files, 'job.yml': job } });
		expect([run.code, errorsOf(run.stdout), writes(run.requests)]).toEqual([0, [], []]);
		const lines = (run.plan ?? []).map(lineOf);
		const places = [
			'datastores/planned_store',
			'environments/planned-env/versions/1',
			'data/planned-data/versions/1',
		].map((path) => lines.indexOf(`PUT ${path}`));
		expect(places.every((place) => place >= 0)).toBe(true);
		expect(lines.at(-1)).toMatch(/^PUT jobs\//);
		const environment = textAt(run.plan?.at(-1)?.body, 'properties', 'environmentId');
		expect(environment).toMatch(/\/environments\/planned-env\/versions\/1$/);
	});

	test('leave none of their secrets in the plan', async () => {
		const run = await dryRun(inputs, { files: { ...files, 'job.yml': job } });
		expect(run.planText).toContain('"accountName":"acc"');
		expect(run.planText + run.summaryMarkdown).not.toContain('c2VjcmV0LWFjY291bnQta2V5');
	});
});

describe('other runs', () => {
	test('with `wait: false` register and deploy nothing', async () => {
		const run = await dryRun({ 'job-file': 'job.yml', wait: 'false', 'model-name': 'm' }, { files: jobFiles(ENDLESS) });
		expect((run.plan ?? []).filter(({ path }) => /\/models\//.test(path))).toEqual([]);
		expect(run.summary).toContain('With `wait: false` nothing is judged, registered or deployed');
	});

	test('that delete an endpoint say what they would delete', async () => {
		const run = await dryRun({ 'endpoint-name': 'iris-example', 'delete-endpoint': 'true' });
		expect((run.plan ?? []).map(lineOf)).toEqual(['DELETE onlineEndpoints/iris-example']);
		expect(site.emulator.endpoints().map(({ name }) => name)).toContain('iris-example');
	});

	test('on a pull request comment what is planned', async () => {
		site.emulator.setGitHubIdentity({ subject: 'repo:octo-org/octo-repo:pull_request', event: 'pull_request' });
		const head = { sha: 'c0ffee', repo: { full_name: 'octo-org/octo-repo' } };
		const event = { name: 'pull_request', payload: { pull_request: { number: 7, head } } };
		const githubToken = site.emulator.github.token;
		const run = await dryRun({ 'job-file': 'job.yml' }, { files: jobFiles(ENDLESS), event, githubToken });
		expect(run.code).toBe(0);
		const [comment] = site.emulator.gitHubStore.comments.map(({ body }) => readable(String(body)));
		expect(comment).toMatch(/Azure ML dry run: \d+ requests planned, nothing changed/);
		expect(comment).toMatch(/\| PUT \| job \|/);
	});
});

describe('without credentials', () => {
	const OFFLINE = { signIn: {}, env: { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' } };
	const fork = (name: string): WorkflowEvent => {
		const head = { sha: 'c0ffee', repo: { full_name: 'stranger/octo-repo' } };
		return { name, payload: { pull_request: { number: 8, head } } };
	};

	test('no request is made at all, and the plan is there', async () => {
		const run = await dryRun(INPUTS, { ...OFFLINE, checkout: IRIS });
		expect([run.code, errorsOf(run.stdout), run.requests]).toEqual([0, [], []]);
		expect(uploadsOf(run).sort()).toEqual(['data/iris.csv', 'score', 'src']);
		const lines = (run.plan ?? []).map(lineOf);
		expect(lines).toContain('PUT models/iris/versions/{next}');
		expect(lines).toContain('PUT onlineEndpoints/iris-example/deployments/blue');
		expect(run.summary).toContain('Without credentials nothing was looked up');
	});

	test('the plan names the workspace as far as the inputs do', async () => {
		const named = { 'subscription-id': '', 'resource-group': '', workspace: 'ours' };
		const run = await dryRun({ ...named, 'job-file': 'job.yml' }, { ...OFFLINE, files: jobFiles(ENDLESS) });
		expect(run.plan?.at(-1)?.path).toMatch(
			/^\/subscriptions\/\{subscription-id\}\/resourceGroups\/\{resource-group\}\/.*\/workspaces\/ours\/jobs\//,
		);
	});

	test('the newest version stays @latest, and what is asked for is taken to be there', async () => {
		const files = jobFiles(ENDLESS);
		const latest = { ...files, 'job.yml': (files['job.yml'] ?? '').replace('python-stdlib:1', 'no-such@latest') };
		const run = await dryRun({ 'job-file': 'job.yml' }, { ...OFFLINE, files: latest });
		expect(run.plan?.at(-1)).toMatchObject({
			body: { properties: { environmentId: 'azureml:no-such@latest' } },
			undecided: [expect.stringContaining('newest version')],
		});
		const inputs = { 'job-name': 'there', 'model-name': 'm', 'endpoint-name': 'e' };
		const followed = await dryRun(inputs, OFFLINE);
		expect([followed.code, followed.requests]).toEqual([0, []]);
		expect((followed.plan ?? []).map(lineOf)).toEqual([
			'PUT models/m/versions/{next}',
			'PUT onlineEndpoints/e',
			'PUT onlineEndpoints/e/deployments/blue',
			'PUT onlineEndpoints/e',
		]);
	});

	test('a model that exists is deployed', async () => {
		const inputs = { 'model-name': 'm', 'model-version': 'latest', 'endpoint-name': 'e' };
		const run = await dryRun(inputs, OFFLINE);
		const deployment = run.plan?.find(({ path }) => /\/deployments\//.test(path));
		expect(deployment).toMatchObject({ body: { properties: { model: 'azureml:m@latest' } } });
	});

	test('the faults of files are all told', async () => {
		const run = await dryRun(
			{ 'job-file': 'job.yml', 'endpoint-file': 'endpoint.yml' },
			{ ...OFFLINE, files: { 'job.yml': 'type: command\n', 'endpoint.yml': 'auth_mode: magic\n' } },
		);
		expect([run.code, run.plan, run.requests]).toEqual([1, undefined, []]);
		const told = annotationsOf(run.stdout).filter(({ level }) => level === 'error');
		expect([...new Set(told.map(({ file }) => file))].sort()).toEqual(['endpoint.yml', 'job.yml']);
		expect(run.summary.split('\n')[0]).toBe('## ❌ Azure ML dry run: failed');
	});

	test('a pull request of a fork is planned, also where the workflow names an identity that it does not get', async () => {
		const identity = { 'client-id': 'c', 'tenant-id': 't', 'auth-type': 'oidc' };
		const request = { ...OFFLINE, signIn: identity, event: fork('pull_request'), files: jobFiles(ENDLESS) };
		const run = await dryRun({ 'job-file': 'job.yml' }, request);
		expect([run.code, run.requests, run.plan?.length]).toEqual([0, [], 4]);
	});

	test("a fork's head is planned under pull_request_target too, but with an identity it is refused", async () => {
		const event = fork('pull_request_target');
		const files = jobFiles(ENDLESS);
		const offline = await dryRun({ 'job-file': 'job.yml' }, { ...OFFLINE, event, files });
		expect([offline.code, offline.requests]).toEqual([0, []]);
		const signedIn = await dryRun({ 'job-file': 'job.yml' }, { event, files });
		expect([signedIn.code, signedIn.requests]).toEqual([1, []]);
		expect(errorsOf(signedIn.stdout).join()).toContain('allow-fork-head');
	});
});
