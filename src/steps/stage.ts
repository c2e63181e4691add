// What the steps of a run are given: the process it lives in, and what sign-in has opened.
import type { Publisher } from '../asset/publish.ts';
import type { Connection } from '../azure/connect.ts';
import type { Clock } from '../clock.ts';
import type { RunFiles } from '../files.ts';
import type { InputSource } from '../inputs/reader.ts';
import type { Inputs } from '../inputs.ts';
import type { Log } from '../log.ts';
import type { RunReport } from '../report/run-report.ts';
import type { Secrets } from '../secrets.ts';

/** What a run needs of the process it lives in. */
export interface World extends Omit<InputSource, 'mask'> {
	readonly log: Log;
	readonly secrets: Secrets;
	readonly clock: Clock;
	/** Aborted, with the reason to report, when the workflow is cancelled. */
	readonly signal: AbortSignal;
	/** Asks GitHub for an ID token; undefined where the job may not. */
	readonly idToken: ((audience: string) => Promise<string>) | undefined;
	/** Keeps the name of a job that the post step must not leave running; an empty text when there is none. */
	readonly guard: (jobName: string) => void;
	/** Keeps a note of a rollout that the post step must undo; an empty text when there is none. */
	readonly guardRollout: (note: string) => void;
}

/** What the steps after sign-in share. */
export interface Stage {
	readonly world: World;
	readonly inputs: Inputs;
	readonly report: RunReport;
	readonly files: RunFiles;
	readonly connection: Connection;
	readonly publisher: Publisher;
}
