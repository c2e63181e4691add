// The logs of one run: their reading while it runs and after its end, each line shown once. Which files they are is
// log-names.ts's.
import type { Http } from '../azure/http.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { LogFile, type Look } from './log-file.ts';
import { type ChosenLogs, chooseLogs, scriptErrors, systemLogs } from './log-names.ts';

/** How many of the last lines are kept for messages, of each file. */
const KEPT_LINES = 40;
/** An unfinished line is shown after this long without a new byte, in milliseconds. */
const PATIENCE = 10_000;
/** How an image was built is read for this long without a new byte once there are other logs, and again at the end. */
const IDLE = 60_000;
/** A progress bar is shown as often as this. */
const PROGRESS_INTERVAL = 5_000;
/** An unfinished line that grows without end, as a row of dots does, is shown as often as this. */
const GROWTH_INTERVAL = 30_000;
/** Fresh addresses are asked for no more often than this. */
const REFRESH_INTERVAL = 15_000;
/** After the end of a run, looks go on until this many in a row brought nothing; longer where it broke off in a line. */
const QUIET_LOOKS = 3;
const LONG_QUIET_LOOKS = 8;
/** Between those looks, in milliseconds. */
const LAST_INTERVAL = 1_000;
/** After the end of a run, storage that does not answer is tried for this long. */
const LAST_PATIENCE = 20_000;
/** Of a run that failed, so many files that tell why are shown beside its log. */
const MOST_CAUSES = 6;
/** What the last lines of a process look like that has failed by itself. */
const TROUBLE = /\b(traceback|\w*error|\w*exception|fatal|killed|core dumped)\b/i;

export interface LogParts {
	readonly http: Http;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
	/** Asks run history for fresh addresses: path to URL. */
	readonly refresh: () => Promise<ReadonlyMap<string, string>>;
	/** Whose logs these are, where that is not plain: the name of a step. */
	readonly owner?: string | undefined;
}

/** One file of the run, and when what of it was last shown. */
interface Entry {
	readonly file: LogFile;
	/** The end of what was shown. */
	readonly lastLines: string[];
	lastByte: number;
	lastLine: number;
	last: Look;
}

/** The logs of one run, shown once each, as they grow. */
export class JobLogs {
	readonly #parts: LogParts;
	readonly #entries = new Map<string, Entry>();
	#urls: ReadonlyMap<string, string> = new Map();
	/** Which of the addresses are looked at, once it has been made out. */
	#choice: ChosenLogs | undefined;
	#current: string | undefined;
	/** Lines of one file to print: many at once cost a fraction of what each by itself does. */
	#pending: { entry: Entry | undefined; readonly lines: string[] } = { entry: undefined, lines: [] };
	/** A group is open: no file needs its name said. */
	#grouped = false;
	#refreshed = Number.NEGATIVE_INFINITY;
	#warned = false;
	/** When a line was last shown, in milliseconds since the epoch. */
	lastShown: number;

	constructor(parts: LogParts) {
		this.#parts = parts;
		this.lastShown = parts.clock.now();
	}

