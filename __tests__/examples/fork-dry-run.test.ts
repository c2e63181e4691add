// examples/fork-dry-run: a stranger's pull request is checked and planned without any identity.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, pullRequest, type Stage } from './scene.ts';
import { actionOf, only } from './workflow.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('fork-dry-run', { trusted: false });
});
afterAll(() => stage?.close());

/** What was sent to the emulated Azure, by whoever. */
const sent = (): unknown[] => stage.scene.emulator.requests.filter(({ face }) => face !== 'github');

test('the plan is made, and nothing is sent', async () => {
	const before = sent().length;
	const { check } = await stage.run('check.yml', pullRequest(7, 'opened', '1', 'stranger/octo-repo'));
	expect(actionOf(check).code).toBe(0);
	expect(only(check).steps.at(-1)?.log).toMatch(/"PUT"[\s\S]*\/onlineEndpoints\/iris-forks/);
	expect(sent().slice(before)).toEqual([]);
});

test('a mistake in a file is red, at its line', async () => {
	stage.edit('job.yml', 'compute:', 'computer:');
	const { check } = await stage.run('check.yml', pullRequest(7, 'synchronize', '2', 'stranger/octo-repo'));
	const run = actionOf(check);
	expect(run.code).toBe(1);
	expect(run.stdout).toMatch(/::error [^\n]*file=job\.yml[^\n]*line=\d+[^\n]*computer/);
});
