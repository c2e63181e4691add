// The cases of the golden translations that pass already and must go on passing. Pure; golden.ts runs them.

/** What is read of one case's result. */
export interface CaseResult {
	readonly case: string;
	readonly kind: string;
	readonly passed: boolean;
}

/** Names of the cases that must pass, by kind (`job:command`, `online-endpoint`, …), sorted. */
export type Baseline = Readonly<Record<string, readonly string[]>>;

/** The baseline's cases that did not pass, among the kinds that were run. A case that was not run at all counts too. */
export function regressions(baseline: Baseline, results: readonly CaseResult[]): string[] {
	const kinds = new Set(results.map(({ kind }) => kind));
	const passed = new Set(results.filter((result) => result.passed).map((result) => result.case));
	return Object.entries(baseline)
		.filter(([kind]) => kinds.has(kind))
		.flatMap(([, cases]) => cases.filter((name) => !passed.has(name)));
}

/** How many cases pass that the baseline does not ask for yet. */
export function improvements(baseline: Baseline, results: readonly CaseResult[]): number {
	return results.filter((result) => result.passed && !baseline[result.kind]?.includes(result.case)).length;
}

/** The baseline with the kinds that were run replaced by what passed now; the other kinds stay. */
export function updated(baseline: Baseline, results: readonly CaseResult[]): Baseline {
	const next: Record<string, readonly string[]> = { ...baseline };
	for (const kind of new Set(results.map((result) => result.kind))) {
		next[kind] = results
			.filter((result) => result.kind === kind && result.passed)
			.map((result) => result.case)
			.sort();
	}
	return Object.fromEntries(Object.entries(next).sort(([one], [other]) => (one < other ? -1 : 1)));
}
