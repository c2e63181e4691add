// A command job that really runs: its command in a folder of its own, from Preparing to a terminal state.
// What it fetches, stores and reports goes through the JobSite.

import type { CommandRun, JobSite, JobState, RunError, RunningJob } from '../execution.ts';
import { CommandError, type CommandValues, fillCommand } from './command-line.ts';
import { durationMilliseconds } from './duration.ts';
import { baseEnvironment, type HostEnvironment, isExecutable } from './job-environment.ts';
import { fetchInputs, type JobFolder, makeJobFolder, storeOutputs } from './job-folder.ts';
import { JobLog } from './job-log.ts';
import { type ProcessGroup, startGroup } from './process-group.ts';
import { type Rank, ranksOf } from './ranks.ts';

/** What may differ from one machine or test to another. */
export interface JobHost {
	/** The variables from which PATH and the loader path are taken. */
	environment: HostEnvironment;
	/** Milliseconds between SIGTERM and SIGKILL. */
	killAfterMs: number;
	/** Milliseconds for which output is gathered before it is appended to the log. */
	batchMs: number;
	/** Milliseconds that storage has to take what is left of a job that was stopped. */
	settleMs: number;
}

const LIFECYCLER_LOG = 'system_logs/lifecycler/lifecycler.log';
/** Run history keeps error messages up to this length. */
const MESSAGE_LIMIT = 3000;

/** Starts a command job; its states are reported through `site.changeState`, the last one before `done` resolves. */
export function startCommandJob(run: CommandRun, site: JobSite, host: Partial<JobHost> = {}): RunningJob {
	const job = new CommandJob(run, site, {
		environment: process.env,
		killAfterMs: 2000,
		batchMs: 50,
		settleMs: 5000,
		...host,
	});
	const done = job.run();
	return {
		done,
		cancel: () => {
			job.stop('cancel');
			return done;
		},
	};
}

/** How a job ended before it is told to anybody. */
interface Ending {
	state: JobState;
	error?: RunError;
}

type StopReason = 'cancel' | 'timeout';

/** The command as one process of the job runs it. */
interface Program {
	readonly rank: Rank;
	readonly group: ProcessGroup;
	readonly log: JobLog;
}

