// The combinations of a job's `strategy.matrix`; the examples use neither `include` nor `exclude`.

type Values = Readonly<Record<string, unknown>>;

/** Every combination of the axes in order; one empty combination where there is no matrix. */
export function matrixOf({ include, exclude, ...axes }: Values): Values[] {
	if (include !== undefined || exclude !== undefined)
		throw new Error('`include` and `exclude` are not understood here.');
	let combinations: Values[] = [{}];
	for (const [name, values] of Object.entries(axes)) {
		const all = values as readonly unknown[];
		combinations = combinations.flatMap((one) => all.map((value) => ({ ...one, [name]: value })));
	}
	return combinations;
}
