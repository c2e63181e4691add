// examples/submit-and-attach: one workflow submits and ends, another follows, and starts itself again while the job runs.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, type Stage } from './scene.ts';
import { actionOf, only, type Trigger } from './workflow.ts';

jest.setTimeout(300_000);

const bin = mkdtempSync(join(tmpdir(), 'bin-'));
const started = join(bin, 'started');
const goOn = join(bin, 'go-on');
let stage: Stage;

/** Minutes that the workflow waits for the job; what it says is too long for a test. */
let patience = '340';

beforeAll(async () => {
	// Stands for GitHub's CLI: remembers which workflow it was to start, with what.
	writeFileSync(join(bin, 'gh'), `#!/bin/sh\n[ -n "$GH_TOKEN" ] || exit 4\necho "$@" >> '${started}'\n`);
	chmodSync(join(bin, 'gh'), 0o755);
	stage = await openStage('submit-and-attach', {
		bin,
		adjust: (inputs) => ('timeout-minutes' in inputs ? { ...inputs, 'timeout-minutes': patience } : inputs),
	});
	// Training that takes as long as the test wants.
	const wait = `    while not os.path.exists(${JSON.stringify(goOn)}):\n        time.sleep(0.1)\n`;
	stage.edit('src/train.py', '    rows = read_rows(options.data)\n', `${wait}    rows = read_rows(options.data)\n`);
});
afterAll(async () => {
	await stage?.close();
	rmSync(bin, { recursive: true, force: true });
});

/** What the last call of `gh workflow run` would start. */
function dispatched(runId: string): [string, Trigger] {
	const call = readFileSync(started, 'utf8').trim().split('\n').at(-1) ?? '';
	const [, file = '', job = ''] = /^workflow run (\S+) --ref main --field job-name=(\S+)$/.exec(call) ?? [];
	return [file, { event: 'workflow_dispatch', inputs: { 'job-name': job }, runId }];
}

test('the job outlives the runs that follow it, and its model is registered in the end', async () => {
	const submit = await stage.run('submit.yml', { event: 'push', runId: '1' });
	expect(only(submit['submit']).result).toBe('success');
	const [job] = stage.scene.emulator.jobs();
	expect(job?.status).not.toBe('Completed');
	expect(dispatched('2')).toMatchObject(['attach.yml', { inputs: { 'job-name': job?.name } }]);

	patience = '0.03';
	const [file, trigger] = dispatched('2');
	rmSync(started);
	const first = await stage.run(file, trigger);
	expect(only(first['attach']).result).toBe('success');
	expect(actionOf(first['attach']).outputs).not.toHaveProperty('model-version');
	expect(existsSync(started)).toBe(true);

	patience = '340';
	writeFileSync(goOn, '');
	const [again, next] = dispatched('3');
	rmSync(started);
	const last = await stage.run(again, next);
	expect(actionOf(last['attach']).outputs).toMatchObject({ 'job-name': job?.name, 'model-id': 'azureml:iris-long:1' });
	expect(existsSync(started)).toBe(false);
	expect(stage.scene.emulator.jobs()).toHaveLength(1);
});
