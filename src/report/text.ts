// Text from outside made harmless for Markdown: whatever it holds, it shows as itself and does nothing.

const ENTITIES: Readonly<Record<string, string>> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	':': '&#58;',
	'@': '&#64;',
};
/** Shows nothing and takes no room. What GitHub links after Markdown is done, it does not see as one word any more. */
const JOINER = '\u2060';

/** Text for the inside of a line: no markup of it works, nobody is mentioned, line ends become spaces. */
export function inert(text: string): string {
	return (
		text
			// From the beginning of white space on only: what has very much of it would be read again from each of its blanks.
			.replace(/(?<!\s)\s*[\r\n\u2028\u2029]\s*/g, ' ')
			.replace(/(?<![A-Za-z0-9])@(?=[A-Za-z0-9])|#(?=\d)/g, `$&${JOINER}`)
			.replace(/[&<>:@\\`*_{}[\]()#+!|~$]/g, (mark) => ENTITIES[mark] ?? `\\${mark}`)
			// GitHub takes this for the beginning of an address, without any scheme.
			.replace(/www\./gi, (found) => `${found.slice(0, -1)}&#46;`)
			// At the beginning of a line these make lists and rules.
			.replace(/^(\s*)([-=])/, '$1\\$2')
			.replace(/^(\s*\d+)\./, '$1\\.')
	);
}

/** The text of a message: what stands between backticks shows as code, all else as itself. */
export function prose(text: string): string {
	const pieces = text.split(/`([^`\n]+)`/);
	return pieces.map((piece, place) => (place % 2 === 1 ? code(piece) : inert(piece))).join('');
}

/** Text as code inside a line or a table. */
export function code(text: string): string {
	const flat = text.replace(/[\r\n\u2028\u2029]+/g, ' ');
	// A pipe ends the cell of a table even inside of code, and a backslash before it need not help.
	if (flat.includes('|')) return `<code>${inert(flat)}</code>`;
	const longest = Math.max(0, ...(flat.match(/`+/g) ?? []).map((run) => run.length));
	const fence = '`'.repeat(longest + 1);
	const pad = /^`|`$|^ | $/.test(flat) ? ' ' : '';
	return flat === '' ? '' : `${fence}${pad}${flat}${pad}${fence}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const COLOURS_AND_CONTROLS = /\u001b\[[0-9;:?]*[A-Za-z]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Lines as a block of code, whatever they hold. */
export function codeBlock(lines: readonly string[], language = 'text'): string {
	const text = lines.join('\n').replace(COLOURS_AND_CONTROLS, '');
	const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
	const fence = '`'.repeat(longest + 1);
	return `${fence}${language}\n${text}\n${fence}`;
}

/** A link, where the address is at or below the host of a trusted one; else the text alone. */
export function link(text: string, address: string | undefined, trusted: readonly string[]): string {
	if (address === undefined || !URL.canParse(address)) return text;
	const url = new URL(address);
	const known = trusted.some((base) => {
		const host = URL.canParse(base) ? new URL(base).host : undefined;
		return host !== undefined && (url.host === host || url.host.endsWith(`.${host}`));
	});
	if (!known || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return text;
	return `[${text}](<${url.href.replace(/[<>|\\`]/g, encodeURIComponent)}>)`;
}

/** As many whole lines as fit into `most` bytes, with a line that says what is missing. */
export function cut(text: string, most: number): string {
	if (Buffer.byteLength(text) <= most) return text;
	const lines: string[] = [];
	let room = most - 300;
	let fence: string | undefined;
	for (const line of text.split('\n')) {
		room -= Buffer.byteLength(line) + 1;
		if (room < 0) break;
		lines.push(line);
		const mark = /^`{3,}/.exec(line)?.[0];
		if (fence !== undefined) {
			if (line === fence) fence = undefined;
		} else if (mark !== undefined) {
			fence = mark;
			room -= mark.length + 1;
		}
	}
	// What follows must not become part of a block that was cut in two.
	if (fence !== undefined) lines.push(fence);
	return `${lines.join('\n')}\n\nCut here: the report is too long for this place. The log has all of it.\n`;
}
