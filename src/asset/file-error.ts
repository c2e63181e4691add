// What errors of the file system mean for an upload, in words.

/** The code of a file system's error, e.g. `ENOENT`; empty for anything else. */
export function fileErrorCode(error: unknown): string {
	return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Why a file could not be read, as a sentence. */
export function unreadable(shown: string, error: unknown): string {
	const code = fileErrorCode(error);
	if (code === 'ENOENT') return `${shown} vanished.`;
	if (code === 'EACCES' || code === 'EPERM') return `${shown} may not be read by this user.`;
	if (code === 'ELOOP' || code === NOT_A_FILE) return `${shown} is no longer a plain file.`;
	return `${shown} cannot be read (${code || String(error)}).`;
}

/** Code of our own: what was a file when its folder was walked has become something else. */
export const NOT_A_FILE = 'NOT_A_FILE';
