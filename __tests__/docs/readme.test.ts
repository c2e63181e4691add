// The workflows of README, run as they stand there in a repository that holds the files of the iris example.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { readPage } from '../../scripts/markdown-page.ts';
import { openStage, type Stage } from '../examples/scene.ts';
import { actionOf } from '../examples/workflow.ts';

jest.setTimeout(300_000);

const README = join(import.meta.dirname, '../../README.md');

let stage: Stage;

beforeAll(async () => {
	stage = await openStage('iris');
	for (const { language, text } of readPage(readFileSync(README, 'utf8')).blocks) {
		if (language !== 'yaml') continue;
		const { name } = parse(text) as { name: string };
		writeFileSync(join(stage.scene.repository, '.github/workflows', `${name}.yml`), text);
	}
});
afterAll(() => stage?.close());

test('the shortest one that trains, and then the shortest one that deploys', async () => {
	const main = actionOf((await stage.run('Train.yml', { event: 'push', runId: '1' }))['train']);
	expect(main).toMatchObject({ code: 0, outputs: { 'model-id': 'azureml:iris:1' } });

	const deployed = actionOf((await stage.run('Deploy.yml', { event: 'workflow_dispatch', runId: '3' }))['deploy']);
	expect(deployed).toMatchObject({ code: 0, outputs: { 'endpoint-name': 'iris-example', 'deployment-name': 'blue' } });
});
