// A job of hours in virtual time, whose log grows line by line: what was written when, and how long it took to be shown.
import { chanceOf } from './log-scene.ts';
import { RunService } from './run-service.ts';

const HOUR = 3_600_000;

/** A line of the log. Times are milliseconds since the start; `delay` is not a number until the line is shown. */
export interface WrittenLine {
	readonly at: number;
	delay: number;
}

/** A job of this type that runs for so long. */
export function longJob(type: string, chance = 0.5, length = 6 * HOUR): RunService {
	const service = new RunService(chance);
	service.job = { type };
	const run = { status: 'Running' };
	service.runs.set('job', run);
	service.clock.at(length, () => {
		run.status = 'Completed';
	});
	return service;
}

/** How lines are written: by default every half minute on average, up to the last minute of six hours. */
export interface Writing {
	readonly path: (at: number) => string;
	readonly until?: number;
	/** The longest time between two lines, in milliseconds; the average is half of it. */
	readonly longest?: number;
	/** What stands after the number of each line. */
	readonly text?: string;
}

/** Has a service write numbered lines into a log. @returns all lines, in order, as they are written and shown */
export function writeLines(
	service: RunService,
	{ path, until = 6 * HOUR - 60_000, longest = 60_000, text = '' }: Writing,
): readonly WrittenLine[] {
	const chance = chanceOf(7);
	const lines: WrittenLine[] = [];
	for (let at = 30_000; at < until; at += chance() * longest) {
		service.clock.at(at, () => {
			const { elapsed } = service.clock;
			service.storage.append(path(elapsed), `line ${lines.length}${text}\n`);
			lines.push({ at: elapsed, delay: Number.NaN });
		});
	}
	const { foreign } = service.log;
	Object.assign(service.log, {
		foreign: (shown: string) => {
			foreign(shown);
			for (const [, number] of shown.matchAll(/^line (\d+)/gm)) {
				const line = lines[Number(number)];
				if (line !== undefined) line.delay = service.clock.elapsed - line.at;
			}
		},
	});
	return lines;
}
