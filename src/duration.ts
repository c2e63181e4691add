// Lengths of time as people read them.

/** `4 s`, `1 min 20 s`, `2 h 5 min`: the two largest parts, from milliseconds. */
export function duration(ms: number): string {
	const seconds = Math.max(0, Math.round(ms / 1000));
	const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
	if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
	if (minutes > 0) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
	return `${rest} s`;
}
