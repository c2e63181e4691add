// `github-environment`: the run as a GitHub deployment, whatever becomes of it, and never a reason to fail.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobFiles, printing } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site, type SiteRequest } from './site.ts';
import { annotationsOf } from './workflow-log.ts';

let site: Site;

beforeAll(async () => {
	site = await openSite();
});

afterAll(() => site?.close());

function run(environment: string, program: string, request: SiteRequest = {}): Promise<ActionRun> {
	return site.run(
		{ 'job-file': 'job.yml', 'github-environment': environment },
		{ files: jobFiles(program), githubToken: site.emulator.github.token, ...request },
	);
}

/** The states of each deployment to an environment, in order. */
function statesIn(environment: string): string[][] {
	const { deployments, statuses } = site.emulator.gitHubStore;
	return deployments
		.filter((one) => one['environment'] === environment)
		.map(({ id }) =>
			statuses.filter(({ thread }) => thread === `octo-org/octo-repo/${id}`).map((status) => String(status['state'])),
		);
}

describe('two runs after another', () => {
	let second: ActionRun;

	beforeAll(async () => {
		await run('training', printing(['one']), { env: { GITHUB_RUN_ID: '801' } });
		second = await run('training', printing(['two']), { env: { GITHUB_RUN_ID: '802' } });
	});

	test('are two deployments, of which the first is over', () => {
		expect(second.code).toBe(0);
		expect(statesIn('training')).toEqual([
			['queued', 'in_progress', 'success', 'inactive'],
			['queued', 'in_progress', 'success'],
		]);
	});

	test('point to the commit, the workflow run and the job', () => {
		const { deployments, statuses } = site.emulator.gitHubStore;
		expect(deployments.at(-1)).toMatchObject({ ref: 'ffac537e6cbbf934b08745a378932722df287a53' });
		expect(statuses.findLast(({ state }) => state === 'success')).toMatchObject({
			environment_url: second.outputs['job-url'],
			log_url: 'https://github.com/octo-org/octo-repo/actions/runs/802',
		});
	});
});

test('a run that fails is a failure', async () => {
	const failed = await run('failing', 'raise SystemExit(3)');
	expect(failed.code).toBe(1);
	expect(statesIn('failing')).toEqual([['queued', 'in_progress', 'failure']]);
});

test('a token that may not is told as a notice, and the run is green', async () => {
	const body = { message: 'Resource not accessible by integration', status: '403' };
	const forget = site.emulator.faults.add({
		face: 'github',
		method: 'POST',
		path: /\/deployments$/,
		effect: { status: 403, body },
	});
	const green = await run('forbidden', printing([]));
	forget();
	expect(green.code).toBe(0);
	const notices = annotationsOf(green.stdout).filter(({ level }) => level === 'notice');
	expect(notices.map(({ message }) => message)).toEqual([expect.stringMatching(/deployments: write/)]);
});
