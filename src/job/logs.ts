// The log files of a job: which of them are shown, and their reading while the job runs and after its end.
import type { Http } from '../azure/http.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { LogFile, type Look } from './log-file.ts';

/** What the training itself prints, in every kind of job. */
const USER_LOG = /^user_logs\/std_log.*\.txt$/;
/** Where older runtimes, pipelines and sweeps print. Used only where there is no user log. */
const OLDER_LOG =
	/^(azureml-logs\/\d\d.+\.txt|azureml-logs\/hyperdrive\.txt|logs\/azureml\/(executionlogs|stdoutlogs|stderrlogs)\.txt)$/;

/** How many of the last lines are kept for messages. */
const KEPT_LINES = 40;
/** An unfinished line is shown after this long without a new byte, in milliseconds. */
const PATIENCE = 10_000;
/** An unfinished line that grows, as a progress bar does, is shown as often as this. */
const PROGRESS_INTERVAL = 30_000;
/** Fresh addresses are asked for no more often than this. */
const REFRESH_INTERVAL = 15_000;
/** After the end of a job, looks go on until this many in a row brought nothing. */
const QUIET_LOOKS = 3;
/** After the end of a job, storage that does not answer is tried for this long. */
const LAST_PATIENCE = 20_000;

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

/** One file of the job, and when what of it was last shown. */
interface Entry {
	readonly file: LogFile;
	lastByte: number;
	lastLine: number;
	last: Look;
}

/** The logs of one job, shown once each, as they grow. */
export class JobLogs {
	readonly #parts: LogParts;
	readonly #entries = new Map<string, Entry>();
	readonly #lastLines: string[] = [];
	#urls: ReadonlyMap<string, string> = new Map();
	#current: string | undefined;
	#refreshed = Number.NEGATIVE_INFINITY;
	#warned = false;
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

	/** After the job's end: shows everything up to the final length of every file, or says what could not be read. */
	async drain(): Promise<void> {
		const { clock, signal, refresh } = this.#parts;
		const patience = clock.now() + LAST_PATIENCE;
		for (let quiet = 0; quiet < QUIET_LOOKS; ) {
			this.update(await refresh());
			const bytes = await this.look();
			const silent = [...this.#entries.values()].some(({ last }) => last.outcome === 'later');
			quiet = bytes > 0 || (silent && clock.now() < patience) ? 0 : quiet + 1;
			if (quiet < QUIET_LOOKS) await clock.sleep(1000, signal);
		}
		this.end();
		for (const { file, last } of this.#entries.values()) {
			// A file that never was, though it was announced, is no gap.
			if (last.outcome === 'read' || (last.outcome === 'gone' && file.offset === 0)) continue;
			this.#parts.log.info(`[gap: ${file.path} could not be read beyond ${file.offset} bytes: ${last.reason}]`);
		}
	}

	/** Shows unfinished last lines. */
	end(): void {
		for (const { file } of this.#entries.values()) file.end();
	}

	async #lookAt(path: string): Promise<number> {
		const { clock } = this.#parts;
		const entry = this.#entryOf(path);
		const first = await this.#read(entry);
		const again = first.outcome === 'fresh' && (await this.#refresh());
		entry.last = again ? await this.#read(entry) : first;
		if (entry.last.outcome === 'fresh') this.#warn(entry);
		const bytes = again ? first.bytes + entry.last.bytes : first.bytes;
		const now = clock.now();
		if (bytes > 0) entry.lastByte = now;
		if (!entry.file.unfinished) entry.lastLine = now;
		if (now - entry.lastByte > PATIENCE || now - entry.lastLine > PROGRESS_INTERVAL) entry.file.flush();
		return bytes;
	}

	#entryOf(path: string): Entry {
		const known = this.#entries.get(path);
		if (known !== undefined) return known;
		const now = this.#parts.clock.now();
		const entry: Entry = {
			file: new LogFile(path, (line) => {
				entry.lastLine = this.#parts.clock.now();
				this.#show(path, line);
			}),
			lastByte: now,
			lastLine: now,
			last: { bytes: 0, outcome: 'read' },
		};
		this.#entries.set(path, entry);
		return entry;
	}

	async #read({ file }: Entry): Promise<Look> {
		const { http, signal } = this.#parts;
		const url = this.#urls.get(file.path);
		return url === undefined ? { bytes: 0, outcome: 'gone' } : file.look(url, http, signal);
	}

	/** @returns whether there are new addresses */
	async #refresh(): Promise<boolean> {
		const now = this.#parts.clock.now();
		if (now - this.#refreshed < REFRESH_INTERVAL) return false;
		this.#refreshed = now;
		this.update(await this.#parts.refresh());
		return true;
	}

	/** Storage behind a firewall refuses every file alike: once is enough. */
	#warn({ file, last }: Entry): void {
		if (this.#warned) return;
		this.#warned = true;
		this.#parts.log.warning(
			`The log ${file.path} cannot be read: storage refuses it (${last.reason}). The job is followed by its state alone while that lasts; storage with a firewall must let this runner in.`,
		);
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
