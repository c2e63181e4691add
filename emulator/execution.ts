// What the control plane of the emulator and the processes that really run agree on: types only, no code.

/** What a command job may ask of the rest of the emulator while it runs. */
export interface JobSite {
	/**
	 * Brings what a URI names onto the disk. `uri` is a blob URL, an `azureml://datastores/…` URI (short or long) or the
	 * ARM id of a data, model or code version. `to` is the path that the content gets (a file or a folder, as stored).
	 * Rejects with a message a user can act on when nothing is stored there.
	 */
	fetch(uri: string, to: string): Promise<void>;
	/** Uploads a file or a whole folder to an `azureml://datastores/…` URI. */
	store(from: string, uri: string): Promise<void>;
	/** Appends bytes to a log file of the run, e.g. `user_logs/std_log.txt` (an append blob), in call order. */
	appendLog(path: string, bytes: Buffer): Promise<void>;
	/** Environment variables by which the job reaches the tracking server: MLFLOW_TRACKING_URI, MLFLOW_RUN_ID, …. */
	trackingEnvironment(): Record<string, string>;
	/** Records a new state of the job; `error` explains a `Failed` one as run history would. */
	changeState(state: JobState, error?: RunError): void;
}

/** The states a command job of the emulator goes through, as `properties.status` spells them. */
export type JobState =
	| 'NotStarted'
	| 'Starting'
	| 'Preparing'
	| 'Queued'
	| 'Running'
	| 'Finalizing'
	| 'CancelRequested'
	| 'Completed'
	| 'Failed'
	| 'Canceled';

/** Why a run failed: `code` is `UserError` or `ServiceError`. */
export interface RunError {
	code: string;
	message: string;
	exitCode?: number;
}

/** One input of a command job, as its ARM body holds it. */
export interface JobInput {
	jobInputType: string;
	value?: string;
	uri?: string;
	mode?: string;
}

/** One output of a command job; `uri` is where the service will keep it (filled in before the job starts). */
export interface JobOutput {
	jobOutputType: string;
	uri: string;
	mode?: string;
}

/** A command job, ready to run: everything named by its ARM body, ids already resolved to URIs. */
export interface CommandRun {
	name: string;
	command: string;
	codeUri?: string;
	inputs: Record<string, JobInput>;
	outputs: Record<string, JobOutput>;
	environmentVariables: Record<string, string>;
	/** ISO 8601 duration, as `limits.timeout`. */
	timeout?: string;
	/** Several processes run the command, each told its place among them. */
	distribution?: Distribution;
}

/** How many processes run a command, and what framework they are to find each other by. */
export interface Distribution {
	type: 'PyTorch' | 'Mpi' | 'TensorFlow';
	instances: number;
	/** Of PyTorch and MPI. */
	processesPerInstance: number;
	/** Of TensorFlow. */
	workers: number;
	parameterServers: number;
}

/** A job whose process group is alive, or was. */
export interface RunningJob {
	/** Resolves when the job is in a terminal state; never rejects. */
	done: Promise<void>;
	/** Kills the process group; the job ends as `Canceled`. Safe to call at any time, more than once. */
	cancel(): Promise<void>;
}

/** Where and how a managed online deployment is to be served. */
export interface ServeRequest {
	/** Folder that holds the code asset's content. */
	codeFolder?: string;
	/** Path of the scoring script inside `codeFolder`. */
	scoringScript?: string;
	/** AZUREML_MODEL_DIR: holds the registered model under the last segment of its URI. */
	modelFolder?: string;
	/** The registered model's `modelType`. */
	modelType?: string;
	environmentVariables: Record<string, string>;
	/** Folder for files of its own. */
	workFolder: string;
	/** The variables from which PATH and the loader path are taken; those of this process when absent. */
	host?: Record<string, string | undefined>;
}

/** A scoring process behind a deployment. */
export interface ScoringProcess {
	/** Resolves when `init()` has returned and requests are taken; rejects with the reason when it never will. */
	ready: Promise<void>;
	/** Loopback port of the process. Valid after `ready`. */
	port(): number;
	/** The last `tail` lines of what the container printed (all of it without `tail`). */
	log(tail?: number): string;
	stop(): Promise<void>;
}
