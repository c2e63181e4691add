// The traffic of an online endpoint as numbers: the steps a user asks for, and the map that each step makes. Pure;
// sending a map is the work of online-endpoint.ts.
import { type Json, numberAt, objectAt } from '../json.ts';

/** One step of a rollout. */
export interface TrafficStep {
	/** The new deployment's share, a whole number from 0 to 100. */
	readonly percent: number;
	/** How long to stay at that share before the next step (or the end), in milliseconds. */
	readonly hold: number;
}

/** Shares of the live traffic by deployment name, in whole percents. */
export type TrafficMap = Readonly<Record<string, number>>;

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
/** A day: longer than any hosted job, and within what a timer can hold. */
const LONGEST_HOLD = 24 * 3_600_000;
const STEP = /^(\d{1,3})\s*%?(?:\s+for\s+(\d{1,6}(?:\.\d{1,6})?)\s*([smh]))?$/i;

/**
 * Reads the text of the input `traffic`: whole percents in rising order, apart by commas, each with an optional time to
 * hold it, such as `100`, `10,50,100` or `10 for 5m, 50 for 10m, 100`. Gives a message instead where the text is not that;
 * the message does not name the input.
 */
export function parseTraffic(text: string): { readonly steps: readonly TrafficStep[] } | { readonly fault: string } {
	const steps: TrafficStep[] = [];
	for (const part of text.split(',').map((piece) => piece.trim())) {
		const step = parseStep(part);
		if (typeof step === 'string') return { fault: step };
		const last = steps.at(-1);
		if (last !== undefined && step.percent <= last.percent) {
			return { fault: `expected steps that rise, got ${step.percent} after ${last.percent}.` };
		}
		steps.push(step);
	}
	return { steps };
}

function parseStep(text: string): TrafficStep | string {
	const [, digits, amount, unit] = STEP.exec(text) ?? [];
	if (digits === undefined) {
		return `expected percents such as \`100\`, \`10,50,100\` or \`10 for 5m, 50 for 10m, 100\` (units s, m, h), got ${text === '' ? 'an empty step' : `"${text}"`}.`;
	}
	const percent = Number(digits);
	if (percent > 100) return `expected a percent from 0 to 100, got ${digits}.`;
	const hold = amount === undefined ? 0 : Math.round(Number(amount) * (UNITS[unit?.toLowerCase() ?? ''] ?? 0));
	if (hold > LONGEST_HOLD) return `expected to hold a step for at most 24h, got "${text}".`;
	return { percent, hold };
}

/**
 * The map that gives `deployment` this share, planned from the map before the rollout. The other deployments share the
 * rest in their old proportions (largest remainder); those that come to 0 are left out. A deployment without others
 * beside it that serve has 100 whatever the step, except that 0 leaves an endpoint dark that served nothing before: an
 * endpoint that serves goes on serving.
 */
export function planTraffic(before: TrafficMap, deployment: string, percent: number): TrafficMap {
	const own = keyOf(before, deployment) ?? deployment;
	const others = Object.entries(before).filter(([name, share]) => name !== own && share > 0);
	if (others.length === 0) {
		const serves = (shareOf(before, deployment) ?? 0) > 0;
		return percent > 0 || serves ? { [own]: 100 } : {};
	}
	const shared = apportion(others, 100 - percent);
	return withoutZeros([...shared, [own, percent]]);
}

/** Splits `total` by weight into whole numbers that add up to it. */
function apportion(weights: readonly (readonly [string, number])[], total: number): [string, number][] {
	const sum = weights.reduce((all, [, weight]) => all + weight, 0);
	const quotas = weights.map(([name, weight], place) => {
		const exact = (weight * total) / sum;
		return { name, place, whole: Math.floor(exact), rest: exact - Math.floor(exact) };
	});
	const left = total - quotas.reduce((all, { whole }) => all + whole, 0);
	const favoured = new Set(
		[...quotas]
			.sort((a, b) => b.rest - a.rest || a.place - b.place)
			.slice(0, left)
			.map(({ name }) => name),
	);
	return quotas.map(({ name, whole }) => [name, whole + (favoured.has(name) ? 1 : 0)]);
}

/** The same map without deployments that have no share. */
export function servingTraffic(map: TrafficMap): TrafficMap {
	return withoutZeros(Object.entries(map));
}

function withoutZeros(entries: readonly (readonly [string, number])[]): TrafficMap {
	return Object.fromEntries(entries.filter(([, share]) => share > 0));
}

/** The map in a resource or a text of ours; what is no number counts as nothing. */
export function trafficFrom(value: Json | undefined): TrafficMap {
	return Object.fromEntries(Object.keys(objectAt(value)).map((name) => [name, numberAt(value, name) ?? 0]));
}

/** A change that takes every share of one map away and sets those of another. */
export function inPlaceOf(before: TrafficMap, after: TrafficMap): TrafficMap {
	const gone = Object.keys(before).filter((name) => keyOf(after, name) === undefined);
	return { ...Object.fromEntries(gone.map((name) => [name, 0])), ...after };
}

/** Whether two maps send the same traffic to the same deployments; a share of 0 is the same as none. */
export function sameTraffic(one: TrafficMap, other: TrafficMap): boolean {
	const names = new Set([...Object.keys(one), ...Object.keys(other)]);
	return [...names].every((name) => (shareOf(one, name) ?? 0) === (shareOf(other, name) ?? 0));
}

/** A map in words: `blue 90 %, green 10 %`, or `none`. */
export function trafficText(map: TrafficMap): string {
	const parts = Object.entries(servingTraffic(map)).map(([name, share]) => `${name} ${share} %`);
	return parts.length === 0 ? 'none' : parts.join(', ');
}

/** The share of one deployment, where the map names it. */
export function shareOf(map: TrafficMap, deployment: string): number | undefined {
	const key = keyOf(map, deployment);
	return key === undefined ? undefined : map[key];
}

/**
 * Whether two names are of one deployment: the resource manager does not tell cases apart, and a map may write a name
 * otherwise than the deployment itself. None is the same as none.
 */
export function sameName(one: string | undefined, other: string | undefined): boolean {
	return one?.toLowerCase() === other?.toLowerCase();
}

function keyOf(map: TrafficMap, deployment: string): string | undefined {
	return Object.keys(map).find((name) => sameName(name, deployment));
}
