// How contenders are compared: by turns, so that what else the machine does hits all of them, and by medians of ratios
// within a turn.

/** What one contender costs in each turn. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/** Runs all contenders by turns, after one turn that does not count. Each other turn goes backwards. */
export async function byTurns<T>(
	names: readonly string[],
	turns: number,
	work: (name: string) => Promise<T>,
): Promise<Map<string, T[]>> {
	const all = new Map<string, T[]>(names.map((name) => [name, []]));
	for (let turn = -1; turn < turns; turn += 1) {
		for (const name of turn % 2 === 0 ? names : [...names].reverse()) {
			const one = await work(name);
			if (turn >= 0) all.get(name)?.push(one);
		}
	}
	return all;
}

/** The median of the ratios of each pair. */
export function medianRatio(over: readonly number[], under: readonly number[]): number {
	return median(over.map((value, index) => value / (under[index] ?? Number.NaN)));
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	const upper = sorted[middle] ?? Number.NaN;
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How cost grows with size: the slope of the straight line through both on logarithmic axes. 1 is linear. */
export function growthExponent(points: readonly { readonly size: number; readonly cost: number }[]): number {
	const logs = points.map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }));
	const [x, y] = [mean(logs.map((point) => point.x)), mean(logs.map((point) => point.y))];
	const covariance = logs.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
	return covariance / logs.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
}
