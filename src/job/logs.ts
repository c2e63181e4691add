// The log files of a job: which of them are shown, and their reading while the job runs and after its end.
import type { Http } from '../azure/http.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { LogFile } from './log-file.ts';

/** What the training itself prints, in every kind of job. */
const USER_LOG = /^user_logs\/std_log.*\.txt$/;
/** Where older runtimes, pipelines and sweeps print. Used only where there is no user log. */
const OLDER_LOG =
	/^(azureml-logs\/\d\d.+\.txt|azureml-logs\/hyperdrive\.txt|logs\/azureml\/(executionlogs|stdoutlogs|stderrlogs)\.txt)$/;

/** How many of the last lines are kept for messages. */
const KEPT_LINES = 40;
/** An unfinished line is shown after this long without a new byte, in milliseconds. */
const PATIENCE = 10_000;
/** After the end of a job, looks go on until this many in a row brought nothing. */
const QUIET_LOOKS = 2;

/** Of the files that run history names, those to show, in order. */
export function chooseLogs(paths: readonly string[]): string[] {
	const user = paths.filter((path) => USER_LOG.test(path));
	return (user.length > 0 ? user : paths.filter((path) => OLDER_LOG.test(path))).sort();
}

export interface LogParts {
	readonly http: Http;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
	/** Asks run history for fresh addresses: path to URL. */
	readonly refresh: () => Promise<ReadonlyMap<string, string>>;
}

/** The logs of one job, shown once each, as they grow. */
export class JobLogs {
	readonly #parts: LogParts;
	readonly #files = new Map<string, { file: LogFile; lastByte: number }>();
	readonly #lastLines: string[] = [];
	#urls: ReadonlyMap<string, string> = new Map();
	#current: string | undefined;
	/** When a line was last shown, in milliseconds since the epoch. */
	lastShown: number;

	constructor(parts: LogParts) {
		this.#parts = parts;
		this.lastShown = parts.clock.now();
	}

	/** The end of what was shown, oldest first. */
	get lastLines(): readonly string[] {
		return this.#lastLines;
	}

	/** Takes the addresses of a new answer of run history. */
	update(urls: ReadonlyMap<string, string>): void {
		if (urls.size > 0) this.#urls = urls;
	}

	/** Shows what has come since the last look. @returns the number of new bytes */
	async look(): Promise<number> {
		let bytes = 0;
		for (const path of chooseLogs([...this.#urls.keys()])) bytes += await this.#lookAt(path);
		return bytes;
	}

	/** After the job's end: shows everything up to the final length of every file. */
	async drain(): Promise<void> {
		for (let quiet = 0; quiet < QUIET_LOOKS; ) {
			this.update(await this.#parts.refresh());
			quiet = (await this.look()) > 0 ? 0 : quiet + 1;
			if (quiet < QUIET_LOOKS) await this.#parts.clock.sleep(1000, this.#parts.signal);
		}
		this.end();
	}

	/** Shows unfinished last lines. */
	end(): void {
		for (const { file } of this.#files.values()) file.end();
	}

	async #lookAt(path: string): Promise<number> {
		const { http, clock, signal, refresh } = this.#parts;
		let entry = this.#files.get(path);
		if (entry === undefined) {
			entry = { file: new LogFile(path, (line) => this.#show(path, line)), lastByte: clock.now() };
			this.#files.set(path, entry);
		}
		for (const turn of ['first', 'second']) {
			const url = this.#urls.get(path);
			if (url === undefined) return 0;
			const { bytes, outcome } = await entry.file.look(url, http, signal);
			if (outcome === 'fresh' && turn === 'first') {
				this.update(await refresh());
				continue;
			}
			if (bytes > 0) entry.lastByte = clock.now();
			else if (clock.now() - entry.lastByte > PATIENCE) entry.file.flush();
			return bytes;
		}
		return 0;
	}

	#show(path: string, line: string): void {
		const { log, clock } = this.#parts;
		if (this.#current !== path) {
			log.info(`── ${path}`);
			this.#current = path;
		}
		log.foreign(line);
		this.lastShown = clock.now();
		this.#lastLines.push(line.length > 2000 ? `${line.slice(0, 2000)}…` : line);
		if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
	}
}
