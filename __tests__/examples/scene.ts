// One example in an emulated workspace of its own.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmulator } from '../../emulator/emulator.ts';
import { type AzureClient, openClient } from '../e2e/azure-client.ts';
import { readable } from '../e2e/markdown.ts';
import { killAll } from '../e2e/runner.ts';
import { copyExample, type JobResult, runWorkflow, type Scene, type Trigger } from './workflow.ts';

/** An example, where its workflows run, and what they leave. */
export interface Stage {
	readonly scene: Scene;
	readonly client: AzureClient;
	/** Runs a workflow by its file's name. */
	run(file: string, trigger: Trigger): Promise<Record<string, JobResult[]>>;
	/** Replaces a text in a file of the repository; it must be there. */
	edit(file: string, from: string, to: string): void;
	/** The comments of a pull request as people see them. */
	comments(number: number): string[];
	close(): Promise<void>;
}

/** Starts an emulator beside a copy of the example. */
export async function openStage(name: string, parts: Partial<Scene> = {}): Promise<Stage> {
	const emulator = await startEmulator();
	const scene: Scene = { repository: copyExample(name), ...parts, emulator };
	return {
		scene,
		client: await openClient(emulator),
		run: (file, trigger) => runWorkflow(scene, file, trigger),
		edit(file, from, to) {
			const path = join(scene.repository, file);
			const text = readFileSync(path, 'utf8');
			if (!text.includes(from)) throw new Error(`${file} has no "${from}".`);
			writeFileSync(path, text.replace(from, to));
		},
		comments: (number) =>
			emulator.gitHubStore.comments
				.filter(({ thread }) => thread === `octo-org/octo-repo/${number}`)
				.map(({ body }) => readable(String(body))),
		async close() {
			killAll();
			await emulator.stop();
			rmSync(scene.repository, { recursive: true, force: true });
		},
	};
}

/** A pull request of a branch of the repository, or of a fork. */
export function pullRequest(number: number, action: string, runId: string, from = 'octo-org/octo-repo'): Trigger {
	const head = { sha: 'c0ffee0c0ffee0c0ffee0c0ffee0c0ffee0c0ffe', ref: 'more', repo: { full_name: from } };
	const pull_request = { number, head, base: { ref: 'main', repo: { full_name: 'octo-org/octo-repo' } } };
	return {
		event: 'pull_request',
		ref: `refs/pull/${number}/merge`,
		payload: { action, number, pull_request },
		runId,
	};
}
