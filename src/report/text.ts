// Text from outside made harmless for Markdown: whatever it holds, it shows as itself and does nothing.

/** Text for the inside of a line: no markup of it works, line ends become spaces. */
export function inert(text: string): string {
	return text
		.replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')
		.replace(/[\\`*_{}[\]()#+!|~>$@:]/g, (mark) => `\\${mark}`)
		.replace(/\\:/g, '&#58;')
		.replace(/\\@/g, '&#64;')
		.replace(/</g, '&lt;')
		.replace(/&(?!#\d+;|lt;)/g, '&amp;');
}

/** The text of a message: what stands between backticks shows as code, all else as itself. */
export function prose(text: string): string {
	const pieces = text.split(/`([^`\n]+)`/);
	return pieces.map((piece, place) => (place % 2 === 1 ? code(piece) : inert(piece))).join('');
}

/** Text as code inside a line or a table. */
export function code(text: string): string {
	const flat = text.replace(/[\r\n\u2028\u2029]+/g, ' ').replace(/\|/g, '\\|');
	const longest = Math.max(0, ...(flat.match(/`+/g) ?? []).map((run) => run.length));
	const fence = '`'.repeat(longest + 1);
	const pad = /^`|`$|^ | $/.test(flat) ? ' ' : '';
	return flat === '' ? '' : `${fence}${pad}${flat}${pad}${fence}`;
}

/** Lines as a block of code, whatever they hold. */
export function codeBlock(lines: readonly string[], language = 'text'): string {
	const text = lines.join('\n');
	const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
	const fence = '`'.repeat(longest + 1);
	return `${fence}${language}\n${text}\n${fence}`;
}

/** A link, where the address may be linked to; else the text alone. */
export function link(text: string, address: string | undefined, trusted: readonly string[]): string {
	if (address === undefined || !URL.canParse(address)) return text;
	const url = new URL(address);
	const known = trusted.some((base) => {
		const host = URL.canParse(base) ? new URL(base).host : base;
		return url.host === host || url.host.endsWith(`.${host}`);
	});
	const safe = url.protocol === 'https:' || (url.protocol === 'http:' && known);
	return known && safe && url.username === '' ? `[${text}](<${url.href.replace(/[<>]/g, encodeURIComponent)}>)` : text;
}
