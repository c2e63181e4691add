// "Did you mean": the known name that is nearest to a mistyped one.

/** The known name with the fewest edits from `name`, or undefined when none is near enough to be worth saying. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
	const limit = Math.max(1, Math.floor(name.length / 3));
	let best: string | undefined;
	let fewest = limit + 1;
	for (const candidate of known) {
		const edits = distance(plain(name), plain(candidate));
		if (edits < fewest) {
			best = candidate;
			fewest = edits;
		}
	}
	return best;
}

// camelCase and kebab-case are the usual slips for snake_case.
function plain(name: string): string {
	return name.toLowerCase().replace(/[-_]/g, '');
}

function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, index) => index);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}
