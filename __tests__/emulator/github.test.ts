import { getOctokit } from '@actions/github';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import './client.ts';

let emulator: Emulator;
let octokit: ReturnType<typeof getOctokit>;
const repository = { owner: 'octo-org', repo: 'octo-repo' };

beforeAll(async () => {
	emulator = await startEmulator();
	octokit = getOctokit(emulator.github.token, { baseUrl: emulator.github.apiUrl });
});
afterAll(() => emulator.stop());

describe('the GitHub face', () => {
	test('wants an installation token', async () => {
		const answer = await fetch(`${emulator.github.apiUrl}/repos/octo-org/octo-repo/issues/1/comments`, {
			headers: { Authorization: 'Bearer else', Connection: 'close' },
		});
		expect([answer.status, await answer.json()]).toMatchObject([401, { message: 'Bad credentials' }]);
	});

	test('keeps the comments of each pull request, page by page', async () => {
		for (let index = 0; index < 35; index++) {
			await octokit.rest.issues.createComment({ ...repository, issue_number: 7, body: `comment ${index}` });
		}
		await octokit.rest.issues.createComment({ ...repository, issue_number: 8, body: 'elsewhere' });
		const all = await octokit.paginate(octokit.rest.issues.listComments, { ...repository, issue_number: 7 });
		expect(all.map((one) => one.body)).toEqual(Array.from({ length: 35 }, (_, index) => `comment ${index}`));
		const id = all[3]?.id ?? 0;
		await octokit.rest.issues.updateComment({ ...repository, comment_id: id, body: 'changed' });
		expect(emulator.gitHubStore.comments.find((one) => one.id === id)?.['body']).toBe('changed');
	});

	test('refuses a comment that is too long', async () => {
		const body = 'x'.repeat(65_537);
		const refused = octokit.rest.issues.createComment({ ...repository, issue_number: 7, body });
		await expect(refused).rejects.toMatchObject({ status: 422 });
	});

	test('records deployments and their statuses', async () => {
		const made = await octokit.rest.repos.createDeployment({ ...repository, ref: 'main', environment: 'staging' });
		const deployment_id = (made.data as { id: number }).id;
		await octokit.rest.repos.createDeploymentStatus({ ...repository, deployment_id, state: 'in_progress' });
		await octokit.rest.repos.createDeploymentStatus({ ...repository, deployment_id, state: 'success' });
		const statuses = await octokit.rest.repos.listDeploymentStatuses({ ...repository, deployment_id });
		expect(statuses.data.map((one) => one.state)).toEqual(['success', 'in_progress']);
		expect((await octokit.rest.actions.getWorkflowRun({ ...repository, run_id: 99 })).data.id).toBe(99);
	});
});
