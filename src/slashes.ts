// Addresses and paths are written with and without a slash at their end, and mean the same.

/** The text without the slashes at its end, in time that grows with its length only: `/\/+$/` tries at each slash again. */
export function withoutEndSlashes(text: string): string {
	return text.replace(/(?<!\/)\/+$/, '');
}