class CommandJob {
	readonly #run: CommandRun;
	readonly #site: JobSite;
	readonly #host: JobHost;
	readonly #lifecycler: JobLog;
	#groups: readonly ProcessGroup[] = [];
	#stopped: StopReason | undefined;
	#wakeStopped: () => void = () => {};
	readonly #stop = new Promise<void>((resolve) => {
		this.#wakeStopped = resolve;
	});

	constructor(run: CommandRun, site: JobSite, host: JobHost) {
		this.#run = run;
		this.#site = site;
		this.#host = host;
		this.#lifecycler = new JobLog((bytes) => site.appendLog(LIFECYCLER_LOG, bytes), host.batchMs);
	}

	/** Asks the job to end now; the first reason counts. */
	stop(reason: StopReason): void {
		this.#stopped ??= reason;
		this.#wakeStopped();
		this.#terminate();
	}

	#terminate(): void {
		for (const group of this.#groups) group.terminate(this.#host.killAfterMs).catch(() => {});
	}

	async run(): Promise<void> {
		// The caller holds the RunningJob before the first state is reported.
		await Promise.resolve();
		let folder: JobFolder | undefined;
		let ending: Ending;
		try {
			this.#enter('Preparing');
			folder = await makeJobFolder(this.#run);
			ending = await this.#runIn(folder);
		} catch (error) {
			ending = this.#stopped ? this.#stoppedEnding() : { state: 'Failed', error: failureOf(error) };
		}
		await folder?.remove().catch(() => {});
		this.#note(`Job ended: ${ending.state}${ending.error ? ` (${ending.error.code})` : ''}`);
		await this.#settled(this.#lifecycler.flush());
		this.#site.changeState(ending.state, ending.error);
	}

	async #runIn(folder: JobFolder): Promise<Ending> {
		const values = await this.#unlessStopped(fetchInputs(this.#run, folder, this.#site)).catch(userError);
		const command = fillCommand(this.#run.command, values);
		const environment = await this.#environment(folder, values);
		if (this.#stopped) return this.#stoppedEnding();
		const ending = await this.#execute(command, folder, environment);
		await this.#finalize(folder, ending);
		return this.#stopped ? this.#stoppedEnding() : ending;
	}

	async #execute(command: string, folder: JobFolder, environment: Record<string, string>): Promise<Ending> {
		const ranks = await ranksOf(this.#run.distribution);
		this.#enter('Running');
		const programs = ranks.map((rank) => this.#start(rank, command, folder, environment));
		this.#groups = programs.map(({ group }) => group);
		if (this.#stopped) this.#terminate();
		const limit = this.#startLimit();
		let failed: RunError | undefined;
		const ends = programs.map(async (program) => {
			const error = await this.#endOf(program);
			failed ??= error;
			// One process that fails leaves the others waiting for it.
			if (error !== undefined) this.#terminate();
		});
		await Promise.all(ends).finally(() => clearTimeout(limit));
		return failed === undefined ? { state: 'Completed' } : { state: 'Failed', error: failed };
	}

	#start(rank: Rank, command: string, folder: JobFolder, environment: Record<string, string>): Program {
		const log = new JobLog((bytes) => this.#site.appendLog(rank.log, bytes), this.#host.batchMs);
		const group = startGroup({
			file: isExecutable('/bin/bash') ? '/bin/bash' : '/bin/sh',
			args: ['-c', command],
			cwd: folder.working,
			environment: { ...environment, ...rank.environment },
			onOutput: (bytes) => log.write(bytes),
		});
		log.setPace(group);
		return { rank, group, log };
	}

	/** Waits for the end of a program and of its log. @returns why it failed, where it has */
	async #endOf({ rank, group, log }: Program): Promise<RunError | undefined> {
		const end = await group.ended;
		await this.#settled(log.flush());
		if (log.failure)
			throw new Error(`The log of the job could not be written: ${log.failure.message}`, { cause: log.failure });
		const exitCode = end.code ?? 128 + signalNumber(end.signal);
		this.#note(`Command ended with status code ${exitCode}`);
		return exitCode === 0 ? undefined : exitError(this.#run.command, exitCode, { path: rank.log, tail: log.tail() });
	}

	/**
	 * Takes back what the command wrote. After a failure or a cancel too: outputs are mounts by default, so what was
	 * written is in storage whatever came later. How the service treats `upload` outputs of a failed job is not
	 * confirmed; they are kept as well.
	 */
	async #finalize(folder: JobFolder, ending: Ending): Promise<void> {
		if (!this.#stopped) this.#enter('Finalizing');
		try {
			await this.#settled(storeOutputs(this.#run, folder, this.#site));
		} catch (error) {
			// The command's own failure explains more than what followed from it.
			if (ending.state === 'Completed') throw error;
			this.#note(`Outputs could not be stored: ${String(error)}`);
		}
	}

	async #environment(folder: JobFolder, values: CommandValues): Promise<Record<string, string>> {
		return {
			...(await baseEnvironment(this.#host.environment, folder.root)),
			AZUREML_RUN_ID: this.#run.name,
			...prefixed('AZURE_ML_INPUT_', values.inputs),
			...prefixed('AZURE_ML_OUTPUT_', values.outputs),
			// Identity of the workspace and the tracking server are the site's knowledge.
			...this.#site.trackingEnvironment(),
			...this.#run.environmentVariables,
		};
	}

	/** `limits.timeout`: the job is cancelled when it is reached, as the REST specification of the limit says. */
	#startLimit(): NodeJS.Timeout | undefined {
		const limit = this.#run.timeout === undefined ? undefined : durationMilliseconds(this.#run.timeout);
		if (limit === undefined || limit > 2 ** 31 - 1) return undefined;
		return setTimeout(() => this.stop('timeout'), limit);
	}

	#stoppedEnding(): Ending {
		if (this.#stopped === 'cancel') return { state: 'Canceled' };
		const message = `The job was cancelled because it reached its limits.timeout of ${this.#run.timeout}.`;
		return { state: 'Canceled', error: { code: 'UserError', message } };
	}

	async #unlessStopped<T>(work: Promise<T>): Promise<T> {
		const stopped = this.#stop.then(() => {
			throw new Error('stopped');
		});
		return await Promise.race([work, stopped]);
	}

	/** Waits for storage; when the job was stopped, not for ever, because whoever stops it may be closing storage too. */
	async #settled(work: Promise<void>): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		let over = false;
		const patience = this.#stop.then(
			() =>
				new Promise<void>((resolve) => {
					// A stop that comes later must not start a timer that nobody waits for.
					if (!over) timer = setTimeout(resolve, this.#host.settleMs);
				}),
		);
		await Promise.race([work, patience]).finally(() => {
			over = true;
			clearTimeout(timer);
		});
	}

	#enter(state: JobState): void {
		this.#note(`Entering ${state}`);
		this.#site.changeState(state);
	}

	#note(text: string): void {
		this.#lifecycler.write(Buffer.from(`${new Date().toISOString()} ${text}\n`));
	}
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
	return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}

/** A failure that the author of the job can mend: code or data that is not there. */
class JobUserError extends Error {}

function userError(error: unknown): never {
	throw new JobUserError(error instanceof Error ? error.message : String(error), { cause: error });
}

function failureOf(error: unknown): RunError {
	const message = error instanceof Error ? error.message : String(error);
	const code = error instanceof CommandError || error instanceof JobUserError ? 'UserError' : 'ServiceError';
	return { code, message: message.slice(0, MESSAGE_LIMIT) };
}

/** The service's words for a command that failed, with the end of its log. */
function exitError(command: string, exitCode: number, { path, tail }: { path: string; tail: string }): RunError {
	const program = /\S+/.exec(command)?.[0] ?? 'bash';
	const start =
		`Execution failed. User process '${program}' exited with status code ${exitCode}. ` +
		`Please check log file '${path}' for error details. Error: `;
	const trace = tail.lastIndexOf('Traceback (most recent call last)');
	const last = trace >= 0 ? tail.slice(trace) : tail.split('\n').slice(-11).join('\n');
	return { code: 'UserError', message: start + last.trim().slice(-(MESSAGE_LIMIT - start.length)), exitCode };
}

const SIGNALS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

function signalNumber(signal: NodeJS.Signals | null): number {
	return signal === null ? 0 : (SIGNALS[signal] ?? 0);
}
