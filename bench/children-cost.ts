// What following many runs below one job costs, in virtual time: requests at each look while all of them run.
import { RunService } from '../__tests__/job/run-service.ts';
import { growthExponent } from './measure.ts';
import type { Extent, Line, Row } from './rows.ts';

const HOUR = 3_600_000;
const LENGTH = 3 * HOUR;
/** How many runs there are. The service gives at most a hundred in a page, as that of the tests does. */
const SIZES = { Sweep: [10, 30, 100, 300, 1_000], Pipeline: [10, 30, 100, 250, 500] } as const;

export type ParentType = keyof typeof SIZES;

/** What a job with so many runs below it was asked for, while all of them ran. */
export interface ChildrenCost {
	readonly size: number;
	/** Pages that the list of its runs has. */
	readonly pages: number;
	/** Requests for the list at each look at it. */
	readonly perLook: number;
	/** Between two looks at the list, in milliseconds. */
	readonly interval: number;
	/** All other requests in an hour, and all in the busiest hour. */
	readonly othersAnHour: number;
	readonly busiestHour: number;
}

/** The row `children`. */
export const CHILDREN_COST: Row = {
	name: 'children',
	measure: async (extent) => [
		lineOf('sweep', 'trials', await childrenCosts('Sweep', extent)),
		lineOf('pipeline', 'steps', await childrenCosts('Pipeline', extent)),
	],
};

/** Follows a job of each size. */
export async function childrenCosts(type: ParentType, { quick }: Pick<Extent, 'quick'>): Promise<ChildrenCost[]> {
	const sizes = quick ? [SIZES[type][0], SIZES[type].at(-1) ?? 0] : SIZES[type];
	const costs: ChildrenCost[] = [];
	for (const size of sizes) costs.push(await childrenCost(type, size));
	return costs;
}

/** Follows a job with so many runs that all run from its beginning to its end, three hours later. */
export async function childrenCost(type: ParentType, size: number): Promise<ChildrenCost> {
	const service = new RunService();
	service.job = { type };
	const job = { status: 'Running' };
	service.runs.set('job', job);
	for (let child = 0; child < size; child += 1) service.child(`run${child}`, 0, LENGTH - 1_000);
	service.clock.at(LENGTH, () => {
		job.status = 'Completed';
	});
	await service.follow();
	// The first looks come sooner, and at the end all logs are read: neither is what goes on for hours.
	const steady = service.asked.filter(({ at }) => at >= HOUR / 2 && at < LENGTH - HOUR / 2);
	const lists = steady.filter(({ line }) => line.includes('/children'));
	const looks = lists.filter(({ line }) => !line.includes('continuationtoken'));
	const [first, last] = [looks[0]?.at ?? 0, looks.at(-1)?.at ?? 0];
	// From the first look to the last one, which is not counted itself.
	const counted = lists.filter(({ at }) => at >= first && at < last).length;
	return {
		size,
		pages: Math.ceil(size / service.page),
		perLook: counted / (looks.length - 1),
		interval: (last - first) / (looks.length - 1),
		othersAnHour: ((steady.length - lists.length) * HOUR) / (LENGTH - HOUR),
		busiestHour: service.busiestHour,
	};
}

/** How what is asked between two looks grows with the number of runs. */
export function childrenGrowth(costs: readonly ChildrenCost[]): number {
	return growthExponent(costs.map(({ size, perLook }) => ({ size, cost: perLook })));
}

function lineOf(what: string, runs: string, costs: readonly ChildrenCost[]): Line {
	const [least = 0] = costs.map(({ othersAnHour }) => othersAnHour);
	// A request more or less is where the hour happens to begin.
	const met = costs.every((cost) => cost.perLook === cost.pages && cost.othersAnHour <= least + 1);
	return {
		row: `children (${what}, ${costs.map(({ size }) => size).join(', ')} ${runs})`,
		action: `${costs.map(({ perLook }) => perLook).join(', ')} requests a look`,
		others: `${costs.map(({ busiestHour }) => busiestHour).join(', ')} an hour at most; power ${childrenGrowth(costs).toFixed(2)}`,
		goal: 'pages of the list only',
		met,
	};
}
