// Keys by which a job reaches the tracking server with nothing but its MLFLOW_TRACKING_URI: they are part of the path.

import { randomBytes } from 'node:crypto';

const PREFIX = '/mlflow/jobkey/';

/** Makes and resolves the keys of the running jobs. They live in memory: a job does not outlive the emulator. */
export class TrackingKeys {
	readonly #runs = new Map<string, string>();

	/** The base path of a run's tracking URI, e.g. `/mlflow/jobkey/3f…`; put the emulator's origin before it. */
	issue(runId: string): string {
		const key = randomBytes(24).toString('base64url');
		this.#runs.set(key, runId);
		return PREFIX + key;
	}

	/** The run whose key is in the path of a request, and the path without it; undefined when no key of ours is there. */
	resolve(path: string): { runId: string; path: string } | undefined {
		if (!path.startsWith(PREFIX)) return undefined;
		const [key = '', ...rest] = path.slice(PREFIX.length).split('/');
		const runId = this.#runs.get(key);
		return runId === undefined ? undefined : { runId, path: `/${rest.join('/')}` };
	}

	/** Makes the keys of a run worthless, for when its job has ended. */
	revoke(runId: string): void {
		for (const [key, run] of this.#runs) if (run === runId) this.#runs.delete(key);
	}
}
