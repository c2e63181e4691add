// Orders names by how near they are to one that does not exist.

/** The names, the nearest first; equally near ones stay in their order. */
export function byNearness(wanted: string, names: readonly string[]): string[] {
	const parts = pairsOf(wanted);
	const scored = names.map((name, place) => ({ name, place, score: likeness(parts, pairsOf(name)) }));
	return scored.sort((a, b) => b.score - a.score || a.place - b.place).map(({ name }) => name);
}

/** Share of neighbouring pairs of characters that two texts have in common, from 0 to 1. */
function likeness(a: readonly string[], b: readonly string[]): number {
	const left = [...b];
	let common = 0;
	for (const pair of a) {
		const place = left.indexOf(pair);
		if (place < 0) continue;
		left.splice(place, 1);
		common += 1;
	}
	return (2 * common) / Math.max(1, a.length + b.length);
}

/** Pairs of characters, the ends included, without regard to case and separators. */
function pairsOf(name: string): string[] {
	const plain = `^${name.toLowerCase().replace(/[-_.\s]/g, '')}$`;
	return Array.from({ length: plain.length - 1 }, (_, place) => plain.slice(place, place + 2));
}
