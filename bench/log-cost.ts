// What following a log costs by the hour, in virtual time: how soon a line is shown, the bytes that are fetched for it, and
// what the service is asked beside. Answers take no time here; the row `log` measures by the real clock.
import { longJob, type WrittenLine, writeLines } from '../__tests__/job/long-job.ts';
import type { RunService } from '../__tests__/job/run-service.ts';
import { mean } from './measure.ts';
import type { Line, Row } from './rows.ts';
import { sdkDelay, sdkLooks } from './sdk-schedule.ts';

const HOUR = 3_600_000;
const LOG = 'job/user_logs/std_log.txt';
/** Of a line, so that the log of an hour has some hundred kilobytes, as that of a training has. */
const TEXT = ' INFO trainer.py:212 epoch 3 step 120 loss=0.2512 accuracy=0.93 examples/s=1234 gpu_mem=11.2GB';
/** A line comes within this, in milliseconds; every two seconds on average. */
const LONGEST = 4_000;

/** What following a job took, and what the schedule of azure-ai-ml would have made of the same lines. */
export interface LogCost {
	readonly hours: number;
	readonly lines: number;
	/** From written to shown on average, in milliseconds. */
	readonly delay: number;
	readonly scheduledDelay: number;
	/** Bytes of the log that were fetched, over its length: azure-ai-ml fetches all of it at each look. */
	readonly fetched: number;
	readonly scheduledFetched: number;
	/** Looks at storage an hour. */
	readonly looks: number;
	/** Requests to the resource manager and run history in the busiest hour. */
	readonly requests: number;
	readonly scheduledRequests: number;
}

/** The row `log-cost`. */
export const LOG_COST: Row = {
	name: 'log-cost',
	measure: async () => [...linesOf(await logCost(1)), ...linesOf(await logCost(6))],
};

/** Follows a job of so many hours with the code that the action follows it with. */
export async function logCost(hours: number): Promise<LogCost> {
	const length = hours * HOUR;
	const service = longJob('Command', 0.5, length);
	const lines = writeLines(service, { path: () => LOG, until: length - 60_000, longest: LONGEST, text: TEXT });
	const fetched = countFetched(service);
	await service.follow();
	const size = service.storage.files.get(LOG)?.length ?? 0;
	const schedule = sdkLooks(length / 1000);
	const looks = schedule.filter((look) => look * 1000 <= length);
	return {
		hours,
		lines: lines.length,
		delay: mean(lines.map(({ delay }) => delay)),
		scheduledDelay: 1000 * mean(lines.map(({ at }) => sdkDelay(at / 1000, schedule))),
		fetched: fetched.bytes / size,
		scheduledFetched: looks.reduce((sum, look) => sum + shareAt(lines, look * 1000), 0),
		looks: service.storage.asked.length / hours,
		requests: service.busiestHour,
		// Run history is asked once for each look.
		scheduledRequests: looks.filter((look) => look <= 3600).length,
	};
}

/** Counts what storage sends of the file; a look that finds nothing new is answered with a refusal, which has none of it. */
function countFetched({ storage }: RunService): { bytes: number } {
	const counted = { bytes: 0 };
	const send = storage.send.bind(storage);
	storage.send = async (request) => {
		const answer = await send(request);
		if (answer.status < 300) counted.bytes += answer.body.length;
		return answer;
	};
	return counted;
}

/** How much of the log was there at a time; its lines are of one length but for their number. */
function shareAt(lines: readonly WrittenLine[], time: number): number {
	return lines.filter(({ at }) => at <= time).length / lines.length;
}

function linesOf(cost: LogCost): Line[] {
	const { hours, delay, scheduledDelay, fetched, scheduledFetched, requests, scheduledRequests } = cost;
	const newest = (ratio: number): string => `newest ${ratio.toFixed(ratio < 10 ? 2 : 1)}x by its schedule`;
	return [
		{
			row: `log-cost (${hours} h, ${cost.lines} lines, written to shown)`,
			action: `${Math.round(delay)} ms`,
			others: newest(scheduledDelay / delay),
			goal: '< 1500 ms',
			met: delay < 1500,
		},
		{
			row: `log-cost (${hours} h, bytes fetched)`,
			action: `${fetched.toFixed(3)} of the log, ${Math.round(cost.looks)} looks an hour`,
			others: newest(scheduledFetched / fetched),
			goal: '<= 1.05 of the log',
			met: fetched <= 1.05,
		},
		{
			row: `log-cost (${hours} h, control requests)`,
			action: `${requests} in the busiest hour`,
			others: newest(scheduledRequests / requests),
			goal: '<= 360',
			met: requests <= 360,
		},
	];
}