	/** The end of the log that tells most of a failure, oldest line first: the first one, unless only another names an error. */
	get lastLines(): readonly string[] {
		const shown = [...this.#entries.values()].map((entry) => entry.lastLines).filter((lines) => lines.length > 0);
		const first = shown[0] ?? [];
		return shown.find((lines) => lines.some((line) => TROUBLE.test(line))) ?? first;
	}

	/** Whether there is a file to follow live. */
	get hasLive(): boolean {
		return this.#chosen().live.length > 0;
	}

	/** Whether the image of the run's environment is being built, as far as its log tells. */
	get buildsImage(): boolean {
		const { image, live } = this.#chosen();
		return image.length > 0 && live.length === 0;
	}

	/** Takes the addresses of a new answer of run history. */
	update(urls: ReadonlyMap<string, string>): void {
		if (urls.size === 0) return;
		this.#urls = urls;
		this.#choice = undefined;
	}

	/** Shows what has come since the last look. @returns the number of new bytes */
	async look(): Promise<number> {
		const { image, live } = this.#chosen();
		let bytes = 0;
		for (const path of image) {
			// A build that was over before anyone looked is worth a group, not a screen.
			const entry = this.#entries.get(path);
			if (live.length > 0 && entry === undefined) bytes += await this.#group(path);
			else if (live.length === 0 || !this.#isIdle(entry)) bytes += await this.#lookAt(path);
		}
		for (const path of live) bytes += await this.#lookAt(path);
		return bytes;
	}

	/** After the run's end: shows everything up to the final length of every file, or says what could not be read. */
	async drain(failed = false): Promise<void> {
		await this.#untilQuiet(() => this.look());
		// Also what was begun and then gave way to other files.
		for (const path of [...this.#entries.keys()]) await this.#lookAt(path);
		this.#endAll();
		// What was live before another file took its place has been shown.
		const grouped = this.#chosen().grouped.filter((path) => (this.#entries.get(path)?.file.offset ?? 0) === 0);
		for (const path of grouped) await this.#group(path);
		if (failed) await this.#showCauses();
		this.#tellGaps();
	}

	/** Of a run that has ended: shows each file in a group of its own. */
	async showGrouped(failed = false): Promise<void> {
		this.update(await this.#parts.refresh());
		const { image, live, grouped } = this.#chosen();
		for (const path of [...image, ...live, ...grouped]) await this.#group(path);
		if (failed) await this.#showCauses();
		this.#tellGaps();
	}

	/**
	 * Shows what has come since `showGrouped`, without a group: it is little, as a rule. Where there was nothing at all,
	 * addresses are asked for again if `ask` says so.
	 * @returns the number of new bytes
	 */
	async showLate(ask: boolean): Promise<number> {
		if (this.#entries.size === 0 && ask) this.update(await this.#parts.refresh());
		const { image, live, grouped } = this.#chosen();
		let bytes = 0;
		for (const path of [...image, ...live, ...grouped]) bytes += await this.#lookAt(path);
		this.#endAll();
		return bytes;
	}

	/** Shows unfinished last lines, and says what will not be shown, where the watch ends before the run. */
	end(): void {
		this.#endAll();
		const { grouped } = this.#chosen();
		if (grouped.length > 0)
			this.#parts.log.info(`[not shown: ${grouped.length} more log files, from ${grouped[0]} on]`);
	}

	#endAll(): void {
		for (const { file } of this.#entries.values()) file.end();
		this.#print();
	}

	#isIdle(entry: Entry | undefined): boolean {
		return entry !== undefined && this.#parts.clock.now() - entry.lastByte > IDLE;
	}

	#chosen(): ChosenLogs {
		this.#choice ??= chooseLogs([...this.#urls.keys()]);
		return this.#choice;
	}

	/** Looks, with fresh addresses each time, until no more bytes come. */
	async #untilQuiet(look: () => Promise<number>): Promise<void> {
		const { clock, signal, refresh } = this.#parts;
		const patience = clock.now() + LAST_PATIENCE;
		for (let quiet = 0; ; ) {
			this.update(await refresh());
			const bytes = await look();
			const entries = [...this.#entries.values()];
			const silent = entries.some(({ last }) => last.outcome === 'later');
			quiet = bytes > 0 || (silent && clock.now() < patience) ? 0 : quiet + 1;
			if (quiet >= (entries.some(({ file }) => file.unfinished) ? LONG_QUIET_LOOKS : QUIET_LOOKS)) return;
			await clock.sleep(LAST_INTERVAL, signal);
		}
	}

	/** Shows a whole file in a group. @returns the number of new bytes */
	async #group(path: string): Promise<number> {
		const { log, owner, clock, signal, refresh } = this.#parts;
		const patience = clock.now() + LAST_PATIENCE;
		log.group(owner === undefined ? path : `${owner} · ${path}`);
		this.#grouped = true;
		let bytes = 0;
		try {
			for (;;) {
				bytes += await this.#lookAt(path);
				if (this.#entryOf(path).last.outcome !== 'later' || clock.now() >= patience) break;
				await clock.sleep(LAST_INTERVAL, signal);
				this.update(await refresh());
			}
			this.#entryOf(path).file.end();
			this.#print();
		} finally {
			this.#grouped = false;
			log.endGroup();
		}
		return bytes;
	}

	/** Shows what tells why a run failed: what a script has raised; of one that printed nothing, the logs of its machine. */
	async #showCauses(): Promise<void> {
		const paths = [...this.#urls.keys()];
		for (const path of scriptErrors(paths).slice(0, MOST_CAUSES)) await this.#group(path);
		if ([...this.#entries.values()].some(({ lastLines }) => lastLines.length > 0)) return;
		for (const path of systemLogs(paths).slice(0, MOST_CAUSES)) await this.#group(path);
	}

	#tellGaps(): void {
		const { log } = this.#parts;
		for (const { file, last } of this.#entries.values()) {
			if (file.invalid > 0)
				log.info(`[${file.path}: ${file.invalid} characters were no UTF-8 and are shown as \ufffd]`);
			// A file that never was, though it was announced, is no gap.
			if (last.outcome === 'read' || (last.outcome === 'gone' && file.offset === 0)) continue;
			log.info(`[gap: ${file.path} could not be read beyond ${file.offset} bytes: ${last.reason}]`);
		}
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
		const { file } = entry;
		if (!file.unfinished) entry.lastLine = now;
		if (now - entry.lastByte > PATIENCE) file.flush();
		else if (file.progress && now - entry.lastLine >= PROGRESS_INTERVAL) file.flushProgress();
		else if (now - entry.lastLine > GROWTH_INTERVAL) file.flush();
		this.#print();
		return bytes;
	}

	#entryOf(path: string): Entry {
		const known = this.#entries.get(path);
		if (known !== undefined) return known;
		const now = this.#parts.clock.now();
		const entry: Entry = {
			file: new LogFile(path, (lines) => this.#show(entry, lines), this.#parts.log),
			lastLines: [],
			lastByte: now,
			lastLine: now,
			last: { bytes: 0, outcome: 'read' },
		};
		this.#entries.set(path, entry);
		return entry;
	}

	async #read({ file }: Entry): Promise<Look> {
		const { http, signal, log } = this.#parts;
		const url = this.#urls.get(file.path);
		if (url === undefined) return { bytes: 0, outcome: 'gone' };
		const ready = async (): Promise<void> => {
			this.#print();
			await log.ready?.();
		};
		return file.look(url, http, { signal, ready });
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

	#show(entry: Entry, lines: string): void {
		if (this.#pending.entry !== entry) this.#print();
		this.#pending.entry = entry;
		this.#pending.lines.push(lines);
	}

	/** Prints what is ready to be shown. To be called before anybody else may print. */
	#print(): void {
		const { log, clock, owner } = this.#parts;
		const { entry, lines } = this.#pending;
		if (entry === undefined || lines.length === 0) return;
		this.#pending = { entry: undefined, lines: [] };
		const { path } = entry.file;
		if (this.#current !== path && !this.#grouped) {
			log.info(`── ${owner === undefined ? '' : `${owner} · `}${path}`);
			this.#current = path;
		}
		const text = lines.join('\n');
		log.foreign(text);
		this.lastShown = clock.now();
		entry.lastLine = this.lastShown;
		for (const line of lastLinesOf(text, KEPT_LINES)) {
			// That a line may go on is of no use in a report.
			const kept = line.replace(/ ⤶$/, '');
			entry.lastLines.push(kept.length > 2000 ? `${kept.slice(0, 2000)}…` : kept);
		}
		entry.lastLines.splice(0, entry.lastLines.length - KEPT_LINES);
	}
}

function lastLinesOf(text: string, count: number): string[] {
	let from = text.length;
	for (let line = 0; line < count && from >= 0; line += 1) from = from === 0 ? -1 : text.lastIndexOf('\n', from - 1);
	return text.slice(from + 1).split('\n');
}
