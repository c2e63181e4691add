// Numbers of bytes and files as people read them in the log.

/** A number of bytes in the unit that fits, powers of ten: `0 bytes`, `12.3 kB`, `4.0 GB`. */
export function bytesText(bytes: number): string {
	if (bytes < 1000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
	const units = ['kB', 'MB', 'GB', 'TB'];
	const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
	return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** `1 file`, `12 files`. */
export function filesText(count: number): string {
	return `${count} ${count === 1 ? 'file' : 'files'}`;
}
