// Which names in storage may become names of files here: a job's outputs are as trustworthy as the code that it ran.

/** Device names, which Windows takes for itself with any ending. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;
/** What file systems take for the name of one file or folder, in bytes. */
const LONGEST_SEGMENT = 255;

/** Why a path of storage, taken as one below the download folder, is refused; undefined where it may be written to. */
export function nameFault(path: string): string | undefined {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
	if (/[\u0000-\u001f\u007f]/.test(path)) return 'has a control character in it';
	if (path.startsWith('/')) return 'is absolute';
	if (path.includes('\\')) return 'has a backslash in it';
	if (/^[a-z]:/i.test(path)) return 'begins with a drive letter';
	for (const segment of path.split('/')) {
		if (segment === '' || segment === '.' || segment === '..') return `has the part '${segment}' in it`;
		if (DEVICE.test(segment)) return `has the reserved name '${segment}' in it`;
		if (/[. ]$/.test(segment)) return 'has a part that ends in a dot or a space';
		if (segment.includes(':')) return 'has a colon in it';
		if (Buffer.byteLength(segment) > LONGEST_SEGMENT) return 'has a part that is too long';
	}
	return undefined;
}
