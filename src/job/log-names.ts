// Which of a run's files are logs to show, and which of them live. Names only; reading is logs.ts's.

/** What the training itself prints, in every kind of job: one file, or one for each process of a distributed job. */
const USER_LOG = /^user_logs\/(?:retry_(\d+)\/)?std_log[^/]*\.txt$/;
/** Of several, the one of the first process, and of TensorFlow the first of either kind. */
const FIRST_PROCESS = /\/std_log\D*0*(?:_ps|_worker)?\.txt$/;
/**
 * Where the image of the environment is built. Seen as `azureml-logs/20_image_build_log.txt` with runtimes old and new;
 * that it may move to the folder of the system logs is a guess that costs nothing.
 */
const IMAGE_LOG = /^(azureml-logs|system_logs|logs\/azureml)\/(.*\/)?(\d\d_)?image_build_log.*\.(txt|log)$/i;
/** Where runtimes before `user_logs` print, by the order of their phases: preparing, running, winding up. */
const PHASE_LOG = /^azureml-logs\/(\d\d).+\.txt$/;
/** Where sweeps, pipelines and Spark jobs print. */
const OTHER_LOG =
	/^(azureml-logs\/hyperdrive\.txt|logs\/azureml\/(executionlogs|stdoutlogs|stderrlogs)\.txt|logs\/azureml\/driver\/std(out|err))$/;
/** Where parallel steps and batch scoring gather what their scripts have raised, beside what they print. */
const SCRIPT_ERRORS = /^logs\/user\/error(\.txt|\/.+\.txt)$/;
/** What tells why a job failed that printed nothing itself. */
const SYSTEM_LOG =
	/^system_logs\/.*(lifecycler|execution-wrapper|hosttools|data-capability|cs-capability).*\.(log|txt)$/;

/** The log files of a run, by the way they are shown. */
export interface ChosenLogs {
	/** How the image was built: live as long as there is nothing else. */
	readonly image: readonly string[];
	/** Shown as they grow. */
	readonly live: readonly string[];
	/** Shown at the end, each in a group: the processes of a distributed job but the first. */
	readonly grouped: readonly string[];
}

const NATURAL = new Intl.Collator('en', { numeric: true });

/** Of the files that run history names, those to show, in order. */
export function chooseLogs(paths: readonly string[]): ChosenLogs {
	const sorted = [...paths].sort(NATURAL.compare);
	const image = sorted.filter((path) => IMAGE_LOG.test(path));
	const user = sorted.filter((path) => USER_LOG.test(path));
	if (user.length > 0) {
		// A machine that was taken away is replaced; where each attempt has a folder of its own, the last one is alive.
		const newest = Math.max(...user.map(attemptOf));
		const last = user.filter((path) => attemptOf(path) === newest);
		const first = last.filter((path) => FIRST_PROCESS.test(path));
		const live = first.length > 0 ? first : last.slice(0, 1);
		return { image, live, grouped: user.filter((path) => !live.includes(path)) };
	}
	const phases = sorted.filter((path) => PHASE_LOG.test(path) && !IMAGE_LOG.test(path));
	// Several files of a phase are its nodes or processes.
	const leads = phases.filter((path, place) => phaseOf(path) !== phaseOf(phases[place - 1]));
	const live = [...leads, ...sorted.filter((path) => OTHER_LOG.test(path))];
	return { image, live, grouped: phases.filter((path) => !leads.includes(path)) };
}

/** Folders of attempts are seen in tools that read logs, and not documented. */
function attemptOf(path: string): number {
	return Number(USER_LOG.exec(path)?.[1] ?? -1);
}

function phaseOf(path: string | undefined): string | undefined {
	return path === undefined ? undefined : PHASE_LOG.exec(path)?.[1];
}

/** The files that tell what the script of a parallel step has raised, for one that failed. */
export function scriptErrors(paths: readonly string[]): string[] {
	return paths.filter((path) => SCRIPT_ERRORS.test(path)).sort(NATURAL.compare);
}

/** The files that tell of a job's machine, for a job that failed before it printed anything. */
export function systemLogs(paths: readonly string[]): string[] {
	return paths.filter((path) => SYSTEM_LOG.test(path)).sort(NATURAL.compare);
}
