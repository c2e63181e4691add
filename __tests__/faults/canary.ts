// Finds secrets in texts, in every spelling in which they may turn up. It is written apart from src/secrets.ts, so that
// a mistake there cannot hide itself here.

/** Secrets by their value, with what each is. */
export type Canaries = ReadonlyMap<string, string>;

/** A secret that is shorter could stand in any text by chance. */
const SHORTEST = 6;
const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The spellings of a secret: plain, for URLs, in JSON (once and twice), in XML, in base64 at each alignment. */
export function spellingsOf(secret: string): ReadonlyMap<string, string> {
	const url = encodeURIComponent(secret);
	const json = JSON.stringify(secret).slice(1, -1);
	const spellings = new Map([
		[secret, 'plain'],
		[url, 'in a URL'],
		[url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()), 'in a URL, in lower case'],
		[json, 'in JSON'],
		[JSON.stringify(json).slice(1, -1), 'in JSON within JSON'],
		[secret.replace(/[&<>"]/g, (letter) => XML[letter] ?? letter), 'in XML'],
	]);
	for (const before of [0, 1, 2]) {
		for (const alphabet of ['base64', 'base64url'] as const) {
			const text = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString(alphabet);
			const bits = (before + Buffer.byteLength(secret)) * 8;
			// What depends on the neighbours is left out at both ends.
			const sure = text.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6));
			if (sure.length >= 8) spellings.set(sure, `in ${alphabet} after ${before} bytes`);
		}
	}
	return spellings;
}

/** Which secrets stand in a text, and how; also where line ends, or marks that a line goes on, have come between. */
export function leaksIn(text: string, canaries: Canaries): string[] {
	const joined = text.replace(/(?: ⤶)?[\r\n]+/g, '');
	const leaks: string[] = [];
	for (const [secret, what] of canaries) {
		if (secret.length < SHORTEST) continue;
		const found = [...spellingsOf(secret)].find(([spelling]) => text.includes(spelling));
		if (found !== undefined) leaks.push(`${what} (${found[1]})`);
		else if (joined.includes(secret)) leaks.push(`${what} (split)`);
	}
	return leaks;
}
