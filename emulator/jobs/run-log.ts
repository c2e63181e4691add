// A log that the service itself writes about a run, line by line, beside what the run's process prints.

import { artifactsPath } from '../arm/references.ts';
import { ARTIFACT_CONTAINER } from '../storage.ts';
import type { JobScope } from './live-job.ts';

/** One log file of a run, e.g. `logs/azureml/executionlogs.txt`; it is there from the first text on, even an empty one. */
export class RunLog {
	readonly #scope: JobScope;
	readonly #path: string;
	#writing: Promise<void> = Promise.resolve();

	/** `path` is below the artifacts of the run. */
	constructor(scope: JobScope, runId: string, path: string) {
		this.#scope = scope;
		this.#path = `${artifactsPath(runId)}/${path}`;
	}

	/** Appends text. A log that cannot be written is not worth failing a job for. */
	write(text: string): void {
		const { storage } = this.#scope.platform;
		const writing = storage.append(ARTIFACT_CONTAINER, this.#path, Buffer.from(text)).catch(() => {});
		this.#writing = this.#writing.then(() => writing);
	}

	/** Resolves when all text is stored, so that who sees the end of a run finds its whole log. */
	async written(): Promise<void> {
		await this.#writing;
	}
}
