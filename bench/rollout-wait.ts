// How long a rollout of three steps waits beyond what the service needs and the inputs ask for, in virtual time: the real
// deploy step against the endpoint service of the tests, whose changes take known times here.
import { type Bench, startBench } from '../__tests__/endpoint/online-service.ts';
import { deployOnline } from '../src/endpoint/deploy.ts';
import type { DeployRequest } from '../src/endpoint/deploy-plan.ts';
import { mean } from './measure.ts';
import type { Line, Row } from './rows.ts';
import { sdkWait } from './sdk-schedule.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Between two looks of the action, in milliseconds: nothing that ends may go unseen for longer. */
const INTERVAL = 5 * SECOND;
const ENDPOINT = 'iris';
const HOLD = 5 * MINUTE;

const REQUEST: DeployRequest = {
	endpoint: { name: ENDPOINT },
	deployment: {},
	model: { name: 'iris', version: '3', id: 'azureml:iris:3', type: 'mlflow_model' },
	traffic: [
		{ percent: 10, hold: HOLD },
		{ percent: 50, hold: HOLD },
		{ percent: 100, hold: 0 },
	],
	smokeTest: { body: '{"data":[1]}', file: 'request.json', expect: { predictions: ['setosa'] } },
	onFailure: 'rollback',
	deletePrevious: false,
	tags: {},
};

/** What the service's own work takes, in milliseconds. */
export interface ServiceTimes {
	readonly deployment: number;
	readonly traffic: number;
}

/** A rollout's time, in milliseconds. */
export interface RolloutWait {
	readonly elapsed: number;
	/** What the service's changes took, with the pauses that the inputs ask for. */
	readonly needed: number;
	/** From the end of each change until it was seen. */
	readonly idle: readonly number[];
	/** The same changes and pauses by the schedule of Microsoft's client. */
	readonly scheduled: number;
}

/** The row `rollout-wait`. */
export const ROLLOUT_WAIT: Row = {
	name: 'rollout-wait',
	measure: async ({ quick }) => [await measure(quick ? 5 : 30)],
};

/** Takes times of many lengths, as no service keeps step with anybody's looks. */
async function measure(count: number): Promise<Line> {
	const waits: RolloutWait[] = [];
	for (let place = 0; place < count; place += 1) {
		const odd = ((place + 0.5) / count) * 30 * SECOND;
		waits.push(await rolloutWait({ deployment: 6 * MINUTE + odd, traffic: 20 * SECOND + ((odd * 7) % (30 * SECOND)) }));
	}
	const idle = waits.flatMap((wait) => wait.idle);
	const [usual, longest] = [mean(idle), Math.max(...idle)];
	const between = Math.max(...waits.map((wait) => wait.elapsed - wait.needed - sumOf(wait.idle)));
	const scheduled = mean(waits.map((wait) => (wait.scheduled - wait.needed) / wait.idle.length));
	const ratio = mean(waits.map(({ elapsed, needed }) => elapsed / needed));
	return {
		row: `rollout-wait (3 steps, ${waits[0]?.idle.length} changes of the service)`,
		action: `${secondsText(usual)} idle a change, ${secondsText(longest)} at most, ${secondsText(between)} elsewhere; ${ratio.toFixed(3)} of what is needed`,
		others: `newest ${(scheduled / usual).toFixed(1)}x by its schedule`,
		goal: `<= ${secondsText(INTERVAL)} a change`,
		met: longest <= INTERVAL && between === 0,
	};
}

/** Rolls out beside a deployment that has all the traffic, by steps of 10, 50 and 100 % with five minutes between. */
export async function rolloutWait(times: ServiceTimes): Promise<RolloutWait> {
	const bench = await startBench();
	try {
		bench.service.seed(ENDPOINT, { blue: 100 });
		const changes = takeTimes(bench, times);
		const before = bench.clock.now();
		await deployOnline(REQUEST, bench.parts);
		const elapsed = bench.clock.now() - before;
		const holds = sumOf(REQUEST.traffic.map(({ hold }) => hold));
		return {
			elapsed,
			needed: holds + sumOf(changes.map(({ takes }) => takes)),
			idle: changes.map(({ over, seen }) => seen - over),
			scheduled: holds + sumOf(changes.map(({ what, takes }) => sdkWait(what, takes / SECOND) * SECOND)),
		};
	} finally {
		await bench.stop();
	}
}

interface Change {
	readonly what: 'deployment' | 'endpoint';
	readonly takes: number;
	/** When it ends, and when somebody first looked after that. */
	readonly over: number;
	seen: number;
}

/** Has each change of the service last for its time by the clock, during which it refuses any other. @returns all of them */
function takeTimes({ service, clock }: Bench, times: ServiceTimes): Change[] {
	const changes: Change[] = [];
	service.looks = 0;
	service.intercept = ({ method, path }) => {
		const now = clock.now();
		const last = changes.at(-1);
		const isUnderWay = last !== undefined && now < last.over;
		if (method === 'PUT' && !isUnderWay) {
			const what = path.includes('/deployments/') ? 'deployment' : 'endpoint';
			const takes = what === 'deployment' ? times.deployment : times.traffic;
			changes.push({ what, takes, over: now + takes, seen: Number.NaN });
		}
		if (!path.startsWith('/operations/') || last === undefined) return undefined;
		if (isUnderWay) return { status: 200, json: { status: 'InProgress' } };
		if (Number.isNaN(last.seen)) last.seen = now;
		return undefined;
	};
	return changes;
}

function secondsText(ms: number): string {
	return `${(ms / SECOND).toFixed(1)} s`;
}

function sumOf(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0);
}
